//! A bounded queue of signals that loses none without a report.
//!
//! Its length is bounded without dropping anything: at most [`EVENTS`] events wait, one state of each sort, and one
//! more of line settings between any two events. A sender of events waits for room ([`SignalSender::poll_ready`]), or
//! gets back what doesn't fit.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::Signal;

/// The maximum number of events that wait for a side that isn't reading them. Each is a few words;
/// the longest sequences that tools send, to reset a board, have six steps.
pub const EVENTS: usize = 32;

/// Returns a bounded queue of signals.
#[must_use]
pub fn channel() -> (SignalSender, SignalReceiver) {
    let queue = Arc::new(Mutex::new(Queue { senders: 1, ..Queue::default() }));
    (SignalSender(Arc::clone(&queue)), SignalReceiver(queue))
}

/// Sends signals. Dropping it, and all its clones, ends the queue. Only one sender may wait for room for an event;
/// the others send states.
#[derive(Debug)]
pub struct SignalSender(Arc<Mutex<Queue>>);

/// A signal that was not queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The queue of events is full; the event is returned.
    #[error("{EVENTS} signals are queued already")]
    Full(Signal),
    /// The receiver was dropped.
    #[error("signals have no receiver any more")]
    Gone,
}

impl SignalSender {
    /// Queues `signal`.
    ///
    /// Line settings are merged field by field into those that wait, and other states replace the one
    /// that waits, behind all events that were sent before. Line settings that an event was sent
    /// after stay in front of it: a change of speed around a change of DTR keeps its order.
    ///
    /// # Errors
    /// [`Undelivered::Full`] for an event that has no room; a state always has. [`Undelivered::Gone`]
    /// once the receiver was dropped.
    pub fn send(&self, signal: Signal) -> Result<(), Undelivered> {
        lock(&self.0).push(signal)
    }

    /// Polls for room for an event; ready if the receiver was dropped, too. With a single sender, as each queue has, the
    /// room stays until an event is sent.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = lock(&self.0);
        if queue.closed || queue.events < EVENTS {
            return Poll::Ready(());
        }
        keep(&mut queue.sender, cx);
        Poll::Pending
    }
}

impl Clone for SignalSender {
    fn clone(&self) -> Self {
        lock(&self.0).senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl Drop for SignalSender {
    fn drop(&mut self) {
        let mut queue = lock(&self.0);
        queue.senders -= 1;
        if queue.senders == 0 {
            queue.close();
        }
    }
}

/// Receives signals.
#[derive(Debug)]
pub struct SignalReceiver(Arc<Mutex<Queue>>);

impl SignalReceiver {
    /// Returns the next signal; `None` once the sender is gone and the queue is empty.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        self.poll_recv_if(cx, |_| true)
    }

    /// Returns the next signal if `take` accepts it, and leaves it in the queue otherwise; the caller then has to
    /// arrange to be woken once `take` would accept it.
    pub fn poll_recv_if(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&Signal) -> bool,
    ) -> Poll<Option<Signal>> {
        let mut queue = lock(&self.0);
        match queue.signals.front() {
            Some(next) if take(next) => Poll::Ready(queue.pop()),
            None if queue.closed => Poll::Ready(None),
            _ => {
                keep(&mut queue.receiver, cx);
                Poll::Pending
            }
        }
    }
}

impl Drop for SignalReceiver {
    fn drop(&mut self) {
        lock(&self.0).close();
    }
}

#[derive(Debug, Default)]
struct Queue {
    signals: VecDeque<Signal>,
    /// The number of events among them.
    events: usize,
    senders: usize,
    sender: Option<Waker>,
    receiver: Option<Waker>,
    closed: bool,
}

impl Queue {
    fn push(&mut self, signal: Signal) -> Result<(), Undelivered> {
        if self.closed {
            return Err(Undelivered::Gone);
        }
        if !signal.is_state() {
            if self.events == EVENTS {
                return Err(Undelivered::Full(signal));
            }
            self.events += 1;
            self.signals.push_back(signal);
        } else if let Signal::Line(newer) = &signal {
            match self.settings_behind_events() {
                Some(waiting) => waiting.merge(newer),
                None => self.signals.push_back(signal),
            }
        } else {
            self.signals.retain(|waiting| !waiting.is_like(&signal));
            self.signals.push_back(signal);
        }
        wake(&mut self.receiver);
        Ok(())
    }

    /// The line settings that no event was sent after.
    fn settings_behind_events(&mut self) -> Option<&mut super::LineSettings> {
        let states = self.signals.iter_mut().rev().take_while(|signal| signal.is_state());
        states.into_iter().find_map(|signal| match signal {
            Signal::Line(waiting) => Some(waiting),
            _ => None,
        })
    }

    fn pop(&mut self) -> Option<Signal> {
        let signal = self.signals.pop_front()?;
        if !signal.is_state() {
            self.events -= 1;
            wake(&mut self.sender);
        }
        Some(signal)
    }

