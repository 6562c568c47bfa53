//! `proxy`: the peers whose headers are trusted, the facts that are passed on, and the fate of everything
//! that is no header.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{LONG, accepted, bind, connector, failure, listener, registry};
use descriptor::{Report, Syntax};
use endpoint::info::{Proxied, Tcp};
use endpoint::{Accept, Conn, Context, Grants, Info, Result};
use proxy_protocol::{Addresses, Decoded, Header, Ssl, Tlv, Version, decode, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";

async fn listen(more: &str) -> (Box<dyn Accept>, SocketAddr) {
    let cx = Context::new().in_front_of(Grants::Service);
    let accept = bind(&cx, &format!("proxy:{{tcp:0:interface=127.0.0.1}}{more}")).await;
    let at = accept.local().address.unwrap();
    (accept, at)
}

/// Returns the result of accepting a connection that begins with `bytes`.
async fn said(
    accept: &mut dyn Accept,
    at: SocketAddr,
    bytes: &[u8],
) -> (Result<Option<Conn>>, TcpStream) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let coming = async {
        let mut incoming = accept.accept().await?.expect("there are more");
        match incoming.next().await? {
            Some(offer) => Ok(Some(accepted(offer).await)),
            None => Ok(None),
        }
    };
    (timeout(LONG, coming).await.unwrap(), stream)
}

async fn conn(accept: &mut dyn Accept, at: SocketAddr, bytes: &[u8]) -> (Conn, TcpStream) {
    let (conn, stream) = said(accept, at, bytes).await;
    (conn.unwrap().unwrap(), stream)
}

fn fact(info: &Info, name: &str) -> Option<String> {
    info.lookup("proxy", name).map(std::borrow::Cow::into_owned)
}

fn v2(tlvs: Vec<Tlv>) -> Vec<u8> {
    let source = "[2001:db8::1]:4711".parse().unwrap();
    let destination = "[2001:db8::2]:443".parse().unwrap();
    encode(&Header { addresses: Addresses::Inet { source, destination }, tlvs }, Version::V2)
        .unwrap()
}

#[tokio::test]
async fn the_client_is_the_one_that_is_named() {
    let (mut accept, at) = listen("").await;
    let (conn, mut peer) = conn(&mut *accept, at, &[LINE, b"first"].concat()).await;
    let own = peer.local_addr().unwrap();
    assert_eq!(conn.info.peer().unwrap(), format!("192.0.2.1:56324 (through {own})"));
    for (name, value) in [
        ("client", "192.0.2.1"),
        ("client_port", "56324"),
        ("destination", "192.0.2.2"),
        ("destination_port", "443"),
        ("peer", &own.to_string()),
    ] {
        assert_eq!(fact(&conn.info, name).as_deref(), Some(value), "{name}");
    }
    let mut io = conn.into_io();
    peer.write_all(b" and second").await.unwrap();
    peer.shutdown().await.unwrap();
    let mut got = String::new();
    io.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "first and second");
}

#[tokio::test]
async fn nothing_lies_between_the_session_and_its_socket() {
    let (mut accept, at) = listen("").await;
    for header in [LINE.to_vec(), v2(vec![Tlv::UniqueId(vec![7; 9])])] {
        let (conn, _peer) = conn(&mut *accept, at, &header).await;
        assert!(
            conn.transport.into_bytes().raw().is_some(),
            "its bytes can go past us in the kernel"
        );
    }
}

