//! `endpointforward.v1`: a terminal's bytes, and a terminal's control messages.
//!
//! Binary messages are data. Text messages are control: one JSON object each ([`message`]), which
//! becomes a [`Signal`] or comes from one. `eof` ends one direction, so two of us keep half-close.
//! docs/terminal-protocol.md is the description for those who write the other end.

mod kinds;
mod message;
mod window;

use std::task::{Context, Poll, Waker};

use endpoint::{Control, End, ExitStatus, Grants, Signal, SignalReceiver};
use tokio::time::Instant;
use websocket::{CloseCode, Role};

use self::kinds::Kinds;
use self::message::Message;
use self::window::Window;
use crate::outgoing::Outgoing;

pub(super) use self::kinds::NotText;
pub(super) use super::negotiate::TERMINAL as NAME;

/// The header of a client that is not a terminal, such as our own connecting side: it gets the destination's bytes
/// unchanged, without telnet in between.
pub(super) const PLAIN: &str = "endpointforward-face";

/// Offered with it by a client that can't read the HTTP reply of a refusal, as no page can: the WebSocket is opened and
/// closed with the reason. Never agreed on.
pub(super) const TELL: &str = crate::http::request::TELL;

/// The appearance of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Shell,
    Telnet,
    Serial,
    Stream,
    /// Messages, which stay whole and keep their types.
    Messages,
    /// The packets of an MQTT broker.
    Mqtt,
}

impl Face {
    /// Returns the appearance for a destination; `telnet` is set if it is used in between.
    pub(super) fn of(far: Option<Grants>, takes_signals: bool, telnet: bool) -> Self {
        match far {
            _ if telnet => Self::Telnet,
            // A program on pipes has no terminal: it wants lines, and gets no size. A service that takes sizes is seen
            // through a separate layer.
            Some(Grants::Program | Grants::Service) if takes_signals => Self::Shell,
            Some(Grants::Device) => Self::Serial,
            _ => Self::Stream,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Telnet => "telnet",
            Self::Serial => "serial",
            Self::Stream => "stream",
            Self::Messages => "messages",
            Self::Mqtt => "mqtt",
        }
    }
}

/// Both ends of a connection's signals, and what the session gets of them.
pub(super) fn pair(role: Role, face: Option<Face>) -> (Control, Box<Beside>) {
    let (control, outgoing, incoming) = Control::pair();
    let beside = Beside {
        role,
        outgoing: Outgoing::new(outgoing),
        incoming: Some(incoming),
        text: Vec::new(),
        first: face.map(message::hello),
        left: None,
        exit: None,
        asked: false,
        sent: 0,
        window: None,
        kinds: (face == Some(Face::Messages)).then(Kinds::default),
        halves: Halves::default(),
    };
    (control, Box::new(beside))
}

/// The control messages of one connection.
pub(super) struct Beside {
    role: Role,
    outgoing: Outgoing,
    incoming: Option<SignalReceiver>,
    /// The part of a control message that has come.
    text: Vec<u8>,
    /// The message that is sent before anything else.
    first: Option<String>,
    /// The exit status of the program on our side, once it was sent.
    left: Option<ExitStatus>,
    /// The exit status of the program on the peer's side.
    exit: Option<ExitStatus>,
    /// The client asks whether we are there, and has no answer yet.
    asked: bool,
    /// Bytes of data that were sent.
    sent: u64,
    /// Once the peer has acknowledged any.
    window: Option<Window>,
    /// Which data is text, where messages keep their types.
    kinds: Option<Kinds>,
    /// How far the connection has ended.
    pub(super) halves: Halves,
}

/// The state of the end of each direction.
#[derive(Default)]
pub(super) struct Halves {
    /// The peer's `eof` has been read, and reported as the end.
    pub(super) heard: bool,
    /// Ours was sent, for this reason.
    pub(super) told: Option<End>,
}

/// The effect of a control message on the connection itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing.
    Signal,
    /// No more data will come; the exit status of the program there, if it was sent.
    Eof(Option<ExitStatus>),
    /// It is no valid message: the code and the reason to close with.
    Mistake(CloseCode, &'static str),
}

