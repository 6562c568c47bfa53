//! Reading packets from the pieces of messages.

use bytes::{Buf, Bytes, BytesMut};

use crate::packet::{CLOSE, CONNECT, CONTINUE, DATA, INFO};
use crate::{Error, HEADER, Packet};

/// The result of a piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Data of a stream.
    Data {
        /// The stream.
        stream: u32,
        /// A part of the packet's payload.
        data: Bytes,
        /// Set if the packet ends with it.
        last: bool,
    },
    /// Another packet, whole.
    Packet(Packet),
    /// A packet by which a client asks for a stream, and that means nothing: it is to be told.
    BadConnect {
        /// The stream.
        stream: u32,
    },
}

/// Parses a packet from the pieces of its message. Of a data packet, nothing is kept but its head; of any
/// other one, 4 KiB at most.
#[derive(Debug, Default)]
pub struct Reader {
    /// The head of the packet, and for packets without data what follows.
    kept: BytesMut,
    /// The stream whose data the rest of the message is.
    data: Option<u32>,
}

impl Reader {
    /// Parses a piece of a message; `last` marks the end of the message.
    ///
    /// # Errors
    /// The message is no packet. The next message may be one.
    pub fn take(&mut self, piece: Bytes, last: bool) -> Result<Option<Event>, Error> {
        let taken = self.piece(piece, last);
        if last || taken.is_err() {
            (self.kept, self.data) = (BytesMut::new(), None);
        }
        taken
    }

    fn piece(&mut self, mut piece: Bytes, last: bool) -> Result<Option<Event>, Error> {
        if let Some(stream) = self.data {
            return Ok(Some(Event::Data { stream, data: piece, last }));
        }
        let missing = HEADER.saturating_sub(self.kept.len()).min(piece.len());
        self.kept.extend_from_slice(&piece.split_to(missing));
        if self.kept.len() < HEADER {
            return if last { Err(Error::Short) } else { Ok(None) };
        }
        let kind = self.kept[0];
        let stream = self.kept[1..HEADER].try_into().expect("it has 4 bytes");
        let stream = u32::from_le_bytes(stream);
        match kind {
            DATA => {
                self.data = Some(stream);
                return Ok(Some(Event::Data { stream, data: piece, last }));
            }
            CONNECT | CONTINUE | CLOSE | INFO => {}
            kind => return Err(Error::BadKind(kind)),
        }
        if self.kept.len() + piece.len() > MOST {
            return Err(Error::Long(kind));
        }
        self.kept.extend_from_slice(&piece);
        if !last {
            return Ok(None);
        }
        let mut payload = std::mem::take(&mut self.kept).freeze();
        payload.advance(HEADER);
        match Packet::read(kind, stream, &payload) {
            Ok(packet) => Ok(Some(Event::Packet(packet))),
            Err(_) if kind == CONNECT => Ok(Some(Event::BadConnect { stream })),
            Err(error) => Err(error),
        }
    }
}

/// A host has 253 bytes at most; the data of extensions is short.
const MOST: usize = 4 * 1024;
