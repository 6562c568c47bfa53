//! Sockets that others open and pass: systemd-socket-activate, `socat EXEC:`, a shell; and what a service manager is told.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Command;
use std::time::Duration;

use tests::{Forwarder, Peer, Process, binary, net, until};

/// systemd-socket-activate with our command behind it.
fn activated(before: &[&str], arguments: &[&str]) -> Peer {
    let ours = binary::endpointforward().display().to_string();
    let all: Vec<_> =
        before.iter().copied().chain([&*ours]).chain(arguments.iter().copied()).collect();
    Peer::start("systemd-socket-activate", &all)
}

fn echoes(mut stream: impl Read + Write) {
    stream.write_all(b"hello").unwrap();
    let mut got = [0; 5];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"hello");
}

fn tcp_echoes(port: u16) {
    let stream = until("it listens", || net::try_connect(port).ok());
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    echoes(&stream);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(net::read_all(&stream), b"");
}

#[test]
fn the_first_connection_starts_us() {
    for descriptor in ["systemd:index=0", "systemd:domain=INET:index=0", "fd:3"] {
        let port = net::free_port();
        let at = format!("127.0.0.1:{port}");
        let mut peer = activated(&["-l", &at], &["-e", descriptor, "-d", "echo"]);
        // The one that starts us is served, and those after it.
        tcp_echoes(port);
        tcp_echoes(port);
        assert!(peer.runs(), "{}", peer.report());
        peer.wait_for_line("open id=2");
    }
}

#[test]
fn sockets_have_names_and_one_name_may_have_several() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s").display().to_string();
    let (web, other) = (net::free_port(), net::free_port());
    let at = |port: u16| format!("127.0.0.1:{port}");
    let listen = ["-l", &at(web), "-l", &path, "-l", &at(other), "--fdname=web:web:other"];
    let peer = activated(&listen, &["-e", "systemd:web", "-e", "systemd:other", "-d", "echo"]);
    tcp_echoes(web);
    tcp_echoes(other);
    let stream = UnixStream::connect(&path).unwrap();
    echoes(&stream);
    let line = peer.wait_for_line(&format!("peer=unix:{path}"));
    assert!(line.contains("systemd:web"), "{line}");
}

#[test]
fn a_page_is_served_from_an_adopted_socket() {
    let port = net::free_port();
    let at = format!("127.0.0.1:{port}");
    let peer = activated(&["-l", &at], &["-e", "ws:{systemd:index=0}", "-d", "echo"]);
    let _first = until("it listens", || net::try_connect(port).ok());
    let mut client = tests::ws::WebSocket::connect(port, "/", &[]);
    client.send_binary(b"hello");
    assert_eq!(client.message(), b"hello");
    peer.wait_for_line(&format!("http://127.0.0.1:{port}/"));
}

