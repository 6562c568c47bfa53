//! `HAProxy` between a client and us, as a TCP proxy and as an HTTP proxy.

use std::fs;
use std::io::Write;
use std::time::Duration;

use tempfile::TempDir;
use tests::data::Pattern;
use tests::net::{self, Refusing, Server};
use tests::ws::{Request, WebSocket};
use tests::{Forwarder, Peer, until};

/// How long it lets a tunnel be idle.
const IDLE: &str = "700ms";

struct Haproxy {
    _folder: TempDir,
    _server: Peer,
    port: u16,
}

/// In front of `port`, in `mode`.
fn haproxy(mode: &str, port: u16) -> Haproxy {
    let folder = tempfile::tempdir().expect("a folder for a configuration");
    let file = folder.path().join("haproxy.cfg");
    let own = net::free_port();
    let forwarded = if mode == "http" { "option forwardfor\n" } else { "" };
    let config = format!(
        "global\n maxconn 100\ndefaults\n mode {mode}\n timeout connect 5s\n timeout client 30s\n \
         timeout server 30s\n timeout tunnel {IDLE}\nfrontend front\n bind 127.0.0.1:{own}\n \
         {forwarded} default_backend back\nbackend back\n server ours 127.0.0.1:{port}\n"
    );
    fs::write(&file, config).expect("a file can be written");
    let mut server = Peer::start("haproxy", &["-db", "-f", &file.display().to_string()]);
    server.wait_for_port(own);
    Haproxy { _folder: folder, _server: server, port: own }
}

#[test]
fn a_websocket_goes_through_either_mode() {
    let data = Pattern::new(8).take(3 << 20);
    for mode in ["tcp", "http"] {
        let ours = Forwarder::between("ws:0", "process:cat");
        let between = haproxy(mode, ours.port(0));
        let url = format!("ws://127.0.0.1:{}/some/path?x=1", between.port);
        let output = tests::run(&["-e", "stdio", "-d", &url], &data);
        assert!(output.stdout == data, "{mode}: {} bytes\n{}", output.stdout.len(), output.stderr);
        assert_eq!(output.code(), Some(0), "{mode}: {}", output.stderr);
        ours.wait_no_children();
    }
}

