//! The connecting side: datagrams through a proxy.

use super::*;

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
