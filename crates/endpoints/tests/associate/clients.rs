//! The listening side: clients that ask for a relay.

use super::*;

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
