//! The server's answer to our handshake (RFC 6455 section 4.1).

use ::bytes::BytesMut;
use endpoint::{ByteStream, ErrorKind};
use hyper::StatusCode;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use websocket::deflate::{self, Config, Params};

use crate::http::response::{Failure, refused};
use crate::http::syntax::printable;

/// The request.
pub(super) struct Asked<'a> {
    pub(super) key: &'a str,
    pub(super) subprotocols: &'a [String],
    /// The offer of compression, if there was one.
    pub(super) deflate: Option<&'a Config>,
}

/// The agreed parameters.
pub(super) struct Agreed {
    pub(super) subprotocol: Option<String>,
    pub(super) deflate: Option<Params>,
}

/// Returns the agreed parameters, if the server's answer is valid.
pub(super) async fn check(
    stream: &mut Box<dyn ByteStream>,
    response: &Response,
    rest: &BytesMut,
    asked: &Asked<'_>,
) -> Result<Agreed, Failure> {
    let protocol = |words: String| (ErrorKind::Protocol, words);
    let headers = response.headers();
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(stream, response, rest).await);
    }
    for (name, word) in [(UPGRADE, "websocket"), (CONNECTION, "upgrade")] {
        let values = headers.get_all(&name).into_iter().filter_map(|value| value.to_str().ok());
        let mut words = values.flat_map(|value| value.split(',')).map(str::trim);
        if !words.any(|other| other.eq_ignore_ascii_case(word)) {
            return Err(protocol(format!("the server's 101 has no `{name}: {word}`")));
        }
    }
    if one(headers, &SEC_WEBSOCKET_ACCEPT)? != Some(&*derive_accept_key(asked.key.as_bytes())) {
        return Err(protocol(
            "the server's Sec-WebSocket-Accept is not the one for our key".into(),
        ));
    }
    let extensions = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let extensions: Vec<_> = extensions.filter_map(|value| value.to_str().ok()).collect();
    let extensions = extensions.join(", ");
    let deflate = match asked.deflate {
        Some(config) => deflate::accept(config, &extensions)
            .map_err(|why| protocol(format!("the server's compression can't be used: {why}")))?,
        None if extensions.trim().is_empty() => None,
        None => {
            let extensions = printable(&extensions);
            return Err(protocol(format!(
                "the server uses extensions that were not offered: {extensions}"
            )));
        }
    };
    let subprotocol = match one(headers, &SEC_WEBSOCKET_PROTOCOL)? {
        None => None,
        Some(chosen) if asked.subprotocols.iter().any(|offer| offer == chosen) => {
            Some(chosen.to_owned())
        }
        Some(chosen) => {
            let chosen = printable(chosen);
            let offered = match asked.subprotocols {
                [] => "none was offered".to_owned(),
                names => format!("offered were `{}`", names.join(", ")),
            };
            return Err(protocol(format!(
                "the server chose the subprotocol `{chosen}`, which was not offered: {offered}"
            )));
        }
    };
    Ok(Agreed { subprotocol, deflate })
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (values.next(), value.to_str()) {
        (None, Ok(value)) => Ok(Some(value.trim())),
        _ => Err((ErrorKind::Protocol, format!("the server's `{name}` is not a single value"))),
    }
}
