//! Why a session, or one direction of it, ended: a closed list.
//!
//! Each protocol has its own numbers for these. The table from a [`Reason`] to such numbers is in the module of that
//! protocol: WebSocket close codes in the `ws` kind, where the compiler asks for a line for every new reason, and exit
//! statuses in the command.

use std::fmt;

/// The reason why something ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The peer had no more to send: a FIN, the end of a file, a Close that gives no other reason.
    #[default]
    EndOfStream,
    /// The program exited.
    Exit,
    /// The peer goes away.
    PeerLeft,
    /// The peer ended without the word that its protocol has for an end, so data may be missing.
    Truncated,
    /// The connection was reset.
    Reset,
    /// The peer answered neither pings nor the transport's probes.
    Unresponsive,
    /// No byte moved for the idle timeout.
    Idle,
    /// One side had ended, and the rest took longer than the linger time or the close timeout.
    Linger,
    /// It was ending, and another client needed its place.
    GaveWay,
    /// A limit is reached, or the device is in use.
    Limit,
    /// A rule forbids it.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The destination can't be connected.
    Unreachable,
    /// The destination didn't answer in time.
    Timeout,
    /// The peer broke its protocol.
    ProtocolError,
    /// The peer sent data that its protocol doesn't allow there, such as text that isn't UTF-8.
    InvalidData,
    /// A message was longer than the limit.
    TooBig,
    /// No more sessions are accepted.
    Draining,
    /// The program stops.
    Stopping,
    /// The server restarts.
    Restart,
    /// The other side failed, or the peer reports its own failure.
    Failed,
    /// The peer gave a code that only its application knows.
    Application,
}

impl Reason {
    /// Every reason, in the order of the list.
    pub const ALL: &[Self] = &[
        Self::EndOfStream,
        Self::Exit,
        Self::PeerLeft,
        Self::Truncated,
        Self::Reset,
        Self::Unresponsive,
        Self::Idle,
        Self::Linger,
        Self::GaveWay,
        Self::Limit,
        Self::Forbidden,
        Self::NotFound,
        Self::Unreachable,
        Self::Timeout,
        Self::ProtocolError,
        Self::InvalidData,
        Self::TooBig,
        Self::Draining,
        Self::Stopping,
        Self::Restart,
        Self::Failed,
        Self::Application,
    ];

    /// Returns its name for logs and metrics: lower case, words joined by underscores.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Returns a description for a person.
    #[must_use]
    pub fn words(self) -> &'static str {
        self.row().1
    }

    /// Returns `true` if everything that was sent is known to have arrived, as far as this reason
    /// determines it.
    #[must_use]
    pub fn is_clean(self) -> bool {
        matches!(self, Self::EndOfStream | Self::Exit)
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::EndOfStream => ("end_of_stream", "end of stream"),
            Self::Exit => ("exit", "the program exited"),
            Self::PeerLeft => ("peer_left", "going away"),
            Self::Truncated => ("truncated", "the connection broke off"),
            Self::Reset => ("reset", "the connection was reset"),
            Self::Unresponsive => ("unresponsive", "the peer doesn't answer"),
            Self::Idle => ("idle", "idle for too long"),
            Self::Linger => ("linger", "the other side closed"),
            Self::GaveWay => ("gave_way", "another client needs the place"),
            Self::Limit => ("limit", "a limit was reached"),
            Self::Forbidden => ("forbidden", "forbidden"),
            Self::NotFound => ("not_found", "not found"),
            Self::Unreachable => ("unreachable", "cannot connect to the destination"),
            Self::Timeout => ("timeout", "the destination did not answer in time"),
            Self::ProtocolError => ("protocol_error", "protocol error"),
            Self::InvalidData => ("invalid_data", "invalid data"),
            Self::TooBig => ("too_big", "the message is too long"),
            Self::Draining => ("draining", "no more sessions are accepted"),
            Self::Stopping => ("stopping", "going away"),
            Self::Restart => ("restart", "service restart"),
            Self::Failed => ("failed", "the other side failed"),
            Self::Application => ("application", "a code of the application"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_the_list_is_whole() {
        let names: HashSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        // The compiler counts the variants in `row`; the last one closes the list.
        assert_eq!(Reason::ALL.last(), Some(&Reason::Application));
        assert_eq!(Reason::ALL.len(), Reason::Application as usize + 1);
    }
}