    fn close(&mut self) {
        self.closed = true;
        wake(&mut self.sender);
        wake(&mut self.receiver);
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep(waker: &mut Option<Waker>, cx: &Context<'_>) {
    if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        *waker = Some(cx.waker().clone());
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;
    use crate::ExitStatus;
    use crate::control::{Break, LineSettings, ModemLines, Purge, StopBits, WindowSize};

    const BRK: Signal = Signal::Break(Break::Timed(Duration::from_millis(250)));

    fn drain(receiver: &mut SignalReceiver) -> Vec<Signal> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut signals = Vec::new();
        while let Poll::Ready(Some(signal)) = receiver.poll_recv(&mut cx) {
            signals.push(signal);
        }
        signals
    }

    fn send(sender: &SignalSender, signals: impl IntoIterator<Item = Signal>) {
        for signal in signals {
            assert_eq!(sender.send(signal), Ok(()));
        }
    }

    fn baud(baud: u32) -> LineSettings {
        LineSettings { baud: Some(baud), ..LineSettings::default() }
    }

    fn stop(stop: StopBits) -> LineSettings {
        LineSettings { stop_bits: Some(stop), ..LineSettings::default() }
    }

    fn modem(dtr: bool, rts: bool) -> Signal {
        Signal::Modem(ModemLines { dtr: Some(dtr), rts: Some(rts), ..ModemLines::default() })
    }

    fn window(cols: u16) -> Signal {
        Signal::Window(WindowSize { cols, rows: 24 })
    }

    #[test]
    fn sizes_coalesce_and_breaks_do_not() {
        let (sender, mut receiver) = channel();
        for cols in [80, 100, 120] {
            send(&sender, [window(cols), BRK]);
        }
        assert_eq!(drain(&mut receiver), [BRK, BRK, window(120), BRK]);
    }

    #[test]
    fn line_settings_merge_field_by_field() {
        let (sender, mut receiver) = channel();
        let settings = [baud(9600), stop(StopBits::Two), baud(115_200)];
        send(&sender, settings.map(Signal::Line));
        let merged = LineSettings { stop_bits: Some(StopBits::Two), ..baud(115_200) };
        assert_eq!(drain(&mut receiver), [Signal::Line(merged)]);
    }

    /// A board is sent to its boot loader by 1200 baud, DTR low, and its old speed.
    #[test]
    fn line_settings_keep_their_place_between_events() {
        let (sender, mut receiver) = channel();
        let before = [Signal::Line(baud(1200)), modem(false, false), Signal::Line(baud(9600))];
        send(&sender, before.clone());
        send(&sender, [window(80), Signal::Line(stop(StopBits::OneAndHalf))]);
        let mut last = baud(9600);
        last.stop_bits = Some(StopBits::OneAndHalf);
        let [first, event, _] = before;
        assert_eq!(drain(&mut receiver), [first, event, Signal::Line(last), window(80)]);
    }

    #[test]
    fn modem_lines_breaks_and_purges_keep_every_step() {
        let (sender, mut receiver) = channel();
        let steps = [
            modem(false, true),
            modem(true, false),
            Signal::Break(Break::On),
            Signal::Purge(Purge::Both),
            Signal::Break(Break::Off),
            modem(false, false),
            modem(false, false),
        ];
        send(&sender, steps.clone());
        assert_eq!(drain(&mut receiver), steps);
    }

    #[test]
    fn a_full_queue_hands_events_back_and_takes_states() {
        let (sender, mut receiver) = channel();
        send(&sender, vec![BRK; EVENTS]);
        assert_eq!(sender.send(BRK), Err(Undelivered::Full(BRK)));
        let states = [
            window(80),
            Signal::Title("vi".into()),
            Signal::Echo(true),
            Signal::Line(baud(9600)),
            Signal::Exit(ExitStatus::Code(3)),
        ];
        send(&sender, states.clone());
        let got = drain(&mut receiver);
        assert_eq!(got[..EVENTS], vec![BRK; EVENTS]);
        assert_eq!(got[EVENTS..], states);
    }

    #[test]
    fn a_flood_of_anything_is_bounded() {
        let (sender, mut receiver) = channel();
        for number in 0..10_000 {
            let _ = sender.send(Signal::Line(baud(number)));
            let _ = sender.send(window(80));
            let _ = sender.send(modem(true, false));
        }
        assert!(drain(&mut receiver).len() <= 2 * EVENTS + 2);
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_stalled_sender_is_woken_by_room_and_by_the_end() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let (sender, mut receiver) = channel();
        send(&sender, vec![BRK; EVENTS]);
        assert!(sender.poll_ready(&mut cx).is_pending());
        let mut other = Context::from_waker(Waker::noop());
        assert!(receiver.poll_recv(&mut other).is_ready());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(sender.poll_ready(&mut cx).is_ready());
        send(&sender, [BRK]);
        assert!(sender.poll_ready(&mut cx).is_pending());
        drop(receiver);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(sender.poll_ready(&mut cx).is_ready());
        assert_eq!(sender.send(BRK), Err(Undelivered::Gone));
    }

    #[test]
    fn a_signal_that_is_not_taken_stays_first() {
        let (sender, mut receiver) = channel();
        send(&sender, [BRK, window(80)]);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(receiver.poll_recv_if(&mut cx, Signal::is_state).is_pending());
        assert_eq!(drain(&mut receiver), [BRK, window(80)]);
    }

    #[test]
    fn what_was_sent_before_the_end_is_still_received() {
        let (sender, mut receiver) = channel();
        send(&sender, [Signal::Exit(ExitStatus::Code(3))]);
        drop(sender);
        let mut cx = Context::from_waker(Waker::noop());
        let exit = Some(Signal::Exit(ExitStatus::Code(3)));
        assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(exit));
        assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(None));
    }
}
