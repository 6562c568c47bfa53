//! `ws` (alias `autobahn`): WebSocket (RFC 6455) over any stream of bytes, both sides.
//!
//! A listening connection passes through these stages:
//!
//! 1. [`listen`]: the front of a listener ([`http`](crate::http)) is bound, with a WebSocket and a page mounted on it;
//! 2. [`upgrade`]: a request for a WebSocket is checked ([`handshake`]), [negotiated](negotiate), and becomes an offer;
//! 3. [`stream`]: frames, seen as bytes or as messages; between two of us and for the page, with signals beside them
//!    ([`terminal`]) and with half-close.
//!
//! A connecting one goes from [`dial`] to the same stream.

mod agreement;
mod dial;
mod handshake;
mod hint;
mod listen;
mod listening;
mod negotiate;
mod options;
mod params;
mod plan;
mod reply;
mod stream;
mod sugar;
mod terminal;
mod upgrade;

use ::plan::kind::{
    Alias, Example, Kind, Param, PlanConnect, PlanListen, Role, Scheme, Side, Takes, Topic,
    ValueKind,
};

use crate::auth::AUTH;
use crate::frames::FRAMING;
use crate::http::facts;
use crate::http::params::{FORWARDED, HEALTH, MAX_HEADER, TRUSTED};

use self::params::{
    CLOSE_TIMEOUT, COMPRESSION, ENCODING, ENDPOINT, FRAGMENT, HANDSHAKE_TIMEOUT, MAX_FRAME,
    MAX_MESSAGE, NONE, PING, PONG_TIMEOUT,
};

