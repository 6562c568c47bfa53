//! Files that endpoints need and that don't exist.

use std::path::{Path, PathBuf};

use endpoint::Missing;

/// Returns those of these files that don't exist, each with the parameter that names it.
pub(crate) fn no_files<const N: usize>(
    files: [(&'static str, &Option<PathBuf>); N],
) -> Vec<Missing> {
    let given = files.into_iter().filter_map(|(name, path)| Some((name, path.as_ref()?)));
    given.filter(|(_, path)| !path.exists()).map(|(name, path)| no_file(name, path)).collect()
}

/// Describes a file that doesn't exist.
pub(crate) fn no_file(name: &'static str, path: &Path) -> Missing {
    Missing::of(name, format!("there is no file {}", path.display()))
}
