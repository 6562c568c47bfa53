//! Connecting: a socket for each session, so that the system keeps others' datagrams from it and reports ICMP errors.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use descriptor::Code;
use endpoint::info::Target;
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Result};
use plan::kind::{Args, Planned};
use socket2::{Domain, Protocol, Type};
use tokio::net::UdpSocket;

use super::options::Options;
use super::socket::fact;
use crate::datagram::connected::Connected;
use crate::datagram::ip::Peer;
use crate::destination::{Destination, Family};
use crate::own;
use crate::patience::timeout;

/// A host and port to send to.
#[derive(Debug)]
struct Connect {
    descriptor: String,
    destination: Destination,
    from: Option<SocketAddr>,
    timeout: Option<Duration>,
    most: usize,
    options: Options,
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let mut mistakes = Vec::new();
    let destination = Destination::read(args, Family::Any).map_err(|found| mistakes.extend(found));
    let mut from = None;
    if let Some(text) = args.text("bind").filter(|text| !text.is_empty()) {
        let address = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let alone = address.map(|address| SocketAddr::new(address, 0));
        from = alone.or_else(|_| text.parse()).ok();
        if from.is_none() {
            let message = "`bind` must be an IP address, with a port or without";
            mistakes.push(args.mistake("bind", Code::BadValue, message));
        }
    }
    if let (Ok(destination), Some(from)) = (&destination, from)
        && let Some(host) = destination.known_host()
        && host.address().is_some_and(|address| address.is_ipv4() != from.is_ipv4())
    {
        let message = format!("`bind` must be of the same family as `{host}`");
        mistakes.push(args.mistake("bind", Code::BadValue, message));
    }
    if args.text("via").is_some_and(|via| !via.is_empty()) {
        let message = "`via` must be the URL of a SOCKS 5 proxy: other proxies relay no datagrams";
        let mistake = args.mistake("via", Code::BadValue, message);
        mistakes.push(mistake.help("write it as `via={socks5://proxy.example:1080}`"));
    }
    let most = args.int("max-message").and_then(|most| usize::try_from(most).ok());
    match destination {
        Ok(destination) if mistakes.is_empty() => Ok(Box::new(Connect {
            descriptor: args.descriptor.clone(),
            destination,
            from,
            timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
            most: most.unwrap_or(usize::MAX),
            options: Options::read(args),
        })),
        _ => Err(mistakes),
    }
}

#[async_trait]
impl Connector for Connect {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        Destination::check_network(info, true, &self.descriptor)?;
        let place = self.destination.of(info, &self.descriptor).await?;
        let resolving = self.destination.addresses(cx, &place, &self.descriptor);
        let found = match self.timeout {
            None => resolving.await,
            Some(limit) => timeout(limit, resolving).await.unwrap_or_else(|| {
                let words = format!("the name `{}` was not resolved in time", place.host);
                Err(self.error(ErrorKind::Timeout, words))
            }),
        }?;
        let is_usable =
            |to: &&SocketAddr| self.from.is_none_or(|from| from.is_ipv4() == to.is_ipv4());
        let mut failed = None;
        for to in found.iter().filter(is_usable) {
            match self.open(*to) {
                Ok((_, fact)) if own::is_udp(info, *to, fact.local) => {
                    failed = failed.or(Some(own::error()));
                }
                Ok((socket, fact)) => {
                    let target = Target::datagrams(place.host.to_string(), place.port);
                    let info = Info::new().with(target).with(fact);
                    return Ok(Conn::messages(
                        Connected::new(Peer::in_batches(socket), self.most),
                        info,
                    ));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(match failed {
            Some(cause) => self.explain(cause),
            None => self.error(
                ErrorKind::NotFound,
                format!("`{}` has no address of the family of `bind`", place.host),
            ),
        })
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn grants(&self) -> Grants {
        self.destination.grants()
    }
}

impl Connect {
    fn open(&self, to: SocketAddr) -> io::Result<(UdpSocket, endpoint::info::Udp)> {
        let domain = Domain::for_address(to);
        let socket = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        self.options.apply(&socket, to.is_ipv4())?;
        if let Some(from) = self.from {
            socket.bind(&from.into())?;
        }
        socket.connect(&to.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let fact = fact(socket.local_addr()?, to);
        Ok((socket, fact))
    }

    fn explain(&self, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::PermissionDenied => "a broadcast address needs `broadcast=true`",
            io::ErrorKind::AddrInUse => {
                "`bind` has a port that is in use: only one session at a time can send from it"
            }
            io::ErrorKind::AddrNotAvailable => "`bind` must be an address of this machine",
            _ => return Error::from_io("connect", &*self.descriptor, cause),
        };
        Error::from_io("connect", &*self.descriptor, cause).with_hint(hint)
    }

    fn error(&self, kind: ErrorKind, words: String) -> Error {
        Error::new(kind, "connect", &*self.descriptor, words)
    }
}
