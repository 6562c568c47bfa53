//! Connecting.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::info::Unix;
use endpoint::{Backoff, Conn, Connector, Context, Error, ErrorKind, Grants, Info, Result};
use plan::kind::{Args, Planned};
use socket2::{Domain, Type};
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::Address;
use crate::options::Options;
use crate::patience::timeout;
use crate::socket::Socket;

#[derive(Debug)]
struct Connect {
    descriptor: String,
    address: Address,
    timeout: Option<Duration>,
    options: Options,
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(Connect {
        descriptor: args.descriptor.clone(),
        address: Address::read(args, "path").map_err(|mistake| vec![mistake])?,
        timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
        options: Options::read(args).map_err(|mistake| vec![mistake])?,
    }))
}

#[async_trait]
impl Connector for Connect {
    fn missing(&self, _: &Context) -> Option<String> {
        self.address.instead()
    }

    async fn connect(&self, _: &Context, _: &Info) -> Result<Conn> {
        let stream = match self.timeout {
            None => self.open().await,
            Some(limit) => timeout(limit, self.open())
                .await
                .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())),
        };
        let stream = stream.map_err(|cause| self.explain(cause))?;
        let info = Info::new().with(fact(&self.address, &stream));
        Ok(Conn::bytes(Socket::new(stream), info))
    }

    fn grants(&self) -> Grants {
        Grants::Service
    }
}

impl Connect {
    async fn open(&self) -> io::Result<UnixStream> {
        let address = self.address.to_socket()?;
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(100));
        loop {
            let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            self.options.set_buffers(&socket)?;
            match socket.connect(&address) {
                Ok(()) => return UnixStream::from_std(socket.into()),
                // unix(7) has no "in progress": EAGAIN is a full backlog, and nothing tells when
                // there is room again.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sleep(backoff.pause()).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn explain(&self, cause: io::Error) -> Error {
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
            _ => return Error::from_io("connect", &*self.descriptor, cause),
        };
        Error::from_io("connect", &*self.descriptor, cause).with_hint(hint)
    }
}

/// The peer: `SO_PEERCRED` in unix(7), as of the time of connect(2) or listen(2).
pub(super) fn fact(address: &Address, stream: &UnixStream) -> Unix {
    let peer = stream.peer_cred().ok();
    Unix {
        path: address.shown(),
        pid: peer.as_ref().and_then(tokio::net::unix::UCred::pid),
        uid: peer.as_ref().map(tokio::net::unix::UCred::uid),
    }
}
