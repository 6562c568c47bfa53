//! The handshake of RFC 6455, §4, by hand.

use std::io::{Read, Write};
use std::net::TcpStream;

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The key of the RFC's example. A real client's is random; the tests don't depend on that.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The first line and the headers of a request or an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Head {
    /// `GET / HTTP/1.1` or `HTTP/1.1 101 …`.
    pub first: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// The first header of that name (in lower case).
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Reads up to the empty line and not a byte further: frames may follow at once.
    pub(super) fn read(mut stream: &TcpStream) -> Self {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            let got = stream
                .read(&mut byte)
                .unwrap_or_else(|error| panic!("no head of a message: {error}"));
            assert!(got == 1, "ended inside a head: {:?}", String::from_utf8_lossy(&text));
            text.push(byte[0]);
        }
        Self::parse(&text)
    }

    /// Takes it apart.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let mut lines = text.trim_end().split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Self { first, headers }
    }
}

/// A client's request.
#[derive(Clone, Debug)]
pub struct Request {
    path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    /// One that a server must accept.
    #[must_use]
    pub fn new(path: &str) -> Self {
        let headers = [
            ("Host", "127.0.0.1"),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", KEY),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { path: path.to_owned(), headers }
    }

    /// Adds a header, or replaces the one of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a header out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self
    }

    /// The bytes on the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("GET {} HTTP/1.1\r\n{headers}\r\n", self.path).into_bytes()
    }

    /// Sends it and reads the answer; its body too, unless it is 101.
    ///
    /// # Panics
    /// When there is no answer.
    #[must_use]
    pub fn send(&self, stream: &TcpStream) -> Response {
        let mut to = stream;
        to.write_all(&self.encode()).unwrap_or_else(|error| panic!("cannot ask: {error}"));
        Response::read(stream)
    }

    /// Returns the answer of a server to our key.
    pub(super) fn accept(&self) -> String {
        let key = self.headers.iter().find(|(name, _)| name == "Sec-WebSocket-Key");
        derive_accept_key(key.map_or("", |(_, key)| key).as_bytes())
    }
}

/// A server's answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// Such as 101 or 502.
    pub status: u16,
    /// The first line and the headers.
    pub head: Head,
    /// The body, as long as Content-Length.
    pub body: Vec<u8>,
}

impl Response {
    /// Reads one answer.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn read(stream: &TcpStream) -> Self {
        let head = Head::read(stream);
        let status = head.first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not an HTTP answer: {}", head.first));
        let length =
            head.value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let body = crate::net::read_exactly(stream, length);
        Self { status, head, body }
    }
}

/// Sends the bytes of a request, whatever they are, and reads the answer.
///
/// # Panics
/// When there is no answer.
#[must_use]
pub fn request(port: u16, bytes: &[u8]) -> Response {
    let mut stream = crate::net::connect(port);
    stream.write_all(bytes).unwrap_or_else(|error| panic!("cannot ask: {error}"));
    Response::read(&stream)
}

/// Reads a request and accepts it.
pub(super) fn answer(stream: &TcpStream, subprotocol: Option<&str>) -> Head {
    let head = Head::read(stream);
    let key =
        head.value("sec-websocket-key").unwrap_or_else(|| panic!("no WebSocket request: {head:?}"));
    let chosen =
        subprotocol.map_or_else(String::new, |name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
    let accept = derive_accept_key(key.as_bytes());
    let text = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{chosen}\r\n"
    );
    let mut to = stream;
    to.write_all(text.as_bytes()).unwrap_or_else(|error| panic!("cannot answer: {error}"));
    head
}
