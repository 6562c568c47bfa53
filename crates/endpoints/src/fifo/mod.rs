//! `fifo:PATH`: a named pipe (fifo(7)), its reading or its writing end.

mod listen;
mod stream;

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use descriptor::Code;
use endpoint::{
    Backoff, Conn, Connector, Context as Shared, Error, ErrorKind, Grants, Info, Missing, Result,
};
use nix::errno::Errno;
use plan::kind::{
    Args, Example, Framings, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, Topic,
    ValueKind,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::sleep;

use self::stream::{Reading, Writing};
use crate::frames::{FRAMING, framed};
use crate::patience::timeout;

/// Named pipes.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::bytes(PARAMS, PlanListen::Leaf(listen::plan))),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "fifo:/run/app.in:create=660",
            about: "Starts a session for each writer of a named pipe, which is created if it doesn't exist.",
        },
        Example {
            role: Role::Connect,
            descriptor: "fifo:/run/app.out:access=write:framing=lines",
            about: "Writes each message to a named pipe as a line.",
        },
    ],
    see_also: &["file", "unix"],
    ..Kind::new("fifo", "One end of a named pipe")
};

const PARAMS: &[Param] = &[
    Param::new(
        "path",
        ValueKind::Text,
        "The path of the pipe. A listener keeps its reading end open between two writers; a destination opens the \
         pipe for each session.",
    )
    .positional()
        .required()
        .no_holes(&"a client can't choose a file"),
    Param::new(
        "access",
        ValueKind::Choice(&["read", "write"]),
        "The end of the pipe. `read` sends what is written to the pipe until its last writer closes it, and discards \
         received data. `write` writes received data to the pipe, and sends nothing.",
    )
    .default("read"),
    Param::new(
        "create",
        ValueKind::Octal,
        "Create the pipe with these permissions, independent of the umask, if it doesn't exist; it is not removed. \
         By default, a missing pipe is an error.",
    )
    .topic(Topic::Access),
    Param::new(
        "timeout",
        ValueKind::Duration,
        "The time to wait for a reader of the pipe. 0 sets no limit.",
    )
    .topic(Topic::Limits)
    .default("30"),
    FRAMING,
];

#[derive(Debug)]
struct Open {
    descriptor: String,
    path: PathBuf,
    writes: bool,
    create: Option<u32>,
    timeout: Option<Duration>,
    framing: Option<Framings>,
}

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(read(args)?))
}

fn read(args: &Args) -> Planned<Open> {
    let path = args.text("path").unwrap_or_default();
    if path.is_empty() || path.contains('\0') {
        return Err(vec![args.mistake("path", Code::BadValue, "`path` is not the name of a pipe")]);
    }
    Ok(Open {
        descriptor: args.descriptor.clone(),
        path: path.into(),
        writes: args.text("access") == Some("write"),
        create: args.int("create").and_then(|mode| u32::try_from(mode).ok()),
        timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
        framing: args.framing("framing")?,
    })
}

#[async_trait]
impl Connector for Open {
    async fn connect(&self, _: &Shared, info: &Info) -> Result<Conn> {
        let failed = |cause| self.explain(cause);
        self.make()?;
        let conn = if self.writes {
            let opened = match self.timeout {
                None => self.writer().await,
                Some(limit) => timeout(limit, self.writer())
                    .await
                    .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())),
            };
            let pipe = opened.and_then(Sender::from_owned_fd).map_err(failed)?;
            Conn::bytes(Writing::new(pipe), Info::new())
        } else {
            let reading = Reading::new(self.reader()?, Arc::default());
            Conn::bytes(reading, Info::new())
        };
        Ok(framed(conn, self.framing.as_ref(), info))
    }

    fn missing(&self, _: &Shared) -> Vec<Missing> {
        let message = match self.path.metadata() {
            Ok(found) if found.file_type().is_fifo() => return Vec::new(),
            Ok(_) => format!("{} is not a pipe", self.path.display()),
            Err(_) if self.create.is_some() => return Vec::new(),
            Err(_) => format!("there is no pipe {}", self.path.display()),
        };
        vec![Missing::of("path", message)]
    }

    fn grants(&self) -> Grants {
        Grants::File
    }
}

impl Open {
    /// Creates the pipe, if that is wanted and nothing is there.
    fn make(&self) -> Result<()> {
        self.create
            .map_or(Ok(()), |mode| make(&self.path, mode).map_err(|cause| self.explain(cause)))
    }

    /// Opens the end that is read, whether or not a process has the other one.
    fn reader(&self) -> Result<Receiver> {
        let pipe = self.open(OFlags::RDONLY).and_then(Receiver::from_owned_fd);
        pipe.map_err(|cause| self.explain(cause))
    }

    fn open(&self, access: OFlags) -> io::Result<OwnedFd> {
        let mut options = OpenOptions::new();
        options.read(access == OFlags::RDONLY).write(access == OFlags::WRONLY);
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        let file = options.open(&self.path)?;
        if !file.metadata()?.file_type().is_fifo() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a named pipe"));
        }
        Ok(file.into())
    }

    /// Waits until a process has the pipe open for reading; the system doesn't notify of that.
    async fn writer(&self) -> io::Result<OwnedFd> {
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(100));
        loop {
            match self.open(OFlags::WRONLY) {
                Err(error) if error.raw_os_error() == Some(Errno::ENXIO as i32) => {
                    sleep(backoff.pause()).await;
                }
                opened => return opened,
            }
        }
    }

    fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::NotFound => "create it with `create=MODE`, in an existing folder",
            io::ErrorKind::PermissionDenied => "its permissions deny access",
            io::ErrorKind::InvalidInput => {
                let words = cause.to_string();
                return Error::new(ErrorKind::Other, "open", &*self.descriptor, words)
                    .with_hint(format!("for a file, write `file:{}`", self.path.display()));
            }
            io::ErrorKind::TimedOut => {
                let words = "no process reads from the pipe";
                return Error::new(ErrorKind::Timeout, "open", &*self.descriptor, words)
                    .with_hint("wait longer with `timeout=`");
            }
            _ => return Error::from_io("open", &*self.descriptor, cause),
        };
        Error::from_io("open", &*self.descriptor, cause).with_hint(hint)
    }
}

/// Makes the pipe unless something is there.
fn make(path: &Path, mode: u32) -> io::Result<()> {
    let mode = Mode::from_raw_mode(mode);
    match mknodat(CWD, path, FileType::Fifo, mode, 0) {
        Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode.as_raw_mode()))
        }
    }
}
