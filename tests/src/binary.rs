//! The paths of the tested binary and of other programs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary: `ENDPOINTFORWARD_BIN`, else the one of the build that this test belongs to.
///
/// The latter is brought up to date by cargo, once a test process (a fraction of a second when nothing has
/// changed): a test of yesterday's binary is worse than a slow one.
///
/// # Panics
/// When it can't be built.
pub fn endpointforward() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| env::var_os("ENDPOINTFORWARD_BIN").map_or_else(build, PathBuf::from))
}

/// A program on the path, or where Debian has what ordinary users' paths lack.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(system)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn build() -> PathBuf {
    // target/debug/deps/name-hash, or target/debug/name for a program such as xtask.
    let own = env::current_exe().expect("a process knows its program");
    let mut folder = own.parent().expect("a program lies in a folder");
    if folder.ends_with("deps") {
        folder = folder.parent().expect("deps lies in the profile's folder");
    }
    let target = folder.parent().expect("a profile's folder lies in the target folder");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--package", "endpointforward", "--target-dir"]).arg(target);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo.current_dir(crate::root()).status().expect("cargo is on the path");
    assert!(
        built.success(),
        "`cargo build --package endpointforward` failed; see its output above"
    );
    let binary = folder.join("endpointforward");
    assert!(
        binary.is_file(),
        "{} was not built: does the package have a main.rs?",
        binary.display()
    );
    binary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_by_name() {
        assert!(program("sh").is_some_and(|file| file.is_absolute()));
        assert_eq!(program("no-such-program-anywhere"), None);
    }
}
