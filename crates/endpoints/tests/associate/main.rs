//! SOCKS 5's UDP ASSOCIATE: `socks5` listening, `socks5-udp` and `udp` with `via=` connecting.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod both;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod places;
mod proxies;

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use common::messages::{Messages, messages, next};
use common::{LONG, Log, accepted, bind, connector, failure, noise, shown};
use descriptor::{Report, Syntax};
use endpoint::gate::{Admitted, Credentials, Gate};
use endpoint::info::Target;
use endpoint::{Accept, Context, Incoming, Info, Offer, Part, Reason, Refusal, RefusalKind};
use socks::{Header, Host};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

async fn send(to: &mut Messages, data: &[u8]) -> std::io::Result<()> {
    common::messages::send(to, Part::binary(data.to_vec())).await
}

async fn message(from: &mut Messages) -> Vec<u8> {
    next(from).await.unwrap().unwrap().data.to_vec()
}

// === listening ===

/// A listener, and where it is.
struct Server {
    accept: Box<dyn Accept>,
    at: SocketAddr,
}

impl Server {
    async fn new(more: &str) -> Self {
        Self::with(&Context::new(), more).await
    }

    async fn with(cx: &Context, more: &str) -> Self {
        let accept = bind(cx, &format!("socks5:{{tcp:0:interface=127.0.0.1}}{more}")).await;
        let at = accept.local().address.unwrap();
        Self { accept, at }
    }

    /// A client that is relayed, and the connection on this side.
    async fn relaying(&mut self) -> (Client, Incoming) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        self.relaying_from(socket, "0.0.0.0:0".parse().unwrap()).await
    }

    async fn relaying_from(&mut self, socket: UdpSocket, named: SocketAddr) -> (Client, Incoming) {
        self.relaying_to(self.at, socket, named).await
    }

    /// As a client that connects to this address.
    async fn relaying_to(
        &mut self,
        at: SocketAddr,
        socket: UdpSocket,
        named: SocketAddr,
    ) -> (Client, Incoming) {
        let mut control = TcpStream::connect(at).await.unwrap();
        control.write_all(&asking(named)).await.unwrap();
        let incoming = self.accept.accept().await.unwrap().unwrap();
        // The wait for the first offer sends the answer.
        let mut incoming = incoming;
        let relay = {
            let waiting = incoming.next();
            tokio::pin!(waiting);
            tokio::select! {
                _ = &mut waiting => panic!("nothing was sent"),
                relay = timeout(LONG, told(&mut control)) => relay.unwrap(),
            }
        };
        let at = control.peer_addr().unwrap().ip();
        assert_eq!(relay.ip(), at, "where the connection came to");
        (Client { control, socket, relay }, incoming)
    }
}

/// A greeting and a request for datagrams from this address.
fn asking(named: SocketAddr) -> Vec<u8> {
    let port = named.port().to_be_bytes();
    let address = match named {
        SocketAddr::V4(v4) => [&b"\x01"[..], &v4.ip().octets()].concat(),
        SocketAddr::V6(v6) => [&b"\x04"[..], &v6.ip().octets()].concat(),
    };
    [&b"\x05\x01\x00\x05\x03\x00"[..], &address, &port].concat()
}

/// Reads where a client is told to send to.
async fn told(control: &mut TcpStream) -> SocketAddr {
    let mut head = [0; 6];
    control.read_exact(&mut head).await.unwrap();
    assert_eq!(head[..5], [5, 0, 5, 0, 0], "{head:?}");
    let address: IpAddr = match head[5] {
        1 => {
            let mut octets = [0; 4];
            control.read_exact(&mut octets).await.unwrap();
            octets.into()
        }
        4 => {
            let mut octets = [0; 16];
            control.read_exact(&mut octets).await.unwrap();
            octets.into()
        }
        other => panic!("an address of type {other}"),
    };
    SocketAddr::new(address, control.read_u16().await.unwrap())
}

struct Client {
    control: TcpStream,
    socket: UdpSocket,
    relay: SocketAddr,
}

fn target(host: &str, port: u16) -> socks::Target {
    let host = host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Address);
    socks::Target { host, port }
}

fn datagram(host: &str, port: u16, data: &[u8]) -> Vec<u8> {
    [&Header { target: target(host, port) }.bytes().unwrap(), data].concat()
}

impl Client {
    async fn sends(&self, host: &str, port: u16, data: &[u8]) {
        self.sends_raw(&datagram(host, port, data)).await;
    }

    async fn sends_raw(&self, bytes: &[u8]) {
        assert_eq!(self.socket.send_to(bytes, self.relay).await.unwrap(), bytes.len());
    }

    async fn hears(&self) -> (socks::Target, Vec<u8>) {
        let mut bytes = vec![0; 70_000];
        let (len, from) = timeout(LONG, self.socket.recv_from(&mut bytes)).await.unwrap().unwrap();
        assert_eq!(from, self.relay);
        let (header, length) = Header::read(&bytes[..len]).unwrap();
        (header.target, bytes[length..len].to_vec())
    }

    /// Waits for the end of the connection.
    async fn is_over(&mut self) {
        let read = timeout(LONG, self.control.read(&mut [0; 8])).await.unwrap();
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
}

async fn offered(incoming: &mut Incoming) -> Offer {
    timeout(LONG, incoming.next()).await.unwrap().unwrap().unwrap()
}

fn asked(info: &Info) -> (String, u16) {
    let target = info.get::<Target>().unwrap();
    assert!(target.datagrams);
    assert_eq!(info.lookup("target", "network").unwrap(), "udp");
    (target.host.clone(), target.port)
}

/// Returns the answer to a request for datagrams, and its error.
async fn refused(server: &mut Server) -> (Vec<u8>, String) {
    let mut control = TcpStream::connect(server.at).await.unwrap();
    control.write_all(&asking("0.0.0.0:0".parse().unwrap())).await.unwrap();
    let mut incoming = server.accept.accept().await.unwrap().unwrap();
    let hearing = async {
        let mut bytes = Vec::new();
        control.read_to_end(&mut bytes).await.unwrap();
        bytes
    };
    let (bytes, result) = tokio::join!(hearing, incoming.next());
    let words = shown(&failure(result));
    let at = format!("cannot accept socks5:{{tcp:{}}}: ", server.at);
    (bytes[2..].to_vec(), words.strip_prefix(&at).unwrap().to_owned())
}
const HINT: &str = "\na destination that takes connections and datagrams is `target:allow=…`";
