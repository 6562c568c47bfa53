//! Receiving: compressed payload in, payload out, both in pieces.

use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{Params, TAIL, memory};
use crate::{Role, Violation};

/// Inflates the messages of the peer, one after the other (§7.2.2).
///
/// After an error it gives that error again.
pub struct Inflater {
    takeover: bool,
    tally: Tally,
    /// Nothing until the first compressed message; without takeover, nothing between messages.
    state: Option<Inflate>,
    /// Set if a stream of blocks begins here: nothing has arrived of the message, or after a final block.
    fresh: bool,
    error: Option<Violation>,
}

/// The bytes in and out of the current message.
#[derive(Debug)]
struct Tally {
    bounds: Bounds,
    taken: u64,
    filled: u64,
}

/// The limits of one message's inflated size. 1 KiB of DEFLATE can hold 1 MiB, so a limit on the input limits
/// nothing.
///
/// Without bounds by default: an [`Inflater`] holds nothing but its window. They are for callers that hold the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Inflated bytes of one message.
    pub max_message: u64,
    /// Inflated bytes for each that came, over the message so far. DEFLATE reaches 1032. Bounds the work that a peer
    /// can cause with little effort where messages are of any length.
    pub max_ratio: Option<u32>,
    /// The inflated size from which the ratio is checked, because small messages may be very regular.
    pub ratio_from: u64,
}

/// The result of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Inflated {
    /// Bytes of the input that have been read.
    pub taken: usize,
    /// Bytes of payload, at the front of the output.
    pub filled: usize,
    /// Set if the input is used up with no output held back; and if it was the last of its message, if the message
    /// has ended.
    pub done: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_message: u64::MAX, max_ratio: None, ratio_from: 0 }
    }
}

// === impl Inflater ===

impl Inflater {
    /// Creates a decompressor for a role: a server inflates the messages of clients.
    pub fn new(role: Role, params: &Params, bounds: Bounds) -> Self {
        let peer = if role == Role::Server { Role::Client } else { Role::Server };
        let (_, takeover) = params.of(peer);
        let tally = Tally { bounds, taken: 0, filled: 0 };
        Self { takeover, tally, state: None, fresh: true, error: None }
    }

    /// Inflates a received piece of a message into `out`. `last` marks the end of the message.
    ///
    /// Until it is `done`: call again with the rest of `input` and the same `last`, also if the rest is empty. Each
    /// call fills all of `out` unless it is done, so `out` mustn't be empty.
    ///
    /// An error comes when all that was right before it has been given out; it ends the connection:
    /// [`Violation::InvalidDeflate`], [`Violation::MessageTooBig`], [`Violation::InflatesTooMuch`],
    /// [`Violation::NoMemory`].
    pub fn inflate(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut [u8],
    ) -> Result<Inflated, Violation> {
        if let Some(violation) = self.error {
            return Err(violation);
        }
        let mut inflated = Inflated { taken: 0, filled: 0, done: false };
        if let Err(violation) = self.inflate_until_done(input, last, out, &mut inflated) {
            self.error = Some(violation);
            if inflated.filled == 0 {
                return Err(violation);
            }
        }
        Ok(inflated)
    }

    /// Returns `true` if it has a window, 47 KiB: from the first compressed message on, or while there is one.
    pub fn is_allocated(&self) -> bool {
        self.state.is_some()
    }

    fn inflate_until_done(
        &mut self,
        input: &[u8],
        last: bool,
        out: &mut [u8],
        inflated: &mut Inflated,
    ) -> Result<(), Violation> {
        loop {
            let rest = &input[inflated.taken..];
            if rest.is_empty() && self.fresh {
                // A message should have a byte of 0 here (§7.2.3.4, §7.2.3.6). Without it, it can't mean anything else.
                break;
            }
            if self.state.is_none() {
                self.state = memory::make(memory::INFLATE, || Inflate::new(false, WINDOW_BITS));
            }
            let state = self.state.as_mut().ok_or(Violation::NoMemory)?;
            let room = &mut out[inflated.filled..];
            let ((taken, filled), status) = run(state, rest, room, InflateFlush::NoFlush);
            self.fresh &= taken == 0;
            inflated.taken += taken;
            inflated.filled += self.tally.count(taken, filled);
            self.tally.check()?;
            match status {
                // §7.2.3.4: more may follow a final block. It can't refer to data before it.
                Some(Status::StreamEnd) => {
                    state.reset(false);
                    self.fresh = true;
                }
                // There may be more where that came from.
                Some(_) if inflated.filled == out.len() => return Ok(()),
                // There is room left: so there is neither input nor output left.
                Some(_) => {
                    if last {
                        check_end(state)?;
                    }
                    break;
                }
                None => return Err(Violation::InvalidDeflate),
            }
        }
        inflated.done = true;
        if last {
            self.fresh = true;
            self.tally = Tally { bounds: self.tally.bounds, taken: 0, filled: 0 };
            if !self.takeover {
                self.state = None;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("takeover", &self.takeover)
            .field("tally", &self.tally)
            .field("allocated", &self.is_allocated())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

// === impl Tally ===

impl Tally {
    /// Counts, and returns how much of the output is within the bounds.
    fn count(&mut self, taken: usize, filled: usize) -> usize {
        let allowed = self.bounds.max_message.saturating_sub(self.filled);
        self.taken += taken as u64;
        self.filled += filled as u64;
        usize::try_from(allowed).map_or(filled, |allowed| filled.min(allowed))
    }

    fn check(&self) -> Result<(), Violation> {
        let &Self { bounds: Bounds { max_message, max_ratio, ratio_from }, taken, filled } = self;
        if filled > max_message {
            return Err(Violation::MessageTooBig { len: filled, max: max_message });
        }
        match max_ratio {
            Some(max_ratio)
                if filled > ratio_from && filled > taken.saturating_mul(max_ratio.into()) =>
            {
                Err(Violation::InflatesTooMuch { max_ratio })
            }
            _ => Ok(()),
        }
    }
}

/// Checks that a message may end here: right behind the three bits that begin an empty stored block, whose lengths
/// the sender has left out (§7.2.1). Adds them.
///
/// zlib stops where the block ends, so it takes the four bytes and not the fifth; anywhere else in a stream it would
/// take another number of them, or make payload of them.
fn check_end(state: &mut Inflate) -> Result<(), Violation> {
    let [a, b, c, d] = TAIL;
    let (moved, status) = run(state, &[a, b, c, d, 0], &mut [0], InflateFlush::Block);
    match (moved, status) {
        ((4, 0), Some(_)) => Ok(()),
        _ => Err(Violation::InvalidDeflate),
    }
}

/// Calls zlib once, and returns the amounts that it took and made. No status is an error.
fn run(
    state: &mut Inflate,
    input: &[u8],
    out: &mut [u8],
    flush: InflateFlush,
) -> ((usize, usize), Option<Status>) {
    let before = (state.total_in(), state.total_out());
    let status = state.decompress(input, out, flush).ok();
    let moved = (state.total_in() - before.0, state.total_out() - before.1);
    // No more than the slices have.
    ((moved.0 as usize, moved.1 as usize), status)
}

/// The largest, whatever was agreed upon: a smaller one takes no less memory in zlib-rs, and can't be too small.
const WINDOW_BITS: u8 = 15;
