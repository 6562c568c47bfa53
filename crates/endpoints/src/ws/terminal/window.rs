//! Flow control of a terminal: how much may be on its way that the client hasn't drawn.
//!
//! A terminal draws a few megabytes a second, and a program writes hundreds. Without a bound, all buffers on the way
//! fill up, and the answer to Ctrl-C comes behind seconds of output. So the client reports how many bytes it has
//! drawn (`ack`), and nothing is read for it while [`Window::size`] of them are outstanding. The law is from
//! measurements on fast and slow links, with renderers from 0.3 to 15 MB/s:
//!
//! - the rate is sampled at each ack, as BBR does, and the greatest of the last second counts;
//! - the window holds what is drawn at that rate in the least round trip, and [`AHEAD`] more of it, but no more than
//!   [`MOST_AHEAD`];
//! - it shrinks at once and doubles at most, and grows only if it was what held us.
//!
//! A target in the window's time has to be longer than a frame, which takes 60 to 160 ms with a colour for each character:
//! a shorter one takes drawing for a queue, and starves.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// The data on its way to a client that acknowledges what it has drawn.
pub(in crate::ws) struct Window {
    /// Bytes of data since the connection was opened, as all counts here are.
    sent: u64,
    acked: Acked,
    marks: VecDeque<Mark>,
    /// The least time between sending and ack, and since when it is looked for.
    base: Option<(Duration, Instant)>,
    /// Falling rates, in bytes a second, with the time of each: the first is the greatest of those that count.
    rates: VecDeque<(Instant, f64)>,
    size: u64,
    /// Set if the window has limited sending since the last ack.
    limited: bool,
    writer: Option<Waker>,
}

/// An ack, as far as the law needs it.
#[derive(Clone, Copy)]
struct Acked {
    bytes: u64,
    at: Instant,
}

/// The state when a piece was sent.
struct Mark {
    /// The count with it.
    sent: u64,
    at: Instant,
    /// The last ack then.
    acked: Acked,
}

impl Window {
    /// For a client that has drawn `bytes` of the `sent` ones.
    pub(super) fn new(sent: u64, bytes: u64, now: Instant) -> Self {
        Self {
            sent,
            acked: Acked { bytes: bytes.min(sent), at: now },
            marks: VecDeque::new(),
            base: None,
            rates: VecDeque::new(),
            size: START,
            limited: false,
            writer: None,
        }
    }

    /// Ready while more may be sent.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.outstanding() < self.size {
            return Poll::Ready(());
        }
        self.limited = true;
        if !self.writer.as_ref().is_some_and(|writer| writer.will_wake(cx.waker())) {
            self.writer = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Counts data that was sent.
    pub(super) fn sent(&mut self, bytes: u64, now: Instant) {
        self.sent += bytes;
        // A client that acknowledges nothing, or data in crumbs, costs no memory: data without a mark is not measured.
        if self.marks.len() < MARKS {
            self.marks.push_back(Mark { sent: self.sent, at: now, acked: self.acked });
        }
    }

    /// Handles an ack. One that has less than an earlier one, or more than was sent, changes
    /// nothing.
    pub(super) fn ack(&mut self, bytes: u64, now: Instant) {
        if bytes <= self.acked.bytes || bytes > self.sent {
            return;
        }
        self.acked = Acked { bytes, at: now };
        let mut completed = None;
        while self.marks.front().is_some_and(|mark| mark.sent <= bytes) {
            completed = self.marks.pop_front();
        }
        if let Some(mark) = completed {
            self.learn(&mark, now);
        }
        if self.outstanding() < self.size
            && let Some(writer) = self.writer.take()
        {
            writer.wake();
        }
    }

    fn outstanding(&self) -> u64 {
        self.sent - self.acked.bytes
    }

    fn learn(&mut self, mark: &Mark, now: Instant) {
        let sojourn = now - mark.at;
        let is_drained = self.outstanding() == 0;
        let base = match self.base {
            // A way that has become longer is found out by a piece that waited for nothing else.
            Some((_, since)) if is_drained && now - since >= RENEWED => (sojourn, now),
            Some((base, since)) => (base.min(sojourn), since),
            None => (sojourn, now),
        };
        self.base = Some(base);
        let taken = now - mark.acked.at;
        if !taken.is_zero() {
            let rate = (self.acked.bytes - mark.acked.bytes) as f64 / taken.as_secs_f64();
            self.sample(rate, now, (sojourn * 4).max(MEMORY));
        }
        let Some((_, rate)) = self.rates.front() else { return };
        let ahead = (rate * AHEAD.as_secs_f64()).min(MOST_AHEAD);
        // Below 2^53 by far: `MOST` bounds what comes of it.
        let want = (rate * base.0.as_secs_f64() + ahead).min(MOST as f64) as u64;
        self.size = match want < self.size {
            // A client that has nothing to draw is no slow one.
            true if is_drained => self.size,
            true => want,
            false if self.limited => want.min(self.size * 2),
            false => self.size,
        };
        self.size = self.size.clamp(LEAST, MOST);
        self.limited = self.outstanding() >= self.size;
    }

    fn sample(&mut self, rate: f64, now: Instant, memory: Duration) {
        while self.rates.front().is_some_and(|(at, _)| now - *at > memory) {
            self.rates.pop_front();
        }
        while self.rates.back().is_some_and(|(_, smaller)| *smaller <= rate) {
            self.rates.pop_back();
        }
        if self.rates.len() < RATES {
            self.rates.push_back((now, rate));
        }
    }
}

