//! The view of a WebSocket for a side that carries bytes, or messages made from bytes.

use endpoint::{ByteStream, Flat, MessageStream};

use super::bytes::Flattened;
use super::messages::Messages;
use super::typed::Typed;
use crate::frames::Framed;
use crate::ws::negotiate::Encoding;

impl MessageStream for Messages {
    fn frame(
        &self,
        bytes: Box<dyn ByteStream>,
    ) -> Result<Box<dyn MessageStream>, Box<dyn ByteStream>> {
        match &self.1 {
            // A terminal shows bytes as they come.
            Some(framings) if self.0.keeps_messages() => {
                Ok(Box::new(Framed::new(bytes, (**framings).clone())))
            }
            _ => Err(bytes),
        }
    }

    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        let core = self.0.flattened();
        match core.encoding {
            Encoding::Auto | Encoding::Text => Box::new(Flat::new(Typed::new(Self(core, None)))),
            // Compressed data can't be read in place.
            _ if core.receiving.inflates() => Box::new(Flat::new(Self(core, None))),
            _ => Box::new(Flattened(core)),
        }
    }
}
