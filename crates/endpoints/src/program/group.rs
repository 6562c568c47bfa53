//! What a program has grown into: whom a signal reaches, and when nobody is left.

use std::io;
use std::time::Duration;

use endpoint::ExitStatus;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal as Number, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group,
    test_kill_process_group, waitid,
};
use tokio::signal::unix::Signal as Signals;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::members;

/// Whom the end of a program concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The process group that it leads.
    Group,
    /// The session that it leads, with a terminal: every job of a shell is a group of its own.
    Session,
}

/// A program that we started, and what came of it. Dropping it unreaped, as a runtime does that
/// shuts down, kills it.
pub(crate) struct Group {
    leader: Pid,
    reach: Reach,
    reaped: bool,
}

impl Group {
    /// That of a leader that was started just now.
    pub(crate) fn new(leader: u32, reach: Reach) -> Self {
        let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
        let leader = leader.expect("a process number is positive and fits pid_t");
        Self { leader, reach, reaped: false }
    }

    pub(super) fn reach(&self) -> Reach {
        self.reach
    }

    /// Waits for the leader's exit, without reaping. Cancel safe.
    pub(super) async fn exit(&mut self, children: &mut Signals) -> ExitStatus {
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(self.leader), options) {
                Ok(Some(status)) => return exit_status(&status),
                Ok(None) | Err(Errno::INTR) => {}
                // Somebody else reaped it: whoever uses us as a library waits for all children.
                Err(error) => {
                    debug!("cannot wait for process {}: {error}", self.leader);
                    self.reaped = true;
                    return ExitStatus::Code(0);
                }
            }
            if children.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Reaps the leader, which has exited. Its number stays taken as long as its group or session
    /// has members.
    pub(super) fn reap(&mut self) {
        if !self.reaped {
            self.reaped = true;
            let _ = waitid(WaitId::Pid(self.leader), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }

    /// Waits until the leader, which is reaped, has left nobody behind. Nothing tells when that
    /// comes true, so it is asked; the number can't be another's within such a short time.
    pub(super) async fn empty(&self) {
        let mut pause = Duration::from_millis(5);
        while !self.is_empty().await {
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// Kills whoever of a session is left, until nobody is: one may have been forked while the
    /// others were killed. A group is killed as one.
    pub(super) async fn wipe_out(&self) {
        while self.reach == Reach::Session && !self.is_empty().await {
            self.send(&[Number::KILL]).await;
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends `numbers` to all of it.
    pub(super) async fn send(&self, numbers: &'static [Number]) {
        let (leader, reach) = (self.leader, self.reach);
        match reach {
            Reach::Group => send(leader, reach, numbers),
            // The more processes a machine has, the longer it takes to look through them.
            Reach::Session => {
                let _ = spawn_blocking(move || send(leader, reach, numbers)).await;
            }
        }
    }

    async fn is_empty(&self) -> bool {
        let leader = self.leader;
        if self.reach == Reach::Session
            && let Ok(Some(empty)) = spawn_blocking(move || members::is_empty(leader)).await
        {
            return empty;
        }
        // What the leader left behind is ours to reap where we are process 1, as in a container;
        // elsewhere this finds nothing.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        while let Ok(Some(_)) = waitid(WaitId::Pgid(Some(leader)), options) {}
        test_kill_process_group(leader).is_err()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            send(self.leader, self.reach, &[Number::KILL]);
            let leader = self.leader;
            // Its end takes a moment, and there may be no runtime any more to wait in.
            std::thread::spawn(move || waitid(WaitId::Pid(leader), WaitIdOptions::EXITED));
        }
    }
}

fn send(leader: Pid, reach: Reach, numbers: &[Number]) {
    if reach == Reach::Session && members::signal(leader, numbers) {
        return;
    }
    for &number in numbers {
        match kill_process_group(leader, number) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => {
                let error = io::Error::from(error);
                warn!("cannot signal process group {leader}: {error}");
            }
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
