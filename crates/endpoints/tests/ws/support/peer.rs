//! A raw client of a listener: what it sends, and the frames that it gets.

use super::*;

/// A right handshake, with more headers if they are wanted (each with its line's end).
pub(crate) fn upgrade(path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:9000\r\nUpgrade: websocket\r\n\
         Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

pub(crate) const BINARY: &str = "Sec-WebSocket-Protocol: binary\r\n";

pub(crate) const BASE64: &str = "Sec-WebSocket-Protocol: base64\r\n";

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// A frame as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn close_code(&self) -> Option<u16> {
        assert_eq!(self.first, 0x88, "{self:?} is no Close");
        Some(u16::from_be_bytes(*self.payload.first_chunk()?))
    }

    pub(crate) fn reason(&self) -> &str {
        std::str::from_utf8(&self.payload[2..]).unwrap()
    }
}

/// The raw end of a connection.
pub(crate) struct Peer<S = Io> {
    pub(crate) io: S,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(io: S) -> Self {
        Self { io, read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(LONG, self.io.write_all(bytes.as_ref())).await.unwrap().unwrap();
        self.io.flush().await.unwrap();
    }

    /// Reads once; returns `true` if more came.
    async fn more(&mut self) -> bool {
        let mut piece = [0; 4096];
        let read = timeout(LONG, self.io.read(&mut piece)).await.unwrap();
        let len = read.unwrap_or(0);
        self.read.extend_from_slice(&piece[..len]);
        len > 0
    }

    /// Up to an empty line.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            let end = self.read.windows(4).position(|end| end == b"\r\n\r\n");
            if let Some(end) = end {
                return String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
            }
            let so_far = String::from_utf8_lossy(&self.read).into_owned();
            assert!(self.more().await, "the stream ended within a header: {so_far:?}");
        }
    }

    pub(crate) async fn response(&mut self) -> Response {
        let head = self.head().await;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: String::new() };
        let length = response.header("content-length").map_or(0, |text| text.parse().unwrap());
        while self.read.len() < length {
            assert!(self.more().await, "the stream ended within a body");
        }
        response.body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        response
    }

    /// The next frame; `None` at the end.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, len)) = parse(&self.read) {
                self.read.drain(..len);
                return Some(frame);
            }
            if !self.more().await {
                assert!(self.read.is_empty(), "half a frame at the end: {:02x?}", self.read);
                return None;
            }
        }
    }

    /// The payload of data frames, until there are `len` bytes of it.
    pub(crate) async fn payload(&mut self, len: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < len {
            let frame = self.frame().await.expect("more data was to come");
            assert!(frame.first & 0x08 == 0, "{frame:?} is no data");
            all.extend(frame.payload);
        }
        all
    }

    /// Returns `true` if nothing comes for a while.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        let quiet = timeout(Duration::from_millis(100), self.io.read_u8()).await;
        self.read.is_empty() && quiet.is_err()
    }

    /// Returns `true` if the stream has ended, and nothing came before.
    pub(crate) async fn is_over(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }
}

fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (len, mut at) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        len => (u64::from(len), 2),
    };
    let masked = second & 0x80 != 0;
    let mut key = [0; 4];
    if masked {
        key = *bytes.get(at..)?.first_chunk()?;
        at += 4;
    }
    let end = at + usize::try_from(len).unwrap();
    let mut payload = bytes.get(at..end)?.to_vec();
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    Some((Frame { first, masked, payload }, end))
}

/// A frame with its first byte as it is to be, masked as a client's.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = header(first, 0x80, payload.len());
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// A frame as a server's.
pub(crate) fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, 0, payload.len());
    frame.extend_from_slice(payload);
    frame
}

fn header(first: u8, mask: u8, len: usize) -> Vec<u8> {
    let mut header = vec![first];
    match len {
        0..=125 => header.push(mask | len as u8),
        126..=0xffff => {
            header.push(mask | 126);
            header.extend((len as u16).to_be_bytes());
        }
        _ => {
            header.push(mask | 127);
            header.extend((len as u64).to_be_bytes());
        }
    }
    header
}

pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    masked(0x88, &payload)
}
