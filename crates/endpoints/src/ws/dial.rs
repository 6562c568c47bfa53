//! The connecting side: a request, and a stream if the answer is right (RFC 6455 section 4.1).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use ::bytes::BytesMut;
use async_trait::async_trait;
use descriptor::Template;
use endpoint::info::{Http, Target};
use endpoint::{ByteStream, Conn, Context, DialLayer, Error, ErrorKind, Info, Result, Transport};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use websocket::{Role, deflate};

use super::agreement::{Agreed, Asked, check};
use super::negotiate::{BINARY, Mode};
use super::options::Options;
use super::stream::core::Core;
use super::stream::messages::Messages;
use super::terminal;
use crate::http::response::{Failure, exchange};
use crate::http::syntax::is_value;
use crate::http::target::{self, Unfilled};
use crate::patience::timeout;

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Dialling {
    /// The endpoint, for messages.
    pub(super) label: String,
    pub(super) request: Request,
    /// Set if the server has to choose a subprotocol.
    pub(super) required: bool,
    pub(super) limit: Duration,
    pub(super) options: Options,
}

/// The contents of a request.
pub(super) struct Request {
    pub(super) host: Option<String>,
    pub(super) target: String,
    /// Instead of the target.
    pub(super) path: Option<Template>,
    /// `None` offers what the near side's client offers.
    pub(super) offers: Option<Vec<String>>,
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
    async fn dial(&self, cx: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        let Conn { transport, info: beneath, control, guard } = conn;
        let target = self.target(info)?;
        let host = self.host(&beneath);
        let key = generate_key();
        let offers = self.offers(info);
        let request = self.text(&target, &host, &key, &offers, info)?;
        let mut stream = transport.into_bytes();
        let asked = Asked {
            key: &key,
            subprotocols: &offers,
            deflate: self.options.compression.as_ref().map(|wanted| &wanted.config),
        };
        let shaken = timeout(self.limit, self.shake(&mut stream, request.as_bytes(), &asked)).await;
        let (agreed, unread) = shaken
            .unwrap_or_else(|| {
                let limit = self.limit.as_secs_f64();
                let words = format!("no answer to the WebSocket handshake within {limit} s");
                Err((ErrorKind::Timeout, words))
            })
            .map_err(|(kind, words)| self.error(kind, words))?;
        let Agreed { subprotocol, deflate } = agreed;
        let (agreed, params) = (subprotocol.as_deref(), deflate.as_ref());
        let terms = self.options.terms(Role::Client, None, agreed, params, cx.clock());
        let mode = terms.mode;
        let mut http = Http::default();
        (http.path, http.query) = match target.split_once('?') {
            Some((path, query)) => (path.to_owned(), query.to_owned()),
            None => (target, String::new()),
        };
        http.headers.push(("host".to_owned(), host));
        http.subprotocols = subprotocol.into_iter().collect();
        let mut core = Core::new(stream, terms, unread);
        let mut control = control;
        if mode == Mode::Terminal {
            let (signals, beside) = terminal::pair(Role::Client, None);
            control = signals;
            core = core.with(beside);
        }
        let messages = Messages(core, self.options.framing.clone());
        let transport = Transport::Messages(Box::new(messages));
        Ok(Conn { transport, info: beneath.with(http), control, guard })
    }
}

impl Dialling {
    async fn shake(
        &self,
        stream: &mut Box<dyn ByteStream>,
        request: &[u8],
        asked: &Asked<'_>,
    ) -> Result<(Agreed, BytesMut), Failure> {
        let (response, rest) = exchange(stream, request).await?;
        let agreed = check(stream, &response, &rest, asked).await?;
        if self.required && agreed.subprotocol.is_none() {
            let offers = asked.subprotocols.join(", ");
            let words = format!("the server chose none of the subprotocols `{offers}`");
            return Err((ErrorKind::Protocol, words));
        }
        Ok((agreed, rest))
    }

    /// The subprotocols to offer.
    ///
    /// Between two of `ws` a message stays what it is, so what the client of the near side wants to
    /// speak is asked of the server: text stays text only if `binary` isn't agreed on.
    fn offers(&self, near: &Info) -> Vec<String> {
        if let Some(offers) = &self.request.offers {
            return offers.clone();
        }
        let binary = || vec![BINARY.to_owned()];
        let Some(http) = near.get::<Http>() else { return binary() };
        let others = http.subprotocols.iter().filter(|name| *name != terminal::NAME);
        let others: Vec<_> = others.cloned().collect();
        // A client that speaks only our own subprotocol has binary data.
        if others.is_empty() && !http.subprotocols.is_empty() { binary() } else { others }
    }

    /// The target of the request, filled.
    fn target(&self, info: &Info) -> Result<String> {
        match &self.request.path {
            None => Ok(self.request.target.clone()),
            Some(path) => {
                let fact = |root: &str, name: &str| info.lookup(root, name);
                target::fill(path, &fact).map_err(|unfilled| {
                    let kind = match unfilled {
                        Unfilled::Missing(_) => ErrorKind::NotFound,
                        Unfilled::Climbs => ErrorKind::Refused,
                    };
                    self.error(kind, unfilled.to_string())
                })
            }
        }
    }

    /// The host of the request: the URL's, else what was dialled, as RFC 9110 section 7.2 wants it written.
    fn host(&self, beneath: &Info) -> String {
        let dialled = || {
            let Target { host, port, .. } = beneath.get::<Target>()?;
            // A zone is of this machine alone (RFC 6874).
            let host = host.split('%').next().unwrap_or(host);
            let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
            Some(if *port == 80 { host } else { format!("{host}:{port}") })
        };
        self.request.host.clone().or_else(dialled).unwrap_or_else(|| "localhost".to_owned())
    }

    fn text(
        &self,
        target: &str,
        host: &str,
        key: &str,
        offers: &[String],
        info: &Info,
    ) -> Result<String> {
        let Request { origin, headers, .. } = &self.request;
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
        if let Some(wanted) = &self.options.compression {
            put("Sec-WebSocket-Extensions", &deflate::offer(&wanted.config));
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
                let words = format!("the header `{name}` would contain control characters");
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