/// The time that data on its way beyond a round trip may take to draw.
const AHEAD: Duration = Duration::from_millis(100);
/// And how many bytes that is at most: 91 % of the unlimited throughput, and Ctrl-C is answered within 40 to 230 ms of
/// any output under load.
const MOST_AHEAD: f64 = 256.0 * 1024.0;
const START: u64 = 128 * 1024;
const LEAST: u64 = 16 * 1024;
/// Of long fat links: 100 MB/s at 80 ms.
const MOST: u64 = 8 * 1024 * 1024;
/// The time for which a rate is remembered.
const MEMORY: Duration = Duration::from_secs(1);
/// The time for which the least round trip is used.
const RENEWED: Duration = Duration::from_secs(60);
const MARKS: usize = 256;
const RATES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(window: &mut Window) -> bool {
        window.poll_open(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Sends whatever may be sent to a client at the end of a path of `delay` that draws at `rate` bytes a second and
    /// acknowledges it every 16 ms, for `time`. Returns the bytes that it has drawn, and the most that was on its way
    /// in the last second.
    fn run(window: &mut Window, rate: u64, delay: Duration, time: Duration) -> (u64, u64) {
        let mut now = window.acked.at;
        let start = now;
        let step = Duration::from_millis(1);
        let mut on_the_way: VecDeque<(Instant, u64)> = VecDeque::new();
        let mut acks: VecDeque<(Instant, u64)> = VecDeque::new();
        let (mut there, mut drawn, mut most) = (window.sent, window.acked.bytes, 0);
        let before = drawn;
        let mut budget = 0;
        while now - start < time {
            while is_open(window) {
                window.sent(4096, now);
                on_the_way.push_back((now + delay / 2, window.sent));
            }
            while on_the_way.front().is_some_and(|(at, _)| *at <= now) {
                there = on_the_way.pop_front().expect("it is there").1;
            }
            budget += rate / 1000;
            if (now - start).as_millis().is_multiple_of(16) {
                let takes = budget.min(there - drawn);
                budget = 0;
                if takes > 0 {
                    drawn += takes;
                    acks.push_back((now + delay / 2, drawn));
                }
            }
            while acks.front().is_some_and(|(at, _)| *at <= now) {
                window.ack(acks.pop_front().expect("it is there").1, now);
            }
            if time - (now - start) < Duration::from_secs(1) {
                most = most.max(window.sent - drawn);
            }
            now += step;
        }
        (drawn - before, most)
    }

    fn fresh() -> Window {
        Window::new(0, 0, Instant::now())
    }

    #[test]
    fn what_is_on_its_way_is_drawn_soon_and_the_client_is_kept_busy() {
        let ms = Duration::from_millis;
        for (rate, delay) in [
            (300_000, ms(1)),
            (3_000_000, ms(1)),
            (10_000_000, ms(1)),
            (100_000, ms(100)),
            (1_250_000, ms(20)),
            (1_250_000, ms(100)),
            (1_250_000, ms(200)),
        ] {
            let (drawn, most) = run(&mut fresh(), rate, delay, Duration::from_secs(10));
            let part = drawn as f64 / (rate as f64 * 10.0);
            assert!(part > 0.85, "{rate} B/s, {delay:?}: {part}");
            let wait = most as f64 / rate as f64;
            let allowed = 0.25 + 2.0 * delay.as_secs_f64();
            assert!(wait < allowed, "{rate} B/s, {delay:?}: {wait} s are on their way");
        }
    }

    #[test]
    fn a_client_that_becomes_slow_is_sent_less() {
        let mut window = fresh();
        run(&mut window, 10_000_000, Duration::from_millis(1), Duration::from_secs(3));
        let (_, most) =
            run(&mut window, 1_000_000, Duration::from_millis(1), Duration::from_secs(6));
        assert!(most < 200_000, "{most}");
        let (drawn, _) =
            run(&mut window, 10_000_000, Duration::from_millis(1), Duration::from_secs(3));
        assert!(drawn > 20_000_000, "{drawn}");
    }

    #[test]
    fn what_a_client_says_can_do_no_harm() {
        let now = Instant::now();
        let mut window = fresh();
        for bytes in [1, 0, u64::MAX] {
            window.ack(bytes, now);
        }
        assert_eq!((window.acked.bytes, window.size), (0, START));
        while is_open(&mut window) {
            window.sent(1, now);
        }
        assert_eq!(window.sent, START);
        assert!(window.marks.len() <= MARKS);
        for bytes in 1..START {
            window.ack(bytes, now + Duration::from_micros(bytes));
        }
        assert!(window.rates.len() <= RATES);
        window.ack(window.sent, now);
        assert!((LEAST..=MOST).contains(&window.size));
        assert_eq!(Window::new(5, 9, now).outstanding(), 0);
    }
}
