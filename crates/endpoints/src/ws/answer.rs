//! What is answered over HTTP: the upgrade, refusals, and everything that is no upgrade.

use endpoint::{Refusal, RefusalKind};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::body::Body;

pub(super) type Answer = Response<Body>;

/// One line of text.
pub(super) fn text(status: StatusCode, line: &str) -> Answer {
    let mut answer = Response::new(Body::from(format!("{line}\n")));
    *answer.status_mut() = status;
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, text);
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// One line of text, and no more requests on this connection.
pub(super) fn last(status: StatusCode, line: &str) -> Answer {
    let mut answer = text(status, line);
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// A refusal in HTTP's terms.
pub(super) fn refusal(refusal: &Refusal) -> Answer {
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
pub(super) fn upgrade_required(line: &str) -> Answer {
    let mut answer = text(StatusCode::UPGRADE_REQUIRED, line);
    answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
    version(&mut answer);
    answer
}

/// RFC 6455 section 4.4: the version that we speak.
pub(super) fn version(answer: &mut Answer) {
    answer.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
}

/// To a load balancer that looks whether we are there.
pub(super) fn healthy() -> Answer {
    let mut answer = text(StatusCode::OK, "ok");
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// To a browser that looks for an icon: there is none, and that is no mistake.
pub(super) fn no_icon() -> Answer {
    let mut answer = Response::new(Body::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let day = HeaderValue::from_static("max-age=86400");
    answer.headers_mut().insert(CACHE_CONTROL, day);
    answer
}

pub(super) fn not_found() -> Answer {
    text(StatusCode::NOT_FOUND, "nothing is served under this path")
}

pub(super) fn not_allowed() -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "a WebSocket connection is a GET");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// 101 (RFC 6455 section 4.2.2). Headers that can't be sent are left out.
pub(super) fn switch<'a>(
    key: &str,
    subprotocol: Option<&str>,
    extension: Option<&str>,
    more: impl Iterator<Item = &'a (String, String)>,
) -> Answer {
    let mut answer = Response::new(Body::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
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
    answer
}
