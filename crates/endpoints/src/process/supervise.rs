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
    pub(super) pid: Pid,
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
    let mut group = Group { pid: program.pid, reaped: false };
    let mut ended = false;
    tokio::select! {
        status = group.exit(&mut children) => {
            program.tell(status, exited);
            let _ = session.await;
            ended = true;
        }
        _ = &mut session => {}
    }

    for (number, last) in STEPS {
        if let Some(number) = number {
            debug!(program = program.name, "did not end in time, sending {number:?}");
            group.signal(number);
        }
        let gone = async {
            if !ended {
                let status = group.exit(&mut children).await;
                debug!(program = program.name, "{status}");
                ended = true;
            }
            group.reap();
            group.empty().await;
        };
        if timeout(program.grace, gone).await.is_ok() {
            break;
        }
        if last {
            warn!(program = program.name, "it does not even end when killed");
            group.exit(&mut children).await;
            group.reap();
        }
    }

    if let Some(log) = &mut program.log {
        // A process that left the group may hold standard error open; nobody waits for that.
        if timeout(LAST_LINES, &mut *log).await.is_err() {
            log.abort();
        }
    }
}

impl Program {
    fn tell(&self, status: ExitStatus, exited: oneshot::Sender<ExitStatus>) {
        debug!(program = self.name, "{status}");
        self.say.send(Signal::Exit(status));
        // Nobody asks if the session is over.
        let _ = exited.send(status);
    }
}

/// A process group whose leader we started. Dropping it unreaped, as a runtime does that shuts
/// down, kills it.
struct Group {
    pid: Pid,
    reaped: bool,
}

impl Group {
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
        while test_kill_process_group(self.pid).is_ok() {
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
            self.reap();
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

/// What is sent to a group that doesn't end, and whether it is the last that can be done.
const STEPS: [(Option<Number>, bool); 3] =
    [(None, false), (Some(Number::TERM), false), (Some(Number::KILL), true)];

/// How long the last lines of standard error may take to arrive.
const LAST_LINES: Duration = Duration::from_millis(200);
