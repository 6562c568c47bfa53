//! `route:http=URL`: a POST to a server, with the facts about the client as JSON, or a GET with the key in the URL, as
//! websockify's plugins send it. One connection is kept for the next lookup.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use descriptor::Code;
use endpoint::provider::{Answer, Asks, Found, Provider, Query};
use endpoint::{Context, Missing, describe};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use plan::kind::{Args, AssembleProvider, Param, Planned, ProviderKind, ValueKind};
use tracing::debug;

use super::answer;
use super::facts::Names;
use super::hole::Hole;
use crate::absent::no_files;
use crate::http::remote::{Link, Remote, lifetime};

pub(super) static HTTP: ProviderKind = ProviderKind {
    name: "http",
    about: "a server, by a request over HTTP",
    params: &[
        Param::new(
            "http",
            ValueKind::Text,
            "The URL, `http://…` or `https://…`. The facts about the client, without cookies and credentials, are \
             sent by POST as a JSON object with their template names. If the path or the query contains `%s`, the server \
             is asked by GET instead, with the key percent-encoded in its place. The answer is 200 with a descriptor, \
             `HOST:PORT`, or JSON with `destination`, or `host` and `port`, and `subprotocol`. 404, or an empty 200, means that there is no \
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
    let instead = "use `bearer-file=`, which keeps a token out of the process list";
    let mut remote = Remote::read(args, "http", None, instead).map_err(|mistake| vec![mistake])?;
    let bearer = args.text("bearer-file").filter(|file| !file.is_empty()).map(PathBuf::from);
    let hole = Hole::read(args.text("http").unwrap_or_default(), remote.path());
    let hole = hole.map_err(|words| vec![args.mistake("http", Code::BadValue, words)])?;
    let asking = hole.map_or_else(|| Asking::Facts(Names::of(args.registry())), Asking::Key);
    Ok(Box::new(move |beneath| {
        let over = beneath.connectors("over").pop();
        let is_over = over.is_some();
        if let Some(over) = over {
            remote.connector = over;
        }
        Box::new(Http { remote, is_over, bearer, asking, idle: Mutex::default() })
    }))
}

/// The facts about a client that a server is asked with.
#[derive(Debug)]
enum Asking {
    /// All facts.
    Facts(Names),
    /// The key, in the URL.
    Key(Hole),
}

/// The same for one client.
enum Asked {
    Facts(Bytes),
    Key(Uri),
}

impl Asking {
    /// `None` if there can't be an answer for this client.
    fn about(&self, query: &Query<'_>) -> Option<Asked> {
        match self {
            Self::Facts(names) => Some(Asked::Facts(names.json(query).into())),
            Self::Key(hole) => hole.fill(query.key?).map(Asked::Key),
        }
    }
}

#[derive(Debug)]
struct Http {
    remote: Remote,
    /// Set if it is reached over another endpoint.
    is_over: bool,
    bearer: Option<PathBuf>,
    asking: Asking,
    /// A connection that was used before.
    idle: Mutex<Option<Link>>,
}

#[async_trait]
impl Provider for Http {
    async fn find(&self, cx: &Context, query: &Query<'_>) -> Result<Answer, String> {
        let Some(asked) = self.asking.about(query) else {
            return Ok(Answer::new(Found::Unknown));
        };
        let bearer = self.bearer().await?;
        let request = || self.request(&asked, bearer.clone());
        if let Some(mut link) = self.take()
            && link.is_ready().await
        {
            match link.ask(request()).await {
                Ok(response) => return self.answered(link, response).await,
                // A server may close it at any time, having seen nothing of the request.
                Err(words) => debug!("a kept connection was closed: {words}"),
            }
        }
        let mut link = self.remote.connect(cx).await?;
        let response = link.ask(request()).await?;
        self.answered(link, response).await
    }

    fn asks(&self) -> Asks {
        match self.asking {
            Asking::Facts(_) => Asks::Facts,
            Asking::Key(_) => Asks::Key,
        }
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = match self.is_over {
            true => Missing::within("over", 0, self.remote.connector.missing(cx)),
            false => Missing::at("http", self.remote.connector.missing(cx)),
        };
        all.extend(no_files([("bearer-file", &self.bearer)]));
        all
    }
}

impl Http {
    fn request(&self, asked: &Asked, bearer: Option<HeaderValue>) -> Request<Full<Bytes>> {
        let mut request = match asked {
            Asked::Facts(body) => self.remote.request(Method::POST, body.clone()),
            Asked::Key(path) => self.remote.request_at(path.clone(), Method::GET, Bytes::new()),
        };
        let headers = request.headers_mut();
        if let Asked::Facts(_) = asked {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/plain"));
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
        let lifetime = lifetime(response.headers());
        let found = match status {
            StatusCode::OK => {
                let body = Limited::new(response.into_body(), answer::LONGEST).collect().await;
                let body = body.map_err(|error| format!("cannot read the answer: {error}"))?;
                let found = answer::read(&body.to_bytes())?;
                self.put(link);
                found.map_or(Found::Unknown, Found::Destination)
            }
            // The status is the answer: the rest is not waited for.
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
