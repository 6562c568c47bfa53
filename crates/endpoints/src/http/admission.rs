//! The authentication of a request's client: credentials as HTTP carries them, and the gates that
//! check them.
//!
//! The authenticator checks every request but those to public mounts, and to the page, which is not secret. For
//! requests that become an offer, the forwarder asks its gate; for all others, that gate is asked here.
//!
//! A request's credentials are taken out before anything else sees it: no fact, no negotiation and no log has them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use endpoint::gate::{Admitted, Credentials, Gate};
use endpoint::info::Http;
use endpoint::{Info, Refusal, RefusalKind};
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL};

use super::mount::Access;
use super::request::Head;
use super::syntax::{single, words};
use crate::patience;

/// The admission of clients by a listener.
#[derive(Default)]
pub(crate) struct Admission {
    /// The authenticator of `auth=`, if there is one.
    pub(crate) authenticator: Option<Arc<dyn Gate>>,
    /// The forwarder's, for what becomes no offer.
    pub(crate) gate: Option<Arc<dyn Gate>>,
    /// The cookie that opens files.
    pub(crate) cookie: CookieNames,
    /// Set if clients connect by TLS to this listener, so the cookie has the name for TLS.
    pub(crate) is_encrypted: bool,
}

/// The cookie's names. Over TLS, it is one that a browser accepts only from this host and over TLS (RFC 6265bis
/// section 4.1.3.2): no other host of the domain, and no attacker on the path, can set one in its place.
#[derive(Clone, Debug, Default)]
pub(crate) struct CookieNames {
    plain: String,
    secure: String,
}

impl CookieNames {
    /// Returns the name over a connection that is secure, or isn't.
    pub(crate) fn name(&self, is_secure: bool) -> &str {
        if is_secure { &self.secure } else { &self.plain }
    }
}

impl Admission {
    /// Names the cookie of the listener at `port`: cookies are shared by all ports of a host, so their names have to
    /// differ.
    pub(crate) fn cookie_at(port: Option<u16>) -> CookieNames {
        let plain = port.map_or(COOKIE_NAME.to_owned(), |port| format!("{COOKIE_NAME}-{port}"));
        CookieNames { secure: format!("__Host-{plain}"), plain }
    }

    /// Returns `true` if clients may be refused: what they are shown is not for everyone then.
    pub(super) fn is_guarded(&self) -> bool {
        self.authenticator.is_some() || self.gate.is_some()
    }

    /// Takes a request's credentials out of its head. A ticket in the list of subprotocols is always taken; a token, or
    /// a name and a password, if anything checks them; cookies if there is an authenticator, which sets them.
    pub(super) fn take(&self, head: &mut Head) -> Credentials {
        let mut shown = Credentials::default();
        shown.ticket = take_ticket(&mut head.headers);
        if self.is_guarded() {
            shown.bearer = take_bearer(&mut head.headers);
            (shown.user, shown.password) = take_basic(&mut head.headers).unzip();
        }
        if self.authenticator.is_some() {
            let plain = take_cookies(&mut head.headers, &self.cookie.plain);
            shown.cookies = take_cookies(&mut head.headers, &self.cookie.secure);
            if !self.is_encrypted {
                shown.cookies.extend(plain);
            }
            if !is_asked_for_by_its_own(&head.headers) {
                shown.cookies.clear();
            }
        }
        shown
    }

    /// Returns the credentials of a request that becomes an offer, for the forwarder's gate if it has one.
    pub(super) fn for_gate(&self, credentials: &Credentials) -> Option<Credentials> {
        self.gate.as_ref().map(|_| for_session(credentials))
    }

    /// Checks the client that asks.
    pub(super) async fn check(
        &self,
        credentials: &Credentials,
        http: &Arc<Http>,
        info: &Info,
        access: Access,
        limit: Duration,
    ) -> Result<Admitted, Refusal> {
        let authenticator = self.authenticator.as_ref().filter(|_| access != Access::Named);
        let gates = [authenticator, self.gate.as_ref().filter(|_| access != Access::Session)];
        let credentials = match access {
            Access::Session => for_session(credentials),
            _ => credentials.clone(),
        };
        let checks = async {
            let mut admitted = Admitted::unchanged(info);
            for gate in gates.into_iter().flatten() {
                let info =
                    admitted.info.clone().with_shared(Arc::clone(http)).with(credentials.clone());
                let ticket = admitted.ticket.take();
                admitted = gate.check(&info).await?;
                admitted.ticket = admitted.ticket.or(ticket);
            }
            Ok(admitted)
        };
        let late = || Refusal::new(RefusalKind::Busy, "no decision within the time limit");
        patience::timeout(limit, checks).await.unwrap_or_else(|| Err(late()))
    }
}

