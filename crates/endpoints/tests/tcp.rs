//! TCP beyond what every stream does: addresses, options, sugar, and a peer that leaves early.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::future::poll_fn;
use std::net::TcpListener;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use common::{
    LONG, accepted, bind, connect, connector, failure, listener, offer, pair, shown, try_bind,
    try_connect,
};
use endpoint::info::Tcp;
use endpoint::{Conn, Context, End, ErrorKind, Exposure, Grants, Reason, Transport};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Has the socket say RST instead of FIN when it is dropped.
async fn reset_at_close(conn: &mut Conn) {
    with_socket(conn, |socket| socket.set_linger(Some(Duration::ZERO)).unwrap()).await;
}

/// Does something with the socket under a connection.
async fn with_socket<R>(conn: &mut Conn, act: impl FnOnce(SockRef<'_>) -> R) -> R {
    let Transport::Bytes(stream) = &mut conn.transport else { panic!("tcp carries bytes") };
    let raw = stream.raw().expect("a socket has a descriptor");
    let (mut act, mut done) = (Some(act), None);
    let mut call = |fd: BorrowedFd<'_>| {
        done = act.take().map(|act| act(SockRef::from(&fd)));
        Ok(1)
    };
    poll_fn(|cx| raw.poll_write_by(cx, &mut call)).await.unwrap();
    done.unwrap()
}

/// Long enough for the kernel and the runtime to tell what happened on loopback.
const SETTLE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_reset_is_seen_before_the_offer_is_decided() {
    let cx = Context::new();
    let mut accept = bind(&cx, "tcp:0:127.0.0.1").await;
    let mut client = connect(&cx, &accept.local().descriptor).await;
    let mut offer = offer(&mut *accept).await;
    assert!(timeout(SETTLE, offer.left()).await.is_err(), "nothing has happened yet");
    reset_at_close(&mut client).await;
    drop(client);
    let end = timeout(LONG, offer.left()).await.unwrap();
    assert_eq!(end.reason, "the peer reset the connection");
}

#[tokio::test]
async fn a_reset_is_seen_behind_data_that_nobody_has_read() {
    let cx = Context::new();
    let mut accept = bind(&cx, "tcp:0:127.0.0.1").await;
    let mut client = connect(&cx, &accept.local().descriptor).await;
    let mut offer = offer(&mut *accept).await;
    let Transport::Bytes(stream) = &mut client.transport else { panic!("tcp carries bytes") };
    stream.write_all(b"early").await.unwrap();
    assert!(timeout(SETTLE, offer.left()).await.is_err(), "data is not leaving");
    reset_at_close(&mut client).await;
    drop(client);
    timeout(LONG, offer.left()).await.unwrap();
}

#[tokio::test]
async fn an_end_is_not_leaving_and_nothing_is_lost() {
    let cx = Context::new();
    let mut accept = bind(&cx, "tcp:0:127.0.0.1").await;
    let mut client = connect(&cx, &accept.local().descriptor).await.into_io();
    client.write_all(b"printf x | nc").await.unwrap();
    client.shutdown().await.unwrap();
    let mut offer = offer(&mut *accept).await;
    assert!(timeout(SETTLE, offer.left()).await.is_err(), "a FIN is not leaving");
    let mut io = accepted(offer).await.into_io();
    let mut got = String::new();
    io.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "printf x | nc");
    io.write_all(b"reply").await.unwrap();
    drop(io);
    got.clear();
    client.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "reply");
}

#[tokio::test]
async fn both_sides_know_the_addresses() {
    let (near, far) = pair(&Context::new(), "tcp:0:127.0.0.1").await;
    let (near, far) = (*near.info.get::<Tcp>().unwrap(), *far.info.get::<Tcp>().unwrap());
    assert_eq!((near.local, near.peer), (far.peer, far.local));
    assert!(near.peer.ip().is_loopback() && near.peer.port() != 0);
}

#[tokio::test]
async fn options_are_set_on_both_sides() {
    let cx = Context::new();
    let mut accept = bind(&cx, "tcp:0:127.0.0.1:keepalive=90:nodelay=no").await;
    let to = format!("{}:keepalive=2m", accept.local().descriptor);
    let mut client = connect(&cx, &to).await;
    let mut server = accepted(offer(&mut *accept).await).await;
    let options = |socket: SockRef<'_>| {
        let idle = socket.tcp_keepalive_time().unwrap().as_secs();
        (socket.tcp_nodelay().unwrap(), socket.keepalive().unwrap(), idle)
    };
    assert_eq!(with_socket(&mut client, options).await, (true, true, 120));
    assert_eq!(with_socket(&mut server, options).await, (false, true, 90));
}

