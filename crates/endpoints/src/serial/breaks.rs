//! Breaks on a line: of a length, or until they are switched off.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::control::Break;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_serial::SerialPort;
use tracing::debug;

use super::closing::{TICK, unsent};
use super::open::Opened;

/// The break on a line, if there is one.
#[derive(Default)]
pub(super) struct Breaks {
    /// The one that is to begin, or has a length that isn't over.
    pending: Option<Pending>,
    /// It was switched on, and not off again.
    held: bool,
}

struct Pending {
    /// `None` for one that is switched on.
    length: Option<Duration>,
    begun: bool,
    /// It begins then at the latest: the other side may hold the line.
    until: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Breaks {
    /// Begins or ends a break. To be called when [`Breaks::poll`] is ready.
    pub(super) fn start(&mut self, wanted: Break, opened: &Opened) {
        let length = match wanted {
            Break::Timed(length) if length.is_zero() => Some(BREAK),
            Break::Timed(length) => Some(length.min(LONGEST_BREAK)),
            Break::On => None,
            Break::Off => {
                self.held = false;
                return clear(opened);
            }
        };
        let now = Instant::now();
        let timer = Box::pin(sleep_until(now + TICK));
        self.pending = Some(Pending { length, begun: false, until: now + HELD_UP, timer });
    }

    /// Returns whether what is written has to wait: a byte that is sent during a break arrives as a
    /// part of it. It doesn't wait for a break to be switched off, as that may come behind the byte.
    pub(super) fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Ready when the next signal may be acted on: no break is about to begin, and none of some length
    /// is being sent.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, opened: &Opened) -> Poll<()> {
        let Some(pending) = &mut self.pending else { return Poll::Ready(()) };
        if !pending.begun {
            // Data that was written before the break goes out before it.
            while unsent(opened) > 0 && Instant::now() < pending.until {
                ready!(pending.timer.as_mut().poll(cx));
                pending.timer.as_mut().reset(Instant::now() + TICK);
            }
            if let Err(error) = opened.port.set_break() {
                debug!("cannot begin a break: {error}");
            }
            pending.begun = true;
            match pending.length {
                Some(length) => pending.timer.as_mut().reset(Instant::now() + length),
                None => {
                    self.held = true;
                    self.pending = None;
                    return Poll::Ready(());
                }
            }
        }
        ready!(pending.timer.as_mut().poll(cx));
        self.pending = None;
        if !self.held {
            clear(opened);
        }
        Poll::Ready(())
    }

    /// Ends whatever is being sent: the line is closed.
    pub(super) fn end(&mut self, opened: &Opened) {
        if self.held || self.pending.as_ref().is_some_and(|pending| pending.begun) {
            clear(opened);
        }
    }
}

fn clear(opened: &Opened) {
    if let Err(error) = opened.port.clear_break() {
        debug!("cannot end a break: {error}");
    }
}

/// The length of a break of no stated length, as in `tcsendbreak`.
const BREAK: Duration = Duration::from_millis(250);

/// A peer may ask for any length, and nothing else is sent meanwhile.
const LONGEST_BREAK: Duration = Duration::from_secs(5);

/// The time that a break waits for data that was written before it.
const HELD_UP: Duration = Duration::from_secs(1);
