//! Connecting.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use descriptor::{Code, Syntax};
use endpoint::info::{Target, Tcp};
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Result, describe};
use plan::kind::{Args, Planned};
use socket2::Domain;
use tokio::net::{TcpSocket, TcpStream};

use super::environment::FromEnvironment;
use super::happy_eyeballs::{interleave, race};
use super::listen::fact;
use crate::destination::{Destination, Family, Place, Service, address};
use crate::options::Options;
use crate::own;
use crate::patience::timeout;
use crate::socket::Socket;

/// A host and port to connect to.
#[derive(Debug)]
struct Connect {
    descriptor: String,
    destination: Destination,
    timeout: Option<Duration>,
    from: Option<IpAddr>,
    options: Options,
}

pub(super) fn plan(args: &Args, family: Family) -> Planned<Box<dyn Connector>> {
    let mut mistakes = Vec::new();
    let destination = Destination::read(args, family).map_err(|found| mistakes.extend(found));
    let options = Options::read(args).map_err(|mistake| mistakes.push(mistake));
    let mut from = None;
    if let Some(text) = args.text("bindAddress").filter(|text| !text.is_empty()) {
        from = address(text.trim_start_matches('[').trim_end_matches(']'));
        if from.is_none_or(|from| !family.takes(from)) {
            let message = format!("`bindAddress` must be {}, without a port", family.noun());
            mistakes.push(args.mistake("bindAddress", Code::BadValue, message));
        }
    }
    if let (Ok(destination), Some(from)) = (&destination, from)
        && let Some(host) = destination.known_host()
        && host.address().is_some_and(|address| address.is_ipv4() != from.is_ipv4())
    {
        let message = format!("`bindAddress` must be of the same family as `{host}`");
        mistakes.push(args.mistake("bindAddress", Code::BadValue, message));
    }
    let is_named = args.filled("port").is_none()
        && matches!(Service::new(args.text("port").unwrap_or_default()), Service::Named(_));
    if is_named && args.syntax == Syntax::Twisted {
        let message = "`port` must be a number in Twisted's syntax";
        mistakes.push(args.mistake("port", Code::BadValue, message));
    }
    let via = args.text("via").filter(|via| !via.is_empty());
    let is_from_environment = via.is_some_and(|via| via.eq_ignore_ascii_case("environment"));
    if via.is_some() && !is_from_environment {
        let message = "`via` must be the URL of a proxy, or `environment`";
        let mistake = args.mistake("via", Code::BadValue, message);
        mistakes.push(mistake.help(
            "the schemes are `http`, `https`, `socks5`, `socks4a`, `socks4` and `ssh`: `via={http://proxy.example:3128}`; \
             `ssh://USER@HOST` has no password",
        ));
    }
    match (destination, options) {
        (Ok(destination), Ok(options)) if mistakes.is_empty() => {
            let connect = Box::new(Connect {
                descriptor: args.descriptor.clone(),
                destination: destination.clone(),
                timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
                from,
                options,
            });
            if is_from_environment {
                return Ok(Box::new(FromEnvironment::new(args, destination, connect)));
            }
            Ok(connect)
        }
        _ => Err(mistakes),
    }
}

#[async_trait]
impl Connector for Connect {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let Some(limit) = self.timeout else { return self.open(cx, info).await };
        timeout(limit, self.open(cx, info)).await.unwrap_or_else(|| {
            let words = format!("no answer within {} s", limit.as_secs_f64());
            Err(self.error(ErrorKind::Timeout, words))
        })
    }

    fn grants(&self) -> Grants {
        self.destination.grants()
    }
}

impl Connect {
    async fn open(&self, cx: &Context, info: &Info) -> Result<Conn> {
        Destination::check_network(info, false, &self.descriptor)?;
        let place = self.destination.of(info, &self.descriptor).await?;
        let mut addresses = self.destination.addresses(cx, &place, &self.descriptor).await?;
        if let Some(from) = self.from {
            addresses.retain(|address| address.is_ipv4() == from.is_ipv4());
            if addresses.is_empty() {
                let noun = if from.is_ipv4() { Family::V4.noun() } else { Family::V6.noun() };
                let words = format!("`{}` doesn't have {noun}", place.host);
                return Err(Error::new(ErrorKind::NotFound, "connect", &*self.descriptor, words));
            }
        }
        let (stream, fact) = race(interleave(addresses), |address| self.dial(cx, info, address))
            .await
            .map_err(|failed| self.explain(&place, &failed))?;
        let target = Target::new(place.host.to_string(), place.port);
        Ok(Conn::bytes(Socket::new(stream), Info::new().with(target).with(fact)))
    }

