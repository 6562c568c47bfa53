//! SOCKS 5's UDP ASSOCIATE: `socks5` listening, `socks5-udp` and `udp` with `via=` connecting.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod both;
#[path = "../common/mod.rs"]
mod common;
mod places;

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

#[tokio::test]
async fn each_target_is_a_session_of_its_own() {
    let mut server = Server::new("").await;
    let (client, mut incoming) = server.relaying().await;
    client.sends("192.0.2.53", 53, b"one").await;
    client.sends("h.example", 53, b"two").await;
    client.sends("::ffff:192.0.2.53", 53, b"three").await;
    let mut sessions = Vec::new();
    for (host, data) in [("192.0.2.53", "one"), ("h.example", "two"), ("192.0.2.53", "three")] {
        let offer = offered(&mut incoming).await;
        assert_eq!(asked(&offer.info), (host.to_owned(), 53));
        let conn = accepted(offer).await;
        assert_eq!(asked(&conn.info), (host.to_owned(), 53));
        let mut session = messages(conn);
        assert_eq!(message(&mut session).await, data.as_bytes());
        sessions.push(session);
    }
    client.sends("h.example", 53, b"again").await;
    assert_eq!(message(&mut sessions[1]).await, b"again");
    send(&mut sessions[0], b"answer").await.unwrap();
    assert_eq!(client.hears().await, (target("192.0.2.53", 53), b"answer".to_vec()));
    send(&mut sessions[1], b"").await.unwrap();
    assert_eq!(client.hears().await, (target("h.example", 53), Vec::new()));
}

#[tokio::test]
async fn every_size_there_is() {
    let mut server = Server::new("").await;
    let (client, mut incoming) = server.relaying().await;
    // The largest UDP payload over IPv4, less the SOCKS header.
    let largest = 65_507 - 10;
    client.sends("192.0.2.53", 53, b"").await;
    let mut session = messages(accepted(offered(&mut incoming).await).await);
    assert_eq!(message(&mut session).await, b"");
    for size in [0, 1, 1472, 9000, largest] {
        let data = noise(size as u64, size);
        client.sends("192.0.2.53", 53, &data).await;
        assert!(message(&mut session).await == data, "{size} there");
        send(&mut session, &data).await.unwrap();
        assert!(client.hears().await.1 == data, "{size} back");
    }
    let name = "x".repeat(255);
    client.sends(&name, 53, b"a long name").await;
    let offer = offered(&mut incoming).await;
    assert_eq!(asked(&offer.info), (name, 53));
    // With the header, it is larger than a datagram can be.
    let error = send(&mut session, &noise(1, largest + 1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "refused a message of {} bytes: the path carries no datagram of this size",
            largest + 1
        )
    );
    assert_eq!(session.end().why, Reason::TooBig);
}

