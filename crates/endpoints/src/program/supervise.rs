//! Watches over a program until nothing of it is left.
//!
//! 1. While the session lasts, the program's exit is noticed and reported. It isn't reaped yet: its
//!    ID is also its group's, and must not become another program's while the group may be
//!    signalled.
//! 2. When the session has ended, the program has noticed: its input is closed, or its terminal
//!    has hung up. All that it has grown into may take the grace period to end. A program whose input was cut in the
//!    middle doesn't see an end of it ([`Ticket::cut`]).
//! 3. A group then gets SIGTERM, and another grace period. A process that a program leaves behind on a
//!    terminal is hung up on once the program itself is gone, as a shell's exit does.
//! 4. Then SIGKILL, which is logged. It comes at once when the forwarder is told to end now
//!    ([`WorkGuard::cut`]); until then it waits, however long a grace period is.

use std::time::Duration;

use endpoint::{ExitStatus, Signal, SignalSender, WorkGuard};
use rustix::process::Signal as Number;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{Exit, Group, Reach};
use crate::patience;

/// A program that runs.
pub(crate) struct Program {
    pub(crate) group: Group,
    pub(crate) grace: Duration,
    /// The task that passes its standard error on.
    pub(crate) log: Option<JoinHandle<()>>,
    /// The sender of its exit status.
    pub(crate) outgoing: SignalSender,
    pub(crate) guard: WorkGuard,
}

/// Dropping it is the session's end.
pub(crate) struct Ticket {
    session: oneshot::Sender<Held>,
}

/// A guard that is kept until the last process of the program has ended.
type Held = Box<dyn Send>;

impl Ticket {
    /// Ends the session without telling the program so by what is `held`, its input: it gets SIGTERM at once.
    pub(crate) fn cut(self, held: impl Send + 'static) {
        // A program that has ended already needs nothing.
        let _ = self.session.send(Box::new(held));
    }

    /// Ends the session of a program that has had its grace period since it closed its input and output, or its
    /// terminal: it gets SIGTERM or SIGHUP at once.
    pub(crate) fn overdue(self) {
        self.cut(());
    }
}

impl Program {
    /// Supervises it, in a separate task.
    pub(crate) fn watch(self) -> (Exit, Ticket) {
        let (exited, exit) = oneshot::channel();
        let (session, ended) = oneshot::channel();
        tokio::spawn(self.supervise(exited, ended));
        (Exit::Waiting(exit), Ticket { session })
    }

    async fn supervise(
        self,
        exited: oneshot::Sender<ExitStatus>,
        session: oneshot::Receiver<Held>,
    ) {
        let Self { mut group, grace, mut log, outgoing, guard } = self;
        let name = group.name().to_owned();
        // The status is of no interest if the session is over.
        let tell = move |status: ExitStatus| {
            let _ = outgoing.send(Signal::Exit(status));
            let _ = exited.send(status);
        };
        let mut tell = Some(tell);
        let mut ended = false;
        let mut held = None;
        {
            let over = async {
                tokio::select! {
                    // That it is dropped is the end, too.
                    cut = session => held = cut.ok(),
                    () = guard.cut() => {}
                }
            };
            tokio::pin!(over);
            tokio::select! {
                status = group.exit() => {
                    debug!(program = name, "{status}");
                    // A client that is sent the lines of standard error gets the last ones before the exit status, which
                    // ends the session. On a busy machine they have arrived when this time is over, and only wait to be read.
                    if let Some(lines) = &mut log
                        && patience::timeout(LAST_LINES, lines).await.is_some()
                    {
                        log = None;
                    }
                    if let Some(tell) = tell.take() {
                        tell(status);
                    }
                    over.await;
                    ended = true;
                }
                () = &mut over => {}
            }
        }

        let asks: &[Option<&[Number]>] = match group.reach() {
            Reach::Group if held.is_some() => &[Some(&[Number::TERM])],
            Reach::Group => &[None, Some(&[Number::TERM])],
            // The system takes the terminal from a session that has closed it everywhere, and sends no SIGHUP.
            Reach::Session if held.is_some() => &[Some(&[Number::HUP, Number::CONT])],
            // The kernel has sent SIGHUP to the leader when the terminal went away.
            Reach::Session => &[None],
        };
        let mut why = "it did not end within its grace period";
        for ask in asks {
            if let Some(numbers) = ask {
                debug!(program = name, "did not end in time, sending {numbers:?}");
                group.send(numbers).await;
            }
            let gone = async {
                if !ended {
                    let status = group.exit().await;
                    debug!(program = name, "{status}");
                    if let Some(tell) = tell.take() {
                        tell(status);
                    }
                    ended = true;
                }
                group.reap();
                if group.reach() == Reach::Session {
                    // A stopped one gets SIGHUP once it goes on.
                    group.send(&[Number::HUP, Number::CONT]).await;
                }
                group.empty().await;
            };
            tokio::select! {
                // A program that has ended already isn't cut.
                biased;
                done = timeout(grace, gone) => if done.is_ok() {
                    return finish(log).await;
                },
                () = guard.cut() => {
                    why = "its grace period is cut short";
                    break;
                }
            }
        }
        let pid = group.leader().as_raw_nonzero();
        if ended {
            group.reap();
            if group.is_empty().await {
                return finish(log).await;
            }
        }
        warn!(program = name, pid, "killed: {why}");
        group.send(&[Number::KILL]).await;
        if !ended {
            let mut exit = timeout(KILLED, group.exit()).await;
            if exit.is_err() {
                warn!(
                    program = name,
                    pid, "does not end after SIGKILL: it is waiting for a device"
                );
                // The end of the whole doesn't wait for that.
                drop(guard);
                exit = Ok(group.exit().await);
            }
            if let (Some(tell), Ok(status)) = (tell, exit) {
                tell(status);
            }
        }
        group.reap();
        if timeout(KILLED, group.wipe_out()).await.is_err() {
            warn!(program = name, pid, "has left a process that does not end after SIGKILL");
        }
        finish(log).await;
    }
}

/// Lets the last lines of standard error through. A process that left the group may hold it open; the end of that
/// is not awaited.
async fn finish(log: Option<JoinHandle<()>>) {
    if let Some(mut log) = log
        && timeout(LAST_LINES, &mut log).await.is_err()
    {
        log.abort();
    }
}

/// The time that the kernel may take to end a process that was killed.
const KILLED: Duration = Duration::from_secs(5);

/// The time that the last lines of standard error may take to arrive.
const LAST_LINES: Duration = Duration::from_millis(200);
