//! The options as data: their numbers, their names, and the terms of either role.

use std::fmt;

use crate::Role;

/// The number of an option, which may be unknown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Opt(pub u8);

/// The side of an option: the one that performs it, not the one that asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We perform it: the peer sends DO and DONT, we send WILL and WONT.
    Local,
    /// The peer performs it: it sends WILL and WONT, we send DO and DONT.
    Remote,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// No.
    Refuse,
    /// Yes, when asked.
    Agree,
    /// Yes, and [`Telnet::start`](crate::Telnet::start) asks for it.
    Offer,
}

/// The terms of one role for an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Doing it ourselves.
    pub local: Policy,
    /// Letting the peer do it.
    pub remote: Policy,
}

/// A known option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its number.
    pub code: Opt,
    /// Its name in IANA's registry, shortened as everyone does.
    pub name: &'static str,
    /// The terms of a client.
    pub client: Terms,
    /// The terms of a server.
    pub server: Terms,
}

/// Options that aren't listed are refused, in either direction.
///
/// RFC 1123 §3.3.3 lists what ought to be there: BINARY, SGA, EOR, EXTENDED-OPTIONS-LIST (never implemented) and ECHO;
/// TIMING-MARK and TTYPE for terminals.
pub static OPTIONS: &[Definition] = &[
    // Only when asked: a side that starts it by itself has data on the way of which the peer can't know in which mode
    // it was written (RFC 856 has no mark in the stream).
    Definition { code: Opt::BINARY, name: "BINARY", client: AGREE_BOTH, server: AGREE_BOTH },
    // A client never echoes: with an echoing server it would be a loop (RFC 857 §4).
    Definition {
        code: Opt::ECHO,
        name: "ECHO",
        client: Terms { local: Refuse, remote: Agree },
        server: Terms { local: Offer, remote: Refuse },
    },
    // RFC 1123 §3.2.2: always to be accepted, and offered by a server that sends no GA.
    Definition {
        code: Opt::SGA,
        name: "SUPPRESS-GO-AHEAD",
        client: Terms { local: Agree, remote: Offer },
        server: Terms { local: Offer, remote: Agree },
    },
    Definition { code: Opt::STATUS, name: "STATUS", client: REFUSE_BOTH, server: REFUSE_BOTH },
    // Has no state: a DO is a question each time, with an answer each time (RFC 860), see `Telnet`. The answer of a
    // client is no, as PuTTY's: BSD's telnetd takes a yes for the ability to edit lines ("kludge linemode") and then,
    // while the program reads lines, switches SGA off and waits for whole ones. The asker knows as much after either.
    Definition {
        code: Opt::TIMING_MARK,
        name: "TIMING-MARK",
        client: REFUSE_BOTH,
        server: Terms { local: Agree, remote: Refuse },
    },
    Definition { code: Opt::TTYPE, name: "TERMINAL-TYPE", client: SHOW, server: WATCH },
    // The peer may mark its records; we have none.
    Definition {
        code: Opt::EOR,
        name: "END-OF-RECORD",
        client: Terms { local: Refuse, remote: Agree },
        server: REFUSE_BOTH,
    },
    Definition { code: Opt::NAWS, name: "NAWS", client: SHOW, server: WATCH },
    Definition { code: Opt::TSPEED, name: "TSPEED", client: REFUSE_BOTH, server: REFUSE_BOTH },
    Definition { code: Opt::LFLOW, name: "LFLOW", client: REFUSE_BOTH, server: REFUSE_BOTH },
    // Refused, and the server goes on character by character, which is what a terminal is for (RFC 1184).
    Definition { code: Opt::LINEMODE, name: "LINEMODE", client: REFUSE_BOTH, server: REFUSE_BOTH },
    // The place of the user's screen is private; the same goes for both ENVIRONs.
    Definition { code: Opt::XDISPLOC, name: "XDISPLOC", client: REFUSE_BOTH, server: REFUSE_BOTH },
    Definition { code: Opt::ENVIRON, name: "ENVIRON", client: REFUSE_BOTH, server: REFUSE_BOTH },
    // RFC 1572. A forwarder's user has no environment to show, and the forwarder's own (USER!) mustn't be shown: it
    // runs as another user. A server doesn't ask either: telnetds have let `USER=-froot` in (CVE-2026-24061).
    Definition {
        code: Opt::NEW_ENVIRON,
        name: "NEW-ENVIRON",
        client: REFUSE_BOTH,
        server: REFUSE_BOTH,
    },
    Definition { code: Opt::CHARSET, name: "CHARSET", client: REFUSE_BOTH, server: REFUSE_BOTH },
    // RFC 2217: until a program that has a port calls `Telnet::agree`.
    Definition { code: Opt::COM_PORT, name: "COM-PORT", client: REFUSE_BOTH, server: REFUSE_BOTH },
];

