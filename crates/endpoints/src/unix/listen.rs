//! Listening.
//!
//! The order matters: the lock, then what is in the way, then bind, then the exact mode, then
//! listen. A connection is refused before listen, so none gets through with the wrong mode.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use endpoint::kind::{Args, Planned};
use endpoint::{
    Accept, Context, Error, ErrorKind, Exposure, Incoming, Info, Listener, Local, Offer, Result,
};
use socket2::{Domain, Socket, Type};
use tokio::net::UnixListener;

use super::Address;
use super::connect::fact;
use super::lock::{Lock, Taken};
use crate::socket::Arrived;

#[derive(Debug)]
struct Listen {
    descriptor: String,
    address: Address,
    mode: u32,
    backlog: i32,
    lockfile: bool,
    unlink: bool,
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Listener>> {
    let address = Address::read(args, "address").map_err(|mistake| vec![mistake])?;
    if address.path().is_none() {
        for name in ["mode", "lockfile", "unlink"] {
            if args.is_given(name) {
                let message = format!("`{name}` means nothing here: an abstract name has no file");
                args.warn(name, "no-effect", message);
            }
        }
    }
    let mode = args.int("mode").and_then(|mode| u32::try_from(mode).ok());
    let backlog = args.int("backlog").and_then(|backlog| i32::try_from(backlog).ok());
    Ok(Box::new(Listen {
        descriptor: args.descriptor.clone(),
        address,
        mode: mode.expect("`mode` has a default and is at most 7777 in octal"),
        backlog: backlog.expect("`backlog` has a default and is at most 65535"),
        lockfile: args.flag("lockfile"),
        unlink: args.flag("unlink"),
    }))
}

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, _: &Context) -> Result<Box<dyn Accept>> {
        let (listener, file) = match self.address.path() {
            Some(path) => {
                let (listener, file) = self.at_path(path)?;
                (listener, Some(file))
            }
            None => (self.at_name()?, None),
        };
        Ok(Box::new(Accepting {
            local: Local::new(format!("unix:{}", self.address)),
            address: self.address.clone(),
            listener,
            _file: file,
        }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

impl Listen {
    fn at_path(&self, path: &Path) -> Result<(UnixListener, File)> {
        let lock = if self.lockfile { Some(self.lock(path)?) } else { None };
        self.clear(path)?;
        let open = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            // Linux gives the file the socket's own mode less the umask, so that it never has
            // more rights than it will have in the end.
            let mode = rustix::fs::Mode::from_raw_mode(self.mode);
            rustix::fs::fchmod(&socket, mode)?;
            socket.bind(&self.address.to_socket()?)?;
            let (file, mode) = File::just_made(path, lock)?;
            if mode != self.mode {
                fs::set_permissions(path, fs::Permissions::from_mode(self.mode))?;
            }
            socket.listen(self.backlog)?;
            Ok((UnixListener::from_std(socket.into())?, file))
        };
        open().map_err(|cause| self.explain(cause))
    }

    fn at_name(&self) -> Result<UnixListener> {
        let open = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            socket.bind(&self.address.to_socket()?)?;
            socket.listen(self.backlog)?;
            UnixListener::from_std(socket.into())
        };
        open().map_err(|cause| self.explain(cause))
    }

    fn lock(&self, path: &Path) -> Result<Lock> {
        Lock::take(path).map_err(|taken| match taken {
            Taken::Io(cause) => self.explain(cause),
            Taken::By(pid) if pid == std::process::id().to_string() => self
                .busy("this program listens there already")
                .with_hint("each listener needs a path of its own"),
            Taken::By(pid) => {
                let lock = Lock::beside(path);
                self.busy(&format!("process {pid} has locked it")).with_hint(format!(
                    "stop process {pid}; if it is no server of this socket, remove {}",
                    lock.display()
                ))
            }
        })
    }

    /// Removes a socket that nobody answers on; everything else in the way is an error.
    fn clear(&self, path: &Path) -> Result<()> {
        // There is nothing, or bind will say better what is wrong.
        let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
        if !found.file_type().is_socket() {
            let words = "something that isn't a socket is there already";
            return Err(self.busy(words).with_hint("choose another path, or move it away"));
        }
        let answer = Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|probe| {
            probe.set_nonblocking(true)?;
            probe.connect(&self.address.to_socket()?)
        });
        match answer {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // EPROTOTYPE is a datagram socket, EAGAIN a full backlog, EACCES another user's.
            _ => {
                let hint = format!(
                    "another program listens there; choose another path, or find it with \
                     `ss -xlp src {}`",
                    path.display()
                );
                return Err(self.busy("the socket is in use").with_hint(hint));
            }
        }
        if !self.unlink {
            let hint = format!("nobody listens on it: remove {}", path.display());
            return Err(self.busy("a socket is there already").with_hint(hint));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.explain(error)),
            _ => Ok(()),
        }
    }

    fn busy(&self, words: &str) -> Error {
        Error::new(ErrorKind::Busy, "bind", &*self.descriptor, words)
    }

    fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::AddrInUse => "another program listens there; choose another name",
            io::ErrorKind::NotFound => "the directory does not exist",
            io::ErrorKind::PermissionDenied => "the directory must be writable",
            _ => return Error::from_io("bind", &*self.descriptor, cause),
        };
        Error::from_io("bind", &*self.descriptor, cause).with_hint(hint)
    }
}

/// Our file, by its number: one that another program put in its place is not ours to remove.
#[derive(Debug)]
struct File {
    path: PathBuf,
    number: (u64, u64),
    /// Given back after the file is gone.
    _lock: Option<Lock>,
}

impl File {
    /// The file, and the mode that the umask left it.
    fn just_made(path: &Path, lock: Option<Lock>) -> io::Result<(Self, u32)> {
        let made = fs::symlink_metadata(path)?;
        let file = Self { path: path.into(), number: (made.dev(), made.ino()), _lock: lock };
        Ok((file, made.mode() & 0o7777))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let ours = |found: fs::Metadata| (found.dev(), found.ino()) == self.number;
        if fs::symlink_metadata(&self.path).is_ok_and(ours) {
            // The directory is gone or read-only by now: nothing is left to be done.
            let _ = fs::remove_file(&self.path);
        }
    }
}

struct Accepting {
    local: Local,
    address: Address,
    listener: UnixListener,
    _file: Option<File>,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let (stream, _) = self
            .listener
            .accept()
            .await
            .map_err(|cause| Error::from_io("accept", &*self.local.descriptor, cause))?;
        let info = Info::new().with(fact(&self.address, &stream));
        let offer = Offer::new(info.clone(), Arrived::new(stream, info));
        Ok(Some(Incoming::ready(offer)))
    }
}
