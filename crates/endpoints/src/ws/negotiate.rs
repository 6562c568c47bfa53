//! Subprotocols (RFC 6455 sections 1.9 and 4.2.2), and what they do to the data.
//!
//! `endpointforward.v1` is our own ([`terminal`](super::terminal)). `binary` and `base64` are websockify's: bytes in
//! binary frames, and base64 in text frames. Configured names don't define the use of frames (except MQTT's), and
//! neither does a connection without one. Then [`Encoding`] decides.

use std::fmt;

/// The name of the subprotocol that is ours.
pub(super) const TERMINAL: &str = "endpointforward.v1";

/// The use of frames for data, by the agreed subprotocol.
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

/// How bytes become messages if the subprotocol doesn't define it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Text of base64.
    Base64,
    /// Binary.
    Binary,
    /// Text, or binary if it is none.
    Auto,
    /// Text.
    Text,
}

impl Mode {
    /// Returns the encoding of an agreed subprotocol.
    pub(super) fn of(subprotocol: Option<&str>, encoding: Encoding) -> Self {
        match subprotocol {
            Some(TERMINAL) => Self::Terminal,
            Some(BASE64) => Self::Base64,
            Some(BINARY) => Self::Binary,
            other => match (encoding, other) {
                (Encoding::Base64, _) => Self::Base64,
                // MQTT is in binary messages alone, and has to refuse others (its section 6).
                (Encoding::Binary, Some(name)) if MQTT.contains(&name) => Self::Binary,
                _ => Self::Any,
            },
        }
    }

    /// Returns `true` if data is sent in text messages; `text` is set if it comes from one.
    pub(super) fn sends_text(self, text: bool) -> bool {
        match self {
            Self::Any => text,
            Self::Base64 => true,
            // Text is control on a terminal.
            Self::Binary | Self::Terminal => false,
        }
    }
}

impl Encoding {
    /// Reads the value of the parameter, or of the one in a query.
    pub(super) fn read(word: &str) -> Option<Self> {
        Some(match word {
            "auto" => Self::Auto,
            "base64" => Self::Base64,
            "binary" => Self::Binary,
            "text" => Self::Text,
            _ => return None,
        })
    }
}

/// The subprotocols that a listener takes.
#[derive(Clone, Debug)]
pub(super) struct Spoken {
    /// The names in addition to [`FRAMINGS`], which every listener takes.
    pub(super) names: Vec<String>,
    /// The other names that are accepted.
    pub(super) others: Others,
    pub(super) required: bool,
}

/// Names that aren't supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    /// They are refused: there is a list.
    Refused,
    /// Agreed on if none is offered that is known: there is no list, and what is behind the listener may speak any.
    Last,
    /// Taken like those that are known: `*` is in the list.
    Alike,
}

/// The reason why there is nothing to agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Disagreement {
    /// None was offered, and one is required.
    Nothing,
    /// None of these is supported.
    Unknown(Vec<String>),
}

impl Spoken {
    /// Creates the list: `*` is any name, and a name of MQTT implies the others, because brokers
    /// accept all of them and clients offer one.
    pub(super) fn new(listed: &[String], required: bool) -> Self {
        let any = listed.iter().any(|name| name == "*");
        let others = if any { Others::Alike } else { Others::Refused };
        let mut names: Vec<_> = listed.iter().filter(|name| *name != "*").cloned().collect();
        if names.iter().any(|name| MQTT.contains(&&**name)) {
            for name in MQTT {
                if !names.iter().any(|listed| listed == name) {
                    names.push(name.to_owned());
                }
            }
        }
        Self { names, others, required }
    }

    /// Without a list: names that define the use of frames come first, then the first that the client offers.
    pub(super) fn unlisted(required: bool) -> Self {
        let names = MQTT.map(str::to_owned).into();
        Self { names, others: Others::Last, required }
    }

    /// Returns `true` if the list shows that the destination speaks MQTT.
    pub(super) fn is_for_mqtt(&self) -> bool {
        self.others == Others::Refused && self.names.iter().any(|name| MQTT.contains(&&**name))
    }

