//! `ssh:` to a real sshd: authentication, host keys, and sessions that share a connection.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tests::data::Pattern;
use tests::net::{self, Server};
use tests::{Forwarder, Peer, until};

use crate::ssh::Sshd;
use crate::{program, succeeds};

impl Sshd {
    /// The file of known hosts, with this server's key by the name that it is dialled by.
    fn known(&self) -> String {
        self.known_at(self.port)
    }

    fn known_at(&self, port: u16) -> String {
        let file = self.file(&format!("known_at_{port}"));
        let key = fs::read_to_string(self.file("host.pub")).expect("it was made");
        fs::write(&file, format!("# ours\n[127.0.0.1]:{port} {key}"))
            .expect("a file can be written");
        file.display().to_string()
    }

    /// `ssh:` to it, without a destination.
    fn descriptor(&self) -> String {
        self.descriptor_at(self.port)
    }

    fn descriptor_at(&self, port: u16) -> String {
        let (user, key, known) = (&self.user, self.file("user"), self.known_at(port));
        format!(
            "ssh:{{tcp:127.0.0.1:{port}}}:user={user}:key={}:known-hosts={known}",
            key.display()
        )
    }

    fn to(&self, port: u16) -> String {
        format!("{}:host=127.0.0.1:port={port}", self.descriptor())
    }

    fn allow(&self, key: &Path) {
        let public = fs::read_to_string(key.with_extension("pub")).expect("it was made");
        fs::write(self.file("user.pub"), public).expect("a file can be written");
    }

    fn keygen(&self, name: &str, arguments: &[&str]) -> std::path::PathBuf {
        let file = self.file(name);
        succeeds(program("ssh-keygen").arg("-q").args(arguments).arg("-f").arg(&file));
        file
    }
}

/// Sends `text` over the standard input of a forwarder, and returns its output.
fn said(destination: &str, text: &str) -> tests::Output {
    tests::run(&["-e", "stdio", "-d", destination], text.as_bytes())
}

fn echoes(destination: &str) {
    let output = said(destination, "over and over");
    assert_eq!(output.text(), "over and over", "{destination}\n{}", output.stderr);
}

/// The error that a session ends with.
fn fails(destination: &str) -> String {
    let output = said(destination, "");
    assert!(!output.status.success(), "{destination}: {}", output.stderr);
    output.stderr
}

fn assert_says(log: &str, words: &[&str]) {
    for words in words {
        assert!(log.contains(words), "no `{words}` in:\n{log}");
    }
}

// === who is let in ===

#[test]
fn keys_of_every_sort_let_in() {
    let (sshd, echo) = (Sshd::start(), Forwarder::between("0", "echo"));
    echoes(&sshd.to(echo.port(0)));
    for (name, arguments) in [
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""][..]),
        ("ecdsa", &["-t", "ecdsa", "-b", "256", "-N", ""]),
        ("with a space", &["-t", "ecdsa", "-b", "521", "-N", ""]),
        ("100%", &["-t", "rsa", "-m", "PEM", "-N", ""]),
    ] {
        let key = sshd.keygen(name, arguments);
        sshd.allow(&key);
        let other = sshd.to(echo.port(0)).replace(
            &format!("key={}", sshd.file("user").display()),
            &format!("key={{{}}}", key.display()),
        );
        echoes(&other);
    }
}

#[test]
fn a_key_that_is_not_let_in_or_not_usable_is_said() {
    let sshd = Sshd::start();
    let with = |key: &str| {
        sshd.to(9).replace(&format!("key={}", sshd.file("user").display()), &format!("key={key}"))
    };
    let other = sshd.keygen("other", &["-t", "ed25519", "-N", ""]).display().to_string();
    let log = fails(&with(&other));
    assert_says(&log, &["127.0.0.1: Permission denied (publickey)", "`key=`"]);

    let locked = sshd.keygen("locked", &["-t", "ed25519", "-N", "secret"]).display().to_string();
    let log = fails(&with(&locked));
    assert_says(&log, &["is encrypted, and its passphrase can't be entered", "ssh-add"]);

    let open = sshd.keygen("open", &["-t", "ed25519", "-N", ""]);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("it is ours");
    let log = fails(&with(&open.display().to_string()));
    assert_says(&log, &["users other than its owner can read the key", "chmod 600"]);

    let log = fails(&with("/nowhere/key"));
    assert_says(&log, &["no such file or directory", "the key is to be in `/nowhere/key`"]);
}