#[tokio::test]
async fn what_is_no_datagram_of_the_client_is_ignored_and_counted() {
    let log = Log::default();
    let _guard = log.install();
    let mut server = Server::new("").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let named = socket.local_addr().unwrap();
    let (client, mut incoming) = server.relaying_from(socket, named).await;
    let good = datagram("192.0.2.53", 53, b"good");
    // Others of the same machine, at another port and another address.
    let port = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    for _ in 0..1000 {
        for other in [&port, &address] {
            other.send_to(&good, client.relay).await.unwrap();
        }
        tokio::task::yield_now().await;
    }
    for bad in [
        &b""[..],
        &good[..9],
        b"\0\0\x01\x01\xc0\0\x02\x35\0\x35first",
        b"\0\0\x82\x01\xc0\0\x02\x35\0\x35last",
        b"\0\0\0\x02\xc0\0\x02\x35\0\x35",
        b"\0\0\0\x03\0\0\x35",
        b"\0\0\0\x03\x02\xff\xff\0\x35",
        b"\0\0\0\x01\xc0\0\x02\x35\0\0no port",
    ] {
        client.sends_raw(bad).await;
    }
    // Those before it may have filled the socket.
    let offer = {
        let mut offers = std::pin::pin!(offered(&mut incoming));
        loop {
            client.sends_raw(&good).await;
            tokio::select! {
                offer = &mut offers => break offer,
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    };
    let mut session = messages(accepted(offer).await);
    assert_eq!(message(&mut session).await, b"good");
    // From now on, the system itself keeps others away.
    for other in [&port, &address] {
        let _ = other.send_to(&good, client.relay).await;
    }
    client.sends("192.0.2.53", 53, b"last").await;
    while message(&mut session).await != b"last" {}
    drop((session, incoming));
    let text = log.text();
    let from = port.local_addr().unwrap();
    let words = format!("ignored a datagram: it comes from {from}, which is not the client");
    assert_eq!(text.matches("which is not the client").count(), 1, "{text}");
    assert!(text.contains(&words), "{text}");
}

#[tokio::test]
async fn each_sort_of_what_is_ignored_is_said_once() {
    let log = Log::default();
    let _guard = log.install();
    let mut server = Server::new("").await;
    let (mut client, mut incoming) = server.relaying().await;
    client.sends_raw(b"\0\0\x01\x01\xc0\0\x02\x35\0\x35first").await;
    client.sends_raw(b"\0\0\x82\x01\xc0\0\x02\x35\0\x35last").await;
    client.sends_raw(b"\0\0\0\x02\xc0\0\x02\x35\0\x35").await;
    client.sends_raw(b"\0\0").await;
    client.sends("192.0.2.53", 53, b"good").await;
    let offer = offered(&mut incoming).await;
    drop((offer, incoming));
    client.is_over().await;
    let text = log.text();
    for words in [
        "ignored a datagram: a SOCKS datagram is a fragment (FRAG 0x01), and fragments are not joined\n",
        "ignored a datagram: a SOCKS message has the unknown address type 0x02\n",
        "4 datagrams were ignored elsewhere=0 fragments=2 malformed=2\n",
    ] {
        assert_eq!(text.matches(words).count(), 1, "{words}{text}");
    }
    assert_eq!(text.matches("ignored a datagram").count(), 2, "{text}");
}

#[tokio::test]
async fn the_first_sender_is_the_client_where_it_names_no_port() {
    let mut server = Server::new("").await;
    // Behind something that translates addresses, a client's own port means nothing.
    let behind = "10.9.8.7:53".parse().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (client, mut incoming) = server.relaying_from(socket, behind).await;
    client.sends("192.0.2.53", 53, b"first").await;
    let mut session = messages(accepted(offered(&mut incoming).await).await);
    assert_eq!(message(&mut session).await, b"first");
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let _ = other.send_to(&datagram("192.0.2.53", 53, b"other"), client.relay).await;
    client.sends("192.0.2.53", 53, b"second").await;
    assert_eq!(message(&mut session).await, b"second");
}

#[tokio::test]
async fn all_ends_with_the_connection() {
    let mut server = Server::new("").await;
    let (mut client, mut incoming) = server.relaying().await;
    client.sends("192.0.2.53", 53, b"one").await;
    let mut session = messages(accepted(offered(&mut incoming).await).await);
    assert_eq!(message(&mut session).await, b"one");
    client.sends("192.0.2.54", 53, b"two").await;
    let mut waits = offered(&mut incoming).await;
    // Data of a client on this connection has no meaning.
    client.control.write_all(&[7; 5000]).await.unwrap();
    client.control.shutdown().await.unwrap();
    assert!(next(&mut session).await.is_none());
    let end = session.end();
    assert_eq!((end.why, &*end.reason), (Reason::EndOfStream, "the client closed its association"));
    let left = timeout(LONG, waits.left()).await.unwrap();
    assert_eq!(left.reason, "the client closed its association");
    assert!(timeout(LONG, incoming.next()).await.unwrap().unwrap().is_none());
    client.is_over().await;
}

#[tokio::test]
async fn the_connection_ends_with_the_last_session_once_no_more_are_taken() {
    let mut server = Server::new("").await;
    let (mut client, mut incoming) = server.relaying().await;
    client.sends("192.0.2.53", 53, b"one").await;
    let mut session = messages(accepted(offered(&mut incoming).await).await);
    drop(incoming);
    assert_eq!(message(&mut session).await, b"one");
    client.sends("192.0.2.53", 53, b"two").await;
    client.sends("192.0.2.54", 53, b"nobody takes it").await;
    assert_eq!(message(&mut session).await, b"two");
    send(&mut session, b"answer").await.unwrap();
    assert_eq!(client.hears().await.1, b"answer");
    drop(session);
    client.is_over().await;
}

#[tokio::test]
async fn a_client_whose_socket_is_closed_loses_datagrams_and_not_its_relay() {
    let mut server = Server::new("").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap();
    let (mut client, mut incoming) = server.relaying_from(socket, port).await;
    client.sends("192.0.2.53", 53, b"one").await;
    let mut session = messages(accepted(offered(&mut incoming).await).await);
    assert_eq!(message(&mut session).await, b"one");
    // Another socket takes the place of the one that was at the port.
    client.socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    send(&mut session, b"lost").await.unwrap();
    tokio::task::yield_now().await;
    client.socket = UdpSocket::bind(port).await.unwrap();
    client.sends("192.0.2.53", 53, b"two").await;
    assert_eq!(message(&mut session).await, b"two");
    send(&mut session, b"answer").await.unwrap();
    assert_eq!(client.hears().await.1, b"answer");
}

#[tokio::test]
async fn targets_are_bounded_and_the_most_silent_one_leaves() {
    let mut server = Server::new(":max-targets=2").await;
    let (client, mut incoming) = server.relaying().await;
    let mut sessions = Vec::new();
    for port in 1..=3 {
        client.sends("192.0.2.53", port, b"x").await;
        let mut session = messages(accepted(offered(&mut incoming).await).await);
        assert_eq!(message(&mut session).await, b"x");
        sessions.push(session);
    }
    assert!(next(&mut sessions[0]).await.is_none());
    assert_eq!(sessions[0].end().why, Reason::GaveWay);
    client.sends("192.0.2.53", 2, b"y").await;
    assert_eq!(message(&mut sessions[1]).await, b"y");
}

#[tokio::test]
async fn silent_sessions_end() {
    let mut server = Server::new(":idle=200ms").await;
    let (client, mut incoming) = server.relaying().await;
    client.sends("192.0.2.53", 53, b"x").await;
    let mut session = messages(accepted(offered(&mut incoming).await).await);
    assert_eq!(message(&mut session).await, b"x");
    assert!(next(&mut session).await.is_none());
    assert_eq!(session.end().reason, "silent for 0.2 s");
    drop(session);
    client.sends("192.0.2.53", 53, b"y").await;
    let mut session = messages(accepted(offered(&mut incoming).await).await);
    assert_eq!(message(&mut session).await, b"y");
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

#[tokio::test]
async fn who_gets_no_relay_is_told_why() {
    let no = |reply| [&[5, reply, 0, 1][..], &[0; 6]].concat();
    let mut server = Server::new(":udp=false").await;
    let words = "the client asks for datagrams (UDP ASSOCIATE), and `udp=false` refuses them";
    assert_eq!(refused(&mut server).await, (no(7), format!("{words}{HINT}")));
    let mut server = Server::with(&Context::new().with_datagrams(false), "").await;
    let words = "the client asks for datagrams (UDP ASSOCIATE), and the destination takes none";
    assert_eq!(refused(&mut server).await, (no(7), format!("{words}{HINT}")));
    let mut server = Server::new(":max-associations=1").await;
    let (mut client, incoming) = server.relaying().await;
    let words = "there are 1 associations already".to_owned();
    assert_eq!(refused(&mut server).await, (no(1), words));
    drop(incoming);
    client.is_over().await;
    let _again = server.relaying().await;
    let mut server = Server::with(&Context::new().guarded_by(Arc::new(Nobody)), "").await;
    assert_eq!(refused(&mut server).await, (no(2), "not you".to_owned()));
}

/// A gate that admits no client.
struct Nobody;

#[async_trait]
impl Gate for Nobody {
    async fn check(&self, _: &Info) -> Result<Admitted, Refusal> {
        Err(Refusal::new(RefusalKind::Forbidden, "not you"))
    }
}

#[tokio::test]
async fn without_an_address_there_is_no_relay() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let text = format!("socks5:{{unix:{}}}", path.display());
    let mut accept = bind(&Context::new(), &text).await;
    let mut control = tokio::net::UnixStream::connect(&path).await.unwrap();
    control.write_all(&asking("0.0.0.0:0".parse().unwrap())).await.unwrap();
    let mut incoming = accept.accept().await.unwrap().unwrap();
    let hearing = async {
        let mut bytes = Vec::new();
        control.read_to_end(&mut bytes).await.unwrap();
        bytes
    };
    let (bytes, result) = tokio::join!(hearing, incoming.next());
    assert_eq!(bytes[2..4], [5, 7]);
    let words = failure(result).to_string();
    assert!(
        words.ends_with(
            "the client asks for datagrams (UDP ASSOCIATE), and its connection has no IP address"
        ),
        "{words}"
    );
}

#[tokio::test]
async fn a_login_goes_with_each_target() {
    let mut server = Server::new("").await;
    let mut control = TcpStream::connect(server.at).await.unwrap();
    let login = b"\x05\x01\x02\x01\x03ada\x06secret\x05\x03\x00\x01\0\0\0\0\0\0";
    control.write_all(login).await.unwrap();
    let mut incoming = server.accept.accept().await.unwrap().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let asking = async {
        let mut answer = [0; 14];
        control.read_exact(&mut answer).await.unwrap();
        let relay = ("127.0.0.1", u16::from_be_bytes([answer[12], answer[13]]));
        socket.send_to(&datagram("192.0.2.53", 53, b"x"), relay).await.unwrap();
    };
    let (offer, ()) = tokio::join!(offered(&mut incoming), asking);
    let credentials = offer.info.get::<Credentials>().unwrap();
    assert_eq!(credentials.user.as_deref(), Some("ada"));
    let conn = accepted(offer).await;
    assert!(conn.info.get::<Credentials>().is_none(), "they end with the check");
}

// === connecting ===

/// A proxy that answers so (after the greeting), with `RELAY` for the port of its socket.
struct Proxy {
    server: TcpListener,
    relay: UdpSocket,
}

impl Proxy {
    async fn new() -> Self {
        Self {
            server: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            relay: UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    fn via(&self) -> String {
        format!("via={{socks5://{}}}", self.server.local_addr().unwrap())
    }

    /// Answers with this address, and the port of the socket unless it is given.
    async fn answers(&self, address: &[u8], port: Option<u16>) -> TcpStream {
        let (mut stream, _) = self.server.accept().await.unwrap();
        let mut asked = [0; 3];
        stream.read_exact(&mut asked).await.unwrap();
        stream.write_all(b"\x05\x00").await.unwrap();
        let mut asked = [0; 10];
        stream.read_exact(&mut asked).await.unwrap();
        assert_eq!(asked, *b"\x05\x03\x00\x01\0\0\0\0\0\0");
        let port = port.unwrap_or_else(|| self.relay.local_addr().unwrap().port());
        let answer = [&b"\x05\x00\x00"[..], address, &port.to_be_bytes()].concat();
        stream.write_all(&answer).await.unwrap();
        stream
    }

    async fn session(&self, destination: &str, address: &[u8]) -> (Messages, TcpStream) {
        let connector = connector(&format!("udp:{destination}:{}", self.via()));
        let (cx, nobody) = (Context::new(), Info::new());
        let connecting = connector.endpoint.connect(&cx, &nobody);
        let (conn, stream) = tokio::join!(connecting, self.answers(address, None));
        (messages(conn.unwrap()), stream)
    }

    async fn hears(&self) -> (SocketAddr, Vec<u8>) {
        let mut bytes = vec![0; 70_000];
        let (len, from) = timeout(LONG, self.relay.recv_from(&mut bytes)).await.unwrap().unwrap();
        (from, bytes[..len].to_vec())
    }
}

#[tokio::test]
async fn datagrams_go_through_a_proxy() {
    for address in [&b"\x01\x7f\0\0\x01"[..], b"\x01\0\0\0\0", b"\x03\x09localhost"] {
        let proxy = Proxy::new().await;
        let (mut session, _stream) = proxy.session("h.example:53", address).await;
        let largest = 65_507 - 16;
        for size in [0, 1, 1400, largest] {
            let data = noise(size as u64, size);
            send(&mut session, &data).await.unwrap();
            let (from, got) = proxy.hears().await;
            assert!(got == datagram("h.example", 53, &data), "{size} there");
            // A target that was asked by name answers from an address.
            let answer = datagram("192.0.2.53", 53, &data);
            proxy.relay.send_to(&answer, from).await.unwrap();
            assert!(message(&mut session).await == data, "{size} back");
        }
    }
}

#[tokio::test]
async fn what_is_not_from_the_destination_is_ignored() {
    let proxy = Proxy::new().await;
    let (mut session, _stream) = proxy.session("192.0.2.53:53", b"\x01\x7f\0\0\x01").await;
    send(&mut session, b"question").await.unwrap();
    let (from, _) = proxy.hears().await;
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let _ = other.send_to(&datagram("192.0.2.53", 53, b"not the proxy"), from).await;
    for bad in [
        datagram("192.0.2.54", 53, b"another address"),
        datagram("192.0.2.53", 54, b"another port"),
        datagram("h.example", 53, b"a name"),
        b"\0\0\x01\x01\xc0\0\x02\x35\0\x35a fragment".to_vec(),
        b"\0\0\0\x01".to_vec(),
        Vec::new(),
        datagram("::ffff:192.0.2.53", 53, b"answer"),
    ] {
        proxy.relay.send_to(&bad, from).await.unwrap();
    }
    assert_eq!(message(&mut session).await, b"answer");
}

#[tokio::test]
async fn a_session_ends_with_the_proxys_connection() {
    let proxy = Proxy::new().await;
    let (mut session, mut stream) = proxy.session("192.0.2.53:53", b"\x01\x7f\0\0\x01").await;
    send(&mut session, b"question").await.unwrap();
    let (from, _) = proxy.hears().await;
    stream.write_all(b"without a meaning").await.unwrap();
    proxy.relay.send_to(&datagram("192.0.2.53", 53, b"answer"), from).await.unwrap();
    assert_eq!(message(&mut session).await, b"answer");
    drop(stream);
    let error = next(&mut session).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert_eq!(error.to_string(), "the proxy has ended the relaying of datagrams");
    // And the other way round.
    let (session, mut stream) = proxy.session("192.0.2.53:53", b"\x01\x7f\0\0\x01").await;
    drop(session);
    assert_eq!(timeout(LONG, stream.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_proxys_end_is_seen_while_nothing_is_read() {
    let proxy = Proxy::new().await;
    let (mut session, stream) = proxy.session("192.0.2.53:53", b"\x01\x7f\0\0\x01").await;
    drop(stream);
    let error = poll_fn(|cx| {
        session.poll_ahead(cx);
        session.poll_background(cx)
    });
    let error = timeout(LONG, error).await.unwrap();
    assert_eq!(error.to_string(), "the proxy has ended the relaying of datagrams");
}

#[tokio::test]
async fn what_a_proxy_refuses_is_said_on() {
    let cases: &[(&[u8], &str)] = &[
        (b"\x05\x07\x00\x01\0\0\0\0\0\0", "the proxy refuses: it doesn't support the command"),
        (
            b"\x05\x02\x00\x01\0\0\0\0\0\0",
            "the proxy refuses: its rules don't allow this connection",
        ),
        (b"\x05\x00\x00\x01\0\0\0\0\0\0", "the proxy names no port to send datagrams to"),
        (b"\x05\x00\x00\x01\0", "the connection ended inside a SOCKS message"),
        (b"", "the proxy closed the connection without an answer"),
    ];
    for (answer, words) in cases {
        let proxy = Proxy::new().await;
        let connector = connector(&format!("udp:192.0.2.53:53:{}", proxy.via()));
        let (cx, nobody) = (Context::new(), Info::new());
        let serving = async {
            let (mut stream, _) = proxy.server.accept().await.unwrap();
            let mut asked = [0; 3];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(b"\x05\x00").await.unwrap();
            stream.read_exact(&mut [0; 10]).await.unwrap();
            stream.write_all(answer).await.unwrap();
        };
        let (result, ()) = tokio::join!(connector.endpoint.connect(&cx, &nobody), serving);
        let at = proxy.server.local_addr().unwrap();
        assert_eq!(
            failure(result).to_string(),
            format!("cannot connect socks5-udp:{{tcp:{at}}}:host=192.0.2.53:port=53: {words}")
                .replace(&format!("tcp:{at}"), &format!("tcp:{}:{}", at.ip(), at.port()))
        );
    }
}

#[tokio::test]
async fn with_an_allow_list_the_address_is_sent() {
    let proxy = Proxy::new().await;
    let text = format!("udp:${{target.host}}:${{target.port}}:allow=loopback:{}", proxy.via());
    let connector = connector(&text);
    let cx = Context::new();
    let info = Info::new().with(Target::datagrams("localhost", 53));
    let connecting = connector.endpoint.connect(&cx, &info);
    let (conn, _stream) = tokio::join!(connecting, proxy.answers(b"\x01\0\0\0\0", None));
    let mut session = messages(conn.unwrap());
    send(&mut session, b"x").await.unwrap();
    let (_, got) = proxy.hears().await;
    assert!(
        matches!(Header::read(&got).unwrap().0.target.host, Host::Address(it) if it.is_loopback())
    );
    // Neither what isn't allowed nor a connection.
    for (asked, words) in [
        (Target::datagrams("192.0.2.1", 53), "`allow` doesn't permit 192.0.2.1, port 53"),
        (
            Target::new("localhost", 53),
            "the client requests a connection, but this destination sends datagrams",
        ),
    ] {
        let info = Info::new().with(asked);
        let (result, _accepted) =
            tokio::join!(connector.endpoint.connect(&cx, &info), proxy.server.accept());
        let error = failure(result).to_string();
        assert!(error.ends_with(words), "{error}");
    }
}

#[test]
fn a_proxy_of_another_sort_is_refused_when_it_is_planned() {
    let plan = |text: &str| {
        let found = common::registry().connector(text, Syntax::Extended).unwrap_err();
        Report::new(text, &found).to_string()
    };
    for proxy in ["http://p:3128", "socks4a://p", "environment", "ssh://p"] {
        let words = plan(&format!("udp:h.example:53:via={{{proxy}}}"));
        assert!(
            words.contains(
                "`via` must be the URL of a SOCKS 5 proxy: other proxies relay no datagrams"
            ),
            "{words}"
        );
    }
    let through = connector(
        "udp:[::1]:53:via={socks5://ada:secret@p}:allow=loopback:max-message=1k:timeout=5:keepalive=9",
    );
    assert_eq!(
        through.tree.descriptor,
        "socks5-udp:{tcp:p:1080:timeout=5:keepalive=9}:host={[::1]}:port=53:allow=loopback:max-message=1k:timeout=5:user=ada:password=…"
    );
}
