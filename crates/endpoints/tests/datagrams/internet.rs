//! UDP: addresses, peers of one socket, bursts, losses and options.

use super::*;

/// Some are sent and received with one call, some can't be: none is merged with another, and their order stays.
async fn bursts_keep_boundaries(listen: &str, largest: usize) {
    let mut kind = Kind::new(listen).await;
    let (mut near, mut far) = kind.pair(b"").await;
    let bursts: [&[usize]; 7] = [
        &[64; 30],
        &[1200; 60],
        // More than the queue of a session has room for.
        &[1200; 150],
        &[7, 7, 7, 3, 3, 9, 0, 0, 9, 9, 1],
        &[largest, largest / 2, largest / 2, 1],
        // Fragments, on most networks.
        &[9000; 7],
        &[33_000, 33_000, 32_000, 32_000],
    ];
    for sizes in bursts {
        for (from, to) in [(0, 1), (1, 0)] {
            let ends = [&mut near, &mut far];
            send_at_once(ends[from], sizes).await.unwrap();
            for (number, size) in sizes.iter().enumerate() {
                let expected = noise(number as u64, *size);
                assert!(message(ends[to]).await == expected, "{number} of {sizes:?}");
            }
        }
    }
}

#[tokio::test]
async fn bursts_of_udp_keep_boundaries() {
    for listen in ["udp:0:interface=127.0.0.1", "udp:0", "udp:0:pktinfo=false"] {
        bursts_keep_boundaries(listen, 65_507).await;
    }
}

#[tokio::test]
async fn bursts_over_ipv6_keep_boundaries() {
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    for listen in ["udp:0:interface={::1}", "udp:0:interface={::}"] {
        bursts_keep_boundaries(listen, 65_507).await;
    }
}

#[tokio::test]
async fn over_ipv6_too() {
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    let mut kind = Kind::new("udp:0:interface={::1}").await;
    assert!(kind.connects.starts_with("udp:[::1]:"));
    let (mut near, mut far) = kind.pair(b"over IPv6").await;
    send(&mut far, Part::binary("back")).await.unwrap();
    assert_eq!(message(&mut near).await, b"back");
}

/// 127.0.0.2 is this machine's as well; without the option the answer would leave from 127.0.0.1.
#[tokio::test]
async fn answers_leave_from_the_address_that_was_sent_to() {
    let cx = Context::new();
    let mut accept = bind(&cx, "udp:0").await;
    let port = accept.local().address.unwrap().port();
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.send_to(b"hello", ("127.0.0.2", port)).await.unwrap();
    let offer = offer(&mut *accept).await;
    assert_eq!(offer.info.lookup("udp", "local").unwrap(), format!("127.0.0.2:{port}"));
    let mut far = messages(accepted(offer).await);
    assert_eq!(message(&mut far).await, b"hello");
    send(&mut far, Part::binary("back")).await.unwrap();
    let mut buf = [0; 16];
    let (_, from) = timeout(LONG, client.recv_from(&mut buf)).await.unwrap().unwrap();
    assert_eq!(from.to_string(), format!("127.0.0.2:{port}"));
}

