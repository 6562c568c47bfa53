//! Where relays are: the versions of IP, the range of ports, the address that clients are told, and a flood at one.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use descriptor::{Report, Syntax};
use endpoint::Context;
use socks::Host;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::common::{LONG, Log, accepted, bind, registry};
use crate::{Server, asked, asking, datagram, message, messages, offered, refused, send, told};

/// A listener of both versions of IP tells each client the address that it has connected to.
#[tokio::test]
async fn over_ipv6_and_both() {
    if std::net::UdpSocket::bind("[::1]:0").is_err() {
        return;
    }
    for (interface, hosts) in [("{::1}", &["::1"][..]), ("{::}", &["::1", "127.0.0.1"])] {
        let accept =
            bind(&Context::new(), &format!("socks5:{{tcp:0:interface={interface}}}")).await;
        let at = accept.local().address.unwrap();
        let mut server = Server { accept, at };
        for host in hosts {
            let host: IpAddr = host.parse().unwrap();
            let socket = UdpSocket::bind((host, 0)).await.unwrap();
            let named = socket.local_addr().unwrap();
            let to = SocketAddr::new(host, at.port());
            let (client, mut incoming) = server.relaying_to(to, socket, named).await;
            for target in ["2001:db8::53", "192.0.2.53"] {
                client.sends(target, 53, b"question").await;
                let offer = offered(&mut incoming).await;
                assert_eq!(asked(&offer.info), (target.to_owned(), 53));
                let mut session = messages(accepted(offer).await);
                assert_eq!(message(&mut session).await, b"question");
                send(&mut session, b"answer").await.unwrap();
                let (from, data) = client.hears().await;
                assert_eq!(from.host, Host::Address(target.parse().unwrap()));
                assert_eq!((from.port, &*data), (53, &b"answer"[..]));
            }
        }
    }
}

#[tokio::test]
async fn relays_are_on_the_ports_that_are_let_through() {
    // Enough ports in a row that are free; no other test asks for a port by its number.
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let first = taken.local_addr().unwrap().port().min(65_000);
    let mut server = Server::new(&format!(":udp-ports={first}-{}", first + 20)).await;
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for _ in 0..3 {
        let (client, incoming) = server.relaying().await;
        assert!((first..=first + 20).contains(&client.relay.port()), "{}", client.relay);
        assert!(!seen.contains(&client.relay.port()));
        seen.push(client.relay.port());
        kept.push((client, incoming));
    }
    let (only, busy) = {
        let busy = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        (busy.local_addr().unwrap().port(), busy)
    };
    let mut server = Server::new(&format!(":udp-ports={only}")).await;
    let words = "cannot open a socket for datagrams: all of its ports are in use; \
                 `udp-ports` may have more";
    assert_eq!(refused(&mut server).await.1, words);
    drop(busy);
    let (client, _incoming) = server.relaying().await;
    assert_eq!(client.relay.port(), only);
}

/// An address of this machine that isn't loopback, if it has one.
fn outside() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent: the system chooses the address to send from.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip()).filter(|ip| !ip.is_loopback())
}

#[tokio::test]
async fn clients_from_outside_are_told_the_address_of_the_outside() {
    let text = "socks5:{tcp:0:interface=0.0.0.0}:udp-address=203.0.113.7";
    let mut accept = bind(&Context::new(), text).await;
    let port = accept.local().address.unwrap().port();
    for (host, expected) in
        [(Some("127.0.0.1".parse().unwrap()), "127.0.0.1"), (outside(), "203.0.113.7")]
    {
        let Some(host) = host else { continue };
        let mut control = TcpStream::connect((host, port)).await.unwrap();
        control.write_all(&asking("0.0.0.0:0".parse().unwrap())).await.unwrap();
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let relay = tokio::select! {
            _ = incoming.next() => panic!("nothing was sent"),
            relay = timeout(LONG, told(&mut control)) => relay.unwrap(),
        };
        assert_eq!(relay.ip().to_string(), expected);
        let socket = UdpSocket::bind((host, 0)).await.unwrap();
        let data = datagram("192.0.2.53", 53, b"x");
        socket.send_to(&data, (host, relay.port())).await.unwrap();
        assert_eq!(asked(&offered(&mut incoming).await.info), ("192.0.2.53".to_owned(), 53));
    }
}

#[test]
fn mistakes_of_places_are_pointed_at() {
    for (text, words) in [
        ("udp-ports=0-9", "`udp-ports` must be a range of ports, such as `40000-40099`"),
        ("udp-ports=9-8", "`udp-ports` must be a range of ports, such as `40000-40099`"),
        ("udp-ports=70000", "`udp-ports` must be a range of ports, such as `40000-40099`"),
        (
            "udp-address=example.com",
            "`udp-address` must be the IP address that clients reach this machine at",
        ),
        (
            "udp-address=0.0.0.0",
            "`udp-address` must be the IP address that clients reach this machine at",
        ),
    ] {
        let text = format!("socks5:1080:{text}");
        let found = registry().listener(&text, Syntax::Extended);
        let found = Report::new(&text, &found.expect_err("a mistake")).to_string();
        let value = text.rsplit_once('=').unwrap().1;
        let marks = format!("  | {text}\n  | {:>at$}", "", at = text.len() - value.len());
        let expected = format!("error: {words}\n{marks}{}\n", "^".repeat(value.len()));
        assert_eq!(found, expected);
    }
}

/// Each of 100,000 addresses sends to a relay whose client hasn't sent yet: none of them is a session or is kept.
#[tokio::test]
async fn a_flood_of_addresses_at_a_relay_is_counted_and_nothing_else() {
    let log = Log::default();
    let _guard = log.install();
    let mut server = Server::new("").await;
    let (client, mut incoming) = server.relaying().await;
    let relay = client.relay;
    let flood = std::thread::spawn(move || {
        let data = datagram("192.0.2.53", 53, b"forged");
        for number in 0..100_000_u32 {
            let [_, b, c, d] = (number / 1000 + 0x0200).to_be_bytes();
            let from = format!("127.{b}.{c}.{d}:{}", 20_000 + number % 1000);
            let socket = std::net::UdpSocket::bind(&from).unwrap();
            socket.send_to(&data, relay).unwrap();
        }
    });
    let before = resident();
    let mut finished = std::pin::pin!(async {
        while !flood.is_finished() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    {
        let mut offers = std::pin::pin!(incoming.next());
        tokio::select! {
            _ = &mut offers => panic!("none of them is the client"),
            () = &mut finished => {}
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes");
    // The datagrams that still wait in the system's buffer are the others' too.
    let offer = {
        let mut offers = std::pin::pin!(offered(&mut incoming));
        loop {
            client.sends("192.0.2.53", 53, b"good").await;
            tokio::select! {
                offer = &mut offers => break offer,
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    };
    let mut session = messages(accepted(offer).await);
    assert_eq!(message(&mut session).await, b"good");
    drop((session, incoming));
    let text = log.text();
    assert_eq!(text.matches("which is not the client").count(), 1, "{text}");
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
