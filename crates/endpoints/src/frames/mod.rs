//! Framings: where messages begin and end in a stream of bytes, for every kind that gives one.
//!
//! [`FRAMINGS`] are those that ship, as data; the crate `framing` has what they do. [`Framed`] is a stream of bytes as
//! one of messages.

mod list;
mod stream;

use endpoint::{Conn, Info, Transport};
use plan::kind::{Framings, Param, Topic, ValueKind};

pub(crate) use self::list::FRAMINGS;
pub(crate) use self::stream::Framed;

/// The parameter of a kind whose bytes may be taken apart.
pub(crate) const FRAMING: Param = Param::new(
    "framing",
    ValueKind::Framing,
    "The framing that splits the byte stream into messages: `lines`, `json`, `{length:width=2}` and others, which \
     `help framed` lists. By default, bytes pass unframed (`chunks`), as they always do for the built-in page.",
)
.topic(Topic::Messages);

/// A connection whose bytes are taken apart, if that was asked for. `near` is what is known of the other side: our page
/// is a terminal, which shows bytes as they come, and lines with their ends.
pub(crate) fn framed(mut conn: Conn, framings: Option<&Framings>, near: &Info) -> Conn {
    let is_page = || near.lookup("http", "subprotocol").is_some_and(|name| name == PAGE);
    if let Some(framings) = framings
        && !is_page()
    {
        let bytes = conn.transport.into_bytes();
        conn.transport = Transport::Messages(Box::new(Framed::new(bytes, framings.clone())));
    }
    conn
}

/// The subprotocol of our page.
const PAGE: &str = "endpointforward.v1";
