//! Which files are programs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Whether it is a regular file that somebody may execute.
pub(super) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
