//! Watches over a program until nothing of it is left.
//!
//! 1. While the session lasts, its exit is noticed and told. It isn't reaped yet: its number is
//!    also its group's, and must not become another program's while the group may be signalled.
//! 2. When the session has ended, and with it the program's input, the whole group may take the
//!    grace period to end; then it gets SIGTERM, and another grace period later SIGKILL.

use std::io;
use std::time::Duration;

use endpoint::{ExitStatus, Signal, SignalSender, WorkGuard};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal as Number, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group,
    test_kill_process_group, waitid,
};
use tokio::signal::unix::Signal as Signals;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

/// A program that runs.
pub(super) struct Program {
    pub(super) group: Group,
    pub(super) name: String,
    pub(super) grace: Duration,
    pub(super) log: Option<JoinHandle<()>>,
    pub(super) say: SignalSender,
    pub(super) _guard: WorkGuard,
}

/// See the module. `exited` is told how the program ended; `session` is dropped with the session.
pub(super) async fn supervise(
    mut program: Program,
    mut children: Signals,
    exited: oneshot::Sender<ExitStatus>,
    mut session: oneshot::Receiver<()>,
) {
    let mut ended = false;
    tokio::select! {
        status = program.group.exit(&mut children) => {
            program.tell(status, exited);
            let _ = session.await;
            ended = true;
        }
        _ = &mut session => {}
    }

    for number in [None, Some(Number::TERM)] {
        if let Some(number) = number {
            debug!(program = program.name, "did not end in time, sending {number:?}");
            program.group.signal(number);
        }
        let gone = async {
            if !ended {
                let status = program.group.exit(&mut children).await;
                debug!(program = program.name, "{status}");
                ended = true;
            }
            program.group.reap();
            program.group.empty().await;
        };
        if timeout(program.grace, gone).await.is_ok() {
            return program.finish().await;
        }
    }
    debug!(program = program.name, "did not end in time, killing it");
    program.group.signal(Number::KILL);
    if timeout(KILLED, program.group.exit(&mut children)).await.is_err() {
        warn!(program = program.name, "does not even end when killed: it waits for a device");
        program.group.exit(&mut children).await;
    }
    program.group.reap();
    program.finish().await;
}

impl Program {
    fn tell(&self, status: ExitStatus, exited: oneshot::Sender<ExitStatus>) {
        debug!(program = self.name, "{status}");
        self.say.send(Signal::Exit(status));
        // Nobody asks if the session is over.
        let _ = exited.send(status);
    }

    /// Lets the last lines of standard error through. A process that left the group may hold it
    /// open; nobody waits for that.
    async fn finish(mut self) {
        if let Some(log) = &mut self.log
            && timeout(LAST_LINES, &mut *log).await.is_err()
        {
            log.abort();
        }
    }
}

/// A process group whose leader we started. Dropping it unreaped, as a runtime does that shuts
/// down, kills it.
pub(super) struct Group {
    pid: Pid,
    reaped: bool,
}

impl Group {
    /// The group of a leader that was started just now.
    pub(super) fn new(pid: Pid) -> Self {
        Self { pid, reaped: false }
    }

    /// Waits for the leader's exit, without reaping. Cancel safe.
    async fn exit(&mut self, children: &mut Signals) -> ExitStatus {
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(self.pid), options) {
                Ok(Some(status)) => return exit_status(&status),
                Ok(None) | Err(Errno::INTR) => {}
                // Somebody else reaped it: whoever uses us as a library waits for all children.
                Err(error) => {
                    debug!("cannot wait for process {}: {error}", self.pid);
                    self.reaped = true;
                    return ExitStatus::Code(0);
                }
            }
            if children.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Reaps the leader, which has exited. The group's number stays taken as long as it has
    /// members.
    fn reap(&mut self) {
        if !self.reaped {
            self.reaped = true;
            let _ = waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }

    /// Waits until the leader, which is reaped, has left nobody behind. Nothing tells when that
    /// comes true, so it is asked; the number can't be another group's within such a short time.
    async fn empty(&self) {
        let mut pause = Duration::from_millis(5);
        loop {
            // What the leader left behind is ours to reap where we are process 1, as in a
            // container; elsewhere this finds nothing.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            while let Ok(Some(_)) = waitid(WaitId::Pgid(Some(self.pid)), options) {}
            if test_kill_process_group(self.pid).is_err() {
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    fn signal(&self, number: Number) {
        match kill_process_group(self.pid, number) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => {
                let error = io::Error::from(error);
                warn!("cannot signal process group {}: {error}", self.pid);
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Number::KILL);
            let pid = self.pid;
            // Its end takes a moment, and there may be no runtime any more to wait in.
            std::thread::spawn(move || waitid(WaitId::Pid(pid), WaitIdOptions::EXITED));
        }
    }
}

fn exit_status(status: &WaitIdStatus) -> ExitStatus {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ExitStatus::Code(code),
        (None, Some(signal)) => ExitStatus::Signal(signal),
        (None, None) => ExitStatus::Code(0),
    }
}

/// How long the kernel may take to end a process that was killed.
const KILLED: Duration = Duration::from_secs(5);

/// How long the last lines of standard error may take to arrive.
const LAST_LINES: Duration = Duration::from_millis(200);
