//! Faults that other forwarders were seen to have, each once: the rows of their comparison, under
//! their names. `ws` is a stream that ends with a handshake, `tcp` one that half-closes.

use std::io;
use std::time::Duration;

use endpoint::{Conn, End, Ending, Info, Plain, Reason, RefusalKind};
use forward::{Config, Ended, Side, Stop, Timers, splice};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::time::sleep;

use crate::support::running::start;
use crate::support::{Session, Told, data, settle};

const MIB: usize = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);

fn ws_tcp() -> Session {
    Session::with(Timers::default(), |near, _| near.ending(Ending::Handshake))
}

// === backpressure, full duplex, isolation ===

#[tokio::test(start_paused = true)]
async fn down_a_client_that_does_not_read_for_5_s() {
    let session = ws_tcp();
    session.near.room(0);
    let sent = data(8 * MIB);
    session.far.send(&sent);
    sleep(SECOND * 5).await;
    assert!(session.far.handed() <= 33 * 1024, "absorbed {}", session.far.handed());
    session.near.more_room(usize::MAX);
    session.near.until(|peer| peer.taken_len() == 8 * MIB).await;
    assert!(session.near.taken() == sent);
}

#[tokio::test(start_paused = true)]
async fn up_a_server_that_does_not_read_for_5_s() {
    let session = ws_tcp();
    session.far.room(0);
    let sent = data(8 * MIB);
    session.near.send(&sent);
    sleep(SECOND * 5).await;
    assert!(session.near.handed() <= 33 * 1024, "absorbed {}", session.near.handed());
    session.far.more_room(usize::MAX);
    session.far.until(|peer| peer.taken_len() == 8 * MIB).await;
    assert!(session.far.taken() == sent);
}

