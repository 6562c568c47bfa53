//! Listening.
//!
//! The order matters: the lock, then what is in the way, then bind, then the exact mode, then
//! listen. A connection is refused before listen, so none gets through with the wrong mode.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use endpoint::{
    Accept, Context, Error, ErrorKind, Exposure, Incoming, Info, Listener, Local, Offer, Result,
};
use plan::kind::{Args, Planned};
use socket2::{Domain, Socket, Type};
use tokio::net::UnixListener;
use tracing::warn;

use super::Address;
use super::connect::fact;
use super::lock::{Lock, Taken};
use crate::arrived::Arrived;
use crate::options::Options;
use crate::users::Users;

#[derive(Debug)]
struct Listen {
    descriptor: String,
    address: Address,
    /// What was asked for.
    mode: Option<u32>,
    users: Option<Users>,
    backlog: i32,
    lockfile: bool,
    unlink: bool,
    options: Options,
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
        mode,
        users: Users::read(args),
        backlog: backlog.expect("`backlog` has a default and is at most 65535"),
        lockfile: args.flag("lockfile"),
        unlink: args.flag("unlink"),
        options: Options::read(args).map_err(|mistake| vec![mistake])?,
    }))
}

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        // What is behind it takes whatever comes, and must not be every user's.
        let guards = cx.behind().is_unguarded();
        let (listener, file) = match self.address.path() {
            Some(path) => {
                let mode = self.mode.unwrap_or(if guards { 0o600 } else { 0o666 });
                let (listener, file) = self.at_path(path, mode)?;
                (listener, Some(file))
            }
            None => (self.at_name()?, None),
        };
        // A path's mode has said who may connect; a name has none.
        let is_name = self.address.path().is_none();
        let users = self.users.unwrap_or(if guards && is_name { Users::Same } else { Users::Any });
        Ok(Box::new(Accepting {
            users,
            local: Local::new(format!("unix:{}", self.address)),
            address: self.address.clone(),
            listener,
            options: self.options.clone(),
            _file: file,
        }))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

impl Listen {
    fn at_path(&self, path: &Path, mode: u32) -> Result<(UnixListener, File)> {
        let lock = if self.lockfile { Some(self.lock(path)?) } else { None };
        self.clear(path)?;
        let open = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            self.options.set_buffers(&socket)?;
            // Linux gives the file the socket's own mode less the umask, so that it never has
            // more rights than it will have in the end.
            rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(mode))?;
            socket.bind(&self.address.to_socket()?)?;
            let (file, made) = File::just_made(path, lock)?;
            if made != mode {
                fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
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
            self.options.set_buffers(&socket)?;
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
    users: Users,
    local: Local,
    address: Address,
    listener: UnixListener,
    options: Options,
    _file: Option<File>,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let (stream, fact) = loop {
            let accepted = self.listener.accept().await;
            let (stream, _) = accepted
                .map_err(|cause| Error::from_io("accept", &*self.local.descriptor, cause))?;
            let fact = fact(&self.address, &stream);
            if self.users.include(fact.uid) {
                break (stream, fact);
            }
            warn!("{}", Users::refusal(fact.uid, &self.local.to_string()));
        };
        // It has none of the listening socket's; that they can be had was seen there.
        let _ = self.options.set_buffers(&stream);
        let info = Info::new().with(fact);
        let offer = Offer::new(info.clone(), Arrived::new(stream, info));
        Ok(Some(Incoming::ready(offer)))
    }
}
