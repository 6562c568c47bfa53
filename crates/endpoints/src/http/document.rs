//! Pages that are made here, for people: a title and a few lines, in the colours of the built-in page.
//!
//! A line of text is enough for a program. A phone shows it in letters of a millimetre, since it has no viewport, so a browser that
//! navigates gets the same words as a page.

use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

use super::reply::{self, Reply, Words};

/// A random value that lets a page have its own styles and scripts, and no others.
pub(super) struct Nonce(String);

impl Nonce {
    /// `None` if the system has no random numbers.
    pub(super) fn new() -> Option<Self> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).ok()?;
        Some(Self(nonce.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a page of a title in text and a body in HTML; `None` if the system has no random numbers.
pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Option<Reply> {
    let nonce = Nonce::new()?;
    let (title, nonce) = (escaped(title), nonce.as_str());
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"dark light\">\n<title>{title}</title>\n\
         <style nonce=\"{nonce}\">\n{STYLE}</style>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</html>"
    );
    // It has no script. A developer's console may try the WebSocket from here.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; connect-src *; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut reply = html(status, &page, &policy)?;
    reply.headers_mut().insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    Some(reply)
}

/// Makes a reply of a whole page; `None` if `policy` can't be sent.
pub(super) fn html(status: StatusCode, page: &str, policy: &str) -> Option<Reply> {
    let mut reply = reply::text(status, page);
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_str(policy).ok()?);
    reply.extensions_mut().remove::<Words>();
    Some(reply)
}

/// Makes a page of a reply that is an error in words, and leaves any other as it is. Its other headers stay.
pub(super) fn show(reply: &mut Reply) {
    let status = reply.status();
    if !status.is_client_error() && !status.is_server_error() {
        return;
    }
    let Some(Words(words)) = reply.extensions_mut().remove::<Words>() else { return };
    let body = format!("<p class=\"words\">{}</p>\n", escaped(&words));
    let title = status.canonical_reason().unwrap_or("Error");
    let Some(mut page) = page(status, title, &body) else { return };
    *reply.body_mut() = std::mem::take(page.body_mut());
    let headers = page.headers_mut();
    for name in [CONTENT_TYPE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS] {
        if let Some(value) = headers.remove(&name) {
            reply.headers_mut().insert(name, value);
        }
    }
    reply.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
}

/// Text, for HTML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The styles of every page that is made here.
pub(super) const STYLE: &str = include_str!("document.css");

#[cfg(test)]
mod tests {
    use hyper::header::ALLOW;

    use super::*;

    #[test]
    fn words_are_no_markup() {
        assert_eq!(escaped("<b>&\""), "&lt;b&gt;&amp;&quot;");
    }

    #[test]
    fn only_an_error_in_words_becomes_a_page() {
        let kind = |reply: &Reply| reply.headers()[CONTENT_TYPE].clone();
        let mut reply = reply::text(StatusCode::METHOD_NOT_ALLOWED, "no <such> method");
        reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        show(&mut reply);
        assert_eq!(kind(&reply), "text/html; charset=utf-8");
        assert_eq!(reply.headers()[ALLOW], "GET");
        assert_eq!(reply.headers()[VARY], "accept");
        assert_eq!(reply.headers()[X_FRAME_OPTIONS], "DENY");
        let page = reply.headers()[CONTENT_SECURITY_POLICY].clone();
        show(&mut reply);
        assert_eq!(reply.headers()[CONTENT_SECURITY_POLICY], page, "it is one already");

        let mut fine = reply::text(StatusCode::OK, "ok");
        show(&mut fine);
        assert_eq!(kind(&fine), "text/plain; charset=utf-8");
    }

    #[test]
    fn each_page_has_its_own_nonce() {
        let policy = || {
            let page = page(StatusCode::OK, "/", "").expect("random numbers");
            page.headers()[CONTENT_SECURITY_POLICY].clone()
        };
        assert_ne!(policy(), policy());
    }
}
