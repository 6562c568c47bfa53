//! TCP ends that do exactly what a test specifies, on IPv4 loopback.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, SockRef, Socket, Type};

use crate::{DEADLINE, until};

/// A listening socket.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
}

impl Server {
    /// Listens on a port of the kernel's choice.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[must_use]
    pub fn bind() -> Self {
        Self { listener: listening(128, None) }
    }

    /// As [`Server::bind`], but every connection has a small receive buffer: it is full sooner.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[must_use]
    pub fn bind_with_receive_buffer(bytes: usize) -> Self {
        Self { listener: listening(128, Some(bytes)) }
    }

    /// The port.
    ///
    /// # Panics
    /// Never: a bound socket has an address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.local_addr().expect("a bound socket has an address").port()
    }

    /// The descriptor to connect to it.
    #[must_use]
    pub fn descriptor(&self) -> String {
        format!("tcp:127.0.0.1:{}", self.port())
    }

    /// The next connection.
    ///
    /// # Panics
    /// After the deadline.
    #[must_use]
    pub fn accept(&self) -> TcpStream {
        self.accept_within(DEADLINE)
            .unwrap_or_else(|| panic!("nobody connected within {DEADLINE:?}"))
    }

    /// Returns the next connection, or `None` if none comes within `limit`.
    #[must_use]
    pub fn accept_within(&self, limit: Duration) -> Option<TcpStream> {
        if !readable(&self.listener, limit) {
            return None;
        }
        let (stream, _) =
            self.listener.accept().expect("a connection that is there can be accepted");
        Some(with_deadlines(stream))
    }
}

/// Connects.
///
/// # Panics
/// When that fails within the deadline.
#[must_use]
pub fn connect(port: u16) -> TcpStream {
    try_connect(port).unwrap_or_else(|error| panic!("cannot connect to 127.0.0.1:{port}: {error}"))
}

/// Connects; reads and writes fail after the deadline instead of hanging.
///
/// # Errors
/// As `connect`.
pub fn try_connect(port: u16) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&loopback(port), DEADLINE).map(with_deadlines)
}

/// A port on which nothing listens now. Something may take it: only for a program that can't choose itself.
#[must_use]
pub fn free_port() -> u16 {
    Server::bind().port()
}

/// A port that refuses connections for as long as this lives: bound, but not listening.
#[derive(Debug)]
pub struct Refusing {
    port: u16,
    _held: Socket,
}

impl Refusing {
    /// Takes a port.
    ///
    /// # Panics
    /// When the kernel refuses.
    #[must_use]
    pub fn bind() -> Self {
        let held = bound();
        let port = held
            .local_addr()
            .ok()
            .and_then(|a| a.as_socket())
            .expect("a bound socket has an address")
            .port();
        Self { port, _held: held }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// A listener whose accept queue is full: to connect takes until [`SlowConnect::release`], or for ever.
#[derive(Debug)]
pub struct SlowConnect {
    server: Server,
    fillers: Vec<TcpStream>,
}

impl SlowConnect {
    /// Listens and fills the queue.
    ///
    /// # Panics
    /// When the queue doesn't fill.
    #[must_use]
    pub fn bind() -> Self {
        let server = Server { listener: listening(0, None) };
        let address = loopback(server.port());
        let mut fillers = Vec::new();
        // Linux lets in one connection more than the backlog; a full queue drops the first packet of a handshake,
        // which is then repeated after 1 s, 3 s, 7 s.
        while let Ok(filler) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            fillers.push(filler);
            assert!(fillers.len() < 16, "the accept queue doesn't fill");
        }
        Self { server, fillers }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Empties the queue, so that the next attempt of a waiting client succeeds. A client that gave up may still come
    /// first.
    pub fn release(mut self) -> Server {
        for _ in self.fillers.drain(..) {
            drop(self.server.accept());
        }
        self.server
    }
}

/// Ends the writing direction and keeps reading.
///
/// # Panics
/// When the connection is gone.
pub fn half_close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).expect("an open connection can be half-closed");
}

/// Ends with a reset instead of an orderly end, as after a crash or by a firewall.
///
/// # Panics
/// Never on an open socket.
pub fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket can linger");
    drop(stream);
}

/// Everything up to the end.
///
/// # Panics
/// When the end is an error or doesn't come.
pub fn read_all(mut stream: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        panic!("after {} bytes, no end but: {error}", bytes.len());
    }
    bytes
}

/// Exactly `count` bytes.
///
/// # Panics
/// When fewer come.
pub fn read_exactly(mut stream: &TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    if let Err(error) = stream.read_exact(&mut bytes) {
        panic!("no {count} bytes: {error}");
    }
    bytes
}

/// The end of a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// Orderly.
    Eof,
    /// By a reset.
    Reset,
}

/// Waits for the end of what the other side sends, whatever comes before it.
///
/// # Panics
/// When it doesn't come within the deadline.
pub fn wait_end(mut stream: &TcpStream) -> Ended {
    let mut chunk = [0; 64 * 1024];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return Ended::Eof,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ended::Reset,
            Err(error) => panic!("no end of the connection: {error}"),
        }
    }
}

