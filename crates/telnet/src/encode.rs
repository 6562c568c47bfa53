//! The output: data with its IACs doubled and its CRs converted to the network's, and commands.

use crate::Opt;
use crate::command::{CR, Command, IAC, LF, NUL, SB, SE, Verb};

/// How line ends are currently encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newlines {
    /// BINARY: every byte stands for itself (RFC 1123 §3.2.7).
    Binary,
    /// A client's line: CR becomes CR LF, and so does CR LF.
    CrLf,
    /// A client's characters: CR becomes CR NUL, LF is one more key.
    CrNul,
    /// A server's text: CR LF is a newline and stays, any other CR becomes CR NUL (RFC 854, "the NVT printer").
    Text,
}

/// Writes data.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    /// Set if the last byte of the data before was a CR that was sent as CR LF: an LF that comes now is that LF. So
    /// it doesn't matter where the data is cut.
    after_cr: bool,
}

impl Encoder {
    pub(crate) fn data(&mut self, mut data: &[u8], newlines: Newlines, out: &mut Vec<u8>) {
        if data.is_empty() {
            return;
        }
        if std::mem::take(&mut self.after_cr) && newlines == Newlines::CrLf && data[0] == LF {
            data = &data[1..];
        }
        out.reserve(data.len());
        let special = |byte: &u8| *byte == IAC || (*byte == CR && newlines != Newlines::Binary);
        while let Some(found) = data.iter().position(special) {
            let (plain, rest) = data.split_at(found + 1);
            out.extend_from_slice(plain);
            data = rest;
            if plain[found] == IAC {
                out.push(IAC);
                continue;
            }
            // A CR is completed at once: the reader may wait for its second byte (Twisted does), and the user for the
            // reader.
            let newline = data.first() == Some(&LF);
            match newlines {
                Newlines::CrLf => {
                    out.push(LF);
                    self.after_cr = data.is_empty();
                }
                Newlines::Text if newline => out.push(LF),
                Newlines::Text | Newlines::CrNul | Newlines::Binary => {
                    out.push(NUL);
                    continue;
                }
            }
            data = data.strip_prefix(&[LF]).unwrap_or(data);
        }
        out.extend_from_slice(data);
    }
}

pub(crate) fn command(command: Command, out: &mut Vec<u8>) {
    out.extend_from_slice(&[IAC, command.byte()]);
}

pub(crate) fn negotiation(verb: Verb, option: Opt, out: &mut Vec<u8>) {
    out.extend_from_slice(&[IAC, verb as u8, option.0]);
}

/// RFC 855: the IACs inside are doubled.
pub(crate) fn subnegotiation(option: Opt, payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[IAC, SB]);
    for &byte in std::iter::once(&option.0).chain(payload) {
        out.push(byte);
        if byte == IAC {
            out.push(IAC);
        }
    }
    out.extend_from_slice(&[IAC, SE]);
}
