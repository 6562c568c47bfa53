//! Looks at the facts that the transports know about their peers, and the actions of a session on them.

use std::io;
use std::num::NonZero;
use std::time::Duration;

use tokio::time::Instant;

use super::medium::Medium;
use super::session::{SIDES, Session};
use super::watch::{self, Watch};
use crate::Side;

impl<M: Medium> Session<'_, M> {
    /// Schedules the first look after `step`, unless neither transport knows anything.
    pub(super) fn begin_watch(&mut self, step: Duration) {
        if !self.blind {
            let step = self.timers.idle.map_or(step, |idle| step.min(idle / 4));
            self.watch = Some(Box::new(Watch::after(step, Instant::now())));
        }
    }

    /// Remembers that something was written, to look for it later.
    pub(super) fn remember_write(&mut self) {
        let since = self.began.elapsed().as_millis();
        self.wrote = u32::try_from(since).ok().and_then(|since| NonZero::new(since.max(1)));
        if self.wrote.is_none() {
            // It has lasted for seven weeks.
            self.begin_watch(watch::WRITTEN);
        }
    }

    /// When to look at the transports next.
    pub(super) fn look_at(&self) -> Option<Instant> {
        let Some(watch) = &self.watch else {
            let wrote = Duration::from_millis(self.wrote?.get().into());
            let pause =
                self.timers.idle.map_or(watch::WRITTEN, |idle| watch::WRITTEN.min(idle / 4));
            return Some(self.began + wrote + pause);
        };
        Some(watch.at)
    }

    /// Looks at both transports, and schedules the next look.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        self.wrote = None;
        let mut watch =
            self.watch.take().unwrap_or_else(|| Box::new(Watch::after(watch::WRITTEN, now)));
        let mut found = [watch::Finding::default(); 2];
        for (side, found) in SIDES.into_iter().zip(&mut found) {
            let half = self.half(side);
            let before = half.hears;
            *found = watch.look(side == Side::Near, half, now);
            let told = half.hears != before;
            if found.progress || told {
                self.stirred = now;
            }
            if found.progress {
                self.moved = now;
            }
            if let Some(kind) = found.gone
                && self.needs(side)
            {
                if watch.has_ended(side == Side::Near) {
                    // Its end is still to be read, and is no failure.
                    self.half(side).die(kind);
                } else {
                    self.bury(side, gone(kind));
                }
            }
        }
        self.blind = found.iter().all(|found| !found.known) && self.ended.is_none();
        let slow = SIDES.into_iter().any(|side| {
            watch.is_proven(side == Side::Near) == Some(true) && self.half(side).has_unwritten()
        });
        if let Some(over) = self.ended.as_mut().filter(|_| slow) {
            over.since = now;
        }
        let ending = self.ended.is_some();
        let stalled = self.has_unwritten();
        let pending = found.iter().any(|found| found.pending);
        let most = match self.timers.idle {
            _ if ending || stalled => Some(watch::STALLED),
            Some(idle) => pending.then_some((idle / 4).max(LEAST_LOOK)),
            None => pending.then_some(watch::WRITTEN),
        };
        if let Some(most) = most.filter(|_| !self.blind) {
            watch.again(found, most, now);
            self.watch = Some(watch);
        }
    }

    /// Returns `true` if it matters that a side is gone.
    pub(super) fn needs(&self, side: Side) -> bool {
        let half = match side {
            Side::Near => &self.near,
            Side::Far => &self.far,
        };
        !half.hears.is_final() || half.is_open()
    }
}

/// Returns the error for a peer that is gone.
fn gone(kind: io::ErrorKind) -> io::Error {
    match kind {
        io::ErrorKind::TimedOut => io::Error::new(kind, "the peer does not acknowledge data"),
        kind => kind.into(),
    }
}

/// An idle timeout of no time at all must not have us look all the time.
const LEAST_LOOK: Duration = Duration::from_millis(10);
