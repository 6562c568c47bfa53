//! The connecting side: a request, and a stream if the answer is right (RFC 6455 section 4.1).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use ::bytes::BytesMut;
use async_trait::async_trait;
use descriptor::Template;
use endpoint::info::{Http, Tcp};
use endpoint::{ByteStream, Conn, Context, DialLayer, Error, ErrorKind, Info, Result, Transport};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use websocket::Role;

use super::keepalive::Pace;
use super::messages::Messages;
use super::negotiate::Mode;
use super::plan::is_value;
use super::response::{Failure, check, exchange};
use super::stream::{Core, Terms};
use super::terminal;
use super::url;

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Dialling {
    /// The endpoint, for messages.
    pub(super) label: String,
    pub(super) request: Request,
    /// Whether the server has to choose a subprotocol.
    pub(super) required: bool,
    pub(super) limit: Duration,
    pub(super) pace: Pace,
    pub(super) frame: Option<usize>,
}

/// What is asked for.
pub(super) struct Request {
    pub(super) host: Option<String>,
    pub(super) target: String,
    /// Instead of the target.
    pub(super) path: Option<Template>,
    pub(super) offers: Vec<String>,
    pub(super) origin: Option<String>,
    pub(super) headers: Vec<(String, Template)>,
}

impl fmt::Debug for Request {
    /// Headers may be secrets, and so may a query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("host", &self.host)
            .field("offers", &self.offers)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl DialLayer for Dialling {
    async fn dial(&self, _: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        let Conn { transport, info: beneath, control, hold } = conn;
        let target = self.target(info)?;
        let host = self.host(&beneath);
        let key = generate_key();
        let request = self.text(&target, &host, &key, info)?;
        let mut stream = transport.into_bytes();
        let shaken = timeout(self.limit, self.shake(&mut stream, request.as_bytes(), &key)).await;
        let (subprotocol, unread) = shaken
            .unwrap_or_else(|_| {
                let limit = self.limit.as_secs_f64();
                let words = format!("no answer to the WebSocket handshake within {limit} s");
                Err((ErrorKind::Timeout, words))
            })
            .map_err(|(kind, words)| self.error(kind, words))?;
        let terms = Terms {
            role: Role::Client,
            mode: Mode::of(subprotocol.as_deref()),
            pace: self.pace,
            frame: self.frame,
        };
        let mut http = Http::default();
        (http.path, http.query) = match target.split_once('?') {
            Some((path, query)) => (path.to_owned(), query.to_owned()),
            None => (target, String::new()),
        };
        http.headers.push(("host".to_owned(), host));
        http.subprotocols = subprotocol.into_iter().collect();
        let mut core = Core::new(stream, terms, unread);
        let mut control = control;
        if terms.mode == Mode::Terminal {
            let (signals, beside) = terminal::pair(Role::Client, None);
            control = signals;
            core = core.with(beside);
        }
        let messages = Messages(core);
        let transport = Transport::Messages(Box::new(messages));
        Ok(Conn { transport, info: beneath.with(http), control, hold })
    }
}

impl Dialling {
    async fn shake(
        &self,
        stream: &mut Box<dyn ByteStream>,
        request: &[u8],
        key: &str,
    ) -> Result<(Option<String>, BytesMut), Failure> {
        let (response, rest) = exchange(stream, request).await?;
        let subprotocol = check(stream, &response, &rest, key, &self.request.offers).await?;
        if self.required && subprotocol.is_none() {
            let offers = self.request.offers.join(", ");
            let words = format!("the server chose none of the subprotocols `{offers}`");
            return Err((ErrorKind::Protocol, words));
        }
        Ok((subprotocol, rest))
    }

    /// The target of the request, filled.
    fn target(&self, info: &Info) -> Result<String> {
        match &self.request.path {
            None => Ok(self.request.target.clone()),
            Some(path) => Ok(url::target(&self.fill(path, info)?)),
        }
    }

    /// The host of the request: the URL's, else the address that was connected to.
    fn host(&self, beneath: &Info) -> String {
        let address = || beneath.get::<Tcp>().map(|tcp| tcp.peer.to_string());
        self.request.host.clone().or_else(address).unwrap_or_else(|| "localhost".to_owned())
    }

    fn text(&self, target: &str, host: &str, key: &str, info: &Info) -> Result<String> {
        let Request { offers, origin, headers, .. } = &self.request;
        let mut text = format!("GET {target} HTTP/1.1\r\n");
        let mut put = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\r\n"));
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            put("Host", host);
        }
        put("Upgrade", "websocket");
        put("Connection", "Upgrade");
        put("Sec-WebSocket-Version", "13");
        put("Sec-WebSocket-Key", key);
        if !offers.is_empty() {
            put("Sec-WebSocket-Protocol", &offers.join(", "));
        }
        let given = |name: &str| headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if offers.iter().any(|name| name == terminal::NAME) && !given(terminal::PLAIN) {
            put(terminal::PLAIN, "stream");
        }
        if let Some(origin) = origin {
            put("Origin", origin);
        }
        for (name, value) in headers {
            let value = self.fill(value, info)?;
            // A peer's words may be in it: nothing of them may begin another header.
            if !is_value(&value) {
                let words = format!("the header `{name}` would have control characters in it");
                return Err(self.error(ErrorKind::Refused, words));
            }
            put(name, &value);
        }
        text.push_str("\r\n");
        Ok(text)
    }

    fn fill(&self, template: &Template, info: &Info) -> Result<String> {
        let fact = |root: &str, name: &str| -> Option<Cow<'_, str>> { info.lookup(root, name) };
        let filled = template.fill(&fact);
        filled.map_err(|missing| self.error(ErrorKind::NotFound, missing.to_string()))
    }

    fn error(&self, kind: ErrorKind, words: String) -> Error {
        Error::new(kind, "connect", &*self.label, words)
    }
}
