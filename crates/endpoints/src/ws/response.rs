//! What a server answers to our handshake (RFC 6455 section 4.1).

use std::io;
use std::time::Duration;

use ::bytes::BytesMut;
use endpoint::{ByteStream, ErrorKind};
use hyper::StatusCode;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use websocket::deflate::{self, Config, Params};

use super::request::printable;

/// Why there is no connection: what sort of failure, and in words.
pub(super) type Failure = (ErrorKind, String);

/// Sends a request and reads the header of the final answer, with what came behind it. Interim answers (1xx) in front
/// of it are skipped (RFC 9110 section 15.2).
pub(super) async fn exchange(
    stream: &mut Box<dyn ByteStream>,
    request: &[u8],
) -> Result<(Response, BytesMut), Failure> {
    stream.write_all(request).await.map_err(|error| lost(&error))?;
    stream.flush().await.map_err(|error| lost(&error))?;
    let mut read = BytesMut::new();
    let mut interim = 0;
    loop {
        let parsed = Response::try_parse(&read);
        if let Some((len, response)) = parsed.map_err(|error| not_http(&error.to_string()))? {
            let _ = read.split_to(len);
            let status = response.status();
            if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
                return Ok((response, read));
            }
            interim += 1;
            if interim > INTERIM {
                return Err(not_http("one interim answer (1xx) follows another"));
            }
            continue;
        }
        if read.len() >= HEADER {
            return Err(not_http("its header has more than 16 KiB"));
        }
        if more(stream, &mut read).await.map_err(|error| lost(&error))? == 0 {
            let words = match read.is_empty() {
                true => "the server closed the connection without an answer",
                false => "the server closed the connection within its answer",
            };
            return Err((ErrorKind::Protocol, words.to_owned()));
        }
    }
}

/// What was asked for.
pub(super) struct Asked<'a> {
    pub(super) key: &'a str,
    pub(super) subprotocols: &'a [String],
    /// How compression was offered, if it was.
    pub(super) deflate: Option<&'a Config>,
}

/// What the server agreed to.
pub(super) struct Agreed {
    pub(super) subprotocol: Option<String>,
    pub(super) deflate: Option<Params>,
}

/// What the server agreed to, if its answer is right.
pub(super) async fn check(
    stream: &mut Box<dyn ByteStream>,
    response: &Response,
    rest: &BytesMut,
    asked: &Asked<'_>,
) -> Result<Agreed, Failure> {
    let protocol = |words: String| (ErrorKind::Protocol, words);
    let headers = response.headers();
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(stream, response, rest).await);
    }
    for (name, word) in [(UPGRADE, "websocket"), (CONNECTION, "upgrade")] {
        let values = headers.get_all(&name).into_iter().filter_map(|value| value.to_str().ok());
        let mut words = values.flat_map(|value| value.split(',')).map(str::trim);
        if !words.any(|other| other.eq_ignore_ascii_case(word)) {
            return Err(protocol(format!("the server's 101 has no `{name}: {word}`")));
        }
    }
    if one(headers, &SEC_WEBSOCKET_ACCEPT)? != Some(&*derive_accept_key(asked.key.as_bytes())) {
        return Err(protocol(
            "the server's Sec-WebSocket-Accept is not the one for our key".into(),
        ));
    }
    let extensions = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let extensions: Vec<_> = extensions.filter_map(|value| value.to_str().ok()).collect();
    let extensions = extensions.join(", ");
    let deflate = match asked.deflate {
        Some(config) => deflate::accept(config, &extensions)
            .map_err(|why| protocol(format!("the server's compression can't be used: {why}")))?,
        None if extensions.trim().is_empty() => None,
        None => {
            let extensions = printable(&extensions);
            return Err(protocol(format!(
                "the server uses extensions without being asked: {extensions}"
            )));
        }
    };
    let subprotocol = match one(headers, &SEC_WEBSOCKET_PROTOCOL)? {
        None => None,
        Some(chosen) if asked.subprotocols.iter().any(|offer| offer == chosen) => {
            Some(chosen.to_owned())
        }
        Some(chosen) => {
            let chosen = printable(chosen);
            let offered = match asked.subprotocols {
                [] => "none was offered".to_owned(),
                names => format!("offered were `{}`", names.join(", ")),
            };
            return Err(protocol(format!(
                "the server chose the subprotocol `{chosen}`, which was not offered: {offered}"
            )));
        }
    };
    Ok(Agreed { subprotocol, deflate })
}

/// What a server says that doesn't switch: its status, and the first line of its words.
async fn refused(
    stream: &mut Box<dyn ByteStream>,
    response: &Response,
    rest: &BytesMut,
) -> Failure {
    let mut body = rest.clone();
    let is_text = response
        .headers()
        .get(hyper::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("text/plain"));
    let length = response
        .headers()
        .get(hyper::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map_or(BODY, |length: usize| length.min(BODY));
    // The rest of the line may be on its way; the answer is a refusal in any case.
    let line = async {
        while is_text && !body.contains(&b'\n') && body.len() < length {
            if !matches!(more(stream, &mut body).await, Ok(1..)) {
                break;
            }
        }
    };
    let _ = timeout(A_MOMENT, line).await;
    let status = response.status();
    let kind = match status {
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => ErrorKind::Permission,
        StatusCode::GATEWAY_TIMEOUT => ErrorKind::Timeout,
        _ => ErrorKind::Refused,
    };
    let mut words = format!("the server answered {status}");
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if status.is_redirection()
        && let Some(to) = header(hyper::header::LOCATION)
    {
        words.push_str(&format!(
            ": what was asked for is at `{}`, which isn't followed",
            printable(to)
        ));
    }
    if status == StatusCode::UNAUTHORIZED {
        words.push_str(
            "; credentials are sent with `header.authorization=` or `ws://USER:PASSWORD@HOST`",
        );
    }
    body.truncate(length);
    if is_text {
        let text = String::from_utf8_lossy(&body);
        // A body in chunks begins with the length of the first.
        let is_length = |line: &str| line.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next();
        let chunked = response.headers().contains_key(hyper::header::TRANSFER_ENCODING);
        let first = if chunked && first.is_some_and(is_length) { lines.next() } else { first };
        if let Some(line) = first {
            words.push_str(": ");
            words.push_str(&printable(line));
        }
    }
    (kind, words)
}

async fn more(stream: &mut Box<dyn ByteStream>, read: &mut BytesMut) -> io::Result<usize> {
    let mut piece = [0; 1024];
    let len = stream.read(&mut piece).await?;
    read.extend_from_slice(&piece[..len]);
    Ok(len)
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Failure> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (values.next(), value.to_str()) {
        (None, Ok(value)) => Ok(Some(value.trim())),
        _ => Err((ErrorKind::Protocol, format!("the server's `{name}` is not one value"))),
    }
}

fn not_http(words: &str) -> Failure {
    (ErrorKind::Protocol, format!("what the server answered is not HTTP: {words}"))
}

fn lost(error: &io::Error) -> Failure {
    let kind = endpoint::Error::from_io("connect", "", error.kind().into()).kind();
    (kind, format!("the connection was lost during the handshake: {}", endpoint::describe(error)))
}

/// How many answers may come before the one that counts. Servers send one or two.
const INTERIM: usize = 16;
/// Of an answer's header.
const HEADER: usize = 16 * 1024;
/// Of a refusal's body.
const BODY: usize = 1024;
const A_MOMENT: Duration = Duration::from_millis(500);
