//! The lock of a socket: a symbolic link `PATH.lock` whose target is our process ID.
//!
//! It is Twisted's `FilesystemLock`, so that the two keep off each other's sockets. Creating a
//! symbolic link fails if it exists, which makes it the lock.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::process::test_kill_process;

use crate::pid;

/// A lock that is ours until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
}

/// Why there is none.
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

    /// Takes the lock of `socket`.
    pub(super) fn take(socket: &Path) -> Result<Self, Taken> {
        let path = Self::beside(socket);
        let mine = std::process::id().to_string();
        // Each round either takes the lock, finds its owner alive, or removes a dead one's. More
        // rounds than that are others doing the same; they don't go on for ever.
        for _ in 0..ROUNDS {
            match symlink(&mine, &path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Taken::Io(error)),
            }
            let owner = match fs::read_link(&path) {
                Ok(owner) => owner.to_string_lossy().into_owned(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Taken::Io(error)),
            };
            if is_alive(&owner) {
                return Err(Taken::By(owner));
            }
            discard(&path, &mine, &owner).map_err(Taken::Io)?;
        }
        Err(Taken::By("others that try at the same time".into()))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
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
        // Somebody's fresh lock: put it back, unless a third has taken the place by now.
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

const ROUNDS: usize = 16;
