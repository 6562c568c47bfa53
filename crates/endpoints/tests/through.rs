//! `socks5`, `http-connect`, `via=` and `allow=`: clients that say where they want to go, and proxies that we ask.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod common;

use std::net::SocketAddr;

use common::{LONG, bind, connector, failure, registry, shown};
use descriptor::{Report, Syntax};
use endpoint::gate::Credentials;
use endpoint::info::Target;
use endpoint::{
    Accept, Accepted, Answer, Conn, Context, Info, Offer, Refusal, RefusalKind, Result,
};
use plan::kind::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

// === listening ===

async fn listen(kind: &str, more: &str) -> (Box<dyn Accept>, SocketAddr) {
    let accept =
        bind(&Context::new(), &format!("{kind}:{{tcp:0:interface=127.0.0.1}}{more}")).await;
    let at = accept.local().address.unwrap();
    (accept, at)
}

async fn next(accept: &mut dyn Accept) -> Result<Option<Offer>> {
    let mut incoming = accept.accept().await?.expect("there are more");
    timeout(LONG, incoming.next()).await.unwrap()
}

async fn session(offer: Offer) -> Conn {
    match offer.accept(Answer::default()).await.unwrap() {
        Accepted::Session(conn) => conn,
        other => panic!("{other:?}"),
    }
}

fn asked(offer: &Offer) -> (String, u16) {
    let Target { host, port, .. } = offer.info.get::<Target>().unwrap();
    (host.clone(), *port)
}

