//! The processes of a program: those that a signal reaches, and the end of the last one.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use endpoint::{Backoff, Context, ExitStatus};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal as Number, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group,
    test_kill_process_group, waitid,
};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::Signal as Signals;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::programs::Programs;

/// The processes that the end of a program concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The process group that it leads.
    Group,
    /// The session that it leads, with a terminal: every job of a shell is a separate group.
    Session,
}

/// A program that we started, and what came of it. Dropping it unreaped, as a runtime does that
/// shuts down, kills it.
pub(crate) struct Group {
    /// The program's name in the log.
    name: String,
    leader: Pid,
    reach: Reach,
    exits: Exits,
    programs: Arc<Programs>,
    reaped: bool,
    /// Set if nothing is lost when it is killed.
    expendable: bool,
}

/// The notification that the leader may have exited.
enum Exits {
    /// Its own descriptor, so that the exit of another process wakes nothing. No pipe: tokio's are the safe way to
    /// wait for a descriptor of any sort.
    Own(Receiver),
    /// SIGCHLD, where there are no such descriptors (Linux before 5.3) or none is left.
    Any(Signals),
}

impl Group {
    /// That of a leader that was started just now; `FORKING` is still held, and `children` has
    /// listened since before it was started.
    pub(crate) fn new(
        name: String,
        leader: u32,
        reach: Reach,
        children: Signals,
        cx: &Context,
    ) -> Self {
        let leader = i32::try_from(leader).ok().and_then(Pid::from_raw);
        let leader = leader.expect("a process number is positive and fits pid_t");
        let programs = cx.shared::<Programs>();
        programs.await_child(leader);
        let exits = own_exits(leader).map_or_else(
            |error| {
                debug!("cannot open a descriptor for process {leader}: {error}");
                Exits::Any(children)
            },
            Exits::Own,
        );
        Self { name, leader, reach, exits, programs, reaped: false, expendable: false }
    }

    /// Returns the same group without a warning if the end of the runtime kills it: nothing is lost then.
    pub(crate) fn expendable(mut self) -> Self {
        self.expendable = true;
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn leader(&self) -> Pid {
        self.leader
    }

    pub(super) fn reach(&self) -> Reach {
        self.reach
    }

    /// Waits for the leader's exit, without reaping. Cancel safe.
    pub(crate) async fn exit(&mut self) -> ExitStatus {
        let mut told = false;
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(self.leader), options) {
                Ok(Some(status)) => return exit_status(&status),
                Ok(None) | Err(Errno::INTR) => {}
                // Another part of the process reaped it: an application that uses the library waits for all children.
                Err(error) => {
                    let error = io::Error::from(error);
                    let pid = self.leader.as_raw_nonzero();
                    warn!(program = self.name, pid, "cannot get its exit status: {error}");
                    // Its number may be another's by now, even of a program of ours.
                    self.reaped = true;
                    return ExitStatus::Unknown;
                }
            }
            if std::mem::take(&mut told) {
                // It has exited, and an attached debugger has to be notified before us.
                sleep(Duration::from_millis(10)).await;
            }
            told = match &mut self.exits {
                // Once it is readable it stays so.
                Exits::Own(exits) => exits.readable().await.is_ok(),
                Exits::Any(children) => children.recv().await.is_some(),
            };
            if !told {
                // The runtime ends, and this with it.
                pending::<()>().await;
            }
        }
    }

    /// Reaps the leader, which has exited. Its number stays taken as long as its group or session
    /// has members.
    pub(crate) fn reap(&mut self) {
        if !self.reaped {
            self.reaped = true;
            self.programs.reap(self.leader);
        }
    }

    /// Waits until no process of the reaped leader is left. Nothing tells when that
    /// comes true, so it is asked; the number can't be another's within such a short time.
    pub(super) async fn empty(&self) {
        let mut backoff = Backoff::new(Duration::from_millis(5), Duration::from_millis(100));
        while !self.is_empty().await {
            sleep(backoff.pause()).await;
        }
    }

    /// Kills the processes that are left of a session, until there are none: one may have been forked while the
    /// others were killed. A group is killed as one.
    pub(super) async fn wipe_out(&self) {
        while self.reach == Reach::Session && !self.is_empty().await {
            self.send(&[Number::KILL]).await;
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends `numbers` to all of it.
    pub(crate) async fn send(&self, numbers: &[Number]) {
        if self.reach == Reach::Session
            && let Some(snapshot) = self.programs.look().await
        {
            return snapshot.signal(self.leader, numbers);
        }
        send(self.leader, numbers);
    }

    pub(super) async fn is_empty(&self) -> bool {
        let (leader, reap) = (self.leader, WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        if self.reach == Reach::Session
            && let Some(snapshot) = self.programs.look().await
        {
            // Processes that the leader left behind are ours to reap where we are process 1, as in a container.
            let ended = snapshot.ended().iter().filter(|ended| ended.session == leader);
            for left in ended.filter(|ended| ended.pid != leader) {
                let _ = waitid(WaitId::Pid(left.pid), reap);
            }
            return snapshot.is_empty(leader);
        }
        // As above; elsewhere this finds nothing.
        while let Ok(Some(_)) = waitid(WaitId::Pgid(Some(leader)), reap) {}
        test_kill_process_group(leader).is_err()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        let pid = self.leader.as_raw_nonzero();
        let words = "killed: its supervising task has ended";
        if self.expendable {
            debug!(program = self.name, pid, "{words}");
        } else {
            warn!(program = self.name, pid, "{words}");
        }
        match self.programs.look_now() {
            Some(snapshot) if self.reach == Reach::Session => {
                snapshot.signal(self.leader, &[Number::KILL]);
            }
            _ => {}
        }
        send(self.leader, &[Number::KILL]);
        self.programs.reap_killed(self.leader);
    }
}

fn send(leader: Pid, numbers: &[Number]) {
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
        (None, None) => ExitStatus::Unknown,
    }
}

#[cfg(target_os = "linux")]
fn own_exits(leader: Pid) -> io::Result<Receiver> {
    use rustix::process::{PidfdFlags, pidfd_open};
    // It is a child that isn't reaped: the number is its own.
    let exits = pidfd_open(leader, PidfdFlags::empty())?;
    Receiver::from_owned_fd_unchecked(exits)
}

#[cfg(not(target_os = "linux"))]
fn own_exits(_: Pid) -> io::Result<Receiver> {
    Err(io::ErrorKind::Unsupported.into())
}
