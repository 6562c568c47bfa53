//! `route:http=URL`: a server is asked by POST, with the client's facts as JSON.
//!
//! One connection is kept for the next lookup. Redirects aren't followed: where a lookup goes is the operator's to say, and
//! no server can have us ask an address that only this machine reaches.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use descriptor::{Code, Syntax, quote_positional};
use endpoint::provider::{Answer, Asks, Found, Provider, Query};
use endpoint::{Connector, Context, Info, describe};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT,
};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use plan::kind::{Args, AssembleProvider, Param, Planned, ProviderKind, ValueKind};
use tokio::task::{AbortHandle, JoinHandle};
use tracing::debug;

use super::answer;
use super::facts::Names;

pub(super) static HTTP: ProviderKind = ProviderKind {
    name: "http",
    about: "a server, by a request over HTTP",
    params: &[
        Param::new(
            "http",
            ValueKind::Text,
            "The URL, `http://…` or `https://…`. The facts about the client, without cookies and credentials, are \
             sent by POST as a JSON object with their template names. The answer is 200 with a descriptor, \
             `HOST:PORT`, or JSON with `destination` and `subprotocol`. 404, or an empty 200, means that there is no \
             route; 403 refuses the client; any other answer means that the provider is down (503). Redirects are \
             not followed. `Cache-Control: max-age` sets how long the answer is valid for the key, an hour at most.",
        )
        .required()
        .hides_query(),
        Param::new(
            "over",
            ValueKind::Connector,
            "The endpoint to connect to, instead of the URL's host and port: `unix:/run/routes`, or \
             `{tls:{tcp:routes:443}:ca=FILE}`.",
        ),
        Param::new(
            "bearer-file",
            ValueKind::Text,
            "A file whose first line is sent as `Authorization: Bearer`. It is read for each lookup.",
        ),
    ],
    plan,
};

fn plan(args: &Args) -> Planned<AssembleProvider> {
    let mistake = |message: String| vec![args.mistake("http", Code::BadValue, message)];
    let typed = args.text("http").unwrap_or_default();
    let uri: Uri = typed.parse().map_err(|_| mistake("`http` must be a URL".to_owned()))?;
    let is_encrypted = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(mistake("`http` must begin with `http://` or `https://`".to_owned())),
    };
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        let found = mistake("`http` can't contain a name or a password".to_owned());
        let help = "use `bearer-file=`, which keeps a token out of the process list";
        return Err(found.into_iter().map(|mistake| mistake.help(help)).collect());
    }
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
    let mut to = format!("tcp:{}:{port}", quote_positional(host));
    if is_encrypted {
        to = format!("tls:{{{to}}}");
    }
    let plan = args.registry().connector(&to, Syntax::Extended).map_err(|found| {
        let first = found.first().map_or_else(String::new, |first| first.message.clone());
        mistake(format!("cannot plan `http`: {first}"))
    })?;
    let host =
        HeaderValue::from_str(authority).map_err(|_| mistake("`http` must be a URL".to_owned()))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let path: Uri = path.parse().map_err(|_| mistake("`http` must be a URL".to_owned()))?;
    let bearer = args.text("bearer-file").filter(|file| !file.is_empty()).map(PathBuf::from);
    let names = Names::of(args.registry());
    Ok(Box::new(move |beneath| {
        let connector = beneath.connectors("over").pop().unwrap_or(plan.endpoint);
        Box::new(Http { connector, host, path, bearer, names, idle: Mutex::default() })
    }))
}

#[derive(Debug)]
struct Http {
    connector: Box<dyn Connector>,
    host: HeaderValue,
    path: Uri,
    bearer: Option<PathBuf>,
    names: Names,
    /// A connection that was used before.
    idle: Mutex<Option<Link>>,
}

/// A connection, and the task that keeps it.
#[derive(Debug)]
struct Link {
    requests: SendRequest<Full<Bytes>>,
    _task: Task,
}