use Policy::{Agree, Offer, Refuse};

const REFUSE_BOTH: Terms = Terms { local: Refuse, remote: Refuse };
const AGREE_BOTH: Terms = Terms { local: Agree, remote: Agree };
const SHOW: Terms = Terms { local: Offer, remote: Refuse };
const WATCH: Terms = Terms { local: Refuse, remote: Offer };

// === impl Opt ===

impl Opt {
    /// Transmit binary, RFC 856.
    pub const BINARY: Self = Self(0);
    /// RFC 857.
    pub const ECHO: Self = Self(1);
    /// Suppress go-ahead, RFC 858.
    pub const SGA: Self = Self(3);
    /// RFC 859.
    pub const STATUS: Self = Self(5);
    /// RFC 860.
    pub const TIMING_MARK: Self = Self(6);
    /// Terminal type, RFC 1091.
    pub const TTYPE: Self = Self(24);
    /// End of record, RFC 885.
    pub const EOR: Self = Self(25);
    /// Negotiate about window size, RFC 1073.
    pub const NAWS: Self = Self(31);
    /// Terminal speed, RFC 1079.
    pub const TSPEED: Self = Self(32);
    /// Remote flow control, RFC 1372.
    pub const LFLOW: Self = Self(33);
    /// RFC 1184.
    pub const LINEMODE: Self = Self(34);
    /// X display location, RFC 1096.
    pub const XDISPLOC: Self = Self(35);
    /// RFC 1408.
    pub const ENVIRON: Self = Self(36);
    /// RFC 1572.
    pub const NEW_ENVIRON: Self = Self(39);
    /// RFC 2066.
    pub const CHARSET: Self = Self(42);
    /// Serial ports, RFC 2217.
    pub const COM_PORT: Self = Self(44);

    /// Returns its definition, if it is known.
    pub fn definition(self) -> Option<&'static Definition> {
        OPTIONS.iter().find(|definition| definition.code == self)
    }

    /// Returns the default terms of a role for it.
    pub fn terms(self, role: Role) -> Terms {
        self.definition().map_or(REFUSE_BOTH, |definition| match role {
            Role::Client => definition.client,
            Role::Server => definition.server,
        })
    }
}

impl fmt::Display for Opt {
    /// Its name, or its number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.definition() {
            Some(definition) => f.write_str(definition.name),
            None => write!(f, "option {}", self.0),
        }
    }
}

impl fmt::Debug for Opt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_without_repetition() {
        assert!(OPTIONS.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn what_one_role_offers_the_other_accepts() {
        for Definition { name, client, server, .. } in OPTIONS {
            for (ours, theirs) in [
                (client.local, server.remote),
                (client.remote, server.local),
                (server.local, client.remote),
                (server.remote, client.local),
            ] {
                assert!(ours != Offer || theirs != Refuse, "{name}");
            }
        }
    }

    #[test]
    fn unknown_options_are_refused_and_shown_by_number() {
        assert_eq!(Opt(200).terms(Role::Client), REFUSE_BOTH);
        assert_eq!(
            (Opt(200).to_string(), Opt::SGA.to_string()),
            ("option 200".into(), "SUPPRESS-GO-AHEAD".into())
        );
    }
}