#[test]
fn what_was_not_passed_is_said() {
    for (descriptor, words) in [
        ("systemd:index=1", "systemd has passed 1 socket, and `index` begins at 0"),
        ("systemd:web", "systemd has passed 1 socket without a name, and none with the name `web`"),
        ("systemd:domain=UNIX:index=0", "the socket's domain is INET"),
        ("fd:9", "this program has not inherited a file descriptor 9"),
    ] {
        let port = net::free_port();
        let at = format!("127.0.0.1:{port}");
        let peer = activated(&["-l", &at], &["-e", descriptor, "-d", "echo"]);
        let _client = until("it listens", || net::try_connect(port).ok());
        peer.wait_for_line(words);
    }
    let output = tests::run(&["-e", "systemd:web", "-d", "echo"], b"");
    assert_eq!(output.code(), Some(69), "{}", output.stderr);
    let words =
        "cannot bind systemd:web: systemd has passed no sockets to this program (LISTEN_FDS)";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    let output = tests::run(&["-e", "inetd", "-d", "echo"], b"");
    assert!(
        output.stderr.contains("cannot bind inetd: standard input is not a socket"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_program_behind_an_adopted_socket_has_to_be_meant() {
    let output = tests::run(&["-e", "systemd:web", "-d", "process:sh"], b"");
    assert_eq!(output.code(), Some(64), "{}", output.stderr);
    assert!(output.stderr.contains("auth=none"), "{}", output.stderr);
    let port = net::free_port();
    let at = format!("127.0.0.1:{port}");
    let shell = "process:sh:-c:{ls -l /proc/self/fd; env}";
    let _peer = activated(&["-l", &at], &["-e", "systemd:index=0:auth=none", "-d", shell]);
    let stream = until("it listens", || net::try_connect(port).ok());
    net::half_close(&stream);
    let said = String::from_utf8(net::read_all(&stream)).unwrap();
    assert!(said.contains("/proc/"), "{said}");
    assert!(!said.contains("socket:") && !said.contains("LISTEN_"), "it has what is ours: {said}");
}

#[test]
fn inetd_passes_a_connection() {
    let ours = binary::endpointforward().display();
    for how in ["", ",nofork", ",stderr"] {
        let port = net::free_port();
        let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork");
        // `nofork` is the accepted socket itself; without it, socat has a pair of sockets.
        let exec = format!("EXEC:{ours} -e inetd -d echo{how}");
        let listen = if how == ",nofork" { listen.replace(",fork", "") } else { listen };
        let mut peer = Peer::start("socat", &[listen, exec]);
        let stream = until("it listens", || net::try_connect(port).ok());
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        (&stream).write_all(b"only this comes back").unwrap();
        net::half_close(&stream);
        let got = String::from_utf8_lossy(&net::read_all(&stream)).into_owned();
        assert_eq!(got, "only this comes back", "{how}");
        if how == ",nofork" {
            peer.wait_exit();
        }
    }
}

#[test]
fn systemd_accepts_and_we_serve_one() {
    for (how, descriptor) in
        [(&["--accept"][..], "systemd:index=0"), (&["--accept", "--inetd"], "inetd")]
    {
        let port = net::free_port();
        let at = format!("127.0.0.1:{port}");
        let before = [how, &["-l", &at]].concat();
        let _peer = activated(&before, &["-e", descriptor, "-d", "echo"]);
        tcp_echoes(port);
        tcp_echoes(port);
    }
}

#[test]
fn a_shell_passes_a_connection_as_a_destination() {
    let server = net::Server::bind();
    let script = format!(
        "exec 7<>/dev/tcp/127.0.0.1/{}; exec {} -e stdio -d fd:7",
        server.port(),
        binary::endpointforward().display()
    );
    let mut bash = Command::new("bash");
    let mut process = Process::spawn("bash", bash.args(["-c", &script]));
    let far = server.accept();
    process.send(b"through a descriptor");
    process.close_stdin();
    assert_eq!(net::read_all(&far), b"through a descriptor");
    (&far).write_all(b"answer").unwrap();
    drop(far);
    assert!(process.wait_exit().success(), "{}", process.report());
}

#[test]
fn a_service_manager_hears_that_we_are_ready_live_and_stop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let hear = || {
        let mut text = [0; 1024];
        let length = manager.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    };
    let ours = Forwarder::start_with_env(
        &["-e", "0", "-d", "echo"],
        &[("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")],
    );
    let ready = hear();
    assert!(ready.starts_with("READY=1\nSTATUS=listening on tcp:127.0.0.1:"), "{ready}");
    assert_eq!(hear(), "WATCHDOG=1");
    assert_eq!(hear(), "WATCHDOG=1");
    let mut process = ours.into_process();
    process.signal(rustix::process::Signal::TERM);
    let stopping = until("it stops", || Some(hear()).filter(|text| text != "WATCHDOG=1"));
    assert!(stopping.starts_with("STOPPING=1\n"), "{stopping}");
    assert!(process.wait_exit().success());
}