/// Returns the credentials that open sessions: all but cookies. A browser sends those to every port of a host, so any
/// server there would have a session with them.
fn for_session(credentials: &Credentials) -> Credentials {
    let mut credentials = credentials.clone();
    credentials.cookies.clear();
    credentials
}

/// Returns `true` if a request comes from this listener's own page: browsers also send cookies with requests that a
/// page on another port embeds, because ports are one site to them. A browser names the kind of page that asks (Fetch
/// Metadata Request Headers); one that doesn't is taken as before. A person who follows a link has asked for the page.
fn is_asked_for_by_its_own(headers: &HeaderMap) -> bool {
    let says = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    match says("sec-fetch-site") {
        None | Some(b"same-origin" | b"none") => true,
        Some(_) => {
            says("sec-fetch-mode") == Some(b"navigate")
                && says("sec-fetch-dest") == Some(b"document")
        }
    }
}

/// Takes the names that are tickets out of the list of subprotocols, and returns the first.
fn take_ticket(headers: &mut HeaderMap) -> Option<String> {
    let is_ticket = |name: &&str| name.starts_with(TICKET);
    let found = words(headers, &SEC_WEBSOCKET_PROTOCOL).find(is_ticket)?[TICKET.len()..].to_owned();
    let rest: Vec<_> =
        words(headers, &SEC_WEBSOCKET_PROTOCOL).filter(|name| !is_ticket(name)).collect();
    match HeaderValue::from_str(&rest.join(", ")) {
        Ok(rest) if !rest.is_empty() => headers.insert(SEC_WEBSOCKET_PROTOCOL, rest),
        _ => headers.remove(SEC_WEBSOCKET_PROTOCOL),
    };
    Some(found)
}

/// Takes a bearer token (RFC 6750 section 2.1).
fn take_bearer(headers: &mut HeaderMap) -> Option<String> {
    take_authorization(headers, "bearer", |token| Some(token.to_owned()))
}

/// Takes a user's name and password (RFC 7617 section 2), in UTF-8.
fn take_basic(headers: &mut HeaderMap) -> Option<(String, String)> {
    take_authorization(headers, "basic", |token| {
        let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    })
}

/// Takes credentials of this scheme, as `read` decodes them. Of two headers, none counts.
fn take_authorization<T>(
    headers: &mut HeaderMap,
    scheme: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let (sent, credentials) = single(headers, &AUTHORIZATION).ok()??.split_once(' ')?;
    let found = read(credentials.trim()).filter(|_| sent.eq_ignore_ascii_case(scheme))?;
    headers.remove(AUTHORIZATION);
    Some(found)
}

/// Takes the cookies of this name: one for each path or domain that it was set for. Each is compared with all that are
/// known, so only [`COOKIES`] are returned.
fn take_cookies(headers: &mut HeaderMap, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = Vec::new();
    for header in headers.get_all(COOKIE) {
        let Ok(text) = header.to_str() else { continue };
        for pair in text.split(';').map(str::trim) {
            match pair.split_once('=') {
                Some((key, value)) if key == name => found.push(value.to_owned()),
                _ => rest.push(pair),
            }
        }
    }
    if !found.is_empty() {
        match HeaderValue::from_str(&rest.join("; ")) {
            Ok(rest) if !rest.is_empty() => headers.insert(COOKIE, rest),
            _ => headers.remove(COOKIE),
        };
    }
    found.truncate(COOKIES);
    found
}

