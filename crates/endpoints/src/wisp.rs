//! `wisp:{ws:…}`: many TCP and UDP streams in one WebSocket. The packets are the crate `wisp`.

use std::collections::HashSet;
use std::sync::Arc;

use endpoint::info::{Http, Target};
use endpoint::{End, Info, Part, Reason, Refusal, RefusalKind, ServeLayer};
use plan::kind::{
    Args, Example, Kind, Param, PlanListen, Planned, Role, Side, Takes, Topic, ValueKind,
};
use wisp::{Event, Extension, Network, Packet, Reader, V2};

use crate::muxed::{Muxed, Protocol, Step, Terms};
use crate::through::FACTS;

/// Many streams in one WebSocket.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::bytes(PARAMS, PlanListen::Layer(Takes::Messages, listen))),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "wisp:{ws:6001}",
            about: "Accepts clients of Wisp 1 and 2 on loopback, such as v86. The destination to use is \
                    `target:allow=*`.",
        },
        Example {
            role: Role::Listen,
            descriptor: "wisp:{ws:6001:path=/wisp/:page=./public}:sockets=32",
            about: "Serves the client's page on the same port, and allows 32 streams for each WebSocket.",
        },
    ],
    see_also: &["target", "ws2s", "ws"],
    ..Kind::new("wisp", "Many TCP and UDP streams in one WebSocket, by the Wisp protocol")
};

const PARAMS: &[Param] = &[
    Param::new("endpoint", ValueKind::Endpoint, "The WebSocket listener beneath.")
        .positional()
        .required(),
    Param::new(
        "sockets",
        ValueKind::Int(1, 1 << 16),
        "The maximum number of streams of one WebSocket at the same time. A further one is closed with the reason 0x49 \
         (throttled).",
    )
    .topic(Topic::Limits)
    .default("256"),
    Param::new(
        "buffer",
        ValueKind::Int(2, 1 << 16),
        "The number of packets of a TCP stream that a client may send before the destination has taken them. With the \
         default, a stalled stream doesn't delay the others if its packets have up to 8 KiB on average. With larger \
         packets, all streams of the WebSocket wait once 1 MiB of one stream, or 16 MiB of all its streams, is \
         queued.",
    )
    .topic(Topic::Limits)
    .default("64"),
];

fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let number = |name| args.int(name).expect("it has a default");
    let window = u32::try_from(number("buffer")).expect("it is limited");
    let sockets = usize::try_from(number("sockets")).expect("it is limited");
    let encode =
        |stream, data: &[u8]| Part { data: wisp::data(stream, data), text: false, last: true };
    let terms = Terms { name: "wisp", encode, most: MOST, sockets, window: Some(window) };
    let protocol = move |info: &Info| {
        let http = info.get::<Http>();
        let agreed = http.is_some_and(|http| http.subprotocols.iter().any(|name| name == V2));
        let version = if agreed { Version::Asked } else { Version::One };
        Wisp {
            version,
            window,
            reader: Reader::default(),
            streams: HashSet::new(),
            datagrams: HashSet::new(),
            confirms: false,
        }
    };
    Ok(Arc::new(Muxed { terms, protocol: Arc::new(protocol) }))
}

/// The state of one client.
struct Wisp {
    version: Version,
    window: u32,
    reader: Reader,
    /// Those that are open, or being opened. As many as there are sockets.
    streams: HashSet<u32>,
    /// Those of them that have datagrams.
    datagrams: HashSet<u32>,
    /// The client wants to know when a stream is connected.
    confirms: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    /// We have sent our capabilities, and the client hasn't sent its own yet.
    Asked,
    Two,
}

impl Wisp {
    fn greeting(&self) -> Part {
        told(&Packet::Continue { stream: 0, packets: self.window })
    }

    fn packet(&mut self, packet: Packet, steps: &mut Vec<Step>) -> Result<(), End> {
        match packet {
            Packet::Info(info) if self.version == Version::Asked => {
                self.confirms = info.extensions.iter().any(|it| it.id == Extension::CONFIRMATION);
                self.version = Version::Two;
                steps.push(Step::Say(self.greeting()));
            }
            _ if self.version == Version::Asked => {
                return Err(broken("a client of Wisp 2 begins with INFO"));
            }
            Packet::Info(_) => return Err(broken("INFO is for the beginning of Wisp 2")),
            Packet::Connect { stream, network, host, port } => {
                if stream == 0 || port == 0 {
                    steps.push(Step::Say(close(stream, wisp::Reason::INVALID)));
                } else if self.streams.insert(stream) {
                    let target = match network {
                        Network::Tcp => Target::new(host, port),
                        Network::Udp => {
                            self.datagrams.insert(stream);
                            Target::datagrams(host, port)
                        }
                    };
                    steps.push(Step::Open(stream, target));
                } else {
                    return Err(broken("a stream was opened that is open"));
                }
            }
            Packet::Close { stream, reason } => {
                if self.streams.remove(&stream) {
                    self.datagrams.remove(&stream);
                    let why = match reason {
                        wisp::Reason::UNKNOWN | wisp::Reason::VOLUNTARY => Reason::EndOfStream,
                        wisp::Reason::IDLE => Reason::Idle,
                        _ => Reason::Failed,
                    };
                    steps.push(Step::Close(stream, End::because(why, reason.to_string())));
                }
            }
            // A client has no credit to give.
            Packet::Continue { .. } => {}
        }
        Ok(())
    }

