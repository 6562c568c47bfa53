//! The machine: decides on the answers, and on the events that commands and options mean.

use std::ops::Range;

use crate::command::Verb;
use crate::decode::{Decoder, Mode, Token};
use crate::encode::{self, Encoder, Newlines};
use crate::qmethod::Q;
use crate::{
    Command, Enter, Opt, Policy, Role, Settings, Side, Size, Subnegotiation, TerminalType,
};

/// The size of unsent answers at which no more input is read.
///
/// A whole login makes about 60 bytes of them, so only a flood gets here: 1,300 refusals that nothing has read.
pub const MAX_UNSENT: usize = 4096;

/// The maximum number of refusals of one option. RFC 854 forbids a peer to repeat a request that was rejected unless
/// something has changed; one that does it so often is answering our refusals.
pub const MAX_REFUSALS: u8 = 32;

/// One end of a telnet connection.
#[derive(Debug)]
pub struct Telnet {
    role: Role,
    enter: Enter,
    decoder: Decoder,
    encoder: Encoder,
    /// Indexed by the option's number.
    options: Box<[Sides; 256]>,
    terminal_types: Vec<TerminalType>,
    /// The index of the type that is sent next.
    next_type: usize,
    size: Option<Size>,
    /// Set if `size` has changed since it was sent to the server. Written when the answers are sent, so that a window
    /// that is dragged makes no queue.
    size_due: bool,
    /// Answers, not sent yet. At most [`MAX_UNSENT`] and one more, and what we ask by ourselves: three bytes for each
    /// option and side until the peer has answered.
    unsent: Vec<u8>,
}

/// The received data or event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Data; where it is in the input. Never empty.
    Data(Range<usize>),
    /// Anything else, at its place between the data.
    Event(Event),
}

/// An action of a peer that isn't data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A command of two bytes. It needs no answer: [`Command::AreYouThere`] has got one, from a server.
    Command(Command),
    /// We do it from now on, or no longer.
    Local(Opt, bool),
    /// The peer does it from now on, or no longer. `Remote(Opt::ECHO, true)`: it echoes, so a terminal mustn't;
    /// `false`: the terminal has to again. At first it doesn't. For TIMING-MARK, either is the answer to our request.
    Remote(Opt, bool),
    /// The size of the client's window.
    WindowSize(Size),
    /// The client's terminal. A name that can't be one ([`TerminalType::new`]) is dropped.
    TerminalType(TerminalType),
    /// About an option that is on and that isn't handled here.
    Subnegotiation(Subnegotiation),
}

/// One option.
#[derive(Clone, Copy, Debug)]
struct Sides {
    local: Negotiation,
    remote: Negotiation,
}

/// One option of one side.
#[derive(Clone, Copy, Debug)]
struct Negotiation {
    state: Q,
    policy: Policy,
    refusals: u8,
}

// === impl Telnet ===

impl Telnet {
    /// Creates a connection that sends nothing yet.
    pub fn new(role: Role, settings: Settings) -> Self {
        let Settings { terminal_types, size, enter } = settings;
        let options = std::array::from_fn(|code| Sides::new(Opt(code as u8), role));
        let mut telnet = Self {
            role,
            enter,
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            options: Box::new(options),
            terminal_types,
            next_type: 0,
            size,
            size_due: false,
            unsent: Vec::new(),
        };
        if telnet.terminal_types.is_empty() {
            telnet.agree(Opt::TTYPE, Side::Local, Policy::Refuse);
        }
        telnet
    }

    /// Asks for everything that is [`Policy::Offer`]: a server what it needs for a terminal (ECHO, SGA, TERMINAL-TYPE,
    /// NAWS), a client the counterpart of it.
    ///
    /// For servers, which begin (RFC 1123 §3.3.4). A client should not: its server may not speak telnet at all, and
    /// one that does asks for what it needs. Some network gear and MUDs on port 23 don't.
    pub fn start(&mut self) {
        for code in 0..=u8::MAX {
            for side in [Side::Local, Side::Remote] {
                if self.negotiation(Opt(code), side).policy == Policy::Offer {
                    self.request(Opt(code), side, true);
                }
            }
        }
    }

