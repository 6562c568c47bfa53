//! The connecting side: a proxy is asked for a tunnel.

use std::time::Duration;

use async_trait::async_trait;
use endpoint::info::Target;
use endpoint::{
    ByteStream, Conn, Context, DialLayer, Error, ErrorKind, Grants, Info, Missing, Result,
    Transport, describe,
};
use http_connect::{Answer, Login as Credentials, Read, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::destination::Destination;
use crate::login::Login;
use crate::patience::timeout;
use crate::prefixed::Prefixed;

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) label: String,
    pub(super) destination: Destination,
    pub(super) login: Option<Login>,
    pub(super) limit: Duration,
}

#[async_trait]
impl DialLayer for Dial {
    async fn dial(&self, cx: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        Destination::check_network(info, false, &self.label)?;
        let place = self.destination.of(info, &self.label).await?;
        let mut host = place.host.to_string();
        if self.destination.is_restricted(&place) {
            let addresses = self.destination.addresses(cx, &place, &self.label).await?;
            let address = addresses.first().expect("without one it is an error");
            host = address.ip().to_canonical().to_string();
        }
        let login = match &self.login {
            Some(login) => {
                let password = login.password(&self.label).await?;
                Some(Credentials { user: login.user().to_owned(), password })
            }
            None => None,
        };
        let request = Request { host, port: place.port, login };
        let request = request.bytes().map_err(|error| self.error(ErrorKind::Other, error.words))?;
        let Conn { transport, info: beneath, control, guard } = conn;
        let mut stream = transport.into_bytes();
        let asked = timeout(self.limit, self.ask(&mut stream, &request)).await;
        let unread = asked.unwrap_or_else(|| {
            let limit = self.limit.as_secs_f64();
            Err(self
                .error(ErrorKind::Timeout, format!("no answer from the proxy within {limit} s")))
        })?;
        // Bytes that the proxy sent together with its answer belong to the tunnel.
        let stream =
            if unread.is_empty() { stream } else { Box::new(Prefixed::new(unread, stream)) };
        let target = Target::new(place.host.to_string(), place.port);
        let transport = Transport::Bytes(stream);
        Ok(Conn { transport, info: beneath.with(target), control, guard })
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        self.login.as_ref().map(Login::missing).unwrap_or_default()
    }

    fn grants(&self, beneath: Grants) -> Grants {
        beneath.max(self.destination.grants())
    }
}

impl Dial {
    /// Asks; returns what came behind the answer.
    async fn ask(&self, stream: &mut Box<dyn ByteStream>, request: &[u8]) -> Result<Vec<u8>> {
        let lost = |error: std::io::Error| {
            let words = format!("the connection to the proxy was lost: {}", describe(&error));
            self.error(ErrorKind::Refused, words)
        };
        stream.write_all(request).await.map_err(lost)?;
        stream.flush().await.map_err(lost)?;
        let (mut bytes, mut interim) = (Vec::new(), 0);
        loop {
            let read = Answer::read(&bytes).map_err(|error| {
                let words = format!("the proxy's answer is invalid: {error}");
                self.error(ErrorKind::Protocol, words)
            })?;
            match read {
                Read::Head(answer, length) => {
                    bytes.drain(..length);
                    if answer.is_interim() && interim < INTERIM {
                        interim += 1;
                        continue;
                    }
                    if answer.is_success() {
                        return Ok(bytes);
                    }
                    return Err(self.refused(stream, &answer, bytes).await);
                }
                Read::More => {}
            }
            if more(stream, &mut bytes).await.map_err(lost)? == 0 {
                let words = match bytes.is_empty() {
                    true => "the proxy closed the connection without an answer",
                    false => "the proxy closed the connection within its answer",
                };
                return Err(self.error(ErrorKind::Protocol, words));
            }
        }
    }

    /// Returns the reason why there is no tunnel, in the proxy's own words.
    async fn refused(
        &self,
        stream: &mut Box<dyn ByteStream>,
        answer: &Answer,
        mut body: Vec<u8>,
    ) -> Error {
        let length = answer.length.unwrap_or(BODY).min(BODY);
        let reading = async {
            while body.len() < length {
                if !matches!(more(stream, &mut body).await, Ok(1..)) {
                    break;
                }
            }
        };
        // The answer is a refusal in any case.
        let _ = timeout(A_MOMENT, reading).await;
        body.truncate(length);
        let kind = match answer.status {
            401 | 403 | 407 => ErrorKind::Permission,
            404 => ErrorKind::NotFound,
            408 | 504 => ErrorKind::Timeout,
            _ => ErrorKind::Refused,
        };
        let mut words = format!("the proxy answered {} {}", answer.status, answer.reason);
        if let Some(said) = answer.words_of(&body) {
            words.push_str(": ");
            words.push_str(&said);
        }
        let error = |words: String| self.error(kind, words.trim_end());
        if answer.status != 407 {
            return error(words);
        }
        let is_basic = |scheme: &String| scheme.eq_ignore_ascii_case("basic");
        if !answer.schemes.is_empty() && !answer.schemes.iter().any(is_basic) {
            let schemes = answer.schemes.join(", ");
            return error(words).with_hint(format!(
                "the proxy accepts only {schemes}, but only Basic is supported: put a proxy such as cntlm or px in \
                 between"
            ));
        }
        error(words).with_hint(match self.login {
            Some(_) => "the name or the password is wrong",
            None => "authenticate with `user=` and `password-file=`",
        })
    }

    fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error {
        Error::new(kind, "connect", &*self.label, words)
    }
}

async fn more(stream: &mut Box<dyn ByteStream>, read: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut piece = [0; 1024];
    let length = stream.read(&mut piece).await?;
    read.extend_from_slice(&piece[..length]);
    Ok(length)
}

/// The maximum number of answers before the final one.
const INTERIM: usize = 16;
/// The maximum size of a refusal's body that is read.
const BODY: usize = 4096;
const A_MOMENT: Duration = Duration::from_millis(500);
