//! A command from start to end.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, ExitStatus};
use std::thread;

use crate::{DEADLINE, Process, binary};

/// The output of a command.
#[derive(Debug)]
pub struct Output {
    /// Standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// Standard error as text.
    pub stderr: String,
    /// The exit status.
    pub status: ExitStatus,
}

impl Output {
    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The exit status as a number; `None` after a signal.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// Runs `endpointforward` with `args`, feeds it `stdin` and then the end of it, and waits for its end.
///
/// # Panics
/// After the deadline, with what it wrote.
pub fn run<A: AsRef<OsStr>>(args: &[A], stdin: &[u8]) -> Output {
    let mut command = Command::new(binary::endpointforward());
    command.env_remove("RUST_LOG").args(args);
    run_program(&mut command, stdin)
}

/// As [`run`], for any command.
///
/// # Panics
/// After the deadline, with what it wrote.
pub fn run_program(command: &mut Command, stdin: &[u8]) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut process = Process::spawn(&name, command);
    let input = process.take_stdin();
    let data = stdin.to_vec();
    // From a thread: a program may write before it reads, and not read all.
    let feeder = thread::spawn(move || input.map(|mut input| input.write_all(&data)));
    let status = process.wait_exit();
    // Both pipes have been emptied by then, unless a descendant still holds one.
    let closed = process.stdout().wait_closed(DEADLINE) && process.stderr().wait_closed(DEADLINE);
    assert!(
        closed,
        "{name} has ended, but something it started holds its output\n{}",
        process.report()
    );
    // With the reader gone the feeder can't block; that not all was read is the program's right.
    let _unread = feeder.join();
    Output { stdout: process.stdout().bytes(), stderr: process.stderr().text(), status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_and_collects_more_than_a_pipe_holds() {
        let data = vec![7; 1 << 20];
        let output = run_program(&mut Command::new("cat"), &data);
        assert_eq!((output.code(), output.stdout.len()), (Some(0), data.len()));
    }

    #[test]
    fn input_that_nobody_reads_is_no_error() {
        let output = run_program(
            Command::new("sh").args(["-c", "echo bad >&2; exit 64"]),
            &vec![0; 1 << 20],
        );
        assert_eq!((output.code(), output.stderr.as_str()), (Some(64), "bad\n"));
    }
}