    /// Sets the answer to requests from now on, instead of that of the table ([`OPTIONS`](crate::OPTIONS)). An option
    /// that is on stays on.
    pub fn agree(&mut self, option: Opt, side: Side, policy: Policy) {
        self.negotiation_mut(option, side).policy = policy;
    }

    /// Asks for an option to be switched on or off. An event reports it when it is done; a refusal isn't reported.
    ///
    /// May be called at any time, however often: it never makes the negotiation loop nor a queue grow.
    pub fn request(&mut self, option: Opt, side: Side, on: bool) {
        let negotiation = self.negotiation_mut(option, side);
        let step = negotiation.state.asked(on);
        negotiation.state = step.next;
        if let Some(yes) = step.say {
            self.say(option, side, yes);
        }
    }

    /// Returns `true` if an option is on.
    ///
    /// Between a no and its answer it is on for the peer, which may still do it, and off for us, as we have stopped.
    pub fn is_on(&self, option: Opt, side: Side) -> bool {
        let state = self.negotiation(option, side).state;
        match side {
            Side::Local => state == Q::Yes,
            Side::Remote => state.agreed(),
        }
    }

    /// Returns the next data or event in `input[*at..]`, received from the network; moves `at` behind it. The input
    /// may be cut anywhere. Answers are made on the way: send them ([`Telnet::flush`]) when this returns `None`.
    ///
    /// `None` with input left: more than [`MAX_UNSENT`] bytes of answers wait. Take the rest when they have been sent.
    /// A peer that only asks and never reads holds up itself, and no memory.
    pub fn next(&mut self, input: &[u8], at: &mut usize) -> Option<Received> {
        while self.unsent.len() < MAX_UNSENT {
            let mode = self.mode();
            let event = match self.decoder.next(input, at, mode)? {
                Token::Data(range) => return Some(Received::Data(range)),
                Token::Command(command) => self.command_received(command),
                Token::Negotiation(verb, option) => self.negotiated(verb, option),
                Token::Subnegotiation(sub) => self.subnegotiated(sub),
            };
            if event.is_some() {
                return event.map(Received::Event);
            }
        }
        None
    }

    /// Takes all of the input at once: appends the data to `data`, and returns how many bytes have been taken, which are
    /// all of them but for a flood (see [`Telnet::next`]).
    #[must_use]
    pub fn receive(
        &mut self,
        input: &[u8],
        data: &mut Vec<u8>,
        mut on_event: impl FnMut(Event),
    ) -> usize {
        let mut at = 0;
        while let Some(received) = self.next(input, &mut at) {
            match received {
                Received::Data(range) => data.extend_from_slice(&input[range]),
                Received::Event(event) => on_event(event),
            }
        }
        at
    }

    /// Appends `data`, encoded for the network, to `out`, after the waiting answers: at most twice its length and
    /// theirs.
    pub fn send(&mut self, data: &[u8], out: &mut Vec<u8>) {
        self.flush(out);
        let newlines = self.newlines();
        self.encoder.data(data, newlines, out);
    }

    /// Appends a command, such as BRK, to `out`, after the waiting answers.
    pub fn send_command(&mut self, command: Command, out: &mut Vec<u8>) {
        self.flush(out);
        encode::command(command, out);
    }

    /// Appends a subnegotiation to `out`, after the answers that wait; for options that aren't handled here.
    pub fn send_subnegotiation(&mut self, option: Opt, data: &[u8], out: &mut Vec<u8>) {
        self.flush(out);
        encode::subnegotiation(option, data, out);
    }

    /// Sets the window's size. If the server has asked for it, the next flush sends it, and only the last of several.
    pub fn resize(&mut self, size: Size) {
        self.size_due |= self.size != Some(size) && self.is_on(Opt::NAWS, Side::Local);
        self.size = Some(size);
    }

