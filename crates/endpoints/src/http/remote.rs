//! Requests to an HTTP server whose URL the operator has configured.
//!
//! Redirects aren't followed: only the operator chooses the destination of a request, so no server can cause a request
//! to an address that only this machine reaches.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use descriptor::{Code, Diagnostic, Syntax, quote_positional};
use endpoint::{Connector, Context, Info};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AGE, CACHE_CONTROL, HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use plan::Registry;
use plan::kind::Args;
use tokio::task::{AbortHandle, JoinHandle};

/// A server and what it is asked for, planned.
pub(crate) struct Remote {
    pub(crate) connector: Box<dyn Connector>,
    host: HeaderValue,
    path: Uri,
    /// For messages: without the query, which may be a secret.
    shown: String,
    is_private: bool,
}

impl Remote {
    /// Reads the parameter `name`; `ca` has the authorities to trust, if those of the system aren't meant.
    ///
    /// # Errors
    /// It isn't the URL of an HTTP server, or has a name and a password; `instead` names their replacement.
    pub(crate) fn read(
        args: &Args,
        name: &str,
        ca: Option<&str>,
        instead: &str,
    ) -> Result<Self, Diagnostic> {
        let url = args.text(name).unwrap_or_default();
        let mistake = |words: &str| args.mistake(name, Code::BadValue, format!("`{name}` {words}"));
        let remote = Self::new(args.registry(), url, ca).map_err(|words| mistake(&words))?;
        if remote.host.as_bytes().contains(&b'@') {
            return Err(mistake("can't contain a name or a password").help(instead));
        }
        Ok(remote)
    }

    /// Plans a server.
    ///
    /// # Errors
    /// The URL breaks a rule, which the text states.
    pub(crate) fn new(registry: &Registry, url: &str, ca: Option<&str>) -> Result<Self, String> {
        let no_url = "must be a URL";
        let uri: Uri = url.parse().map_err(|_| no_url)?;
        let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme));
        let scheme = scheme.ok_or("must begin with `http://` or `https://`")?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let is_encrypted = scheme == "https";
        // `http` reads a port that is too large as none.
        let typed = authority.rsplit('@').next().unwrap_or_default();
        let behind = typed.strip_prefix(uri.host().unwrap_or_default()).unwrap_or_default();
        if behind.len() > 1 && uri.port_u16().is_none() {
            return Err(no_url.to_owned());
        }
        let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let mut to = format!("tcp:{}:{port}", quote_positional(host));
        if is_encrypted {
            let ca = ca.map(|ca| format!(":ca={}", quote_positional(ca)));
            to = format!("tls:{{{to}}}{}", ca.unwrap_or_default());
        }
        let plan = registry.connector(&to, Syntax::Extended).map_err(|found| {
            let first = found.first().map_or_else(String::new, |first| first.message.clone());
            format!("can't be planned: {first}")
        })?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let is_local = host.parse().map_or_else(
            |_| host.eq_ignore_ascii_case("localhost"),
            |address: IpAddr| address.is_loopback(),
        );
        Ok(Self {
            connector: plan.endpoint,
            host: HeaderValue::from_str(authority).map_err(|_| no_url)?,
            path: path.parse().map_err(|_| no_url)?,
            shown: format!("{scheme}://{authority}{}", uri.path()),
            is_private: is_encrypted || is_local,
        })
    }

    /// Returns whether the answers come unchanged: over TLS, or from this machine.
    pub(crate) fn is_private(&self) -> bool {
        self.is_private
    }

    /// Connects to it.
    ///
    /// # Errors
    /// It can't be reached, in words.
    pub(crate) async fn connect(&self, cx: &Context) -> Result<Link, String> {
        // The operator decides the address: nothing about a client does.
        let conn = self.connector.connect(cx, &Info::new()).await;
        let io = TokioIo::new(conn.map_err(|error| error.to_string())?.into_io());
        let (requests, connection) =
            handshake(io).await.map_err(|error| format!("no answer: {}", words(&error)))?;
        // Its error is that of the request.
        let task: JoinHandle<()> = tokio::spawn(async { drop(connection.await) });
        Ok(Link { requests, _task: Task(task.abort_handle()) })
    }

    /// Returns the path and the query of its URL.
    pub(crate) fn path(&self) -> &str {
        self.path.path_and_query().map_or("/", |path| path.as_str())
    }

    /// Returns a request for its URL.
    pub(crate) fn request(&self, method: Method, body: Bytes) -> Request<Full<Bytes>> {
        self.request_at(self.path.clone(), method, body)
    }

    /// Returns a request for another path of its server.
    pub(crate) fn request_at(
        &self,
        path: Uri,
        method: Method,
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        (*request.method_mut(), *request.uri_mut()) = (method, path);
        request.headers_mut().insert(HOST, self.host.clone());
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("endpointforward"));
        request
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.shown).finish()
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A connection, and the task that keeps it.
#[derive(Debug)]
pub(crate) struct Link {
    requests: SendRequest<Full<Bytes>>,
    _task: Task,
}

impl Link {
    /// Waits until a request can be sent; returns whether one can.
    pub(crate) async fn is_ready(&mut self) -> bool {
        self.requests.ready().await.is_ok()
    }

    /// Sends a request.
    ///
    /// # Errors
    /// There is no answer, in words.
    pub(crate) async fn ask(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, String> {
        let response = self.requests.send_request(request).await;
        response.map_err(|error| format!("no answer: {}", words(&error)))
    }
}

#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Returns the lifetime of an answer (RFC 9111 section 5.2.2), if it has one, less its age in caches on the way.
pub(crate) fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(CACHE_CONTROL).into_iter();
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok());
    let age = Duration::from_secs(age.unwrap_or(0));
    let found = freshness(values.filter_map(|value| value.to_str().ok()));
    found.map(|lifetime| lifetime.saturating_sub(age))
}

fn freshness<'a>(values: impl Iterator<Item = &'a str>) -> Option<Duration> {
    let mut found = None;
    for directive in values.flat_map(|value| value.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match &*name.trim().to_ascii_lowercase() {
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            "max-age" => {
                let seconds = value.trim().trim_matches('"').parse().unwrap_or(0);
                found.get_or_insert(Duration::from_secs(seconds));
            }
            _ => {}
        }
    }
    found
}

/// An error of hyper's with its causes.
fn words(error: &hyper::Error) -> String {
    let mut words = error.to_string();
    let mut cause = Error::source(error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_how_long_it_counts() {
        for (values, seconds) in [
            (&["max-age=60"][..], Some(60)),
            (&["public, Max-Age=\"60\""], Some(60)),
            (&["max-age=60, no-cache"], Some(0)),
            (&["private", "max-age=5", "max-age=60"], Some(5)),
            (&["no-store"], Some(0)),
            (&["max-age=-1"], Some(0)),
            (&["max-age"], Some(0)),
            (&["private"], None),
            (&[], None),
        ] {
            let found = freshness(values.iter().copied());
            assert_eq!(found, seconds.map(Duration::from_secs), "{values:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(AGE, HeaderValue::from_static("20"));
        assert_eq!(lifetime(&headers), None);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        assert_eq!(lifetime(&headers), Some(Duration::from_secs(40)));
        headers.insert(AGE, HeaderValue::from_static("99999999999999999999"));
        assert_eq!(lifetime(&headers), Some(Duration::from_secs(60)));
        headers.insert(AGE, HeaderValue::from_static("61"));
        assert_eq!(lifetime(&headers), Some(Duration::ZERO));
    }
}
