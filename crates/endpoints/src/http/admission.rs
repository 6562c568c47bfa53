//! Who a request's client is: credentials as HTTP carries them, and what a client that comes in is told to keep.
//!
//! The authenticator is asked for every request but those to public mounts. What becomes an offer is asked of the
//! forwarder's gate by the forwarder; for everything else, this is where that gate is asked.

use std::sync::Arc;
use std::time::Duration;

use endpoint::gate::{Admitted, Credentials, Gate, Kept};
use endpoint::info::Http;
use endpoint::{Info, Refusal, RefusalKind};
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY, SET_COOKIE};
use hyper::{Method, StatusCode};

use super::reply::{self, Reply};
use super::request::Head;
use crate::patience;

/// Whom a listener lets in.
#[derive(Default)]
pub(crate) struct Admission {
    /// What `auth=` asks, if it asks anything.
    pub(crate) authenticator: Option<Arc<dyn Gate>>,
    /// The forwarder's, for what becomes no offer.
    pub(crate) gate: Option<Arc<dyn Gate>>,
    /// The name of the cookie that a client keeps.
    pub(crate) cookie: String,
}

impl Admission {
    /// Names the cookie of the listener at `port`: cookies are shared by all ports of a host, so their names have to
    /// differ.
    pub(crate) fn cookie_at(port: Option<u16>) -> String {
        port.map_or(COOKIE.to_owned(), |port| format!("{COOKIE}-{port}"))
    }

    /// Checks the client that asks, for an offer or for a reply.
    pub(super) async fn check(
        &self,
        head: &Head,
        http: &Http,
        info: &Info,
        is_offer: bool,
        limit: Duration,
    ) -> Result<Admitted, Refusal> {
        let gates = [self.authenticator.as_ref(), self.gate.as_ref().filter(|_| !is_offer)];
        let checks = async {
            let mut admitted = Admitted::unchanged(info);
            for gate in gates.into_iter().flatten() {
                let info = admitted.info.clone().with(http.clone());
                let info = info.with(self.credentials(head, http));
                let ticket = admitted.ticket.take();
                admitted = gate.check(&info).await?;
                admitted.ticket = admitted.ticket.or(ticket);
            }
            Ok(admitted)
        };
        let late = || Refusal::new(RefusalKind::Busy, "there was no decision in time");
        patience::timeout(limit, checks).await.unwrap_or_else(|| Err(late()))
    }

    fn credentials(&self, head: &Head, http: &Http) -> Credentials {
        // Only a browser that shows the page uses a link up: not who looks whether it is there.
        let once = http.parameter(TOKEN).filter(|_| head.method == Method::GET);
        let kept = http.cookies(&self.cookie).map(str::to_owned);
        Credentials::new(once.map(str::to_owned), kept)
    }

    /// Sends a browser that has come in to the same address without its token, with what it is to keep.
    ///
    /// Not by a redirect: a cookie that is SameSite=Strict isn't sent with one that began at a link on another site,
    /// such as a terminal in a browser. A refresh begins here.
    pub(super) fn welcome(&self, http: &Http, kept: Option<&Kept>, is_secure: bool) -> Reply {
        let mut reply = again(http);
        if let Some(kept) = kept {
            let (name, secret) = (&self.cookie, kept.secret());
            let secure = if is_secure { "; Secure" } else { "" };
            let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict{secure}");
            if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
                cookie.set_sensitive(true);
                reply.headers_mut().insert(SET_COOKIE, cookie);
            }
        }
        reply
    }
}

/// The same address, without its token.
fn again(http: &Http) -> Reply {
    let mut reply = reply::text(StatusCode::OK, "you may come in; loading the page");
    // Relative, so that it is right behind a proxy; `./` in front, so that it stays on this host.
    let place = http.path.rsplit('/').next().unwrap_or_default();
    let query = http.query.split('&').filter(|pair| pair.split('=').next() != Some(TOKEN));
    let query = query.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    let refresh = HeaderValue::from_str(&format!("0; url=./{place}{mark}{query}"));
    if let Ok(refresh) = refresh {
        reply.headers_mut().insert(REFRESH, refresh);
    }
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

/// The parameter in the query.
pub(crate) const TOKEN: &str = "token";
const COOKIE: &str = "endpointforward";
const REFRESH: HeaderName = HeaderName::from_static("refresh");

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, query: &str) -> Http {
        let mut http = Http::default();
        (http.path, http.query) = (path.to_owned(), query.to_owned());
        http
    }

    #[test]
    fn a_cookie_is_the_listeners_own_and_over_tls_stays_there() {
        let cookie = Admission::cookie_at(Some(9000));
        let admission = Admission { cookie, ..Admission::default() };
        let kept = Kept::new("secret");
        let cookie = |is_secure| {
            let reply = admission.welcome(&request("/", "token=x"), Some(&kept), is_secure);
            reply.headers()[SET_COOKIE].to_str().expect("text").to_owned()
        };
        let plain = "endpointforward-9000=secret; Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(cookie(false), plain);
        assert_eq!(cookie(true), format!("{plain}; Secure"));
    }

    #[test]
    fn nobody_is_sent_to_another_host() {
        for (path, query, to) in [
            ("/", "token=x", "0; url=./"),
            ("/", "a=1&token=x&b=2", "0; url=./?a=1&b=2"),
            ("/term/", "token=x", "0; url=./"),
            ("/a/b", "token=x", "0; url=./b"),
            ("//evil.example/", "token=x", "0; url=./"),
            ("//evil.example", "token=x", "0; url=./evil.example"),
            ("/a:b", "token=x", "0; url=./a:b"),
        ] {
            assert_eq!(again(&request(path, query)).headers()[REFRESH], to, "{path}");
        }
    }
}
