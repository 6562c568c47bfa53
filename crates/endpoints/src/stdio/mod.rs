//! `stdio`: our own standard input and output.
//!
//! There is one of each, so one session at a time has them. Listening offers them once.

mod escape;
mod input;
mod opened;
mod output;
mod raw;
mod terminal;

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use async_trait::async_trait;
use descriptor::Code;
use endpoint::{
    Conn, Connector, End, Ending, Error, ErrorKind, Grants, Info, Life, Peer, Raw, Result,
    SystemCall, Times, Transport,
};
use framing::{Chunks, Partial, Whole};
use plan::kind::{
    Args, Example, Framings, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use rustix::stdio::{stdin, stdout};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::input::Input;
use self::output::Output;
pub use self::raw::restore_terminal;
use self::terminal::Terminal;
use crate::frames::Framed;

/// Standard input and output.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::stdio),
    listen: Some(Side::opened(Times::Once)),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "stdio",
            about: "One session with the parent process, as for ssh's `ProxyCommand`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "stdio:keep=true",
            about: "Prints the data of all sessions, one session at a time; a pipe is not closed between them.",
        },
        Example {
            role: Role::Listen,
            descriptor: "stdio:raw=true",
            about: "Connects this terminal to the destination as ssh does, for example to a shell behind a WebSocket.",
        },
        Example {
            role: Role::Listen,
            descriptor: "stdio:hold=true",
            about: "Sends the input, and prints what the destination sends until the destination ends.",
        },
        Example {
            role: Role::Listen,
            descriptor: "stdio:message=whole:hold=true",
            about: "Sends the input as one WebSocket message, and prints the server's answer.",
        },
    ],
    see_also: &["process"],
    ..Kind::new(
        "stdio",
        "The standard input and output of endpointforward; the end of input is a half-close",
    )
};

const PARAMS: &[Param] = &[
    Param::new(
        "keep",
        ValueKind::Bool,
        "Keep standard output open after a session, for the next one. Otherwise, a pipe or socket is closed, so that \
         its reader sees the end.",
    )
    .default("false"),
    Param::new(
        "hold",
        ValueKind::Bool,
        "Don't pass the end of input on: the session goes on until the other side ends, as with websocat's `-n`.",
    )
    .default("false"),
    Param::new(
        "message",
        ValueKind::Choice(&["chunks", "whole"]),
        "How the input is split into messages for a WebSocket: with `chunks`, each read is a message; with `whole`, \
         the whole input is one message, which is sent at its end, as text if it is UTF-8. An empty input sends no \
         message.",
    )
    .default("chunks")
    .topic(Topic::Messages),
    Param::new(
        "max-message",
        ValueKind::Size,
        "The maximum size of the input with `message=whole`. A longer one ends the session (close code 1009 over \
         `ws`).",
    )
    .default("64M")
    .topic(Topic::Messages),
    Param::new(
        "raw",
        ValueKind::Bool,
        "Set the terminal to raw mode: every key is passed on, Ctrl-C included, there is no local echo, and window \
         sizes are sent to the other side. `~.` at the beginning of a line ends the session; `~~` sends `~`.",
    )
    .default("false"),
];

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let flag = |name| args.flag(name);
    let descriptor = args.descriptor.clone();
    let whole = args.text("message") == Some("whole");
    if whole && flag("raw") {
        let message =
            "`message=whole` is sent when the input ends, and `raw=true` passes on every key";
        return Err(vec![args.mistake("message", Code::BadValue, message)]);
    }
    if !whole && args.is_given("max-message") {
        let message = "`max-message` limits `message=whole`, which isn't given";
        return Err(vec![args.mistake("max-message", Code::BadValue, message)]);
    }
    let max =
        args.int("max-message").and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    if max == 0 {
        return Err(vec![args.mistake(
            "max-message",
            Code::BadValue,
            "`max-message` must be more than 0",
        )]);
    }
    let whole = whole.then(|| Framings {
        incoming: Arc::new(Whole),
        outgoing: Arc::new(Chunks),
        max,
        timeout: None,
        rest: Partial::Send,
    });
    Ok(Box::new(Open {
        descriptor,
        keep: flag("keep"),
        hold: flag("hold"),
        raw: flag("raw"),
        whole,
    }))
}

#[derive(Debug)]
struct Open {
    descriptor: String,
    keep: bool,
    hold: bool,
    raw: bool,
    /// Set if the input is one message.
    whole: Option<Framings>,
}

