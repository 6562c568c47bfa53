//! The listening side: clients ask us for a tunnel.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::{Challenge, Gate, Scheme};
use endpoint::info::Target;
use endpoint::{
    Bound, Conn, Context, ErrorKind, Local, Offer, Refusal, RefusalKind, Result, ServeLayer,
    describe,
};
use http_connect::{Fault, Read, Request};
use hyper::header::HeaderValue;
use tokio::io::AsyncReadExt;

use crate::asking::{Asking, Says, login};
use crate::auth::Auth;
use crate::http::reply::authenticate;
use crate::shaking::{Listening, Shaken, Shaking};

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Serve {
    pub(super) auth: Auth,
    pub(super) limit: Duration,
}

#[async_trait]
impl ServeLayer for Serve {
    async fn bind(&self, cx: &Context, beneath: &Local) -> Result<Arc<dyn Bound>> {
        let local = Local::over("http-connect", beneath).without_page();
        let authenticator = self.auth.open(cx, &local)?;
        let authenticator = authenticator.map(|it| it.gate);
        Ok(Listening::bound(Kept { authenticator, limit: self.limit, local }))
    }
}

/// State shared by all connections of a listener.
struct Kept {
    authenticator: Option<Arc<dyn Gate>>,
    limit: Duration,
    local: Local,
}

#[async_trait]
impl Shaking for Kept {
    fn local(&self) -> &Local {
        &self.local
    }

    fn limit(&self) -> Duration {
        self.limit
    }

    fn late(&self, within: &str) -> String {
        format!("no CONNECT request came within {within}")
    }

    async fn shake(&self, conn: Conn) -> Result<Shaken> {
        self.ask(conn).await.map(Shaken::from)
    }
}

impl Kept {
    async fn ask(&self, conn: Conn) -> Result<Option<Offer>> {
        let Conn { transport, info, control, guard } = conn;
        let mut asking = Asking {
            stream: transport.into_bytes(),
            unread: Vec::new(),
            info,
            control,
            guard,
            listener: self.local.descriptor.clone(),
        };
        let request = loop {
            match Request::read(&asking.unread) {
                Ok(Read::Head(request, length)) => {
                    asking.unread.drain(..length);
                    break request;
                }
                Ok(Read::More) => {}
                Err(error) => {
                    asking.dismiss(&answer_to(error.fault, &error.words)).await;
                    return Err(self.error(ErrorKind::Protocol, error.words));
                }
            }
            let mut piece = [0; 1024];
            let read = asking.stream.read(&mut piece).await;
            let read = read.map_err(|error| self.error(ErrorKind::Other, describe(&error)))?;
            asking.unread.extend_from_slice(&piece[..read]);
            match read {
                0 if asking.unread.is_empty() => return Ok(None),
                0 => {
                    let words = "the connection ended within a request";
                    return Err(self.error(ErrorKind::Protocol, words));
                }
                _ => {}
            }
        };
        asking.unread.shrink_to_fit();
        let credentials = request.login.map(|shown| login(shown.user, shown.password));
        if let Some(gate) = &self.authenticator {
            let shown = credentials.clone().unwrap_or_default();
            match gate.check(&asking.info.clone().with(shown)).await {
                Ok(admitted) => asking.info = admitted.info,
                Err(refusal) => {
                    // A client that is put off is not asked again.
                    let kind = match refusal.kind {
                        kind @ (RefusalKind::Busy | RefusalKind::Throttled) => kind,
                        _ => RefusalKind::Unauthenticated,
                    };
                    let refusal = Refusal { kind, ..refusal };
                    asking.dismiss(&Http.no(&refusal)).await;
                    return Err(self.error(ErrorKind::Refused, refusal.message));
                }
            }
        }
        let target = Target::new(request.host, request.port);
        Ok(Some(asking.offer(target, credentials, Http)))
    }
}

/// HTTP's replies to accepted and refused requests.
struct Http;

impl Says for Http {
    fn yes(&self) -> Vec<u8> {
        b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec()
    }

    fn no(&self, refusal: &Refusal) -> Vec<u8> {
        let (status, more) = match refusal.kind {
            RefusalKind::Forbidden => ("403 Forbidden", String::new()),
            RefusalKind::NotFound => ("404 Not Found", String::new()),
            RefusalKind::Refused => ("502 Bad Gateway", String::new()),
            RefusalKind::Timeout => ("504 Gateway Timeout", String::new()),
            RefusalKind::Unauthenticated => {
                ("407 Proxy Authentication Required", proxy_authenticate(&refusal.challenges))
            }
            RefusalKind::Throttled => ("429 Too Many Requests", String::new()),
            _ => ("503 Service Unavailable", String::new()),
        };
        match refusal.retry_seconds() {
            Some(seconds) => {
                last(status, &format!("{more}Retry-After: {seconds}\r\n"), &refusal.message)
            }
            None => last(status, &more, &refusal.message),
        }
    }
}

/// Returns the header that asks for a name and a password, the only credentials that are read here. A 407 without it is
/// not allowed (RFC 9110 section 15.5.8).
fn proxy_authenticate(challenges: &[Challenge]) -> String {
    let basic = challenges.iter().find(|challenge| challenge.scheme == Scheme::Basic);
    let ours = Challenge { scheme: Scheme::Basic, realm: "endpointforward".to_owned() };
    match authenticate(basic.unwrap_or(&ours)).as_ref().map(HeaderValue::to_str) {
        Some(Ok(value)) => format!("Proxy-Authenticate: {value}\r\n"),
        _ => proxy_authenticate(&[]),
    }
}

fn answer_to(fault: Fault, words: &str) -> Vec<u8> {
    match fault {
        Fault::Malformed => last("400 Bad Request", "", words),
        Fault::Method => last("405 Method Not Allowed", "Allow: CONNECT\r\n", words),
        Fault::TooLarge => last("431 Request Header Fields Too Large", "", words),
    }
}

/// An answer after which the connection ends.
fn last(status: &str, more: &str, words: &str) -> Vec<u8> {
    let line: String = words.chars().filter(|c| !c.is_control()).collect();
    format!(
        "HTTP/1.1 {status}\r\n{more}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{line}\n",
        line.len() + 1
    )
    .into_bytes()
}
