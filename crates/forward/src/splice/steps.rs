//! The steps that a poll takes for each side: life, data, its end, and data that nothing reads any more.

use std::io;
use std::task::{Context, Poll};

use endpoint::{End, Ending, Life, PeerState};
use tokio::time::Instant;

use super::closing::{Hears, Says};
use super::half::Rest;
use super::medium::{Medium, Step};
use super::session::Session;
use super::watch;
use crate::{Act, Ended, Failure, Side};

impl<M: Medium> Session<'_, M> {
    /// Runs the operations of a side apart from moving data.
    pub(super) fn live(&mut self, cx: &mut Context<'_>, side: Side) {
        let half = self.half(side);
        if half.dead().is_some() || half.is_over() {
            return;
        }
        if let Poll::Ready(error) = half.stream.poll_background(cx) {
            self.bury(side, error);
        }
    }

    /// Marks a side as gone.
    pub(super) fn bury(&mut self, side: Side, error: io::Error) {
        let half = self.half(side);
        if half.hears == Hears::Deliver {
            half.look();
        }
        // A side that has ended may go; it is an error only if something was still to come, or to be taken by a peer that
        // didn't choose to leave.
        let chose = error.kind() == io::ErrorKind::BrokenPipe;
        let takes = half.hears == Hears::Deliver || half.has_unwritten();
        let is_loss = half.is_open() || (takes && !chose);
        half.die(error.kind());
        self.stirred = Instant::now();
        if is_loss {
            self.note(Ended::Error(side, Failure { act: Act::Live, error }));
        }
    }

    /// Moves what `side` sends, and sees what that changes; whether it waits for the other side.
    pub(super) fn pump(&mut self, cx: &mut Context<'_>, side: Side) -> bool {
        let (from, to) = self.lane(side);
        if from.is_open() && to.is_open() && to.hears == Hears::Cut {
            // Data that a failed side has sent before is still delivered. The side that it goes to must
            // not be stalled by data that it sends itself, which is not taken any more.
            if M::discard(cx, &mut from.stream).1.is_ready() {
                let end = from.stream.end();
                from.over(Says::Ended, Some(end));
                self.stirred = Instant::now();
            }
            return false;
        }
        if !from.is_open() || !to.hears.takes() {
            return false;
        }
        let before = to.out.written;
        let step = match M::pump(cx, &mut from.stream, &mut to.stream, &mut to.out) {
            // Data that it had sent before it died has been read by now.
            Step::Dry => match from.dead() {
                Some(kind) if from.is_dry(cx) => Step::read_failed(from.death(kind)),
                _ => return false,
            },
            Step::Full => {
                if from.dead().is_none() {
                    from.stream.poll_ahead(cx);
                }
                return true;
            }
            Step::Turn => match from.dead() {
                Some(kind) if !from.has_left(to.out.written - before) => {
                    Step::read_failed(from.death(kind))
                }
                _ => return false,
            },
            step => step,
        };
        let ended = match step {
            Step::End => {
                let end = from.stream.end();
                from.over(Says::Ended, Some(end.clone()));
                to.close(end);
                Ended::Eof(side)
            }
            Step::ReadFailed(failure) => {
                from.over(Says::Failed, None);
                // No peer is left there to read an answer; but a peer that broke its protocol is there, and is told so.
                if failure.error.kind() != io::ErrorKind::InvalidData {
                    from.fail();
                }
                to.close(End::lost(&failure.error));
                Ended::Error(side, failure)
            }
            Step::WriteFailed(failure) => {
                match to.stream.peer() {
                    Some(peer) if is_over(peer.state, &failure.error) => {
                        to.die(failure.error.kind());
                    }
                    _ => {
                        to.stream.abort();
                        to.lose();
                    }
                }
                // Data that is not taken any more is read and discarded from the next poll on.
                cx.waker().wake_by_ref();
                Ended::Error(side.other(), failure)
            }
            Step::Dry | Step::Full | Step::Turn => return false,
        };
        if !from.is_open() && from.stream.ending() == Ending::Whole {
            from.lose();
        }
        self.stirred = Instant::now();
        self.note(ended);
        false
    }

    pub(super) fn close(&mut self, cx: &mut Context<'_>, side: Side) {
        let half = self.half(side);
        let before = half.hears;
        let failed = half.poll_close(cx).err();
        if failed.is_some() {
            half.fail();
            cx.waker().wake_by_ref();
        }
        let (after, now) = (half.hears, Instant::now());
        if after != before {
            self.stirred = now;
            if after == Hears::Told {
                let sent = self.half(side.other()).out.written;
                self.half(side).set_sent_before(sent);
            }
            if after == Hears::Deliver {
                match &mut self.watch {
                    Some(watch) => watch.hurry(watch::DELIVERY, now),
                    None => self.begin_watch(watch::DELIVERY),
                }
            }
        }
        if let Some(failure) = failed {
            self.note(Ended::Error(side, failure));
        }
    }

    /// Reads and discards data of a side that was sent the end.
    pub(super) fn settle(&mut self, cx: &mut Context<'_>, side: Side) {
        let close = self.close_time();
        let (from, to) = self.lane(side);
        let told = matches!(from.hears, Hears::Deliver | Hears::Told);
        if !told || !from.is_open() || to.hears.takes() || from.rest() == Rest::Settled {
            return;
        }
        let ending = from.stream.ending();
        if ending == Ending::Whole || from.dead().is_some() {
            from.set_rest(Rest::Settled);
            return;
        }
        let (bytes, done) = M::discard(cx, &mut from.stream);
        let taken = from.hears == Hears::Told;
        let until = |by: Option<Instant>| by.or_else(|| taken.then(|| Instant::now() + close));
        let quiet = bytes == 0 && ending == Ending::HalfClose && taken;
        let (by, left) = match from.rest() {
            // A side that isn't sending when it has taken everything will see the end as its next event. One that ends
            // with a handshake answers this side's: a moment more is due to it.
            Rest::Unknown | Rest::Read { by: None, .. } if quiet => (until(None), 0),
            Rest::Read { by, left } => (until(by), left.saturating_sub(bytes)),
            _ => (until(None), DISCARD.saturating_sub(bytes)),
        };
        let more = done.is_pending() && left > 0;
        from.set_rest(if more { Rest::Read { by, left } } else { Rest::Settled });
        if done.is_ready() {
            from.ask();
        }
        // It had not ended when we ended the session, and its data has no reader any more.
        let cut = bytes > 0 && self.is_winding_up();
        self.mark_cut(cut);
    }
}

/// Returns `true` if a peer that can't be written to is gone. A TCP connection that was reset has no error left after
/// the write that failed by it.
fn is_over(state: PeerState, error: &io::Error) -> bool {
    let broken = matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
    state == PeerState::Gone || (state == PeerState::Ended && broken)
}

/// The maximum that is read from a side that was sent the end before it is left: as much as the
/// buffers of both systems may hold.
const DISCARD: usize = 8 * 1024 * 1024;
