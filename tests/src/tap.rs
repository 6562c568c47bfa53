//! A look at what goes over the wire between a WebSocket client and a server. Nothing is changed.
//!
//! Both ends report what they have agreed on; this shows that they do it, too.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::ws::{Frame, Head, Opcode};
use crate::{DEADLINE, net};

/// A port in front of another one.
#[derive(Debug)]
pub struct Tap {
    port: u16,
    recordings: Arc<Mutex<Vec<Recording>>>,
}

/// The traffic of a WebSocket connection.
#[derive(Debug)]
pub struct Traffic {
    /// The client's request.
    pub request: Head,
    /// The server's answer.
    pub response: Head,
    /// From the client to the server.
    pub there: Direction,
    /// From the server to the client.
    pub back: Direction,
}

/// Data messages, as they were on the wire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Direction {
    /// The number of messages that have begun.
    pub messages: usize,
    /// The number of compressed ones: RSV1, RFC 7692 section 6.
    pub compressed: usize,
    /// Bytes of their frames' payload.
    pub payload: usize,
}

#[derive(Debug, Default)]
struct Recording {
    there: Vec<u8>,
    back: Vec<u8>,
}

impl Tap {
    /// Listens, and passes every connection on to `port`.
    #[must_use]
    pub fn before(port: u16) -> Self {
        let server = net::Server::bind();
        let tap = Self { port: server.port(), recordings: Arc::default() };
        let recordings = Arc::clone(&tap.recordings);
        thread::spawn(move || {
            loop {
                let Some(client) = server.accept_within(DEADLINE) else {
                    // No handle of the recordings is left. Before that, a client may well take its time.
                    if Arc::strong_count(&recordings) == 1 {
                        return;
                    }
                    continue;
                };
                let number = {
                    let mut recordings = lock(&recordings);
                    recordings.push(Recording::default());
                    recordings.len() - 1
                };
                // If the server refuses, the client is dropped, as it would be without us.
                let Ok(server) = net::try_connect(port) else { continue };
                pass(&client, &server, &recordings, move |all| &mut all[number].there);
                pass(&server, &client, &recordings, move |all| &mut all[number].back);
            }
        });
        tap
    }

    /// Returns the port that it listens on, on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The WebSocket connections so far, in their order; other HTTP is left out.
    #[must_use]
    pub fn websockets(&self) -> Vec<Traffic> {
        lock(&self.recordings).iter().filter_map(Recording::read).collect()
    }

    /// The only WebSocket connection.
    ///
    /// # Panics
    /// When there were others or none.
    #[must_use]
    pub fn websocket(&self) -> Traffic {
        let mut all = self.websockets();
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }
}

impl Traffic {
    /// Returns the agreed extensions; empty for none.
    #[must_use]
    pub fn extensions(&self) -> &str {
        self.response.value("sec-websocket-extensions").unwrap_or_default()
    }

    /// Returns the agreed subprotocol; empty for none.
    #[must_use]
    pub fn subprotocol(&self) -> &str {
        self.response.value("sec-websocket-protocol").unwrap_or_default()
    }
}

impl Recording {
    fn read(&self) -> Option<Traffic> {
        let (request, there) = head(&self.there)?;
        let (response, back) = head(&self.back)?;
        response.first.starts_with("HTTP/1.1 101 ").then(|| Traffic {
            request,
            response,
            there: Direction::read(there),
            back: Direction::read(back),
        })
    }
}

impl Direction {
    /// A last frame that is cut off with the connection doesn't count.
    fn read(mut bytes: &[u8]) -> Self {
        let mut direction = Self::default();
        while let Ok(Some((frame, _))) = Frame::read(&mut bytes) {
            if matches!(frame.opcode, Opcode::Text | Opcode::Binary) {
                direction.messages += 1;
                direction.compressed += usize::from(frame.reserved & 0x40 != 0);
            }
            if !matches!(frame.opcode, Opcode::Close | Opcode::Ping | Opcode::Pong) {
                direction.payload += frame.payload.len();
            }
        }
        direction
    }
}

fn head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((Head::parse(&bytes[..end]), &bytes[end + 4..]))
}

/// Carries one direction in a thread, to its end.
fn pass(
    from: &TcpStream,
    to: &TcpStream,
    recordings: &Arc<Mutex<Vec<Recording>>>,
    record: impl for<'a> Fn(&'a mut Vec<Recording>) -> &'a mut Vec<u8> + Send + 'static,
) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a socket can be cloned");
    let (mut from, mut to, recordings) = (clone(from), clone(to), Arc::clone(recordings));
    thread::spawn(move || {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut chunk) {
            record(&mut lock(&recordings)).extend_from_slice(&chunk[..count]);
            if to.write_all(&chunk[..count]).is_err() {
                break;
            }
        }
        // The peer may have gone, which is what this would tell it.
        let _gone = to.shutdown(Shutdown::Write);
    });
}

fn lock(recordings: &Mutex<Vec<Recording>>) -> MutexGuard<'_, Vec<Recording>> {
    recordings.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::WebSocket;

    #[test]
    fn it_counts_messages_and_which_were_compressed() {
        let server = net::Server::bind();
        let tap = Tap::before(server.port());
        let answering = thread::spawn(move || {
            let mut socket = WebSocket::accept(server.accept(), Some("binary"));
            assert_eq!(socket.message(), b"onetwo");
            // A server must not send this without an agreement; this test's ends don't check it.
            socket.send(&Frame { reserved: 0x40, ..Frame::new(Opcode::Text, b"three") });
            socket.send_close(1000, "");
            assert!(socket.wait_close().is_some());
        });
        let mut client = WebSocket::connect(tap.port(), "/", &["binary"]);
        client.send(&Frame { last: false, ..Frame::new(Opcode::Binary, b"one") });
        client.send(&Frame::new(Opcode::Ping, b"not counted"));
        client.send(&Frame::new(Opcode::Continuation, b"two"));
        assert!(client.wait_close().is_some());
        client.send_close(1000, "");
        answering.join().unwrap();
        let seen = tap.websocket();
        assert_eq!((seen.subprotocol(), seen.extensions()), ("binary", ""));
        assert_eq!(seen.there, Direction { messages: 1, compressed: 0, payload: 6 });
        assert_eq!(seen.back, Direction { messages: 1, compressed: 1, payload: 5 });
        assert_eq!(seen.request.first, "GET / HTTP/1.1");
    }

    #[test]
    fn other_http_is_no_websocket() {
        let server = net::Server::bind();
        let tap = Tap::before(server.port());
        let answering = thread::spawn(move || {
            let stream = server.accept();
            let mut head = [0; 18];
            (&stream).read_exact(&mut head).unwrap();
            (&stream).write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        });
        let response = crate::ws::request(tap.port(), b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(response.status, 404);
        answering.join().unwrap();
        assert!(tap.websockets().is_empty());
    }
}
