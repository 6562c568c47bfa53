//! Clients that go through us, and proxies that we go through: curl, microsocks, dante, tinyproxy, `ssh -D`.

use std::fs;
use std::io::Write;
use std::process::Command;

use tempfile::TempDir;
use tests::data::Pattern;
use tests::{Forwarder, Peer, net};

use crate::ssh::Sshd;
use crate::{program, succeeds};

/// Answers every request with `hello`.
fn web() -> Forwarder {
    let answer = r"process:sh:-c:{while read line && [ ${#line} -gt 1 ]; do :; done; printf 'HTTP/1.0 200 OK\r\n\r\nhello'}";
    Forwarder::between("tcp:0:interface=127.0.0.1:web-pages=allow", answer)
}

/// A proxy of ours that connects its clients to whatever `allow` has.
fn proxy(listen: &str, allow: &str) -> Forwarder {
    Forwarder::between(listen, &format!("tcp:${{target.host}}:${{target.port}}:allow={{{allow}}}"))
}

fn curl(more: &[&str]) -> Command {
    let mut curl = program("curl");
    curl.args(["-sS", "--max-time", "20", "--noproxy", ""]).args(more);
    for variable in ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "ALL_PROXY", "NO_PROXY"]
    {
        curl.env_remove(variable);
    }
    curl
}

#[test]
fn curl_goes_through_socks_of_every_version() {
    let (web, socks) = (web(), proxy("socks5:0", "loopback"));
    let at = format!("127.0.0.1:{}", socks.port(0));
    let login = format!("ada:secret@{at}");
    for (option, at, host) in [
        ("--socks5-hostname", &at, "localhost"),
        ("--socks5", &at, "127.0.0.1"),
        ("--socks4", &at, "127.0.0.1"),
        ("--socks4a", &at, "localhost"),
        ("--socks5-hostname", &login, "localhost"),
    ] {
        let url = format!("http://{host}:{}/", web.port(0));
        assert_eq!(succeeds(&mut curl(&[option, at, &url])).text(), "hello", "{option} {at}");
    }
}

#[test]
fn curl_goes_through_a_tunnel_and_nothing_else() {
    let (web, proxy) = (web(), proxy("http-connect:0", "127.0.0.0/8,[::1]"));
    let at = format!("http://ada:secret@127.0.0.1:{}", proxy.port(0));
    let url = format!("http://localhost:{}/", web.port(0));
    assert_eq!(succeeds(&mut curl(&["--proxytunnel", "-x", &at, &url])).text(), "hello");
    let plain = succeeds(&mut curl(&["-i", "-x", &at, &url])).text();
    assert!(plain.starts_with("HTTP/1.1 405 Method Not Allowed\r\nAllow: CONNECT\r\n"), "{plain}");
}

#[test]
fn curl_is_told_what_is_not_allowed_and_what_is_down() {
    let web = web();
    let socks = proxy("socks5:0", "loopback:1-9");
    let tunnel = proxy("http-connect:0", "loopback:1-9");
    let url = format!("http://127.0.0.1:{}/", web.port(0));
    let at = |proxy: &Forwarder| format!("127.0.0.1:{}", proxy.port(0));
    let refused = tests::run_program(&mut curl(&["--socks5", &at(&socks), &url]), b"");
    assert!(refused.stderr.contains("(2)"), "{}", refused.stderr);
    let words = socks.wait_for_log("`allow` doesn't permit 127.0.0.1");
    assert!(words.contains("cannot connect tcp:${targe"), "{words}");
    let tunnelled = ["--proxytunnel", "-x", &at(&tunnel)];
    let refused = tests::run_program(curl(&tunnelled).arg(&url), b"");
    assert!(refused.stderr.contains("403"), "{}", refused.stderr);
    let down = "http://127.0.0.1:1/";
    let refused = tests::run_program(&mut curl(&["--socks5", &at(&socks), down]), b"");
    assert!(refused.stderr.contains("(5)"), "{}", refused.stderr);
    let refused = tests::run_program(curl(&tunnelled).arg(down), b"");
    assert!(refused.stderr.contains("502"), "{}", refused.stderr);
}