#[test]
fn the_close_handshake_passes_it() {
    let server = Server::bind();
    let ours = Forwarder::between("ws:0", &server.descriptor());
    let between = haproxy("http", ours.port(0));
    let mut client = WebSocket::connect(between.port, "/", &["binary"]);
    assert_eq!(client.subprotocol(), Some("binary"));
    let far = server.accept();
    client.send_binary(b"last words");
    client.send_close(1000, "done");
    assert_eq!(net::read_all(&far), b"last words");
    drop(far);
    assert_eq!(client.wait_close().and_then(|(code, _)| code), Some(1000));
    let line = ours.wait_for_log("client left");
    assert!(line.contains(r#"(close 1000, "done")"#), "{line}");
}

#[test]
fn a_browsers_origin_is_compared_with_the_host_that_it_sees() {
    // HAProxy passes Host on as it is: the page's own address, with the proxy's port.
    let ours = Forwarder::between("ws:0", "echo");
    let between = haproxy("http", ours.port(0));
    let own = format!("127.0.0.1:{}", between.port);
    let request = |origin: &str| {
        Request::new("/").header("Host", &own).header("Origin", &format!("http://{origin}"))
    };
    let mut client = WebSocket::open(net::connect(between.port), &request(&own))
        .expect("the page came from there");
    client.send_binary(b"hello");
    assert_eq!(client.message(), b"hello");
    let elsewhere = WebSocket::open(net::connect(between.port), &request("example.com"));
    assert_eq!(elsewhere.expect_err("a page from elsewhere").status, 403);
}

#[test]
fn a_destination_that_is_down_is_a_502_of_ours_behind_it() {
    let refusing = Refusing::bind();
    let ours = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", refusing.port()));
    let between = haproxy("http", ours.port(0));
    let refused = WebSocket::open(net::connect(between.port), &Request::new("/"));
    let refused = refused.expect_err("no WebSocket without a destination");
    assert_eq!(refused.status, 502);
    let body = String::from_utf8_lossy(&refused.body).into_owned();
    assert!(!body.contains("<html>"), "HAProxy's own: {body}");
}

#[test]
fn a_tunnel_that_it_cuts_leaves_nothing_open() {
    let server = Server::bind();
    let ours = Forwarder::between("ws:0:ping=0", &server.descriptor());
    let between = haproxy("http", ours.port(0));
    let idle = ours.fds();
    let mut client = WebSocket::connect(between.port, "/", &[]);
    let far = server.accept();
    client.send_binary(b"then silence");
    assert_eq!(net::read_exactly(&far, 12), b"then silence");
    net::wait_end(&far);
    assert_eq!(client.wait_close(), None, "HAProxy knows no Close frames");
    until("both sockets are closed", || (ours.fds() <= idle).then_some(()));
}

#[test]
fn our_pings_keep_an_idle_tunnel() {
    let server = Server::bind();
    let ours = Forwarder::between("ws:0:ping=200ms", &server.descriptor());
    let between = haproxy("http", ours.port(0));
    // Ours at the other end too: one end has to answer pings.
    let near = Forwarder::between("0", &format!("ws://127.0.0.1:{}/", between.port));
    let client = net::connect(near.port(0));
    let far = server.accept();
    assert!(net::is_silent(&client, Duration::from_millis(2000)), "cut after {IDLE}");
    (&far).write_all(b"still here").expect("the forwarder takes it");
    assert_eq!(net::read_exactly(&client, 10), b"still here");
}

/// Runs a chain of `HAProxy`, us and `HAProxy`. Returns the facts that the last one has about the client of the first.
fn through_the_proxy_protocol(ours: &str, towards: &str, tls: bool) -> String {
    let folder = tempfile::tempdir().expect("a folder for a configuration");
    let (front, back) = (net::free_port(), net::free_port());
    let between = Forwarder::between(ours, &towards.replace("BACK", &back.to_string()));
    let port = between.port(0);
    let (bind, server) = match tls {
        // The client's TLS ends at the first, which tells of it.
        true => {
            let pem = folder.path().join("front.pem");
            let subject = "/CN=front.example";
            crate::succeeds(
                crate::program("openssl")
                    .args([
                        "req",
                        "-x509",
                        "-newkey",
                        "ec",
                        "-pkeyopt",
                        "ec_paramgen_curve:prime256v1",
                    ])
                    .args(["-nodes", "-days", "2", "-subj", subject, "-keyout"])
                    .arg(folder.path().join("key.pem"))
                    .arg("-out")
                    .arg(folder.path().join("cert.pem")),
            );
            let both = ["cert.pem", "key.pem"].map(|name| fs::read(folder.path().join(name)));
            let both: Vec<u8> = both.into_iter().flat_map(|file| file.expect("a file")).collect();
            fs::write(&pem, both).expect("a file can be written");
            (
                format!(" ssl crt {} alpn http/1.1", pem.display()),
                " send-proxy-v2-ssl-cn proxy-v2-options authority,unique-id",
            )
        }
        false => (String::new(), " send-proxy-v2 proxy-v2-options unique-id"),
    };
    let config = format!(
        "global\n maxconn 100\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n \
         timeout server 30s\nfrontend front\n bind 127.0.0.1:{front}{bind}\n unique-id-format id-%[src_port]\n \
         default_backend ours\nbackend ours\n server ours 127.0.0.1:{port}{server}\n\
         frontend back\n mode http\n bind 127.0.0.1:{back} accept-proxy\n \
         http-request return status 200 content-type text/plain lf-string \
         \"%[src]:%[src_port] %[dst]:%[dst_port] %[fc_pp_authority] %[fc_pp_unique_id]\\n\"\n"
    );
    let file = folder.path().join("haproxy.cfg");
    fs::write(&file, config).expect("a file can be written");
    let mut server = Peer::start("haproxy", &["-db", "-f", &file.display().to_string()]);
    server.wait_for_port(front);
    server.wait_for_port(back);
    let scheme = if tls { "https" } else { "http" };
    let own = net::free_port();
    let mut curl = crate::program("curl");
    curl.args(["-sSk", "--max-time", "20", "--local-port", &own.to_string()]);
    curl.arg("--connect-to").arg(format!("front.example:{front}:127.0.0.1:{front}"));
    let said = crate::succeeds(curl.arg(format!("{scheme}://front.example:{front}/"))).text();
    said.replace(&front.to_string(), "FRONT").replace(&own.to_string(), "OWN").trim().to_owned()
}

#[test]
fn the_clients_own_address_arrives_at_the_end() {
    let both = "127.0.0.1:OWN 127.0.0.1:FRONT";
    assert_eq!(
        through_the_proxy_protocol("proxy:0", "proxy:{tcp:127.0.0.1:BACK}", false),
        format!("{both}  id-OWN")
    );
    let v1 = through_the_proxy_protocol(
        "haproxy:tcp:0:interface=127.0.0.1",
        "proxy:{tcp:127.0.0.1:BACK}:send=v1",
        false,
    );
    assert_eq!(v1, both);
}

#[test]
fn what_the_first_tells_about_tls_arrives_at_the_end() {
    let said = through_the_proxy_protocol("proxy:0", "proxy:{tcp:127.0.0.1:BACK}", true);
    assert_eq!(said, "127.0.0.1:OWN 127.0.0.1:FRONT front.example id-OWN");
}

#[test]
fn nginx_is_told_too() {
    let folder = tempfile::tempdir().expect("a folder for a configuration");
    let (place, port) = (folder.path().display(), net::free_port());
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {place}/{what};\n"))
        .concat();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{places}\
         server {{ listen 127.0.0.1:{port} proxy_protocol;\n\
         return 200 \"$proxy_protocol_addr:$proxy_protocol_port $proxy_protocol_server_port\"; }}\n}}\n"
    );
    let file = folder.path().join("nginx.conf");
    fs::write(&file, text).expect("a file can be written");
    let mut server = Peer::start("nginx", &["-c", &file.display().to_string()]);
    server.wait_for_port(port);
    for send in ["v1", "v2"] {
        let ours = Forwarder::between("0", &format!("proxy:{{tcp:127.0.0.1:{port}}}:send={send}"));
        let own = net::free_port();
        let mut curl = crate::program("curl");
        curl.args(["-sS", "--max-time", "20", "--local-port", &own.to_string()]);
        let said = crate::succeeds(curl.arg(format!("http://127.0.0.1:{}/", ours.port(0)))).text();
        assert_eq!(said, format!("127.0.0.1:{own} {}", ours.port(0)), "{send}");
    }
}

/// Replicas share their routes by a server that all of them ask.
#[test]
fn two_processes_behind_it_with_one_redis_answer_alike() {
    let far = Server::bind();
    let redis_port = net::free_port();
    let redis = || {
        let at = redis_port.to_string();
        let args = ["--port", &at, "--bind", "127.0.0.1", "--save", "", "--dir", "/"];
        let mut server = Peer::start("redis-server", &args);
        server.wait_for_port(redis_port);
        server
    };
    let fill = || {
        let cli = tests::binary::program("redis-cli").expect("`cargo xtask setup` installs it");
        for token in ["known", "other"] {
            let at = redis_port.to_string();
            let value = format!("127.0.0.1:{}", far.port());
            let args = ["-h", "127.0.0.1", "-p", &at, "SET", token, &value];
            let output = std::process::Command::new(&cli).args(args).output();
            assert_eq!(output.expect("it runs").stdout, b"OK\n");
        }
    };
    let first = redis();
    fill();
    let route = format!("route:redis={{tcp:127.0.0.1:{redis_port}}}:cache=1h:negative=0");
    let ours: Vec<_> = (0..2).map(|_| Forwarder::between("ws:0", &route)).collect();
    let ports = [ours[0].port(0), ours[1].port(0)];
    let between = balanced(ports);
    let ask = |token: &str| {
        let request = Request::new(&format!("/?token={token}"));
        WebSocket::open(net::connect(between.port), &request).map_err(|refused| refused.status)
    };
    let works = |token: &str| {
        let mut client = ask(token).unwrap_or_else(|status| panic!("{token}: {status}"));
        let mut stream = far.accept();
        client.send_binary(b"ping");
        assert_eq!(net::read_exactly(&stream, 4), b"ping");
        stream.write_all(b"pong").expect("it is connected");
        assert_eq!(client.message(), b"pong");
    };
    // In turn to both: each has the route in its cache after two.
    for _ in 0..4 {
        works("known");
        assert_eq!(ask("none").err(), Some(404));
        assert_eq!(ask("none").err(), Some(404));
    }
    for ours in &ours {
        assert_eq!(ours.log().matches("routed to").count(), 2, "{}", ours.log());
    }

    drop(first);
    for _ in 0..4 {
        works("known");
        assert_eq!(ask("other").err(), Some(503));
        assert_eq!(ask("other").err(), Some(503));
    }
    let _second = redis();
    fill();
    for _ in 0..4 {
        works("other");
        assert_eq!(ask("none").err(), Some(404));
        works("known");
    }
}

/// In front of two, to which the clients go in turn.
fn balanced(ports: [u16; 2]) -> Haproxy {
    let folder = tempfile::tempdir().expect("a folder for a configuration");
    let file = folder.path().join("haproxy.cfg");
    let own = net::free_port();
    let config = format!(
        "global\n maxconn 100\ndefaults\n mode http\n timeout connect 5s\n timeout client 30s\n \
         timeout server 30s\n timeout tunnel 30s\nfrontend front\n bind 127.0.0.1:{own}\n \
         default_backend back\nbackend back\n balance roundrobin\n server one 127.0.0.1:{}\n \
         server two 127.0.0.1:{}\n",
        ports[0], ports[1]
    );
    fs::write(&file, config).expect("a file can be written");
    let mut server = Peer::start("haproxy", &["-db", "-f", &file.display().to_string()]);
    server.wait_for_port(own);
    Haproxy { _folder: folder, _server: server, port: own }
}
