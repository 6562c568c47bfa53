//! The type of a descriptor that another process has opened.

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use endpoint::info::Tcp;
use socket2::{SockAddr, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// A family of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    V4,
    V6,
    Unix,
}

impl Domain {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "INET" => Self::V4,
            "INET6" => Self::V6,
            _ => Self::Unix,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V4 => "INET",
            Self::V6 => "INET6",
            Self::Unix => "UNIX",
        }
    }
}

/// A socket, ready for the runtime.
pub(super) enum Sorted {
    TcpListener(TcpListener),
    UnixListener(UnixListener, PathBuf),
    Tcp(TcpStream, Tcp),
    Unix(UnixStream, PathBuf),
}

/// Sees what it is.
///
/// # Errors
/// In words: it is nothing of that.
pub(super) fn sort(fd: OwnedFd) -> io::Result<(Domain, Sorted)> {
    let socket = Socket::from(fd);
    let wrong = |words: &str| io::Error::new(io::ErrorKind::InvalidInput, words.to_owned());
    let kind = socket.r#type().map_err(|_| wrong("it is not a socket"))?;
    if kind != Type::STREAM {
        return Err(wrong("it is a datagram socket, not a stream socket"));
    }
    let local = socket.local_addr()?;
    let domain = match (local.is_ipv4(), local.is_ipv6(), local.is_unix()) {
        (true, ..) => Domain::V4,
        (_, true, _) => Domain::V6,
        (.., true) => Domain::Unix,
        _ => return Err(wrong("it is neither a TCP nor a Unix socket")),
    };
    let is_listening = socket.is_listener()?;
    if !is_listening {
        socket.peer_addr().map_err(|_| wrong("it is neither listening nor connected"))?;
    }
    socket.set_nonblocking(true)?;
    let path = shown(&local);
    Ok((
        domain,
        match (domain, is_listening) {
            (Domain::Unix, true) => {
                Sorted::UnixListener(UnixListener::from_std(socket.into())?, path)
            }
            (Domain::Unix, false) => Sorted::Unix(UnixStream::from_std(socket.into())?, path),
            (_, true) => Sorted::TcpListener(TcpListener::from_std(socket.into())?),
            (_, false) => {
                let stream = TcpStream::from_std(socket.into())?;
                let fact =
                    Tcp { local: plain(stream.local_addr()?), peer: plain(stream.peer_addr()?) };
                Sorted::Tcp(stream, fact)
            }
        },
    ))
}

/// IPv4 peers of a dual-stack socket, as what they are.
pub(super) fn plain(address: std::net::SocketAddr) -> std::net::SocketAddr {
    match address.ip().to_canonical() {
        ip if ip.is_ipv4() => std::net::SocketAddr::new(ip, address.port()),
        _ => address,
    }
}

fn shown(local: &SockAddr) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    if let Some(path) = local.as_pathname() {
        return path.to_owned();
    }
    let name = local.as_abstract_namespace().unwrap_or_default();
    PathBuf::from(std::ffi::OsStr::from_bytes(&[b"@", name].concat()))
}