#[test]
fn an_agent_has_the_key() {
    let (sshd, echo) = (Sshd::start(), Forwarder::between("0", "echo"));
    let socket = sshd.file("agent").display().to_string();
    let agent = Peer::start("ssh-agent", &["-D", "-a", &socket]);
    until("the agent listens", || Path::new(&socket).exists().then_some(()));
    succeeds(program("ssh-add").arg("-q").arg(sshd.file("user")).env("SSH_AUTH_SOCK", &socket));
    let destination =
        sshd.to(echo.port(0)).replace(&format!("key={}", sshd.file("user").display()), "key=agent");
    let ours =
        Forwarder::start_with_env(&["-e", "0", "-d", &destination], &[("SSH_AUTH_SOCK", &socket)]);
    assert_eq!(answer(ours.port(0), b"agent"), b"agent");
    drop(agent);

    let none =
        Forwarder::start_with_env(&["-e", "0", "-d", &destination], &[("SSH_AUTH_SOCK", "")]);
    net::wait_end(&net::connect(none.port(0)));
    none.wait_for_log("there is no agent: SSH_AUTH_SOCK is not set");
}

#[test]
fn a_password_comes_from_its_file() {
    let sshd = Sshd::start_with("PasswordAuthentication yes\nPermitRootLogin yes\n");
    let file = sshd.file("it's a password");
    fs::write(&file, "not it\nanother line\n").expect("a file can be written");
    let key = format!("key={}", sshd.file("user").display());
    let with = |file: &str| sshd.to(9).replace(&key, &format!("password-file={{{file}}}"));
    // A right one is the machine's own users' to know.
    let log = fails(&with(&file.display().to_string()));
    assert_says(&log, &["Permission denied (publickey,password)"]);
    sshd.wait_for_log(&format!("Failed password for {} from 127.0.0.1", sshd.user));
    let log = fails(&with("/nowhere/password"));
    assert_says(
        &log,
        &["no such file or directory", "the password is to be in `/nowhere/password`"],
    );
}

/// Sends `sent` and its end, and returns the answer until its end.
fn answer(port: u16, sent: &[u8]) -> Vec<u8> {
    let mut client = net::connect(port);
    client.write_all(sent).expect("it is taken");
    net::half_close(&client);
    let mut got = Vec::new();
    client.read_to_end(&mut got).expect("it ends in order");
    got
}

#[test]
fn a_server_that_says_nothing_and_one_that_is_none() {
    let sshd = Sshd::start();
    let silent = Server::bind();
    let to = |port: u16| format!("{}:host=h:port=1", sshd.descriptor_at(port));
    let log = fails(&format!("{}:timeout=1", to(silent.port())));
    assert_says(&log, &["no login at the server within 1 s"]);
    let closing = Server::bind();
    let port = closing.port();
    let closer = std::thread::spawn(move || drop(closing.accept()));
    let log = fails(&to(port));
    closer.join().expect("it has closed");
    assert_says(&log, &["kex_exchange_identification: Connection closed by remote host"]);
    let down = net::Refusing::bind();
    let log = fails(&to(down.port()));
    assert_says(
        &log,
        &[&format!("cannot connect tcp:127.0.0.1:{}: connection refused", down.port())],
    );
}

