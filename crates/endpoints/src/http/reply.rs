//! Replies over HTTP: refusals, and those that every listener has.

use endpoint::gate::{Challenge, Scheme};
use endpoint::{Refusal, RefusalKind};
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER,
    UPGRADE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Response, StatusCode};

use super::body::Body;
use super::request::Head;
use super::syntax::words;

pub(crate) type Reply = Response<Body>;

/// The words of a reply that is a line of text, kept with it for a browser that would show them to a person.
#[derive(Clone, Debug)]
pub(super) struct Words(pub(super) String);

/// One line of text.
pub(crate) fn text(status: StatusCode, line: &str) -> Reply {
    let mut reply = Response::new(Body::from(format!("{line}\n")));
    reply.extensions_mut().insert(Words(line.to_owned()));
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

/// A refusal in HTTP's terms, with the challenges that a program can answer. Without one, 401 isn't allowed (RFC 9110
/// section 15.5.2).
pub(crate) fn refusal(refusal: &Refusal) -> Reply {
    let challenges: Vec<_> = refusal.challenges.iter().filter_map(authenticate).collect();
    let status = match status(refusal.kind) {
        StatusCode::UNAUTHORIZED if challenges.is_empty() => StatusCode::FORBIDDEN,
        status => status,
    };
    let mut reply = last(status, &refusal.message);
    for challenge in challenges {
        reply.headers_mut().append(WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = refusal.retry_seconds() {
        reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply
}

/// The status that a refusal of this sort has.
pub(crate) fn status(kind: RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        RefusalKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Throttled => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        RefusalKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// A refusal of a request that may come from a browser: one that shows pages is sent to the page to sign in on.
pub(crate) fn refusal_of(refusal: &Refusal, head: &Head) -> Reply {
    let page = refusal.challenges.iter().find_map(|challenge| match &challenge.scheme {
        Scheme::Page(path) => HeaderValue::from_str(path).ok(),
        _ => None,
    });
    match page {
        Some(page) if shows_pages(head) => {
            let mut reply = last(StatusCode::SEE_OTHER, &refusal.message);
            reply.headers_mut().insert(LOCATION, page);
            reply
        }
        _ => self::refusal(refusal),
    }
}

/// Returns whether a request comes from a browser that would show a page.
pub(crate) fn shows_pages(head: &Head) -> bool {
    head.method == Method::GET
        && !head.headers.contains_key(UPGRADE)
        && words(&head.headers, &ACCEPT).any(|media| media.starts_with("text/html"))
}

/// Returns a challenge as the value of a header field (RFC 9110 section 11.6.1); `None` for one that only a browser can
/// answer.
pub(crate) fn authenticate(challenge: &Challenge) -> Option<HeaderValue> {
    let scheme = match challenge.scheme {
        Scheme::Basic => "Basic",
        Scheme::Bearer => "Bearer",
        _ => return None,
    };
    let realm = challenge.realm.replace(['"', '\\'], "");
    let charset = if scheme == "Basic" { ", charset=\"UTF-8\"" } else { "" };
    HeaderValue::from_str(&format!("{scheme} realm=\"{realm}\"{charset}")).ok()
}

/// Keeps what only some may see out of pages of other origins: another port of the host is one, and browsers send
/// cookies there.
pub(crate) fn keep_to_own_pages(reply: &mut Reply) {
    let headers = reply.headers_mut();
    let own = HeaderValue::from_static("same-origin");
    headers.entry("cross-origin-resource-policy").or_insert(own);
    headers.entry(X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("SAMEORIGIN"));
}

/// Returns the reply to a load balancer's health check.
pub(crate) fn healthy() -> Reply {
    let mut reply = text(StatusCode::OK, "ok");
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Returns the reply to a browser's request for an icon: there is none, which is not an error.
pub(crate) fn no_icon() -> Reply {
    let mut reply = Response::new(Body::default());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    let day = HeaderValue::from_static("max-age=86400");
    reply.headers_mut().insert(CACHE_CONTROL, day);
    reply
}

pub(crate) fn not_found() -> Reply {
    text(StatusCode::NOT_FOUND, "nothing is served at this path")
}

/// 405, with the methods that are known.
pub(crate) fn not_allowed<'m>(methods: impl Iterator<Item = &'m Method>) -> Reply {
    let mut names: Vec<&str> = methods.map(Method::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.join(", ");
    let mut reply = text(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("this listener supports the methods {names}"),
    );
    if let Ok(names) = HeaderValue::from_str(&names) {
        reply.headers_mut().insert(ALLOW, names);
    }
    reply
}

#[cfg(test)]
mod tests {
    use endpoint::gate::{Challenge, Scheme};

    use super::*;

    #[test]
    fn challenges_are_told_as_http_has_them() {
        let challenge = |scheme| Challenge { scheme, realm: "a \"shell\"".to_owned() };
        let all = [Scheme::Basic, Scheme::Bearer, Scheme::Page("/login".to_owned())];
        let reply = refusal(&Refusal::challenge("say who you are", all.map(challenge)));
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
        let told: Vec<_> = reply.headers().get_all(WWW_AUTHENTICATE).iter().collect();
        assert_eq!(
            told,
            ["Basic realm=\"a shell\", charset=\"UTF-8\"", "Bearer realm=\"a shell\""]
        );
        let page = [challenge(Scheme::Page("/login".to_owned()))];
        let reply = refusal(&Refusal::challenge("say who you are", page));
        assert_eq!(reply.status(), StatusCode::FORBIDDEN);
    }
}