#[tokio::test(start_paused = true)]
async fn duplex_echoed_while_sending_at_full_speed() {
    let (client, near) = duplex(64 * 1024);
    let (far, server) = duplex(64 * 1024);
    let session = tokio::spawn(async move {
        let near = Conn::bytes(Plain::new(near), Info::new());
        let far = Conn::bytes(Plain::new(far), Info::new());
        splice(near, far, &Timers::default(), &Stop::new()).await
    });
    let echo = tokio::spawn(async move {
        let (mut read, mut write) = split(server);
        tokio::io::copy(&mut read, &mut write).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let (mut read, mut write) = split(client);
    let sent = data(16 * MIB);
    let expected = sent.clone();
    let writer = tokio::spawn(async move {
        write.write_all(&sent).await.unwrap();
        write.shutdown().await.unwrap();
    });
    let mut echoed = Vec::new();
    read.read_to_end(&mut echoed).await.unwrap();
    assert!(echoed == expected);
    writer.await.unwrap();
    echo.await.unwrap();
    let outcome = session.await.unwrap();
    assert_eq!((outcome.sent, outcome.received), (16 * MIB as u64, 16 * MIB as u64));
}

#[tokio::test(start_paused = true)]
async fn isolation_of_other_connections_and_new_ones() {
    let running = start(Config::default());
    let stalled = running.source.offer();
    let far = running.far.next().await;
    stalled.peer.room(0);
    far.room(0);
    stalled.peer.send(data(MIB));
    far.send(data(MIB));
    settle().await;
    for _ in 0..3 {
        let other = running.source.offer();
        let far = running.far.next().await;
        other.peer.send("ping");
        far.send("pong");
        settle().await;
        assert_eq!((far.taken(), other.peer.taken()), (b"ping".to_vec(), b"pong".to_vec()));
    }
    running.task.abort();
}

// === ends of connections ===

#[tokio::test(start_paused = true)]
async fn refused_is_said_before_the_client_is_accepted() {
    let running = start(Config::default());
    running.far.refuse(io::ErrorKind::ConnectionRefused);
    let mut offer = running.source.offer();
    let Told::Refused(refusal) = offer.told().await else { panic!("it was accepted") };
    assert_eq!(refusal.kind, RefusalKind::Refused);
    assert!(offer.peer.is_dropped(), "left open");
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn srvclose_8_mib_to_a_client_that_reads_late() {
    let session = ws_tcp();
    let near = session.near.clone();
    near.room(0);
    let sent = data(8 * MIB);
    session.far.send(&sent);
    session.far.end();
    sleep(SECOND).await;
    while near.taken_len() < sent.len() {
        near.more_room(100_000);
        settle().await;
    }
    near.until(|peer| peer.finished().is_some()).await;
    assert!(near.taken() == sent);
    near.end();
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Eof(Side::Far)), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn srvhalf_1_mib_up_after_the_servers_fin() {
    let session = ws_tcp();
    let (near, far) = (session.near.clone(), session.far.clone());
    far.send(data(64 * 1024));
    far.end();
    near.until(|peer| peer.finished().is_some()).await;
    let sent = data(MIB);
    for chunk in sent.chunks(64 * 1024) {
        near.send(chunk);
        sleep(SECOND * 3).await;
    }
    near.end_with(End::with_code(Reason::EndOfStream, 1000, ""));
    session.outcome().await;
    assert!(far.taken() == sent);
    assert!(far.finished().is_some());
}

#[tokio::test(start_paused = true)]
async fn clclose_8_mib_and_close_to_a_server_that_reads_late() {
    let session = ws_tcp();
    let far = session.far.clone();
    far.room(0);
    let sent = data(8 * MIB);
    session.near.send(&sent);
    session.near.end_with(End::with_code(Reason::EndOfStream, 1000, ""));
    sleep(Duration::from_millis(1500)).await;
    while far.taken_len() < sent.len() {
        far.more_room(100_000);
        settle().await;
    }
    far.end();
    session.outcome().await;
    assert!(far.taken() == sent, "neither less nor the Close's body");
}

#[tokio::test(start_paused = true)]
async fn cldrop_8_mib_and_gone() {
    let session = ws_tcp();
    let far = session.far.clone();
    far.room(0);
    let sent = data(8 * MIB);
    session.near.send(&sent);
    session.near.reset();
    sleep(Duration::from_millis(1500)).await;
    while far.taken_len() < sent.len() {
        far.more_room(100_000);
        settle().await;
    }
    let outcome = session.outcome().await;
    assert!(far.taken() == sent);
    assert!(matches!(outcome.end, Ended::Error(Side::Near, _)), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn request_and_close_gets_its_answer() {
    let session = ws_tcp();
    let (near, far) = (session.near.clone(), session.far.clone());
    near.send("req");
    near.end_with(End::with_code(Reason::EndOfStream, 1000, ""));
    sleep(Duration::from_millis(300)).await;
    assert_eq!((far.taken(), far.finished().is_some()), (b"req".to_vec(), true));
    far.send("answer");
    far.end();
    session.outcome().await;
    assert_eq!((near.taken(), near.finished().is_some()), (b"answer".to_vec(), true));
}

#[tokio::test(start_paused = true)]
async fn slow_connect_loses_no_early_data() {
    let running = start(Config::default());
    running.far.delay(SECOND);
    let offer = running.source.offer();
    offer.peer.send("early!");
    let far = running.far.next().await;
    far.until(|peer| peer.taken_len() == 6).await;
    assert_eq!(far.taken(), b"early!");
    running.finish().await;
}

// === findings ===

#[tokio::test(start_paused = true)]
async fn nothing_spins_after_the_end_of_one_side() {
    // ws_bridge sends empty messages for ever after the server's end, websocat spins.
    let session = ws_tcp();
    session.far.end();
    sleep(SECOND * 4).await;
    assert_eq!(session.near.taken_len(), 0);
    assert!(!session.is_over());
    // A client that doesn't answer the Close is waited for no longer than the close timeout.
    let outcome = session.outcome().await;
    assert!(matches!(outcome.end, Ended::Eof(Side::Far)), "{outcome}");
    assert!(outcome.duration < SECOND * 11, "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn a_destination_is_not_orphaned_when_its_source_has_gone() {
    // Autobahn's forwarder completes the connection later and leaves it open.
    let running = start(Config::default());
    running.far.delay(SECOND);
    let mut offer = running.source.offer();
    settle().await;
    offer.leave();
    sleep(SECOND * 5).await;
    assert_eq!((running.far.tried(), running.far.pending()), (1, 0));
    running.finish().await;
}
