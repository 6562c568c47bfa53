//! A server's answer to our request.
//!
//! The header is read by tungstenite's parser (httparse) and not by hyper's client: that one writes every name of a
//! header in lower case, or `Sec-Websocket-Key`, and servers in devices compare `Sec-WebSocket-Key` letter by letter;
//! and it skips interim answers for as long as they come.

use std::io;
use std::time::Duration;

use ::bytes::BytesMut;
use endpoint::{ByteStream, ErrorKind};
use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;

use super::syntax::printable;

/// The reason why there is no connection: the sort of failure, and a text.
pub(crate) type Failure = (ErrorKind, String);

/// Sends a request and reads the header of the final answer, with what came behind it. Interim answers (1xx) in front
/// of it are skipped (RFC 9110 section 15.2).
pub(crate) async fn exchange(
    stream: &mut Box<dyn ByteStream>,
    request: &[u8],
) -> Result<(Response, BytesMut), Failure> {
    stream.write_all(request).await.map_err(|error| lost(&error))?;
    stream.flush().await.map_err(|error| lost(&error))?;
    let mut read = BytesMut::new();
    let mut interim = 0;
    let mut is_old = false;
    loop {
        // The parser takes HTTP/1.1 only; a server of HTTP/1.0 has a reason for its refusal, too.
        if read.starts_with(OLD) {
            read[..OLD.len()].copy_from_slice(b"HTTP/1.1 ");
            is_old = true;
        }
        let parsed = Response::try_parse(&read);
        if let Some((len, response)) = parsed.map_err(|error| not_http(&error.to_string()))? {
            let _ = read.split_to(len);
            let status = response.status();
            if is_old && status.is_informational() {
                let words = "the server's answer is HTTP/1.0, which has no WebSocket";
                return Err((ErrorKind::Protocol, words.to_owned()));
            }
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
            return Err(not_http("the header has more than 16 KiB"));
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

/// Returns the error for an answer that doesn't switch protocols: its status, and the first line of
/// its text.
pub(crate) async fn refused(
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
        words.push_str(&format!(", a redirect to `{}`, which is not followed", printable(to)));
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

fn not_http(words: &str) -> Failure {
    (ErrorKind::Protocol, format!("the server's answer is not HTTP: {words}"))
}

fn lost(error: &io::Error) -> Failure {
    let kind = endpoint::Error::from_io("connect", "", error.kind().into()).kind();
    (kind, format!("the connection was lost during the handshake: {}", endpoint::describe(error)))
}

/// The maximum number of answers before the final one. Servers send one or two.
const INTERIM: usize = 16;
/// The maximum size of an answer's header.
const HEADER: usize = 16 * 1024;
/// The maximum size of a refusal's body that is read.
const BODY: usize = 1024;
const A_MOMENT: Duration = Duration::from_millis(500);

/// The beginning of an answer in the version before.
const OLD: &[u8] = b"HTTP/1.0 ";
