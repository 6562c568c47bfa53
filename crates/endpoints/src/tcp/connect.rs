//! Connecting.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use descriptor::{Code, Syntax};
use endpoint::info::{Target, Tcp};
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Result, describe};
use plan::kind::{Args, Planned};
use tokio::net::{TcpSocket, TcpStream};

use super::happy_eyeballs::{interleave, race};
use super::listen::fact;
use super::options::Options;
use crate::net::family::Family;
use crate::net::host::{Host, address};
use crate::net::service::{self, Service};
use crate::patience::timeout;
use crate::socket::Socket;

/// A host and port to connect to.
#[derive(Debug)]
struct Connect {
    descriptor: String,
    family: Family,
    host: Host,
    port: Service,
    timeout: Option<Duration>,
    from: Option<IpAddr>,
    options: Options,
}

pub(super) fn plan(args: &Args, family: Family) -> Planned<Box<dyn Connector>> {
    let mut mistakes = Vec::new();
    let host = Host::read(args, "host", family).map_err(|mistake| mistakes.push(mistake));
    let options = Options::read(args).map_err(|mistake| mistakes.push(mistake));
    let mut from = None;
    if let Some(text) = args.text("bindAddress").filter(|text| !text.is_empty()) {
        from = address(text.trim_start_matches('[').trim_end_matches(']'));
        if from.is_none_or(|from| !family.takes(from)) {
            let message = format!("`bindAddress` must be {}, without a port", family.noun());
            mistakes.push(args.mistake("bindAddress", Code::BadValue, message));
        }
    }
    if let (Ok(Some(host)), Some(from)) = (&host, from)
        && host.address().is_some_and(|address| address.is_ipv4() != from.is_ipv4())
    {
        let message = format!("`bindAddress` must be of the same family as `{host}`");
        mistakes.push(args.mistake("bindAddress", Code::BadValue, message));
    }
    let port = Service::new(args.text("port").unwrap_or_default());
    if matches!(port, Service::Named(_)) && args.syntax == Syntax::Twisted {
        let message = "`port` must be a number in Twisted's syntax";
        mistakes.push(args.mistake("port", Code::BadValue, message));
    }
    if matches!(host, Ok(None)) {
        mistakes.push(args.mistake("host", Code::BadValue, "`host` is empty"));
    }
    match (host, options) {
        (Ok(Some(host)), Ok(options)) if mistakes.is_empty() => Ok(Box::new(Connect {
            descriptor: args.descriptor.clone(),
            family,
            host,
            port,
            timeout: args.duration("timeout").filter(|limit| !limit.is_zero()),
            from,
            options,
        })),
        _ => Err(mistakes),
    }
}

#[async_trait]
impl Connector for Connect {
    async fn connect(&self, cx: &Context, _: &Info) -> Result<Conn> {
        let Some(limit) = self.timeout else { return self.open(cx).await };
        timeout(limit, self.open(cx)).await.unwrap_or_else(|| {
            let words = format!("no answer within {} s", limit.as_secs_f64());
            Err(self.error(ErrorKind::Timeout, words))
        })
    }

    fn grants(&self) -> Grants {
        Grants::Service
    }
}

impl Connect {
    async fn open(&self, cx: &Context) -> Result<Conn> {
        let port = self.port.port().await.map_err(|_| {
            let words = format!("there is no service `{}` in {}", self.port, service::TABLE);
            Error::new(ErrorKind::NotFound, "connect", &*self.descriptor, words)
                .with_hint("give the number of the port")
        })?;
        let addresses = interleave(self.addresses(cx, port).await?);
        let (stream, fact) = race(addresses, |address| self.dial(address))
            .await
            .map_err(|failed| self.explain(&failed))?;
        let target = Target { host: self.host.to_string(), port };
        Ok(Conn::bytes(Socket(stream), Info::new().with(target).with(fact)))
    }

    async fn addresses(&self, cx: &Context, port: u16) -> Result<Vec<SocketAddr>> {
        let host = &self.host;
        let found = host.resolve(cx, port).await.map_err(|cause| {
            if cause.kind() == io::ErrorKind::QuotaExceeded {
                return Error::from_io("connect", &*self.descriptor, cause)
                    .with_hint("the name server answers slowly or not at all; give an address");
            }
            let words = format!("the name `{host}` can't be resolved: {}", describe(&cause));
            Error::new(ErrorKind::NotFound, "connect", &*self.descriptor, words)
                .with_hint("check the spelling, or give an address")
        })?;
        let usable = |address: &SocketAddr| {
            let same = |from: IpAddr| from.is_ipv4() == address.is_ipv4();
            self.family.takes(address.ip()) && self.from.is_none_or(same)
        };
        let usable: Vec<_> = found.into_iter().filter(usable).collect();
        if usable.is_empty() {
            let noun = match (self.from, self.family) {
                (Some(IpAddr::V4(_)), _) => Family::V4.noun(),
                (Some(IpAddr::V6(_)), _) => Family::V6.noun(),
                (None, family) => family.noun(),
            };
            let words = format!("`{host}` doesn't have {noun}");
            return Err(Error::new(ErrorKind::NotFound, "connect", &*self.descriptor, words));
        }
        Ok(usable)
    }

    async fn dial(&self, address: SocketAddr) -> io::Result<(TcpStream, Tcp)> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(from) = self.from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(address).await?;
        // Without a listener, a loopback port of the ephemeral range now and then connects to
        // itself (RFC 9293 section 3.5, simultaneous open) and would echo for ever.
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        if local == peer {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        self.options.apply(&stream)?;
        Ok((stream, fact(local, peer)))
    }

    /// One error of all addresses' errors.
    fn explain(&self, failed: &[(SocketAddr, io::Error)]) -> Error {
        let kinds = failed.iter().map(|(_, error)| sort(error));
        let kind = kinds.reduce(most_telling).unwrap_or(ErrorKind::Other);
        let words = match failed {
            [(_, error)] if self.host.address().is_some() => describe(error),
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
                "nothing listens on port {} there; start the server or check the port",
                self.port
            )),
            ErrorKind::Timeout => error
                .with_hint("the host is down or a firewall drops this; `timeout=` waits longer"),
            ErrorKind::NotFound if self.from.is_some() => {
                error.with_hint("`bindAddress` must be an address of this machine")
            }
            _ => error,
        }
    }
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
