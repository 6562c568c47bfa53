//! Receiving: payload, and the effects of control frames and errors.

use std::io;
use std::ops::Range;
use std::pin::Pin;

use ::bytes::{Buf, BytesMut};
use endpoint::{End, Part};
use tokio::time::Sleep;
use websocket::{CloseCode, CloseFrame, Control, Decoder, Event, Limits, ProtocolError, Role};

use super::base64;
use super::codes;
use super::compression::{Inflated, Inflating};
use super::pings::Pings;
use crate::ws::negotiate::Mode;
use crate::ws::terminal::{Beside, Heard, NotText};

/// The receiving half of a connection.
pub(in crate::ws) struct Receiving {
    decoder: Decoder,
    mode: Mode,
    base64: base64::Decoder,
    /// If messages may come compressed.
    inflating: Option<Box<Inflating>>,
    /// Set if text has to be UTF-8.
    checks_text: bool,
    /// The receiver of text messages of [`Mode::Terminal`].
    pub(in crate::ws) beside: Option<Box<Beside>>,
    /// Bytes that were read and not decoded: those that came right after the handshake, or one read's
    /// worth of messages.
    pub(in crate::ws) unread: BytesMut,
    pub(in crate::ws) state: State,
    /// Pings that want an answer.
    pub(in crate::ws) pinged: Pings,
    /// A pong has come.
    pub(in crate::ws) ponged: bool,
}

/// The state of the peer's end. Its details are boxed, because it comes once.
#[derive(Debug)]
pub(in crate::ws) enum State {
    Open,
    /// By `eof`: the peer still reads, and has a Close to send.
    Finished(Box<End>),
    /// By a Close frame, or without one.
    Ended(Box<End>),
    /// By a mistake of the peer's, that hasn't been reported yet.
    Failed(Box<Failure>),
    /// By an error that was reported: the peer is drained until then at the latest.
    Lingering(Pin<Box<Sleep>>),
    /// By an error that was reported.
    Over,
}

/// The reason why the connection is failed (RFC 6455 section 7.1.7).
#[derive(Debug)]
pub(in crate::ws) struct Failure {
    /// The Close for the peer.
    pub(in crate::ws) frame: CloseFrame,
    /// The error for our side.
    pub(in crate::ws) words: String,
}

impl Receiving {
    pub(in crate::ws) fn new(
        role: Role,
        mode: Mode,
        limits: Limits,
        inflating: Option<Box<Inflating>>,
        unread: BytesMut,
    ) -> Self {
        let decoder = Decoder::new(role, limits)
            .compressed_messages(inflating.is_some())
            .binary_only(mode == Mode::Binary);
        Self {
            decoder,
            mode,
            base64: base64::Decoder::default(),
            inflating,
            checks_text: true,
            beside: None,
            unread,
            state: State::Open,
            pinged: Pings::default(),
            ponged: false,
        }
    }

    /// Returns `true` if the peer has sent a Close.
    pub(in crate::ws) fn is_closed(&self) -> bool {
        self.decoder.is_closed()
    }

    /// Returns `true` if something may still arrive, data or not.
    pub(in crate::ws) fn is_reading(&self) -> bool {
        matches!(self.state, State::Open | State::Finished(_))
    }

    /// Switches to the byte view, in which text is not checked for being UTF-8.
    pub(in crate::ws) fn flattened(mut self) -> Self {
        self.decoder = self.decoder.check_text(false);
        self.checks_text = false;
        self
    }

    /// Returns `true` if messages may be compressed: then only [`Self::next`] reads them.
    pub(in crate::ws) fn inflates(&self) -> bool {
        self.inflating.is_some()
    }

    /// Returns `true` if something was read that [`Self::next`] hasn't handled.
    pub(in crate::ws) fn has_more(&self) -> bool {
        !self.unread.is_empty()
            || self.inflating.as_ref().is_some_and(|inflating| inflating.is_busy())
    }

    /// Returns `true` if a signal has room; [`Beside::poll_room`] waits for it.
    fn has_room(&self) -> bool {
        self.beside.as_ref().is_none_or(|beside| beside.has_room())
    }

    /// Decodes `buf` in place: how many bytes of payload are now at its front.
    pub(in crate::ws) fn compact(&mut self, buf: &mut [u8]) -> usize {
        if let Mode::Any | Mode::Binary = self.mode {
            let (state, pinged, ponged) = (&mut self.state, &mut self.pinged, &mut self.ponged);
            let done = self.decoder.compact(buf, |control| take(control, state, pinged, ponged));
            if let Some(error) = done.error {
                self.fail(&error);
            }
            return done.payload;
        }
        let (mut at, mut to) = (0, 0);
        while self.is_reading() {
            if !self.has_room() {
                // The rest waits until the other side has acted on what came before.
                let mut rest = BytesMut::from(&buf[at..]);
                rest.extend_from_slice(&self.unread);
                self.unread = rest;
                break;
            }
            match self.decoder.next(buf, &mut at) {
                Ok(None) => break,
                Ok(Some(Event::Control(control))) => self.control(control),
                Ok(Some(Event::Data(data))) => {
                    self.data(buf, data.range, &mut to, data.text, data.last);
                }
                Err(error) => self.fail(&error),
            }
        }
        to
    }