/// Returns `true` if nothing arrives, no end either, for `time`.
#[must_use]
pub fn is_silent(stream: &TcpStream, time: Duration) -> bool {
    !readable(stream, time)
}

/// Writes `data` over and over until nothing has been taken for `quiet`, or `most` bytes have: returns their number.
/// The buffers of the two kernels and of everything between them are then known to be full.
///
/// # Panics
/// When the connection fails.
pub fn push_until_stalled(mut stream: &TcpStream, data: &[u8], quiet: Duration, most: u64) -> u64 {
    let mut written = 0_u64;
    stream.set_nonblocking(true).expect("a socket can be non-blocking");
    while written < most {
        let offset = usize::try_from(written % data.len() as u64).expect("less than the data");
        match stream.write(&data[offset..]) {
            Ok(count) => written += count as u64,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !ready(stream, PollFlags::OUT, quiet) {
                    break;
                }
            }
            Err(error) => panic!("after {written} bytes: {error}"),
        }
    }
    stream.set_nonblocking(false).expect("a socket can block");
    written
}

/// Waits until the kernel holds no connection of ours to `port` any more in an open state.
///
/// # Panics
/// After the deadline.
pub fn wait_no_connections(port: u16) {
    until(&format!("no connection to port {port} is left"), || {
        (established(port) == 0).then_some(())
    });
}

/// Returns the number of established connections to `port`, counted at their connecting end.
#[must_use]
pub fn established(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let wanted = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().skip(2));
    // remote address, state; 01 is ESTABLISHED
    rows.filter_map(|mut row| Some((row.next()?, row.next()?)))
        .filter(|(remote, state)| remote.ends_with(&wanted) && *state == "01")
        .count()
}

/// Returns `true` if something can be read (data or an end) within `limit`.
pub fn readable(socket: &impl AsFd, limit: Duration) -> bool {
    ready(socket, PollFlags::IN, limit)
}

fn ready(socket: &impl AsFd, what: PollFlags, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).expect("a test's limit fits");
        match poll(&mut [PollFd::new(socket, what)], Some(&timeout)) {
            Ok(count) => return count > 0,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("poll: {error}"),
        }
    }
}

fn with_deadlines(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(DEADLINE)).expect("a socket has timeouts");
    stream.set_write_timeout(Some(DEADLINE)).expect("a socket has timeouts");
    // Small writes go out at once: data arrives in the pieces and the rhythm that a test sends it in.
    stream.set_nodelay(true).expect("a TCP socket has nodelay");
    stream
}

fn bound() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&loopback(0).into()).expect("a free port on loopback");
    socket
}

fn listening(backlog: i32, receive_buffer: Option<usize>) -> TcpListener {
    let socket = bound();
    if let Some(bytes) = receive_buffer {
        // Before listen: the window scale is settled in the handshake.
        socket.set_recv_buffer_size(bytes).expect("a receive buffer can be small");
    }
    socket.listen(backlog).expect("a bound socket can listen");
    socket.into()
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let server = Server::bind();
        let client = connect(server.port());
        (client, server.accept())
    }

    #[test]
    fn half_close_leaves_the_other_direction_open() {
        let (mut client, mut server) = pair();
        client.write_all(b"question").unwrap();
        half_close(&client);
        assert_eq!(read_all(&server), b"question");
        server.write_all(b"late answer").unwrap();
        drop(server);
        assert_eq!(read_all(&client), b"late answer");
    }

    #[test]
    fn an_end_and_a_reset_are_told_apart() {
        let (client, server) = pair();
        reset(client);
        assert_eq!(wait_end(&server), Ended::Reset);
        let (client, server) = pair();
        drop(client);
        assert_eq!(wait_end(&server), Ended::Eof);
    }

    #[test]
    fn a_held_port_refuses() {
        let refusing = Refusing::bind();
        let error = try_connect(refusing.port()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_full_queue_holds_a_connect_until_it_is_released() {
        let slow = SlowConnect::bind();
        let port = slow.port();
        let short = TcpStream::connect_timeout(&loopback(port), Duration::from_millis(200));
        assert_eq!(short.unwrap_err().kind(), ErrorKind::TimedOut);
        let waiting = std::thread::spawn(move || try_connect(port).map(drop));
        let server = slow.release();
        assert!(waiting.join().unwrap().is_ok());
        drop(server);
    }

    #[test]
    fn a_stalled_reader_stalls_the_writer() {
        let server = Server::bind_with_receive_buffer(4096);
        let client = connect(server.port());
        let reader = server.accept();
        let most = 1 << 30;
        let held = push_until_stalled(&client, &[1; 65536], Duration::from_millis(100), most);
        assert!(held > 0 && held < most, "{held}");
        drop(client);
        assert_eq!(read_all(&reader).len() as u64, held);
    }

    #[test]
    fn silence_and_counts_are_seen() {
        let server = Server::bind();
        assert!(server.accept_within(Duration::from_millis(20)).is_none());
        let client = connect(server.port());
        let accepted = server.accept();
        assert!(is_silent(&client, Duration::from_millis(20)));
        assert_eq!(established(server.port()), 1);
        reset(accepted);
        assert_eq!(wait_end(&client), Ended::Reset);
        wait_no_connections(server.port());
    }
}
