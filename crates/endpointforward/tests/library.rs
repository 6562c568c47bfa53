//! The library as its users meet it.

use endpoint::Reason;
use std::time::Duration;

use endpointforward::{
    Config, Endpoints, Error, Forwarder, Part, Refusal, RefusalKind, Timers, Transport, Which,
    connect, listen,
};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

#[tokio::test]
async fn a_listener_is_a_stream_of_connections() {
    let mut listening = listen("mem:stream").await.unwrap();
    for name in ["a", "b"] {
        let mut io = connect("mem:stream").await.unwrap().into_io();
        io.write_all(name.as_bytes()).await.unwrap();
        io.shutdown().await.unwrap();
        let conn = listening.next().await.unwrap();
        let mut said = String::new();
        conn.into_io().read_to_string(&mut said).await.unwrap();
        assert_eq!(said, name);
    }
}

#[tokio::test]
async fn an_offer_can_be_refused() {
    let mut listening = listen("ws:{mem:offers}").await.unwrap();
    let dialling = tokio::spawn(connect("ws:{mem:offers}:path=/secret"));
    let offer = listening.offer().await.unwrap();
    assert_eq!(offer.info.lookup("http", "path").as_deref(), Some("/secret"));
    offer.refuse(Refusal::new(RefusalKind::Forbidden, "not here")).await;
    let error = dialling.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
}

#[tokio::test]
async fn a_silent_peer_delays_nobody() {
    let mut listening = listen("ws:{mem:silent}").await.unwrap();
    let _silent = connect("mem:silent").await.unwrap();
    let dialling = tokio::spawn(connect("ws:{mem:silent}"));
    let accepted = timeout(Duration::from_secs(5), listening.accept()).await.unwrap();
    assert!(accepted.is_some());
    dialling.await.unwrap().unwrap();
}

#[tokio::test]
async fn more_silent_peers_than_there_are_places_delay_nobody() {
    let mut listening = listen("ws:{mem:crowd}").await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..1100 {
        crowd.push(connect("mem:crowd").await.unwrap());
    }
    let dialling = tokio::spawn(connect("ws:{mem:crowd}"));
    let accepted = timeout(Duration::from_secs(5), listening.accept()).await.unwrap();
    assert!(accepted.is_some());
    dialling.await.unwrap().unwrap();
    let mut first = crowd.remove(0).into_io();
    assert_eq!(first.read(&mut [0]).await.unwrap_or(0), 0, "the most silent one went");
}

