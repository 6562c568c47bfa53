//! Received frames, decoded in place in a buffer: as messages, or as the bytes of all of them.

mod frames;

use std::ops::Range;

use self::frames::Found;
use crate::control::{ControlPayload, MAX_CONTROL};
use crate::header::{MASK, WHOLE_BINARY, WHOLE_TEXT};
use crate::mask::unmask_left;
use crate::utf8::Utf8;
use crate::{Control, Limits, MAX_HEADER, OpCode, ProtocolError, Role, Violation, mask};

/// Decodes frames from a byte stream that is received in arbitrary pieces.
///
/// After a Close frame it ignores everything; after an error it gives that error again.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    limits: Limits,
    checks_text: bool,
    binary_only: bool,
    takes_compressed: bool,
    /// Set if the current message is compressed.
    compressed: bool,
    phase: Phase,
    /// Bytes of the current frame's payload that haven't come yet.
    left: u64,
    /// The current frame's key, as it is at the next byte of payload. Zero, which changes nothing, if unmasked.
    key: [u8; 4],
    /// Set if the current data frame is the last of its message.
    fin: bool,
    message: Message,
    text: Utf8,
    /// The beginning of a header that a read cut in two.
    header: [u8; MAX_HEADER],
    header_len: u8,
    /// The opcode of the control frame that is arriving, and the part of its payload that has arrived. There may be
    /// none for a day, and there may be ten thousand decoders.
    opcode: OpCode,
    control: Option<Box<ControlPayload>>,
    /// Bytes of the stream that have been decoded, and how many of them stood before the current frame.
    position: u64,
    frame: u64,
    error: Option<ProtocolError>,
}

/// A received frame or part of a message, in the message view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Payload of a message: a part, or all of it.
    Data(Data),
    /// A control frame. It may come between two parts of a message.
    Control(Control),
}

/// Payload of a message. Empty only if it is the last of its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Its range in the buffer, unmasked.
    pub range: Range<usize>,
    /// Set if the message is text. A part of it may begin and end inside a code point.
    pub text: bool,
    /// Set if the message is compressed, and all parts of it are: see [`Decoder::compressed_messages`].
    pub compressed: bool,
    /// Set if the message begins with it.
    pub first: bool,
    /// Set if the message ends with it.
    pub last: bool,
}

/// The result of [`Decoder::compact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Compacted {
    /// Bytes of payload, at the front of the buffer. They count even if an error follows: they came before it.
    pub payload: usize,
    /// The error that ends the connection, once the payload has been handled.
    pub error: Option<ProtocolError>,
}

/// The meaning of the next byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Header,
    Data,
    Control,
    /// A Close frame has come.
    Closed,
}

#[derive(Clone, Copy, Debug)]
struct Message {
    /// Set if a data frame with FIN = 0 came last.
    open: bool,
    text: bool,
    /// Set if nothing of it has been returned.
    untouched: bool,
    /// The lengths in its headers.
    len: u64,
}

// === impl Decoder ===

impl Decoder {
    /// Creates a decoder for a role: a server accepts masked frames, a client unmasked ones. Text has to be UTF-8.
    pub fn new(role: Role, limits: Limits) -> Self {
        Self {
            role,
            limits,
            checks_text: true,
            binary_only: false,
            takes_compressed: false,
            compressed: false,
            phase: Phase::Header,
            left: 0,
            key: [0; 4],
            fin: true,
            message: Message { open: false, text: false, untouched: true, len: 0 },
            text: Utf8::default(),
            header: [0; MAX_HEADER],
            header_len: 0,
            opcode: OpCode::Ping,
            control: None,
            position: 0,
            frame: 0,
            error: None,
        }
    }

    /// Requires binary messages, as a connection's subprotocol may: text is then refused with 1003
    /// ([`Violation::TextRefused`]).
    #[must_use]
    pub fn binary_only(mut self, only: bool) -> Self {
        self.binary_only = only;
        self
    }

    /// Sets whether to check that text is UTF-8, as §8.1 requires. A tunnel that hands the bytes on without ever
    /// calling them text may do without. The reasons of Close frames are checked in any case.
    #[must_use]
    pub fn check_text(mut self, check: bool) -> Self {
        self.checks_text = check;
        self
    }

    /// Allows compressed messages, if permessage-deflate (RFC 7692) has been agreed upon. Off at first.
    ///
    /// Their parts are returned as they are, for an [`Inflater`](crate::deflate::Inflater). The caller has to check
    /// the inflated data: text with [`Utf8`]. [`Decoder::refuse`] then merges its error with those found here.
    #[must_use]
    pub fn compressed_messages(mut self, legal: bool) -> Self {
        self.takes_compressed = legal;
        self
    }

    /// Decodes the next event of `buf[*at..]` and moves `at` behind it: the message view. `None` means that all of `buf`
    /// has been taken, and that the next call is for what is read next.
    ///
    /// # Errors
    /// The peer violates the protocol, or exceeds a limit. All valid data before it has been returned; the connection has
    /// to be closed.
    pub fn next(&mut self, buf: &mut [u8], at: &mut usize) -> Result<Option<Event>, ProtocolError> {
        if self.takes_compressed {
            self.next_with::<true>(buf, at)
        } else {
            self.next_with::<false>(buf, at)
        }
    }

