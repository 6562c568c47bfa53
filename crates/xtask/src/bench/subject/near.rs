//! The client: how one is let in by a subject.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::super::load::end::{End, PATIENCE};
use super::super::load::tls::{Configs, Session};
use super::super::load::wire::Framing;
use crate::Failure;

/// The address and the protocol of a subject's listener.
#[derive(Clone, Debug)]
pub(crate) enum Near {
    Tcp(u16),
    WebSocket(u16),
    Unix(PathBuf),
    Tls(u16, Configs),
}

/// A client that has asked to be let in.
#[derive(Debug)]
pub(crate) enum Asking {
    Tcp(TcpStream),
    WebSocket(TcpStream),
    Unix(UnixStream),
    /// Its handshake is over: no subject connects to the destination before.
    Tls(Box<Session>, TcpStream),
}

impl Near {
    /// Returns the framing of a client's payload.
    pub(crate) fn framing(&self) -> Framing {
        match self {
            Self::WebSocket(_) => Framing::Masked,
            Self::Tcp(_) | Self::Unix(_) | Self::Tls(..) => Framing::Plain,
        }
    }

    /// Connects, and sends the request.
    pub(crate) fn ask(&self) -> Result<Asking, Failure> {
        self.ask_as(false)
    }

    /// The same; with `resume`, a TLS session is resumed if the last one has left a ticket.
    pub(crate) fn ask_as(&self, resume: bool) -> Result<Asking, Failure> {
        let fail = |error: std::io::Error| format!("cannot connect: {error}");
        match self {
            Self::Tcp(port) => Ok(Asking::Tcp(connect(*port)?)),
            Self::WebSocket(port) => {
                let mut stream = connect(*port)?;
                stream.write_all(request(*port).as_bytes()).map_err(fail)?;
                Ok(Asking::WebSocket(stream))
            }
            Self::Unix(path) => Ok(Asking::Unix(UnixStream::connect(path).map_err(fail)?)),
            Self::Tls(port, configs) => {
                let mut stream = connect(*port)?;
                let session = Session::open(configs, resume, &mut stream)?;
                Ok(Asking::Tls(Box::new(session), stream))
            }
        }
    }
}

impl Asking {
    /// Reads the answer, where there is one, and nothing that comes after it.
    pub(crate) fn admitted(self) -> Result<End, Failure> {
        match self {
            Self::Tcp(stream) => Ok(End::new(stream, Framing::Plain)),
            Self::WebSocket(mut stream) => {
                let head = head(&mut stream)?;
                if head.starts_with("HTTP/1.1 101") && head.contains(ACCEPT) {
                    return Ok(End::new(stream, Framing::Masked));
                }
                Err(format!(
                    "the handshake is answered with {:?}",
                    head.lines().next().unwrap_or_default()
                ))
            }
            Self::Unix(stream) => Ok(End::new(stream, Framing::Plain)),
            Self::Tls(session, stream) => Ok(End::inside(session, stream)),
        }
    }
}

fn connect(port: u16) -> Result<TcpStream, Failure> {
    let fail = |error: std::io::Error| format!("cannot connect: {error}");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(fail)?;
    stream.set_nodelay(true).map_err(fail)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(fail)?;
    Ok(stream)
}

fn request(port: u16) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: binary\r\n\r\n"
    )
}

/// No server sends anything before the client has, so a head is all that arrives.
fn head(stream: &mut TcpStream) -> Result<String, Failure> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 1024]);
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the handshake isn't answered".to_owned()),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(format!("the handshake isn't answered: {error}")),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The digest of the key in RFC 6455, §1.3.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn only_the_right_answer_lets_in() {
        for (answer, is_right) in [
            (
                "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
                true,
            ),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", false),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n", false),
            ("HTTP/1.1 101", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let peer = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let asked = head(&mut stream).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                asked
            });
            let admitted = Near::WebSocket(port).ask().unwrap().admitted();
            assert_eq!(admitted.is_ok(), is_right, "{answer}");
            assert!(peer.join().unwrap().starts_with("GET / HTTP/1.1\r\n"));
        }
    }
}
