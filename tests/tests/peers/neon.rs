//! Neon's driver and a real server, with the recipe of docs/coming-from.md between them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tests::{Forwarder, Process, net, node, until};

use crate::{program, succeeds};

/// A server with a user `ada`, whose password is `secret`.
struct Postgres {
    _server: Process,
    port: u16,
    // After the server, whose files they are.
    _folder: TempDir,
}

/// The newest that is installed: Debian has its programs in a folder with the version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|entry| entry.path().join("bin")).max();
    newest.expect("no PostgreSQL: run `cargo xtask interop`")
}

/// A program of the server, which wants not to be root.
fn command(name: &str) -> Command {
    let file = programs().join(name);
    if !rustix::process::geteuid().is_root() {
        return Command::new(file);
    }
    let mut command = program("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(file);
    // The folder that it is started in may be root's.
    command.current_dir("/");
    command
}

impl Postgres {
    fn start(method: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, password) = (folder.path().join("data"), folder.path().join("password"));
        fs::write(&password, "secret").expect("it is written");
        if rustix::process::geteuid().is_root() {
            succeeds(program("chown").args(["-R", "postgres"]).arg(folder.path()));
        }
        let mut init = command("initdb");
        init.arg("--no-sync").args(["--username=ada", &format!("--auth={method}"), "--pgdata"]);
        succeeds(init.arg(&data).arg(format!("--pwfile={}", password.display())));
        let port = net::free_port();
        let mut server = command("postgres");
        server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-F"]);
        server.arg("-k").arg(path(folder.path()));
        let server = Process::spawn("postgres", &mut server);
        until("PostgreSQL listens", || net::try_connect(port).ok());
        server.stderr().wait_for_line(tests::DEADLINE, "ready to accept connections");
        Self { _server: server, port, _folder: folder }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
#[ignore = "needs PostgreSQL: cargo xtask interop"]
fn neons_driver_gets_its_answers() {
    for (method, pipeline) in [("scram-sha-256", ""), ("password", "pipeline")] {
        let postgres = Postgres::start(method);
        let port = postgres.port.to_string();
        let to = format!("target:address={{${{http.query.address}}}}:allow={{127.0.0.1:{port}}}");
        let forwarder = Forwarder::between("ws:0", &to);
        let at = forwarder.port(0).to_string();
        let asked = |host: &str, port: &str, password: &str| {
            node("neon.mjs", &[&at, host, port, password, pipeline])
        };
        let mut client = asked("127.0.0.1", &port, "secret");
        assert!(client.wait_exit().success(), "{method}: {}", client.report());
        client.wait_for_line("there and back: PostgreSQL ");
        client.wait_for_line("5000000 characters");
        client.wait_for_line("sum 380");
        // A name is what its address is.
        let mut client = asked("localhost", &port, "secret");
        assert!(client.wait_exit().success(), "{method}: {}", client.report());
        let mut wrong = asked("127.0.0.1", &port, "wrong");
        assert!(!wrong.wait_exit().success());
        wrong.wait_for_line("failed: password authentication failed for user \"ada\"");
        for (host, port) in [("127.0.0.1", "1"), ("127.0.0.2", &port), ("169.254.169.254", "80")] {
            let mut refused = asked(host, port, "secret");
            assert!(!refused.wait_exit().success(), "{host}");
            refused.wait_for_line("failed: Unexpected server response: 403");
        }
    }
}
