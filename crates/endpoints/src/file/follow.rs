//! Changes of a file that is followed, as by `tail -F`: with inotify(7), which watches the name's folder, too.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe::Receiver;

/// Watches a file and its name.
pub(super) struct Follow {
    path: PathBuf,
    number: (u64, u64),
    events: Receiver,
}

/// A change of the file.
pub(super) enum Change {
    None,
    /// There may be more to read.
    Grown,
    /// It has fewer bytes than were read.
    Shorter,
    /// Another file has its name. The old one may have grown before that.
    Replaced(File),
}

impl Follow {
    pub(super) fn new(path: &Path, file: &File) -> io::Result<Self> {
        let inotify = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        add_watch(&inotify, folder, WatchFlags::CREATE | WatchFlags::MOVED_TO)?;
        // The runtime waits for any descriptor that it is told to be a pipe.
        let events = Receiver::from_owned_fd_unchecked(inotify)?;
        let mut follow = Self { path: path.into(), number: (0, 0), events };
        follow.watch(file);
        Ok(follow)
    }

    /// Watches this file, which was opened under the name.
    pub(super) fn watch(&mut self, file: &File) {
        let number = |found: std::fs::Metadata| (found.dev(), found.ino());
        self.number = file.metadata().map(number).unwrap_or_default();
        let changes = WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::MOVE_SELF;
        // By its name: if that has another file again already, the folder's watch has told.
        let _ = add_watch(&self.events, &self.path, changes);
    }

    /// Ready when something has happened, be it to a neighbour.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An event only prompts a look, which finds out what happened. Many small events are read at once.
        let mut events = [0; 4096];
        let mut buf = ReadBuf::new(&mut events);
        ready!(Pin::new(&mut self.events).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(()))
    }

    /// Looks what has become of the file, of which `position` bytes were read.
    pub(super) fn look(&self, position: u64) -> impl Future<Output = io::Result<Change>> + use<> {
        let (path, number) = (self.path.clone(), self.number);
        async move {
            let look = move || {
                let Ok(found) = std::fs::metadata(&path) else { return Change::None };
                if (found.dev(), found.ino()) == number {
                    return match found.len() {
                        len if len < position => Change::Shorter,
                        len if len > position => Change::Grown,
                        _ => Change::None,
                    };
                }
                let read = super::Access::Read { follows: true, from_end: false };
                // It may be gone again, or not be a file.
                super::open(&path, read, None).map_or(Change::None, Change::Replaced)
            };
            let looked = tokio::task::spawn_blocking(look).await;
            looked.map_err(|_| io::Error::other("cannot inspect the file"))
        }
    }
}