/// Sends data there and back through the proxy of this URL. Not every proxy knows half-close: the end comes last.
fn goes_through(url: &str) {
    let echo = Forwarder::between("0", "echo");
    let data = Pattern::new(3).take(1 << 20);
    let hosts: &[&str] =
        if url.starts_with("socks4:") { &["127.0.0.1"] } else { &["127.0.0.1", "localhost"] };
    for host in hosts {
        let through = format!("tcp:{host}:{}:via={{{url}}}", echo.port(0));
        let ours = Forwarder::between("0", &through);
        let client = net::connect(ours.port(0));
        let writer = client.try_clone().expect("a socket");
        let sent = data.clone();
        let writing = std::thread::spawn(move || (&writer).write_all(&sent).expect("it is taken"));
        let got = net::read_exactly(&client, data.len());
        assert!(got == data, "{through}: it came back changed\n{}", ours.log());
        writing.join().expect("it has written");
    }
}

fn does_not_go_through(url: &str, words: &str) {
    let through = format!("tcp:127.0.0.1:9:via={{{url}}}");
    let output = tests::run(&["-e", "stdio", "-d", &through], b"x");
    assert!(output.stderr.contains(words), "{through}: {}", output.stderr);
}

#[test]
fn through_microsocks() {
    let port = net::free_port();
    let own = port.to_string();
    let mut server = Peer::start("microsocks", &["-i", "127.0.0.1", "-p", &own]);
    server.wait_for_port(port);
    goes_through(&format!("socks5://127.0.0.1:{port}"));
    does_not_go_through(
        &format!("socks5://127.0.0.1:{port}"),
        "the proxy refuses: the connection was refused",
    );
    let port = net::free_port();
    let own = port.to_string();
    let arguments = ["-i", "127.0.0.1", "-p", &own, "-u", "ada", "-P", "secret"];
    let mut server = Peer::start("microsocks", &arguments);
    server.wait_for_port(port);
    goes_through(&format!("socks5://ada:secret@127.0.0.1:{port}"));
    does_not_go_through(&format!("socks5://127.0.0.1:{port}"), "the proxy requires authentication");
    does_not_go_through(
        &format!("socks5://ada:x@127.0.0.1:{port}"),
        "the proxy rejects this name and password",
    );
}

/// A folder with a configuration in it.
fn configured(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder for a configuration");
    let file = folder.path().join("conf");
    fs::write(&file, text).expect("a file can be written");
    let file = file.display().to_string();
    (folder, file)
}

/// A server of dante's, its folder, and its port.
pub(crate) fn dante() -> (Peer, TempDir, u16) {
    let port = net::free_port();
    let user = succeeds(program("id").arg("-un")).text();
    let user = user.trim();
    let (folder, file) = configured(&format!(
        "logoutput: stderr\ninternal: 127.0.0.1 port = {port}\nexternal: lo\nclientmethod: none\nsocksmethod: none\n\
         user.privileged: {user}\nuser.unprivileged: {user}\n\
         client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}\nsocks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}\n"
    ));
    let mut server = Peer::start("danted", &["-f", &file]);
    server.wait_for_port(port);
    (server, folder, port)
}

#[test]
fn through_dante() {
    let (_server, _folder, port) = dante();
    for scheme in ["socks5", "socks4"] {
        goes_through(&format!("{scheme}://127.0.0.1:{port}"));
    }
}

#[test]
fn through_tinyproxy() {
    let port = net::free_port();
    let (_folder, file) =
        configured(&format!("Port {port}\nListen 127.0.0.1\nTimeout 600\nBasicAuth ada secret\n"));
    let mut server = Peer::start("tinyproxy", &["-d", "-c", &file]);
    server.wait_for_port(port);
    goes_through(&format!("http://ada:secret@127.0.0.1:{port}"));
    does_not_go_through(
        &format!("http://127.0.0.1:{port}"),
        "the proxy answered 407 Proxy Authentication Required",
    );
    does_not_go_through(&format!("http://ada:secret@127.0.0.1:{port}"), "the proxy answered 500");
}

