//! Who may come in, asked for every request: the page, its files and the upgrade.
//!
//! `auth=token`: a token in a URL is good once. Whoever brings it gets a cookie in exchange, and the
//! cookie is what lets in from then on. Both are random, in memory alone, and gone with the listener.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use endpoint::info::Http;
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY, SET_COOKIE};
use hyper::{Method, StatusCode};

use super::reply::{self, Reply};

/// Who may come in, planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Everybody who reaches us.
    Open,
    /// Who was invited.
    Token,
}

/// A door that is kept. Another way to say who one is is another of these.
pub(crate) trait Door: Send + Sync {
    /// What becomes of a request, which came over TLS if `secure`.
    fn ask(&self, method: &Method, http: &Http, secure: bool) -> Entry;
}

/// What becomes of a request.
pub(crate) enum Entry {
    Granted,
    /// Who asks is known from now on, and asks again: what to answer.
    Welcome(Reply),
    /// Not granted, with a line for who asks.
    Denied(&'static str),
}

/// A token in a URL, and a cookie for it.
pub(crate) struct Once {
    /// `None` once it has been used.
    token: Mutex<Option<Secret>>,
    cookie: String,
    session: Secret,
}

impl Once {
    /// The door of the listener at `port`; cookies are shared by all ports of a host, so their names
    /// have to differ. The token is what a URL needs.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn new(port: Option<u16>) -> Result<(Self, String), getrandom::Error> {
        let token = Secret::new()?;
        let said = token.0.clone();
        let cookie = port.map_or(COOKIE.to_owned(), |port| format!("{COOKIE}-{port}"));
        let session = Secret::new()?;
        Ok((Self { token: Mutex::new(Some(token)), cookie, session }, said))
    }
}

impl Door for Once {
    fn ask(&self, method: &Method, http: &Http, secure: bool) -> Entry {
        let token = http.parameter(TOKEN);
        let knows = http.cookies(&self.cookie).any(|value| self.session.is(value));
        let Some(token) = token else {
            return if knows { Entry::Granted } else { Entry::Denied(UNKNOWN) };
        };
        if knows {
            // The URL was opened again: its token has done its work, and is taken out of sight.
            return Entry::Welcome(again(http));
        }
        // Only a browser that shows the page uses the token up: not who looks whether it is there.
        if method != Method::GET {
            return Entry::Denied(UNKNOWN);
        }
        let mut expected = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if !expected.as_ref().is_some_and(|expected| expected.is(token)) {
            return Entry::Denied(if expected.is_none() { USED } else { UNKNOWN });
        }
        *expected = None;
        let mut welcome = again(http);
        let (name, session) = (&self.cookie, &self.session.0);
        let secure = if secure { "; Secure" } else { "" };
        let cookie = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict{secure}");
        let mut cookie = HeaderValue::from_str(&cookie).expect("letters and digits");
        cookie.set_sensitive(true);
        welcome.headers_mut().insert(SET_COOKIE, cookie);
        Entry::Welcome(welcome)
    }
}

/// Sends a browser to the same address without its token.
///
/// Not by a redirect: a cookie that is SameSite=Strict isn't sent with one that began at a link on
/// another site, such as a terminal in a browser. A refresh begins here.
fn again(http: &Http) -> Reply {
    let mut answer = reply::text(StatusCode::OK, "you may come in; loading the page");
    // Relative, so that it is right behind a proxy; `./` in front, so that it stays on this host.
    let place = http.path.rsplit('/').next().unwrap_or_default();
    let query = http.query.split('&').filter(|pair| pair.split('=').next() != Some(TOKEN));
    let query = query.collect::<Vec<_>>().join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    let refresh = HeaderValue::from_str(&format!("0; url=./{place}{mark}{query}"));
    if let Ok(refresh) = refresh {
        answer.headers_mut().insert(REFRESH, refresh);
    }
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

/// 256 random bits, as text for URLs and cookies.
struct Secret(String);

impl Secret {
    fn new() -> Result<Self, getrandom::Error> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bits)))
    }

    /// Compares in a time that depends on lengths alone.
    fn is(&self, other: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.as_bytes());
        let differ = ours.iter().zip(theirs).fold(0, |differ, (a, b)| differ | (a ^ b));
        ours.len() == theirs.len() && std::hint::black_box(differ) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The parameter in the query.
