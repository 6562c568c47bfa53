//! Parameters that both sides of `ws` take.

use plan::kind::{Param, Topic, ValueKind};

pub(super) const ENDPOINT: Param =
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint beneath.").positional().required();

pub(super) const NONE: Param = Param::new(
    "none",
    ValueKind::Choice(&["accept", "refuse"]),
    "What becomes of a connection without an agreed subprotocol: `accept` it, or `refuse` it (406 \
     when listening).",
)
.topic(Topic::Messages)
.default("accept");

pub(super) const ENCODING: Param = Param::new(
    "encoding",
    ValueKind::Choice(&["binary", "text", "base64", "auto"]),
    "How bytes are sent where the subprotocol leaves it open: in `binary` messages; in `text` \
     messages, never cut inside a character, and an error if they aren't UTF-8; in text messages of \
     `base64`; or `auto`, text where it is and otherwise binary. The beginning of a character waits \
     for its rest: 10 ms with `auto`, which then sends it as binary, and 1 s with `text`. Messages \
     that are forwarded as messages stay what they are.",
).topic(Topic::Messages)
.default("binary");

pub(super) const COMPRESSION: Param = Param::new(
    "compression",
    ValueKind::Switch(&[
        Param::new("level", ValueKind::Int(1, 9), "1 is fastest, 9 is smallest.").default("1"),
        Param::new(
            "threshold",
            ValueKind::Size,
            "Messages smaller than this are sent uncompressed.",
        )
        .default("128"),
        Param::new(
            "max-ratio",
            ValueKind::Int(0, 1 << 20),
            "How many times its size a message may inflate to, once that is more than 64 MiB, before \
             it is taken for an attack (close code 1009); 0 is any. Deflate itself ends at 1032.",
        )
        .default("256"),
        Param::new(
            "server_no_context_takeover",
            ValueKind::Bool,
            "Whether the server starts afresh with each message: it needs no memory between them, and \
             small messages hardly shrink.",
        )
        .aliases(&["server-no-context-takeover"])
        .default("false"),
        Param::new("client_no_context_takeover", ValueKind::Bool, "The same for the client.")
            .aliases(&["client-no-context-takeover"])
            .default("false"),
        Param::new(
            "server_max_window_bits",
            ValueKind::Int(9, 15),
            "The server's window, as a power of two of bytes.",
        )
        .aliases(&["server-max-window-bits"])
        .default("15"),
        Param::new("client_max_window_bits", ValueKind::Int(9, 15), "The same for the client.")
            .aliases(&["client-max-window-bits"])
            .default("15"),
    ]),
    "Whether to negotiate permessage-deflate (RFC 7692): less traffic for some 300 KiB of memory for \
     each connection that compresses, and 10 to 40 times the processor time.",
).topic(Topic::Compression)
.aliases(&["compress"])
.default("off");

pub(super) const FRAGMENT: Param = Param::new(
    "fragment",
    ValueKind::Size,
    "How many bytes of payload a frame that is sent has at most; 0 is no limit.",
)
.topic(Topic::Messages)
.aliases(&["autofrag"])
.default("0");

pub(super) const MAX_FRAME: Param = Param::new(
    "max-frame",
    ValueKind::Size,
    "How many bytes of payload a frame that comes may have (otherwise close code 1009); 0 is any: \
     what comes is passed on at once and never kept.",
)
.topic(Topic::Limits)
.default("0");

pub(super) const MAX_MESSAGE: Param = Param::new(
    "max-message",
    ValueKind::Size,
    "How many bytes a message that comes may have, inflated if it was compressed (otherwise close code \
     1009); 0 is any.",
).topic(Topic::Limits)
.default("0");

pub(super) const HANDSHAKE_TIMEOUT: Param = Param::new(
    "handshake-timeout",
    ValueKind::Duration,
    "How long the opening handshake may take.",
)
.topic(Topic::Limits)
.aliases(&["timeout"])
.default("10");

pub(super) const CLOSE_TIMEOUT: Param = Param::new(
    "close-timeout",
    ValueKind::Duration,
    "How long the peer may take to answer our Close once it has taken all that was sent to it, and how \
     long what the other side still sends is waited for after the peer's. One that broke the protocol or was refused is heard for as long, so that \
     it can read why: what it still sends is forgotten.",
).topic(Topic::Limits)
.default("5");

pub(super) const PING: Param = Param::new(
    "ping",
    ValueKind::Duration,
    "After how much silence the peer is pinged; 0 is never. Only while it is being read from.",
)
.topic(Topic::Limits)
.default("25");

pub(super) const PONG_TIMEOUT: Param = Param::new(
    "pong-timeout",
    ValueKind::Duration,
    "How long a peer may leave a ping unanswered before it counts as gone; 0 is for ever. Behind data \
     that the peer has not read yet, the pong waits for it: then the peer counts as gone when its \
     system has acknowledged nothing for `ping` and this time together.",
).topic(Topic::Limits)
.aliases(&["ping-timeout"])
.default("20");
