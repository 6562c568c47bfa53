//! Replies over HTTP: refusals, and what every listener says.

use endpoint::{Refusal, RefusalKind};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Response, StatusCode};

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

/// 405, with the methods that are known.
pub(crate) fn not_allowed<'m>(methods: impl Iterator<Item = &'m Method>) -> Reply {
    let mut names: Vec<&str> = methods.map(Method::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.join(", ");
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, &format!("this listener knows {names}"));
    if let Ok(names) = HeaderValue::from_str(&names) {
        reply.headers_mut().insert(ALLOW, names);
    }
    reply
}
