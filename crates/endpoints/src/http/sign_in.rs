//! The sign-in page that a browser gets instead of a restricted page.
//!
//! With a script, it exchanges the link's token, the secret that it keeps, or a name and a password for a cookie and a
//! secret, and loads the page again. Without one, the form is sent as it is, and the reply has the cookie alone.

use hyper::StatusCode;
use hyper::header::{HeaderValue, REFERRER_POLICY, X_FRAME_OPTIONS};

use super::document::{self, Nonce, STYLE, escaped};
use super::mount::{Mount, Outcome};
use super::reply::{self, Reply};
use super::request::{Asked, Head};

/// The page to sign in on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignIn {
    /// Set if a name and a password are accepted.
    pub(crate) has_passwords: bool,
}

impl SignIn {
    /// Returns the page, with `words` on what went wrong; `None` if the system has no random numbers.
    pub(crate) fn show(self, status: StatusCode, words: &str) -> Option<Reply> {
        let (title, form) = match self.has_passwords {
            true => ("Sign in", ""),
            false => ("This page needs its link", " hidden"),
        };
        let words = match words {
            "" if !self.has_passwords => NO_LINK,
            words => words,
        };
        let page = PAGE.replace("TITLE", title).replace(" FORM-HIDDEN", form);
        let page = page.replace("NOSCRIPT", if self.has_passwords { "" } else { NEEDS_SCRIPT });
        html(status, &page.replace("WORDS", &escaped(words)))
    }
}

/// The page to sign out on, mounted: the address of any page with `?sign-out` behind it.
pub(crate) struct SignOut;

impl Mount for SignOut {
    fn takes(&self, head: &Head) -> bool {
        head.query() == Some("sign-out")
    }

    fn answer(&self, _: &Asked<'_>) -> Outcome {
        Outcome::Reply(html(StatusCode::OK, OUT).unwrap_or_else(reply::not_found))
    }
}

/// Makes a page whose scripts and styles have a nonce.
fn html(status: StatusCode, page: &str) -> Option<Reply> {
    let nonce = Nonce::new()?;
    let nonce = nonce.as_str();
    let page = page.replace("STYLE", STYLE).replace("NONCE", nonce);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let mut reply = document::html(status, &page, &policy)?;
    let headers = reply.headers_mut();
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // With `no-referrer`, a browser would send `Origin: null` with the form (Fetch standard section 3.2).
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Some(reply)
}

const PAGE: &str = include_str!("sign_in.html");
const OUT: &str = include_str!("sign_out.html");
const NO_LINK: &str = "Open it with the link that was shown where endpointforward was started.";
const NEEDS_SCRIPT: &str = "<noscript>It needs JavaScript.</noscript>";

#[cfg(test)]
mod tests {
    use hyper::header::CONTENT_SECURITY_POLICY;

    use super::*;

    #[test]
    fn the_page_has_no_script_but_its_own() {
        let policy = |reply: &Reply| reply.headers()[CONTENT_SECURITY_POLICY].clone();
        let page = || SignIn { has_passwords: true }.show(StatusCode::FORBIDDEN, "");
        let (one, other) = (page().expect("random numbers"), page().expect("random numbers"));
        assert_ne!(policy(&one), policy(&other));
        for page in [PAGE, OUT] {
            assert_eq!(page.matches("nonce=\"NONCE\"").count(), page.matches("NONCE").count());
        }
    }
}