pub(crate) const TOKEN: &str = "token";
const COOKIE: &str = "endpointforward";
const REFRESH: HeaderName = HeaderName::from_static("refresh");

const UNKNOWN: &str =
    "open this page with the link that was shown where endpointforward was started";
const USED: &str = "this link was used already; it works once, in one browser. For another, start \
                    endpointforward again";

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, query: &str, cookie: Option<&str>) -> Http {
        let mut http = Http::default();
        (http.path, http.query) = (path.to_owned(), query.to_owned());
        http.headers.extend(cookie.map(|cookie| ("cookie".to_owned(), cookie.to_owned())));
        http
    }

    fn cookie_of(answer: &Reply) -> String {
        let cookie = answer.headers()[SET_COOKIE].to_str().expect("text");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    #[test]
    fn a_token_is_good_once_and_a_cookie_from_then_on() {
        let (door, token) = Once::new(Some(9000)).expect("random numbers");
        let ask = |query: &str, cookie: Option<&str>| {
            door.ask(&Method::GET, &request("/", query, cookie), false)
        };
        assert!(matches!(ask("", None), Entry::Denied(UNKNOWN)));
        assert!(matches!(ask("token=wrong", None), Entry::Denied(UNKNOWN)));
        assert!(matches!(ask(&format!("token={token}x"), None), Entry::Denied(UNKNOWN)));
        let query = format!("a=1&token={token}&b=2");
        let looked = door.ask(&Method::HEAD, &request("/", &query, None), false);
        assert!(matches!(looked, Entry::Denied(_)), "a look is not a use");
        let Entry::Welcome(answer) = ask(&query, None) else { panic!("it is good") };
        assert_eq!(answer.headers()[REFRESH], "0; url=./?a=1&b=2");
        let cookie = cookie_of(&answer);
        assert!(cookie.starts_with("endpointforward-9000="), "{cookie}");
        assert!(matches!(ask(&query, None), Entry::Denied(USED)));
        assert!(matches!(ask("", Some(&cookie)), Entry::Granted));
        let beside = format!("endpointforward-9000=old; x=y; {cookie}");
        assert!(matches!(ask("", Some(&beside)), Entry::Granted));
        assert!(matches!(ask("", Some("endpointforward-9000=")), Entry::Denied(UNKNOWN)));
        assert!(matches!(ask("", Some(&cookie.replace("9000", "9001"))), Entry::Denied(UNKNOWN)));
        let Entry::Welcome(answer) = ask(&query, Some(&cookie)) else { panic!("it is known") };
        assert!(!answer.headers().contains_key(SET_COOKIE));
    }

    #[test]
    fn a_cookie_that_came_over_tls_stays_there() {
        let (door, token) = Once::new(None).expect("random numbers");
        let request = request("/", &format!("token={token}"), None);
        let Entry::Welcome(answer) = door.ask(&Method::GET, &request, true) else {
            panic!("it is good")
        };
        let cookie = answer.headers()[SET_COOKIE].to_str().expect("text");
        assert!(cookie.ends_with("; SameSite=Strict; Secure"), "{cookie}");
    }

    #[test]
    fn nobody_is_sent_to_another_host() {
        for (path, to) in [
            ("/", "0; url=./"),
            ("/term/", "0; url=./"),
            ("/a/b", "0; url=./b"),
            ("//evil.example/", "0; url=./"),
            ("//evil.example", "0; url=./evil.example"),
            ("/a:b", "0; url=./a:b"),
        ] {
            assert_eq!(again(&request(path, "token=x", None)).headers()[REFRESH], to, "{path}");
        }
    }
}
