//! A peer that broke the protocol and still sends: it has to be able to read why, and then the end.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::time::Duration;

use endpoint::{End, Life, Part};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::support::*;

/// Ends and closes a side, as the splice does once its session is over.
async fn leave(mut ws: Box<impl Life + ?Sized>) {
    finish(&mut *ws, &End::eof()).await;
    poll_fn(|cx| ws.poll_close(cx)).await.unwrap();
}

/// Sends octets one by one, each of which comes to whatever our side has become by then. A reset is seen
/// at the octet behind it.
async fn send_octets(peer: &mut Peer<TcpStream>) {
    for _ in 0..200 {
        peer.send("x").await;
        yield_now().await;
    }
}

/// A client over a socket, which has sent something wrong, and our side of it.
async fn over_a_socket(frame: &[u8]) -> (Peer<TcpStream>, endpoint::Conn) {
    let mut server = Server::bind("ws:{tcp:0:interface=127.0.0.1}").await;
    let address = server.accept.local().address.unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut peer = Peer::new(stream);
    let mut incoming = server.accept.accept().await.unwrap().unwrap();
    peer.send(upgrade("/", BINARY)).await;
    let conn = accepted(incoming.next().await.unwrap().unwrap()).await;
    assert_eq!(peer.response().await.status, 101);
    peer.send(frame).await;
    (peer, conn)
}

#[tokio::test]
async fn who_still_sends_reads_the_close_and_the_end() {
    for (frame, code) in [
        (masked(0x83, b""), 1002),
        (masked(0x81, b"text"), 1003),
        (masked(0x88, b"\x03\xe8\xff"), 1007),
    ] {
        let (mut peer, conn) = over_a_socket(&frame).await;
        let mut ws = conn.transport.into_bytes();
        write(&mut *ws, b"last").await;
        assert_eq!(read(&mut *ws).await.unwrap_err().kind(), ErrorKind::InvalidData);
        let leaving = tokio::spawn(leave(ws));
        send_octets(&mut peer).await;
        assert_eq!(peer.frame().await.unwrap().payload, b"last");
        assert_eq!(peer.frame().await.unwrap().close_code(), Some(code));
        assert_eq!(peer.io.read(&mut [0]).await.unwrap(), 0, "an orderly end");
        send_octets(&mut peer).await;
        assert!(!leaving.is_finished(), "it is heard until it ends");
        peer.io.shutdown().await.unwrap();
        leaving.await.unwrap();
    }
}

#[tokio::test]
async fn messages_linger_as_bytes_do() {
    let (mut peer, conn) = over_a_socket(&masked(0x83, b"")).await;
    let mut ws = in_messages(conn);
    next(&mut *ws).await.unwrap().expect_err("a mistake was made");
    let leaving = tokio::spawn(leave(ws));
    send_octets(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1002));
    assert_eq!(peer.io.read(&mut [0]).await.unwrap(), 0, "an orderly end");
    drop(peer);
    leaving.await.unwrap();
}

#[tokio::test]
async fn a_client_hears_its_server_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = format!("ws:{{tcp:{}}}", listener.local_addr().unwrap());
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut peer = Peer::new(stream);
        let request = peer.head().await;
        let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = derive_accept_key(key.unwrap().as_bytes());
        peer.send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        ))
        .await;
        peer
    };
    let cx = endpoint::Context::new();
    let (mut peer, conn) = tokio::join!(serve, connect(&cx, &text));
    let mut ws = conn.unwrap().transport.into_bytes();
    peer.send(masked(0x82, b"masked")).await;
    read(&mut *ws).await.unwrap_err();
    let leaving = tokio::spawn(leave(ws));
    send_octets(&mut peer).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1002));
    assert_eq!(peer.io.read(&mut [0]).await.unwrap(), 0, "an orderly end");
    drop(peer);
    leaving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_never_ends_is_heard_for_the_close_timeout_in_all() {
    for (parameters, seconds) in [("", 5), (":close-timeout=3", 3)] {
        let (mut peer, mut ws) = session(parameters, BINARY).await;
        peer.send(masked(0x83, b"")).await;
        read(&mut *ws).await.unwrap_err();
        let began = Instant::now();
        let sending = tokio::spawn(async move {
            while peer.io.write_all(b"more").await.is_ok() {
                sleep(Duration::from_millis(100)).await;
            }
        });
        // First as long as the session goes on, then when it is over.
        sleep(Duration::from_secs(2)).await;
        leave(ws).await;
        assert_eq!(began.elapsed().as_secs(), seconds);
        sending.await.unwrap();
    }
}

/// After a write that fails, the splice drops the connection.
#[tokio::test]
async fn what_is_to_be_sent_is_forgotten_until_the_peer_has_ended() {
    let (mut peer, mut ws) = session("", BINARY).await;
    peer.send(masked(0x83, b"")).await;
    read(&mut *ws).await.unwrap_err();
    write(&mut *ws, b"late").await;
    live(&mut *ws).await;
    write(&mut *ws, b"late").await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1002));
    assert_eq!(peer.frame().await, None);
    drop(peer);
    live(&mut *ws).await;
    assert!(ws.write_all(b"late").await.is_err());

    let (mut peer, mut ws) = messages("", BINARY).await;
    peer.send(masked(0x83, b"")).await;
    next(&mut *ws).await.unwrap().unwrap_err();
    put(&mut *ws, Part::binary("late")).await;
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1002));
    drop(peer);
    live(&mut *ws).await;
    assert!(futures_util::SinkExt::send(&mut ws, Part::binary("late")).await.is_err());
}

#[tokio::test]
async fn a_frame_that_was_begun_is_ended_before_the_close() {
    let mut server = Server::bind("ws:{trickle:{mem:s}}").await;
    let (mut peer, conn) = server.session(BINARY).await;
    let mut ws = conn.transport.into_bytes();
    let data = noise(4000);
    let begun = ws.write(&data).await.unwrap();
    assert!(begun < data.len());
    peer.send(masked(0x83, b"")).await;
    read(&mut *ws).await.unwrap_err();
    let sending = tokio::spawn(async move {
        ws.write_all(&data[begun..]).await.unwrap();
        leave(ws).await;
        data
    });
    let frame = peer.frame().await.unwrap();
    assert_eq!(peer.frame().await.unwrap().close_code(), Some(1002));
    assert_eq!(peer.frame().await, None);
    drop(peer);
    assert_eq!(frame.payload, sending.await.unwrap());
}
