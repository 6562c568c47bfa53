//! Programs on the other side: socat, nc, Python, Node.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::{DEADLINE, Process, binary, root, until_within};

/// A peer that runs. Everything of [`Process`] holds for it too.
#[derive(Debug)]
pub struct Peer {
    process: Process,
}

impl Peer {
    /// Starts `program`.
    ///
    /// # Panics
    /// If it isn't installed; the message has the command that installs it.
    pub fn start<A: AsRef<OsStr>>(program: &str, args: &[A]) -> Self {
        let file = binary::program(program)
            .unwrap_or_else(|| panic!("`{program}` is not installed: run `cargo xtask setup`"));
        Self { process: Process::spawn(program, Command::new(file).args(args)) }
    }

    /// Waits until something accepts connections at `port` on IPv4 loopback.
    ///
    /// It connects once: not for a peer that serves a single connection and then ends.
    ///
    /// # Panics
    /// After the deadline or when the peer ends, with what it wrote.
    pub fn wait_for_port(&mut self, port: u16) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let ready = until_within(DEADLINE, || {
            let open = TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
            (open || !self.process.runs()).then_some(open)
        });
        assert!(ready == Some(true), "nothing listens on {address}\n{}", self.process.report());
    }

    /// Waits for a line of its standard output or error that contains `text`, and returns it.
    ///
    /// # Panics
    /// After the deadline, with what it wrote.
    pub fn wait_for_line(&self, text: &str) -> String {
        let find = |limit| {
            let stdout = self.process.stdout().wait_for_line(limit, text);
            stdout.or_else(|| self.process.stderr().wait_for_line(limit, text))
        };
        // Turn by turn, since a line may come on either.
        let line = until_within(DEADLINE, || find(Duration::from_millis(20)));
        line.unwrap_or_else(|| panic!("no line with `{text}`\n{}", self.process.report()))
    }
}

impl Deref for Peer {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Peer {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Runs `tests/peers/SCRIPT` with the interpreter that has the pinned peers.
///
/// # Panics
/// When `cargo xtask setup` has not been run.
pub fn python<A: AsRef<OsStr>>(script: &str, args: &[A]) -> Peer {
    let mut command = Command::new(venv("python"));
    // Unbuffered: lines that say "ready" must not wait for a full buffer.
    command.arg("-u").arg(root().join("tests/peers").join(script)).args(args);
    Peer { process: Process::spawn(script, &mut command) }
}

/// Runs `tests/node/SCRIPT` with Node and the packages that are pinned there.
///
/// # Panics
/// When `cargo xtask setup` has not been run.
pub fn node<A: AsRef<OsStr>>(script: &str, args: &[A]) -> Peer {
    let folder = root().join("tests/node");
    assert!(folder.join("node_modules").is_dir(), "no packages of Node: run `cargo xtask setup`");
    let node = binary::program("node").expect("`cargo xtask setup` has looked for node");
    let mut command = Command::new(node);
    command.arg(folder.join(script)).args(args);
    Peer { process: Process::spawn(script, &mut command) }
}

/// A program of the venv: `python`, `twistd`, `wamp`.
///
/// # Panics
/// When `cargo xtask setup` has not been run.
#[must_use]
pub fn venv(program: &str) -> PathBuf {
    let file = root().join("target/peers/venv/bin").join(program);
    assert!(file.is_file(), "{} is missing: run `cargo xtask setup`", file.display());
    file
}

/// A program of the venv that only the slow suites need: `python`, `websockify`.
///
/// # Panics
/// When `cargo xtask interop` has not been run.
#[must_use]
pub fn interop(program: &str) -> PathBuf {
    let file = root().join("target/peers/interop/venv/bin").join(program);
    assert!(file.is_file(), "{} is missing: `cargo xtask interop` installs it", file.display());
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net;
    use std::io::{Read, Write};

    #[test]
    fn socat_echoes_through_a_port_that_we_waited_for() {
        let port = net::free_port();
        let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork");
        let mut socat = Peer::start("socat", &[listen.as_str(), "EXEC:cat"]);
        socat.wait_for_port(port);
        let mut stream = net::connect(port);
        stream.write_all(b"hello").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"hello");
    }

    #[test]
    #[should_panic(expected = "nothing listens")]
    fn a_peer_that_ends_is_not_waited_for() {
        Peer::start("sh", &["-c", "exit 1"]).wait_for_port(net::free_port());
    }

    #[test]
    fn python_has_the_pinned_peers() {
        let peer = python("versions.py", &[] as &[&str]);
        peer.wait_for_line("websockets 17.4");
        peer.wait_for_line("autobahn 26.10.2");
        peer.wait_for_line("twisted 26.10.0");
    }
}
