//! Opens what is beneath a folder, and nothing else: a symbolic link that leads out of it isn't followed.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// A folder that is held open: it stays the same one if it is renamed.
pub(super) struct Root(OwnedFd);

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, path, flags, Mode::empty())?))
    }

    /// Opens what has this name, for reading. `None` if there is nothing, or nothing that may be found.
    pub(super) fn get(&self, segments: &[OsString]) -> io::Result<Option<File>> {
        match self.at_once(segments) {
            // Old kernels, and sandboxes that don't know the call.
            Err(Errno::NOSYS | Errno::PERM) => found(self.step_by_step(segments)),
            opened => found(opened),
        }
    }

    #[cfg(target_os = "linux")]
    fn at_once(&self, segments: &[OsString]) -> Result<OwnedFd, Errno> {
        use rustix::fs::{ResolveFlags, openat2};

        let path: PathBuf = segments.iter().collect();
        let path = if segments.is_empty() { Path::new(".") } else { &path };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..ATTEMPTS {
            match openat2(&self.0, path, READ, Mode::empty(), resolve) {
                // Something was renamed meanwhile, and the kernel is not sure that it is beneath.
                Err(Errno::AGAIN) => {}
                opened => return opened,
            }
        }
        Err(Errno::AGAIN)
    }

    #[cfg(not(target_os = "linux"))]
    fn at_once(&self, _: &[OsString]) -> Result<OwnedFd, Errno> {
        Err(Errno::NOSYS)
    }

    /// As [`Self::at_once`], but follows no symbolic links at all.
    fn step_by_step(&self, segments: &[OsString]) -> Result<OwnedFd, Errno> {
        let mut at = openat(&self.0, ".", READ | OFlags::DIRECTORY, Mode::empty())?;
        for (index, segment) in segments.iter().enumerate() {
            let last = index + 1 == segments.len();
            let more = if last { OFlags::empty() } else { OFlags::DIRECTORY };
            at = openat(&at, segment, READ | OFlags::NOFOLLOW | more, Mode::empty())?;
        }
        Ok(at)
    }
}

fn found(opened: Result<OwnedFd, Errno>) -> io::Result<Option<File>> {
    match opened {
        Ok(file) => Ok(Some(file.into())),
        // Nothing there; a link out of the folder or in a circle; what isn't a file.
        Err(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::XDEV
            | Errno::NAMETOOLONG
            | Errno::NXIO
            | Errno::MLINK,
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Without waiting for who writes into a pipe, or for a terminal.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
#[cfg(target_os = "linux")]
const ATTEMPTS: usize = 8;

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_is_opened_either_way() {
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("secret"), "secret").expect("a file");
        let inside = outside.path().join("inside");
        std::fs::create_dir_all(inside.join("deep/er")).expect("a folder");
        std::fs::write(inside.join("deep/er/file"), "content").expect("a file");
        for (to, name) in [
            ("../secret", "up"),
            ("/etc/passwd", "absolute"),
            ("../inside/deep", "out-and-in"),
            ("deep", "within"),
            ("loop", "loop"),
        ] {
            symlink(to, inside.join(name)).expect("a link");
        }
        let root = Root::open(&inside).expect("it is there");
        let names = |path: &str| path.split('/').map(OsString::from).collect::<Vec<_>>();
        let read = |opened: io::Result<Option<File>>| {
            let mut text = String::new();
            opened.expect("no error")?.read_to_string(&mut text).expect("text");
            Some(text)
        };
        for (path, text, step_by_step) in [
            ("deep/er/file", Some("content"), Some("content")),
            ("within/er/file", Some("content"), None),
            ("up", None, None),
            ("absolute", None, None),
            ("out-and-in/er/file", None, None),
            ("loop", None, None),
            ("none", None, None),
            ("deep/er/file/more", None, None),
            ("../secret", None, Some("never asked: names don't climb")),
        ] {
            assert_eq!(read(root.get(&names(path))).as_deref(), text, "{path}");
            if !path.starts_with("..") {
                let slow = read(found(root.step_by_step(&names(path))));
                assert_eq!(slow.as_deref(), step_by_step, "{path}");
            }
        }
        assert!(root.get(&[]).expect("no error").is_some(), "the folder itself");
    }
}
