//! Sets the limits, priority and user of a program between fork and exec.
//!
//! It has to happen there: limits are a process's, and after exec the program has begun. The standard library has no
//! safe function for what it doesn't offer itself, since hardly anything may be called at that point (fork(2),
//! signal-safety(7)). So this crate is that one call, over numbers that were looked up before.
//!
//! ```
//! use std::process::Command;
//!
//! use confine::Confinement;
//!
//! # fn main() -> std::io::Result<()> {
//! let mut command = Command::new("nice");
//! Confinement { nice: Some(7), ..Confinement::default() }.apply(&mut command);
//! assert_eq!(command.output()?.stdout, b"7\n");
//! # Ok(())
//! # }
//! ```

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Resource, Rlimit, setpriority_process, setrlimit};

/// The state of a program before exec.
#[derive(Clone, Debug, Default)]
pub struct Confinement {
    /// Its limits (setrlimit(2)).
    pub limits: Vec<(Resource, Rlimit)>,
    /// Its priority, from -20 to 19 (setpriority(2)).
    pub nice: Option<i32>,
    /// The user that it runs as.
    pub account: Option<Account>,
}

/// A user, as numeric IDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its supplementary groups. Elsewhere than on Linux, it has none.
    pub groups: Vec<u32>,
}

impl Confinement {
    /// Makes `command` confine its child between fork and exec: limits, priority, and the user last. A failure, such as
    /// a missing permission, is an error of [`Command::spawn`].
    pub fn apply(self, command: &mut Command) {
        let Self { limits, nice, account } = self;
        if limits.is_empty() && nice.is_none() && account.is_none() {
            return;
        }
        let become_user = account.map(switch);
        let confine = move || -> io::Result<()> {
            for (resource, limit) in &limits {
                setrlimit(*resource, *limit)?;
            }
            if let Some(nice) = nice {
                setpriority_process(None, nice)?;
            }
            // Last: another user may do none of that.
            become_user.as_ref().map_or(Ok(()), |become_user| become_user())
        };
        #[expect(
            unsafe_code,
            reason = "the closure makes system calls and nothing else: it allocates nothing and takes no lock"
        )]
        // SAFETY: between fork and exec only functions that are safe in a signal handler may be called. These are bare
        // system calls of rustix over memory that was allocated before.
        unsafe {
            command.pre_exec(confine);
        }
    }
}

/// The child has one thread, so what is a thread's on Linux is the process's.
#[cfg(target_os = "linux")]
fn switch(account: Account) -> impl Fn() -> io::Result<()> + Send + Sync {
    use rustix::process::{Gid, Uid};
    use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

    let (uid, gid) = (Uid::from_raw(account.uid), Gid::from_raw(account.gid));
    let groups: Vec<_> = account.groups.into_iter().map(Gid::from_raw).collect();
    move || {
        set_thread_groups(&groups)?;
        set_thread_res_gid(gid, gid, gid)?;
        Ok(set_thread_res_uid(uid, uid, uid)?)
    }
}

/// Not built: `user` is refused there before.
#[cfg(not(target_os = "linux"))]
fn switch(_: Account) -> impl Fn() -> io::Result<()> + Send + Sync {
    || Err(io::ErrorKind::Unsupported.into())
}
