//! What is replied over HTTP: the upgrade, refusals, and everything that is no upgrade.

use endpoint::{Refusal, RefusalKind};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::body::Body;

pub(crate) type Reply = Response<Body>;

/// One line of text.
pub(crate) fn text(status: StatusCode, line: &str) -> Reply {
    let mut reply = Response::new(Body::from(format!("{line}\n")));
    *reply.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, text);
    reply.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

/// One line of text, and no more requests on this connection.
pub(crate) fn last(status: StatusCode, line: &str) -> Reply {
    let mut reply = text(status, line);
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// A refusal in HTTP's terms.
pub(crate) fn refusal(refusal: &Refusal) -> Reply {
    let status = match refusal.kind {
        RefusalKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    last(status, &refusal.message)
}

/// RFC 9110 section 15.5.22: what to upgrade to, and how.
pub(crate) fn upgrade_required(line: &str) -> Reply {
    let mut reply = text(StatusCode::UPGRADE_REQUIRED, line);
    reply.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    version(&mut reply);
    reply
}

/// RFC 6455 section 4.4: the version that we speak.
pub(crate) fn version(reply: &mut Reply) {
    reply.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
}

/// To a load balancer that looks whether we are there.
pub(crate) fn healthy() -> Reply {
    let mut reply = text(StatusCode::OK, "ok");
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// To a browser that looks for an icon: there is none, and that is no mistake.
pub(crate) fn no_icon() -> Reply {
    let mut reply = Response::new(Body::default());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    let day = HeaderValue::from_static("max-age=86400");
    reply.headers_mut().insert(CACHE_CONTROL, day);
    reply
}

pub(crate) fn not_found() -> Reply {
    text(StatusCode::NOT_FOUND, "nothing is served under this path")
}

pub(crate) fn not_allowed() -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "a WebSocket connection is a GET");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    reply
}

/// 101 (RFC 6455 section 4.2.2). Headers that can't be sent are left out.
pub(crate) fn switch<'a>(
    key: &str,
    subprotocol: Option<&str>,
    extension: Option<&str>,
    more: impl Iterator<Item = &'a (String, String)>,
) -> Reply {
    let mut reply = Response::new(Body::default());
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