#[tokio::test]
async fn tcp6_takes_ipv4_peers_and_calls_them_so() {
    let cx = Context::new();
    let Ok(mut accept) = try_bind(&cx, "tcp6:0").await else {
        println!("skipped: there is no IPv6 here");
        return;
    };
    let local = accept.local().clone();
    let port = local.address.unwrap().port();
    assert_eq!(local.descriptor, format!("tcp6:[::]:{port}"));
    let _client = connect(&cx, &format!("tcp4:127.0.0.1:{port}")).await;
    let server = accepted(offer(&mut *accept).await).await;
    assert!(server.info.get::<Tcp>().unwrap().peer.is_ipv4());
}

#[tokio::test]
async fn a_name_is_dialled_at_every_address() {
    let cx = Context::new();
    // `localhost` is ::1 and 127.0.0.1 on most machines, and this listens on the second only.
    let mut accept = bind(&cx, "tcp:0:127.0.0.1").await;
    let port = accept.local().address.unwrap().port();
    let _client = connect(&cx, &format!("tcp:localhost:{port}")).await;
    accepted(offer(&mut *accept).await).await;
}

#[tokio::test]
async fn a_name_may_be_listened_on() {
    let accept = bind(&Context::new(), "tcp:0:interface=localhost").await;
    assert!(accept.local().address.unwrap().ip().is_loopback());
}

#[tokio::test]
async fn a_bare_port_is_loopback() {
    assert_eq!(listener("9000").endpoint.exposure(), Exposure::Loopback);
    assert_eq!(listener(":9000").endpoint.exposure(), Exposure::Loopback);
    assert_eq!(listener("tcp:9000").endpoint.exposure(), Exposure::Public);
    assert_eq!(listener("9000:interface=0.0.0.0").endpoint.exposure(), Exposure::Public);
    assert_eq!(listener("tcp:9000:interface=localhost").endpoint.exposure(), Exposure::Loopback);
    assert_eq!(connector("9000").endpoint.grants(), Grants::Service);
}

#[test]
fn short_forms_mean_what_they_say() {
    let listens = |text| listener(text).tree.descriptor;
    let connects = |text| connector(text).tree.descriptor;
    assert_eq!(listens("9000"), "tcp:9000:interface=127.0.0.1");
    assert_eq!(listens(":9000"), "tcp:9000:interface=127.0.0.1");
    assert_eq!(listens("0.0.0.0:80"), "tcp:80:interface=0.0.0.0");
    assert_eq!(listens("[::1]:80"), "tcp:80:interface={[::1]}");
    assert_eq!(listens("tcp://0.0.0.0:80"), "tcp:80:interface=0.0.0.0");
    assert_eq!(connects("9000"), "tcp:127.0.0.1:9000");
    assert_eq!(connects("localhost:80"), "tcp:localhost:80");
    assert_eq!(connects("example.com:80:timeout=5"), "tcp:example.com:80:timeout=5");
    assert_eq!(connects("tcp://example.com:80"), "tcp:example.com:80");
    assert_eq!(connects("tcp://[::1]:80/"), "tcp:{::1}:80");
    assert_eq!(connects("tcp:[fe80::1%eth0]:80"), "tcp:{[fe80::1%eth0]}:80");
}