#[test]
fn through_ssh_d() {
    let sshd = Sshd::start();
    let port = net::free_port();
    let mut client = sshd.client("ssh", &format!("tcp:127.0.0.1:{}", sshd.port));
    client.args(["-N", "-D", &format!("127.0.0.1:{port}"), "behind"]);
    let arguments: Vec<_> = client.get_args().map(std::ffi::OsStr::to_owned).collect();
    let mut client = Peer::start("ssh", &arguments);
    client.wait_for_port(port);
    for scheme in ["socks5", "socks4a"] {
        goes_through(&format!("{scheme}://127.0.0.1:{port}"));
    }
}

#[test]
fn the_environment_names_the_proxy_and_ours_is_one() {
    let echo = Forwarder::between("0", "echo");
    let tunnel = proxy("http-connect:0", "loopback");
    let proxy = format!("http://127.0.0.1:{}", tunnel.port(0));
    // The name is the proxy's to resolve: NO_PROXY and loopback are looked at as they are typed.
    let destination = format!("tcp:localhost.localdomain.invalid:{}:via=environment", echo.port(0));
    let through = Forwarder::start_with_env(
        &["-e", "0", "-d", &destination],
        &[("HTTPS_PROXY", &proxy), ("NO_PROXY", "example.com")],
    );
    let client = net::connect(through.port(0));
    net::wait_end(&client);
    tunnel.wait_for_log("cannot resolve the name `localhost.localdomain.invalid`");
    through.wait_for_log("the proxy answered 502 Bad Gateway: cannot connect to the destination");
}

#[test]
fn a_websocket_over_tls_goes_through_socks() {
    let web = Forwarder::between("ws:{tls:0:cert=self-signed}", "echo");
    let socks = proxy("socks5:0", "loopback");
    let url = format!(
        "{{wss://127.0.0.1:{}/}}:via={{socks5://127.0.0.1:{}}}:insecure=true",
        web.port(0),
        socks.port(0)
    );
    let output = tests::run(&["-e", "stdio", "-d", &url], b"over and over");
    assert_eq!(output.text(), "over and over", "{}", output.stderr);
}

#[test]
fn curl_logs_in_with_a_name_of_the_file() {
    let web = web();
    // SHA-1 of `secret`, as `htpasswd -s` has it.
    let (_folder, file) = configured("ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
    let auth = format!(":auth={{htpasswd:{file}}}");
    let url = format!("http://127.0.0.1:{}/", web.port(0));
    let socks = proxy(&format!("socks5:0{auth}"), "loopback");
    let at = |login: &str, proxy: &Forwarder| format!("{login}127.0.0.1:{}", proxy.port(0));
    let right = at("ada:secret@", &socks);
    assert_eq!(succeeds(&mut curl(&["--socks5", &right, &url])).text(), "hello");
    socks.wait_for_log("the client requests 127.0.0.1, port");
    socks.wait_for_log("user=\"ada\"");
    for login in ["ada:wrong@", "eve:secret@", ""] {
        let refused = tests::run_program(&mut curl(&["--socks5", &at(login, &socks), &url]), b"");
        assert_eq!(refused.code(), Some(97), "{login}: {}", refused.stderr);
    }
    let tunnel = proxy(&format!("http-connect:0{auth}"), "loopback");
    let right = at("http://ada:secret@", &tunnel);
    assert_eq!(succeeds(&mut curl(&["--proxytunnel", "-x", &right, &url])).text(), "hello");
    for login in ["http://ada:wrong@", "http://"] {
        let wrong = at(login, &tunnel);
        let refused = tests::run_program(&mut curl(&["--proxytunnel", "-x", &wrong, &url]), b"");
        assert!(refused.stderr.contains("407"), "{login}: {}", refused.stderr);
    }
    // A client that is known by its address needs no name.
    let known = proxy("socks5:0:auth={peer:127.0.0.0/8}", "loopback");
    assert_eq!(succeeds(&mut curl(&["--socks5", &at("", &known), &url])).text(), "hello");
}
