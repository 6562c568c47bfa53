//! The programs that take part, their routes, and how each is started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::tests::{Process, binary, net};

use super::super::load::tls::{CERT, Configs};
use super::super::machine;
use super::super::relay;
use super::Subject;
use super::far::Far;
use super::near::Near;
use crate::Failure;

/// From what to what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    WsTcp,
    TcpTcp,
    TcpUnix,
    UnixTcp,
    TlsTcp,
}

/// A program on a route.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its name in the tables: the program, and the route if it has several.
    pub(crate) name: &'static str,
    pub(crate) route: Route,
    /// A process for every connection: a hundred are many.
    pub(crate) forks: bool,
    pub(super) file: PathBuf,
    pub(super) start: Start,
}

/// Makes the command. Gets the program, the folder, the port to listen on and the port to connect to.
pub(super) type Start = fn(&Path, &Path, u16, u16) -> Command;

/// The mode of a subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// On the subjects' processor: for ratios of processor time.
    Pinned,
    /// As a user starts it.
    Plain,
}

/// The name of the reference in the tables.
pub(crate) const REFERENCE: &str = "reference";
/// Ours, by route.
pub(crate) const WS_TCP: &str = "endpointforward ws→tcp";
pub(crate) const TCP_TCP: &str = "endpointforward tcp→tcp";
pub(crate) const TCP_UNIX: &str = "endpointforward tcp→unix";
pub(crate) const UNIX_TCP: &str = "endpointforward unix→tcp";

/// Ours, the reference, and every other that is installed; and the names of those that aren't.
pub(crate) fn all(ours: &Path) -> Result<(Vec<Program>, Vec<&'static str>), Failure> {
    let own = std::env::current_exe().map_err(|error| format!("our own program: {error}"))?;
    let program = |name, route, forks, file: &Path, start| Program {
        name,
        route,
        forks,
        file: file.to_owned(),
        start,
    };
    let mut found = vec![
        program(REFERENCE, Route::TcpTcp, false, &own, reference as Start),
        program(WS_TCP, Route::WsTcp, false, ours, ws_tcp),
        program(TCP_TCP, Route::TcpTcp, false, ours, tcp_tcp),
        program(TCP_UNIX, Route::TcpUnix, false, ours, tcp_unix),
        program(UNIX_TCP, Route::UnixTcp, false, ours, unix_tcp),
    ];
    let peers: [(_, _, _, Start); 6] = [
        ("websockify", Route::WsTcp, true, websockify),
        ("websocketd", Route::WsTcp, true, websocketd),
        ("websocat", Route::WsTcp, false, websocat),
        ("haproxy", Route::TcpTcp, false, haproxy),
        ("nginx", Route::TcpTcp, false, nginx),
        ("socat", Route::TcpTcp, true, socat),
    ];
    let mut missing = Vec::new();
    for (name, route, forks, start) in peers {
        match file(name) {
            Some(file) => found.push(program(name, route, forks, &file, start)),
            None => missing.push(name),
        }
    }
    Ok((found, missing))
}

impl Program {
    /// Returns `true` if it is the forwarder of this repository.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("endpointforward")
    }

    /// Returns `true` if a run without it has no result.
    pub(crate) fn is_needed(&self) -> bool {
        self.is_ours() || self.name == REFERENCE
    }

    /// Returns the command that starts it by hand, without the ports and the folder of a run.
    pub(crate) fn shown(&self) -> Result<String, Failure> {
        let folder = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
        let file = Path::new(self.file.file_name().unwrap_or_default());
        let command = (self.start)(file, folder.path(), 9000, 1883);
        Ok(crate::sh::shown(&command).replace(&folder.path().display().to_string(), "."))
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&self, mode: Mode) -> Result<Subject, Failure> {
        let folder = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
        let far = match self.route {
            Route::TcpUnix => Far::unix(&folder.path().join("far.sock"))?,
            _ => Far::tcp()?,
        };
        // Programs that print the address they listen on choose the port themselves.
        let tells = self.is_needed();
        let port = if tells { 0 } else { net::free_port() };
        let command = (self.start)(&self.file, folder.path(), port, far.port());
        let mut command = machine::elsewhere(&command, mode == Mode::Pinned);
        let process =
            Process::spawn(self.name, command.current_dir(folder.path()).env_remove("RUST_LOG"));
        let port = if tells { told(&process, self.is_ours())? } else { port };
        let near = match self.route {
            Route::WsTcp => Near::WebSocket(port),
            Route::UnixTcp => Near::Unix(folder.path().join("near.sock")),
            Route::TcpTcp | Route::TcpUnix => Near::Tcp(port),
            Route::TlsTcp => {
                let configs = Configs::trusting(&folder.path().join(CERT))?;
                Near::Tls(port, configs)
            }
        };
        if !tells {
            listens(&process, port)?;
            far.forget()?;
        }
        Ok(Subject { near, far, lanes: Vec::new(), process, _folder: folder })
    }
}

/// On the path, or where `cargo xtask setup` and `interop` have put it.
pub(super) fn file(name: &str) -> Option<PathBuf> {
    let peers = crate::root().join("target/peers");
    let own = ["venv/bin", "websocat/bin"].map(|folder| peers.join(folder).join(name));
    binary::program(name).or_else(|| own.into_iter().find(|file| file.is_file()))
}

/// Returns the port in the line about its listener; 0 if it has none.
fn told(process: &Process, is_ours: bool) -> Result<u16, Failure> {
    let output = if is_ours { process.stderr() } else { process.stdout() };
    let line = output
        .wait_for_line(::tests::DEADLINE, relay::LISTENING)
        .ok_or_else(|| format!("it doesn't say that it listens\n{}", process.report()))?;
    let said = line.split_once(relay::LISTENING).map_or("", |(_, said)| said);
    Ok(port(said))
}