    async fn dial(
        &self,
        cx: &Context,
        info: &Info,
        address: SocketAddr,
    ) -> io::Result<(TcpStream, Tcp)> {
        if own::is_tcp(cx, info, address) {
            return Err(own::error());
        }
        let socket = self.options.open(Domain::for_address(address))?;
        if let Some(from) = self.from {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        let stream = TcpSocket::from_std_stream(socket.into()).connect(address).await?;
        // Without a listener, a loopback port of the ephemeral range now and then connects to
        // itself (RFC 9293 section 3.5, simultaneous open) and would echo for ever.
        let (local, peer) = (stream.local_addr()?, peer_of(&stream, address)?);
        if local == peer {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        self.options.set_connection(&stream)?;
        Ok((stream, fact(local, peer)))
    }

    /// One error of all addresses' errors.
    fn explain(&self, place: &Place, failed: &[(SocketAddr, io::Error)]) -> Error {
        let kinds = failed.iter().map(|(_, error)| sort(error));
        let kind = kinds.reduce(most_telling).unwrap_or(ErrorKind::Other);
        let words = match failed {
            [(_, error)] if place.host.address().is_some() => describe(error),
            failed => {
                let list: Vec<_> = failed
                    .iter()
                    .take(SHOWN)
                    .map(|(address, error)| format!("{}: {}", address.ip(), describe(error)))
                    .collect();
                let more = match failed.len().saturating_sub(SHOWN) {
                    0 => String::new(),
                    more => format!("; and {more} more"),
                };
                format!("{}{more}", list.join("; "))
            }
        };
        let telling = failed.iter().map(|(_, error)| error).find(|error| sort(error) == kind);
        let error = self.error(kind, words);
        match telling {
            Some(telling) => error.with_bare_cause(describe(telling)),
            None => error,
        }
    }

    fn error(&self, kind: ErrorKind, words: String) -> Error {
        let error = Error::new(kind, "connect", &*self.descriptor, words);
        match kind {
            ErrorKind::Refused => error.with_hint(format!(
                "no server listens on port {}; start the server or check the port",
                self.port()
            )),
            ErrorKind::Timeout => error.with_hint(
                "the host is down or a firewall drops the connection; wait longer with `timeout=`",
            ),
            ErrorKind::NotFound if self.from.is_some() => {
                error.with_hint("`bindAddress` must be an address of this machine")
            }
            ErrorKind::NotFound => error.with_hint(
                "no local port is free for this destination, or this machine has no address of its family",
            ),
            _ => error,
        }
    }
}

impl Connect {
    /// The port as it was typed.
    fn port(&self) -> String {
        self.destination.known_port().map_or_else(|| "it names".to_owned(), Service::to_string)
    }
}

/// Returns the address of the peer of a connection to `address`. It is another one if that is unspecified, which is
/// loopback then, or an IPv6 address, which gets its zone.
fn peer_of(stream: &TcpStream, address: SocketAddr) -> io::Result<SocketAddr> {
    if address.is_ipv4() && !address.ip().is_unspecified() {
        return Ok(address);
    }
    stream.peer_addr()
}

/// The sort of an attempt's failure, as [`Error::from_io`] sees it.
fn sort(error: &io::Error) -> ErrorKind {
    Error::from_io("connect", "", error.kind().into()).kind()
}

/// A refusal comes from the peer itself; a time-out may be any router's.
fn most_telling(a: ErrorKind, b: ErrorKind) -> ErrorKind {
    let rank = |kind: ErrorKind| match kind {
        ErrorKind::Refused => 0,
        ErrorKind::Timeout => 1,
        ErrorKind::Other => 3,
        _ => 2,
    };
    if rank(b) < rank(a) { b } else { a }
}

/// Addresses that a message lists: a name of a large service has dozens.
const SHOWN: usize = 4;
