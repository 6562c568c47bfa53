//! The opening handshake, as a client has to make it (RFC 6455 section 4.2.1).

use endpoint::ErrorKind;
use hyper::header::{
    CONNECTION, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
};
use hyper::{Method, StatusCode, Version};
use websocket::deflate::{self, Params};

use super::listening::Listening;
use super::negotiate::Disagreement;
use super::query::Wishes;
use super::reply;
use super::stream::base64;
use super::terminal;
use crate::http::mount::Refused;
use crate::http::request::Asked;
use crate::http::syntax::{has_word, is_token, printable, single, words};

/// The contents of a valid handshake.
pub(super) struct Handshake {
    pub(super) key: String,
    /// The settings in the client's query.
    pub(super) wishes: Wishes,
    /// The chosen subprotocol.
    pub(super) subprotocol: Option<String>,
    /// The agreed compression, and the header of the answer.
    pub(super) deflate: Option<(Params, String)>,
    /// Set if the client wants a refusal as a Close frame, as a page can't read an HTTP reply.
    pub(super) tells: bool,
}

/// Checks a handshake: its form, the page that it comes from, and what it offers.
pub(super) fn check(asked: &Asked<'_>, listening: &Listening) -> Result<Handshake, Box<Refused>> {
    let head = asked.head;
    let headers = &head.headers;
    let bad = |line: &str| Refused::new(StatusCode::BAD_REQUEST, ErrorKind::Protocol, line);
    if head.method != Method::GET {
        return Err(bad("a WebSocket request must use GET"));
    }
    if head.version != Version::HTTP_11 {
        return Err(bad(
            "a WebSocket request must use HTTP/1.1: configure the reverse proxy, with `proxy_http_version 1.1` in \
             nginx",
        ));
    }
    if !has_word(headers, &CONNECTION, "upgrade") {
        let line = "the header `Connection: upgrade` is missing: configure the reverse proxy to pass upgrades on";
        return Err(bad(line));
    }
    if head.has_body {
        return Err(bad("a WebSocket handshake has no body"));
    }
    if single(headers, &SEC_WEBSOCKET_VERSION) != Ok(Some("13")) {
        let line = "only WebSocket version 13 (RFC 6455) is supported";
        let mut bad = Refused::new(StatusCode::UPGRADE_REQUIRED, ErrorKind::Protocol, line);
        reply::version(&mut bad.reply);
        return Err(bad);
    }
    let key = match single(headers, &SEC_WEBSOCKET_KEY) {
        Ok(Some(key)) => key,
        Ok(None) => return Err(bad("the header Sec-WebSocket-Key is missing")),
        Err(()) => {
            return Err(bad(
                "there must be exactly one Sec-WebSocket-Key header, and it must be text",
            ));
        }
    };
    if !base64::encodes(key, 16) {
        return Err(bad("Sec-WebSocket-Key must be 16 bytes in base64"));
    }
    listening.origins.check(asked)?;
    let wishes = listening.query.wishes(asked.http).map_err(|line| bad(&line))?;
    let subprotocol = match listening.spoken.choose(&asked.http.subprotocols) {
        Ok(chosen) => chosen.map(str::to_owned),
        Err(why) => {
            let spoken = &listening.spoken;
            let mistake = match &why {
                Disagreement::Nothing => "no WebSocket subprotocol was offered".to_owned(),
                Disagreement::Unknown(names) => {
                    let names = printable(&names.join(", "));
                    format!("none of the WebSocket subprotocols `{names}` is known")
                }
            };
            let mut line = format!("{mistake}; this server supports only `{spoken}`");
            if let Disagreement::Unknown(names) = &why
                && let Some(name) = names.first().filter(|name| is_token(name))
            {
                // The listed names have to be repeated: the parameter is one list.
                let listed = spoken.names.iter().map(|name| format!("{name},")).collect::<String>();
                line.push_str(&format!(
                    "; to accept it, add it to the listener: `subprotocol={{{listed}{}}}`",
                    printable(name)
                ));
            }
            let status =
                if spoken.required { StatusCode::NOT_ACCEPTABLE } else { StatusCode::BAD_REQUEST };
            return Err(Refused::new(status, ErrorKind::Refused, line));
        }
    };
    let offers = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let offers = offers.filter_map(|value| value.to_str().ok());
    let wanted = listening.options.compression.as_ref();
    let deflate = wanted.and_then(|wanted| deflate::answer(&wanted.config, offers));
    if deflate.is_some() && !deflate::has_memory() {
        let line = "no memory is left for another compressed connection";
        return Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Other, line));
    }
    let tells = words(headers, &SEC_WEBSOCKET_PROTOCOL).any(|name| name == terminal::TELL)
        && subprotocol.as_deref() == Some(terminal::NAME);
    Ok(Handshake { key: key.to_owned(), wishes, subprotocol, deflate, tells })
}