async fn says(at: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

async fn hears(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    timeout(LONG, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(LONG, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

const V5: &[u8] = b"\x05\x01\x00\x05\x01\x00\x03\x09h.example\x00\x50";
const V4A: &[u8] = b"\x04\x01\x00\x50\0\0\0\x01ada\0h.example\0";
const V4: &[u8] = b"\x04\x01\x00\x50\xc0\0\x02\x01\0";
const CONNECT: &[u8] = b"CONNECT h.example:80 HTTP/1.1\r\nHost: h.example:80\r\n\r\n";

#[tokio::test]
async fn a_client_is_answered_once_it_is_connected_and_what_it_sent_is_kept() {
    for (kind, request, yes) in [
        ("socks5", V5, &b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0"[..]),
        ("socks5", V4A, b"\x00\x5a\0\0\0\0\0\0"),
        ("http-connect", CONNECT, b"HTTP/1.1 200 Connection established\r\n\r\n"),
    ] {
        let (mut accept, at) = listen(kind, "").await;
        let mut client = says(at, &[request, b"early"].concat()).await;
        // Its end comes before the answer, too.
        client.shutdown().await.unwrap();
        let mut offer = next(&mut *accept).await.unwrap().unwrap();
        assert_eq!(asked(&offer), ("h.example".to_owned(), 80));
        let waits = timeout(std::time::Duration::from_millis(50), offer.left()).await;
        assert!(waits.is_err(), "it has only said that it has no more to send");
        let mut io = session(offer).await.into_io();
        let mut got = Vec::new();
        io.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"early", "{kind}");
        io.write_all(b"answer").await.unwrap();
        io.shutdown().await.unwrap();
        assert_eq!(rest(&mut client).await, [yes, b"answer"].concat());
    }
    let (mut accept, at) = listen("socks5", "").await;
    let _client = says(at, V4).await;
    let offer = next(&mut *accept).await.unwrap().unwrap();
    assert_eq!(asked(&offer), ("192.0.2.1".to_owned(), 80));
}

#[tokio::test]
async fn a_client_that_is_reset_has_left() {
    let (mut accept, at) = listen("socks5", "").await;
    let client = says(at, &V5[..3]).await;
    let coming = next(&mut *accept);
    let going = async {
        let mut client = client;
        assert_eq!(hears(&mut client, 2).await, [5, 0]);
        client.write_all(&V5[3..]).await.unwrap();
        client
    };
    let (offer, client) = tokio::join!(coming, going);
    let mut offer = offer.unwrap().unwrap();
    let socket = client.into_std().unwrap();
    socket2::SockRef::from(&socket).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(socket);
    timeout(LONG, offer.left()).await.unwrap();
}

#[tokio::test]
async fn refusals_are_said_in_the_clients_own_terms() {
    let kinds = [
        (RefusalKind::Busy, 1, "503 Service Unavailable"),
        (RefusalKind::Forbidden, 2, "403 Forbidden"),
        (RefusalKind::Refused, 5, "502 Bad Gateway"),
        (RefusalKind::Throttled, 1, "429 Too Many Requests"),
        (RefusalKind::Timeout, 4, "504 Gateway Timeout"),
        (RefusalKind::Unauthenticated, 2, "407 Proxy Authentication Required"),
    ];
    for (kind, code, status) in kinds {
        for (listener, request) in [("socks5", V5), ("socks5", V4A), ("http-connect", CONNECT)] {
            let (mut accept, at) = listen(listener, "").await;
            let mut client = says(at, request).await;
            let offer = next(&mut *accept).await.unwrap().unwrap();
            // The client closes once it has been told.
            let hearing = async move { rest(&mut client).await };
            let (got, ()) = tokio::join!(hearing, offer.refuse(Refusal::new(kind, "words")));
            match request[0] {
                5 => assert_eq!(got[..4], [5, 0, 5, code]),
                4 => assert_eq!(got[..2], [0, 91]),
                _ => {
                    let text = String::from_utf8(got).unwrap();
                    assert!(text.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{text}");
                    assert!(text.ends_with("\r\n\r\nwords\n"), "{text}");
                    assert_eq!(
                        text.contains("Proxy-Authenticate: Basic"),
                        code == 2 && status.starts_with("407")
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn names_and_passwords_are_for_the_gate() {
    let shown = |offer: &Offer| {
        let credentials = offer.info.get::<Credentials>()?;
        Some((credentials.user.clone()?, credentials.password.clone()?))
    };
    let ada = Some(("ada".to_owned(), "secret".to_owned()));
    let (mut accept, at) = listen("socks5", "").await;
    let login = b"\x05\x01\x02\x01\x03ada\x06secret\x05\x01\x00\x01\x7f\0\0\x01\0\x50";
    let mut client = says(at, login).await;
    let offer = next(&mut *accept).await.unwrap().unwrap();
    assert_eq!(shown(&offer), ada);
    assert_eq!(hears(&mut client, 4).await, [5, 2, 1, 0]);
    let conn = session(offer).await;
    assert!(conn.info.get::<Credentials>().is_none(), "they end with the check");
    let (mut accept, at) = listen("http-connect", "").await;
    let basic = b"CONNECT h:80 HTTP/1.1\r\nProxy-Authorization: basic YWRhOnNlY3JldA==\r\n\r\n";
    let _client = says(at, basic).await;
    assert_eq!(shown(&next(&mut *accept).await.unwrap().unwrap()), ada);
    // A client that could log in and needn't, doesn't.
    let (mut accept, at) = listen("socks5", "").await;
    let mut client = says(at, b"\x05\x03\x01\x02\x00\x05\x01\x00\x01\x7f\0\0\x01\0\x50").await;
    assert!(shown(&next(&mut *accept).await.unwrap().unwrap()).is_none());
    assert_eq!(hears(&mut client, 2).await, [5, 0]);
}

#[tokio::test]
async fn clients_that_ask_wrongly_are_told_so() {
    for (kind, bytes, words, answer) in [
        (
            "socks5",
            &b"GET / HTTP/1.1\r\n"[..],
            "received data that is not SOCKS: it begins with 0x47",
            &b""[..],
        ),
        (
            "socks5",
            b"\x05\x01\x01",
            "the client offers only unsupported authentication methods",
            b"\x05\xff",
        ),
        (
            "socks5",
            b"\x05\x01\x00\x05\x02\x00\x01\x7f\0\0\x01\0\x50",
            "the client asks for a listener (BIND), but only CONNECT and, in version 5, UDP ASSOCIATE are supported",
            b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0",
        ),
        (
            "socks5",
            b"\x04\x03\0\x35\xc0\0\x02\x01\0",
            "the client asks for datagrams in version 4, but only CONNECT and, in version 5, UDP ASSOCIATE are supported",
            b"\0\x5b\0\0\0\0\0\0",
        ),
        (
            "socks5",
            b"\x05\x01\x00\x05\x01\x00\x09",
            "a SOCKS message has the unknown address type 0x09",
            b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0",
        ),
        ("socks5", b"\x05\x01\x00\x05\x01\x00\x03", "no SOCKS request within 0.3 s", b"\x05\x00"),
        (
            "http-connect",
            b"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
            "received `GET`, but only CONNECT is supported",
            b"HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n",
        ),
        (
            "http-connect",
            b"CONNECT h HTTP/1.1\r\n\r\n",
            "CONNECT needs HOST:PORT, but received `h`",
            b"HTTP/1.1 400 Bad Request\r\n",
        ),
        (
            "http-connect",
            b"\x05\x01\x00",
            "received data that is not HTTP: invalid token",
            b"HTTP/1.1 400 Bad Request\r\n",
        ),
        ("http-connect", b"CONNECT h:80 HTTP", "no CONNECT request came within 0.3 s", b""),
    ] {
        let (mut accept, at) = listen(kind, ":handshake-timeout=300ms").await;
        let mut client = says(at, bytes).await;
        client.shutdown().await.ok();
        let mut client = if words.starts_with("no ") { says(at, bytes).await } else { client };
        if words.starts_with("no ") {
            let _ = next(&mut *accept).await;
        }
        let error = failure(next(&mut *accept).await).to_string();
        assert_eq!(error, format!("cannot accept {kind}:{{tcp:{at}}}: {words}"));
        let mut got = Vec::new();
        let _ = timeout(LONG, client.read_to_end(&mut got)).await.unwrap();
        assert!(got.starts_with(answer), "{words}: {:?}", String::from_utf8_lossy(&got));
    }
}

#[tokio::test]
async fn tokio_socks_is_connected() {
    use tokio_socks::tcp::{Socks4Stream, Socks5Stream};
    let (mut accept, at) = listen("socks5", "").await;
    let serving = async {
        let mut asked_for = Vec::new();
        for _ in 0..3 {
            let offer = next(&mut *accept).await.unwrap().unwrap();
            asked_for.push(asked(&offer));
            drop(session(offer).await);
        }
        asked_for
    };
    let asking = async {
        Socks5Stream::connect(at, ("h.example", 80)).await.unwrap();
        Socks5Stream::connect_with_password(at, ("::1", 81), "ada", "secret").await.unwrap();
        Socks4Stream::connect(at, ("h.example", 82)).await.unwrap();
    };
    let (asked_for, ()) = tokio::join!(serving, asking);
    let expected = [("h.example", 80), ("::1", 81), ("h.example", 82)];
    assert_eq!(asked_for, expected.map(|(host, port)| (host.to_owned(), port)));
}

// === connecting ===

/// Asks a proxy that sends `answer`. Returns the error or the session's first data, and the request that the proxy got.
async fn answered(
    text: &str,
    answer: &'static [&'static [u8]],
) -> (Result<Vec<u8>, String>, Vec<u8>) {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let text = text.replace("PROXY", &format!("tcp:{at}"));
    let connector = connector(&text);
    let (cx, nobody) = (Context::new(), Info::new());
    let asking = async {
        let conn = connector.endpoint.connect(&cx, &nobody).await.map_err(|error| shown(&error))?;
        let target = conn.info.get::<Target>().unwrap().host.clone();
        assert_eq!(target, "h.example");
        let mut got = Vec::new();
        let _ = conn.into_io().read_to_end(&mut got).await;
        Ok(got)
    };
    let serving = async {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut got = Vec::new();
        for piece in answer {
            got.resize(got.len() + 1024, 0);
            let start = got.len() - 1024;
            let read = stream.read(&mut got[start..]).await.unwrap();
            got.truncate(start + read);
            stream.write_all(piece).await.unwrap();
        }
        got
    };
    let (result, got) = timeout(LONG, async { tokio::join!(asking, serving) }).await.unwrap();
    let shown = result.map_err(|words: String| words.replace(&at.to_string(), "AT"));
    (shown, got)
}

const SOCKS: &str = "socks5:{PROXY}:host=h.example:port=80";
const HTTP: &str = "http-connect:{PROXY}:host=h.example:port=80";

#[tokio::test]
async fn what_a_proxy_sends_with_its_answer_is_kept() {
    let yes: &[&[u8]] = &[b"\x05\x00", b"\x05\x00\x00\x03\x05proxy\x00\x07early"];
    let (got, asked) = answered(SOCKS, yes).await;
    assert_eq!(got.unwrap(), b"early");
    assert_eq!(asked, b"\x05\x01\x00\x05\x01\x00\x03\x09h.example\x00\x50");
    let (got, asked) =
        answered(&format!("{SOCKS}:version=4a:user=ada"), &[b"\0\x5a\0\0\0\0\0\0early"]).await;
    assert_eq!(got.unwrap(), b"early");
    assert_eq!(asked, V4A);
    let yes: &[&[u8]] = &[b"HTTP/1.0 200 Connection established\r\nContent-Length: 3\r\n\r\nearly"];
    let (got, asked) = answered(HTTP, yes).await;
    assert_eq!(got.unwrap(), b"early");
    assert_eq!(asked, CONNECT);
}

#[tokio::test]
async fn a_login_is_shown_where_it_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, "secret\nanother line\n").unwrap();
    let more = format!(":user=ada:password-file={}", file.display());
    let yes: &[&[u8]] = &[b"\x05\x02", b"\x01\x00", b"\x05\x00\x00\x01\0\0\0\0\0\0"];
    let (got, asked) = answered(&format!("{SOCKS}{more}"), yes).await;
    got.unwrap();
    assert!(asked.starts_with(b"\x05\x02\x00\x02\x01\x03ada\x06secret\x05\x01"));
    let (got, asked) = answered(&format!("{HTTP}{more}"), &[b"HTTP/1.1 200 OK\r\n\r\n"]).await;
    got.unwrap();
    let asked = String::from_utf8(asked).unwrap();
    assert!(asked.contains("\r\nProxy-Authorization: Basic YWRhOnNlY3JldA==\r\n"), "{asked}");
}

#[tokio::test]
async fn what_proxies_say_is_said_on() {
    let cases: &[(&str, &[&[u8]], &str)] = &[
        (SOCKS, &[b"\x05\xff"], "the proxy requires authentication\nauthenticate with `user=` and `password-file=`"),
        (SOCKS, &[b"\x05\x00", b"\x05\x02\x00\x01\0\0\0\0\0\0"], "the proxy refuses: its rules don't allow this connection"),
        (SOCKS, &[b"\x05\x00", b"\x05\x04\x00\x01\0\0\0\0\0\0"], "the proxy refuses: the host can't be reached"),
        (SOCKS, &[b"\x05\x00", b"\x05\x00\x00\x01\0"], "the connection ended inside a SOCKS message"),
        (SOCKS, &[b"\x05\x00", b"\x05\x00\x00\x07"], "a SOCKS message has the unknown address type 0x07"),
        (SOCKS, &[b"\x05\x80"], "the proxy chose an authentication method that was not offered"),
        (SOCKS, &[b"HTTP/1.1 400 Bad Request\r\n\r\n"], "a SOCKS message has the unknown version 72"),
        (SOCKS, &[b""], "the proxy closed the connection without an answer"),
        (HTTP, &[b"HTTP/1.1 403 Filtered\r\nContent-Type: text/html\r\n\r\n<html><head><title>403 Filtered</title></head><body><h1>Filtered</h1>"],
            "the proxy answered 403 Filtered: Filtered"),
        (HTTP, &[b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nno such host"],
            "the proxy answered 503 Service Unavailable: no such host"),
        (HTTP, &[b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"],
            "the proxy answered 407 Proxy Authentication Required\nauthenticate with `user=` and `password-file=`"),
        (HTTP, &[b"HTTP/1.1 407 \r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n"],
            "the proxy answered 407\nthe proxy accepts only Negotiate, NTLM, but only Basic is supported: put a proxy such as cntlm or px in between"),
        (HTTP, &[b"\x05\x00"], "the proxy's answer is invalid: received data that is not HTTP: invalid HTTP version"),
        (HTTP, &[b"HTTP/1.1 200 OK\r\n"], "the proxy closed the connection within its answer"),
    ];
    for (text, answer, words) in cases {
        let (result, _) = answered(text, answer).await;
        let error = result.expect_err("it is refused");
        let text = text.replace("PROXY", "tcp:AT");
        assert_eq!(error, format!("cannot connect {text}: {words}"));
    }
    let endless: &[&[u8]] = &[&[b'x'; 20_000]];
    let (result, _) = answered(HTTP, endless).await;
    assert!(result.is_err());
}

#[tokio::test]
async fn a_proxy_that_is_silent_is_given_up() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    for kind in ["socks5", "http-connect"] {
        let text = format!("{kind}:{{tcp:{at}}}:host=h:port=1:timeout=200ms");
        let error = failure(connector(&text).endpoint.connect(&Context::new(), &Info::new()).await);
        assert!(error.to_string().ends_with("no answer from the proxy within 0.2 s"), "{error}");
    }
}

// === the allow-list ===

async fn dialled(allow: &str, host: &str, port: u16) -> Result<(), String> {
    let connector = connector(&format!("tcp:${{target.host}}:${{target.port}}:allow={{{allow}}}"));
    let info = Info::new().with(Target::new(host, port));
    let head = format!("cannot connect {}: ", connector.tree.descriptor);
    let conn = connector.endpoint.connect(&Context::new(), &info).await;
    conn.map(|_| ()).map_err(|error| {
        let words = error.to_string();
        format!("{:?} {}", error.kind(), words.strip_prefix(&head).unwrap())
    })
}

#[tokio::test]
async fn only_what_is_allowed_is_dialled() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    assert_eq!(dialled("127.0.0.1", "127.0.0.1", port).await, Ok(()));
    assert_eq!(dialled("127.0.0.0/8", "localhost", port).await, Ok(()));
    assert_eq!(dialled("loopback", "2130706433", port).await, Ok(()), "as the resolver reads it");
    let refused = |words: &str| Err(format!("Forbidden {words}"));
    assert_eq!(
        dialled("*", "127.0.0.1", port).await,
        refused(&format!("`allow` doesn't permit 127.0.0.1, port {port}"))
    );
    assert_eq!(
        dialled("localhost,*", "::ffff:127.0.0.1", port).await,
        refused(&format!("`allow` doesn't permit 127.0.0.1, port {port}"))
    );
    let named = dialled("localhost", "localhost", port).await.unwrap_err();
    assert!(
        named.starts_with("Forbidden `allow` doesn't permit `localhost`, which is "),
        "{named}"
    );
    assert_eq!(
        dialled("loopback", "a b", port).await,
        refused("the client requests `a b`, which is not a host")
    );
    assert_eq!(
        dialled("loopback", "h\u{7}/", 0).await,
        refused("the client requests `h\u{fffd}/`, which is not a host")
    );
    assert_eq!(
        dialled("loopback", "127.0.0.1", 0).await,
        refused("the client requests `0`, which is not a port")
    );
    let nothing = connector("tcp:${target.host}:80:allow=*");
    let error = failure(nothing.endpoint.connect(&Context::new(), &Info::new()).await).to_string();
    assert!(error.ends_with("the client's connection has no fact `target.host`"), "{error}");
}

#[tokio::test]
async fn with_a_proxy_the_address_is_sent_and_not_the_name() {
    let text = "socks5:{PROXY}:host=${target.host}:port=${target.port}:allow=loopback";
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = text.replace("PROXY", &format!("tcp:{}", server.local_addr().unwrap()));
    let connector = connector(&text);
    let (cx, info) = (Context::new(), Info::new().with(Target::new("localhost", 7)));
    let serving = async {
        let (mut stream, _) = server.accept().await.unwrap();
        assert_eq!(hears(&mut stream, 3).await, [5, 1, 0]);
        stream.write_all(&[5, 0]).await.unwrap();
        let kind = hears(&mut stream, 4).await[3];
        stream.write_all(b"\x05\x00\x00\x01\0\0\0\0\0\0").await.unwrap();
        kind
    };
    let (conn, kind) = tokio::join!(connector.endpoint.connect(&cx, &info), serving);
    assert!(matches!(kind, 1 | 4), "an address");
    assert_eq!(conn.unwrap().info.get::<Target>().unwrap().host, "localhost");
    let elsewhere = Info::new().with(Target::new("192.0.2.1", 7));
    let refused = failure(connector.endpoint.connect(&cx, &elsewhere).await);
    assert!(refused.to_string().ends_with("`allow` doesn't permit 192.0.2.1, port 7"), "{refused}");
}

#[test]
fn a_proxy_for_other_machines_has_to_be_meant() {
    let destination = |text: &str| connector(text);
    let listener = |text: &str| common::listener(text);
    let proxy = destination("tcp:${target.host}:${target.port}:allow=*");
    let through = destination("socks5:{tcp:p:1}:host=${target.host}:port=80:allow=*");
    let fixed = destination("socks5:{tcp:p:1}:host=h:port=80");
    let refused = |listen: &str, to| {
        plan::check_exposure(&listener(listen), to).err().map(|found| found.message)
    };
    assert_eq!(refused("socks5:1080", &proxy), None);
    assert_eq!(refused("socks5:{tcp:1080}", &fixed), None);
    assert_eq!(refused("socks5:{tcp:1080}:auth=none", &proxy), None);
    for to in [&proxy, &through] {
        let words = refused("socks5:{tcp:1080}", to).unwrap();
        assert!(
            words.starts_with(
                "other machines could reach any destination that they name, through your proxy, `"
            ),
            "{words}"
        );
    }
}

// === via ===

#[test]
fn via_is_the_layer_that_its_url_stands_for() {
    let planned =
        |text: &str| registry().connector(text, Syntax::Extended).unwrap().tree.descriptor;
    for (typed, meant) in [
        ("tcp:h:80:via={http://p:3128}", "http-connect:{tcp:p:3128}:host=h:port=80"),
        ("tcp:h:80:via={http://p}", "http-connect:{tcp:p:80}:host=h:port=80"),
        ("tcp:h:80:via={https://p}", "http-connect:{tls:{tcp:p:443}}:host=h:port=80"),
        ("tcp:h:80:via={socks5://127.0.0.1:9050}", "socks5:{tcp:127.0.0.1:9050}:host=h:port=80"),
        ("tcp:h:80:via={socks4a://p}", "socks5:{tcp:p:1080}:host=h:port=80:version=4a"),
        ("tcp:h:80:via={ssh://ada@b.example}", "ssh:{tcp:b.example:22}:host=h:port=80:user=ada"),
        (
            "tcp:h:80:via={ssh://b:2222}:timeout=5",
            "ssh:{tcp:b:2222:timeout=5}:host=h:port=80:timeout=5",
        ),
        ("tcp:[::1]:80:via={http://p}", "http-connect:{tcp:p:80}:host={[::1]}:port=80"),
        ("tcp:port=80:host=h:via={http://[::1]:8}", "http-connect:{tcp:{::1}:8}:host=h:port=80"),
        (
            "tcp:h:80:via={socks5://p:1}:nodelay=false:timeout=5:allow=*",
            "socks5:{tcp:p:1:nodelay=false:timeout=5}:host=h:port=80:timeout=5:allow=*",
        ),
        ("{tcp://h:80}:via={http://p}", "http-connect:{tcp:p:80}:host=h:port=80"),
        (
            "tcp:h:80:via={http://ada:hunter%3a2@p}",
            "http-connect:{tcp:p:80}:host=h:port=80:user=ada:password=…",
        ),
    ] {
        assert_eq!(planned(typed), meant, "{typed}");
    }
}

#[test]
fn options_behind_a_url_belong_to_whoever_has_them() {
    let planned = |text: &str| registry().connector(text, Syntax::Extended).unwrap().tree;
    let tree =
        planned("{wss://h.example/x}:via={socks5://127.0.0.1:9050}:ca=webpki:ping=9:nodelay=no");
    assert_eq!(
        tree.descriptor,
        "ws:{tls:{tcp:h.example:443:via={socks5://127.0.0.1:9050}:nodelay=no}:ca=webpki}:url={wss://h.example/x}:ping=9"
    );
    let socks = &tree.beneath[0].beneath[0];
    assert_eq!(socks.descriptor, "socks5:{tcp:127.0.0.1:9050:nodelay=no}:host=h.example:port=443");
    assert_eq!(
        planned("{tls://h:443}:insecure=true:timeout=5").beneath[0].descriptor,
        "tcp:h:443:timeout=5"
    );
    let unknown = registry().connector("{ws://h/}:nonsense=1", Syntax::Extended).unwrap_err();
    assert!(unknown[0].message.contains("`ws` has no parameter `nonsense`"), "{unknown:?}");
}

#[tokio::test]
async fn the_environment_names_a_proxy() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let connector = connector("tcp:h.example:80:via=environment");
    let cx = Context::with_environment([("ALL_PROXY".into(), format!("socks5://{at}").into())]);
    let nobody = Info::new();
    let serving = async {
        let (mut stream, _) = server.accept().await.unwrap();
        assert_eq!(hears(&mut stream, 3).await, [5, 1, 0]);
        stream.write_all(b"\x05\x00").await.unwrap();
        assert_eq!(hears(&mut stream, V5.len() - 3).await, V5[3..]);
        stream.write_all(b"\x05\x00\x00\x01\0\0\0\0\0\0").await.unwrap();
    };
    let (conn, ()) = tokio::join!(connector.endpoint.connect(&cx, &nobody), serving);
    conn.unwrap();
    let wrong = Context::with_environment([("HTTPS_PROXY".into(), "ftp://p".into())]);
    let error = failure(connector.endpoint.connect(&wrong, &nobody).await);
    assert_eq!(
        shown(&error),
        "cannot connect tcp:h.example:80:via=environment: `HTTPS_PROXY` in the environment is not the URL of a proxy\n\
         such as `http://proxy.example:3128` or `socks5://127.0.0.1:1080`"
    );
}

// === mistakes ===

#[test]
fn mistakes() {
    let shown = |role, text: &str| {
        let found = match role {
            Role::Listen => registry().listener(text, Syntax::Extended).map(|_| ()),
            Role::Connect => registry().connector(text, Syntax::Extended).map(|_| ()),
        };
        Report::new(text, &found.expect_err("it is a mistake")).to_string()
    };
    let connect = |text: &str| shown(Role::Connect, text);
    insta::assert_snapshot!(
        "mistakes",
        [
            connect("tcp:${target.host}:80"),
            connect("tcp:h:${target.port}"),
            connect("socks5:{tcp:p:1}:host=${target.host}:port=80"),
            connect("tcp:h:80o:allow=*"),
            connect("tcp:h:80:allow={10.0.0.0/33}"),
            connect("tcp:h:80:allow={!10.0.0.0/8}"),
            connect("tcp:h:80:via={ftp://p}"),
            connect("tcp:h:80:via={proxy:3128}"),
            connect("tcp:h:80:via={ssh://ada:secret@b}"),
            connect("ssh:{tcp:b:22}"),
            connect("ssh:{tcp:b:22}:host=h"),
            connect("ssh:{tcp:b:22}:host=h:port=1:unix=/s"),
            connect("ssh:{tcp:b:22}:host=${target.host}:port=1"),
            connect("ssh:{tcp:b:22}:host=h:port=1:user=${tls.sni}:keepalive=0.5"),
            connect("ssh:{tcp:b:22}:host=h:port=1:keepalive=0.5:timeout=0:name={a b}"),
            connect("ssh:{tcp:b:22}:host=h:port=1:known-hosts={a\"b}"),
            connect("tcp:h:via={http://p}"),
            connect("socks5:{tcp:p:1}:host=h"),
            connect("socks5:{tcp:p:1}:host=h:port=1:password=x"),
            connect("socks4:{tcp:p:1}:host=h:port=1:user=a:password=x"),
            connect("http-connect:{tcp:p:1}:host=h:port=1:user={a:b}"),
            connect("http-connect:{tcp:p:1}:host=h:port=1:timeout=0"),
            shown(Role::Listen, "socks5:1080:handshake-timeout=0"),
        ]
        .join("\n")
    );
}
