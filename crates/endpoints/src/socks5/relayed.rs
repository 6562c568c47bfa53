//! The connecting side of UDP ASSOCIATE: datagrams through a proxy, until the connection that requested it ends.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context as Poller, Poll, ready};

use async_trait::async_trait;
use endpoint::info::{Target, Tcp};
use endpoint::{
    ByteStream, Conn, Context, DialLayer, Error, ErrorKind, Grants, Info, Missing, Result,
    Transport, describe,
};
use socket2::{Domain, Protocol, Type};
use socks::{Command, Header, Host, Request};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::dial::Proxy;
use super::strays::{Stray, Strays};
use crate::datagram::connected::{Connected, Link, Message};
use crate::datagram::ip::Peer;
use crate::datagram::outgoing::Datagrams;
use crate::destination::{self, Destination};

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Relayed {
    pub(super) proxy: Proxy,
    pub(super) destination: Destination,
    /// The longest message that is sent.
    pub(super) most: usize,
}

#[async_trait]
impl DialLayer for Relayed {
    async fn dial(&self, cx: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        let proxy = &self.proxy;
        Destination::check_network(info, true, &proxy.label)?;
        let place = self.destination.of(info, &proxy.label).await?;
        let host = proxy.host(cx, &self.destination, &place).await?;
        let Conn { transport, info: beneath, control, guard } = conn;
        let mut stream = transport.into_bytes();
        // Where the datagrams come from isn't known yet; and something in between may translate that.
        let nowhere = socks::Target { host: Host::Address(Ipv4Addr::UNSPECIFIED.into()), port: 0 };
        let request = Request { command: Command::Associate, ..Request::connect(nowhere) };
        let answer = proxy.ask(&mut *stream, request).await?;
        let tcp = beneath.get::<Tcp>().copied();
        let relay = self.relay(cx, answer.bound, tcp).await?;
        let socket = open(relay, tcp).map_err(|cause| {
            let words = format!("cannot send to the proxy's address {relay}: {}", describe(&cause));
            proxy.error(ErrorKind::Other, words)
        })?;
        let target = socks::Target { host, port: place.port };
        let header = Header { target: target.clone() }.bytes();
        let header = header.map_err(|error| proxy.error(ErrorKind::Other, error.to_string()))?;
        let strays = Strays::default();
        let link = Through { socket: Peer::new(socket), stream, header, target, strays };
        let transport = Transport::Messages(Box::new(Connected::new(link, self.most)));
        let target = Target::datagrams(place.host.to_string(), place.port);
        Ok(Conn { transport, info: beneath.with(target), control, guard })
    }

    /// Replaces a request for datagrams: the connection to the proxy is TCP.
    fn beneath(&self, info: &Info) -> Option<Info> {
        let asked = info.get::<Target>()?;
        Some(info.clone().with(Target::new(asked.host.clone(), asked.port)))
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        self.proxy.missing()
    }

    fn grants(&self, beneath: Grants) -> Grants {
        beneath.max(self.destination.grants())
    }
}

impl Relayed {
    /// Returns the address to send to, as the proxy names it. One that means no address in particular is the proxy's
    /// own.
    async fn relay(
        &self,
        cx: &Context,
        bound: Option<socks::Target>,
        tcp: Option<Tcp>,
    ) -> Result<SocketAddr> {
        let error = |words: String| -> Error { self.proxy.error(ErrorKind::Protocol, words) };
        let Some(socks::Target { host, port }) = bound.filter(|bound| bound.port > 0) else {
            return Err(error("the proxy names no port to send datagrams to".to_owned()));
        };
        match host {
            Host::Address(address) if address.is_unspecified() => {
                let tcp = tcp.ok_or_else(|| {
                    error("the proxy names no address to send datagrams to".to_owned())
                })?;
                Ok(canonical(tcp.peer, port))
            }
            Host::Address(address) => Ok(SocketAddr::new(address.to_canonical(), port)),
            Host::Name(name) => {
                let found = destination::Host::new(&name).resolve(cx, port).await;
                let found = found.map_err(|cause| {
                    let cause = describe(&cause);
                    error(format!(
                        "cannot resolve `{name}`, the proxy's address for datagrams: {cause}"
                    ))
                })?;
                found.first().copied().ok_or_else(|| {
                    error(format!("`{name}`, the proxy's address for datagrams, has no address"))
                })
            }
        }
    }
}

