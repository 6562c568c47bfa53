//! What is measured: a program on a route, and connections through it.

use std::fs;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use tests::net::{self, Server};
use tests::ws::WebSocket;
use tests::{Process, procfs};

use super::end::{End, Framing};

/// From what to what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    TcpTcp,
    UnixTcp,
    WsTcp,
    TcpWs,
}

impl Route {
    pub(crate) const ALL: [Self; 4] = [Self::TcpTcp, Self::UnixTcp, Self::WsTcp, Self::TcpWs];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TcpTcp => "tcp-tcp",
            Self::UnixTcp => "unix-tcp",
            Self::WsTcp => "ws-tcp",
            Self::TcpWs => "tcp-ws",
        }
    }
}

/// What forwards.
#[derive(Debug)]
pub(crate) enum Program {
    Ours(PathBuf),
    Socat(PathBuf),
    Haproxy(PathBuf),
}

impl Program {
    /// Ours, and the yardsticks that are installed and can do this route.
    pub(crate) fn for_route(route: Route, binary: &Path) -> Vec<Self> {
        let mut programs = vec![Self::Ours(binary.to_path_buf())];
        if route == Route::TcpTcp {
            programs.extend(tests::binary::program("haproxy").map(Self::Haproxy));
            programs.extend(tests::binary::program("socat").map(Self::Socat));
        }
        programs
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "endpointforward",
            Self::Socat(_) => "socat",
            Self::Haproxy(_) => "haproxy",
        }
    }
}

/// A program that runs, with the server behind it.
pub(crate) struct Subject {
    process: Process,
    route: Route,
    server: Server,
    near: Near,
    /// Holds the socket and the configuration.
    _folder: tempfile::TempDir,
}

enum Near {
    Port(u16),
    Path(PathBuf),
}

impl Subject {
    /// Starts `program` and waits until it listens.
    pub(crate) fn start(program: &Program, route: Route) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Server::bind();
        let (process, near) = match program {
            Program::Ours(binary) => ours(binary, route, folder.path(), server.port()),
            Program::Socat(binary) => {
                let port = net::free_port();
                let listen =
                    format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=1024,nodelay");
                let connect = format!("TCP:127.0.0.1:{},nodelay", server.port());
                let process = Process::spawn("socat", Command::new(binary).args([listen, connect]));
                (process, listens(port))
            }
            Program::Haproxy(binary) => {
                let (port, file) = (net::free_port(), folder.path().join("haproxy.cfg"));
                fs::write(&file, haproxy_configuration(port, server.port()))
                    .expect("a file in a folder of ours");
                let process =
                    Process::spawn("haproxy", Command::new(binary).arg("-db").arg("-f").arg(&file));
                (process, listens(port))
            }
        };
        let subject = Self { process, route, server, near, _folder: folder };
        // To see whether a yardstick is ready we had to connect; ours says it.
        while subject.server.accept_within(Duration::from_millis(200)).is_some() {}
        subject
    }

    /// A connection through it: the near end and the far end.
    pub(crate) fn open(&self) -> (End, End) {
        thread::scope(|scope| {
            let far = scope.spawn(|| {
                let stream = self.server.accept();
                match self.route {
                    Route::TcpWs => {
                        let socket = WebSocket::accept(stream, Some("binary"));
                        End::new(socket.stream, Framing::Unmasked)
                    }
                    _ => End::new(stream, Framing::Plain),
                }
            });
            let near = match (&self.near, self.route) {
                (Near::Path(path), _) => {
                    End::new(UnixStream::connect(path).expect("it listens there"), Framing::Plain)
                }
                (Near::Port(port), Route::WsTcp) => {
                    End::new(WebSocket::connect(*port, "/", &["binary"]).stream, Framing::Masked)
                }
                (Near::Port(port), _) => End::new(net::connect(*port), Framing::Plain),
            };
            (near, far.join().expect("the far end was reached"))
        })
    }

    /// Processor time of it and its children.
    pub(crate) fn cpu(&self) -> Duration {
        self.tree().into_iter().filter_map(procfs::cpu).sum()
    }

    /// Resident memory of it and its children, in KiB.
    pub(crate) fn rss_kib(&self) -> u64 {
        self.tree().into_iter().filter_map(procfs::rss_kib).sum()
    }

    fn tree(&self) -> Vec<u32> {
        // socat serves every connection in a child.
        let mut tree = procfs::descendants(self.process.id());
        tree.push(self.process.id());
        tree
    }
}

fn ours(binary: &Path, route: Route, folder: &Path, far: u16) -> (Process, Near) {
    let socket = folder.join("near.sock");
    let near = match route {
        Route::UnixTcp => format!("unix:{}", socket.display()),
        Route::WsTcp => "ws:{tcp:0:interface=127.0.0.1}:subprotocol=binary".to_owned(),
        Route::TcpTcp | Route::TcpWs => "tcp:0:interface=127.0.0.1".to_owned(),
    };
    let far = match route {
        Route::TcpWs => format!("ws:{{tcp:127.0.0.1:{far}}}:subprotocol=binary"),
        _ => format!("tcp:127.0.0.1:{far}"),
    };
    let args = ["--endpoint", &near, "--dest-endpoint", &far];
    let forwarder = tests::Forwarder::start_binary(binary, &args);
    let near = match route {
        Route::UnixTcp => Near::Path(socket),
        _ => Near::Port(forwarder.port(0)),
    };
    (forwarder.into_process(), near)
}

fn listens(port: u16) -> Near {
    tests::until("the yardstick listens", || {
        net::try_connect(port).ok()?.shutdown(Shutdown::Both).ok()
    });
    Near::Port(port)
}

fn haproxy_configuration(near: u16, far: u16) -> String {
    format!(
        "global\n  maxconn 4000\ndefaults\n  mode tcp\n  maxconn 4000\n  timeout connect 10s\n  timeout client 120s\n  \
         timeout server 120s\nfrontend near\n  bind 127.0.0.1:{near}\n  default_backend far\nbackend far\n  \
         server far 127.0.0.1:{far}\n"
    )
}