#[tokio::test]
async fn a_chain_of_proxies_is_believed_from_the_inside_out() {
    let cx = Context::new().in_front_of(Grants::Service);
    let text = "ws:{proxy:{tcp:0:interface=127.0.0.1}}:trusted=192.0.2.0/24:host=any";
    let mut accept = bind(&cx, text).await;
    let at = accept.local().address.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n";
    for (proxy, client) in [("192.0.2.1", "203.0.113.9"), ("198.51.100.1", "198.51.100.1")] {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let header = format!("PROXY TCP4 {proxy} 192.0.2.2 1 80\r\n{request}");
        stream.write_all(header.as_bytes()).await.unwrap();
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let offer = timeout(LONG, incoming.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(fact(&offer.info, "client").as_deref(), Some(client), "{proxy}");
        assert_eq!(fact(&offer.info, "destination").as_deref(), Some("192.0.2.2"));
    }
}

#[tokio::test]
async fn what_version_2_tells_beside_addresses_are_facts() {
    let (mut accept, at) = listen("").await;
    let ssl = Ssl {
        is_encrypted: true,
        has_certificate: true,
        is_verified: true,
        version: Some("TLSv1.3".into()),
        common_name: Some("alice".into()),
        cipher: Some("TLS_AES_256_GCM_SHA384".into()),
    };
    let tlvs = vec![
        Tlv::Alpn(b"http/1.1".to_vec()),
        Tlv::Authority("h.example".into()),
        Tlv::UniqueId(vec![0, 255]),
        Tlv::Ssl(ssl.clone()),
    ];
    let (conn1, _peer) = conn(&mut *accept, at, &v2(tlvs.clone())).await;
    for (name, value) in [
        ("client", "2001:db8::1"),
        ("alpn", "http/1.1"),
        ("authority", "h.example"),
        ("unique_id", "00ff"),
        ("tls.version", "TLSv1.3"),
        ("tls.cipher", "TLS_AES_256_GCM_SHA384"),
        ("tls.client.cn", "alice"),
    ] {
        assert_eq!(fact(&conn1.info, name).as_deref(), Some(value), "{name}");
    }
    let forged = Tlv::Ssl(Ssl { is_verified: false, ..ssl });
    let (conn, _peer) = conn(&mut *accept, at, &v2(vec![forged])).await;
    assert_eq!(fact(&conn.info, "tls.client.cn"), None, "nobody has verified it");
}

#[tokio::test]
async fn a_header_comes_in_pieces_of_any_size() {
    let (mut accept, at) = listen("").await;
    for header in [LINE.to_vec(), v2(vec![Tlv::Other(0xe0, vec![7; 65_000])])] {
        let sending = async {
            let mut stream = TcpStream::connect(at).await.unwrap();
            stream.set_nodelay(true).unwrap();
            for byte in header.iter().take(60) {
                stream.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
            if header.len() > 60 {
                stream.write_all(&header[60..]).await.unwrap();
            }
            stream.write_all(b"x").await.unwrap();
            stream
        };
        let coming = async {
            let mut incoming = accept.accept().await.unwrap().unwrap();
            accepted(incoming.next().await.unwrap().unwrap()).await
        };
        let (conn, _stream) = timeout(LONG, async { tokio::join!(coming, sending) }).await.unwrap();
        assert!(fact(&conn.info, "client").is_some());
        assert_eq!(conn.into_io().read_u8().await.unwrap(), b'x');
    }
}

#[tokio::test]
async fn a_proxy_that_speaks_for_itself_is_the_client() {
    let (mut accept, at) = listen("").await;
    let local = encode(&Header::new(Addresses::Local), Version::V2).unwrap();
    let (conn1, peer) = conn(&mut *accept, at, &local).await;
    assert_eq!(conn1.info.peer().unwrap(), peer.local_addr().unwrap().to_string());
    // A client of unknown address.
    let (conn, peer) = conn(&mut *accept, at, b"PROXY UNKNOWN\r\nabc").await;
    assert_eq!(fact(&conn.info, "client"), None);
    assert_eq!(conn.info.peer().unwrap(), peer.local_addr().unwrap().to_string());
    // The data behind the shortest header is whole.
    let mut first = [0; 3];
    conn.into_io().read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"abc");
}

#[tokio::test]
async fn what_is_no_header_is_said_once() {
    let (mut accept, at) = listen(":handshake-timeout=300ms").await;
    let head = format!("cannot accept proxy:{{tcp:{at}}}: ");
    for (bytes, words) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "the stream doesn't begin with a PROXY header"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n", "the line of a PROXY header is malformed"),
        (
            &[b"PROXY UNKNOWN ".as_slice(), &[b'x'; 107]].concat(),
            "the line of a PROXY header has more than 107 bytes",
        ),
        (b"\r\n\r\n\0\r\nQUIT\n\x13", "a PROXY header has an unknown version or command"),
        (b"PROXY TCP4 1.2.3", "no PROXY header came within 0.3 s"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", "no PROXY header came within 0.3 s"),
        (b"", "no PROXY header came within 0.3 s"),
    ] {
        let (result, _stream) = said(&mut *accept, at, bytes).await;
        assert_eq!(failure(result).to_string(), format!("{head}{words}"));
    }
    // Cut by an end.
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(&LINE[..20]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut incoming = accept.accept().await.unwrap().unwrap();
    let error = incoming.next().await.unwrap_err().to_string();
    assert!(
        error.contains("the connection ended within the PROXY header, after 20 bytes"),
        "{error}"
    );
    // A port that is only looked at is nothing to report.
    drop(TcpStream::connect(at).await.unwrap());
    let mut incoming = accept.accept().await.unwrap().unwrap();
    assert!(incoming.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_second_header_is_data_unless_somebody_reads_it() {
    let (mut accept, at) = listen("").await;
    let inner = b"PROXY TCP4 203.0.113.9 192.0.2.2 7 80\r\n";
    let both = [LINE, &inner[..], b"data"].concat();
    let (conn1, mut peer) = conn(&mut *accept, at, &both).await;
    peer.shutdown().await.unwrap();
    assert_eq!(fact(&conn1.info, "client").as_deref(), Some("192.0.2.1"));
    let mut got = Vec::new();
    conn1.into_io().read_to_end(&mut got).await.unwrap();
    assert_eq!(got, both[LINE.len()..]);
    let text = "proxy:{proxy:{tcp:0:interface=127.0.0.1}}:trusted=192.0.2.1";
    let mut accept = bind(&Context::new(), text).await;
    let at = accept.local().address.unwrap();
    let (conn, _peer) = conn(&mut *accept, at, &both).await;
    assert_eq!(fact(&conn.info, "client").as_deref(), Some("203.0.113.9"));
}

#[tokio::test]
async fn others_are_not_believed() {
    let (mut accept, at) = listen(":trusted=10.0.0.0/8").await;
    let (result, peer) = said(&mut *accept, at, LINE).await;
    let error = failure(result);
    let own = peer.local_addr().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot accept proxy:{{tcp:{at}}}: {own} isn't `trusted`, so its header is not accepted"
        )
    );
    assert_eq!(error.hint(), Some("`trusted=` names the proxies' addresses or networks"));
    // Where they may come, their header is data.
    let (mut accept, at) = listen(":trusted=10.0.0.0/8:required=false").await;
    let (conn, mut peer) = conn(&mut *accept, at, LINE).await;
    assert!(conn.info.get::<Proxied>().is_none());
    peer.shutdown().await.unwrap();
    let mut got = Vec::new();
    conn.into_io().read_to_end(&mut got).await.unwrap();
    assert_eq!(got, LINE);
}

#[tokio::test]
async fn a_header_that_is_not_required_may_be_missing() {
    let (mut accept, at) = listen(":required=false").await;
    for first in [&b"hello"[..], b"PROX", b"\r\n", b""] {
        let (conn, mut peer) = conn(&mut *accept, at, first).await;
        assert!(conn.info.get::<Proxied>().is_none());
        peer.write_all(b"!").await.unwrap();
        peer.shutdown().await.unwrap();
        let mut got = Vec::new();
        conn.into_io().read_to_end(&mut got).await.unwrap();
        assert_eq!(got, [first, b"!"].concat());
    }
    let (conn, _peer) = conn(&mut *accept, at, LINE).await;
    assert!(conn.info.get::<Proxied>().is_some());
}

#[tokio::test]
async fn a_web_page_does_not_reach_a_program_without_a_header() {
    for trusted in ["loopback", "10.0.0.0/8"] {
        let text = format!("proxy:{{tcp:0:interface=127.0.0.1}}:required=false:trusted={trusted}");
        let mut accept = bind(&Context::new(), &text).await;
        let at = accept.local().address.unwrap();
        let (result, _peer) =
            said(&mut *accept, at, b"POST / HTTP/1.1\r\nHost: x\r\n\r\nid\n").await;
        let error = failure(result).to_string();
        assert!(error.contains("refused an HTTP request: web pages must not"), "{error}");
        let (conn, _peer) = conn(&mut *accept, at, b"id\n").await;
        assert_eq!(conn.into_io().read_u8().await.unwrap(), b'i');
    }
}

/// Returns the header that a destination gets about a client.
async fn told(near: &Info, send: &str) -> Header {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let connector = connector(&format!("proxy:{{tcp:{at}}}:send={send}"));
    let cx = Context::new();
    let (conn, accepted) = tokio::join!(connector.endpoint.connect(&cx, near), server.accept());
    let (mut io, mut stream) = (conn.unwrap().into_io(), accepted.unwrap().0);
    io.write_all(b"data").await.unwrap();
    io.shutdown().await.unwrap();
    let mut got = Vec::new();
    stream.read_to_end(&mut got).await.unwrap();
    let Ok(Decoded::Header(header, length)) = decode(&got) else { panic!("{got:?}") };
    assert_eq!(&got[length..], b"data");
    header
}

#[tokio::test]
async fn a_destination_is_told_the_client() {
    let at = |text: &str| text.parse::<SocketAddr>().unwrap();
    let (local, peer) = (at("192.0.2.2:443"), at("192.0.2.1:4711"));
    let tcp = Info::new().with(Tcp { local, peer });
    let inet = |source, destination| Addresses::Inet { source, destination };
    for send in ["v1", "v2"] {
        assert_eq!(told(&tcp, send).await, Header::new(inet(peer, local)));
    }
    // As a trusted proxy's X-Forwarded-For has it.
    let mut proxied = Proxied::by(Some("192.0.2.1:4711".to_owned()));
    proxied.client = Some(at("203.0.113.9:1").ip());
    let behind = tcp.clone().with(proxied.clone());
    assert_eq!(told(&behind, "v2").await.source(), Some(at("203.0.113.9:0")));
    assert_eq!(told(&behind, "v2").await.destination(), Some(local));
    // As a PROXY header has it.
    (proxied.client_port, proxied.destination) = (Some(77), Some(at("203.0.113.1:80")));
    let behind = tcp.clone().with(proxied);
    let both = inet(at("203.0.113.9:77"), at("203.0.113.1:80"));
    assert_eq!(told(&behind, "v1").await, Header::new(both));
    // No client.
    assert_eq!(told(&Info::new(), "v1").await.addresses, Addresses::Unknown);
    assert_eq!(told(&Info::new(), "v2").await.addresses, Addresses::Local);
}

#[tokio::test]
async fn what_was_told_is_told_on() {
    let (mut accept, at) = listen("").await;
    let tlvs = vec![
        Tlv::Authority("h.example".into()),
        Tlv::Ssl(Ssl { is_encrypted: true, version: Some("TLSv1.2".into()), ..Ssl::default() }),
        Tlv::UniqueId(b"id-1".to_vec()),
    ];
    let (conn, _peer) = conn(&mut *accept, at, &v2(tlvs.clone())).await;
    let header = told(&conn.info, "v2").await;
    assert_eq!(header.source(), Some("[2001:db8::1]:4711".parse().unwrap()));
    assert_eq!(header.tlvs, tlvs);
    assert_eq!(told(&conn.info, "v1").await.tlvs, []);
}

#[tokio::test]
async fn tls_of_the_client_is_told_on() {
    let cx = Context::new();
    let mut accept = bind(&cx, "tls:{tcp:0:interface=127.0.0.1}:cert=self-signed:alpn=mqtt").await;
    let at = accept.local().address.unwrap();
    let client = connector(&format!("tls:{{tcp:{at}}}:insecure=true:name=h.example:alpn=mqtt"));
    let nobody = Info::new();
    let there = async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        accepted(incoming.next().await.unwrap().unwrap()).await
    };
    let (client, conn) = tokio::join!(client.endpoint.connect(&cx, &nobody), there);
    let header = told(&conn.info, "v2").await;
    assert_eq!(header.source().map(|it| it.ip().is_loopback()), Some(true));
    let ssl = Ssl { is_encrypted: true, version: Some("TLSv1.3".into()), ..Ssl::default() };
    let tlvs = [Tlv::Alpn(b"mqtt".to_vec()), Tlv::Authority("h.example".into()), Tlv::Ssl(ssl)];
    assert_eq!(header.tlvs, tlvs);
    drop(client);
    // With a certificate.
    let header = told(&Info::new().with(Certificate), "v2").await;
    let ssl = Ssl {
        is_encrypted: true,
        has_certificate: true,
        is_verified: true,
        common_name: Some("alice".into()),
        ..Ssl::default()
    };
    assert_eq!(header.tlvs, [Tlv::Ssl(ssl)]);
}

/// The facts that a TLS layer has about a client's certificate.
#[derive(Clone, Debug)]
struct Certificate;

impl endpoint::Fact for Certificate {
    fn root(&self) -> &'static str {
        "tls"
    }

    fn get(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        match name {
            "client.fingerprint" => Some("ab".into()),
            "client.cn" => Some("alice".into()),
            _ => None,
        }
    }
}

