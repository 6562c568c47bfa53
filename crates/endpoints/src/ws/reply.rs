//! The replies of a WebSocket listener: the switch to the protocol, and the refusal of requests
//! without it.

use hyper::StatusCode;
use hyper::header::{
    CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::http::reply::{self, Reply};

/// Returns the reply that names the protocol to upgrade to (RFC 9110 section 15.5.22).
pub(super) fn upgrade_required(line: &str) -> Reply {
    let mut reply = reply::text(StatusCode::UPGRADE_REQUIRED, line);
    reply.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    version(&mut reply);
    reply
}

/// RFC 6455 section 4.4: the version that we speak.
pub(super) fn version(reply: &mut Reply) {
    reply.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
}

/// 101 (RFC 6455 section 4.2.2). Headers that can't be sent are left out.
pub(super) fn switch<'a>(
    key: &str,
    subprotocol: Option<&str>,
    extension: Option<&str>,
    more: impl Iterator<Item = &'a (String, String)>,
) -> Reply {
    let mut reply = Reply::default();
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    for (name, value) in more {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    let accept = derive_accept_key(key.as_bytes());
    headers.insert(
        SEC_WEBSOCKET_ACCEPT,
        HeaderValue::from_str(&accept).expect("base64 can be a header"),
    );
    for (name, value) in
        [(SEC_WEBSOCKET_PROTOCOL, subprotocol), (SEC_WEBSOCKET_EXTENSIONS, extension)]
    {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(name, value);
        }
    }
    reply
}
