//! The connecting side against a raw server.

use endpoint::info::{Http, Tcp};
use endpoint::{Conn, Context, End, ErrorKind, Info, Result};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::*;

/// Connects to a server that answers with what `answer` makes of the key. The server's end, the
/// request, and what came of it.
async fn dial(
    parameters: &str,
    near: &Info,
    answer: impl Fn(&str) -> String,
) -> (Peer, String, Result<Conn>) {
    let cx = Context::new();
    let mut accept = bind(&cx, "mem:c").await;
    let text = format!("ws:{{mem:c}}{parameters}");
    let server = async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let conn = accepted(incoming.next().await.unwrap().unwrap()).await;
        let mut peer = Peer::new(conn.into_io());
        let request = peer.head().await;
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        peer.send(answer(&derive_accept_key(key.unwrap().as_bytes()))).await;
        (peer, request)
    };
    let client = connect_for(&cx, &text, near);
    let ((peer, request), conn) = tokio::join!(server, client);
    (peer, request, conn)
}

fn right(accept: &str) -> String {
    switching(accept, "")
}

fn switching(accept: &str, more: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn the_request_is_as_asked_for() {
    let parameters = ":url={ws://device.local:8080/a?b=c}:subprotocol={mqtt,base64}:\
                      header.x-token=secret:origin={http://a.example}";
    let named = format!("{parameters}:host=other.local");
    let (_peer, request, _) = dial(&named, &Info::new(), right).await;
    assert!(request.contains("\r\nHost: other.local\r\n"), "{request}");
    let (_peer, request, conn) = dial(parameters, &Info::new(), right).await;
    for line in [
        "GET /a?b=c HTTP/1.1\r\n",
        "\r\nHost: device.local:8080\r\n",
        "\r\nUpgrade: websocket\r\n",
        "\r\nSec-WebSocket-Version: 13\r\n",
        "\r\nSec-WebSocket-Protocol: mqtt, base64, binary\r\n",
        "\r\nOrigin: http://a.example\r\n",
        "\r\nx-token: secret\r\n",
    ] {
        assert!(request.contains(line), "{line:?} is missing: {request}");
    }
    let info = conn.unwrap().info;
    assert_eq!(info.lookup("http", "path").as_deref(), Some("/a"));
    assert_eq!(info.lookup("http", "subprotocol"), None);
    let (_, request, _) = dial("", &Info::new(), right).await;
    assert!(request.starts_with("GET / HTTP/1.1\r\nHost: localhost\r\n"), "{request}");
    assert!(request.contains("Sec-WebSocket-Protocol: binary\r\n"), "{request}");
    let (_, request, _) = dial(":subprotocol=", &Info::new(), right).await;
    assert!(!request.contains("Protocol"), "{request}");
}

#[tokio::test]
async fn what_a_client_offers_is_asked_of_the_server() {
    for (parameters, near, offered) in [
        ("", &[][..], None),
        ("", &["mqtt", "binary"], Some("mqtt, binary")),
        ("", &["endpointforward.v1", "binary"], Some("binary")),
        ("", &["endpointforward.v1"], Some("binary")),
        (":subprotocol=chat", &["mqtt"], Some("chat, binary")),
        (":subprotocol=", &["mqtt"], None),
    ] {
        let mut http = Http::default();
        http.subprotocols = near.iter().map(|&name| name.to_owned()).collect();
        let (_, request, _) = dial(parameters, &Info::new().with(http), right).await;
        let line = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
        assert_eq!(line, offered, "{parameters} {near:?}");
    }
}

#[tokio::test]
async fn facts_fill_the_path_and_cannot_break_out_of_it() {
    let mut http = Http::default();
    http.path = "/a b\r\nX-Evil: 1".to_owned();
    let near = Info::new().with(http);
    let (_, request, _) = dial(":path={${http.path}}", &near, right).await;
    assert!(request.starts_with("GET /a%20b%0D%0AX-Evil:%201 HTTP/1.1\r\n"), "{request}");
    let cx = Context::new();
    let _accept = bind(&cx, "mem:c").await;
    let failed = connect_for(&cx, "ws:{mem:c}:header.x={${http.path}}", &near).await;
    let error = failed.expect_err("that would be another header");
    assert!(error.to_string().contains("control characters"), "{error}");
    let failed = connect_for(&cx, "ws:{mem:c}:path={${tcp.peer}}", &near).await;
    assert_eq!(failed.expect_err("nothing is known").kind(), ErrorKind::NotFound);
    let peer = "192.0.2.1:5".parse().unwrap();
    let near = Info::new().with(Tcp { local: peer, peer });
    let (_, request, _) = dial(":header.x-forwarded-for={${tcp.peer_host}}", &near, right).await;
    assert!(request.contains("x-forwarded-for: 192.0.2.1\r\n"), "{request}");
}

#[tokio::test]
async fn what_a_url_says_is_sent_as_it_is_meant() {
    let (_, request, _) = dial(":url={ws://h/my file?a b}", &Info::new(), right).await;
    assert!(request.starts_with("GET /my%20file?a%20b HTTP/1.1\r\nHost: h\r\n"), "{request}");
    // The credentials of RFC 7617, and a password with a character of a URL in it.
    for (user, header) in [
        ("Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("me:a%40b%3Ac", "Basic bWU6YUBiOmM="),
        ("me", "Basic bWU6"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{user}@{}/", listener.local_addr().unwrap());
        let connecting = tokio::spawn(async move {
            let _unanswered = connect_for(&Context::new(), &url, &Info::new()).await;
        });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        let request = String::from_utf8_lossy(&request[..length]);
        assert!(request.contains(&format!("\r\nauthorization: {header}\r\n")), "{request}");
        connecting.abort();
    }
}

#[tokio::test]
async fn refusals_tell_the_status_and_the_first_line() {
    for (status, body, kind) in [
        ("404 Not Found", "nothing here\nmore", ErrorKind::Refused),
        ("403 Forbidden", "not you\u{1b}[31m", ErrorKind::Permission),
        ("401 Unauthorized", "", ErrorKind::Permission),
        ("502 Bad Gateway", "connection refused", ErrorKind::Refused),
        ("504 Gateway Timeout", "too slow", ErrorKind::Timeout),
        ("200 OK", "hello", ErrorKind::Refused),
    ] {
        let answer = |_: &str| {
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        };
        let (_peer, _, conn) = dial("", &Info::new(), answer).await;
        let error = conn.expect_err("it was refused");
        assert_eq!(error.kind(), kind);
        let words = error.to_string();
        assert!(words.contains(status), "{words}");
        assert!(words.contains(body.lines().next().unwrap_or("").trim_end_matches("\u{1b}[31m")));
        assert!(!words.contains(['\u{1b}', '\n']), "{words:?}");
    }
}

/// A server may send 100, 102 or 103 ahead of its answer (RFC 9110 section 15.2).
#[tokio::test]
async fn interim_answers_are_skipped() {
    let early =
        "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    let (_peer, _, conn) = dial("", &Info::new(), |key| format!("{early}{}", right(key))).await;
    conn.unwrap();
    let endless = |_: &str| "HTTP/1.1 102 Processing\r\n\r\n".repeat(20);
    let (_peer, _, conn) = dial("", &Info::new(), endless).await;
    assert_eq!(conn.err().unwrap().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn a_redirection_says_where_to_and_a_401_what_is_missing() {
    for (answer, words) in [
        (
            "HTTP/1.1 301 Moved Permanently\r\nLocation: https://a.example/x\r\n\r\n",
            "`https://a.example/x`",
        ),
        ("HTTP/1.1 401 Unauthorized\r\n\r\n", "`header.authorization=`"),
    ] {
        let (_peer, _, conn) = dial("", &Info::new(), |_| answer.to_owned()).await;
        let error = conn.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn wrong_answers_are_errors() {
    for (more, words) in [
        ("Sec-WebSocket-Protocol: chat\r\n", "which was not offered"),
        (
            "Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Protocol: binary\r\n",
            "not a single value",
        ),
        ("Sec-WebSocket-Extensions: permessage-deflate\r\n", "were not offered"),
    ] {
        let (_, _, conn) = dial("", &Info::new(), |accept| switching(accept, more)).await;
        let error = conn.expect_err("the answer is wrong");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
    for (answer, words) in [
        (switching("AAAA", ""), "not the one for our key"),
        ("HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n".to_owned(), "no `upgrade: websocket`"),
        ("SSH-2.0-OpenSSH_9\r\n\r\n".to_owned(), "not HTTP"),
        (
            "HTTP/1.0 301 Moved\r\nLocation: /there/\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "301 Moved Permanently, a redirect to `/there/`",
        ),
        (
            "HTTP/1.0 101 X\r\nUpgrade: websocket\r\n\r\n".to_owned(),
            "HTTP/1.0, which has no WebSocket",
        ),
        (format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(20_000)), "16 KiB"),
    ] {
        let (_, _, conn) = dial("", &Info::new(), |_| answer.clone()).await;
        let error = conn.expect_err("the answer is wrong");
        assert!(error.to_string().contains(words), "{error}");
    }
    let (_, _, conn) = dial(":none=refuse", &Info::new(), right).await;
    let error = conn.expect_err("none was chosen");
    assert!(error.to_string().contains("chose none of the subprotocols `binary`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_a_timeout() {
    let (_peer, _, conn) = dial(":timeout=2", &Info::new(), |_| String::new()).await;
    assert_eq!(conn.expect_err("nothing came").kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn frames_right_behind_the_answer_are_not_lost() {
    let answer = |accept: &str| {
        let mut answer = switching(accept, "Sec-WebSocket-Protocol: binary\r\n");
        answer.push_str(std::str::from_utf8(&plain(0x82, b"banner")).unwrap_or("\u{2}"));
        answer
    };
    // 0x82 is no UTF-8; the frame is sent by itself, together with another.
    let _ = answer;
    let (mut peer, _, conn) = dial("", &Info::new(), right).await;
    peer.send([plain(0x82, b"ban"), plain(0x82, b"ner")].concat()).await;
    let mut ws = conn.unwrap().transport.into_bytes();
    assert_eq!(read_exact(&mut *ws, 6).await, b"banner");
    // Text of ASCII can be right behind it.
    let text = |accept: &str| right(accept) + "\u{1}\u{2}hi";
    let (mut peer, _, conn) = dial("", &Info::new(), text).await;
    peer.send(plain(0x80, b"!")).await;
    let mut ws = conn.unwrap().transport.into_bytes();
    assert_eq!(read_exact(&mut *ws, 3).await, b"hi!");
}

#[tokio::test]
async fn a_client_masks_and_leaves_the_end_of_tcp_to_the_server() {
    let (mut peer, _, conn) = dial("", &Info::new(), right).await;
    let mut ws = conn.unwrap().transport.into_bytes();
    write(&mut *ws, b"hello").await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.first, frame.masked, &*frame.payload), (0x82, true, &b"hello"[..]));
    finish(&mut *ws, &End::eof()).await;
    let close = peer.frame().await.unwrap();
    assert!(close.masked);
    assert_eq!(close.close_code(), Some(1000));
    assert!(peer.is_quiet().await, "TCP is the server's to end");
    peer.send(plain(0x82, b"late")).await;
    peer.send(plain(0x88, b"\x03\xe8")).await;
    assert_eq!(read(&mut *ws).await.unwrap(), b"late");
    assert!(read(&mut *ws).await.unwrap().is_empty());
    // A masked frame is a mistake of a server's.
    let (mut peer, _, conn) = dial("", &Info::new(), right).await;
    let mut ws = conn.unwrap().transport.into_bytes();
    peer.send(masked(0x82, b"x")).await;
    read(&mut *ws).await.expect_err("servers don't mask");
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1002));
}

#[tokio::test]
async fn errors_do_not_tell_secrets() {
    let cx = Context::new();
    let text = "ws:{mem:c}:header.authorization={Basic hunter2}";
    let mut accept = bind(&cx, "mem:c").await;
    let server = async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        drop(accepted(incoming.next().await.unwrap().unwrap()).await);
    };
    let (conn, ()) = tokio::join!(connect(&cx, text), server);
    let error = conn.expect_err("the server hung up");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    let plan = registry().connector(text, descriptor::Syntax::Extended).unwrap();
    assert!(!format!("{:?}", plan.endpoint).contains("hunter2"));
}
