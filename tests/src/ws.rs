//! A WebSocket end on a plain socket: every byte is the test's own decision.
//!
//! No library is between the test and the wire, so that what no library would send can be sent: unmasked
//! client frames, wrong lengths, half a header, bad UTF-8. The only thing borrowed is the digest of the handshake.

mod frame;
mod handshake;

pub use frame::{Frame, Opcode};
pub use handshake::{Head, Request, Response, request};

use std::io::{self, Write};
use std::net::TcpStream;

use crate::net;

/// The role of this end; a client masks what it sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Opens the connection.
    Client,
    /// Accepts it.
    Server,
}

/// An open WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    /// The socket, for what the methods don't offer.
    pub stream: TcpStream,
    /// The other side's half of the handshake.
    pub handshake: Head,
    role: Role,
}

impl WebSocket {
    /// Connects to `port`, asks for `path` and `subprotocols`.
    ///
    /// # Panics
    /// When the answer isn't 101 or its digest is wrong.
    #[must_use]
    pub fn connect(port: u16, path: &str, subprotocols: &[&str]) -> Self {
        let mut request = Request::new(path);
        if !subprotocols.is_empty() {
            request = request.header("Sec-WebSocket-Protocol", &subprotocols.join(", "));
        }
        Self::open(net::connect(port), &request)
            .unwrap_or_else(|refused| panic!("refused: {refused:?}"))
    }

    /// Shakes hands over `stream`.
    ///
    /// # Errors
    /// The answer, when it isn't 101.
    ///
    /// # Panics
    /// When there is no answer or its digest is wrong.
    pub fn open(stream: TcpStream, request: &Request) -> Result<Self, Response> {
        let response = request.send(&stream);
        if response.status != 101 {
            return Err(response);
        }
        assert_eq!(
            response.head.value("sec-websocket-accept"),
            Some(&*request.accept()),
            "the digest"
        );
        Ok(Self { stream, handshake: response.head, role: Role::Client })
    }

    /// Answers the handshake on an accepted connection, with `subprotocol` if there is one.
    ///
    /// # Panics
    /// When no request comes.
    #[must_use]
    pub fn accept(stream: TcpStream, subprotocol: Option<&str>) -> Self {
        let head = handshake::answer(&stream, subprotocol);
        Self { stream, handshake: head, role: Role::Server }
    }

