//! A request's head, and what is asked for by whom.

use std::sync::Arc;

use endpoint::Info;
use endpoint::gate::Credentials;
use endpoint::info::{Http, Proxied};
use hyper::body::{Body, Incoming};
use hyper::header::{HOST, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper::{Method, Request, Uri, Version};

use super::form::Form;
use super::syntax::{has_word, is_token, single, words};

/// A request without its body.
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) has_body: bool,
    /// The contents of a form that was sent without JavaScript.
    pub(crate) form: Option<Box<Form>>,
}

impl Head {
    /// Returns the head of what hyper has read, and the body if it is a form.
    pub(super) fn of(request: Request<Incoming>) -> (Self, Option<Incoming>) {
        let (parts, body) = request.into_parts();
        let hyper::http::request::Parts { method, uri, version, mut headers, .. } = parts;
        // The host of an absolute form takes precedence over the header (RFC 9112 section 3.2.2).
        if method != Method::CONNECT
            && single(&headers, &HOST).is_ok()
            && let Some(authority) = uri.authority()
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            headers.insert(HOST, host);
        }
        let body = Some(body).filter(|body| !body.is_end_stream());
        let has_body = body.is_some();
        let body = body.filter(|_| Form::is_in(&method, &headers));
        (Self { method, uri, version, headers, has_body, form: None }, body)
    }

    /// Returns the path, percent-encoded as it was sent.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns the part behind the `?`, as it was sent.
    pub(crate) fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// Returns whether it asks to switch to this protocol (RFC 9110 section 7.8).
    pub(crate) fn upgrades_to(&self, protocol: &str) -> bool {
        has_word(&self.headers, &UPGRADE, protocol)
    }

    /// Returns the facts about it.
    pub(crate) fn facts(&self) -> Http {
        let mut http = Http::default();
        self.path().clone_into(&mut http.path);
        self.query().unwrap_or_default().clone_into(&mut http.query);
        let headers = self.headers.iter();
        http.headers = headers
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.into()))
            })
            .collect();
        http.subprotocols = words(&self.headers, &SEC_WEBSOCKET_PROTOCOL)
            // A word to the listener, and no name that anything could speak.
            .filter(|name| is_token(name) && *name != TELL)
            .map(str::to_owned)
            .collect();
        http
    }
}

/// A request as a mount gets it.
pub(crate) struct Asked<'a> {
    pub(crate) head: &'a Head,
    /// The facts about it.
    pub(crate) http: &'a Arc<Http>,
    /// The credentials that were removed from it.
    pub(crate) credentials: &'a Credentials,
    /// The facts about the client that a trusted proxy reports.
    pub(crate) proxied: Option<&'a Proxied>,
    /// The facts about the connection.
    pub(crate) info: &'a Info,
    /// Held by a reply for as long as it is being sent.
    pub(crate) sending: &'a Arc<()>,
}

impl Asked<'_> {
    /// Returns the host that the client asked for, by the word of a trusted proxy or the Host header.
    pub(crate) fn host(&self) -> Option<&str> {
        let said = self.proxied.and_then(|proxied| proxied.host.as_deref());
        said.or_else(|| single(&self.head.headers, &HOST).unwrap_or_default())
    }

    /// Returns the scheme that the client used, if a trusted proxy reports it.
    pub(crate) fn scheme(&self) -> Option<&'static str> {
        self.proxied.and_then(|proxied| proxied.scheme)
    }
}

/// The subprotocol that a client offers to receive refusals as WebSocket Close frames.
pub(crate) const TELL: &str = "endpointforward.refusals";