/// WebSocket over any stream of bytes.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::ws),
    aliases: &[Alias {
        name: "autobahn",
        defaults: &[("none", "refuse"), ("compression", "on")],
        params: &[
            Param::new(
                "debug",
                ValueKind::Bool,
                "Taken, and without effect: Autobahn's, from before 2016.",
            ),
        ],
        about: "WebSocket as Autobahn's endpoints speak it: a subprotocol is required, and \
                `base64` is offered when connecting. `url` may be left out, which Autobahn \
                doesn't allow.",
    }],
    listen: Some(Side::messages(
        &[
            ENDPOINT,
            URL_LISTENING,
            Param::new(
                "path",
                ValueKind::Text,
                "The only path that is served, as it is sent (percent-encoded); others get 404. \
                 Without it every path is served.",
            ),
            Param::new(
                "subprotocol",
                ValueKind::List,
                "Subprotocols (RFC 6455 section 1.9) to take besides `endpointforward.v1`, `binary` \
                 and `base64`; `*` takes any. The first that the client offers and that is listed is \
                 agreed on; names are compared exactly, case included, and `mqtt` and `mqttv3.1` bring \
                 each other. A client that offers only others is refused with 400. Without a list, \
                 `ws` agrees to the first name that it knows (these, and MQTT's), or else to the first \
                 that the client offers; `autobahn` refuses names that it doesn't know.",
            ),
            NONE,
            ENCODING,
            FRAMING,
            COMPRESSION,
            FRAGMENT,
            MAX_FRAME,
            MAX_MESSAGE,
            Param::new(
                "origin",
                ValueKind::List,
                "Which web pages may connect, by their Origin header (RFC 6454): `same`, the host \
                 that is connected to; `any`; `null`, pages opened from files; or origins such as \
                 `https://example.com`. Who sends none, as programs do, may connect in any case.",
            ).topic(Topic::Access)
            .default("same"),
            Param::new(
                "host",
                ValueKind::List,
                "Which names the listener answers to, by the Host header, without ports; `any` is \
                 every name. On loopback these come beside `localhost`, addresses of loopback and \
                 the host in `url`, which are all that it answers to otherwise: a web page can make \
                 a name of its own lead here (DNS rebinding). A reverse proxy that passes on the \
                 name it is called by needs it here. Elsewhere every name is taken unless some are \
                 listed. Others get 403.",
            ).topic(Topic::Access),
            TRUSTED,
            FORWARDED,
            Param::new(
                "page",
                ValueKind::Text,
                "What a browser is shown under the same path: `auto`, `terminal`, `telnet`, `none`, or the \
                 path of a folder, with a slash in it, as `./public`. The first three are a terminal: `auto` \
                 speaks telnet with what is behind the listener if that is a service, such as `tcp`; \
                 `telnet` does so whatever it is, `terminal` never. `none` shows one line of text. A folder's \
                 files are served as they are, with `index.html` for a folder; names that begin with a dot, \
                 links to them or out of the folder, and anything but regular files aren't. Clients of other subprotocols than \
                 `endpointforward.v1` get plain bytes in any case.",
            )
            .default("auto"),
            AUTH,
            Param::new(
                "listing",
                ValueKind::Bool,
                "Whether a folder in `page` that has no `index.html` shows a list of its files. Without \
                 it, the reply is 404 and names the page that is perhaps meant.",
            )
            .topic(Topic::Http)
            .default("false"),
            HEALTH,
            MAX_HEADER,
            Param::new(
                "header.",
                ValueKind::Text,
                "Another header to answer an accepted handshake with, such as `header.server`.",
            ).topic(Topic::Http)
            .prefix()
            .secret(),
            HANDSHAKE_TIMEOUT,
            CLOSE_TIMEOUT,
            PING,
            PONG_TIMEOUT,
        ],
        PlanListen::Layer(Takes::Bytes, plan::listen),
    )),
    connect: Some(Side::messages(
        &[
            ENDPOINT,
            Param::new(
                "url",
                ValueKind::Text,
                "`ws://HOST:PORT/PATH?QUERY` or `wss://…`: the Host header and what is asked for. \
                 It doesn't say where to connect: the endpoint does. Without it the Host header is \
                 what was dialled. Logs leave the query out.",
            )
            .hides_query(),
            Param::new(
                "path",
                ValueKind::Template,
                "What is asked for, with its query, instead of the URL's path. What can't stand in \
                 a path is percent-encoded. A fact is one segment of the path or one value of the \
                 query, but for `http.path` and `http.query`; a client whose facts would leave the \
                 path (`..`) is refused. Logs leave the query out.",
            )
            .hides_query(),
            Param::new(
                "subprotocol",
                ValueKind::List,
                "Subprotocols to offer, before `binary`; `autobahn` offers `binary, base64` before \
                 them. Empty offers none. Left out, it is what the client of a WebSocket on the other \
                 side offers, and `binary` for anything else. With `endpointforward.v1`, which we \
                 listen for too, either direction may end by itself, and window sizes and exit \
                 statuses get through. Any other WebSocket has no half-close: the end of what we send \
                 is a Close, which many servers answer at once, and what they had still to send is \
                 lost. A listener of ours sends it first, within the `close-timeout` of both sides.",
            ),
            NONE,
            ENCODING,
            FRAMING,
            COMPRESSION,
            FRAGMENT,
            MAX_FRAME,
            MAX_MESSAGE,
            Param::new(
                "host",
                ValueKind::Text,
                "The Host header, instead of the URL's host or the address.",
            ).topic(Topic::Http),
            Param::new("origin", ValueKind::Text, "The Origin header to send, if one is wanted.").topic(Topic::Http),
            Param::new(
                "header.",
                ValueKind::Template,
                "Another header to send, such as `header.authorization`.",
            ).topic(Topic::Http)
            .prefix()
            .secret(),
            HANDSHAKE_TIMEOUT,
            CLOSE_TIMEOUT,
            PING,
            PONG_TIMEOUT,
        ],
        PlanConnect::Layer(Takes::Bytes, plan::connect),
    )),
    schemes: &[
        Scheme::new("ws", sugar::plain),
        Scheme::new("wss", sugar::secure),
        Scheme::new("http", sugar::plain),
        Scheme::new("https", sugar::secure),
    ],
    rewrite: Some(sugar::tls_beneath),
    facts: facts::FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "ws:{tcp:9000:interface=127.0.0.1}",
            about: "Listens for WebSocket connections on loopback.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:path=/serial:subprotocol={mqtt,mqttv3.1}",
            about: "The same port, one path, and two names of a subprotocol.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:origin={same,https://example.com}",
            about: "Takes connections from pages of example.com too.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:{tcp:9000:interface=127.0.0.1}:host=term.example:trusted=loopback",
            about: "Behind a reverse proxy on the same machine.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:framing=lines",
            about: "Each line of a destination that gives bytes is a message of text, and each message a line.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:page=./public",
            about: "Serves one's own files beside the WebSocket.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:compression={level=6:threshold=512}",
            about: "Compresses messages of 512 bytes and more, for clients that offer it.",
        },
        Example {
            role: Role::Listen,
            descriptor: r"autobahn:tcp\:9000\:interface\=0.0.0.0:url=ws\://localhost\:9000:compress=false",
            about: "As Autobahn's users type it.",
        },
        Example {
            role: Role::Connect,
            descriptor: "ws://127.0.0.1:9000/serial",
            about: "Connects to a WebSocket server.",
        },
        Example {
            role: Role::Connect,
            descriptor: "{ws://127.0.0.1:9000/}:subprotocol=endpointforward.v1",
            about: "Connects to a listener of ours, which may answer after our input has ended.",
        },
        Example {
            role: Role::Connect,
            descriptor: "ws:{tcp:192.168.1.5:80}:url={ws://device.local/console}",
            about: "Connects to an address and asks for another host's path.",
        },
    ],
    see_also: &["tcp", "unix"],
    ..Kind::new("ws", "WebSocket over any stream of bytes")
};

const URL_LISTENING: Param = Param::new(
    "url",
    ValueKind::Text,
    "`ws://HOST:PORT/PATH`, where clients find it. Only the path is used, as `path`, unless it is \
     `/` or `path` is given: where to listen is the endpoint's to say.",
);
