//! Opens what is beneath a folder, and nothing else: a symbolic link that leads out of it or to something hidden isn't
//! followed.
//!
//! A name is walked one folder at a time, each held open by its descriptor, and links are read here. So the same
//! rules hold for a request's name and for a link's target. Only regular files are opened, and their type is checked
//! before: opening a pipe would wake a process that waits to write into it, and lose its data.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, openat, readlinkat, statat};
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
        match self.walk(segments) {
            Ok(found) => Ok(found.map(File::from)),
            // Nothing there, or what can't be opened as a file.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::NXIO) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn walk(&self, segments: &[OsString]) -> Result<Option<OwnedFd>, Errno> {
        let mut left: Vec<OsString> = segments.iter().rev().cloned().collect();
        let mut folders = vec![openat(&self.0, ".", FOLDER, Mode::empty())?];
        let mut links = 0;
        while let Some(name) = left.pop() {
            if name == ".." {
                folders.pop();
            }
            let Some(at) = folders.last() else { return Ok(None) };
            if name == ".." {
                continue;
            }
            if name.as_bytes().starts_with(b".") || folders.len() > DEEPEST {
                return Ok(None);
            }
            let found = statat(at, &name, AtFlags::SYMLINK_NOFOLLOW)?;
            match FileType::from_raw_mode(found.st_mode) {
                FileType::Directory => {
                    folders.push(openat(at, &name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?);
                }
                FileType::RegularFile if left.is_empty() => {
                    return openat(at, &name, READ | OFlags::NOFOLLOW, Mode::empty()).map(Some);
                }
                FileType::Symlink if links < LINKS => {
                    links += 1;
                    let to = OsString::from_vec(readlinkat(at, &name, Vec::new())?.into_bytes());
                    for part in Path::new(&to).components().rev() {
                        match part {
                            Component::Normal(name) => left.push(name.to_owned()),
                            Component::ParentDir => left.push(OsStr::new("..").to_owned()),
                            Component::CurDir => {}
                            Component::RootDir | Component::Prefix(_) => return Ok(None),
                        }
                    }
                }
                _ => return Ok(None),
            }
        }
        Ok(folders.pop())
    }
}

/// Without waiting, should something else have taken the file's place since it was looked at.
const READ: OFlags =
    OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
/// Flags for a folder to look names up in, which needs no permission to list it.
#[cfg(target_os = "linux")]
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// The maximum number of links, as in Linux.
const LINKS: usize = 40;
/// Each level is a descriptor while a name is looked up.
const DEEPEST: usize = 100;

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::symlink;

    use rustix::fs::mkfifoat;

    use super::*;

    #[test]
    fn nothing_outside_or_hidden_is_opened() {
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("secret"), "secret").expect("a file");
        let inside = outside.path().join("inside");
        std::fs::create_dir_all(inside.join("deep/er")).expect("a folder");
        std::fs::write(inside.join("deep/er/file"), "content").expect("a file");
        std::fs::create_dir(inside.join(".git")).expect("a folder");
        for hidden in [".secret", ".git/config"] {
            std::fs::write(inside.join(hidden), "hidden").expect("a file");
        }
        mkfifoat(CWD, inside.join("pipe"), Mode::RWXU).expect("a pipe");
        for (to, name) in [
            ("../secret", "up"),
            ("/etc/passwd", "absolute"),
            ("../inside/deep", "out-and-in"),
            ("deep", "within"),
            ("loop", "loop"),
            (".secret", "to-hidden"),
            (".git", "to-hidden-folder"),
            ("deep/../deep/./er", "winding"),
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
        for (path, text) in [
            ("deep/er/file", Some("content")),
            ("within/er/file", Some("content")),
            ("winding/file", Some("content")),
            ("up", None),
            ("absolute", None),
            ("out-and-in/er/file", None),
            ("loop", None),
            ("none", None),
            ("deep/er/file/more", None),
            ("../secret", None),
            ("to-hidden", None),
            ("to-hidden-folder/config", None),
            ("pipe", None),
        ] {
            assert_eq!(read(root.get(&names(path))).as_deref(), text, "{path}");
        }
        assert!(root.get(&[]).expect("no error").is_some(), "the folder itself");
    }
}
