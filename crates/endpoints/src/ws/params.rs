//! Parameters that both sides of `ws` take.

use plan::kind::{Param, Topic, ValueKind};

pub(super) const ENDPOINT: Param =
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint to run over.")
        .positional()
        .required();

pub(super) const NONE: Param = Param::new(
    "none",
    ValueKind::Choice(&["accept", "refuse"]),
    "How to handle a connection when no subprotocol is agreed: `accept` it, or `refuse` it (406 when listening).",
)
.topic(Topic::Messages)
.default("accept");

pub(super) const ENCODING: Param = Param::new(
    "encoding",
    ValueKind::Choice(&["binary", "text", "base64", "auto"]),
    "How to send bytes if the subprotocol doesn't define it: in `binary` messages; in `text` messages, which are \
     never split inside a character, with an error if the data isn't UTF-8; in text messages with `base64`; or with \
     `auto` in text messages if the data is UTF-8 and in binary messages otherwise. An incomplete character waits \
     for the rest: 10 ms with `auto`, which then sends it as binary, and 1 s with `text`. Messages that are \
     forwarded as messages keep their type.",
).topic(Topic::Messages)
.default("binary");

pub(super) const QUERY: Param = Param::new(
    "query",
    ValueKind::List,
    "The settings that a client may choose in its URL's query: `size`, the size of a terminal's window, as in \
     `?rows=50&cols=132`; and `encoding`, the encoding of its session, as in `?encoding=text`. An unknown encoding \
     gets 400; an invalid size is ignored, and so are settings that aren't listed. An empty list allows none. The fact \
     `http.query` is available in any case.",
)
.topic(Topic::Messages)
.default("size");

pub(super) const COMPRESSION: Param = Param::new(
    "compression",
    ValueKind::Switch(&[
        Param::new("level", ValueKind::Int(1, 9), "The compression level, from 1 (fastest) to 9 (smallest).").default("1"),
        Param::new(
            "threshold",
            ValueKind::Size,
            "The size below which messages are sent uncompressed.",
        )
        .default("128"),
        Param::new(
            "max-ratio",
            ValueKind::Int(0, 1 << 20),
            "The maximum ratio of a message's decompressed size to its compressed size; a higher one ends the \
             session with close code 1009. It is checked for messages over 64 MiB. 0 sets no limit; deflate itself \
             reaches 1032.",
        )
        .default("256"),
        Param::new(
            "server_no_context_takeover",
            ValueKind::Bool,
            "Make the server compress each message independently. It then needs no memory between messages, but \
             small messages hardly shrink.",
        )
        .aliases(&["server-no-context-takeover"])
        .default("false"),
        Param::new(
            "client_no_context_takeover",
            ValueKind::Bool,
            "Make the client compress each message independently.",
        )
        .aliases(&["client-no-context-takeover"])
        .default("false"),
        Param::new(
            "server_max_window_bits",
            ValueKind::Int(9, 15),
            "The server's compression window: the base-two logarithm of its size in bytes.",
        )
        .aliases(&["server-max-window-bits"])
        .default("15"),
        Param::new(
            "client_max_window_bits",
            ValueKind::Int(9, 15),
            "The client's compression window: the base-two logarithm of its size in bytes.",
        )
        .aliases(&["client-max-window-bits"])
        .default("15"),
    ]),
    "Negotiate permessage-deflate (RFC 7692). It reduces traffic, takes about 300 KiB of memory for each connection \
     that compresses, and 10 to 40 times the processor time.",
).topic(Topic::Compression)
.aliases(&["compress"])
.default("off");

pub(super) const FRAGMENT: Param = Param::new(
    "fragment",
    ValueKind::Size,
    "The maximum payload of a frame to send; 0 sets no limit.",
)
.topic(Topic::Messages)
.aliases(&["autofrag"])
.default("0");

pub(super) const MAX_FRAME: Param = Param::new(
    "max-frame",
    ValueKind::Size,
    "The maximum payload of a received frame; a longer one ends the session with close code 1009. 0 sets no limit: \
     payload is passed on at once and never collected.",
)
.topic(Topic::Limits)
.default("0");

pub(super) const MAX_MESSAGE: Param = Param::new(
    "max-message",
    ValueKind::Size,
    "The maximum size of a received message after decompression; a longer one ends the session with close code 1009. \
     0 sets no limit.",
).topic(Topic::Limits)
.default("0");

pub(super) const HANDSHAKE_TIMEOUT: Param = Param::new(
    "handshake-timeout",
    ValueKind::Duration,
    "The time limit of the opening handshake.",
)
.topic(Topic::Limits)
.aliases(&["timeout"])
.default("10");

pub(super) const CLOSE_TIMEOUT: Param = Param::new(
    "close-timeout",
    ValueKind::Duration,
    "The time to wait for the peer's Close after ours, once the peer has acknowledged all data; and, after the \
     peer's Close, the time to wait for remaining data of the other side. After a protocol error or a refusal, the \
     peer is drained for this long, so that it can read the reason.",
).topic(Topic::Limits)
.default("5");

pub(super) const PING: Param = Param::new(
    "ping",
    ValueKind::Duration,
    "Ping a peer that has been silent for this long, while data is being read from it; 0 disables pings.",
)
.topic(Topic::Limits)
.default("25");

pub(super) const PONG_TIMEOUT: Param = Param::new(
    "pong-timeout",
    ValueKind::Duration,
    "The time to wait for the answer to a ping before the peer counts as gone; 0 sets no limit. A peer that still \
     has data to read can't answer before it has read it: it counts as gone when its system has acknowledged nothing \
     for `ping` and `pong-timeout` together.",
).topic(Topic::Limits)
.aliases(&["ping-timeout"])
.default("20");
