//! Sign-in requests of pages: a POST to the page's own address returns a ticket for a session. A
//! DELETE signs its browser out.
//!
//! A browser tells a page nothing about an upgrade that was refused. The reply to this request has the words.
//!
//! A page of another origin can't use it: a POST has an Origin header, which is checked, and one with an Authorization
//! header is preceded by a question (CORS) that is not answered here.
//!
//! A browser without a script sends a form instead, to sign in for files or to sign out. It gets the cookie alone, and
//! is sent back to where it was. The headers of a form must show that it comes from a page of this listener.

use std::sync::Arc;

use endpoint::gate::{Challenge, Credentials, Scheme};
use endpoint::{ErrorKind, Refusal, RefusalKind};
use hyper::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN, SET_COOKIE,
};
use hyper::{Method, StatusCode};
use serde_json::json;
use tracing::warn;

use super::admission::CookieNames;
use super::form::Form;
use super::mount::{Access, Mount, Outcome, Refused};
use super::origin::Origins;
use super::page::place;
use super::reply::{self, Reply};
use super::request::{Asked, Head};
use super::sign_in::SignIn;
use crate::auth::{Exchange, Exchanged};

/// The entrance of a listener, mounted.
pub(crate) struct Entrance {
    /// The only path that is served, if there is one.
    pub(crate) served: Option<String>,
    pub(crate) origins: Origins,
    /// The source of tickets, unless all clients are admitted.
    pub(crate) exchange: Option<Arc<dyn Exchange>>,
    /// The sign-in form for browsers without JavaScript, and the cookie for files, if there are files that need it.
    pub(crate) files: Option<(SignIn, CookieNames)>,
    pub(crate) is_encrypted: bool,
}

impl Mount for Entrance {
    fn methods(&self) -> &'static [Method] {
        // Without a way to sign in, there is none to sign out.
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
        if let (Some(form), Some((page, names)), Some(exchange)) =
            (&asked.head.form, &self.files, &self.exchange)
        {
            return self.form(asked, form, *page, names, exchange);
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
        let is_secure = self.is_secure(asked);
        let cookie = self.files.as_ref().map(|(_, names)| names.name(is_secure).to_owned());
        let info = asked.info.clone();
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

impl Entrance {
    fn is_secure(&self, asked: &Asked<'_>) -> bool {
        asked.scheme().map_or(self.is_encrypted, |it| it == "https")
    }

    /// Answers a form that signs in or out.
    fn form(
        &self,
        asked: &Asked<'_>,
        form: &Form,
        page: SignIn,
        names: &CookieNames,
        exchange: &Arc<dyn Exchange>,
    ) -> Outcome {
        if !is_own(&asked.head.headers) {
            let line = "a form must come from a page of this listener, as shown by its Origin or Sec-Fetch-Site";
            return Outcome::Refused(Refused::new(StatusCode::FORBIDDEN, ErrorKind::Refused, line));
        }
        let is_secure = self.is_secure(asked);
        let name = names.name(is_secure).to_owned();
        let back = back_to(asked.head.path(), asked.head.query());
        if form.field("action") == Some("sign-out") {
            for cookie in &asked.credentials.cookies {
                exchange.end_cookie(cookie);
            }
            return Outcome::Reply(sent_back(
                &back,
                &set_cookie(&name, "", is_secure, "; Max-Age=0"),
            ));
        }
        let mut shown = Credentials::default();
        shown.user = form.field("username").map(str::to_owned);
        shown.password = form.field("password").map(str::to_owned);
        let (exchange, info) = (Arc::clone(exchange), asked.info.clone());
        Outcome::Later(Box::pin(async move {
            match exchange.exchange(&shown, &info).await {
                Ok(Exchanged { files, .. }) => {
                    sent_back(&back, &set_cookie(&name, &files, is_secure, ""))
                }
                Err(refusal) => {
                    warn!(peer = info.peer(), "refused to sign in: {}", refusal.message);
                    let status = match refusal.kind {
                        RefusalKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
                        RefusalKind::Throttled => StatusCode::TOO_MANY_REQUESTS,
                        _ => StatusCode::FORBIDDEN,
                    };
                    let shown = page.show(status, &refusal.message);
                    shown.unwrap_or_else(|| not_good(&refusal))
                }
            }
        }))
    }
}

/// Returns `true` if the browser reports that a form is from a page of this listener.
fn is_own(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    // The value of Origin was checked before.
    site.map_or(headers.contains_key(ORIGIN), |site| site == b"same-origin")
}

/// A relative address of the page that was asked for: it stays on this host, and is right behind a proxy.
fn back_to(path: &str, query: Option<&str>) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    match query {
        Some(query) if query != "sign-out" => format!("./{name}?{query}"),
        _ => format!("./{name}"),
    }
}

/// Sends a browser back after its form, by GET.
fn sent_back(to: &str, cookie: &str) -> Reply {
    let mut reply = reply::text(StatusCode::SEE_OTHER, "go on");
    let headers = reply.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let (Ok(to), Ok(mut cookie)) = (HeaderValue::from_str(to), HeaderValue::from_str(cookie)) {
        cookie.set_sensitive(true);
        headers.insert(LOCATION, to);
        headers.insert(SET_COOKIE, cookie);
    }
    reply
}

/// The cookie that opens files. It goes with requests of this site's own pages alone, and no script sees it.
fn set_cookie(name: &str, value: &str, is_secure: bool, more: &str) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}")
}

/// Says why credentials aren't good, and what is asked for.
///
/// The scheme is never Basic: a browser would ask its user in a separate window, in front of the page that asks.
fn not_good(refusal: &Refusal) -> Reply {
    if matches!(refusal.kind, RefusalKind::Busy | RefusalKind::Throttled) {
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
    if let Some(name) = cookie
        && let Ok(mut cookie) = HeaderValue::from_str(&set_cookie(name, files, is_secure, ""))
    {
        cookie.set_sensitive(true);
        headers.insert(SET_COOKIE, cookie);
    }
    reply
}

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
    fn a_form_leads_back_to_where_it_was_on_this_host() {
        for (path, query, to) in [
            ("/", None, "./"),
            ("/a/b", Some("x=1"), "./b?x=1"),
            ("//evil.example/", None, "./"),
            ("//evil.example", None, "./evil.example"),
            ("/a/", Some("sign-out"), "./"),
        ] {
            assert_eq!(back_to(path, query), to, "{path}");
        }
    }

    #[test]
    fn a_form_says_where_it_comes_from() {
        let is = |lines: &[(&'static str, &'static str)]| {
            let lines = lines.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            is_own(&lines.collect())
        };
        assert!(is(&[("origin", "http://h")]) && is(&[("sec-fetch-site", "same-origin")]));
        for not_own in ["cross-site", "same-site", "none", ""] {
            assert!(!is(&[("origin", "http://h"), ("sec-fetch-site", not_own)]), "{not_own}");
        }
        assert!(!is(&[]));
    }
}
