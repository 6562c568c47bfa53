//! The opening handshake's part (§5, §7.1): offers, the answer to them, and what the client makes of the answer.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::config::{Config, MAX_BITS, MIN_BITS, MIN_OWN_BITS, Params};
use super::extensions::{self, Extension};
use crate::Role;

/// Returns a server's answer. `offers` are the values of all `Sec-WebSocket-Extensions` headers of the request, in
/// their order.
///
/// Takes the first offer that can be accepted (§5.1); the `String` is the value of the header of the response. `None`
/// if there is none: then the response has no such header, and nothing is compressed. That is no error, nor is a header
/// that doesn't follow the grammar (RFC 6455 §9.1): it offers nothing.
///
/// An offer is declined for parameters that are unknown, come twice or have a wrong value (§7.1), and for a window of
/// 256 bytes for what we send, which zlib can't work with.
pub fn answer<'a>(
    config: &Config,
    offers: impl IntoIterator<Item = &'a str>,
) -> Option<(Params, String)> {
    let config = config.usable(Role::Server);
    offers
        .into_iter()
        .filter_map(extensions::parse)
        .flatten()
        .filter(|extension| extension.name == NAME)
        .find_map(|offer| answer_one(&config, &Given::read(&offer, From::Client).ok()?))
}

fn answer_one(config: &Config, offer: &Given) -> Option<(Params, String)> {
    let asked = offer.server_max_window_bits.unwrap_or(MAX_BITS);
    if asked < MIN_OWN_BITS {
        return None;
    }
    // Absent, the client mustn't be told (§7.1.2.2). Present, its value is only a hint of what it will do anyhow.
    let client_max_window_bits = match offer.client_max_window_bits {
        Bits::Absent => None,
        Bits::Any => Some(config.client_max_window_bits).filter(|&bits| bits < MAX_BITS),
        Bits::Max(max) => Some(config.client_max_window_bits).filter(|&bits| bits < max),
    };
    let params = Params {
        server_no_context_takeover: offer.server_no_context_takeover
            || config.server_no_context_takeover,
        // May be asked for unoffered (§7.1.1.2).
        client_no_context_takeover: offer.client_no_context_takeover
            || config.client_no_context_takeover,
        server_max_window_bits: asked.min(config.server_max_window_bits),
        client_max_window_bits: client_max_window_bits.unwrap_or(MAX_BITS),
    };
    // An offer that has the parameter is accepted with it, even if it changes nothing (§7.1.2.1).
    let server_max_window_bits = (offer.server_max_window_bits.is_some()
        || params.server_max_window_bits < MAX_BITS)
        .then_some(params.server_max_window_bits);
    let value = header(
        params.server_no_context_takeover,
        params.client_no_context_takeover,
        server_max_window_bits,
        client_max_window_bits.map(Some),
    );
    Some((params, value))
}

/// Returns a client's offer: the value of its `Sec-WebSocket-Extensions`. It always declares support for a smaller
/// window (§7.1.2.2).
pub fn offer(config: &Config) -> String {
    let config = config.usable(Role::Client);
    let wish = |bits| Some(bits).filter(|&bits| bits < MAX_BITS);
    header(
        config.server_no_context_takeover,
        config.client_no_context_takeover,
        wish(config.server_max_window_bits),
        Some(wish(config.client_max_window_bits)),
    )
}

/// Returns the parameters that result from the answer to [`offer`] with the same `config`: the value of the
/// response's `Sec-WebSocket-Extensions`, several of them joined with commas, or `""` without.
///
/// `Ok(None)` if the server has declined. An error is to fail the connection (§7.1, RFC 6455 §4.1).
pub fn accept(config: &Config, answer: &str) -> Result<Option<Params>, Unacceptable> {
    let config = config.usable(Role::Client);
    let list = extensions::parse(answer).ok_or(Unacceptable(What::Malformed))?;
    let answer = match &list[..] {
        [] => return Ok(None),
        [one] if one.name == NAME => one,
        [_, ours, ..] | [ours, ..] if ours.name == NAME => return Err(Unacceptable(What::Several)),
        [other, ..] => return Err(Unacceptable(What::Other(other.name.to_owned()))),
    };
    let given = Given::read(answer, From::Server).map_err(Unacceptable)?;
    if config.server_no_context_takeover && !given.server_no_context_takeover {
        return Err(Unacceptable(What::Missing(SERVER_NO_CONTEXT_TAKEOVER)));
    }
    let server_max_window_bits = match given.server_max_window_bits {
        None if config.server_max_window_bits < MAX_BITS => {
            return Err(Unacceptable(What::Missing(SERVER_MAX_WINDOW_BITS)));
        }
        bits => bits.unwrap_or(MAX_BITS),
    };
    let client_max_window_bits = match given.client_max_window_bits {
        // The value that the offer announced, which the client keeps to in any case.
        Bits::Absent | Bits::Any => config.client_max_window_bits,
        Bits::Max(bits) => bits,
    };
    for (name, bits, max) in [
        (SERVER_MAX_WINDOW_BITS, server_max_window_bits, config.server_max_window_bits),
        (CLIENT_MAX_WINDOW_BITS, client_max_window_bits, config.client_max_window_bits),
    ] {
        if bits > max {
            return Err(Unacceptable(What::TooLarge { name, bits, max }));
        }
    }
    Ok(Some(Params {
        server_no_context_takeover: given.server_no_context_takeover,
        client_no_context_takeover: given.client_no_context_takeover
            || config.client_no_context_takeover,
        server_max_window_bits,
        client_max_window_bits,
    }))
}

