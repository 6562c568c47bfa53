//! Frame by frame, for both views: headers, payload, control frames, and the rules that hold between frames.

use super::{Data, Decoder, Message, Phase};
use crate::control::ControlPayload;
use crate::mask::rotated;
use crate::{CloseFrame, Control, FrameHeader, OpCode, ProtocolError, Role, Violation};

/// The result of [`Decoder::step`].
pub(super) enum Found {
    /// Payload, still masked with the key.
    Data(Data, [u8; 4]),
    /// `self.opcode` with `self.control`.
    Control,
}

impl Decoder {
    /// Goes to the next piece of payload or the end of the next control frame.
    #[inline]
    pub(super) fn step<const COMPRESSED: bool>(
        &mut self,
        buf: &[u8],
        at: &mut usize,
    ) -> Result<Option<Found>, ProtocolError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        loop {
            match self.phase {
                Phase::Header => match self.read_header::<COMPRESSED>(&buf[*at..]) {
                    Err(violation) => return Err(self.fail(violation)),
                    Ok((taken, header)) => {
                        self.advance(at, taken);
                        let Some(header) = header else { return Ok(None) };
                        if let Err(violation) = self.begin::<COMPRESSED>(header) {
                            return Err(self.fail(violation));
                        }
                    }
                },
                Phase::Data => {
                    let (taken, key) = self.take_payload(buf.len() - *at);
                    let range = *at..*at + taken;
                    self.advance(at, taken);
                    if self.left > 0 && taken == 0 {
                        return Ok(None);
                    }
                    let mut last = false;
                    if self.left == 0 {
                        self.phase = Phase::Header;
                        last = self.fin;
                    }
                    // An empty fragment in the middle has no data.
                    if taken > 0 || last {
                        let Message { text, untouched: first, .. } = self.message;
                        let compressed = COMPRESSED && self.compressed;
                        self.message.untouched = false;
                        let data = Data { range, text, compressed, first, last };
                        return Ok(Some(Found::Data(data, key)));
                    }
                }
                Phase::Control => {
                    let (taken, key) = self.take_payload(buf.len() - *at);
                    if taken > 0 {
                        let control = self.control.get_or_insert_default();
                        control.extend(key, &buf[*at..*at + taken]);
                    }
                    self.advance(at, taken);
                    if self.left > 0 {
                        return Ok(None);
                    }
                    self.phase = Phase::Header;
                    return Ok(Some(Found::Control));
                }
                Phase::Closed => {
                    self.advance(at, buf.len() - *at);
                    return Ok(None);
                }
            }
        }
    }

    /// Parses a header and returns how many bytes of it are in `bytes`; keeps them if it isn't complete.
    #[inline]
    fn read_header<const COMPRESSED: bool>(
        &mut self,
        bytes: &[u8],
    ) -> Result<(usize, Option<FrameHeader>), Violation> {
        if self.header_len > 0 {
            return self.read_rest_of_header::<COMPRESSED>(bytes);
        }
        self.frame = self.position;
        match FrameHeader::parse_with::<COMPRESSED>(bytes)? {
            Some((header, len)) => Ok((len, Some(header))),
            None => {
                // Less than a header, so there is room.
                self.header[..bytes.len()].copy_from_slice(bytes);
                self.header_len = bytes.len() as u8;
                Ok((bytes.len(), None))
            }
        }
    }

    /// Byte by byte: the length of a header is known only as it arrives, and few are cut.
    #[cold]
    fn read_rest_of_header<const COMPRESSED: bool>(
        &mut self,
        bytes: &[u8],
    ) -> Result<(usize, Option<FrameHeader>), Violation> {
        for (before, &byte) in bytes.iter().enumerate() {
            self.header[usize::from(self.header_len)] = byte;
            self.header_len += 1;
            let so_far = &self.header[..usize::from(self.header_len)];
            if let Some((header, _)) = FrameHeader::parse_with::<COMPRESSED>(so_far)? {
                self.header_len = 0;
                return Ok((before + 1, Some(header)));
            }
        }
        Ok((bytes.len(), None))
    }

    /// Checks what a header alone can't know, and goes to the payload.
    #[inline]
    fn begin<const COMPRESSED: bool>(&mut self, header: FrameHeader) -> Result<(), Violation> {
        let FrameHeader { fin, rsv1, opcode, len, key } = header;
        match (self.role, key) {
            (Role::Server, None) => return Err(Violation::Unmasked),
            (Role::Client, Some(_)) => return Err(Violation::Masked),
            _ => self.key = key.unwrap_or_default(),
        }
        if opcode.is_control() {
            self.opcode = opcode;
            self.phase = Phase::Control;
        } else {
            let begins = opcode != OpCode::Continuation;
            let compressed = COMPRESSED && if begins { rsv1 } else { self.compressed };
            self.begin_data(opcode, fin, len, compressed)?;
            if COMPRESSED {
                self.compressed = compressed;
            }
            self.phase = Phase::Data;
        }
        self.left = len;
        Ok(())
    }

    #[inline]
    fn begin_data(
        &mut self,
        opcode: OpCode,
        fin: bool,
        len: u64,
        compressed: bool,
    ) -> Result<(), Violation> {
        match (self.message.open, opcode) {
            (true, OpCode::Continuation) => {}
            (true, _) => return Err(Violation::UnfinishedMessage(opcode)),
            (false, OpCode::Continuation) => return Err(Violation::UnexpectedContinuation),
            (false, _) => {
                let text = opcode == OpCode::Text;
                if text && self.binary_only {
                    return Err(Violation::TextRefused);
                }
                self.message = Message { open: true, text, untouched: true, len: 0 };
            }
        }
        self.message.open = !fin;
        self.fin = fin;
        // Frames without end can't make it small again.
        self.message.len = self.message.len.saturating_add(len);
        if len > self.limits.max_frame {
            return Err(Violation::FrameTooBig { len, max: self.limits.max_frame });
        }
        // Compressed, a message may well be longer than what it stands for.
        if self.message.len > self.limits.max_message && !compressed {
            let (len, max) = (self.message.len, self.limits.max_message);
            return Err(Violation::MessageTooBig { len, max });
        }
        Ok(())
    }

    /// Returns the number of bytes of the frame's payload among the next `available` bytes, and the key at its first
    /// byte.
    #[inline]
    fn take_payload(&mut self, available: usize) -> (usize, [u8; 4]) {
        let key = self.key;
        let taken = usize::try_from(self.left).map_or(available, |left| left.min(available));
        self.left -= taken as u64;
        self.key = rotated(key, taken as u64);
        (taken, key)
    }

    pub(super) fn take_control(&mut self) -> Result<Control, ProtocolError> {
        let payload = self.control.take().map_or_else(ControlPayload::default, |payload| *payload);
        match self.opcode {
            OpCode::Ping => Ok(Control::Ping(payload)),
            OpCode::Pong => Ok(Control::Pong(payload)),
            _ => match CloseFrame::parse(&payload) {
                Ok(close) => {
                    self.phase = Phase::Closed;
                    Ok(Control::Close(close))
                }
                Err(violation) => Err(self.fail(violation)),
            },
        }
    }

    #[inline]
    fn advance(&mut self, at: &mut usize, by: usize) {
        *at += by;
        self.position += by as u64;
    }

    #[cold]
    pub(super) fn fail(&mut self, violation: Violation) -> ProtocolError {
        let error = ProtocolError { violation, frame: self.frame };
        self.error = Some(error);
        error
    }
}