/// The prefix of a ticket in the list of subprotocols.
pub(crate) const TICKET: &str = "endpointforward.ticket.";
const COOKIE_NAME: &str = "endpointforward";
const COOKIES: usize = 8;

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn headers(lines: &[(HeaderName, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_ticket_is_no_subprotocol() {
        for (lines, ticket, left) in [
            (&["a, endpointforward.ticket.t,b"][..], Some("t"), Some("a, b")),
            (&["a", "endpointforward.ticket.t", "endpointforward.ticket.u"], Some("t"), Some("a")),
            (&["endpointforward.ticket."], Some(""), None),
            (&["a,b"], None, Some("a,b")),
            (&[], None, None),
        ] {
            let mut headers: HeaderMap = lines
                .iter()
                .map(|&line| (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(line)))
                .collect();
            assert_eq!(take_ticket(&mut headers).as_deref(), ticket, "{lines:?}");
            let rest = headers.get(SEC_WEBSOCKET_PROTOCOL).map(|left| left.to_str().expect("text"));
            assert_eq!(rest, left, "{lines:?}");
        }
    }

    #[test]
    fn a_bearer_token_is_taken_and_other_credentials_are_left() {
        for (lines, token, left) in [
            (&["Bearer x"][..], Some("x"), 0),
            (&["bearer  x"], Some("x"), 0),
            (&["Basic x"], None, 1),
            (&["Bearer"], None, 1),
            (&["Bearer x", "Bearer y"], None, 2),
        ] {
            let mut headers: HeaderMap =
                lines.iter().map(|&line| (AUTHORIZATION, HeaderValue::from_static(line))).collect();
            assert_eq!(take_bearer(&mut headers).as_deref(), token, "{lines:?}");
            assert_eq!(headers.get_all(AUTHORIZATION).iter().count(), left, "{lines:?}");
        }
    }

    #[test]
    fn a_name_and_a_password_are_taken() {
        for (line, found) in [
            ("Basic QWxhZGRpbjpvcGVuOnNlc2FtZQ==", Some(("Aladdin", "open:sesame"))),
            ("basic dXNlcjo=", Some(("user", ""))),
            ("Basic dXNlcg==", None),
            ("Basic ?", None),
            ("Bearer dXNlcjo=", None),
        ] {
            let mut sent = headers(&[(AUTHORIZATION, line)]);
            let taken = take_basic(&mut sent);
            let taken = taken.as_ref().map(|(user, password)| (&**user, &**password));
            assert_eq!((taken, sent.is_empty()), (found, found.is_some()), "{line}");
        }
    }

    #[test]
    fn cookies_of_what_another_page_embeds_dont_count() {
        let is = |lines: &[(&'static str, &'static str)]| {
            let lines = lines.iter().map(|&(name, value)| (HeaderName::from_static(name), value));
            is_asked_for_by_its_own(&headers(&lines.collect::<Vec<_>>()))
        };
        let site = "sec-fetch-site";
        assert!(is(&[]) && is(&[(site, "same-origin")]) && is(&[(site, "none")]));
        let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        for other in ["same-site", "cross-site", "?"] {
            assert!(!is(&[(site, other)]), "{other}");
            assert!(is(&[(site, other), link[0], link[1]]), "{other}");
            assert!(!is(&[(site, other), frame[0], frame[1]]), "{other}");
        }
    }

    #[test]
    fn only_ones_own_cookie_is_taken() {
        let names = Admission::cookie_at(Some(9000));
        assert_eq!(names.name(true), "__Host-endpointforward-9000");
        let name = names.name(false);
        let mut sent =
            headers(&[(COOKIE, "a=b; endpointforward-9000=x;endpointforward-9000=y; c")]);
        assert_eq!(take_cookies(&mut sent, name), ["x", "y"]);
        assert_eq!(sent[COOKIE], "a=b; c");
        let mut sent = headers(&[(COOKIE, "endpointforward-9000=x")]);
        assert_eq!(take_cookies(&mut sent, name), ["x"]);
        assert!(sent.is_empty());
        let mut sent = headers(&[(COOKIE, "endpointforward_9000=x; endpointforward-90=z")]);
        assert!(take_cookies(&mut sent, name).is_empty() && sent.len() == 1);
        let many = ["endpointforward-9000=x"; 500].join("; ");
        let mut sent = HeaderMap::from_iter([(COOKIE, many.parse().expect("a value"))]);
        assert_eq!((take_cookies(&mut sent, name).len(), sent.len()), (COOKIES, 0));
    }
}
