//! A process that doesn't outlive its owner.

use std::io::Write;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, kill_process, kill_process_group};

pub use rustix::process::Signal;

use crate::{Capture, DEADLINE, procfs, until, until_within};

/// A running program, alone in a process group, with its outputs captured.
///
/// Dropping it kills the group and every descendant that has left the group, and reaps the program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    /// Kept apart from the child, so that it can be closed while the child is waited for.
    stdin: Option<ChildStdin>,
    stdout: Capture,
    stderr: Capture,
}

impl Process {
    /// Starts `command`; `name` is what messages call it.
    ///
    /// # Panics
    /// When the program can't be started.
    pub fn spawn(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: cannot start {command:?}: {error}"));
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(Capture::of).unwrap_or_default();
        let stderr = child.stderr.take().map(Capture::of).unwrap_or_default();
        Self { name: name.to_owned(), child, stdin, stdout, stderr }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns its standard output so far.
    #[must_use]
    pub fn stdout(&self) -> &Capture {
        &self.stdout
    }

    /// Returns its standard error so far.
    #[must_use]
    pub fn stderr(&self) -> &Capture {
        &self.stderr
    }

    /// Writes to its standard input.
    ///
    /// # Panics
    /// When the input has been closed, here or there.
    pub fn send(&mut self, data: &[u8]) {
        let stdin = self.stdin.as_mut().expect("standard input is still open");
        stdin
            .write_all(data)
            .unwrap_or_else(|error| panic!("{}: standard input: {error}", self.name));
    }

    /// Closes its standard input; it sees the end of the input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Hands out the standard input, to be written from another thread.
    #[must_use]
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// Sends `signal` to the process alone, as a service manager does, not to its group.
    pub fn signal(&self, signal: Signal) {
        // A process that has ended meanwhile is for `wait_exit` to judge.
        let _gone = kill_process(pid(self.id()), signal);
    }

    /// Returns `true` if it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// After the deadline, with what it has written.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let exited = until_within(DEADLINE, || self.child.try_wait().ok().flatten());
        exited.unwrap_or_else(|| {
            panic!("{} has not ended within {DEADLINE:?}\n{}", self.name, self.report())
        })
    }

    /// Its end, when that comes within `limit`.
    pub fn wait_exit_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        until_within(limit, || self.child.try_wait().ok().flatten())
    }

    /// Both outputs, for a message.
    #[must_use]
    pub fn report(&self) -> String {
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        format!("--- stdout of {0} ---\n{stdout}\n--- stderr of {0} ---\n{stderr}", self.name)
    }

    /// Resident memory in KiB.
    #[must_use]
    pub fn rss_kib(&self) -> u64 {
        self.of_kernel(procfs::rss_kib(self.id()))
    }

    /// Open descriptors.
    #[must_use]
    pub fn fds(&self) -> usize {
        self.of_kernel(procfs::fds(self.id()))
    }

    /// Threads.
    #[must_use]
    pub fn threads(&self) -> u64 {
        self.of_kernel(procfs::threads(self.id()))
    }

    /// Processor time so far.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.of_kernel(procfs::cpu(self.id()))
    }

    /// Direct children, zombies included: one that is never reaped is a leak too.
    #[must_use]
    pub fn children(&self) -> Vec<u32> {
        procfs::children(self.id())
    }

    /// Waits until it has no children.
    ///
    /// # Panics
    /// After the deadline.
    pub fn wait_no_children(&self) {
        until(&format!("{} has no children", self.name), || {
            self.children().is_empty().then_some(())
        });
    }

    fn of_kernel<T>(&self, answer: Option<T>) -> T {
        answer.unwrap_or_else(|| panic!("{} is gone\n{}", self.name, self.report()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Before the kill: orphans get another parent and can't be found any more. `process` endpoints have
        // separate groups, so the group alone isn't enough.
        let strays = procfs::descendants(self.id());
        // The group holds whatever the program started; its leader isn't reaped yet unless it has ended, and
        // then the id stays the group's while anyone is in it.
        let _gone = kill_process_group(pid(self.id()), Signal::KILL);
        strays.into_iter().for_each(kill_one);
        let _reaped = self.child.wait();
        if thread::panicking() {
            // Only a failed test wants to know, and libtest shows it only then.
            show(&self.report());
        }
    }
}

/// Kills one process by its id, if it is there.
pub(crate) fn kill_one(id: u32) {
    let _gone = kill_process(pid(id), Signal::KILL);
}

#[expect(clippy::print_stderr, reason = "libtest keeps it with the failed test")]
fn show(report: &str) {
    eprintln!("{report}");
}

fn pid(id: u32) -> Pid {
    let id = i32::try_from(id).expect("a process id fits");
    Pid::from_raw(id).expect("a process id isn't 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::spawn("sh", Command::new("sh").args(["-c", script]))
    }

    fn gone(id: u32) {
        until("it is gone", || (!procfs::runs(id)).then_some(()));
    }

    #[test]
    fn captures_both_outputs() {
        let mut process = shell("echo out; echo err >&2; exit 3");
        assert_eq!(process.wait_exit().code(), Some(3));
        assert!(process.stdout().wait_closed(DEADLINE) && process.stderr().wait_closed(DEADLINE));
        assert_eq!(
            (process.stdout().text(), process.stderr().text()),
            ("out\n".into(), "err\n".into())
        );
    }

    #[test]
    fn a_drop_leaves_no_descendant_even_in_a_group_of_its_own() {
        let process = shell("setsid sleep 60 & echo $!; wait");
        let line = process
            .stdout()
            .wait(DEADLINE, |text| Some(text.trim().to_owned()).filter(|t| !t.is_empty()));
        let mut strays = procfs::descendants(process.id());
        strays.extend(line.unwrap().parse::<u32>());
        drop(process);
        strays.into_iter().for_each(gone);
    }

    #[test]
    fn a_panic_leaves_no_process() {
        let (send, receive) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let process = shell("sleep 60");
            send.send(process.id()).unwrap();
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        gone(receive.recv().unwrap());
    }

    #[test]
    fn signals_and_standard_input_arrive() {
        let mut process = shell(
            "trap 'echo term; exit 7' TERM; echo ready; while read x; do echo $x; done; echo end",
        );
        assert!(process.stdout().wait_for_line(DEADLINE, "ready").is_some());
        process.send(b"one\n");
        assert!(process.stdout().wait_for_line(DEADLINE, "one").is_some());
        process.close_stdin();
        assert_eq!(process.wait_exit().code(), Some(0));
        let mut process = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
        assert!(process.stdout().wait_for_line(DEADLINE, "ready").is_some());
        process.signal(Signal::TERM);
        assert_eq!(process.wait_exit().code(), Some(7));
    }
}
