//! Commands of clients.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Number;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Connects the socket, after the one that is open was closed.
    Connect {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
        /// Set if the client requests an SSH tunnel.
        through_ssh: bool,
    },
    /// Sends bytes.
    Send {
        /// The bytes.
        data: Vec<u8>,
        /// Set if the data was sent as base64: the response then has another name.
        binary: bool,
    },
    /// Closes the socket.
    Close,
    /// Anything else, which does nothing and is answered as if it were done.
    Other(String),
}

impl Command {
    /// Parses a command.
    ///
    /// # Errors
    /// It isn't JSON, or a field is missing or isn't what it has to be.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = json.deserialize_map(Fields::default()).map_err(|_| Wrong::NotJson)?;
        json.end().map_err(|_| Wrong::NotJson)?;
        let Fields { command, data, host, port, ssh_host } = fields;
        let command = command.text("command")?;
        Ok(match &*command {
            "connect" => Self::Connect {
                host: Some(host.text("host")?)
                    .filter(|host| is_host(host))
                    .ok_or(Wrong::NotHost)?,
                port: match port {
                    Field::Number(port) => port
                        .as_u64()
                        .and_then(|port| u16::try_from(port).ok())
                        .ok_or(Wrong::PortRange)?,
                    Field::Missing => return Err(Wrong::Missing("port")),
                    Field::Text(_) | Field::Other => return Err(Wrong::NotInteger),
                },
                through_ssh: match ssh_host {
                    Field::Text(host) => !host.is_empty(),
                    Field::Number(_) => true,
                    // `null` means that there is none.
                    Field::Other | Field::Missing => false,
                },
            },
            "send" => Self::Send { data: data.text("data")?.into_bytes(), binary: false },
            "sendb" => Self::Send { data: decoded(&data.text("data")?)?, binary: true },
            "close" => Self::Close,
            _ => Self::Other(command),
        })
    }

    /// Returns the name that the response contains.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Connect { .. } => "connect",
            Self::Send { binary: false, .. } => "send",
            Self::Send { binary: true, .. } => "sendb",
            Self::Close => "close",
            Self::Other(name) => name,
        }
    }
}

/// Returns `true` if the text may be a name or an address: programs and routes get it as a fact.
fn is_host(host: &str) -> bool {
    host.len() <= LONGEST && !host.contains(char::is_control)
}

/// As long as a domain name may be (RFC 1035 section 2.3.4).
const LONGEST: usize = 255;

/// Decodes as Python does, on which clients have come to rely: other characters than digits of base64 are passed over,
/// and padding has to be there.
fn decoded(text: &str) -> Result<Vec<u8>, Wrong> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let result = if text.bytes().all(|byte| is_digit(&byte)) {
        BASE64.decode(text)
    } else {
        BASE64.decode(text.bytes().filter(is_digit).collect::<Vec<_>>())
    };
    result.map_err(|_| Wrong::NotBase64)
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// An error in a command. It is sent as the exception that ws2s has in its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// It is no object of JSON.
    NotJson,
    /// A field is missing.
    Missing(&'static str),
    /// A field isn't text.
    NotText(&'static str),
    /// The host can't be a name or an address.
    NotHost,
    /// The port isn't a number.
    NotInteger,
    /// The port is no port.
    PortRange,
    /// The data isn't valid base64.
    NotBase64,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("JSONDecodeError('the message is no object of JSON')"),
            Self::Missing(field) => write!(f, "KeyError('{field}')"),
            Self::NotText(field) => write!(f, "TypeError('{field} must be a string')"),
            Self::NotHost => f.write_str("gaierror(-2, 'Name or service not known')"),
            Self::NotInteger => f.write_str("TypeError('an integer is required for the port')"),
            Self::PortRange => f.write_str("OverflowError('port must be 0-65535.')"),
            Self::NotBase64 => f.write_str("Error('Incorrect padding')"),
        }
    }
}

impl std::error::Error for Wrong {}

/// The fields that mean something. All others are read over and nothing is kept of them, however many or deep they are.
#[derive(Default)]
struct Fields {
    command: Field,
    data: Field,
    host: Field,
    port: Field,
    ssh_host: Field,
}

#[derive(Default)]
enum Field {
    #[default]
    Missing,
    Text(String),
    Number(Number),
    Other,
}

impl Field {
    fn text(self, name: &'static str) -> Result<String, Wrong> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Missing => Err(Wrong::Missing(name)),
            Self::Number(_) | Self::Other => Err(Wrong::NotText(name)),
        }
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            // The last of several counts, as in Python.
            let field = match &*name {
                "command" => &mut self.command,
                "data" => &mut self.data,
                "host" => &mut self.host,
                "port" => &mut self.port,
                "ssh_host" => &mut self.ssh_host,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = map.next_value()?;
        }
        Ok(self)
    }
}

impl<'de> serde::Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyField)
    }
}

struct AnyField;

impl<'de> Visitor<'de> for AnyField {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(Field::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Field, E> {
        Ok(Field::Text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field, E> {
        Ok(Field::Number(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Field, E> {
        Ok(Field::Number(number.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Field, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}