#[tokio::test]
async fn a_silent_session_ends_and_an_active_one_does_not() {
    let mut kind = Kind::new("udp:0:interface=127.0.0.1:idle=300ms").await;
    let (mut near, mut far) = kind.pair(b"x").await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(900) {
        send(&mut near, Part::binary("still there")).await.unwrap();
        assert_eq!(message(&mut far).await, b"still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(next(&mut far).await.is_none());
    let end = far.end();
    assert_eq!((end.why, &*end.reason), (Reason::EndOfStream, "silent for 0.3 s"));
    drop(far);
    // The same peer begins anew.
    send(&mut near, Part::binary("again")).await.unwrap();
    let mut far = messages(accepted(offer(&mut *kind.accept).await).await);
    assert_eq!(message(&mut far).await, b"again");
}

#[tokio::test]
async fn the_oldest_silent_peer_makes_room_and_an_answered_one_comes_last() {
    let mut kind = Kind::new("udp:0:interface=127.0.0.1:max-peers=3").await;
    let (mut near_a, mut far_a) = kind.pair(b"a").await;
    let (_near_b, mut far_b) = kind.pair(b"b").await;
    let (_near_c, mut far_c) = kind.pair(b"c").await;
    send(&mut far_a, Part::binary("answer")).await.unwrap();
    assert_eq!(message(&mut near_a).await, b"answer");
    send(&mut near_a, Part::binary("thanks")).await.unwrap();
    assert_eq!(message(&mut far_a).await, b"thanks");
    let (_near_d, _far_d) = kind.pair(b"d").await;
    assert!(next(&mut far_b).await.is_none());
    assert_eq!(far_b.end().why, Reason::GaveWay);
    let (_near_e, _far_e) = kind.pair(b"e").await;
    assert!(next(&mut far_c).await.is_none());
    send(&mut near_a, Part::binary("here still")).await.unwrap();
    assert_eq!(message(&mut far_a).await, b"here still");
}

/// Each of 100,000 peers sends once, and gets no answer. Peers that aren't accepted are dropped and counted.
#[tokio::test]
async fn a_flood_of_addresses_is_bounded() {
    let cx = Context::new();
    let mut accept = bind(&cx, "udp:0:interface=127.0.0.1:max-peers=100").await;
    let port = accept.local().address.unwrap().port();
    let flood = std::thread::spawn(move || {
        // Loopback is a /8: a port each of many addresses, as forged ones would be.
        for number in 0..100_000_u32 {
            let [_, b, c, d] = (number / 1000 + 0x0200).to_be_bytes();
            let from = format!("127.{b}.{c}.{d}:{}", 20_000 + number % 1000);
            let socket = std::net::UdpSocket::bind(&from).unwrap();
            socket.send_to(&[0; 100], ("127.0.0.1", port)).unwrap();
        }
    });
    let mut sessions = Vec::new();
    let mut seen = 0_u32;
    let mut open = 0;
    while let Ok(incoming) = timeout(Duration::from_secs(2), accept.accept()).await {
        let offer = incoming.unwrap().unwrap().next().await.unwrap().unwrap();
        seen += 1;
        let mut far = messages(accepted(offer).await);
        assert_eq!(message(&mut far).await.len(), 100);
        sessions.push(far);
        if sessions.len() == 200 {
            // As the splice would: those that made room are over, and the others aren't.
            let mut left = Vec::new();
            for mut far in sessions.drain(..) {
                let state = poll_fn(|cx| {
                    Poll::Ready(Pin::new(&mut far).poll_next(cx).map(|next| next.is_none()))
                });
                match state.await {
                    Poll::Ready(is_over) => assert!(is_over),
                    Poll::Pending => left.push(far),
                }
            }
            open = open.max(left.len());
            assert!(left.len() <= 100, "{}", left.len());
            sessions = left;
        }
    }
    flood.join().unwrap();
    assert!(seen > 1000 && open > 0, "{seen} were seen");
}

#[tokio::test]
async fn a_refusal_is_that_sessions_error() {
    let cx = Context::new();
    // Connecting: the system tells by the socket.
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let mut near = messages(connect(&cx, &format!("udp:127.0.0.1:{port}")).await);
    send(&mut near, Part::binary("x")).await.unwrap();
    let error = next(&mut near).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    // If the next call is a send, the system tells that one only; the session ends all the same.
    let mut near = messages(connect(&cx, &format!("udp:127.0.0.1:{port}")).await);
    send(&mut near, Part::binary("x")).await.unwrap();
    let error = send(&mut near, Part::binary("y")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let error = timeout(LONG, next(&mut near)).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    // Listening: it tells which of the peers it was.
    for listen in
        ["udp:0:interface=127.0.0.1", "udp:0", "udp:0:interface={::1}", "udp:0:interface={::}"]
    {
        if listen.contains("::") && std::net::UdpSocket::bind("[::1]:0").is_err() {
            continue;
        }
        let mut kind = Kind::new(listen).await;
        let (mut near_a, mut far_a) = kind.pair(b"a").await;
        let (near_b, mut far_b) = kind.pair(b"b").await;
        drop(near_b);
        send(&mut far_b, Part::binary("x")).await.unwrap();
        let error = timeout(LONG, next(&mut far_b)).await.expect(listen).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        for _ in 0..10 {
            send(&mut far_a, Part::binary("y")).await.unwrap();
            assert_eq!(message(&mut near_a).await, b"y");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_an_ipv4_peer_reaches_a_listener_on_both_families() {
    let Ok(mut accept) = try_bind(&Context::new(), "udp:0:interface={::}").await else { return };
    let port = accept.local().address.unwrap().port();
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.send_to(b"hello", ("127.0.0.1", port)).await.unwrap();
    let mut session = messages(accepted(offer(&mut *accept).await).await);
    assert_eq!(message(&mut session).await, b"hello");
    drop(client);
    send(&mut session, Part::binary("back")).await.unwrap();
    let error = timeout(LONG, next(&mut session)).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

/// It is sent to the address that the datagram has left from.
#[tokio::test]
async fn a_refusal_is_that_of_the_peers_session_with_one_of_our_addresses() {
    let mut accept = bind(&Context::new(), "udp:0").await;
    let port = accept.local().address.unwrap().port();
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut sessions = Vec::new();
    for to in ["127.0.0.2", "127.0.0.3"] {
        client.send_to(b"hello", (to, port)).await.unwrap();
        let mut session = messages(accepted(offer(&mut *accept).await).await);
        assert_eq!(message(&mut session).await, b"hello");
        sessions.push(session);
    }
    drop(client);
    for mut session in sessions {
        send(&mut session, Part::binary("back")).await.unwrap();
        let error = timeout(LONG, next(&mut session)).await.unwrap().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn a_peer_whose_port_changes_has_another_session() {
    let mut kind = Kind::new("udp:0:interface=127.0.0.1").await;
    let to = kind.accept.local().address.unwrap();
    for number in 0..10_u8 {
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.send_to(&[number], to).await.unwrap();
        let mut far = messages(accepted(offer(&mut *kind.accept).await).await);
        assert_eq!(message(&mut far).await, [number]);
        send(&mut far, Part::binary(vec![number; 2])).await.unwrap();
        let mut buf = [0; 8];
        let len = timeout(LONG, client.recv(&mut buf)).await.unwrap().unwrap();
        assert_eq!(buf[..len], [number; 2]);
    }
}

/// Datagrams that aren't read wait up to a limit, the rest is lost, and the other sessions aren't kept waiting.
#[tokio::test]
async fn a_session_that_nobody_reads_costs_a_bounded_queue() {
    let mut kind = Kind::new("udp:0:interface=127.0.0.1").await;
    let (mut near_a, mut far_a) = kind.pair(b"a").await;
    let (mut near_b, mut far_b) = kind.pair(b"b").await;
    for number in 0..2000_u32 {
        let mut data = vec![0; 1000];
        data[..4].copy_from_slice(&number.to_be_bytes());
        send(&mut near_a, Part::binary(data)).await.unwrap();
        send(&mut near_b, Part::binary("b")).await.unwrap();
        assert_eq!(message(&mut far_b).await, b"b");
    }
    let mut kept = 0_u32;
    while kept < 100 {
        let data = message(&mut far_a).await;
        assert_eq!(data[..4], kept.to_be_bytes(), "the first ones stay, in their order");
        kept += 1;
    }
    let rest = poll_fn(|cx| {
        let mut rest = 0_u32;
        while let Poll::Ready(Some(Ok(_))) = Pin::new(&mut far_a).poll_next(cx) {
            rest += 1;
        }
        Poll::Ready(rest)
    });
    assert!(rest.await < 100);
}

/// While this thread is busy, the system has nowhere to put them: it counts, and so is said.
#[tokio::test]
async fn what_the_system_drops_is_counted() {
    let log = Log::default();
    let _installed = log.install();
    let mut kind = Kind::new("udp:0:interface=127.0.0.1").await;
    let (near, far) = kind.pair(b"x").await;
    let flood = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..2000 {
        flood.send_to(&[0; 60_000], kind.accept.local().address.unwrap()).unwrap();
    }
    drop(near);
    let mut near = messages(connect(&kind.cx, &kind.connects).await);
    timeout(LONG, async {
        while !log.text().contains("the kernel's receive buffer was full") {
            // Its count comes with the next datagram that there is room for.
            let _lost = send(&mut near, Part::binary("next")).await;
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();

    // Connecting, the socket is the session's own.
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = server.local_addr().unwrap();
    let mut near = messages(connect(&kind.cx, &format!("udp:{to}")).await);
    send(&mut near, Part::binary("x")).await.unwrap();
    let (_, from) = server.recv_from(&mut [0; 8]).await.unwrap();
    let server = server.into_std().unwrap();
    server.set_nonblocking(false).unwrap();
    let before = log.text().matches("the kernel's receive buffer was full").count();
    for _ in 0..2000 {
        server.send_to(&[0; 60_000], from).unwrap();
    }
    timeout(LONG, async {
        while log.text().matches("the kernel's receive buffer was full").count() == before {
            message(&mut near).await;
            server.send_to(b"next", from).unwrap();
        }
    })
    .await
    .unwrap();
    drop((far, near));
    assert!(log.text().contains("datagrams were lost"), "{}", log.text());
}

/// The system's count comes with the next datagram, and here is none.
#[tokio::test]
async fn what_the_system_drops_behind_the_last_datagram_is_counted() {
    let log = Log::default();
    let _installed = log.install();
    let mut kind = Kind::new("udp:0:interface=127.0.0.1").await;
    let flood = |from: &std::net::UdpSocket, to| {
        for _ in 0..2000 {
            from.send_to(&[0; 60_000], to).unwrap();
        }
    };
    let count = || log.text().matches("datagrams were lost").count();
    let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = server.local_addr().unwrap();
    let mut near = messages(connect(&kind.cx, &format!("udp:{to}")).await);
    send(&mut near, Part::binary("x")).await.unwrap();
    let (_, from) = server.recv_from(&mut [0; 8]).unwrap();
    flood(&server, from);
    drop(near);
    assert_eq!(count(), 1, "{}", log.text());

    let (near, far) = kind.pair(b"x").await;
    flood(&server, kind.accept.local().address.unwrap());
    drop((near, far, kind));
    let counted = async {
        while count() == 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, counted).await.expect("the listener's, too");
}

#[tokio::test]
async fn the_listener_takes_a_multicast_group() {
    let cx = Context::new();
    let text = "udp:0:multicast={239.255.77.1,127.0.0.1}";
    let Ok(mut accept) = try_bind(&cx, text).await else { return };
    let port = accept.local().address.unwrap().port();
    let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    client.set_multicast_if_v4(&std::net::Ipv4Addr::LOCALHOST).unwrap();
    let to: std::net::SocketAddr = format!("239.255.77.1:{port}").parse().unwrap();
    client.send_to(b"to all", &to.into()).unwrap();
    let mut far = messages(accepted(timeout(LONG, offer(&mut *accept)).await.unwrap()).await);
    assert_eq!(message(&mut far).await, b"to all");
    assert_eq!(listener(text).endpoint.exposure(), Exposure::Public);
    assert_eq!(listener("udp:0:interface=127.0.0.1").endpoint.exposure(), Exposure::Loopback);
}

#[tokio::test]
async fn a_port_is_shared_if_both_say_so() {
    let cx = Context::new();
    let first = bind(&cx, "udp:0:interface=127.0.0.1:reuseport=true").await;
    let port = first.local().address.unwrap().port();
    bind(&cx, &format!("udp:{port}:interface=127.0.0.1:reuseport=true")).await;
    let error = failure(try_bind(&cx, &format!("udp:{port}:interface=127.0.0.1")).await);
    assert!(error.hint().unwrap().contains("another program uses this port"), "{error}");
}

/// To a single receiver and to a group, from either side.
#[tokio::test]
async fn datagrams_have_the_ttl_that_was_given() {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg};
    use std::os::fd::AsRawFd;

    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    nix::sys::socket::setsockopt(&server, nix::sys::socket::sockopt::Ipv4RecvTtl, &true).unwrap();
    let ttl = async || {
        timeout(LONG, server.readable()).await.unwrap().unwrap();
        let (mut buf, mut space) = ([0; 8], nix::cmsg_space!(i32));
        let mut parts = [std::io::IoSliceMut::new(&mut buf)];
        let fd = server.as_raw_fd();
        let got = recvmsg::<SockaddrIn>(fd, &mut parts, Some(&mut space), MsgFlags::empty());
        let got = got.unwrap();
        let ttl = got.cmsgs().unwrap().find_map(|control| match control {
            ControlMessageOwned::Ipv4Ttl(ttl) => Some(ttl),
            _ => None,
        });
        (ttl.unwrap(), got.address.unwrap())
    };
    let to = server.local_addr().unwrap();
    let cx = Context::new();
    for (more, expected) in [(":ttl=7", 7), ("", 64)] {
        let mut near = messages(connect(&cx, &format!("udp:{to}{more}")).await);
        send(&mut near, Part::binary("x")).await.unwrap();
        assert_eq!(ttl().await.0, expected);
        // On both families, its IPv4 peers are those of a socket of IPv6.
        for interface in ["127.0.0.1", "{::}"] {
            let listen = format!("udp:0:interface={interface}{more}");
            let Ok(mut accept) = try_bind(&cx, &listen).await else { continue };
            let port = accept.local().address.unwrap().port();
            server.send_to(b"x", ("127.0.0.1", port)).await.unwrap();
            let offer = timeout(LONG, offer(&mut *accept)).await.unwrap();
            let mut far = messages(accepted(offer).await);
            send(&mut far, Part::binary("x")).await.unwrap();
            assert_eq!(ttl().await.0, expected, "{listen}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    let cx = Context::new();
    let taken = bind(&cx, "udp:0:interface=127.0.0.1").await;
    let port = taken.local().address.unwrap().port();
    let error = failure(try_bind(&cx, &format!("udp:{port}:interface=127.0.0.1")).await);
    assert_eq!(
        shown(&error),
        format!(
            "cannot bind udp:{port}:interface=127.0.0.1: address already in use\n\
             another program uses this port; choose another one, or find the program with `ss -lunp 'sport = :{port}'`"
        )
    );
    let error = failure(try_connect(&cx, "udp:255.255.255.255:9").await);
    assert_eq!(error.hint(), Some("a broadcast address needs `broadcast=true`"), "{error}");
    connect(&cx, "udp:255.255.255.255:9:broadcast=true").await;
    let error = failure(try_connect(&cx, "udp:127.0.0.1:no-such-service").await);
    assert!(error.to_string().contains("there is no service `no-such-service`"), "{error}");
}

#[test]
fn mistakes_of_udp() {
    let listen = |text: &str| {
        let found = common::registry().listener(text, descriptor::Syntax::Extended);
        Report::new(text, &found.expect_err("a mistake")).to_string()
    };
    let connect = |text: &str| {
        let found = common::registry().connector(text, descriptor::Syntax::Extended);
        Report::new(text, &found.expect_err("a mistake")).to_string()
    };
    insta::assert_snapshot!(listen("udp:127.0.0.1:53"), @r"
    error: `udp` listens on a port, and `127.0.0.1` is not a port
      | udp:127.0.0.1:53
      |     ^^^^^^^^^^^^
      = help: give the address to listen on with `interface=`: `udp:53:interface=127.0.0.1`; to send to it, use `-d udp:127.0.0.1:53`
    ");
    insta::assert_snapshot!(listen("udp:53:multicast=192.0.2.1"), @r"
    error: `multicast` must be a group such as `239.1.2.3` or `ff02::123`, and `192.0.2.1` is not one
      | udp:53:multicast=192.0.2.1
      |                  ^^^^^^^^^
      = help: write the interface after its group: `multicast={239.1.2.3,eth0}`
    ");
    insta::assert_snapshot!(connect("udp:53"), @r"
    error: `udp` sends to a host and a port
      | udp:53
      | ^^^^^^
      = help: for this machine, write `udp:127.0.0.1:53`
    ");
    insta::assert_snapshot!(connect("udp:192.0.2.1:53:bind=eth0"), @r"
    error: `bind` must be an IP address, with a port or without
      | udp:192.0.2.1:53:bind=eth0
      |                       ^^^^
    ");
    assert_eq!(connector("udp://192.0.2.53:53").tree.descriptor, "udp:192.0.2.53:53");
    assert_eq!(connector("udp:[2001:db8::1]:53").tree.kind, "udp");
}