#[tokio::test]
async fn dropping_a_listener_closes_it_and_not_its_connections() {
    let mut listening = listen("mem:closing").await.unwrap();
    let mut near = connect("mem:closing").await.unwrap().into_io();
    let mut far = listening.accept().await.unwrap().into_io();
    drop(listening);
    // The task that held it ends when the runtime has a moment.
    for _ in 0..100 {
        if connect("mem:closing").await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(connect("mem:closing").await.is_err());
    near.write_all(b"x").await.unwrap();
    assert_eq!(far.read_u8().await.unwrap(), b'x');
}

#[tokio::test]
async fn errors_show_what_was_typed() {
    let error = connect("ws:{tcp:localhost:90o0}:pth=/x").await.unwrap_err();
    insta::assert_snapshot!(error, @r"
    error: `port` must be a number from 1 to 65535, or the name of a service
      | ws:{tcp:localhost:90o0}:pth=/x
      |                   ^^^^
      = help: did you mean `9000`?

    error: `ws` has no parameter `pth` when connecting
      | ws:{tcp:localhost:90o0}:pth=/x
      |                         ^^^
      = help: did you mean `path`?
    ");
    let error = connect("tcp:127.0.0.1:1").await.unwrap_err();
    assert!(matches!(error, Error::Endpoint(_)));
    assert!(
        error
            .to_string()
            .starts_with("cannot connect tcp:127.0.0.1:1: connection refused\n  = help: ")
    );
}

#[tokio::test]
async fn a_forwarder_reports_the_mistakes_of_all() {
    let Err(Error::Descriptor(wrong)) = Forwarder::new("tcp:x", "tpc:y") else {
        panic!("both are wrong");
    };
    let which: Vec<_> = wrong.iter().map(|bad| bad.which).collect();
    assert_eq!(which, [Which::Listen(0), Which::Destination]);
    let error = Forwarder::new("tcp:9000", "process:sh").unwrap_err();
    assert!(error.to_string().contains("auth=none"), "{error}");
}

#[tokio::test]
async fn a_forwarder_forwards_until_it_is_stopped() {
    let endpoints = Endpoints::new();
    let timers = Timers { grace: Duration::ZERO, ..Timers::default() };
    let config = Config { timers, ..Config::default() };
    let forwarder = Forwarder::with(endpoints.clone(), &["mem:a", "mem:b"], "echo").unwrap();
    let forwarding = forwarder.config(config).bind().await.unwrap();
    let names: Vec<_> = forwarding.locals().iter().map(|local| &*local.descriptor).collect();
    assert_eq!(names, ["mem:a", "mem:b"]);
    let stop = forwarding.stop();
    let running = tokio::spawn(forwarding.run());
    for name in ["mem:a", "mem:b"] {
        let mut io = endpoints.connect(name).await.unwrap().into_io();
        io.write_all(b"hello").await.unwrap();
        io.shutdown().await.unwrap();
        let mut answer = String::new();
        io.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "hello");
    }
    stop.drain(endpointforward::End::because(Reason::Application, "enough"));
    let summary = running.await.unwrap();
    assert_eq!((summary.sessions, summary.sent, summary.received), (2, 10, 10));
}

#[tokio::test]
async fn messages_keep_their_boundaries_for_who_wants_them() {
    let mut listening = listen("mem:parts:messages=true").await.unwrap();
    let (near, far) = (connect("mem:parts").await.unwrap(), listening.accept().await.unwrap());
    let (Transport::Messages(mut near), Transport::Messages(mut far)) =
        (near.transport, far.transport)
    else {
        panic!("it was asked for messages");
    };
    near.send(Part::text("one")).await.unwrap();
    near.send(Part::binary("two")).await.unwrap();
    assert_eq!(far.next().await.unwrap().unwrap(), Part::text("one"));
    assert_eq!(far.next().await.unwrap().unwrap(), Part::binary("two"));
}

#[test]
fn boundaries_that_are_lost_are_warned_of_once() {
    let warned = |listen: &[&str], destination: &str| -> Vec<String> {
        let forwarder = Forwarder::with(Endpoints::new(), listen, destination).unwrap();
        let warnings = forwarder.warnings();
        warnings.iter().flat_map(|it| &it.diagnostics).map(|it| it.message.clone()).collect()
    };
    let said = warned(&["udp:0:interface=127.0.0.1", "udp:0:interface={::1}"], "tcp:127.0.0.1:9");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`udp` has datagrams, and `tcp` is a byte stream"), "{said:?}");
    let said = warned(&["9000"], "unix-dgram:/run/x");
    assert!(said[0].contains("`unix-dgram` has datagrams, and `tcp` is"), "{said:?}");
    for (listen, destination) in [
        ("udp:0:interface=127.0.0.1", "ws://127.0.0.1:9/"),
        ("udp:0:interface=127.0.0.1", "udp:127.0.0.1:9"),
        ("ws:9000", "unix-seqpacket:/run/x"),
        ("ws:9000", "9001"),
    ] {
        assert_eq!(warned(&[listen], destination), [] as [String; 0]);
    }
}

/// A program behind a UDP port is as exposed as one behind a TCP port.
#[test]
fn a_program_behind_a_udp_port_needs_a_word() {
    let error = Forwarder::new("udp:9000", "process:cat").unwrap_err();
    assert!(error.to_string().contains("other machines could reach a program"), "{error}");
    Forwarder::new("udp:9000:interface=127.0.0.1", "process:cat").unwrap();
    Forwarder::new("udp:9000:auth=none", "process:cat").unwrap();
}