    /// A stream is over, and the client is told so once.
    fn closed(&mut self, stream: u32, reason: wisp::Reason) -> Option<Part> {
        self.datagrams.remove(&stream);
        self.streams.remove(&stream).then(|| close(stream, reason))
    }
}

impl Protocol for Wisp {
    fn begin(&mut self) -> Vec<Part> {
        if self.version == Version::One {
            return vec![self.greeting()];
        }
        let extensions = [Extension::UDP, Extension::CONFIRMATION].map(Extension::of).into();
        let info = wisp::Info { major: 2, minor: 0, extensions };
        vec![told(&Packet::Info(info))]
    }

    fn receive(&mut self, part: Part, steps: &mut Vec<Step>) -> Result<(), End> {
        if part.text {
            return Err(broken("Wisp has binary messages alone"));
        }
        match self.reader.take(part.data, part.last).map_err(|error| broken(error.to_string()))? {
            None => Ok(()),
            Some(Event::Data { .. }) if self.version == Version::Asked => {
                Err(broken("a client of Wisp 2 begins with INFO"))
            }
            Some(Event::Data { stream, data, last }) => {
                // Data for a stream that is over has crossed the notice of its end.
                if self.streams.contains(&stream) {
                    steps.push(Step::Data(stream, data, last));
                }
                Ok(())
            }
            Some(Event::BadConnect { stream }) => {
                steps.push(Step::Say(close(stream, wisp::Reason::INVALID)));
                Ok(())
            }
            Some(Event::Packet(packet)) => self.packet(packet, steps),
        }
    }

    /// A client sends before it knows; one that wants to know is told.
    fn opened(&mut self, stream: u32, packets: u32) -> Option<Part> {
        let tells = self.confirms && !self.datagrams.contains(&stream);
        tells.then(|| self.taken(stream, packets)).flatten()
    }

    fn refused(&mut self, stream: u32, refusal: &Refusal) -> Option<Part> {
        self.closed(
            stream,
            match refusal.kind {
                RefusalKind::Forbidden | RefusalKind::Unauthenticated => wisp::Reason::BLOCKED,
                RefusalKind::Busy | RefusalKind::Throttled => wisp::Reason::THROTTLED,
                RefusalKind::Timeout => wisp::Reason::TIMEOUT,
                RefusalKind::Refused if refusal.message.ends_with("connection refused") => {
                    wisp::Reason::REFUSED
                }
                _ => wisp::Reason::UNREACHABLE,
            },
        )
    }

    fn over(&mut self, stream: u32, end: &End) -> Option<Part> {
        self.closed(
            stream,
            match end.why {
                Reason::EndOfStream | Reason::Exit | Reason::PeerLeft => wisp::Reason::VOLUNTARY,
                Reason::Idle | Reason::Linger => wisp::Reason::IDLE,
                Reason::Limit | Reason::GaveWay | Reason::Draining | Reason::Stopping => {
                    wisp::Reason::THROTTLED
                }
                Reason::Forbidden => wisp::Reason::BLOCKED,
                Reason::Timeout => wisp::Reason::TIMEOUT,
                Reason::NotFound | Reason::Unreachable => wisp::Reason::UNREACHABLE,
                _ => wisp::Reason::NETWORK,
            },
        )
    }

    fn taken(&mut self, stream: u32, packets: u32) -> Option<Part> {
        let is_known = self.streams.contains(&stream);
        is_known.then(|| told(&Packet::Continue { stream, packets }))
    }
}

fn told(packet: &Packet) -> Part {
    Part::binary(packet.bytes())
}

fn close(stream: u32, reason: wisp::Reason) -> Part {
    told(&Packet::Close { stream, reason })
}

fn broken(words: impl Into<std::borrow::Cow<'static, str>>) -> End {
    End::because(Reason::ProtocolError, words)
}

/// As much as a splice reads at once; a datagram has as much at most.
const MOST: usize = 64 * 1024;