    /// Takes everything out of `buf`, moves all payload to its front, in order, and passes control frames to `on_control`
    /// on the way: the byte view. Message boundaries are not visible; empty messages vanish.
    ///
    /// Which bytes are compressed would not be visible either: a compressed message is refused here even where it is legal
    /// ([`Violation::ReservedBits`]). A connection with permessage-deflate is for [`Decoder::next`].
    pub fn compact(&mut self, buf: &mut [u8], mut on_control: impl FnMut(Control)) -> Compacted {
        if self.takes_compressed {
            self.leave_compressed();
        }
        let (mut at, mut payload) = (0, 0);
        let error = loop {
            self.compact_small(buf, &mut at, &mut payload);
            match self.step::<false>(buf, &mut at) {
                Err(error) => break Some(error),
                Ok(None) => break None,
                Ok(Some(Found::Control)) => match self.take_control() {
                    Ok(control) => on_control(control),
                    Err(error) => break Some(error),
                },
                Ok(Some(Found::Data(mut data, key))) => {
                    let moved = payload..payload + data.range.len();
                    if self.role == Role::Server {
                        unmask_left(key, buf, data.range, payload);
                    } else {
                        buf.copy_within(data.range, payload);
                    }
                    data.range = moved;
                    self.check::<false>(buf, &mut data);
                    payload = data.range.end;
                }
            }
        };
        Compacted { payload, error }
    }

    /// Returns `true` if a Close frame has arrived. Data after it is ignored.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Returns `true` if the stream is between two frames and outside of a message: if an end without a Close frame,
    /// which is abnormal in any case (1006), has at least cut nothing in two.
    pub fn is_between_messages(&self) -> bool {
        self.phase == Phase::Header && self.header_len == 0 && !self.message.open
    }

    /// Returns the peer's protocol error, once there is one.
    pub fn error(&self) -> Option<ProtocolError> {
        self.error
    }

    /// Fails the connection for what the caller has found in the part of a message that it got last, before it asks for
    /// what follows. An error from before stays what it was.
    pub fn refuse(&mut self, violation: Violation) -> ProtocolError {
        self.error.unwrap_or_else(|| self.fail(violation))
    }

    /// Two of it, so that a connection without the extension pays nothing for it.
    fn next_with<const COMPRESSED: bool>(
        &mut self,
        buf: &mut [u8],
        at: &mut usize,
    ) -> Result<Option<Event>, ProtocolError> {
        loop {
            match self.step::<COMPRESSED>(buf, at)? {
                None => return Ok(None),
                Some(Found::Control) => return self.take_control().map(Event::Control).map(Some),
                Some(Found::Data(mut data, key)) => {
                    if self.role == Role::Server {
                        mask(key, 0, &mut buf[data.range.clone()]);
                    }
                    self.check::<COMPRESSED>(buf, &mut data);
                    // Not so if the first byte of it was wrong: then the next round gives the error.
                    if data.last || !data.range.is_empty() {
                        return Ok(Some(Event::Data(data)));
                    }
                }
            }
        }
    }

    /// Goes to the byte view, which must not come into the middle of a compressed message.
    #[cold]
    fn leave_compressed(&mut self) {
        let inside = self.phase == Phase::Data || (self.message.open && !self.is_closed());
        if inside && self.compressed {
            self.refuse(Violation::ReservedBits);
        }
        self.compressed = false;
    }

    /// Takes small whole messages, as far as they follow one another: where there are many frames in one read, they are
    /// such. It does nothing that [`Self::step`] wouldn't, with none of the questions that only other frames raise.
    /// Measured: a third of the instructions for messages of 64 bytes.
    #[inline]
    fn compact_small(&mut self, buf: &mut [u8], at: &mut usize, payload: &mut usize) {
        let limit = self.limits.max_frame.min(self.limits.max_message);
        if !self.is_between_messages() || self.error.is_some() || limit < MAX_CONTROL as u64 {
            return;
        }
        let begins_text = (!self.checks_text && !self.binary_only).then_some(WHOLE_TEXT);
        let (mask_bit, key_len) = match self.role {
            Role::Server => (MASK, 4),
            Role::Client => (0, 0),
        };
        let start = *at;
        while let Some(&[first, second]) = buf[*at..].first_chunk() {
            // A mask bit that is wrong makes it too long.
            let len = usize::from(second ^ mask_bit);
            let from = *at + 2 + key_len;
            let whole = first == WHOLE_BINARY || Some(first) == begins_text;
            if !whole || len > MAX_CONTROL || from + len > buf.len() {
                break;
            }
            if let Some(&key) = buf[*at + 2..from].first_chunk() {
                unmask_left(key, buf, from..from + len, *payload);
            } else {
                buf.copy_within(from..from + len, *payload);
            }
            *payload += len;
            *at = from + len;
        }
        self.position += (*at - start) as u64;
    }

    /// Checks unmasked text. If it is wrong: shortens it to what is right, and keeps the error for the next step. A
    /// text that has passed to its end leaves no cut character behind for the next. Compressed text is none yet.
    #[inline]
    fn check<const COMPRESSED: bool>(&mut self, buf: &[u8], data: &mut Data) {
        if !(data.text && self.checks_text) || (COMPRESSED && data.compressed) {
            return;
        }
        if let Err(right) = self.text.push(&buf[data.range.clone()]) {
            data.range.end = data.range.start + right;
        } else if !data.last || self.text.is_whole() {
            return;
        }
        data.last = false;
        self.fail(Violation::InvalidText);
    }
}