    /// Appends the waiting answers to `out`.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        self.tell_size();
        out.append(&mut self.unsent);
    }

    /// Returns `true` if [`Telnet::flush`] would write something.
    pub fn wants_flush(&self) -> bool {
        !self.unsent.is_empty() || (self.size_due && self.is_on(Opt::NAWS, Side::Local))
    }

    // --- what came ---

    fn mode(&self) -> Mode {
        if self.is_on(Opt::BINARY, Side::Remote) {
            Mode::Binary
        } else {
            Mode::Nvt { fold: self.role == Role::Server }
        }
    }

    fn command_received(&mut self, command: Command) -> Option<Event> {
        if command == Command::AreYouThere && self.role == Role::Server {
            // RFC 854: "some visible evidence"; the words are BSD's.
            self.answers().extend_from_slice(b"\r\n[Yes]\r\n");
        }
        Some(Event::Command(command))
    }

    fn negotiated(&mut self, verb: Verb, option: Opt) -> Option<Event> {
        let (side, yes) = match verb {
            Verb::Do => (Side::Local, true),
            Verb::Dont => (Side::Local, false),
            Verb::Will => (Side::Remote, true),
            Verb::Wont => (Side::Remote, false),
        };
        if option == Opt::TIMING_MARK {
            return self.timing_mark(verb);
        }
        let negotiation = self.negotiation_mut(option, side);
        let agree = negotiation.policy != Policy::Refuse;
        let before = negotiation.state;
        let step = before.received(yes, agree);
        negotiation.state = step.next;
        if before == Q::No && step.say == Some(false) {
            if negotiation.refusals == MAX_REFUSALS {
                return None;
            }
            negotiation.refusals += 1;
        }
        if let Some(yes) = step.say {
            self.say(option, side, yes);
        }
        let on = step.next.agreed();
        if on == before.agreed() {
            return None;
        }
        self.switched(option, side, on);
        Some(match side {
            Side::Local => Event::Local(option, on),
            Side::Remote => Event::Remote(option, on),
        })
    }

    /// RFC 860: a DO asks whether everything up to here has been dealt with, which is so: it has been given out.
    /// Nothing is on afterwards, so the Q method isn't for it.
    fn timing_mark(&mut self, verb: Verb) -> Option<Event> {
        let yes = match verb {
            Verb::Do => {
                let agree = self.negotiation(Opt::TIMING_MARK, Side::Local).policy;
                self.say(Opt::TIMING_MARK, Side::Local, agree != Policy::Refuse);
                return None;
            }
            Verb::Dont => return None,
            Verb::Will => true,
            Verb::Wont => false,
        };
        let asked = std::mem::take(&mut self.negotiation_mut(Opt::TIMING_MARK, Side::Remote).state);
        (asked != Q::No).then_some(Event::Remote(Opt::TIMING_MARK, yes))
    }

    /// Performs the side effects of an option that has just been switched.
    fn switched(&mut self, option: Opt, side: Side, on: bool) {
        match (option, side, on) {
            (Opt::NAWS, Side::Local, true) => {
                self.size_due = self.size.is_some();
                self.tell_size();
            }
            (Opt::NAWS, Side::Local, false) => self.size_due = false,
            (Opt::TTYPE, Side::Local, true) => self.next_type = 0,
            (Opt::TTYPE, Side::Remote, true) => {
                encode::subnegotiation(Opt::TTYPE, &[TTYPE_SEND], self.answers());
            }
            _ => {}
        }
    }

    fn subnegotiated(&mut self, sub: Subnegotiation) -> Option<Event> {
        let local = self.is_on(sub.option, Side::Local);
        let remote = self.is_on(sub.option, Side::Remote);
        if !local && !remote {
            return None;
        }
        match (sub.option, sub.data.as_slice()) {
            (Opt::TTYPE, [TTYPE_SEND]) if local => {
                self.tell_terminal_type();
                None
            }
            (Opt::TTYPE, [TTYPE_IS, name @ ..]) if remote => {
                let name = std::str::from_utf8(name).ok()?;
                TerminalType::new(name).map(Event::TerminalType)
            }
            (Opt::NAWS, &[c0, c1, r0, r1]) if remote => {
                let (cols, rows) = (u16::from_be_bytes([c0, c1]), u16::from_be_bytes([r0, r1]));
                Some(Event::WindowSize(Size { cols, rows }))
            }
            // Neither is a subnegotiation of anything else.
            (Opt::TTYPE | Opt::NAWS, _) => None,
            _ => Some(Event::Subnegotiation(sub)),
        }
    }

    // --- what goes out ---

    fn newlines(&self) -> Newlines {
        if self.is_on(Opt::BINARY, Side::Local) {
            return Newlines::Binary;
        }
        let characters = match self.enter {
            Enter::Auto => self.is_on(Opt::SGA, Side::Remote),
            Enter::CrLf => false,
            Enter::CrNul => true,
        };
        match self.role {
            Role::Server => Newlines::Text,
            Role::Client if characters => Newlines::CrNul,
            Role::Client => Newlines::CrLf,
        }
    }

    /// Returns the buffer for answers; a new size goes before them, so that it is never sent to a NAWS that is off by
    /// then.
    fn answers(&mut self) -> &mut Vec<u8> {
        self.tell_size();
        &mut self.unsent
    }

    fn say(&mut self, option: Opt, side: Side, yes: bool) {
        let verb = match (side, yes) {
            (Side::Local, true) => Verb::Will,
            (Side::Local, false) => Verb::Wont,
            (Side::Remote, true) => Verb::Do,
            (Side::Remote, false) => Verb::Dont,
        };
        encode::negotiation(verb, option, self.answers());
    }

    /// RFC 1073.
    fn tell_size(&mut self) {
        if !self.size_due || !self.is_on(Opt::NAWS, Side::Local) {
            return;
        }
        self.size_due = false;
        if let Some(Size { cols, rows }) = self.size {
            let [[c0, c1], [r0, r1]] = [cols, rows].map(u16::to_be_bytes);
            encode::subnegotiation(Opt::NAWS, &[c0, c1, r0, r1], &mut self.unsent);
        }
    }

    /// RFC 1091: one after the other; the last one twice, which marks it as the last; then from the first again.
    fn tell_terminal_type(&mut self) {
        let last = self.terminal_types.len().saturating_sub(1);
        // The list is empty: only possible if `Telnet::agree` has agreed to the option.
        let name = self.terminal_types.get(self.next_type.min(last));
        let name = name.map_or("UNKNOWN", TerminalType::as_str);
        let payload = [&[TTYPE_IS], name.as_bytes()].concat();
        self.next_type = if self.next_type > last { 0 } else { self.next_type + 1 };
        encode::subnegotiation(Opt::TTYPE, &payload, self.answers());
    }

    fn negotiation(&self, option: Opt, side: Side) -> &Negotiation {
        let sides = &self.options[usize::from(option.0)];
        match side {
            Side::Local => &sides.local,
            Side::Remote => &sides.remote,
        }
    }

    fn negotiation_mut(&mut self, option: Opt, side: Side) -> &mut Negotiation {
        let sides = &mut self.options[usize::from(option.0)];
        match side {
            Side::Local => &mut sides.local,
            Side::Remote => &mut sides.remote,
        }
    }
}

// === impl Sides ===

impl Sides {
    fn new(option: Opt, role: Role) -> Self {
        let terms = option.terms(role);
        let negotiation = |policy| Negotiation { state: Q::default(), policy, refusals: 0 };
        Self { local: negotiation(terms.local), remote: negotiation(terms.remote) }
    }
}

/// RFC 1091.
const TTYPE_IS: u8 = 0;
const TTYPE_SEND: u8 = 1;