    /// The first of the client's names that is spoken; names are compared exactly, case included.
    pub(super) fn choose<'o>(
        &self,
        offered: &'o [String],
    ) -> Result<Option<&'o str>, Disagreement> {
        if offered.is_empty() {
            return if self.required { Err(Disagreement::Nothing) } else { Ok(None) };
        }
        let alike = self.others == Others::Alike;
        let known = offered.iter().find(|name| alike || self.all().any(|spoken| spoken == *name));
        match (known, self.others) {
            (Some(name), _) => Ok(Some(name)),
            (None, Others::Last) => Ok(offered.first().map(|name| &**name)),
            (None, _) => Err(Disagreement::Unknown(offered.to_vec())),
        }
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        FRAMINGS.into_iter().chain(self.names.iter().map(|name| &**name))
    }
}

/// The list, as shown to a client that offers none of it.
impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.all().collect::<Vec<_>>().join(", "))?;
        f.write_str(if self.others == Others::Refused { "" } else { ", any other" })
    }
}

/// Names that define how bytes are framed on this connection, and not what they are.
pub(super) const FRAMINGS: [&str; 3] = [TERMINAL, BINARY, BASE64];
pub(super) const BINARY: &str = "binary";
pub(super) const BASE64: &str = "base64";
/// The names of MQTT 3.1.1 and 5 (their sections on WebSocket), and of clients of 3.1.
const MQTT: [&str; 2] = ["mqtt", "mqttv3.1"];

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken() -> Spoken {
        Spoken::new(&["mqttv3.1".into()], false)
    }

    #[test]
    fn the_clients_order_decides() {
        for (offered, chosen) in [
            (&["base64", "binary"][..], "base64"),
            (&["binary", "base64"], "binary"),
            (&["chat", "mqttv3.1", "mqtt"], "mqttv3.1"),
            (&["MQTT", "binary"], "binary"),
            (&["chat", "mqtt"], "mqtt"),
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
        let chat = vec!["chat".to_owned(), "MQTT".to_owned()];
        assert_eq!(spoken().choose(&chat), Err(Disagreement::Unknown(chat.clone())));
    }

    #[test]
    fn a_star_takes_what_is_offered_first() {
        let any = Spoken::new(&["mqtt".into(), "*".into()], false);
        let offered = ["chat".to_owned(), "mqtt".to_owned()];
        assert_eq!(any.choose(&offered), Ok(Some("chat")));
        assert!(any.to_string().ends_with("any other"), "{any}");
    }

    #[test]
    fn without_a_list_a_known_name_comes_before_others() {
        let open = Spoken::unlisted(false);
        for (offered, chosen) in [
            (&["mqtt"][..], Some("mqtt")),
            (&["chat", "superchat"], Some("chat")),
            (&["chat", "binary"], Some("binary")),
            (&["mqtt", "binary"], Some("mqtt")),
            (&["chat", TERMINAL], Some(TERMINAL)),
            (&[], None),
        ] {
            let offered: Vec<_> = offered.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(open.choose(&offered), Ok(chosen), "{offered:?}");
        }
        assert_eq!(Spoken::unlisted(true).choose(&[]), Err(Disagreement::Nothing));
    }

    #[test]
    fn a_subprotocol_that_says_how_frames_are_used_decides() {
        for (subprotocol, encoding, mode) in [
            (None, Encoding::Binary, Mode::Any),
            (None, Encoding::Base64, Mode::Base64),
            (None, Encoding::Text, Mode::Any),
            (Some("binary"), Encoding::Text, Mode::Binary),
            (Some("base64"), Encoding::Binary, Mode::Base64),
            (Some("mqtt"), Encoding::Binary, Mode::Binary),
            (Some("chat"), Encoding::Binary, Mode::Any),
            (Some("chat"), Encoding::Auto, Mode::Any),
            (Some("chat"), Encoding::Base64, Mode::Base64),
            (Some(TERMINAL), Encoding::Text, Mode::Terminal),
        ] {
            assert_eq!(Mode::of(subprotocol, encoding), mode, "{subprotocol:?} {encoding:?}");
        }
    }
}
