//! Which data messages are text, on a connection whose messages keep their types.
//!
//! Data is in binary messages, and text messages are control. So `{"type":"text","on":true}` announces that the data
//! after it is text, until the opposite is announced. Most sessions have one type in each direction, and announce it
//! once or never.

use websocket::Utf8;

/// Data that was announced as text is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::ws) struct NotText;

/// The types of both directions. Binary at first.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    outgoing: bool,
    incoming: bool,
    /// Of the text message that is being received.
    utf8: Utf8,
}

impl Kinds {
    /// Notes the type of the next message, and returns `true` if it has to be announced.
    pub(super) fn announce(&mut self, text: bool) -> bool {
        std::mem::replace(&mut self.outgoing, text) != text
    }

    /// Notes the type of the peer's next messages.
    pub(super) fn hear(&mut self, text: bool) {
        self.incoming = text;
    }

    /// Returns `true` if a piece of a received message is text.
    pub(super) fn check(&mut self, piece: &[u8], last: bool) -> Result<bool, NotText> {
        if !self.incoming {
            return Ok(false);
        }
        self.utf8.push(piece).map_err(|_| NotText)?;
        if last && !self.utf8.is_whole() { Err(NotText) } else { Ok(true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_said_when_it_changes() {
        let mut kinds = Kinds::default();
        let said = [false, true, true, false].map(|text| kinds.announce(text));
        assert_eq!(said, [false, true, false, true]);
    }

    #[test]
    fn text_is_checked_across_pieces() {
        let mut kinds = Kinds::default();
        assert_eq!(kinds.check(b"\xff", true), Ok(false), "it is binary");
        kinds.hear(true);
        let euro = "€".as_bytes();
        assert_eq!(kinds.check(&euro[..2], false), Ok(true));
        assert_eq!(kinds.check(&euro[2..], true), Ok(true));
        assert_eq!(kinds.check(&euro[..2], true), Err(NotText));
    }
}
