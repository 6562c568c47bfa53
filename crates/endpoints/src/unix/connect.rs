//! Connecting.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use async_trait::async_trait;
use descriptor::Diagnostic;
use endpoint::{
    Backoff, Conn, Connector, Context, Error, ErrorKind, Grants, Info, Missing, Result as Opened,
};
use plan::kind::{Args, Planned};
use socket2::{Domain, Socket, Type};
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::Address;
use crate::options::Options;
use crate::own;
use crate::patience::timeout;
use crate::slips::foreign_options;
use crate::socket;
use crate::users::peer;

#[derive(Debug)]
struct Connect {
    dial: Dial,
    options: Options,
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let dial = Dial::read(args).map_err(|mistake| vec![mistake])?;
    let options = Options::read(args).map_err(|mistake| vec![mistake])?;
    Ok(Box::new(Connect { dial, options }))
}

#[async_trait]
impl Connector for Connect {
    fn missing(&self, _: &Context) -> Vec<Missing> {
        self.dial.address.instead("path").into_iter().collect()
    }

    async fn connect(&self, _: &Context, info: &Info) -> Opened<Conn> {
        let set = |socket: &Socket| self.options.set_buffers(socket);
        let socket = self.dial.connect(info, Type::STREAM, set).await?;
        let stream = UnixStream::from_std(socket.into());
        let stream = stream.map_err(|cause| self.dial.explain(cause))?;
        let info = Info::new().with(peer(self.dial.address.shown(), &stream));
        Ok(Conn::bytes(socket::Socket::new(stream), info))
    }

    fn grants(&self) -> Grants {
        Grants::Service
    }
}

/// A listening socket to connect to, of either type that has connections.
#[derive(Debug)]
pub(super) struct Dial {
    descriptor: String,
    pub(super) address: Address,
    timeout: Option<Duration>,
}

impl Dial {
    /// Reads the parameters of a connecting side.
    pub(super) fn read(args: &Args) -> Result<Self, Diagnostic> {
        Ok(Self {
            descriptor: args.descriptor.clone(),
            address: {
                foreign_options(args, "path");
                Address::read(args, "path")?
            },
            timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
        })
    }

    /// Connects a socket of this type, on which `set` has set its options, for the client `info`.
    pub(super) async fn connect(
        &self,
        info: &Info,
        sort: Type,
        set: impl Fn(&Socket) -> io::Result<()> + Send + Sync,
    ) -> Opened<OwnedFd> {
        if own::is_unix(info, &self.address.shown()) {
            return Err(self.explain(own::error()));
        }
        let opening = self.open(sort, &set);
        let socket = match self.timeout {
            None => opening.await,
            Some(limit) => {
                let opened = timeout(limit, opening).await;
                opened.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
            }
        };
        socket.map(OwnedFd::from).map_err(|cause| self.explain(cause))
    }

    async fn open(
        &self,
        sort: Type,
        set: &(impl Fn(&Socket) -> io::Result<()> + Sync),
    ) -> io::Result<Socket> {
        let address = self.address.to_socket()?;
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(100));
        loop {
            let socket = Socket::new(Domain::UNIX, sort, None)?;
            socket.set_nonblocking(true)?;
            set(&socket)?;
            match socket.connect(&address) {
                Ok(()) => return Ok(socket),
                // unix(7) has no "in progress": EAGAIN is a full backlog, and nothing tells when
                // there is room again.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sleep(backoff.pause()).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::NotFound => "no such socket; start the server or check the path",
            io::ErrorKind::ConnectionRefused => {
                "no server listens on this socket; start the server"
            }
            io::ErrorKind::PermissionDenied => {
                "connecting needs write permission on the socket and search permission on its \
                 directories"
            }
            io::ErrorKind::TimedOut => {
                let words = "the listener doesn't accept connections: its backlog is full";
                return Error::new(ErrorKind::Timeout, "connect", &*self.descriptor, words)
                    .with_hint("wait longer with `timeout=`");
            }
            _ if is_other_type(&cause) => OTHER_TYPE,
            _ => return Error::from_io("connect", &*self.descriptor, cause),
        };
        Error::from_io("connect", &*self.descriptor, cause).with_hint(hint)
    }
}

/// Returns `true` if there is a socket, but not one that can be connected to like this.
pub(super) fn is_other_type(cause: &io::Error) -> bool {
    cause.raw_os_error() == Some(rustix::io::Errno::PROTOTYPE.raw_os_error())
}

pub(super) const OTHER_TYPE: &str = "it is a socket of another type: write `unix:PATH` for a stream socket, \
    `unix-seqpacket:PATH` or `unix-dgram:PATH` for one of messages";