#[async_trait]
impl Connector for Open {
    async fn connect(&self, cx: &endpoint::Context, _: &Info) -> Result<Conn> {
        let refused = |words: &str, hint: &str| {
            Err(Error::new(ErrorKind::Busy, "open", &*self.descriptor, words).with_hint(hint))
        };
        let turn = match Turn::take(cx.shared()) {
            Ok(turn) => turn,
            Err(State::Used) => {
                return refused(
                    "another session is using standard input and output",
                    "only one session at a time can use them",
                );
            }
            Err(_) => {
                return refused(
                    "standard output was closed at the end of an earlier session",
                    "keep it open for the next session with `keep=true`",
                );
            }
        };
        let failed = |cause| Error::from_io("open", &*self.descriptor, cause);
        let input = Input::open(stdin()).map_err(failed)?;
        let close = (!self.keep).then(|| Box::new(output::to_null) as output::Close);
        let output = Output::open(stdout(), close).map_err(failed)?;
        let taken = self.raw.then(|| Terminal::take(stdin(), cx.shared())).transpose();
        let (terminal, control) = match taken {
            Ok(taken) => taken.unzip(),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let words = "`raw=true` needs a terminal as standard input";
                let error = Error::new(ErrorKind::Other, "open", &*self.descriptor, words);
                return Err(error.with_hint("omit `raw` for a pipe or a file"));
            }
            Err(error) => return Err(failed(error)),
        };
        let typed = terminal.map(|terminal| Typed { terminal, keys: Vec::new() });
        // The end of the input ends its message, whether it is passed on or not.
        let hold = self.hold && self.whole.is_none();
        let stdio =
            Stdio { input, output, turn: Some(turn), hold, is_finished: false, held: None, typed };
        let mut conn = Conn::bytes(stdio, Info::new());
        if let Some(framings) = &self.whole {
            let framed = Framed::new(conn.transport.into_bytes(), framings.clone());
            let framed = if self.hold { framed.hold() } else { framed };
            conn.transport = Transport::Messages(Box::new(framed));
        }
        conn.control = control.unwrap_or_default();
        Ok(conn)
    }

    /// The parent process decides to what they are connected.
    fn grants(&self) -> Grants {
        Grants::Service
    }
}

/// Standard input and output, while a session has them.
struct Stdio {
    input: Input,
    output: Output,
    turn: Option<Turn>,
    /// Set if the end of input is not passed on until the other side has ended.
    hold: bool,
    /// The other side has ended.
    is_finished: bool,
    /// The reader that an end is held back from.
    held: Option<Waker>,
    typed: Option<Typed>,
}

/// Input that is typed at a raw terminal.
struct Typed {
    terminal: Terminal,
    /// Keys that passed the escape and were not read yet: one read's, and a `~`.
    keys: Vec<u8>,
}

impl Stdio {
    /// Reads keys, and looks for the escape among them.
    fn poll_type(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { input, typed: Some(Typed { terminal, keys }), .. } = self else {
            return self.input.poll_read(cx, buf);
        };
        loop {
            if !keys.is_empty() {
                let length = keys.len().min(buf.remaining());
                buf.put_slice(&keys[..length]);
                keys.drain(..length);
                return Poll::Ready(Ok(()));
            }
            if terminal.escape.is_over() {
                return Poll::Ready(Ok(()));
            }
            let mut read = [0; KEYS];
            let mut read = ReadBuf::new(&mut read);
            ready!(input.poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            terminal.escape.pass(read.filled(), keys);
        }
    }

    fn is_over(&self) -> bool {
        self.typed.as_ref().is_some_and(|typed| typed.terminal.escape.is_over())
    }
}

impl AsyncRead for Stdio {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(self.poll_type(cx, buf))?;
        let is_end = buf.filled().len() == before && buf.remaining() > 0;
        if is_end && self.hold && !self.is_finished && !self.is_over() {
            self.held = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stdio {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output.poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Stdio {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if let Some(typed) = &mut self.typed {
            typed.terminal.poll(cx);
        }
        Poll::Pending
    }

    /// A user who ends a session at a terminal wants nothing more of it.
    fn ending(&self) -> Ending {
        if self.typed.is_some() { Ending::Whole } else { Ending::HalfClose }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        self.is_finished = true;
        if let Some(reader) = self.held.take() {
            reader.wake();
        }
        let closed = ready!(self.output.poll_finish(cx))?;
        if let Some(turn) = self.turn.as_mut().filter(|_| closed) {
            turn.closed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn peer(&mut self) -> Option<Peer> {
        self.output.peer()
    }

    /// It is unknown if a program that writes to a pipe, or a person who types, waits for an end. Most don't.
    fn linger(&self) -> Option<Duration> {
        Some(SILENCE)
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        if self.typed.is_some() || self.hold { None } else { Some(self) }
    }
}

impl Raw for Stdio {
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        self.input.poll_read_by(cx, call)
    }

    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        self.output.poll_write_by(cx, call)
    }
}

/// The state of standard input and output, in one context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    Used,
    Closed,
}

#[derive(Debug, Default)]
struct Ours(Mutex<State>);

impl Ours {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use them, given back when it is dropped.
struct Turn {
    ours: Arc<Ours>,
    closed: bool,
}

impl Turn {
    fn take(ours: Arc<Ours>) -> std::result::Result<Self, State> {
        let mut state = ours.lock();
        if *state != State::Free {
            return Err(*state);
        }
        *state = State::Used;
        drop(state);
        Ok(Self { ours, closed: false })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.ours.lock() = if self.closed { State::Closed } else { State::Free };
    }
}

/// A person types less between two reads; pasted text takes several.
const KEYS: usize = 1024;

/// The time that standard input may be silent once the other side has ended.
const SILENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
