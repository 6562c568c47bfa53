//! `ws` (alias `autobahn`): WebSocket (RFC 6455) over any stream of bytes, both sides.
//!
//! A listening connection passes through these stages:
//!
//! 1. [`listen`]: the front of a listener ([`http`](crate::http)) is bound, with a WebSocket and a page mounted on it;
//! 2. [`upgrade`]: a request for a WebSocket is checked ([`handshake`]), [negotiated](negotiate), and becomes an offer;
//! 3. [`stream`]: frames, seen as bytes or as messages; between two instances of endpointforward and for the page,
//!    with signals ([`terminal`]) and with half-close.
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
mod query;
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
    MAX_MESSAGE, NONE, PING, PONG_TIMEOUT, QUERY,
};

/// WebSocket over any byte stream.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::ws),
    aliases: &[Alias {
        name: "autobahn",
        defaults: &[("none", "refuse"), ("compression", "on")],
        params: &[
            Param::new(
                "debug",
                ValueKind::Bool,
                "Accepted without effect, for compatibility with Autobahn before 2016.",
            ),
        ],
        about: "WebSocket as in Autobahn's endpoints: a subprotocol is required, and `base64` is offered when \
            connecting. Unlike in Autobahn, `url` is optional.",
    }],
    listen: Some(Side::messages(
        &[
            ENDPOINT,
            URL_LISTENING,
            Param::new(
                "path",
                ValueKind::Text,
                "The only path to serve, percent-encoded; others get 404. By default, all paths are served.",
            ),
            Param::new(
                "subprotocol",
                ValueKind::List,
                "The subprotocols (RFC 6455 section 1.9) to accept in addition to `endpointforward.v1`, `binary` and \
                 `base64`; `*` accepts any. The first subprotocol of the client's offer that is accepted is used; \
                 names are case-sensitive, and `mqtt` and `mqttv3.1` imply each other. A client that offers only \
                 others is refused with 400. Without a list, `ws` uses the first name that it knows (these, and \
                 MQTT's), or else the first that the client offers; `autobahn` refuses names that it doesn't know.",
            ),
            NONE,
            ENCODING,
            QUERY,
            FRAMING,
            COMPRESSION,
            FRAGMENT,
            MAX_FRAME,
            MAX_MESSAGE,
            Param::new(
                "origin",
                ValueKind::List,
                "The web pages that may connect, by their Origin header (RFC 6454): `same`, pages of the host that \
                 they connect to; `any`; `null`, pages opened from files; or origins such as `https://example.com`. \
                 Clients that send no Origin header, as programs do, are accepted.",
            ).topic(Topic::Access)
            .default("same"),
            Param::new(
                "host",
                ValueKind::List,
                "The host names to accept in the Host header, without ports; `any` accepts all. Other names get 403. \
                 A listener on loopback always accepts `localhost`, loopback addresses and the host in `url`, and by \
                 default nothing else, because a web page can make its own host name resolve to loopback (DNS \
                 rebinding). If a reverse proxy passes the original Host header on, list that name. A listener on \
                 another address accepts all names by default.",
            ).topic(Topic::Access),
            TRUSTED,
            FORWARDED,
            Param::new(
                "page",
                ValueKind::Text,
                "The page that browsers get under the same path: `auto`, `terminal`, `telnet`, `none`, or the path \
                 of a folder, which has to contain a slash: `./public`. The first three show a terminal. `auto` \
                 speaks telnet to the destination if it is a service, such as `tcp`; `telnet` always does, and \
                 `terminal` never does. `none` shows one line of text. A folder's files are served unchanged, with \
                 `index.html` for the folder itself; files whose names begin with a dot, links to such files or out \
                 of the folder, and files that aren't regular are not served. Clients that use another subprotocol \
                 than `endpointforward.v1` get plain bytes in any case.",
            )
            .default("auto"),
            AUTH,
            Param::new(
                "listing",
                ValueKind::Bool,
                "List the files of a folder in `page` that has no `index.html`. Without it, such a folder gets 404, \
                 with the name of a page that may be meant.",
            )
            .topic(Topic::Http)
            .default("false"),
            HEALTH,
            MAX_HEADER,
            Param::new(
                "header.",
                ValueKind::Text,
                "A header to add to the reply to an accepted handshake, such as `header.server`.",
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
                "The URL to request, `ws://HOST:PORT/PATH?QUERY` or `wss://…`, which sets the Host header, the path \
                 and the query. The address to connect to comes from the endpoint, and so does the default Host \
                 header. The log omits the query.",
            )
            .hides_query(),
            Param::new(
                "path",
                ValueKind::Template,
                "The path and query to request, instead of those of the URL. Characters that a path can't contain \
                 are percent-encoded. A fact fills one segment of the path or one value of the query, except for \
                 `http.path` and `http.query`; a client whose facts would leave the path (`..`) is refused. The log \
                 omits the query.",
            )
            .hides_query(),
            Param::new(
                "subprotocol",
                ValueKind::List,
                "The subprotocols to offer, before `binary`; `autobahn` offers `binary, base64` before them. An \
                 empty list offers none. The default is the offer of the client if the listener is a WebSocket, and \
                 `binary` otherwise. `endpointforward.v1`, between two instances of endpointforward, has half-close \
                 and carries window sizes and exit statuses. Other WebSockets have no half-close: the end of input \
                 is sent as a Close, which many servers answer at once, and data that they had not sent yet is lost. \
                 A listener of endpointforward sends that data first, within the `close-timeout` of both sides.",
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
                "The Host header, instead of the URL's host or the endpoint's address.",
            ).topic(Topic::Http),
            Param::new("origin", ValueKind::Text, "The Origin header to send. By default, none is sent.").topic(Topic::Http),
            Param::new(
                "header.",
                ValueKind::Template,
                "A header to add to the request, such as `header.authorization`.",
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
            about: "Serves one path, for two names of a subprotocol.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:origin={same,https://example.com}",
            about: "Accepts connections from pages of example.com too.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:{tcp:9000:interface=127.0.0.1}:host=term.example:trusted=loopback",
            about: "Listens behind a reverse proxy on the same machine.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:framing=lines",
            about: "Sends each line of a byte-stream destination as a text message, and each message as a line.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:page=./public",
            about: "Serves a folder on the same port as the WebSocket.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws:9000:compression={level=6:threshold=512}",
            about: "Compresses messages of 512 bytes or more, if the client offers compression.",
        },
        Example {
            role: Role::Listen,
            descriptor: r"autobahn:tcp\:9000\:interface\=0.0.0.0:url=ws\://localhost\:9000:compress=false",
            about: "The same kind in Autobahn's notation.",
        },
        Example {
            role: Role::Connect,
            descriptor: "ws://127.0.0.1:9000/serial",
            about: "Connects to a WebSocket server.",
        },
        Example {
            role: Role::Connect,
            descriptor: "{ws://127.0.0.1:9000/}:subprotocol=endpointforward.v1",
            about: "Connects to a listener of endpointforward, which can answer after the end of input.",
        },
        Example {
            role: Role::Connect,
            descriptor: "ws:{tcp:192.168.1.5:80}:url={ws://device.local/console}",
            about: "Connects to an address and requests a URL with another host.",
        },
    ],
    see_also: &["tcp", "unix"],
    ..Kind::new("ws", "WebSocket over any byte stream")
};

const URL_LISTENING: Param = Param::new(
    "url",
    ValueKind::Text,
    "The listener's URL, `ws://HOST:PORT/PATH`. Its path is used as `path`, unless it is `/` or `path` is given. The \
     address to listen on comes from the endpoint.",
)
.hides_query();
