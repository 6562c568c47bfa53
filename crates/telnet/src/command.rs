//! The bytes after an IAC (RFC 854, RFC 885 for EOR).

/// "Interpret as command": the byte that begins everything that isn't data. As data it is doubled.
pub(crate) const IAC: u8 = 255;
/// Begins a subnegotiation (RFC 855).
pub(crate) const SB: u8 = 250;
/// Ends it.
pub(crate) const SE: u8 = 240;
pub(crate) const CR: u8 = b'\r';
pub(crate) const LF: u8 = b'\n';
pub(crate) const NUL: u8 = 0;

/// A command of two bytes: IAC and this byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Command {
    /// The end of a record (RFC 885), where the END-OF-RECORD option is on.
    EndOfRecord = 239,
    /// Nothing; used to see whether the connection lives.
    Nop = 241,
    /// The mark of a Synch: data before it may be thrown away, but not commands. Without TCP's urgent pointer,
    /// which doesn't survive a forwarder, there is nothing to throw away.
    DataMark = 242,
    /// The Break key, or a break on a line.
    Break = 243,
    /// Interrupt the process.
    InterruptProcess = 244,
    /// Throw away the output, but let the process run.
    AbortOutput = 245,
    /// "Are you there?": wants something visible as an answer. A server's machine gives it.
    AreYouThere = 246,
    /// Delete the last character.
    EraseCharacter = 247,
    /// Delete the line.
    EraseLine = 248,
    /// "Your turn", for half-duplex terminals; MUDs mark the end of a prompt with it.
    GoAhead = 249,
}

/// A request or an answer about an option. The byte is followed by the option's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Verb {
    Will = 251,
    Wont = 252,
    Do = 253,
    Dont = 254,
}

// === impl Command ===

impl Command {
    /// Returns the command of the byte after an IAC; `None` for a byte that isn't a command of two
    /// bytes.
    pub fn new(byte: u8) -> Option<Self> {
        Some(match byte {
            239 => Self::EndOfRecord,
            241 => Self::Nop,
            242 => Self::DataMark,
            243 => Self::Break,
            244 => Self::InterruptProcess,
            245 => Self::AbortOutput,
            246 => Self::AreYouThere,
            247 => Self::EraseCharacter,
            248 => Self::EraseLine,
            249 => Self::GoAhead,
            _ => return None,
        })
    }

    /// Returns the byte after the IAC.
    pub fn byte(self) -> u8 {
        self as u8
    }
}

// === impl Verb ===

impl Verb {
    pub(crate) fn new(byte: u8) -> Option<Self> {
        Some(match byte {
            251 => Self::Will,
            252 => Self::Wont,
            253 => Self::Do,
            254 => Self::Dont,
            _ => return None,
        })
    }
}
