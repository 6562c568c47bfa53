//! The meanings of close codes.

/// The code of a Close frame (RFC 6455 section 7.4.1, and IANA's registry of close codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1000: its purpose has been fulfilled.
    Normal,
    /// 1001: an endpoint goes away: a server stops, or a browser leaves the page.
    Away,
    /// 1002: a protocol error.
    Protocol,
    /// 1003: a type of data that the endpoint does not take.
    Unsupported,
    /// 1007: data that is inconsistent with its type, such as a text message that isn't UTF-8.
    Invalid,
    /// 1008: the message violates a policy.
    Policy,
    /// 1009: the message is too big.
    Size,
    /// 1010: a client misses an extension that it needs.
    Extension,
    /// 1011: something unexpected kept the server from going on.
    Error,
    /// 1012: the service restarts.
    Restart,
    /// 1013: the service is overloaded; try again later.
    Again,
    /// 1014: a gateway got an invalid response from the server behind it.
    Gateway,
    /// Any other number. [`CloseFrame::new`](crate::CloseFrame::new) knows which of them may be sent.
    Other(u16),
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        match code {
            1000 => Self::Normal,
            1001 => Self::Away,
            1002 => Self::Protocol,
            1003 => Self::Unsupported,
            1007 => Self::Invalid,
            1008 => Self::Policy,
            1009 => Self::Size,
            1010 => Self::Extension,
            1011 => Self::Error,
            1012 => Self::Restart,
            1013 => Self::Again,
            1014 => Self::Gateway,
            other => Self::Other(other),
        }
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        match code {
            CloseCode::Normal => 1000,
            CloseCode::Away => 1001,
            CloseCode::Protocol => 1002,
            CloseCode::Unsupported => 1003,
            CloseCode::Invalid => 1007,
            CloseCode::Policy => 1008,
            CloseCode::Size => 1009,
            CloseCode::Extension => 1010,
            CloseCode::Error => 1011,
            CloseCode::Restart => 1012,
            CloseCode::Again => 1013,
            CloseCode::Gateway => 1014,
            CloseCode::Other(other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_code_and_a_code_one_number() {
        for number in 0..=u16::MAX {
            let code = CloseCode::from(number);
            assert_eq!(u16::from(code), number);
            assert_eq!(CloseCode::from(u16::from(code)), code);
        }
    }
}