/// The last number that is a whole field of the endpoint: `40123`, `tcp:127.0.0.1:40123`, `ws:{tcp:127.0.0.1:40123}`.
fn port(said: &str) -> u16 {
    let endpoint = said.split_once(" (").map_or(said, |(endpoint, _)| endpoint);
    endpoint.split([':', '{', '}']).rev().find_map(|field| field.trim().parse().ok()).unwrap_or(0)
}

fn listens(process: &Process, port: u16) -> Result<(), Failure> {
    ::tests::until_within(::tests::DEADLINE, || net::try_connect(port).ok())
        .map(drop)
        .ok_or_else(|| format!("it doesn't listen\n{}", process.report()))
}

pub(super) fn reference(file: &Path, _: &Path, _: u16, far: u16) -> Command {
    let mut command = Command::new(file);
    command.args(["bench-relay", &far.to_string()]);
    command
}

pub(super) fn forward(file: &Path, near: &str, far: &str) -> Command {
    let mut command = Command::new(file);
    command.args(["--endpoint", near, "--dest-endpoint", far]);
    command
}

fn ws_tcp(file: &Path, _: &Path, near: u16, far: u16) -> Command {
    let near = format!("ws:{{tcp:{near}:interface=127.0.0.1}}:subprotocol=binary");
    forward(file, &near, &format!("tcp:127.0.0.1:{far}"))
}

pub(super) fn tcp_tcp(file: &Path, _: &Path, near: u16, far: u16) -> Command {
    forward(file, &format!("tcp:{near}:interface=127.0.0.1"), &format!("tcp:127.0.0.1:{far}"))
}

fn tcp_unix(file: &Path, folder: &Path, near: u16, _: u16) -> Command {
    let far = format!("unix:{}", folder.join("far.sock").display());
    forward(file, &format!("tcp:{near}:interface=127.0.0.1"), &far)
}

fn unix_tcp(file: &Path, folder: &Path, _: u16, far: u16) -> Command {
    let near = format!("unix:{}", folder.join("near.sock").display());
    forward(file, &near, &format!("tcp:127.0.0.1:{far}"))
}

fn websockify(file: &Path, _: &Path, near: u16, far: u16) -> Command {
    let mut command = Command::new(file);
    command.args([format!("127.0.0.1:{near}"), format!("127.0.0.1:{far}")]);
    command
}

fn websocketd(file: &Path, _: &Path, near: u16, far: u16) -> Command {
    let mut command = Command::new(file);
    command.args([
        "--address=127.0.0.1",
        &format!("--port={near}"),
        "--binary=true",
        "--loglevel=error",
    ]);
    command.args(["socat", "-", &format!("TCP:127.0.0.1:{far},nodelay")]);
    command
}

fn websocat(file: &Path, _: &Path, near: u16, far: u16) -> Command {
    let mut command = Command::new(file);
    command.args(["--binary", &format!("ws-l:127.0.0.1:{near}"), &format!("tcp:127.0.0.1:{far}")]);
    command
}

fn socat(file: &Path, _: &Path, near: u16, far: u16) -> Command {
    let mut command = Command::new(file);
    command.arg(format!("TCP-LISTEN:{near},bind=127.0.0.1,reuseaddr,fork,backlog=1024,nodelay"));
    command.arg(format!("TCP:127.0.0.1:{far},nodelay"));
    command
}

fn haproxy(file: &Path, folder: &Path, near: u16, far: u16) -> Command {
    let text = format!(
        "global\n  maxconn 9500\n  nbthread 1\ndefaults\n  mode tcp\n  maxconn 9500\n  timeout connect 10s\n  \
         timeout client 600s\n  timeout server 600s\nfrontend near\n  bind 127.0.0.1:{near}\n  \
         default_backend far\nbackend far\n  server far 127.0.0.1:{far}\n"
    );
    let mut command = Command::new(file);
    command.arg("-db").arg("-f").arg(written(folder, "haproxy.cfg", &text));
    command
}

fn nginx(file: &Path, folder: &Path, near: u16, far: u16) -> Command {
    // Debian has it as a module; elsewhere it is built in.
    let module = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so");
    let load = if module.exists() {
        format!("load_module {};\n", module.display())
    } else {
        String::new()
    };
    let text = format!(
        "{load}daemon off;\npid nginx.pid;\nworker_processes 1;\nerror_log stderr error;\n\
         worker_rlimit_nofile 20000;\nevents {{ worker_connections 20000; }}\n\
         stream {{ server {{ listen 127.0.0.1:{near} backlog=4096; proxy_pass 127.0.0.1:{far}; }} }}\n"
    );
    let mut command = Command::new(file);
    command.arg("-p").arg(folder).arg("-e").arg("stderr").arg("-c").arg(written(
        folder,
        "nginx.conf",
        &text,
    ));
    command
}

/// Writes the text, and returns its path. If that fails, the program that reads it reports it.
pub(super) fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    let _said_by_the_program = fs::write(&file, text);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_found_in_what_was_said() {
        assert_eq!(port("40123"), 40123);
        assert_eq!(port("tcp:127.0.0.1:40123"), 40123);
        assert_eq!(port("ws:{tcp:127.0.0.1:40123} (ws://127.0.0.1:40123/)"), 40123);
        assert_eq!(port("unix:/tmp/near"), 0);
    }
}
