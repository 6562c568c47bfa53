//! A socket that is bound to a path or to an abstract name, whatever its type.
//!
//! The order matters: the lock, then what is in the way, then bind, then the exact mode; a listener listens only then.
//! A connection is refused before listen, so none gets through with the wrong mode.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use descriptor::Diagnostic;
use endpoint::{Error, ErrorKind, Result as Opened};
use plan::kind::Args;
use socket2::{Domain, Socket, Type};

use super::Address;
use super::lock::{Lock, Taken};
use crate::slips::foreign_options;

/// The path to bind, and its options.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) descriptor: String,
    pub(super) address: Address,
    /// The requested mode.
    mode: Option<u32>,
    lockfile: bool,
    unlink: bool,
}

impl Place {
    /// Reads the parameters of a listening side.
    pub(super) fn read(args: &Args) -> Result<Self, Diagnostic> {
        foreign_options(args, "address");
        let address = Address::read(args, "address")?;
        if address.path().is_none() {
            for name in ["mode", "lockfile", "unlink"] {
                if args.is_given(name) {
                    let message = format!("`{name}` has no effect: an abstract name has no file");
                    args.warn(name, "no-effect", message);
                }
            }
        }
        Ok(Self {
            descriptor: args.descriptor.clone(),
            address,
            mode: args.int("mode").and_then(|mode| u32::try_from(mode).ok()),
            lockfile: args.flag("lockfile"),
            unlink: args.flag("unlink"),
        })
    }

    /// Binds a socket of this type there, on which `set` has set its options. The destination may be a program, so
    /// the socket must not be accessible to every user.
    pub(super) fn bind(
        &self,
        sort: Type,
        guards: bool,
        set: impl Fn(&Socket) -> io::Result<()>,
    ) -> Opened<(Socket, Option<File>)> {
        match self.address.path() {
            Some(path) => {
                let mode = self.mode.unwrap_or(if guards { 0o600 } else { 0o666 });
                let (socket, file) = self.at_path(sort, path, mode, &set)?;
                Ok((socket, Some(file)))
            }
            None => Ok((self.at_name(sort, &set)?, None)),
        }
    }

    fn at_path(
        &self,
        sort: Type,
        path: &Path,
        mode: u32,
        set: &dyn Fn(&Socket) -> io::Result<()>,
    ) -> Opened<(Socket, File)> {
        let lock = if self.lockfile { Some(self.lock(path)?) } else { None };
        self.clear(path)?;
        let open = || {
            let socket = Socket::new(Domain::UNIX, sort, None)?;
            socket.set_nonblocking(true)?;
            set(&socket)?;
            // Linux gives the file the socket's own mode less the umask, so that it never has
            // more rights than it will have in the end.
            rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(mode))?;
            socket.bind(&self.address.to_socket()?)?;
            let (file, made) = File::just_made(path, lock)?;
            if made != mode {
                fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
            }
            Ok((socket, file))
        };
        open().map_err(|cause| self.explain(cause))
    }

    fn at_name(&self, sort: Type, set: &dyn Fn(&Socket) -> io::Result<()>) -> Opened<Socket> {
        let open = || {
            let socket = Socket::new(Domain::UNIX, sort, None)?;
            socket.set_nonblocking(true)?;
            set(&socket)?;
            socket.bind(&self.address.to_socket()?)?;
            Ok(socket)
        };
        open().map_err(|cause| self.explain(cause))
    }

    fn lock(&self, path: &Path) -> Opened<Lock> {
        Lock::take(path, || self.is_used(path)).map_err(|taken| match taken {
            Taken::Io(cause) => self.explain(cause),
            Taken::By(pid) if pid == std::process::id().to_string() => self
                .busy("another listener of this program uses it")
                .with_hint("give each listener a different path"),
            Taken::By(pid) => {
                let lock = Lock::beside(path);
                self.busy(&format!("process {pid} has locked it")).with_hint(format!(
                    "stop process {pid}; if it doesn't serve this socket, remove {}",
                    lock.display()
                ))
            }
        })
    }

    /// Removes a socket that no process listens on; any other existing file is an error.
    fn clear(&self, path: &Path) -> Opened<()> {
        // There is nothing, or the error of bind is better.
        let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
        if !found.file_type().is_socket() {
            let words = "a file that isn't a socket exists already";
            return Err(self.busy(words).with_hint("choose another path, or move it away"));
        }
        match self.probe() {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // EPROTOTYPE is a datagram socket, EAGAIN a full backlog, EACCES another user's.
            _ => {
                let hint = format!(
                    "another program listens on it; choose another path, or find the program with `ss -xlp src {}`",
                    path.display()
                );
                return Err(self.busy("the socket is in use").with_hint(hint));
            }
        }
        if !self.unlink {
            let hint = format!("no process listens on it: remove {}", path.display());
            return Err(self.busy("a socket exists already").with_hint(hint));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.explain(error)),
            _ => Ok(()),
        }
    }

    /// Connects to the socket, to see whether it is in use.
    fn probe(&self) -> io::Result<()> {
        let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        probe.set_nonblocking(true)?;
        probe.connect(&self.address.to_socket()?)
    }

    /// Returns `true` if something is at the path, and a connection to it isn't refused.
    fn is_used(&self, path: &Path) -> bool {
        let is_over = [io::ErrorKind::ConnectionRefused, io::ErrorKind::NotFound];
        let answers = || self.probe().err().is_none_or(|error| !is_over.contains(&error.kind()));
        fs::symlink_metadata(path).is_ok() && answers()
    }

    fn busy(&self, words: &str) -> Error {
        Error::new(ErrorKind::Busy, "bind", &*self.descriptor, words)
    }

    pub(super) fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::AddrInUse => "another program listens on it; choose another name",
            io::ErrorKind::NotFound => "the directory does not exist",
            io::ErrorKind::PermissionDenied => "the directory must be writable",
            _ => return Error::from_io("bind", &*self.descriptor, cause),
        };
        Error::from_io("bind", &*self.descriptor, cause).with_hint(hint)
    }
}

/// Our file, by its number: one that another program put in its place is not ours to remove.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    number: (u64, u64),
    /// Given back after the file is gone.
    _lock: Option<Lock>,
}

impl File {
    /// The file, and the mode that the umask left it.
    pub(super) fn just_made(path: &Path, lock: Option<Lock>) -> io::Result<(Self, u32)> {
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
