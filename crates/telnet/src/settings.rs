//! The role, and the facts about our terminal that are sent.

use std::fmt;

/// The end of the connection that *we* are.
///
/// Telnet is symmetric; the ends differ in the options that they agree to ([`OPTIONS`](crate::OPTIONS)), the way a CR
/// is written and read, and the answer to [`AreYouThere`](crate::Command::AreYouThere).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The user's side: a terminal. RFC 1123's "User Telnet".
    Client,
    /// The side of the program or device.
    Server,
}

/// The initial settings of a machine. All of them are a client's; a server has nothing to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For TERMINAL-TYPE, the best one first: a server asks for the next until it knows one (RFC 1091). None of them:
    /// the option is refused.
    pub terminal_types: Vec<TerminalType>,
    /// For NAWS. `None`: not known yet; then the server learns it with the first [`resize`](crate::Telnet::resize).
    pub size: Option<Size>,
    /// The bytes to send for the Enter key.
    pub enter: Enter,
}

/// The bytes that a client sends for a CR (RFC 1123 §3.3.1). With BINARY, CR is sent unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enter {
    /// CR LF until the server suppresses go-ahead, CR NUL while it does.
    ///
    /// CR LF is the RFC's default, and servers that read lines expect it: a MUD, or Twisted's login prompt, which
    /// takes CR NUL for a carriage return in the middle of a line. With WILL SGA a server announces that it reads
    /// characters (RFC 858; telnetd and routers do), and there a bare CR, NUL being its padding, is the key. BSD's
    /// telnet does the same.
    #[default]
    Auto,
    /// CR LF always.
    CrLf,
    /// CR NUL always.
    CrNul,
}

/// Columns and rows of a window; 0 means "not known" (RFC 1073).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub cols: u16,
    /// Lines.
    pub rows: u16,
}

/// The name of a terminal: 1 to 40 of the characters that occur in such names.
///
/// Narrow on purpose: a server makes `TERM` of it, and the text may come from a browser.
#[derive(Clone, PartialEq, Eq)]
pub struct TerminalType(Box<str>);

impl Default for Settings {
    /// `xterm-256color`, and two that are known everywhere.
    fn default() -> Self {
        Self {
            terminal_types: ["xterm-256color", "xterm", "vt100"]
                .into_iter()
                .filter_map(TerminalType::new)
                .collect(),
            size: None,
            enter: Enter::Auto,
        }
    }
}

// === impl TerminalType ===

impl TerminalType {
    /// Creates a terminal's name; `None` if it has characters other than letters, digits and `-_+./`.
    ///
    /// The case is not changed: by RFC 1091 case doesn't matter, and servers that ignore this look for the lower-case
    /// name of terminfo.
    pub fn new(name: &str) -> Option<Self> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+./".contains(&byte);
        ((1..=MAX_TERMINAL_TYPE).contains(&name.len()) && name.bytes().all(known))
            .then(|| Self(name.into()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TerminalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TerminalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// RFC 1091 takes the names from IANA's list of terminal types, which have at most 40 characters.
const MAX_TERMINAL_TYPE: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_types_are_names() {
        for name in [
            "xterm-256color",
            "xterm+256color",
            "screen.xterm",
            "UNKNOWN",
            "ibm/3278",
            &"a".repeat(40),
        ] {
            assert!(TerminalType::new(name).is_some(), "{name}");
        }
        for name in ["", "a b", "vt100\0", "t\u{ff}", "$(reboot)", "-f\nroot", &"a".repeat(41)] {
            assert!(TerminalType::new(name).is_none(), "{name}");
        }
    }
}