/// The reason why a server's answer can't be accepted: one line, lower case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unacceptable(What);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum What {
    #[error("the server's Sec-WebSocket-Extensions doesn't follow the grammar of RFC 6455")]
    Malformed,
    #[error("the server answered with the extension `{0}`, which was not offered")]
    Other(String),
    #[error("the server answered with several extensions; only {NAME} was offered")]
    Several,
    #[error("the server answered with the unknown parameter `{0}` of {NAME}")]
    Unknown(String),
    #[error("the server answered with {0} twice")]
    Twice(&'static str),
    #[error("the server answered with {0}={1}, which has no value")]
    Value(&'static str, String),
    #[error("the server answered with {0} without the number of bits, 8 to 15")]
    NoBits(&'static str),
    #[error("the server answered with {0}={1}; it has to be 8 to 15")]
    Bits(&'static str, String),
    #[error("the server accepted {NAME} without {0}, which the offer requires")]
    Missing(&'static str),
    #[error("the server answered with {name}={bits}, but the maximum offered is {max}")]
    TooLarge { name: &'static str, bits: u8, max: u8 },
}

/// The author of the parameters: `client_max_window_bits` needs no value in an offer (§7.1.2.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    Client,
    Server,
}

/// The parameters of one offer or answer.
#[derive(Default)]
struct Given {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Bits,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Bits {
    #[default]
    Absent,
    Any,
    Max(u8),
}

impl Given {
    fn read(extension: &Extension<'_>, from: From) -> Result<Self, What> {
        let mut given = Self::default();
        for (name, value) in &extension.params {
            match *name {
                SERVER_NO_CONTEXT_TAKEOVER => {
                    flag(SERVER_NO_CONTEXT_TAKEOVER, value, &mut given.server_no_context_takeover)?;
                }
                CLIENT_NO_CONTEXT_TAKEOVER => {
                    flag(CLIENT_NO_CONTEXT_TAKEOVER, value, &mut given.client_no_context_takeover)?;
                }
                SERVER_MAX_WINDOW_BITS => {
                    if given.server_max_window_bits.is_some() {
                        return Err(What::Twice(SERVER_MAX_WINDOW_BITS));
                    }
                    given.server_max_window_bits = Some(bits(SERVER_MAX_WINDOW_BITS, value)?);
                }
                CLIENT_MAX_WINDOW_BITS => {
                    if given.client_max_window_bits != Bits::Absent {
                        return Err(What::Twice(CLIENT_MAX_WINDOW_BITS));
                    }
                    given.client_max_window_bits = match value {
                        None if from == From::Client => Bits::Any,
                        value => Bits::Max(bits(CLIENT_MAX_WINDOW_BITS, value)?),
                    };
                }
                unknown => return Err(What::Unknown(unknown.to_owned())),
            }
        }
        Ok(given)
    }
}

/// §7.1.1: there or not, without a value.
fn flag(name: &'static str, value: &Option<Cow<'_, str>>, seen: &mut bool) -> Result<(), What> {
    if let Some(value) = value {
        return Err(What::Value(name, value.to_string()));
    }
    if std::mem::replace(seen, true) {
        return Err(What::Twice(name));
    }
    Ok(())
}

/// §7.1.2: decimal, no leading zero, 8 to 15.
fn bits(name: &'static str, value: &Option<Cow<'_, str>>) -> Result<u8, What> {
    let Some(value) = value else { return Err(What::NoBits(name)) };
    (MIN_BITS..=MAX_BITS)
        .find(|bits| bits.to_string() == **value)
        .ok_or_else(|| What::Bits(name, value.to_string()))
}

fn header(
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<Option<u8>>,
) -> String {
    let mut value = NAME.to_owned();
    let mut add = |param: fmt::Arguments<'_>| {
        write!(value, "; {param}").expect("a String takes everything");
    };
    if server_no_context_takeover {
        add(format_args!("{SERVER_NO_CONTEXT_TAKEOVER}"));
    }
    if client_no_context_takeover {
        add(format_args!("{CLIENT_NO_CONTEXT_TAKEOVER}"));
    }
    if let Some(bits) = server_max_window_bits {
        add(format_args!("{SERVER_MAX_WINDOW_BITS}={bits}"));
    }
    match client_max_window_bits {
        Some(Some(bits)) => add(format_args!("{CLIENT_MAX_WINDOW_BITS}={bits}")),
        Some(None) => add(format_args!("{CLIENT_MAX_WINDOW_BITS}")),
        None => {}
    }
    value
}

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";
