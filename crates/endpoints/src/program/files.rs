//! Which files are programs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Returns `true` if it is a regular file with an execute permission.
pub(super) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
