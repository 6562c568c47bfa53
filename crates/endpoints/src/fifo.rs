//! `fifo:PATH`: a named pipe (fifo(7)), its reading or its writing end.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use descriptor::Code;
use endpoint::{
    Backoff, Conn, Connector, Context as Shared, End, Error, ErrorKind, Grants, Info, Life, Raw,
    Result, SystemCall, Times,
};
use nix::errno::Errno;
use plan::kind::{
    Args, Example, Framings, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::sleep;

use crate::frames::{FRAMING, framed};
use crate::mute::Mute;
use crate::patience::timeout;
use crate::ready::{read_by, write_by};

/// Named pipes.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::opened(Times::Again)),
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
    Param::new("path", ValueKind::Text, "The path of the pipe, which is opened for each session.")
        .positional()
        .required()
        .no_holes("a client can't choose a file"),
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
    let path = args.text("path").unwrap_or_default();
    if path.is_empty() || path.contains('\0') {
        return Err(vec![args.mistake("path", Code::BadValue, "`path` is not the name of a pipe")]);
    }
    Ok(Box::new(Open {
        descriptor: args.descriptor.clone(),
        path: path.into(),
        writes: args.text("access") == Some("write"),
        create: args.int("create").and_then(|mode| u32::try_from(mode).ok()),
        timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
        framing: args.framing("framing")?,
    }))
}

#[async_trait]
impl Connector for Open {
    async fn connect(&self, _: &Shared, info: &Info) -> Result<Conn> {
        let failed = |cause| self.explain(cause);
        if let Some(mode) = self.create {
            make(&self.path, mode).map_err(failed)?;
        }
        let conn = if self.writes {
            let opened = match self.timeout {
                None => self.writer().await,
                Some(limit) => timeout(limit, self.writer())
                    .await
                    .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())),
            };
            let pipe = opened.and_then(Sender::from_owned_fd).map_err(failed)?;
            Conn::bytes(Writing { pipe: Some(pipe), mute: Mute::default() }, Info::new())
        } else {
            let pipe = self.open(OFlags::RDONLY).and_then(Receiver::from_owned_fd);
            Conn::bytes(Reading { pipe: pipe.map_err(failed)? }, Info::new())
        };
        Ok(framed(conn, self.framing.as_ref(), info))
    }

    fn missing(&self, _: &Shared) -> Option<String> {
        match self.path.metadata() {
            Ok(found) if found.file_type().is_fifo() => None,
            Ok(_) => Some(format!("{} is not a pipe", self.path.display())),
            Err(_) if self.create.is_some() => None,
            Err(_) => Some(format!("there is no pipe {}", self.path.display())),
        }
    }

    fn grants(&self) -> Grants {
        Grants::File
    }
}

impl Open {
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

/// The end that is read. Data sent to it is discarded.
struct Reading {
    pipe: Receiver,
}

impl AsyncRead for Reading {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Reading {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Life for Reading {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl Raw for Reading {
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        read_by(cx, &self.pipe, call)
    }
}

/// The end that is written.
struct Writing {
    pipe: Option<Sender>,
    mute: Mute,
}

impl AsyncRead for Writing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.mute.poll_read(cx)
    }
}

impl AsyncWrite for Writing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.pipe {
            Some(pipe) => Pin::new(pipe).poll_write(cx, buf),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        };
        self.mute.written(written)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Writing {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        self.pipe = None;
        self.mute.finish(End::eof());
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) -> End {
        self.mute.end()
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl Raw for Writing {
    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        match &self.pipe {
            Some(pipe) => {
                let written = write_by(cx, pipe, call);
                self.mute.written(written)
            }
            None => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }
}
