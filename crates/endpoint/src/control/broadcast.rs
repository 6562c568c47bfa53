//! One sender's signals for several receivers, such as the clients that share a line.

use std::task::{Context, Poll};

use super::{ModemLines, Signal, SignalReceiver, SignalSender, Undelivered, channel};

/// Sends each signal to all subscribers, each through a separate bounded queue.
///
/// The sender chooses what a slow subscriber means: [`Broadcast::poll_ready`] waits for it, and
/// [`Broadcast::send`] without that returns how many missed an event.
#[derive(Debug, Default)]
pub struct Broadcast {
    subscribers: Vec<SignalSender>,
    /// The last value of each state, and of the modem lines.
    known: Vec<Signal>,
}

impl Broadcast {
    /// Returns the signals from now on, after what is known already: the last value of each state, and
    /// of the modem lines.
    pub fn subscribe(&mut self) -> SignalReceiver {
        let (sender, receiver) = channel();
        for signal in &self.known {
            sender.send(signal.clone()).expect("a handful of signals fits an empty queue");
        }
        self.subscribers.push(sender);
        receiver
    }

    /// Polls for room for an event in every subscriber's queue.
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // All are asked, so that each one's room wakes the sender.
        let full = self.subscribers.iter().filter(|to| to.poll_ready(cx).is_pending()).count();
        if full == 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Sends `signal` to all; returns the number of subscribers that missed it because their queue is full, which
    /// never happens to a state. Subscribers that were dropped are removed.
    #[must_use = "some receivers may have missed it"]
    pub fn send(&mut self, signal: &Signal) -> usize {
        self.learn(signal);
        let mut missed = 0;
        self.subscribers.retain(|to| match to.send(signal.clone()) {
            Ok(()) => true,
            Err(Undelivered::Full(_)) => {
                missed += 1;
                true
            }
            Err(Undelivered::Gone) => false,
        });
        missed
    }

    fn learn(&mut self, signal: &Signal) {
        if !signal.is_state() && !matches!(signal, Signal::Modem(_)) {
            return;
        }
        match (self.known.iter_mut().find(|known| known.is_like(signal)), signal) {
            (Some(Signal::Line(known)), Signal::Line(newer)) => known.merge(newer),
            (Some(Signal::Modem(known)), Signal::Modem(newer)) => ModemLines::merge(known, *newer),
            (Some(known), _) => *known = signal.clone(),
            (None, _) => self.known.push(signal.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::control::{Break, EVENTS, LineSettings, WindowSize};

    const BRK: Signal = Signal::Break(Break::On);

    fn drain(receiver: &mut SignalReceiver) -> Vec<Signal> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut signals = Vec::new();
        while let Poll::Ready(Some(signal)) = receiver.poll_recv(&mut cx) {
            signals.push(signal);
        }
        signals
    }

    fn window(cols: u16) -> Signal {
        Signal::Window(WindowSize { cols, rows: 24 })
    }

    #[test]
    fn every_subscriber_receives_every_signal() {
        let mut broadcast = Broadcast::default();
        let (mut one, mut two) = (broadcast.subscribe(), broadcast.subscribe());
        assert_eq!((broadcast.send(&window(80)), broadcast.send(&BRK)), (0, 0));
        assert_eq!(drain(&mut one), [window(80), BRK]);
        assert_eq!(drain(&mut two), [window(80), BRK]);
    }

    #[test]
    fn a_late_subscriber_learns_what_is_in_force() {
        let mut broadcast = Broadcast::default();
        let mut modem = ModemLines { dtr: Some(true), ..ModemLines::default() };
        let mut line = LineSettings { baud: Some(9600), ..LineSettings::default() };
        let signals = [Signal::Line(line.clone()), Signal::Modem(modem), BRK, window(80)];
        assert_eq!(signals.iter().map(|signal| broadcast.send(signal)).sum::<usize>(), 0);
        line = LineSettings { xonxoff: Some(true), ..LineSettings::default() };
        modem = ModemLines { cts: Some(false), ..ModemLines::default() };
        let more = [Signal::Line(line.clone()), Signal::Modem(modem)];
        assert_eq!(more.iter().map(|signal| broadcast.send(signal)).sum::<usize>(), 0);
        (line.baud, modem.dtr) = (Some(9600), Some(true));
        let known = [Signal::Line(line), Signal::Modem(modem), window(80)];
        assert_eq!(drain(&mut broadcast.subscribe()), known);
    }

    #[test]
    fn a_slow_subscriber_stalls_the_sender_or_is_counted() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut broadcast = Broadcast::default();
        let (mut fast, mut slow) = (broadcast.subscribe(), broadcast.subscribe());
        for _ in 0..EVENTS {
            assert!(broadcast.poll_ready(&mut cx).is_ready());
            assert_eq!(broadcast.send(&BRK), 0);
        }
        assert_eq!(drain(&mut fast).len(), EVENTS);
        assert!(broadcast.poll_ready(&mut cx).is_pending());
        assert_eq!((broadcast.send(&BRK), broadcast.send(&window(80))), (1, 0));
        assert_eq!(drain(&mut fast), [BRK, window(80)], "the others miss nothing");
        assert_eq!(drain(&mut slow).last(), Some(&window(80)), "a state always fits");
        assert!(broadcast.poll_ready(&mut cx).is_ready());
    }

    #[test]
    fn a_subscriber_that_left_stalls_nobody() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut broadcast = Broadcast::default();
        drop(broadcast.subscribe());
        for _ in 0..3 * EVENTS {
            assert!(broadcast.poll_ready(&mut cx).is_ready());
            assert_eq!(broadcast.send(&BRK), 0);
        }
    }
}
