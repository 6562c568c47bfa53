//! `ws2s:{ws:…}`: pages that have a TCP socket by JSON, as the server of that name gives them. The messages are the
//! crate `ws2s`.
//!
//! A WebSocket has one socket at a time, as there. A destination that takes nothing stalls that WebSocket alone; of
//! the data of its client, [`muxed::SHARE`](crate::muxed) and one command wait.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use endpoint::info::Target;
use endpoint::{End, Info, Part, Reason, Refusal, RefusalKind, ServeLayer};
use plan::kind::{
    Args, Example, Kind, Param, PlanListen, Planned, Role, Side, Takes, Topic, ValueKind,
};
use ws2s::{Code, Command, MOST, received, response};

use crate::muxed::{Muxed, Protocol, Step, Terms};
use crate::through::FACTS;

/// Sockets by JSON.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::bytes(PARAMS, PlanListen::Layer(Takes::Messages, listen))),
    facts: FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "ws2s:{ws:3613}",
            about: "Serves pages with ws2s.js on loopback. The destination to use is \
                    `tcp:${target.host}:${target.port}:allow=*`.",
        },
        Example {
            role: Role::Listen,
            descriptor: "ws2s:{ws:3613:origin={https://redis.example}}",
            about: "Accepts pages of another web server.",
        },
    ],
    see_also: &["wisp", "ws", "tcp"],
    ..Kind::new("ws2s", "TCP sockets for web pages, by the JSON commands of ws2s")
};

const PARAMS: &[Param] = &[
    Param::new("endpoint", ValueKind::Endpoint, "The WebSocket listener beneath.")
        .positional()
        .required(),
    Param::new(
        "max-message",
        ValueKind::Size,
        "The maximum size of a command, including all its fragments; a longer one closes the WebSocket (close code \
         1009). A command is buffered until it is complete.",
    )
    .topic(Topic::Limits)
    .default("4M"),
];

fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let longest = args.int("max-message").and_then(|most| usize::try_from(most).ok());
    let encode =
        |_, data: &[u8]| Part { data: Bytes::from(received(data)), text: true, last: true };
    let terms = Terms { name: "ws2s", encode, most: MOST, sockets: SOCKETS, window: None };
    let longest = longest.unwrap_or(usize::MAX);
    let protocol = move |_: &Info| Ws2s {
        longest,
        message: BytesMut::new(),
        socket: 0,
        state: State::Closed,
        host: String::new(),
    };
    Ok(Arc::new(Muxed { terms, protocol: Arc::new(protocol) }))
}

/// The state of one client.
struct Ws2s {
    longest: usize,
    /// The command that is coming.
    message: BytesMut,
    /// The number of the newest socket.
    socket: u32,
    state: State,
    /// The destination of the socket.
    host: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Connecting,
    Open,
}

impl Ws2s {
    fn command(&mut self, text: &[u8], steps: &mut Vec<Step>) {
        let command = std::str::from_utf8(text).map_err(|_| ws2s::Wrong::NotJson);
        let command = match command.and_then(Command::read) {
            Ok(command) => command,
            Err(wrong) => return steps.push(say(Code::Unknown, &wrong.to_string())),
        };
        let done = format!("{} done", command.name());
        match command {
            Command::Connect { host, port, through_ssh } => {
                self.close(steps);
                self.socket = self.socket.wrapping_add(1);
                if through_ssh {
                    let words = format!("Failed To Open SSH Tunnel. socketId: {}", self.socket);
                    return steps.push(say(Code::NoTunnel, &words));
                }
                self.state = State::Connecting;
                self.host.clone_from(&host);
                // The answer comes once it is decided.
                return steps.push(Step::Open(self.socket, Target::new(host, port)));
            }
            Command::Send { .. } if self.state != State::Open => {
                let socket = self.socket;
                let words =
                    format!("illegal socket status, please connect again. socketId: {socket}");
                return steps.push(say(Code::IllegalState, &words));
            }
            Command::Send { data, .. } => {
                steps.push(Step::Data(self.socket, data.into(), true));
            }
            Command::Close => self.close(steps),
            Command::Other(_) => {}
        }
        steps.push(say(Code::Done, &done));
    }

    fn close(&mut self, steps: &mut Vec<Step>) {
        if self.state != State::Closed {
            self.state = State::Closed;
            steps.push(Step::Close(self.socket, End::eof()));
        }
    }
}

impl Protocol for Ws2s {
    fn receive(&mut self, part: Part, steps: &mut Vec<Step>) -> Result<(), End> {
        if self.message.len() + part.data.len() > self.longest {
            let most = self.longest;
            let words = format!("a command has more than {most} bytes, which is the limit");
            return Err(End::because(Reason::TooBig, words));
        }
        match (part.last, self.message.is_empty()) {
            (true, true) => self.command(&part.data, steps),
            (true, false) => {
                let mut message = std::mem::take(&mut self.message);
                message.extend_from_slice(&part.data);
                self.command(&message, steps);
            }
            (false, _) => self.message.extend_from_slice(&part.data),
        }
        Ok(())
    }

    /// Returns `true` while a connection is made: data behind `connect` goes to that socket.
    fn waits(&self) -> bool {
        self.state == State::Connecting
    }

    fn opened(&mut self, socket: u32, _: u32) -> Option<Part> {
        if socket == self.socket {
            self.state = State::Open;
        }
        Some(told(Code::Done, "connect done"))
    }

    fn refused(&mut self, socket: u32, refusal: &Refusal) -> Option<Part> {
        if socket == self.socket {
            self.state = State::Closed;
        }
        Some(match refusal.kind {
            RefusalKind::Forbidden => {
                let host = &self.host;
                let words = format!(
                    "ws2s refuse to connect target host: {host}, cause that's a dangerous operation"
                );
                told(Code::Forbidden, &words)
            }
            RefusalKind::Refused if refusal.message.ends_with(REFUSED) => {
                told(Code::Refused, REFUSED)
            }
            _ => told(Code::Unknown, &refusal.message),
        })
    }

    fn over(&mut self, socket: u32, end: &End) -> Option<Part> {
        if socket != self.socket || self.state != State::Open {
            return None;
        }
        self.state = State::Closed;
        Some(match end.why {
            Reason::Failed | Reason::Reset | Reason::Truncated => {
                told(Code::Unknown, &end.to_string())
            }
            _ => told(Code::ClosedByPeer, "connection closed by peer"),
        })
    }
}

fn say(code: Code, words: &str) -> Step {
    Step::Say(told(code, words))
}

fn told(code: Code, words: &str) -> Part {
    Part { data: Bytes::from(response(code, words)), text: true, last: true }
}

/// The system's words for ECONNREFUSED, which are ws2s's too.
const REFUSED: &str = "connection refused";
/// The maximum number of sockets of a client: the current one, and earlier ones whose data is still being delivered, or
/// whose destination hasn't ended its side yet. A page that reconnects again and again may have many for a moment.
const SOCKETS: usize = 256;
