//! Subprotocols (RFC 6455 sections 1.9 and 4.2.2), and what they do to the data.
//!
//! `endpointforward.v1` is ours ([`terminal`]). `binary` and `base64` are websockify's: bytes in binary
//! frames, and base64 in text frames. Names that are configured, such as `mqtt`, are plain bytes in
//! binary frames too.

use std::fmt;

use super::terminal;

/// What is agreed on says which frames carry data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// No subprotocol: binary frames and text frames, both as they are.
    Any,
    /// Text messages of base64.
    Base64,
    /// Binary frames alone.
    Binary,
    /// Binary frames are data, text messages are control.
    Terminal,
}

impl Mode {
    /// Of an agreed subprotocol.
    pub(super) fn of(subprotocol: Option<&str>) -> Self {
        match subprotocol {
            None => Self::Any,
            Some(name) if name.eq_ignore_ascii_case(terminal::NAME) => Self::Terminal,
            Some(name) if name.eq_ignore_ascii_case(BASE64) => Self::Base64,
            Some(_) => Self::Binary,
        }
    }
}

/// The subprotocols that a listener takes.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    /// Beside [`FRAMINGS`], that every listener takes.
    pub(super) names: Vec<String>,
    pub(super) required: bool,
}

/// Why there is nothing to agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disagreement {
    /// None was offered, and one is required.
    Nothing,
    /// None of these is spoken.
    Unknown(Vec<String>),
}

impl Spoken {
    /// The first of the client's names that is spoken, as the client spells it: clients compare it
    /// exactly. Names that differ in case alone are taken only if there is no exact one.
    pub(super) fn choose<'o>(
        &self,
        offered: &'o [String],
    ) -> Result<Option<&'o str>, Disagreement> {
        if offered.is_empty() {
            return if self.required { Err(Disagreement::Nothing) } else { Ok(None) };
        }
        let exact = offered.iter().find(|name| self.all().any(|spoken| spoken == *name));
        let close = || {
            offered.iter().find(|name| self.all().any(|spoken| spoken.eq_ignore_ascii_case(name)))
        };
        match exact.or_else(close) {
            Some(name) => Ok(Some(name)),
            None => Err(Disagreement::Unknown(offered.to_vec())),
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        FRAMINGS.into_iter().chain(self.names.iter().map(|name| &**name))
    }
}

/// The list, as it is told to a client that offers none of it.
impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.all().collect::<Vec<_>>().join(", "))
    }
}

/// Whether `text` is a token (RFC 9110 section 5.6.2), as names of subprotocols and headers are.
pub(super) fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_char)
}

/// Names that say how bytes are framed on this connection, and nothing about what they are.
pub(super) const FRAMINGS: [&str; 3] = [terminal::NAME, BINARY, BASE64];
pub(super) const BINARY: &str = "binary";
pub(super) const BASE64: &str = "base64";

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken() -> Spoken {
        Spoken { names: vec!["mqtt".into(), "mqttv3.1".into()], required: false }
    }

    #[test]
    fn the_clients_order_decides() {
        for (offered, chosen) in [
            (&["base64", "binary"][..], "base64"),
            (&["binary", "base64"], "binary"),
            (&["chat", "mqttv3.1", "mqtt"], "mqttv3.1"),
            (&["MQTT", "binary"], "binary"),
            (&["chat", "MQTTv3.1"], "MQTTv3.1"),
        ] {
            let offered: Vec<_> = offered.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(spoken().choose(&offered), Ok(Some(chosen)), "{offered:?}");
        }
    }

    #[test]
    fn nothing_offered_is_taken_unless_something_is_required() {
        assert_eq!(spoken().choose(&[]), Ok(None));
        let strict = Spoken { required: true, ..spoken() };
        assert_eq!(strict.choose(&[]), Err(Disagreement::Nothing));
        let chat = vec!["chat".to_owned()];
        assert_eq!(spoken().choose(&chat), Err(Disagreement::Unknown(chat.clone())));
    }
}
