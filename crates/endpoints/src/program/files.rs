//! Which files are programs, and why the others can't be started.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Returns `true` if it is a regular file with an execute permission.
pub(super) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Returns why the file at `path` can't be started, as far as the file tells. `program` is its name in messages.
pub(super) fn obstacle(path: &Path, program: &str) -> Option<String> {
    let Ok(found) = path.metadata() else {
        return Some(format!("there is no program {program}"));
    };
    if found.is_dir() {
        return Some(format!("{program} is a folder, not a program"));
    }
    if !found.is_file() {
        return Some(format!("{program} is not a program"));
    }
    if !is_program(path) {
        return Some(format!("{program} is a file that is not executable (`chmod +x`)"));
    }
    script(path, program)
}

/// Returns why the system can't start a script: the carriage return of a line that Windows has ended, or an interpreter
/// that isn't there (`execve(2)`).
fn script(path: &Path, program: &str) -> Option<String> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    let rest = head.strip_prefix(b"#!")?;
    let line = &rest[..rest.iter().position(|byte| *byte == b'\n')?];
    if line.ends_with(b"\r") {
        return Some(format!(
            "the first line of {program} ends in a carriage return, which becomes part of its interpreter's name \
             (`sed -i 's/\\r$//'`)"
        ));
    }
    let line = std::str::from_utf8(line).ok()?;
    let interpreter = line.split_ascii_whitespace().next()?;
    let is_missing = interpreter.starts_with('/') && !Path::new(interpreter).exists();
    is_missing.then(|| format!("the interpreter of {program}, {interpreter}, is missing"))
}

/// Returns `true` if the file may be a script: its beginning has no NUL, as that of a binary has (bash has the same
/// rule).
pub(super) fn is_text(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    read.is_ok() && !head.contains(&0)
}

/// Bytes that Linux reads of a script's first line (`BINPRM_BUF_SIZE`).
const HEAD: u64 = 256;
