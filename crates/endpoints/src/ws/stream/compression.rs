//! permessage-deflate (RFC 7692) on one connection: the agreed settings, and both directions.
//!
//! Messages pass in pieces both ways: neither a compressed nor an inflated one is ever in memory whole.
//! The state of deflate (some 300 KiB to compress, 50 KiB to inflate) is made with the first compressed
//! message of that direction.

use ::bytes::{Buf, BytesMut};
use plan::kind::Args;
use websocket::deflate::{Bounds, Config, Deflater, Inflater, Params};
use websocket::{Data, Role, Utf8, Violation};

use crate::scratch::with_scratch;

/// The compression settings of an endpoint.
#[derive(Clone, Debug)]
pub(in crate::ws) struct Compression {
    pub(in crate::ws) config: Config,
    level: u32,
    threshold: usize,
    max_ratio: Option<u32>,
}

impl Compression {
    /// The parameter, if it is on.
    pub(in crate::ws) fn read(args: &Args) -> Option<Self> {
        let set = args.switch("compression")?;
        let int = |name| set.int(name).expect("it has a default");
        let bits = |name| u8::try_from(int(name)).expect("at most 15");
        Some(Self {
            config: Config {
                server_no_context_takeover: set.flag("server_no_context_takeover"),
                client_no_context_takeover: set.flag("client_no_context_takeover"),
                server_max_window_bits: bits("server_max_window_bits"),
                client_max_window_bits: bits("client_max_window_bits"),
            },
            level: u32::try_from(int("level")).expect("at most 9"),
            threshold: int("threshold").try_into().unwrap_or(usize::MAX),
            max_ratio: u32::try_from(int("max-ratio")).ok().filter(|ratio| *ratio > 0),
        })
    }

    /// Both directions of a connection on which `params` were agreed.
    pub(in crate::ws) fn start(
        &self,
        role: Role,
        params: &Params,
        max_message: u64,
    ) -> (Option<Compressing>, Inflating) {
        let compressing = Deflater::new(role, params, self.level).map(|deflater| Compressing {
            deflater,
            threshold: self.threshold,
            on: false,
        });
        let bounds = Bounds { max_message, max_ratio: self.max_ratio, ratio_from: RATIO_FROM };
        (compressing, Inflating::new(Inflater::new(role, params, bounds)))
    }
}

/// The sending direction.
pub(in crate::ws) struct Compressing {
    deflater: Deflater,
    threshold: usize,
    /// Set if the open message is compressed.
    on: bool,
}

impl Compressing {
    /// A piece of a message, compressed; nothing of it is held back. `None` if the message isn't: one
    /// that is known to be small when it begins.
    pub(in crate::ws) fn deflate(
        &mut self,
        data: &[u8],
        first: bool,
        last: bool,
    ) -> Option<Vec<u8>> {
        if first {
            self.on = !last || data.len() >= self.threshold;
        }
        self.on.then(|| {
            let mut out = Vec::new();
            self.deflater.deflate(data, last, &mut out);
            out
        })
    }
}

/// The receiving direction.
pub(in crate::ws) struct Inflating {
    inflater: Inflater,
    /// The received part of the current piece that isn't inflated yet.
    rest: BytesMut,
    text: bool,
    last: bool,
    /// Set if a piece has begun and not been returned to its end.
    busy: bool,
    utf8: Utf8,
    /// Set if text is invalid: the valid part before the error is returned first.
    wrong_text: bool,
}

/// A piece of an inflated message.
pub(in crate::ws) struct Inflated {
    pub(in crate::ws) data: BytesMut,
    pub(in crate::ws) text: bool,
    pub(in crate::ws) last: bool,
}

impl Inflating {
    fn new(inflater: Inflater) -> Self {
        let rest = BytesMut::new();
        let (utf8, wrong_text) = (Utf8::default(), false);
        Self { inflater, rest, text: false, last: false, busy: false, utf8, wrong_text }
    }

    /// Begins with a piece that has come: `taken` ends with it.
    pub(in crate::ws) fn begin(&mut self, mut taken: BytesMut, data: &Data) {
        taken.truncate(data.range.end);
        taken.advance(data.range.start);
        self.rest = taken;
        (self.text, self.last, self.busy) = (data.text, data.last, true);
    }

    /// Returns `true` if [`Self::next`] has something to return.
    pub(in crate::ws) fn is_busy(&self) -> bool {
        self.busy || self.wrong_text
    }

    /// Returns the next piece of the inflated message; `None` when more has to arrive first. With `check`, text has
    /// to be UTF-8.
    pub(in crate::ws) fn next(&mut self, check: bool) -> Result<Option<Inflated>, Violation> {
        if self.wrong_text {
            return Err(Violation::InvalidText);
        }
        while self.busy {
            let (inflater, rest, last) = (&mut self.inflater, &mut self.rest, self.last);
            let (mut data, done) = with_scratch(|scratch| {
                let done = inflater.inflate(rest, last, scratch)?;
                rest.advance(done.taken);
                Ok((BytesMut::from(&scratch[..done.filled]), done.done))
            })?;
            self.busy = !done;
            if done {
                // An idle connection keeps no buffer.
                self.rest = BytesMut::new();
            }
            let last = done && self.last;
            if self.text && check && !self.check(&mut data, last) {
                self.wrong_text = true;
                return if data.is_empty() {
                    Err(Violation::InvalidText)
                } else {
                    Ok(Some(Inflated { data, text: true, last: false }))
                };
            }
            if last || !data.is_empty() {
                return Ok(Some(Inflated { data, text: self.text, last }));
            }
        }
        Ok(None)
    }

    /// Shortens text to what is right of it.
    fn check(&mut self, data: &mut BytesMut, last: bool) -> bool {
        match self.utf8.push(data) {
            Ok(()) => !last || self.utf8.is_whole(),
            Err(right) => {
                data.truncate(right);
                false
            }
        }
    }
}

/// So much emptiness is no accident: images of empty disks and frames of one colour are smaller.
const RATIO_FROM: u64 = 64 * 1024 * 1024;
