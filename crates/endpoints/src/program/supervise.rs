//! Watches over a program until nothing of it is left.
//!
//! 1. While the session lasts, its exit is noticed and told. It isn't reaped yet: its number is
//!    also its group's, and must not become another program's while the group may be signalled.
//! 2. When the session has ended, the program has noticed: its input is closed, or its terminal
//!    has hung up. All that it has grown into may take the grace period to end.
//! 3. A group then gets SIGTERM, and another grace period. What a program leaves behind on a
//!    terminal is hung up on once the program itself is gone, as a shell's exit does.
//! 4. Then SIGKILL.

use std::time::Duration;

use endpoint::{ExitStatus, Signal, SignalSender, WorkGuard};
use rustix::process::Signal as Number;
use tokio::signal::unix::Signal as Signals;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{Exit, Group, Reach};

/// A program that runs.
pub(crate) struct Program {
    pub(crate) group: Group,
    pub(crate) name: String,
    pub(crate) grace: Duration,
    /// What passes its standard error on.
    pub(crate) log: Option<JoinHandle<()>>,
    /// Where its exit is sent.
    pub(crate) outgoing: SignalSender,
    pub(crate) guard: WorkGuard,
}

/// Dropping it is the session's end.
pub(crate) struct Ticket {
    _session: oneshot::Sender<()>,
}

impl Program {
    /// Watches over it, in a task of its own. `children` has listened since before it was started.
    pub(crate) fn watch(self, children: Signals) -> (Exit, Ticket) {
        let (exited, exit) = oneshot::channel();
        let (session, ended) = oneshot::channel();
        tokio::spawn(self.supervise(children, exited, ended));
        (Exit::Waiting(exit), Ticket { _session: session })
    }

    async fn supervise(
        mut self,
        mut children: Signals,
        exited: oneshot::Sender<ExitStatus>,
        mut session: oneshot::Receiver<()>,
    ) {
        let mut ended = false;
        tokio::select! {
            status = self.group.exit(&mut children) => {
                self.tell(status, exited);
                let _ = session.await;
                ended = true;
            }
            _ = &mut session => {}
        }

        let asks: &[Option<&'static [Number]>] = match self.group.reach() {
            Reach::Group => &[None, Some(&[Number::TERM])],
            // The kernel has sent SIGHUP to the leader when the terminal went away.
            Reach::Session => &[None],
        };
        for ask in asks {
            if let Some(numbers) = ask {
                debug!(program = self.name, "did not end in time, sending {numbers:?}");
                self.group.send(numbers).await;
            }
            let gone = async {
                if !ended {
                    let status = self.group.exit(&mut children).await;
                    debug!(program = self.name, "{status}");
                    ended = true;
                }
                self.group.reap();
                if self.group.reach() == Reach::Session {
                    // One that is stopped hears of it once it goes on.
                    self.group.send(&[Number::HUP, Number::CONT]).await;
                }
                self.group.empty().await;
            };
            if timeout(self.grace, gone).await.is_ok() {
                return self.finish().await;
            }
        }
        debug!(program = self.name, "did not end in time, killing it");
        self.group.send(&[Number::KILL]).await;
        if timeout(KILLED, self.group.exit(&mut children)).await.is_err() {
            warn!(program = self.name, "does not even end when killed: it waits for a device");
            self.group.exit(&mut children).await;
        }
        self.group.reap();
        if timeout(KILLED, self.group.wipe_out()).await.is_err() {
            warn!(program = self.name, "has left something that does not end when killed");
        }
        self.finish().await;
    }

    fn tell(&self, status: ExitStatus, exited: oneshot::Sender<ExitStatus>) {
        debug!(program = self.name, "{status}");
        // Nobody asks if the session is over.
        let _ = self.outgoing.send(Signal::Exit(status));
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
        drop(self.guard);
    }
}

/// How long the kernel may take to end a process that was killed.
const KILLED: Duration = Duration::from_secs(5);

/// How long the last lines of standard error may take to arrive.
const LAST_LINES: Duration = Duration::from_millis(200);
