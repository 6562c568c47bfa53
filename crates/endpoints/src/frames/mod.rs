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
     `help framed` lists. By default, bytes pass unframed (`chunks`), as they always do between a terminal or a device \
     and the built-in page.",
)
.topic(Topic::Messages);

/// Takes the bytes of a connection apart, if that was asked for. `near` has the facts about the other side: a page in
/// front of a terminal or a device shows bytes as they come, and another forwarder wants them as they are.
pub(crate) fn framed(mut conn: Conn, framings: Option<&Framings>, near: &Info) -> Conn {
    let is_page = || near.lookup("http", "subprotocol").is_some_and(|name| name == PAGE);
    let is_plain =
        || near.lookup("http", &format!("header.{PLAIN}")).is_some_and(|face| face == "stream");
    let is_terminal = conn.control.incoming.is_some();
    if let Some(framings) = framings
        && !(is_page() && (is_terminal || is_plain()))
    {
        let bytes = conn.transport.into_bytes();
        conn.transport = Transport::Messages(Box::new(Framed::new(bytes, framings.clone())));
    }
    conn
}

/// The subprotocol of our page.
const PAGE: &str = "endpointforward.v1";
/// The header of a client that speaks it and is no page.
const PLAIN: &str = "endpointforward-face";
