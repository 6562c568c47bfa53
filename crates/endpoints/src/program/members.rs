//! The members of a session of processes.
//!
//! A shell gives each of its jobs a group, so the group of the program that was started is not all
//! that it has grown into. No system call lists a session; `proc(5)` does on Linux. Elsewhere, and
//! where it isn't mounted, the program's own group has to do.
//!
//! Looking through all processes takes longer the more there are, and is done for every session that
//! ends: so a [`Snapshot`] has the members of all sessions.

use rustix::process::{Pid, Signal};

#[cfg(target_os = "linux")]
pub(super) use self::linux::Snapshot;

/// The processes of the machine that run, by their session.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub(super) struct Snapshot;

#[cfg(not(target_os = "linux"))]
impl Snapshot {
    /// `None` if the system has no such list.
    pub(super) fn take() -> Option<Self> {
        None
    }

    pub(super) fn is_empty(&self, _: Pid) -> bool {
        true
    }

    pub(super) fn signal(&self, _: Pid, _: &[Signal]) {}

    pub(super) fn ended(&self) -> &[Ended] {
        &[]
    }
}

/// A child of ours that has ended and waits to be reaped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) pid: Pid,
    pub(super) session: Pid,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::fs;

    use rustix::process::{PidfdFlags, getpid, pidfd_open, pidfd_send_signal};
    use tracing::debug;

    use super::{Ended, Pid, Signal};
    use crate::pid;

    /// The processes of the machine that run, by their session.
    #[derive(Debug)]
    pub(in crate::program) struct Snapshot {
        sessions: HashMap<Pid, Vec<Process>>,
        ended: Vec<Ended>,
    }

    /// A process, distinguished from a later one of the same ID by its start time.
    #[derive(Clone, Copy, Debug)]
    struct Process {
        pid: Pid,
        start: u64,
    }

    impl Snapshot {
        /// Reads `/proc`, which takes milliseconds where many processes run. `None` if it isn't there.
        pub(in crate::program) fn take() -> Option<Self> {
            let mut taken = Self { sessions: HashMap::new(), ended: Vec::new() };
            for entry in fs::read_dir("/proc").ok()? {
                let Some(pid) =
                    entry.ok().and_then(|entry| pid::parse(entry.file_name().to_str()?))
                else {
                    continue;
                };
                match Stat::of(pid) {
                    Some(Stat { state: 'Z', parent, session, .. }) => {
                        if parent == Some(getpid()) {
                            taken.ended.push(Ended { pid, session });
                        }
                    }
                    Some(Stat { state: 'X', .. }) | None => {}
                    Some(stat) => {
                        let members = taken.sessions.entry(stat.session).or_default();
                        members.push(Process { pid, start: stat.start });
                    }
                }
            }
            Some(taken)
        }

        /// Returns whether no process of the session ran.
        pub(in crate::program) fn is_empty(&self, session: Pid) -> bool {
            !self.sessions.contains_key(&session)
        }

        /// Sends `numbers` to every process of the session.
        pub(in crate::program) fn signal(&self, session: Pid, numbers: &[Signal]) {
            for process in self.sessions.get(&session).into_iter().flatten() {
                // Its number may become another's, its descriptor can't: so it is opened first, then
                // asked whether it is the one.
                let Ok(opened) = pidfd_open(process.pid, PidfdFlags::empty()) else { continue };
                let same = |stat: Stat| stat.session == session && stat.start == process.start;
                if !Stat::of(process.pid).is_some_and(same) {
                    continue;
                }
                for &number in numbers {
                    // It may have ended by itself by now.
                    if let Err(error) = pidfd_send_signal(&opened, number) {
                        debug!("cannot send {number:?}: {error}");
                    }
                }
            }
        }

        /// Returns our children that have ended: programs that a session waits for, and orphans that became ours.
        pub(in crate::program) fn ended(&self) -> &[Ended] {
            &self.ended
        }
    }

    /// The facts of `proc_pid_stat(5)` about a process.
    struct Stat {
        state: char,
        parent: Option<Pid>,
        session: Pid,
        /// In ticks after the system's start.
        start: u64,
    }

    impl Stat {
        /// `None` for one that has gone, and for the kernel's own, which have no session.
        fn of(pid: Pid) -> Option<Self> {
            let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
            let stat = String::from_utf8_lossy(&stat);
            // The name before it may hold anything, parentheses too.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?.chars().next()?;
            let parent = pid::parse(fields.next()?);
            let session = pid::parse(fields.nth(1)?)?;
            // Field 22, and the session is field 6.
            let start = fields.nth(15)?.parse().ok()?;
            Some(Self { state, parent, session, start })
        }
    }
}