/// The address with another port; an IPv4 address as such.
fn canonical(mut at: SocketAddr, port: u16) -> SocketAddr {
    at.set_port(port);
    match at.ip().to_canonical() {
        IpAddr::V4(v4) => SocketAddr::new(v4.into(), port),
        // With its zone.
        IpAddr::V6(_) => at,
    }
}

fn open(relay: SocketAddr, tcp: Option<Tcp>) -> io::Result<UdpSocket> {
    let socket =
        socket2::Socket::new(Domain::for_address(relay), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // As much as the system allows: a burst of datagrams waits there.
    socket.set_recv_buffer_size(BUFFER)?;
    // The proxy takes datagrams from the address that its connection comes from.
    if let Some(tcp) = tcp.filter(|tcp| tcp.peer.ip().to_canonical() == relay.ip()) {
        socket.bind(&canonical(tcp.local, 0).into())?;
    }
    socket.connect(&relay.into())?;
    UdpSocket::from_std(socket.into())
}

/// A destination behind the proxy.
struct Through {
    socket: Peer,
    /// The connection that the relay lasts as long as.
    stream: Box<dyn ByteStream>,
    header: Vec<u8>,
    target: socks::Target,
    strays: Strays,
}

impl Through {
    /// Returns `true` if a datagram is from the destination. If that is a name, its address isn't known here.
    fn is_destinations(&self, from: &socks::Target) -> bool {
        let is_host = match (&self.target.host, &from.host) {
            (Host::Address(ours), Host::Address(its)) => *ours == its.to_canonical(),
            (Host::Address(_), Host::Name(_)) => false,
            (Host::Name(_), _) => true,
        };
        is_host && self.target.port == from.port
    }
}

impl Link for Through {
    fn poll_receive(
        &mut self,
        cx: &mut Poller<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Option<Message>>> {
        for _ in 0..TURN {
            let Message { at, dropped, .. } = ready!(self.socket.poll_datagram(cx, buf))?;
            let stray = match Header::read(&buf[at.clone()]) {
                Ok((header, length)) if self.is_destinations(&header.target) => {
                    let at = at.start + length..at.end;
                    return Poll::Ready(Ok(Some(Message { at, each: None, dropped })));
                }
                Ok(_) => Stray::Other,
                Err(error) => Stray::Malformed(error),
            };
            self.strays.count(&stray);
        }
        // Others have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_send(
        &mut self,
        cx: &mut Poller<'_>,
        Datagrams { data, .. }: Datagrams<'_>,
    ) -> Poll<io::Result<()>> {
        let pieces = [IoSlice::new(&self.header), IoSlice::new(data)];
        self.socket.poll_send_pieces(cx, &pieces, None)
    }

    fn dropped(&self) -> Option<u32> {
        self.socket.dropped()
    }

    fn poll_over(&mut self, cx: &mut Poller<'_>) -> Poll<io::Error> {
        if let Poll::Ready(error) = self.stream.poll_background(cx) {
            return Poll::Ready(error);
        }
        let mut piece = [0; 256];
        let mut buf = ReadBuf::new(&mut piece);
        match ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut buf)) {
            Err(error) => Poll::Ready(error),
            Ok(()) if buf.filled().is_empty() => {
                let words = "the proxy has ended the relaying of datagrams";
                Poll::Ready(io::Error::new(io::ErrorKind::ConnectionAborted, words))
            }
            // Data on this connection has no meaning.
            Ok(()) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

const BUFFER: usize = 4 * 1024 * 1024;
/// Datagrams of others that are received before others get their turn.
const TURN: usize = 64;