#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[async_trait]
impl Provider for Http {
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String> {
        let body = Bytes::from(self.names.json(query));
        let bearer = self.bearer().await?;
        let request = || self.request(body.clone(), bearer.clone());
        if let Some(mut link) = self.take()
            && link.requests.ready().await.is_ok()
        {
            match link.requests.send_request(request()).await {
                Ok(response) => return self.answered(link, response).await,
                // A server may close it at any time, having seen nothing of the request.
                Err(error) => debug!("a connection that was used before is over: {error}"),
            }
        }
        let mut link = self.connect(cx).await?;
        let response = link.requests.send_request(request()).await;
        let response = response.map_err(|error| format!("no answer: {}", words(&error)))?;
        self.answered(link, response).await
    }

    fn asks(&self) -> Asks {
        Asks::Facts
    }

    fn missing(&self, cx: &Context) -> Option<String> {
        self.connector.missing(cx)
    }
}

impl Http {
    async fn connect(&self, cx: &Context) -> Result<Link, String> {
        // The provider is the operator's: nothing about the client decides where it is.
        let conn = self.connector.connect(cx, &Info::new()).await;
        let io = TokioIo::new(conn.map_err(|error| error.to_string())?.into_io());
        let (requests, connection) =
            handshake(io).await.map_err(|error| format!("no answer: {}", words(&error)))?;
        // Its error is that of the request.
        let task: JoinHandle<()> = tokio::spawn(async { drop(connection.await) });
        Ok(Link { requests, _task: Task(task.abort_handle()) })
    }

    fn request(&self, body: Bytes, bearer: Option<HeaderValue>) -> Request<Full<Bytes>> {
        let mut request =
            Request::post(self.path.clone()).body(Full::new(body)).expect("it is one");
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain"));
        headers.insert(USER_AGENT, HeaderValue::from_static("endpointforward"));
        if let Some(bearer) = bearer {
            headers.insert(AUTHORIZATION, bearer);
        }
        request
    }

    async fn bearer(&self) -> Result<Option<HeaderValue>, String> {
        let Some(file) = &self.bearer else { return Ok(None) };
        let text = tokio::fs::read_to_string(file).await;
        let text = text.map_err(|error| format!("{}: {}", file.display(), describe(&error)))?;
        let line = text.lines().next().unwrap_or_default().trim();
        let value = HeaderValue::from_str(&format!("Bearer {line}"));
        let mut value =
            value.map_err(|_| format!("{}: its first line is not a token", file.display()))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }

    async fn answered(&self, link: Link, response: Response<Incoming>) -> Result<Answer, String> {
        let status = response.status();
        let lifetime = lifetime(&response);
        let found = match status {
            StatusCode::OK => {
                let body = Limited::new(response.into_body(), answer::LONGEST).collect().await;
                let body = body.map_err(|error| format!("cannot read the answer: {error}"))?;
                let found = answer::read(&body.to_bytes())?;
                self.put(link);
                found.map_or(Found::Unknown, Found::Destination)
            }
            // The status says it all: the rest is not waited for.
            StatusCode::NOT_FOUND => Found::Unknown,
            StatusCode::FORBIDDEN => Found::Forbidden,
            _ if status.is_redirection() => {
                return Err(format!("the answer is {status}, and redirects are not followed"));
            }
            _ => return Err(format!("it answers {status}")),
        };
        Ok(Answer::new(found).living(lifetime))
    }

    fn take(&self) -> Option<Link> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, link: Link) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }
}

/// How long the answer counts (RFC 9111 section 5.2.2), if it says so.
fn lifetime(response: &Response<Incoming>) -> Option<Duration> {
    let values = response.headers().get_all(CACHE_CONTROL).into_iter();
    freshness(values.filter_map(|value| value.to_str().ok()))
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
    let mut cause = std::error::Error::source(error);
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
    }
}
