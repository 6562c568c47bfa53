//! Sending: payload in, compressed payload out.

use std::fmt;

use zlib_rs::{Deflate, DeflateFlush};

use super::config::MIN_OWN_BITS;
use super::{Params, TAIL, memory};
use crate::Role;

/// Compresses messages, one after the other (§7.2.1).
pub struct Deflater {
    level: i32,
    window_bits: u8,
    takeover: bool,
    /// Nothing until the first compressed message; without takeover, nothing between messages.
    state: Option<Deflate>,
    /// Set if the last piece's [`TAIL`] hasn't been returned: it goes before the next piece, and is omitted at the
    /// end.
    tail: bool,
    /// Set if something has been returned of the current message.
    begun: bool,
}

impl Deflater {
    /// Creates a compressor for a role. `level` is zlib's: 1 is fast, 9 is thorough, 6 is usual; more than 9 is 9.
    ///
    /// `None` if the window that was agreed upon is one of 256 bytes, which zlib can't compress with. Then nothing is
    /// to be compressed; that is always allowed (§6).
    pub fn new(role: Role, params: &Params, level: u32) -> Option<Self> {
        let (window_bits, takeover) = params.of(role);
        (window_bits >= MIN_OWN_BITS).then_some(Self {
            level: level.min(9) as i32,
            window_bits,
            takeover,
            state: None,
            tail: false,
            begun: false,
        })
    }

    /// Appends the compressed payload of the next piece of a message to `out`; `last` marks the end of the message.
    ///
    /// The peer can inflate all of a piece as soon as it has it. A piece costs its flush, 5 bytes or so: large ones
    /// compress better.
    ///
    /// The output is never longer than `data`, 5 bytes for each 65,535 of it, and 10: incompressible data is sent in
    /// stored blocks. An empty piece adds nothing, unless the whole message is empty.
    pub fn deflate(&mut self, data: &[u8], last: bool, out: &mut Vec<u8>) {
        if !data.is_empty() {
            self.piece(data, out);
            self.begun = true;
        } else if last && !self.begun {
            // §7.2.3.6: the first byte of an empty stored block, whose lengths stay away as always.
            out.push(0);
        }
        if last {
            (self.tail, self.begun) = (false, false);
            if !self.takeover {
                self.state = None;
            }
        }
    }

    /// Returns `true` if it has a window, 250 to 370 KiB: from the first compressed message on, or while there is
    /// one.
    pub fn is_allocated(&self) -> bool {
        self.state.is_some()
    }

    fn piece(&mut self, data: &[u8], out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.tail, true) {
            out.extend_from_slice(&TAIL);
        }
        let start = out.len();
        let (level, bits) = (self.level, self.window_bits);
        if self.state.is_none() {
            self.state = memory::make(memory::DEFLATE, || Deflate::new(level, false, bits));
        }
        let Some(state) = &mut self.state else {
            // Without memory, it goes as it is.
            store(data, out);
            return;
        };
        flush(state, data, out);
        debug_assert!(out.ends_with(&TAIL), "a flush ends with an empty stored block");
        out.truncate(out.len() - TAIL.len());
        // The piece begins and ends at a byte, and the windows of both ends have it either way. zlib-rs' level 1 knows
        // no stored blocks: it makes random bytes longer by a twentieth.
        if out.len() - start > stored_len(data) {
            out.truncate(start);
            store(data, out);
        }
    }
}

impl fmt::Debug for Deflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflater")
            .field("level", &self.level)
            .field("window_bits", &self.window_bits)
            .field("takeover", &self.takeover)
            .field("allocated", &self.is_allocated())
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

/// Appends all that zlib makes of `data`, with a flush that lets the peer have it all.
fn flush(state: &mut Deflate, data: &[u8], out: &mut Vec<u8>) {
    let mut taken = 0;
    loop {
        // Level 1 makes nine bits of eight at worst. Most often the first round is the only one.
        let (start, room) = (out.len(), (data.len() - taken) / 8 * 9 + 64);
        out.resize(start + room, 0);
        let before = (state.total_in(), state.total_out());
        state
            .compress(&data[taken..], &mut out[start..], DeflateFlush::SyncFlush)
            .expect("any bytes can be compressed");
        taken += (state.total_in() - before.0) as usize;
        let made = (state.total_out() - before.1) as usize;
        out.truncate(start + made);
        if made < room {
            return;
        }
    }
}

/// Returns the length of the output of [`store`].
fn stored_len(data: &[u8]) -> usize {
    data.len() + data.len().div_ceil(MAX_STORED) * 5 + 1
}

/// Appends stored blocks (RFC 1951 §3.2.4), and the first byte of the empty one that a flush ends with.
fn store(data: &[u8], out: &mut Vec<u8>) {
    for block in data.chunks(MAX_STORED) {
        let len = block.len() as u16;
        out.push(0);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.push(0);
}

/// The longest stored block.
const MAX_STORED: usize = 65_535;
