//! Floods of signals and of data, and windows.

use super::*;

#[tokio::test]
async fn control_waits_for_the_end_of_a_message() {
    let (mut peer, conn) = Server::new("").await.session(V1).await;
    let incoming = conn.control.incoming.as_ref().unwrap();
    let endpoint::Transport::Messages(mut ws) = conn.transport else { panic!() };
    live(&mut *ws).await;
    hello(&mut peer).await;
    put(&mut *ws, Part { data: "be".into(), text: false, last: false }).await;
    incoming.send(Signal::Echo(true)).unwrap();
    live(&mut *ws).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x02);
    assert!(peer.is_quiet().await);
    put(&mut *ws, Part { data: "gun".into(), text: false, last: true }).await;
    assert_eq!(peer.frame().await.unwrap().first, 0x80);
    assert_eq!(peer.frame().await.unwrap().payload, br#"{"type":"echo","on":true}"#);
    put(&mut *ws, Part { data: "cut".into(), text: false, last: false }).await;
    finish(&mut *ws, &End::eof()).await;
    let firsts = [peer.frame().await, peer.frame().await, peer.frame().await];
    assert_eq!(firsts.map(|frame| frame.unwrap().first), [0x02, 0x80, 0x81]);
}

#[tokio::test]
async fn a_flood_of_signals_is_bounded() {
    let (peer, mut ws, control) = open().await;
    let incoming = control.incoming.unwrap();
    for number in 0..100_000 {
        incoming.send(Signal::Title(format!("{number} {}", "x".repeat(1000)))).unwrap();
        if number % 1000 == 0 {
            let beside = poll_fn(|cx| ws.poll_background(cx));
            assert!(timeout(Duration::ZERO, beside).await.is_err());
        }
    }
    // None of it has been read; it lies in the stream beneath and one buffer.
    drop(peer);
}

/// How esptool resets a board into its boot loader, by a client that sends all of it at once.
#[tokio::test]
async fn every_step_of_a_reset_arrives_in_order() {
    let (mut peer, mut ws, control) = open().await;
    let mut outgoing = control.outgoing.unwrap();
    let steps = [(false, true), (true, false), (true, true), (false, false)];
    let mut all = Vec::new();
    for (dtr, rts) in steps {
        all.extend(text(&format!(r#"{{"type":"modem","dtr":{dtr},"rts":{rts}}}"#)));
    }
    for other in [r#"{"type":"break","on":true}"#, r#"{"type":"purge","what":"input"}"#] {
        all.extend(text(other));
    }
    all.extend(text(r#"{"type":"line","baud":9600}"#));
    all.extend(text(r#"{"type":"line","stop":1.5}"#));
    all.extend(text(r#"{"type":"query","what":"line"}"#));
    all.extend(masked(0x82, b"."));
    peer.send(all).await;
    read_exact(&mut *ws, 1).await;
    let mut expected = Vec::new();
    for (dtr, rts) in steps {
        let mut lines = ModemLines::default();
        (lines.dtr, lines.rts) = (Some(dtr), Some(rts));
        expected.push(Signal::Modem(lines));
    }
    expected.extend([Signal::Break(Break::On), Signal::Purge(Purge::Input)]);
    let mut line = LineSettings::default();
    (line.baud, line.stop_bits) = (Some(9600), Some(StopBits::OneAndHalf));
    expected.extend([Signal::Line(line), Signal::Query(Query::Line)]);
    assert_eq!(said(&mut outgoing), expected);
}

#[tokio::test]
async fn a_flood_of_events_stalls_its_sender_and_loses_nothing() {
    let (mut peer, mut ws, control) = open().await;
    let mut outgoing = control.outgoing.unwrap();
    let mut all = text(r#"{"type":"break"}"#).repeat(3 * EVENTS);
    all.extend(text(r#"{"type":"resize","cols":90,"rows":24}"#));
    all.extend(masked(0x82, b"."));
    peer.send(all).await;
    let (mut got, mut buf) = (Vec::new(), [0; 1]);
    loop {
        // Not read from until there is room: the data behind them doesn't come before that either.
        let read = poll_fn(|cx| {
            let read = Pin::new(&mut *ws).poll_read(cx, &mut ReadBuf::new(&mut buf));
            Poll::Ready(read.is_ready())
        });
        if read.await {
            break;
        }
        let more = said(&mut outgoing);
        assert!(more.len() <= EVENTS, "{} at once", more.len());
        got.extend(more);
        tokio::task::yield_now().await;
    }
    assert_eq!(buf, *b".");
    got.extend(said(&mut outgoing));
    assert_eq!((got.len(), got.last()), (3 * EVENTS + 1, Some(&resize(90))));
}

/// Writes pieces of 4 KiB until the stream takes no more, or 32 KiB; how many bytes it took.
async fn fill(stream: &mut dyn ByteStream) -> u64 {
    let mut taken = 0;
    poll_fn(|cx| {
        // Acknowledgements come with what is read.
        let mut space = [0; 64];
        let _ = Pin::new(&mut *stream).poll_read(cx, &mut ReadBuf::new(&mut space));
        while taken < 32 << 10
            && let Poll::Ready(written) = Pin::new(&mut *stream).poll_write(cx, &[b'x'; 4096])
        {
            taken += written.unwrap() as u64;
        }
        Poll::Ready(())
    })
    .await;
    taken
}

/// Has the client read all that it is sent, until nothing more comes for a while.
async fn drain(stream: &mut dyn ByteStream, peer: &mut Peer) -> u64 {
    let (mut sent, mut got, mut idle) = (0, 0, 0);
    while idle < 100 {
        let more = fill(stream).await;
        sent += more;
        idle = if more > 0 { 0 } else { idle + 1 };
        while got < sent {
            let frame = timeout(LONG, peer.frame()).await.unwrap().unwrap();
            assert_eq!(frame.first, 0x82);
            got += frame.payload.len() as u64;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(sent < 1 << 20, "it is held up by nothing");
    }
    sent
}

#[tokio::test]
async fn a_client_that_acknowledges_is_sent_a_window() {
    let (mut peer, mut stream, _control) = open().await;
    timeout(LONG, poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx))).await.unwrap().unwrap();
    assert!(hello(&mut peer).await.contains(r#""ack":true"#));
    peer.send(text(r#"{"type":"ack","bytes":0}"#)).await;
    // 128 KiB at first, however much of it has arrived.
    let first = drain(&mut *stream, &mut peer).await;
    assert!((128 << 10..(128 << 10) + 4096).contains(&first), "{first}");
    // An ack without new bytes changes nothing, and the next one lets more through.
    peer.send(text(r#"{"type":"ack","bytes":0}"#)).await;
    assert_eq!(drain(&mut *stream, &mut peer).await, 0);
    peer.send(text(&format!(r#"{{"type":"ack","bytes":{first}}}"#))).await;
    assert!(drain(&mut *stream, &mut peer).await >= 16 << 10);
}