#[test]
fn without_ssh_it_is_said_what_is_missing() {
    let sshd = Sshd::start();
    let ours = Forwarder::start_with_env(&["-e", "0", "-d", &sshd.to(1)], &[("PATH", "/nowhere")]);
    ours.wait_for_log("there is no program `ssh` in PATH");
    net::wait_end(&net::connect(ours.port(0)));
    ours.wait_for_log("install OpenSSH's client (Debian: openssh-client)");
}

// === who is believed ===

#[test]
fn a_server_that_is_not_known_is_refused_unless_told() {
    let (sshd, echo) = (Sshd::start(), Forwarder::between("0", "echo"));
    let empty = sshd.file("empty").display().to_string();
    let destination = sshd.to(echo.port(0)).replace(&sshd.known(), &empty);
    let log = fails(&destination);
    let words = format!(
        "No ED25519 host key is known for [127.0.0.1]:{} and you have requested strict checking",
        sshd.port
    );
    assert_says(&log, &[&words, "ssh-keyscan", "accept-new=true"]);
    assert!(!Path::new(&empty).exists(), "it was believed");

    echoes(&format!("{destination}:accept-new=true"));
    let listed = fs::read_to_string(&empty).expect("it was added");
    assert!(listed.contains("ssh-ed25519"), "{listed}");
    // From now on it is known.
    echoes(&destination);

    // The same by its hash, and by a separate name.
    succeeds(program("ssh-keygen").args(["-q", "-H", "-f", &empty]));
    assert!(fs::read_to_string(&empty).expect("a list").contains("|1|"));
    echoes(&destination);
    let named = sshd.file("known_hosts").display().to_string();
    echoes(&format!("{}:name=behind", sshd.to(echo.port(0)).replace(&sshd.known(), &named)));
}

#[test]
fn a_server_whose_key_has_changed_is_refused() {
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let known = other.known_at(sshd.port);
    let destination = sshd.to(9).replace(&sshd.known(), &known);
    for more in ["", ":accept-new=true"] {
        let log = fails(&format!("{destination}{more}"));
        let place = format!("Offending ED25519 key in {known}:2");
        assert_says(&log, &["REMOTE HOST IDENTIFICATION HAS CHANGED", &place, "SHA256:"]);
        assert_says(&log, &["ssh-keygen -f", "-R \"[127.0.0.1]:"]);
    }
    let key = fs::read_to_string(sshd.file("host.pub")).expect("it was made");
    fs::write(&known, format!("@revoked * {key}")).expect("a file can be written");
    let log = fails(&destination);
    assert_says(&log, &["REVOKED HOST KEY", "is marked as revoked"]);
}

// === sessions ===

#[test]
fn sessions_share_a_connection_that_is_made_again() {
    let (sshd, echo) = (Sshd::start(), Forwarder::between("0", "echo"));
    let ours = Forwarder::between("0", &sshd.to(echo.port(0)));
    for _ in 0..3 {
        assert_eq!(answer(ours.port(0), b"again"), b"again");
    }
    assert_eq!(ours.log().matches("ssh connection is up").count(), 1, "{}", ours.log());

    let [ssh] = ours.children()[..] else { panic!("{:?}", ours.children()) };
    let ssh = Pid::from_raw(i32::try_from(ssh).expect("a pid")).expect("a pid");
    kill_process(ssh, Signal::KILL).expect("it is ours");
    assert_eq!(answer(ours.port(0), b"again"), b"again");
    assert_eq!(ours.log().matches("ssh connection is up").count(), 2, "{}", ours.log());
}

#[test]
fn many_that_come_at_once_share_one_login() {
    let (sshd, echo) = (Sshd::start(), Forwarder::between("0", "echo"));
    let ours = Forwarder::between("0", &sshd.to(echo.port(0)));
    let port = ours.port(0);
    let clients: Vec<_> = (0..40_u8)
        .map(|number| std::thread::spawn(move || (answer(port, &[number; 999]), number)))
        .collect();
    for client in clients {
        let (got, number) = client.join().expect("it has got its answer");
        assert_eq!(got, [number; 999]);
    }
    assert_eq!(ours.log().matches("ssh connection is up").count(), 1, "{}", ours.log());
}