    /// The subprotocol that the other side has named.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.handshake.value("sec-websocket-protocol")
    }

    /// Sends one frame, masked as the role wants it.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn send(&mut self, frame: &Frame) {
        self.try_send(frame).unwrap_or_else(|error| panic!("cannot send {frame:?}: {error}"));
    }

    /// As [`WebSocket::send`].
    ///
    /// # Errors
    /// Those of the socket.
    pub fn try_send(&mut self, frame: &Frame) -> io::Result<()> {
        // A fixed mask that is no palindrome and has no zero: an end that forgets to unmask is seen at once.
        let mask = (self.role == Role::Client).then_some([0x37, 0xfa, 0x21, 0x3d]);
        self.stream.write_all(&frame.encode(mask))
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .unwrap_or_else(|error| panic!("cannot send {} bytes: {error}", bytes.len()));
    }

    /// One whole binary message.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn send_binary(&mut self, data: &[u8]) {
        self.send(&Frame::new(Opcode::Binary, data));
    }

    /// One whole text message.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn send_text(&mut self, text: &str) {
        self.send(&Frame::new(Opcode::Text, text.as_bytes()));
    }

    /// A Close frame.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn send_close(&mut self, code: u16, reason: &str) {
        self.send(&Frame::close(code, reason));
    }

    /// The next frame; `None` at the end of the stream.
    ///
    /// # Panics
    /// When the stream ends inside a frame, or a frame is masked that must not be, or the other way round.
    pub fn receive(&mut self) -> Option<Frame> {
        let (frame, masked) =
            Frame::read(&self.stream).unwrap_or_else(|error| panic!("no frame: {error}"))?;
        assert_eq!(masked, self.role == Role::Server, "the mask of {frame:?}");
        Some(frame)
    }

    /// The next data frame's payload, pings answered, up to a whole message.
    ///
    /// # Panics
    /// At a Close or the end.
    pub fn message(&mut self) -> Vec<u8> {
        let mut message = Vec::new();
        loop {
            let frame = self.receive().expect("a message, not the end");
            match frame.opcode {
                Opcode::Ping => self.send(&Frame::new(Opcode::Pong, &frame.payload)),
                Opcode::Pong => {}
                Opcode::Close => panic!("a message, not {frame:?}"),
                _ => {
                    message.extend(&frame.payload);
                    if frame.last {
                        return message;
                    }
                }
            }
        }
    }

    /// Reads messages until exactly `count` bytes have come, however they were cut.
    ///
    /// # Panics
    /// When more or fewer come.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            bytes.extend(self.message());
        }
        assert_eq!(bytes.len(), count, "more came than was asked for");
        bytes
    }

    /// Skips everything up to a Close: its code and reason. `None` when the stream ended without one.
    pub fn wait_close(&mut self) -> Option<(Option<u16>, String)> {
        loop {
            let frame = self.receive()?;
            if frame.opcode == Opcode::Close {
                return Some(frame.close_reason());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn pair(offered: &[&str], chosen: Option<&'static str>) -> (WebSocket, WebSocket) {
        let server = net::Server::bind();
        let port = server.port();
        let answering = thread::spawn(move || WebSocket::accept(server.accept(), chosen));
        let client = WebSocket::connect(port, "/path?x=1", offered);
        (client, answering.join().unwrap())
    }

    #[test]
    fn the_two_ends_understand_each_other() {
        let (mut client, mut server) = pair(&["mqtt", "binary"], Some("binary"));
        assert_eq!(client.subprotocol(), Some("binary"));
        assert_eq!(server.handshake.first, "GET /path?x=1 HTTP/1.1");
        assert_eq!(server.subprotocol(), Some("mqtt, binary"));
        for size in [0, 1, 125, 126, 65535, 65536] {
            let data = crate::data::Pattern::new(1).take(size);
            client.send_binary(&data);
            assert_eq!(server.message(), data);
            server.send_binary(&data);
            assert_eq!(client.message(), data);
        }
    }

    #[test]
    fn fragments_join_around_a_ping() {
        let (mut client, mut server) = pair(&[], None);
        server.send(&Frame { last: false, ..Frame::new(Opcode::Text, b"one ") });
        server.send(&Frame::new(Opcode::Ping, b"still there?"));
        server.send(&Frame::new(Opcode::Continuation, b"two"));
        assert_eq!(client.message(), b"one two");
        assert_eq!(server.receive().unwrap(), Frame::new(Opcode::Pong, b"still there?"));
    }

    #[test]
    fn a_close_carries_code_and_reason() {
        let (mut client, mut server) = pair(&[], None);
        client.send_close(1001, "going away");
        assert_eq!(server.wait_close(), Some((Some(1001), "going away".into())));
        server.send(&Frame::new(Opcode::Close, b""));
        assert_eq!(client.wait_close(), Some((None, String::new())));
        drop(server);
        assert_eq!(client.receive(), None);
    }

    #[test]
    fn a_refusal_has_a_status_and_a_body() {
        let server = net::Server::bind();
        let port = server.port();
        let answering = thread::spawn(move || {
            let mut stream = server.accept();
            let head = Head::read(&stream);
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n").unwrap();
            head.first
        });
        let refused = WebSocket::open(net::connect(port), &Request::new("/nowhere")).unwrap_err();
        assert_eq!((refused.status, refused.body.as_slice()), (404, b"no\n".as_slice()));
        assert_eq!(answering.join().unwrap(), "GET /nowhere HTTP/1.1");
    }
}
