//! Where a page asks whether it may connect, and gets the ticket that it needs for that: a POST to its own address. A
//! DELETE signs its browser out.
//!
//! A browser tells a page nothing about an upgrade that was refused. The reply to this request has the words.
//!
//! A page of another origin can't use it: a POST has an Origin header, which is checked, and one with an Authorization
//! header is preceded by a question (CORS) that nobody answers here.

use std::sync::Arc;

use endpoint::gate::{Challenge, Scheme};
use endpoint::{ErrorKind, Refusal, RefusalKind};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    SET_COOKIE,
};
use hyper::{Method, StatusCode};
use serde_json::json;
use tracing::warn;

use super::mount::{Access, Mount, Outcome, Refused};
use super::origin::Origins;
use super::page::place;
use super::reply::{self, Reply};
use super::request::{Asked, Head};
use crate::auth::{Exchange, Exchanged};

/// The entrance of a listener, mounted.
pub(crate) struct Entrance {
    /// The only path that is served, if there is one.
    pub(crate) served: Option<String>,
    pub(crate) origins: Origins,
    /// Where tickets come from, unless everybody may come in.
    pub(crate) exchange: Option<Arc<dyn Exchange>>,
    /// The name of the cookie that opens files, if there are any that need one.
    pub(crate) cookie: Option<String>,
    pub(crate) is_encrypted: bool,
}

impl Mount for Entrance {
    fn methods(&self) -> &'static [Method] {
        // Nobody signs out where nobody signs in.
        if self.exchange.is_some() { &METHODS } else { &METHODS[..1] }
    }

    fn takes(&self, head: &Head) -> bool {
        // A page of a folder may be anywhere below the path.
        let is_below = || {
            let served = self.served.as_deref().unwrap_or_default().trim_end_matches('/');
            head.path().strip_prefix(served).is_some_and(|rest| rest.starts_with('/'))
        };
        place::takes_upgrade(head.path(), self.served.as_deref()) || is_below()
    }

    fn access(&self) -> Access {
        Access::Named
    }

    fn answer(&self, asked: &Asked<'_>) -> Outcome {
        if let Err(refused) = self.origins.check(asked) {
            return Outcome::Refused(refused);
        }
        if asked.head.has_body {
            let line = "a page that asks whether it may connect sends no body";
            return Outcome::Refused(Refused::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::Protocol,
                line,
            ));
        }
        let Some(exchange) = &self.exchange else {
            let mut reply = reply::text(StatusCode::OK, "come in");
            reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return Outcome::Reply(reply);
        };
        let (exchange, shown) = (Arc::clone(exchange), asked.credentials.clone());
        if asked.head.method == Method::DELETE {
            if let Some(secret) = &shown.bearer {
                exchange.end(secret);
            }
            let mut reply = reply::text(StatusCode::OK, "signed out");
            reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return Outcome::Reply(reply);
        }
        let is_secure = asked.scheme().map_or(self.is_encrypted, |it| it == "https");
        let (cookie, info) = (self.cookie.clone(), asked.info.clone());
        Outcome::Later(Box::pin(async move {
            let mut reply = match exchange.exchange(&shown, &info).await {
                Ok(exchanged) => welcome(cookie.as_deref(), &exchanged, is_secure),
                Err(refusal) => {
                    warn!(peer = info.peer(), "refused to sign in: {}", refusal.message);
                    not_good(&refusal)
                }
            };
            if exchange.takes_passwords() {
                reply.headers_mut().insert(SIGN_IN, HeaderValue::from_static("password"));
            }
            reply
        }))
    }
}

/// Says why credentials aren't good, and what is asked for.
///
/// The scheme is never Basic: a browser would ask its user in a window of its own, in front of the page that asks.
fn not_good(refusal: &Refusal) -> Reply {
    if refusal.kind == RefusalKind::Busy {
        reply::refusal(refusal)
    } else {
        let ask = Challenge { scheme: Scheme::Bearer, realm: "endpointforward".to_owned() };
        reply::refusal(&Refusal::challenge(refusal.message.clone(), [ask]))
    }
}

fn welcome(cookie: Option<&str>, exchanged: &Exchanged, is_secure: bool) -> Reply {
    let Exchanged { secret, ticket, files } = exchanged;
    let mut said = json!({ "ticket": ticket });
    if let Some(secret) = secret {
        said["secret"] = json!(secret);
    }
    let mut reply = reply::text(StatusCode::OK, &said.to_string());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(name) = cookie {
        let secure = if is_secure { "; Secure" } else { "" };
        let cookie = format!("{name}={files}; Path=/; HttpOnly; SameSite=Strict{secure}");
        if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
            cookie.set_sensitive(true);
            headers.insert(SET_COOKIE, cookie);
        }
    }
    reply
}

/// What a browser is shown in place of a page that it may not see yet: with a script that exchanges the link's token,
/// or the secret that it keeps, for a cookie, and loads the page again.
pub(crate) fn page() -> Option<Reply> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).ok()?;
    let nonce = nonce.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut reply = reply::text(StatusCode::FORBIDDEN, &PAGE.replace("NONCE", &nonce));
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    );
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy).ok()?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(reply)
}

const PAGE: &str = include_str!("entrance.html");
static METHODS: [Method; 2] = [Method::POST, Method::DELETE];
/// Tells the page that it may ask for a name and a password.
const SIGN_IN: HeaderName = HeaderName::from_static("sign-in");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_opens_files_alone_and_over_tls_stays_there() {
        let given = Exchanged {
            secret: Some("s".to_owned()),
            ticket: "t".to_owned(),
            files: "f".to_owned(),
        };
        let plain = "endpointforward-9000=f; Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(
            welcome(Some("endpointforward-9000"), &given, false).headers()[SET_COOKIE],
            plain
        );
        let secure = welcome(Some("endpointforward-9000"), &given, true);
        assert_eq!(secure.headers()[SET_COOKIE], format!("{plain}; Secure"));
        assert!(!welcome(None, &given, false).headers().contains_key(SET_COOKIE));
    }

    #[test]
    fn the_page_has_no_script_but_its_own() {
        let policy = |reply: &Reply| reply.headers()[CONTENT_SECURITY_POLICY].clone();
        let (one, other) = (page().expect("random numbers"), page().expect("random numbers"));
        assert_ne!(policy(&one), policy(&other));
        assert_eq!(PAGE.matches("nonce=\"NONCE\"").count(), PAGE.matches("NONCE").count());
    }
}
