//! The lock of a socket: a symbolic link `PATH.lock` whose target is our process ID.
//!
//! It is Twisted's `FilesystemLock`, so that the two keep off each other's sockets. Creating a
//! symbolic link fails if it exists, which makes it the lock.
//!
//! A process ID may have another owner by now. In a container, it often is our own: after a crash, the next process has
//! the same number. So a lock of our number that we don't hold, or of a process that was started after the lock was
//! made, is left over, unless something listens on the socket: process 1 of another container has that number too.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::test_kill_process;
use rustix::time::{ClockId, clock_gettime};

use crate::pid;

/// A lock that is ours until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    number: Number,
}

/// A file by its device and its inode: its path may be written in several ways.
type Number = (u64, u64);

/// The locks of this process.
static HELD: Mutex<BTreeSet<Number>> = Mutex::new(BTreeSet::new());

/// The reason why there is no lock.
#[derive(Debug)]
pub(super) enum Taken {
    /// Locked by a running process.
    By(String),
    Io(io::Error),
}

impl Lock {
    /// The lock's path for a socket's.
    pub(super) fn beside(socket: &Path) -> PathBuf {
        let mut path = OsString::from(socket);
        path.push(".lock");
        path.into()
    }

    /// Takes the lock of `socket`. `is_used` is called only if the lock's owner is in doubt.
    pub(super) fn take(socket: &Path, is_used: impl Fn() -> bool) -> Result<Self, Taken> {
        // Until it is entered, another thread would take it for one that was left over.
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let path = Self::beside(socket);
        let mine = std::process::id().to_string();
        // Each round either takes the lock, finds its owner alive, or removes a dead one's. More
        // rounds than that are others doing the same; they don't go on for ever.
        for _ in 0..ROUNDS {
            match symlink(&mine, &path) {
                Ok(()) => {
                    let made = fs::symlink_metadata(&path).map_err(Taken::Io)?;
                    let number = (made.dev(), made.ino());
                    held.insert(number);
                    return Ok(Self { path, number });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Taken::Io(error)),
            }
            let owner = match fs::read_link(&path) {
                Ok(owner) => owner.to_string_lossy().into_owned(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Taken::Io(error)),
            };
            let in_doubt = if owner == mine {
                fs::symlink_metadata(&path).is_ok_and(|it| !held.contains(&(it.dev(), it.ino())))
            } else {
                is_younger(&owner, &path)
            };
            if is_alive(&owner) && (!in_doubt || is_used()) {
                return Err(Taken::By(owner));
            }
            discard(&path, &mine, &owner).map_err(Taken::Io)?;
        }
        Err(Taken::By("others that try at the same time".into()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
        let mine = std::process::id().to_string();
        if fs::read_link(&self.path).is_ok_and(|owner| owner.as_os_str() == &*mine) {
            // It is gone already, or the directory is: nothing is left to be done.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a dead owner's lock. It is renamed first and looked at then: had another process taken
/// it over between our look and our removal, removing by name would take that one's away.
fn discard(path: &Path, mine: &str, owner: &str) -> io::Result<()> {
    let mut aside = OsString::from(path);
    aside.push(".");
    aside.push(mine);
    let aside = PathBuf::from(aside);
    match fs::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        moved => moved?,
    }
    let found = fs::read_link(&aside);
    let removed = fs::remove_file(&aside);
    if let Ok(found) = found
        && found.as_os_str() != owner
    {
        // Another process's fresh lock: put it back, unless a third has taken the place by now.
        let _ = symlink(found, path);
    }
    removed
}

/// Returns `true` if a lock's text is the ID of a process that exists. Text that isn't a number
/// belongs to no process.
fn is_alive(owner: &str) -> bool {
    let Some(pid) = pid::parse(owner) else { return false };
    // EPERM is another user's process: alive.
    !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// Returns `true` if the process of this ID was started after the lock was made, and so didn't make it. The clock may
/// have been set meanwhile, so that alone decides nothing.
fn is_younger(owner: &str, lock: &Path) -> bool {
    let Some(process) = pid::parse(owner).and_then(pid::age) else { return false };
    let Ok(made) = fs::symlink_metadata(lock) else { return false };
    let lock = clock_gettime(ClockId::Realtime).tv_sec.saturating_sub(made.mtime());
    let lock = Duration::from_secs(u64::try_from(lock).unwrap_or_default());
    process + MARGIN < lock
}

/// More than both clocks are rounded by.
const MARGIN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 16;
