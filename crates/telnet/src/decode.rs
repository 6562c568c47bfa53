//! The input, split into data, commands, negotiations and subnegotiations, wherever the reads have cut it.

use std::ops::Range;

use crate::Opt;
use crate::command::{CR, Command, IAC, LF, NUL, SB, SE, Verb};

/// Payload of a subnegotiation that is kept; the rest is skipped. The longest one that we understand has 41 bytes, the
/// longest that RFC 2217 makes likely is a signature of a line.
pub const MAX_SUBNEGOTIATION: usize = 512;

/// Knows where in the stream we are, and nothing of what it means.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    phase: Phase,
    /// Set if the last byte was a CR of the NVT, so that a NUL now is its padding.
    after_cr: bool,
    /// The subnegotiation so far, the option's number first.
    sub: Vec<u8>,
    truncated: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Its range in the input; never empty.
    Data(Range<usize>),
    Command(Command),
    Negotiation(Verb, Opt),
    Subnegotiation(Subnegotiation),
}

/// A subnegotiation (RFC 855), its doubled IACs undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnegotiation {
    /// The option.
    pub option: Opt,
    /// Its contents, at most [`MAX_SUBNEGOTIATION`] bytes.
    pub data: Vec<u8>,
    /// Set if there was more.
    pub truncated: bool,
}

/// How data is currently decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// RFC 856: every byte stands for itself.
    Binary,
    /// RFC 854: CR NUL is a CR.
    Nvt {
        /// And CR LF too, for it is the end-of-line key (RFC 1123 §3.3.1).
        fold: bool,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Data,
    Iac,
    Negotiation(Verb),
    Sub,
    SubIac,
}

// === impl Decoder ===

impl Decoder {
    /// Takes the next token out of `input[*at..]` and moves `at` behind it. `None`: all of it has been taken.
    pub(crate) fn next(&mut self, input: &[u8], at: &mut usize, mode: Mode) -> Option<Token> {
        while let Some(&byte) = input.get(*at) {
            let start = *at;
            // One byte, but for data.
            *at += 1;
            if self.is_padding(byte, mode) {
                continue;
            }
            match self.phase {
                Phase::Data if byte == IAC => self.phase = Phase::Iac,
                Phase::Data => {
                    *at = start + self.run(&input[start..], mode);
                    return Some(Token::Data(start..*at));
                }
                Phase::Iac if byte == IAC => {
                    self.phase = Phase::Data;
                    return Some(Token::Data(start..*at));
                }
                Phase::Iac => {
                    if let Some(command) = self.command(byte) {
                        return Some(Token::Command(command));
                    }
                }
                Phase::Negotiation(verb) => {
                    self.phase = Phase::Data;
                    return Some(Token::Negotiation(verb, Opt(byte)));
                }
                Phase::Sub if byte == IAC => self.phase = Phase::SubIac,
                Phase::Sub => self.keep(byte),
                Phase::SubIac => match byte {
                    IAC => {
                        self.phase = Phase::Sub;
                        self.keep(IAC);
                    }
                    SE => {
                        self.phase = Phase::Data;
                        // `IAC SB IAC SE` is about nothing.
                        if let Some(sub) = self.take_sub() {
                            return Some(Token::Subnegotiation(sub));
                        }
                    }
                    // The SE was forgotten. This byte is a command, as BSD has it; the subnegotiation before it isn't
                    // whole, so nothing is made of it.
                    _ => {
                        self.phase = Phase::Iac;
                        *at = start;
                    }
                },
            }
        }
        None
    }

    /// Returns the number of bytes that are data, from the first one on, which is data.
    fn run(&mut self, rest: &[u8], mode: Mode) -> usize {
        let Mode::Nvt { fold } = mode else {
            return rest.iter().position(|&byte| byte == IAC).unwrap_or(rest.len());
        };
        let mut end = 0;
        while let Some(found) = rest[end..].iter().position(|&byte| byte == IAC || byte == CR) {
            end += found;
            if rest[end] == IAC {
                return end;
            }
            end += 1;
            // The CR is given out at once, or Enter would wait for the next key; padding after it is dropped.
            match rest.get(end) {
                Some(&NUL) | None => self.after_cr = true,
                Some(&LF) if fold => self.after_cr = true,
                Some(_) => continue,
            }
            return end;
        }
        rest.len()
    }

    fn is_padding(&mut self, byte: u8, mode: Mode) -> bool {
        std::mem::take(&mut self.after_cr)
            && match mode {
                Mode::Binary => false,
                Mode::Nvt { fold } => byte == NUL || (fold && byte == LF),
            }
    }

    /// The byte after an IAC.
    fn command(&mut self, byte: u8) -> Option<Command> {
        self.phase = match Verb::new(byte) {
            Some(verb) => Phase::Negotiation(verb),
            None if byte == SB => {
                self.sub.clear();
                self.truncated = false;
                Phase::Sub
            }
            None => Phase::Data,
        };
        // An unknown command, or an SE that ends nothing, has two bytes too.
        Command::new(byte)
    }

    fn keep(&mut self, byte: u8) {
        // One more: the option's number.
        if self.sub.len() <= MAX_SUBNEGOTIATION {
            self.sub.push(byte);
        } else {
            self.truncated = true;
        }
    }

    fn take_sub(&mut self) -> Option<Subnegotiation> {
        let (&option, data) = self.sub.split_first()?;
        Some(Subnegotiation { option: Opt(option), data: data.to_vec(), truncated: self.truncated })
    }
}