#[test]
fn twisteds_spelling_takes_the_rest_as_it_stands() {
    for (text, syntax) in [
        ("haproxy:tcp:80:interface=127.0.0.1", Syntax::Twisted),
        ("haproxy:tcp:80:interface=127.0.0.1", Syntax::Extended),
        ("haproxy:{tcp:80:interface=127.0.0.1}", Syntax::Extended),
    ] {
        let tree = registry().listener(text, syntax).unwrap().tree;
        assert_eq!(tree.beneath[0].descriptor, "tcp:80:interface=127.0.0.1", "{text}");
    }
    let stacked = registry().listener("haproxy:haproxy:unix:/x:mode=600", Syntax::Twisted).unwrap();
    assert_eq!(stacked.tree.beneath[0].beneath[0].kind, "unix");
    let tree = listener("haproxy:9000:trusted=any").tree;
    assert!(tree.beneath[0].descriptor.contains("127.0.0.1"));
}

/// A header is read from the connection, so it is accepted before its destination is connected.
#[tokio::test]
async fn what_comes_before_the_destination_is_connected_is_kept_and_a_reset_is_leaving() {
    let (mut accept, at) = listen(":trusted=loopback").await;
    let mut offers = Vec::new();
    for _ in 0..2 {
        let mut client = TcpStream::connect(at).await.unwrap();
        client.write_all(LINE).await.unwrap();
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let mut offer = timeout(LONG, incoming.next()).await.unwrap().unwrap().unwrap();
        client.write_all(b"early").await.unwrap();
        assert!(
            timeout(Duration::from_millis(100), offer.left()).await.is_err(),
            "data is not leaving"
        );
        offers.push((offer, client));
    }
    let (mut offer, client) = offers.pop().unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    timeout(LONG, offer.left()).await.unwrap();
    let (offer, mut client) = offers.pop().unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    let mut io = accepted(offer).await.into_io();
    timeout(LONG, io.read_to_end(&mut got)).await.unwrap().unwrap();
    assert_eq!(got, b"early");
}

#[test]
fn mistakes() {
    let shown = |text: &str| {
        let found = registry().listener(text, Syntax::Extended).expect_err("it is a mistake");
        Report::new(text, &found).to_string()
    };
    insta::assert_snapshot!(shown("proxy:9000:trusted=balancer.example"), @r"
    error: `balancer.example` is not a network
      | proxy:9000:trusted=balancer.example
      |                    ^^^^^^^^^^^^^^^^
      = help: a network is `10.0.0.0/8`, an address `192.0.2.1`; or `loopback`, `private`, `unix`, `any`; names are not looked up
    ");
    insta::assert_snapshot!(shown("proxy:9000:trusted="), @r"
    error: `trusted` is empty, so no header would be accepted
      | proxy:9000:trusted=
      |                    ^
    ");
    insta::assert_snapshot!(shown("proxy:9000:handshake-timeout=0"), @r"
    error: `handshake-timeout` must be more than 0: otherwise a silent peer is never closed
      | proxy:9000:handshake-timeout=0
      |                              ^
    ");
}