#[tokio::test]
async fn a_zone_reaches_the_system() {
    let error = failure(try_connect(&Context::new(), "tcp:[fe80::1%nosuchzone]:80").await);
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn two_may_share_a_port_if_they_say_so() {
    let cx = Context::new();
    let first = bind(&cx, "tcp:0:127.0.0.1:reuseport=yes").await;
    let port = first.local().address.unwrap().port();
    bind(&cx, &format!("tcp:{port}:127.0.0.1:reuseport=yes")).await;
}

#[tokio::test]
async fn the_near_address_can_be_chosen() {
    let cx = Context::new();
    let mut accept = bind(&cx, "tcp:0:127.0.0.1").await;
    let to = format!("{}:bindAddress=127.0.0.2", accept.local().descriptor);
    let client = connect(&cx, &to).await;
    assert_eq!(client.info.get::<Tcp>().unwrap().local.ip().to_string(), "127.0.0.2");
    accepted(offer(&mut *accept).await).await;
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = failure(try_bind(&Context::new(), &format!("tcp:{port}:127.0.0.1")).await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    insta::assert_snapshot!(shown(&error).replace(&port, "PORT"), @r"
    cannot bind tcp:PORT:127.0.0.1: address already in use
    another program listens on this port; choose another one, or find the program with `ss -ltnp 'sport = :PORT'`
    ");
}

#[tokio::test]
async fn a_refusal_is_explained() {
    let cx = Context::new();
    let accept = bind(&cx, "tcp:0:127.0.0.1").await;
    let port = accept.local().address.unwrap().port().to_string();
    drop(accept);
    let error = failure(try_connect(&cx, &format!("tcp:127.0.0.1:{port}")).await);
    insta::assert_snapshot!(shown(&error).replace(&port, "PORT"), @r"
    cannot connect tcp:127.0.0.1:PORT: connection refused
    no server listens on port PORT; start the server or check the port
    ");
    let error = failure(try_connect(&cx, &format!("tcp4:localhost:{port}")).await);
    assert_eq!(error.kind(), ErrorKind::Refused);
    insta::assert_snapshot!(shown(&error).replace(&port, "PORT"), @r"
    cannot connect tcp4:localhost:PORT: 127.0.0.1: connection refused
    no server listens on port PORT; start the server or check the port
    ");
}

#[tokio::test]
async fn an_unknown_name_is_explained() {
    let error = failure(try_connect(&Context::new(), "tcp:no-such-host.invalid:80").await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // The resolver's words differ with and without a network.
    let words = shown(&error);
    let start = "cannot connect tcp:no-such-host.invalid:80: cannot resolve the name `no-such-host.invalid`: ";
    assert!(words.starts_with(start), "{words}");
    assert!(words.ends_with("\ncheck the spelling, or give an address"), "{words}");
}

#[tokio::test]
async fn an_address_of_another_machine_cannot_be_bound() {
    let error = failure(try_bind(&Context::new(), "tcp:0:192.0.2.1").await);
    insta::assert_snapshot!(shown(&error), @r"
    cannot bind tcp:0:192.0.2.1: cannot assign requested address
    no interface of this machine has the address 192.0.2.1; `ip address` lists them
    ");
}

#[tokio::test]
async fn the_near_address_must_be_ours() {
    let to = "tcp:127.0.0.1:80:bindAddress=192.0.2.1";
    let error = failure(try_connect(&Context::new(), to).await);
    insta::assert_snapshot!(shown(&error), @r"
    cannot connect tcp:127.0.0.1:80:bindAddress=192.0.2.1: cannot assign requested address
    `bindAddress` must be an address of this machine
    ");
}

/// A listener whose backlog is full answers nothing, as a firewall does.
#[tokio::test]
async fn silence_has_an_end() {
    let cx = Context::new();
    let accept = bind(&cx, "tcp:0:127.0.0.1:backlog=0").await;
    let to = format!("{}:timeout=300ms", accept.local().descriptor);
    let port = accept.local().address.unwrap().port().to_string();
    let mut queued = Vec::new();
    let error = loop {
        match try_connect(&cx, &to).await {
            Ok(conn) => queued.push(conn),
            Err(error) => break error,
        }
        assert!(queued.len() < 16, "the backlog has no end");
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    insta::assert_snapshot!(shown(&error).replace(&port, "PORT"), @r"
    cannot connect tcp:127.0.0.1:PORT:timeout=300ms: no answer within 0.3 s
    the host is down or a firewall drops the connection; wait longer with `timeout=`
    ");
}

/// A client of a listener, and its offer.
async fn asks(listener: &str) -> (endpoint::Io, endpoint::Offer) {
    let cx = Context::new();
    let mut accept = bind(&cx, listener).await;
    let client = connect(&cx, &accept.local().descriptor).await.into_io();
    (client, offer(&mut *accept).await)
}

/// Returns the answer that accepts an offer in front of a program.
fn for_program() -> endpoint::Answer {
    let mut answer = endpoint::Answer::default();
    answer.far = Some(Grants::Program);
    answer
}

const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nid\n";

#[tokio::test]
async fn a_browser_is_answered_and_refused() {
    let (mut client, mut offer) = asks("tcp:0:127.0.0.1").await;
    client.write_all(REQUEST).await.unwrap();
    let refusal = timeout(LONG, offer.screen()).await.unwrap().unwrap_err();
    let refused = tokio::spawn(offer.refuse(refusal));
    let mut answer = String::new();
    timeout(LONG, client.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    drop(client);
    timeout(LONG, refused).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_types_loses_nothing_to_the_look() {
    let (mut client, mut offer) = asks("tcp:0:127.0.0.1").await;
    assert!(timeout(SETTLE, offer.screen()).await.is_err(), "nothing has come");
    client.write_all(b"GET it done\n").await.unwrap();
    client.shutdown().await.unwrap();
    timeout(LONG, offer.screen()).await.unwrap().unwrap();
    let Ok(endpoint::Accepted::Session(conn)) = offer.accept(for_program()).await else { panic!() };
    let mut got = String::new();
    timeout(LONG, conn.into_io().read_to_string(&mut got)).await.unwrap().unwrap();
    assert_eq!(got, "GET it done\n");
}

#[tokio::test]
async fn a_client_that_ends_at_once_is_not_waited_for() {
    let (mut client, mut offer) = asks("tcp:0:127.0.0.1").await;
    client.shutdown().await.unwrap();
    timeout(LONG, offer.screen()).await.unwrap().unwrap();
}

/// A browser may connect ahead, and ask later.
#[tokio::test]
async fn a_session_that_began_in_silence_is_looked_at_when_something_comes() {
    let (mut client, offer) = asks("tcp:0:127.0.0.1").await;
    let Ok(endpoint::Accepted::Session(conn)) = offer.accept(for_program()).await else { panic!() };
    let mut near = conn.into_io();
    near.write_all(b"prompt> ").await.unwrap();
    client.write_all(REQUEST).await.unwrap();
    let mut got = [0; 100];
    let read = timeout(LONG, near.read(&mut got)).await.unwrap();
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    assert!(near.read(&mut got).await.is_err(), "and nothing comes after it");
    let mut answer = String::new();
    timeout(LONG, client.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("prompt> HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_session_that_began_in_silence_is_spliced_like_any_other() {
    let (mut client, offer) = asks("tcp:0:127.0.0.1").await;
    let Ok(endpoint::Accepted::Session(mut conn)) = offer.accept(for_program()).await else {
        panic!()
    };
    let Transport::Bytes(stream) = &mut conn.transport else { panic!("tcp carries bytes") };
    client.write_all(REQUEST).await.unwrap();
    let mut call = |_: BorrowedFd<'_>| panic!("it is looked at before it is moved");
    let raw = stream.raw().expect("a socket has a descriptor");
    let moved = timeout(LONG, poll_fn(|cx| raw.poll_read_by(cx, &mut call))).await.unwrap();
    assert_eq!(moved.unwrap_err().kind(), std::io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn pages_may_be_allowed() {
    let (mut client, mut offer) = asks("tcp:0:127.0.0.1:web-pages=allow").await;
    client.write_all(REQUEST).await.unwrap();
    offer.screen().await.unwrap();
    let Ok(endpoint::Accepted::Session(conn)) = offer.accept(for_program()).await else { panic!() };
    let mut got = vec![0; REQUEST.len()];
    timeout(LONG, conn.into_io().read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(got, REQUEST);
}

#[tokio::test]
async fn what_goes_to_a_service_is_not_looked_at() {
    let (mut client, offer) = asks("tcp:0:127.0.0.1").await;
    client.write_all(REQUEST).await.unwrap();
    let mut got = vec![0; REQUEST.len()];
    timeout(LONG, accepted(offer).await.into_io().read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(got, REQUEST);
}

/// Planning reads no table, so a service that isn't there is known when it is dialled.
#[tokio::test]
async fn a_service_is_looked_up_when_it_is_dialled() {
    let error = failure(try_connect(&Context::new(), "tcp:127.0.0.1:no-such-service").await);
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(shown(&error).contains("no service `no-such-service` in /etc/services"), "{error}");
}

#[tokio::test]
async fn data_that_is_cut_is_followed_by_a_reset() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let conn = connect(&Context::new(), &format!("tcp:{at}")).await;
    let (mut peer, _) = listener.accept().await.unwrap();
    let Transport::Bytes(mut stream) = conn.transport else { panic!("bytes") };
    stream.write_all(b"half").await.unwrap();
    poll_fn(|cx| stream.poll_finish(cx, &End::of(Reason::Truncated))).await.unwrap();
    let mut got = [0; 4];
    timeout(LONG, peer.read_exact(&mut got)).await.unwrap().unwrap();
    drop(stream);
    let end = timeout(LONG, peer.read(&mut got)).await.unwrap();
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}
