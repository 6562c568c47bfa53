//! Who belongs to a session of processes.
//!
//! A shell gives each of its jobs a group, so the group of the program that was started is not all
//! that it has grown into. No system call lists a session; `proc(5)` does on Linux. Elsewhere, and
//! where it isn't mounted, the program's own group has to do.

use rustix::process::{Pid, Signal};

/// Sends `numbers` to every process of the session; `false` if nothing tells who they are.
pub(super) fn signal(session: Pid, numbers: &[Signal]) -> bool {
    let Some(members) = members(session) else { return false };
    for member in members {
        for &number in numbers {
            member.signal(number);
        }
    }
    true
}

/// Whether nobody of the session runs any more; `None` if nothing tells.
pub(super) fn is_empty(session: Pid) -> Option<bool> {
    members(session).map(|members| members.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn members(_: Pid) -> Option<Vec<Member>> {
    None
}

#[cfg(not(target_os = "linux"))]
struct Member;

#[cfg(not(target_os = "linux"))]
impl Member {
    fn signal(&self, _: Signal) {}
}

#[cfg(target_os = "linux")]
use linux::members;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::os::fd::OwnedFd;

    use rustix::process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal,
        waitid,
    };
    use tracing::debug;

    /// A process that runs. Its number may become another's, its descriptor can't.
    pub(super) struct Member(OwnedFd);

    impl Member {
        pub(super) fn signal(&self, number: Signal) {
            // It may have ended by itself by now.
            if let Err(error) = pidfd_send_signal(&self.0, number) {
                debug!("cannot send {number:?}: {error}");
            }
        }
    }

    /// The processes of the session that run. Those of them that only wait to be reaped, and by
    /// us, are: where we are process 1, as in a container, orphans are ours.
    pub(super) fn members(session: Pid) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        for entry in fs::read_dir("/proc").ok()? {
            let Some(pid) = entry.ok().and_then(|entry| number(entry.file_name().to_str()?)) else {
                continue;
            };
            if Stat::of(pid).is_none_or(|stat| stat.session != session) {
                continue;
            }
            // Asked again, since its number may have become another's before it was opened. One
            // that became another's only then gets nothing of what is sent to the descriptor.
            let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
            match Stat::of(pid) {
                Some(stat) if stat.session != session => {}
                Some(Stat { state: 'Z', parent, .. }) => {
                    // The leader is reaped by whoever watches it.
                    if parent == Some(getpid()) && pid != session {
                        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
                        let _ = waitid(WaitId::Pid(pid), options);
                    }
                }
                Some(Stat { state: 'X', .. }) | None => {}
                Some(_) => members.push(Member(process)),
            }
        }
        Some(members)
    }

    fn number(name: &str) -> Option<Pid> {
        name.parse().ok().and_then(Pid::from_raw)
    }

    /// What `proc_pid_stat(5)` says of a process.
    struct Stat {
        state: char,
        parent: Option<Pid>,
        session: Pid,
    }

    impl Stat {
        /// `None` for one that has gone, and for the kernel's own, which have no session.
        fn of(pid: Pid) -> Option<Self> {
            let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
            let stat = String::from_utf8_lossy(&stat);
            // The name before it may hold anything, parentheses too.
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let state = fields.next()?.chars().next()?;
            let parent = number(fields.next()?);
            let session = number(fields.nth(1)?)?;
            Some(Self { state, parent, session })
        }
    }
}
