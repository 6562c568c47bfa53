//! The signals.

use std::fmt;
use std::mem::discriminant;
use std::time::Duration;

use crate::ExitStatus;

/// One signal.
///
/// A *state* replaces an older one that still waits, as only the last value counts. An *event* is
/// delivered as often as it was sent, in order: the steps of a reset by DTR and RTS are worth nothing
/// if only the last one arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// A break on a serial line (`tcsendbreak`), or telnet's BRK (RFC 854). An event.
    Break(Break),
    /// Set if the far side echoes what is typed; if it doesn't, the terminal does (RFC 857). A state.
    Echo(bool),
    /// The exit status of the program behind the connection. A state.
    Exit(ExitStatus),
    /// Set if a shell's job, and not the program itself, controls the terminal. A state.
    Job(bool),
    /// Serial line settings to apply, or that are in force. A state, of which each field is one.
    Line(LineSettings),
    /// Modem lines to set, or that changed. An event.
    Modem(ModemLines),
    /// Discards data that a serial line hasn't delivered yet. An event.
    Purge(Purge),
    /// Asks for a value; a side that has it answers with the signal that carries it. An event.
    Query(Query),
    /// A line that the program behind the connection wrote to its standard error. An event.
    Stderr(String),
    /// The terminal's title. A state.
    Title(String),
    /// The terminal's size. A state.
    Window(WindowSize),
}

impl Signal {
    /// Returns `true` if a newer one replaces an older one.
    #[must_use]
    pub fn is_state(&self) -> bool {
        match self {
            Self::Echo(_)
            | Self::Exit(_)
            | Self::Job(_)
            | Self::Line(_)
            | Self::Title(_)
            | Self::Window(_) => true,
            Self::Break(_) | Self::Modem(_) | Self::Purge(_) | Self::Query(_) | Self::Stderr(_) => {
                false
            }
        }
    }

    /// Returns `true` if both are of one sort, whatever their values.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        discriminant(self) == discriminant(other)
    }
}

/// A break: the line is held at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// For this long; [`Duration::ZERO`] leaves the length to the line.
    Timed(Duration),
    /// Starts now (`TIOCSBRK`).
    On,
    /// No longer (`TIOCCBRK`).
    Off,
}

/// The data to discard, as for `tcflush` and RFC 2217's PURGE-DATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Data that was received and not read.
    Input,
    /// Data that was written and not sent.
    Output,
    /// Both.
    Both,
}

/// The subject of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Query {
    /// The controlling job of the terminal; the answer is [`Signal::Job`].
    Job,
    /// The line settings in force; the answer is [`Signal::Line`] with every field that is known.
    Line,
    /// The modem lines; the answer is [`Signal::Modem`] with every line that is known.
    Modem,
}

/// A terminal's size, as `TIOCSWINSZ` and NAWS (RFC 1073) give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSize {
    /// Columns of characters.
    pub cols: u16,
    /// Rows of characters.
    pub rows: u16,
}

/// Settings of a serial line; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineSettings {
    /// Bits per second.
    pub baud: Option<u32>,
    /// Data bits, 5 to 8.
    pub data_bits: Option<u8>,
    /// `N`, `E`, `O`, `M` or `S`, as in pyserial.
    pub parity: Option<char>,
    /// Stop bits.
    pub stop_bits: Option<StopBits>,
    /// Software flow control.
    pub xonxoff: Option<bool>,
    /// Hardware flow control.
    pub rtscts: Option<bool>,
}

impl LineSettings {
    /// Takes over the fields that `newer` has.
    pub fn merge(&mut self, newer: &Self) {
        fn take<T: Copy>(ours: &mut Option<T>, newer: Option<T>) {
            *ours = newer.or(*ours);
        }
        // In full, so that a new field isn't forgotten here.
        let Self { baud, data_bits, parity, stop_bits, xonxoff, rtscts } = self;
        take(baud, newer.baud);
        take(data_bits, newer.data_bits);
        take(parity, newer.parity);
        take(stop_bits, newer.stop_bits);
        take(xonxoff, newer.xonxoff);
        take(rtscts, newer.rtscts);
    }
}

/// Stop bits after each character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopBits {
    /// 1.
    One,
    /// 1.5, which UARTs send with 5 data bits.
    OneAndHalf,
    /// 2.
    Two,
}

impl fmt::Display for StopBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "1",
            Self::OneAndHalf => "1.5",
            Self::Two => "2",
        })
    }
}

/// The modem lines of a serial port; `None` where a line is not known or not to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModemLines {
    /// Data terminal ready, which we drive.
    pub dtr: Option<bool>,
    /// Request to send, which we drive.
    pub rts: Option<bool>,
    /// Clear to send, which the device drives.
    pub cts: Option<bool>,
    /// Data set ready, which the device drives.
    pub dsr: Option<bool>,
    /// Ring indicator, which the device drives.
    pub ri: Option<bool>,
    /// Carrier detect, which the device drives.
    pub cd: Option<bool>,
}

impl ModemLines {
    /// Takes over the lines that `newer` has.
    pub fn merge(&mut self, newer: Self) {
        let Self { dtr, rts, cts, dsr, ri, cd } = self;
        for (ours, newer) in [
            (dtr, newer.dtr),
            (rts, newer.rts),
            (cts, newer.cts),
            (dsr, newer.dsr),
            (ri, newer.ri),
            (cd, newer.cd),
        ] {
            *ours = newer.or(*ours);
        }
    }
}
