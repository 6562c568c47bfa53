//! Signals that travel beside the data: window sizes, breaks, line settings, exit status.
//!
//! Each side of a session has signals that it *says* and signals that it *takes*; the splice hands
//! what one side says to what the other takes. Queues are bounded: states (a size, a line setting)
//! replace an older one of their sort, events beyond [`EVENTS`] are dropped.

use std::collections::VecDeque;
use std::mem::discriminant;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::ExitStatus;

/// How many signals wait for a side that isn't taking them. Each is a few words, and a person
/// makes them; 32 breaks in a row are a stuck key.
pub const EVENTS: usize = 32;

/// One signal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// A break on a serial line for this long (RFC 1143's BRK, `tcsendbreak`).
    Break(Duration),
    /// Whether the far side echoes what is typed; if it doesn't, the terminal does (RFC 857).
    Echo(bool),
    /// How the program behind the connection ended.
    Exit(ExitStatus),
    /// Serial line settings to apply, or that were applied.
    Line(LineSettings),
    /// Modem lines to set, or that changed.
    Modem(ModemLines),
    /// The terminal's title.
    Title(String),
    /// The terminal's size.
    Window(WindowSize),
}

impl Signal {
    /// Whether a newer one makes an older one pointless.
    fn is_state(&self) -> bool {
        !matches!(self, Self::Break(_))
    }
}

/// A terminal's size, as `TIOCSWINSZ` and NAWS (RFC 1073) give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSize {
    /// Columns of characters.
    pub cols: u16,
    /// Rows of characters.
    pub rows: u16,
}

/// Settings of a serial line; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineSettings {
    /// Bits per second.
    pub baud: Option<u32>,
    /// Data bits, 5 to 8.
    pub data_bits: Option<u8>,
    /// `N`, `E`, `O`, `M` or `S`, as in pyserial.
    pub parity: Option<char>,
    /// Stop bits, 1 or 2.
    pub stop_bits: Option<u8>,
    /// Software flow control.
    pub xonxoff: Option<bool>,
    /// Hardware flow control.
    pub rtscts: Option<bool>,
}

/// The modem lines of a serial port; `None` where a line is not known or not to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModemLines {
    /// Data terminal ready, which we drive.
    pub dtr: Option<bool>,
    /// Request to send, which we drive.
    pub rts: Option<bool>,
    /// Clear to send, which the device drives.
    pub cts: Option<bool>,
    /// Data set ready, which the device drives.
    pub dsr: Option<bool>,
    /// Ring indicator, which the device drives.
    pub ri: Option<bool>,
    /// Carrier detect, which the device drives.
    pub cd: Option<bool>,
}

/// The signals of one connection, seen from the session.
#[derive(Debug, Default)]
pub struct Control {
    /// What this side says.
    pub says: Option<SignalReceiver>,
    /// What this side takes.
    pub takes: Option<SignalSender>,
}

impl Control {
    /// A connection's signals, and the ends that its kind keeps: where it says them and where it
    /// takes them from.
    #[must_use]
    pub fn pair() -> (Self, SignalSender, SignalReceiver) {
        let (say, says) = channel();
        let (takes, take) = channel();
        (Self { says: Some(says), takes: Some(takes) }, say, take)
    }
}

/// A bounded queue of signals.
#[must_use]
pub fn channel() -> (SignalSender, SignalReceiver) {
    let queue = Arc::new(Mutex::new(Queue::default()));
    (SignalSender(Arc::clone(&queue)), SignalReceiver(queue))
}

/// Where signals are put. Dropping it ends the queue.
#[derive(Debug)]
pub struct SignalSender(Arc<Mutex<Queue>>);

impl SignalSender {
    /// Queues `signal`; `false` if it was dropped because the queue is full or nobody listens.
    pub fn send(&self, signal: Signal) -> bool {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            return false;
        }
        if signal.is_state()
            && let Some(older) =
                queue.signals.iter().position(|other| discriminant(other) == discriminant(&signal))
        {
            // The newer state takes the older one's place at the end: order between a resize and a
            // break is kept as it was last said.
            queue.signals.remove(older);
        }
        if queue.signals.len() == EVENTS {
            return false;
        }
        queue.signals.push_back(signal);
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        true
    }
}

impl Drop for SignalSender {
    fn drop(&mut self) {
        close(&self.0);
    }
}

/// Where signals are taken from.
#[derive(Debug)]
pub struct SignalReceiver(Arc<Mutex<Queue>>);

impl SignalReceiver {
    /// The next signal; `None` once the sender is gone and the queue is empty.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signal) = queue.signals.pop_front() {
            return Poll::Ready(Some(signal));
        }
        if queue.closed {
            return Poll::Ready(None);
        }
        if !queue.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            queue.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for SignalReceiver {
    fn drop(&mut self) {
        close(&self.0);
    }
}

#[derive(Debug, Default)]
struct Queue {
    signals: VecDeque<Signal>,
    waker: Option<Waker>,
    closed: bool,
}

fn close(queue: &Mutex<Queue>) {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.closed = true;
    if let Some(waker) = queue.waker.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(receiver: &mut SignalReceiver) -> Vec<Signal> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut signals = Vec::new();
        while let Poll::Ready(Some(signal)) = receiver.poll_recv(&mut cx) {
            signals.push(signal);
        }
        signals
    }

    #[test]
    fn sizes_coalesce_and_breaks_do_not() {
        let (sender, mut receiver) = channel();
        let brk = Signal::Break(Duration::from_millis(250));
        for cols in [80, 100, 120] {
            sender.send(Signal::Window(WindowSize { cols, rows: 24 }));
            sender.send(brk.clone());
        }
        let last = Signal::Window(WindowSize { cols: 120, rows: 24 });
        assert_eq!(drain(&mut receiver), [brk.clone(), brk.clone(), last, brk]);
    }

    #[test]
    fn a_full_queue_drops_and_says_so() {
        let (sender, mut receiver) = channel();
        let sent = (0..100).filter(|_| sender.send(Signal::Break(Duration::ZERO))).count();
        assert_eq!(sent, EVENTS);
        assert_eq!(drain(&mut receiver).len(), EVENTS);
    }

    #[test]
    fn what_was_said_before_the_end_is_still_heard() {
        let (sender, mut receiver) = channel();
        sender.send(Signal::Exit(ExitStatus::Code(3)));
        drop(sender);
        let mut cx = Context::from_waker(Waker::noop());
        let exit = Some(Signal::Exit(ExitStatus::Code(3)));
        assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(exit));
        assert_eq!(receiver.poll_recv(&mut cx), Poll::Ready(None));
    }
}
