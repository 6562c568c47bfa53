//! What travels beside the data crosses, both ways.

use std::task::{Context, Poll, Waker};

use endpoint::control::{EVENTS, WindowSize};
use endpoint::{Conn, Control, ExitStatus, Info, Signal, SignalReceiver};
use forward::{Stop, Timers, splice};

use crate::support::{fake, settle};

fn heard(receiver: &mut SignalReceiver) -> Vec<Signal> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut signals = Vec::new();
    while let Poll::Ready(Some(signal)) = receiver.poll_recv(&mut cx) {
        signals.push(signal);
    }
    signals
}

fn size(cols: u16) -> Signal {
    Signal::Window(WindowSize { cols, rows: 24 })
}

#[tokio::test(start_paused = true)]
async fn signals_cross_both_ways() {
    let ((near, _near_peer), (far, _far_peer)) = (fake(), fake());
    let (mut near, mut far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    let (control, near_says, mut near_takes) = Control::pair();
    near.control = control;
    let (control, far_says, mut far_takes) = Control::pair();
    far.control = control;
    let task =
        tokio::spawn(async move { splice(near, far, &Timers::default(), &Stop::new()).await });
    near_says.send(size(80));
    far_says.send(Signal::Title("vi".into()));
    settle().await;
    assert_eq!(heard(&mut far_takes), [size(80)]);
    assert_eq!(heard(&mut near_takes), [Signal::Title("vi".into())]);
    for _ in 0..3 * EVENTS {
        near_says.send(Signal::Break(std::time::Duration::ZERO));
    }
    near_says.send(size(100));
    near_says.send(size(120));
    settle().await;
    assert!(heard(&mut far_takes).len() <= EVENTS, "bounded");
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_said_with_the_end_is_heard() {
    let ((near, near_peer), (far, far_peer)) = (fake(), fake());
    let (mut near, mut far) = (Conn::bytes(near, Info::new()), Conn::bytes(far, Info::new()));
    let (control, _near_says, mut near_takes) = Control::pair();
    near.control = control;
    let (control, far_says, _far_takes) = Control::pair();
    far.control = control;
    far_says.send(Signal::Exit(ExitStatus::Code(7)));
    drop(far_says);
    near_peer.end();
    far_peer.end();
    splice(near, far, &Timers::default(), &Stop::new()).await;
    assert_eq!(heard(&mut near_takes), [Signal::Exit(ExitStatus::Code(7))]);
}

#[tokio::test(start_paused = true)]
async fn a_side_that_takes_nothing_stops_nobody() {
    let ((near, near_peer), (far, far_peer)) = (fake(), fake());
    let mut near = Conn::bytes(near, Info::new());
    let (control, near_says, _near_takes) = Control::pair();
    near.control = control;
    let far = Conn::bytes(far, Info::new());
    let task =
        tokio::spawn(async move { splice(near, far, &Timers::default(), &Stop::new()).await });
    for _ in 0..10 * EVENTS {
        near_says.send(Signal::Break(std::time::Duration::ZERO));
        settle().await;
    }
    near_peer.send("data");
    settle().await;
    assert_eq!(far_peer.taken(), b"data");
    task.abort();
}
