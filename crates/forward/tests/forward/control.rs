//! Signals next to the data cross, both ways.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use endpoint::control::{Break, EVENTS, ModemLines, Undelivered, WindowSize};
use endpoint::{Conn, Control, ExitStatus, Info, Signal, SignalReceiver, SignalSender};
use forward::{Stop, Timers, splice};

use crate::support::{fake, settle};

const BRK: Signal = Signal::Break(Break::Timed(Duration::ZERO));

fn received(receiver: &mut SignalReceiver) -> Vec<Signal> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut signals = Vec::new();
    while let Poll::Ready(Some(signal)) = receiver.poll_recv(&mut cx) {
        signals.push(signal);
    }
    signals
}

fn send(sender: &SignalSender, signal: Signal) {
    sender.send(signal).expect("there is room");
}

fn size(cols: u16) -> Signal {
    Signal::Window(WindowSize { cols, rows: 24 })
}

/// A step of a board's reset.
fn modem(dtr: bool, rts: bool) -> Signal {
    let mut lines = ModemLines::default();
    (lines.dtr, lines.rts) = (Some(dtr), Some(rts));
    Signal::Modem(lines)
}

#[tokio::test(start_paused = true)]
async fn signals_cross_both_ways() {
    let ((near, _near_peer), (far, _far_peer)) = (fake(), fake());
    let (mut near, mut far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    let (control, near_sends, mut near_gets) = Control::pair();
    near.control = control;
    let (control, far_sends, mut far_gets) = Control::pair();
    far.control = control;
    let task =
        tokio::spawn(async move { splice(near, far, &Timers::default(), &Stop::new()).await });
    send(&near_sends, size(80));
    send(&far_sends, Signal::Title("vi".into()));
    settle().await;
    assert_eq!(received(&mut far_gets), [size(80)]);
    assert_eq!(received(&mut near_gets), [Signal::Title("vi".into())]);
    let steps = [modem(false, true), modem(true, false), modem(false, false), size(100)];
    for step in steps.clone() {
        send(&near_sends, step);
    }
    settle().await;
    assert_eq!(received(&mut far_gets), steps, "every step, in order");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_side_that_does_not_take_events_stalls_their_sender_and_loses_none() {
    let ((near, _near_peer), (far, _far_peer)) = (fake(), fake());
    let (mut near, mut far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    let (control, near_sends, _near_gets) = Control::pair();
    near.control = control;
    let (control, _far_sends, mut far_gets) = Control::pair();
    far.control = control;
    let task =
        tokio::spawn(async move { splice(near, far, &Timers::default(), &Stop::new()).await });
    let mut sent = 0;
    while near_sends.send(modem(sent % 2 == 0, sent % 3 == 0)).is_ok() {
        sent += 1;
        settle().await;
        assert!(sent <= 2 * EVENTS, "two queues hold it");
    }
    assert_eq!(sent, 2 * EVENTS, "one queue behind the other");
    assert_eq!(near_sends.send(BRK), Err(Undelivered::Full(BRK)));
    // A state has a place in both, behind the events.
    send(&near_sends, size(100));
    send(&near_sends, size(120));
    let mut got = Vec::new();
    while got.last() != Some(&size(120)) {
        settle().await;
        got.extend(received(&mut far_gets));
    }
    let steps = (0..sent).map(|step| modem(step % 2 == 0, step % 3 == 0));
    assert_eq!(got, steps.chain([size(120)]).collect::<Vec<_>>());
    // The sender is not stalled for good.
    send(&near_sends, BRK);
    settle().await;
    assert_eq!(received(&mut far_gets), [BRK]);
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_comes_with_the_end_is_received() {
    let ((near, near_peer), (far, far_peer)) = (fake(), fake());
    let (mut near, mut far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    let (control, _near_sends, mut near_gets) = Control::pair();
    near.control = control;
    let (control, far_sends, _far_gets) = Control::pair();
    far.control = control;
    send(&far_sends, Signal::Exit(ExitStatus::Code(7)));
    drop(far_sends);
    near_peer.end();
    far_peer.end();
    splice(near, far, &Timers::default(), &Stop::new()).await;
    assert_eq!(received(&mut near_gets), [Signal::Exit(ExitStatus::Code(7))]);
}

#[tokio::test(start_paused = true)]
async fn a_side_that_acts_on_no_signals_stops_nobody() {
    for dropped in [false, true] {
        let ((near, near_peer), (far, far_peer)) = (fake(), fake());
        let (mut near, mut far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
        let (control, near_sends, _near_gets) = Control::pair();
        near.control = control;
        if dropped {
            let (control, _, _) = Control::pair();
            far.control = control;
        }
        let task =
            tokio::spawn(async move { splice(near, far, &Timers::default(), &Stop::new()).await });
        for _ in 0..10 * EVENTS {
            send(&near_sends, BRK);
            settle().await;
        }
        near_peer.send("data");
        settle().await;
        assert_eq!(far_peer.taken(), b"data");
        task.abort();
    }
}
