//! Writing for people and programs. A reader that has gone is no reason to panic.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use super::exit::Exit;

/// Writes to standard error, whatever has become of it.
pub(crate) fn complain(text: impl Display) {
    // An error of writing this has no place to be reported.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes to standard output and flushes it.
pub(crate) fn print(text: impl Display) -> Exit {
    let mut out = io::stdout().lock();
    done(write!(out, "{text}").and_then(|()| out.flush()))
}

/// Returns the exit status for a write to standard output. A pipe whose reader has seen enough, such as `head`, is
/// not an error.
pub(crate) fn done(written: io::Result<()>) -> Exit {
    match written {
        Ok(()) => Exit::Ok,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => {
            complain(format_args!("error: cannot write: {}", endpoint::describe(&error)));
            Exit::Io
        }
    }
}

/// Returns the width of a line: the terminal's, or that in `COLUMNS`, or one that suits a file.
#[expect(clippy::disallowed_methods, reason = "the command may read the environment")]
pub(crate) fn columns() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let size = || {
        let out = io::stdout();
        let size = out.is_terminal().then(|| rustix::termios::tcgetwinsize(&out).ok()).flatten();
        size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
    };
    columns.filter(|columns| *columns > 0).or_else(size).unwrap_or(100).clamp(40, 120)
}

/// Returns the width of the terminal that errors are written to, or that of a file.
pub(crate) fn report_columns() -> usize {
    let error = io::stderr();
    let size = error.is_terminal().then(|| rustix::termios::tcgetwinsize(&error).ok()).flatten();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(usize::MAX)
}

/// Under inetd, standard error is the client's connection, as standard input is: text written there would be data.
/// The log is discarded then, unless its options select a target.
pub(crate) fn spare_connection() {
    use rustix::fs::{FileType, fstat};
    let (Ok(input), Ok(error)) = (fstat(rustix::stdio::stdin()), fstat(rustix::stdio::stderr()))
    else {
        return;
    };
    let is_same = (input.st_dev, input.st_ino) == (error.st_dev, error.st_ino);
    let is_socket = FileType::from_raw_mode(input.st_mode) == FileType::Socket;
    if is_same
        && is_socket
        && let Ok(nothing) = std::fs::File::options().write(true).open("/dev/null")
    {
        // Without it, the log stays the client's; there is no place to report that.
        let _ = rustix::stdio::dup2_stderr(&nothing);
    }
}