    /// The next part of `unread`. Control frames and mistakes before it have had their effect.
    pub(in crate::ws) fn next(&mut self) -> Option<Part> {
        while self.is_reading() && self.has_more() && self.has_room() {
            if let Some(part) = self.next_inflated() {
                return Some(part);
            }
            if self.unread.is_empty() || !self.is_reading() {
                continue;
            }
            let mut at = 0;
            match self.decoder.next(&mut self.unread, &mut at) {
                Ok(None) => self.unread = BytesMut::new(),
                Ok(Some(Event::Control(control))) => {
                    self.unread.advance(at);
                    self.control(control);
                }
                Ok(Some(Event::Data(data))) => {
                    let taken = self.unread.split_to(at);
                    if self.unread.is_empty() {
                        self.unread = BytesMut::new();
                    }
                    if data.compressed
                        && let Some(inflating) = &mut self.inflating
                    {
                        inflating.begin(taken, &data);
                        continue;
                    }
                    let part = self.part(taken, data.range, data.text, data.last);
                    if part.is_some() {
                        return part;
                    }
                }
                Err(error) => self.fail(&error),
            }
        }
        if !self.is_reading() {
            // After a Close, further data is ignored.
            self.unread = BytesMut::new();
            self.inflating = None;
        }
        None
    }

    /// The next part of a compressed message.
    fn next_inflated(&mut self) -> Option<Part> {
        let checks = self.checks_text;
        while let Some(inflating) = self.inflating.as_mut().filter(|inflating| inflating.is_busy())
        {
            match inflating.next(checks) {
                Ok(None) => return None,
                Ok(Some(Inflated { data, text, last })) => {
                    let all = 0..data.len();
                    let part = self.part(data, all, text, last);
                    if part.is_some() || !self.is_reading() {
                        return part;
                    }
                }
                Err(violation) => {
                    let error = self.decoder.refuse(violation);
                    self.fail(&error);
                    return None;
                }
            }
        }
        None
    }

    /// Returns the part of a message that `range` of `taken` is, if it is data.
    fn part(
        &mut self,
        mut taken: BytesMut,
        range: Range<usize>,
        text: bool,
        last: bool,
    ) -> Option<Part> {
        let (start, mut end) = (range.start, range.start);
        self.data(&mut taken, range, &mut end, text, last);
        if let Some(error) = self.decoder.error() {
            // It stopped short of what was wrong in this piece.
            self.fail(&error);
        }
        taken.truncate(end);
        taken.advance(start);
        if text && self.mode == Mode::Terminal {
            return None;
        }
        let mut text = text && self.mode != Mode::Base64;
        if let Some(beside) = &mut self.beside {
            match beside.is_text(&taken, last) {
                Ok(is_text) => text = is_text,
                Err(NotText) => {
                    self.refuse(CloseCode::Invalid, "text data must be UTF-8".to_owned());
                    return None;
                }
            }
        }
        let last = last && matches!(self.state, State::Open);
        (last || !taken.is_empty()).then(|| Part { data: taken.freeze(), text, last })
    }

    /// Decodes one piece of payload to `to`.
    fn data(&mut self, buf: &mut [u8], from: Range<usize>, to: &mut usize, text: bool, last: bool) {
        match (self.mode, text) {
            (Mode::Terminal, true) => self.hear(&buf[from], last),
            (Mode::Terminal, false) if matches!(self.state, State::Finished(_)) => {
                if !from.is_empty() {
                    self.refuse(CloseCode::Policy, "received data after `eof`".to_owned());
                }
            }
            (Mode::Any, _) | (Mode::Binary | Mode::Terminal, false) => {
                let len = from.len();
                buf.copy_within(from, *to);
                *to += len;
            }
            (Mode::Base64, true) => {
                let before = *to;
                let mut decoded = self.base64.decode(buf, from, to);
                if decoded.is_ok() && last {
                    decoded = self.base64.finish();
                }
                if let Err(mistake) = decoded {
                    // Nothing of a message that is wrong goes on, if it came in one piece.
                    *to = before;
                    let words = format!("message payload base64 decoding error: {mistake}");
                    self.refuse(CloseCode::Invalid, words);
                }
            }
            // The decoder has refused text where only binary is taken.
            (Mode::Binary, true) => {}
            (Mode::Base64, false) => {
                let words = "message payload type does not match the negotiated subprotocol";
                self.refuse(CloseCode::Unsupported, words.to_owned());
            }
        }
    }

    /// Takes a piece of a control message.
    fn hear(&mut self, piece: &[u8], last: bool) {
        let Some(beside) = &mut self.beside else { return };
        match beside.hear(piece, last) {
            Heard::Signal => {}
            Heard::Eof(status) => {
                if let State::Open = self.state {
                    let end = status.map_or_else(End::eof, End::exited);
                    self.state = State::Finished(Box::new(end));
                }
            }
            Heard::Mistake(code, words) => self.refuse(code, words.to_owned()),
        }
    }

    fn control(&mut self, control: Control) {
        take(control, &mut self.state, &mut self.pinged, &mut self.ponged);
    }

    fn fail(&mut self, error: &ProtocolError) {
        let failure = Failure { frame: error.close_frame(), words: error.to_string() };
        if self.is_reading() {
            self.state = State::Failed(Box::new(failure));
        }
    }

    fn refuse(&mut self, code: CloseCode, words: String) {
        let frame = CloseFrame::new(code, &words).expect("1003, 1007 and 1008 may be sent");
        self.state = State::Failed(Box::new(Failure { frame, words }));
    }
}

impl Failure {
    pub(in crate::ws) fn into_error(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("WebSocket: {}", self.words))
    }
}

fn take(control: Control, state: &mut State, pinged: &mut Pings, ponged: &mut bool) {
    match control {
        Control::Ping(payload) => pinged.push(payload),
        Control::Pong(_) => *ponged = true,
        Control::Close(frame) => {
            *state = State::Ended(Box::new(frame.map_or_else(End::eof, |frame| {
                let code = frame.code().into();
                End::with_code(codes::reason(code), code, frame.reason().to_owned())
            })));
        }
    }
}