#[test]
fn what_the_server_refuses_is_said() {
    let sshd = Sshd::start();
    let log = fails(&sshd.to(1));
    assert_says(
        &log,
        &["the server refuses: connect failed: Connection refused", "no server listens there"],
    );
    let log = fails(&format!("{}:host=h.invalid:port=1", sshd.descriptor()));
    assert_says(&log, &["the server refuses: connect failed: Name or service not known"]);
    let strict = Sshd::start_with("PermitOpen 127.0.0.1:2\n");
    let log = fails(&strict.to(1));
    assert_says(&log, &["the server refuses: administratively prohibited", "`PermitOpen`"]);
    // The client is refused before its WebSocket is accepted.
    let ours = Forwarder::between("ws:0", &strict.to(1));
    let url = format!("http://127.0.0.1:{}/", ours.port(0));
    let mut curl = program("curl");
    curl.args(["-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", &url]);
    curl.args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H"]);
    curl.args(["Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]);
    assert_eq!(succeeds(&mut curl).text(), "502");
}

#[test]
fn a_unix_socket_of_the_servers_is_reached() {
    let sshd = Sshd::start();
    let socket = sshd.file("socket").display().to_string();
    let _echo = Forwarder::between(&format!("unix:{socket}"), "echo");
    echoes(&format!("{}:unix={socket}", sshd.descriptor()));
    let log = fails(&format!("{}:unix={socket}-not", sshd.descriptor()));
    assert_says(&log, &["the server refuses: connect failed"]);
}

#[test]
fn refusals_cost_no_session() {
    let (sshd, echo) = (Sshd::start(), Forwarder::between("0", "echo"));
    let known = sshd.descriptor();
    let socks = Forwarder::between(
        "socks5:0",
        &format!("{known}:host=${{target.host}}:port=${{target.port}}:allow=loopback"),
    );
    let connect = |port: u16| {
        let mut client = net::connect(socks.port(0));
        let mut request = vec![5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1];
        request.extend_from_slice(&port.to_be_bytes());
        client.write_all(&request).expect("it is taken");
        let reply = net::read_exactly(&client, 12);
        (client, reply[3])
    };
    let (mut client, reply) = connect(echo.port(0));
    assert_eq!(reply, 0);
    for _ in 0..20 {
        assert_eq!(connect(1).1, 5);
    }
    let (mut other, reply) = connect(echo.port(0));
    assert_eq!(reply, 0);
    for client in [&mut client, &mut other] {
        client.write_all(b"still here").expect("it is taken");
        assert_eq!(net::read_exactly(client, 10), b"still here");
    }
    assert_eq!(socks.log().matches("ssh connection is up").count(), 1, "{}", socks.log());
}

#[test]
fn a_lost_connection_is_no_end() {
    let (sshd, server) = (Sshd::start(), Server::bind());
    let between = Forwarder::between("0", &format!("tcp:127.0.0.1:{}", sshd.port));
    let at = sshd.descriptor_at(between.port(0));
    let ours = Forwarder::between("0", &format!("{at}:host=127.0.0.1:port={}", server.port()));
    let client = net::connect(ours.port(0));
    let mut far = server.accept();
    far.write_all(b"half of it").expect("it is taken");
    assert_eq!(net::read_exactly(&client, 10), b"half of it");
    drop(between);
    net::wait_end(&client);
    let log = ours.wait_for_log("the ssh connection was lost");
    assert!(log.contains("WARN"), "{log}");
}

#[test]
fn a_stalled_session_stops_no_other() {
    let (sshd, server) = (Sshd::start(), Server::bind());
    let ours = Forwarder::between("0", &sshd.to(server.port()));
    let _stalled = net::connect(ours.port(0));
    let flood = server.accept();
    // An unread one is held up: the data under way is the window of SSH and the kernel's buffers.
    let quiet = Duration::from_millis(700);
    let taken = net::push_until_stalled(&flood, &[7; 32 << 10], quiet, 64 << 20);
    assert!(taken < 64 << 20, "nothing holds it up");
    // The other direction, too.
    let push = net::connect(ours.port(0));
    let _unread = server.accept();
    let taken = net::push_until_stalled(&push, &[7; 32 << 10], quiet, 64 << 20);
    assert!(taken < 64 << 20, "nothing holds it up");

    let (busy, far) = server_end(&ours, &server);
    goes_whole(&busy, &far, 20 << 20);
}

/// A session more.
fn server_end(ours: &Forwarder, server: &Server) -> (TcpStream, TcpStream) {
    let client = net::connect(ours.port(0));
    (client, server.accept())
}

/// Sends as much both ways at once, and checks it.
fn goes_whole(a: &TcpStream, b: &TcpStream, bytes: u64) {
    std::thread::scope(|scope| {
        for (seed, from, to) in [(1, a, b), (2, b, a)] {
            scope.spawn(move || {
                Pattern::new(seed).write_to(from, bytes).expect("it is taken");
                net::half_close(from);
            });
            scope.spawn(move || {
                let read = Pattern::new(seed).read_from(to, u64::MAX).expect("it comes unchanged");
                assert_eq!(read, bytes);
            });
        }
    });
}

#[test]
fn much_goes_whole_both_ways_at_once() {
    let (sshd, server) = (Sshd::start(), Server::bind());
    let ours = Forwarder::between("0", &sshd.to(server.port()));
    let (client, far) = server_end(&ours, &server);
    goes_whole(&client, &far, 100 << 20);
}

#[test]
fn either_side_may_end_first() {
    let (sshd, server) = (Sshd::start(), Server::bind());
    let ours = Forwarder::between("0", &sshd.to(server.port()));
    for turn in [false, true] {
        let (client, far) = server_end(&ours, &server);
        let (mut first, mut last) = if turn { (far, client) } else { (client, far) };
        first.write_all(b"question").expect("it is taken");
        net::half_close(&first);
        assert_eq!(net::read_all(&last), b"question");
        let late = Pattern::new(7).take(3 << 20);
        // From a thread: the session ends with the last of it.
        let sent = late.clone();
        let writer = std::thread::spawn(move || last.write_all(&sent).map(|()| drop(last)));
        assert!(net::read_all(&first) == late);
        writer.join().expect("it ran").expect("it is taken");
        let _ = first.flush();
    }
}

#[test]
fn one_server_leads_to_the_next() {
    let (outer, inner) = (Sshd::start(), Sshd::start());
    let echo = Forwarder::between("0", "echo");
    let beneath = outer.to(inner.port);
    let at = format!("{{tcp:127.0.0.1:{}}}", inner.port);
    echoes(&inner.to(echo.port(0)).replacen(&at, &format!("{{{beneath}}}"), 1));
}

#[test]
fn via_is_the_same_and_takes_keys_from_the_agent() {
    let (sshd, echo) = (Sshd::start(), Forwarder::between("0", "echo"));
    let socket = sshd.file("agent").display().to_string();
    let _agent = Peer::start("ssh-agent", &["-D", "-a", &socket]);
    until("the agent listens", || Path::new(&socket).exists().then_some(()));
    succeeds(program("ssh-add").arg("-q").arg(sshd.file("user")).env("SSH_AUTH_SOCK", &socket));
    let (user, port) = (&sshd.user, sshd.port);
    let via = format!("via={{ssh://{user}@127.0.0.1:{port}}}");
    let destination = format!("tcp:127.0.0.1:{}:{via}", echo.port(0));
    let ours =
        Forwarder::start_with_env(&["-e", "0", "-d", &destination], &[("SSH_AUTH_SOCK", &socket)]);
    // The default list of known keys is in the home of the user who runs the tests, and tests don't change that.
    net::wait_end(&net::connect(ours.port(0)));
    ours.wait_for_log("No ED25519 host key is known for [127.0.0.1]:");
}