impl Beside {
    /// Ready when the other side has room for another event.
    pub(super) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.outgoing.poll_ready(cx)
    }

    /// Returns `true` if the other side has room for another event.
    pub(super) fn has_room(&self) -> bool {
        self.poll_room(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    /// Ready while the peer is to be sent more data.
    pub(super) fn poll_window(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.window.as_mut().map_or(Poll::Ready(()), |window| window.poll_open(cx))
    }

    /// Counts data that was sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
        if let Some(window) = &mut self.window {
            window.sent(bytes as u64, Instant::now());
        }
    }

    /// Returns `true` if each data message is one message of the session.
    pub(super) fn keeps_messages(&self) -> bool {
        self.kinds.is_some()
    }

    /// Returns the message to send before a data message, if its type differs from that of the one before it.
    pub(super) fn announce(&mut self, text: bool) -> Option<String> {
        let changed = self.kinds.as_mut()?.announce(text);
        changed.then(|| message::text(text))
    }

    /// Returns `true` if a piece of received data is text; `Err` if it was announced as text and isn't.
    pub(super) fn is_text(&mut self, piece: &[u8], last: bool) -> Result<bool, NotText> {
        self.kinds.as_mut().map_or(Ok(false), |kinds| kinds.check(piece, last))
    }

    /// Takes a piece of a text message, the last one if `last`.
    pub(super) fn hear(&mut self, piece: &[u8], last: bool) -> Heard {
        if self.text.len() + piece.len() > LONGEST {
            self.text = Vec::new();
            return Heard::Mistake(CloseCode::Policy, "a control message has at most 4096 bytes");
        }
        let whole = if last && self.text.is_empty() {
            message::read(piece, self.role)
        } else {
            self.text.extend_from_slice(piece);
            if !last {
                return Heard::Signal;
            }
            message::read(&std::mem::take(&mut self.text), self.role)
        };
        match whole {
            Ok(Message::Signal(signal)) => {
                if let Signal::Exit(status) = signal {
                    self.exit = Some(status);
                }
                self.outgoing.send(signal);
                Heard::Signal
            }
            Ok(Message::Ack(bytes)) => {
                let now = Instant::now();
                match &mut self.window {
                    Some(window) => window.ack(bytes, now),
                    None => self.window = Some(Window::new(self.sent, bytes, now)),
                }
                Heard::Signal
            }
            Ok(Message::Text(on)) => {
                if let Some(kinds) = &mut self.kinds {
                    kinds.hear(on);
                }
                Heard::Signal
            }
            Ok(Message::Alive) => {
                self.asked = true;
                Heard::Signal
            }
            Ok(Message::Eof) => Heard::Eof(self.exit),
            Ok(Message::Unknown) => Heard::Signal,
            Err(mistake) => Heard::Mistake(CloseCode::Unsupported, mistake),
        }
    }

    /// Returns `true` if a message waits that the session doesn't know of: nothing else would send it.
    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    /// The next message for the peer.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if std::mem::take(&mut self.asked) {
            return Poll::Ready(Some(message::alive()));
        }
        while let Some(incoming) = &mut self.incoming {
            match incoming.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => self.incoming = None,
                Poll::Ready(Some(Signal::Exit(status))) => {
                    if let Some(text) = self.exit(status) {
                        return Poll::Ready(Some(text));
                    }
                }
                Poll::Ready(Some(signal)) => {
                    if let Some(text) = message::write(&signal, self.role) {
                        return Poll::Ready(Some(text));
                    }
                }
            }
        }
        Poll::Ready(None)
    }

    /// Returns the last messages: the exit status of the program, unless it was sent, and the end. Data that is cut has
    /// no end but the Close.
    pub(super) fn last_words(&mut self, end: &End) -> Vec<String> {
        let exit = end.status.and_then(|status| self.exit(status));
        let eof = (!end.is_cut()).then(message::eof);
        exit.into_iter().chain(eof).collect()
    }

    fn exit(&mut self, status: ExitStatus) -> Option<String> {
        if self.left.replace(status) == Some(status) {
            return None;
        }
        message::write(&Signal::Exit(status), self.role)
    }
}

/// Of a control message, in bytes.
const LONGEST: usize = 4096;
