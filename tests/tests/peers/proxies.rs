//! nginx and `HAProxy` as docs/reverse-proxies.md has them: its configurations, with other ports.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use tests::data::Pattern;
use tests::net::{self, Server};
use tests::ws::{Frame, Opcode, Request, Response, WebSocket, request};
use tests::{Forwarder, Peer, root};

/// The name by which the proxy is called.
const NAME: &str = "term.example";

/// The block of the document in this language.
fn block(language: &str) -> String {
    let text = fs::read_to_string(root().join("docs/reverse-proxies.md")).expect("it is there");
    let start = text.split(&format!("```{language}\n")).nth(1).expect("a block");
    start.split("```").next().unwrap_or_default().to_owned()
}

/// Returns the document's listening endpoint, at a port of the system's choice.
fn endpoint() -> String {
    let command = block("sh");
    let endpoint = command.split('\'').nth(1).expect("an endpoint in quotes");
    assert!(endpoint.contains("tcp:9000:"), "{endpoint}");
    endpoint.replace("tcp:9000:", "tcp:0:")
}

/// A proxy in front of a forwarder.
struct Proxy {
    name: &'static str,
    port: u16,
    _process: Peer,
    _folder: TempDir,
}

/// The block of this language with our ports in it, and `change`d.
fn configuration(
    language: &str,
    listens: [&str; 2],
    ours: u16,
    change: &[[&str; 2]],
) -> (u16, String) {
    let port = net::free_port();
    let mut text = block(language);
    let listens = [listens[0].to_owned(), format!("{}127.0.0.1:{port}", listens[1])];
    let ours = ["127.0.0.1:9000".to_owned(), format!("127.0.0.1:{ours}")];
    let change = change.iter().map(|pair| pair.map(str::to_owned));
    for [old, new] in change.chain([listens, ours]) {
        assert_eq!(text.matches(&old).count(), 1, "{old} in\n{text}");
        text = text.replace(&old, &new);
    }
    (port, text)
}

fn nginx(ours: u16, change: &[[&str; 2]]) -> Proxy {
    let (port, server) = configuration("nginx", ["listen 80", "listen "], ours, change);
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display();
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {place}/{what};\n"))
        .concat();
    let file = folder.path().join("nginx.conf");
    let text = format!(
        "daemon off;\nmaster_process off;\npid {place}/pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\naccess_log off;\n{places}{server}}}\n"
    );
    fs::write(&file, text).expect("a file can be written");
    let (prefix, file) = (place.to_string(), file.display().to_string());
    let mut process = Peer::start("nginx", &["-e", "stderr", "-p", &prefix, "-c", &file]);
    process.wait_for_port(port);
    Proxy { name: "nginx", port, _process: process, _folder: folder }
}

fn haproxy(ours: u16, change: &[[&str; 2]]) -> Proxy {
    let (port, text) = configuration("haproxy", ["bind :80", "bind "], ours, change);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("haproxy.cfg");
    fs::write(&file, format!("global\n maxconn 100\n{text}")).expect("a file can be written");
    let mut process = Peer::start("haproxy", &["-db", "-f", &file.display().to_string()]);
    process.wait_for_port(port);
    Proxy { name: "haproxy", port, _process: process, _folder: folder }
}

fn both(ours: u16) -> [Proxy; 2] {
    [nginx(ours, &[]), haproxy(ours, &[])]
}

/// The same, leaving the prefix in place.
fn both_with_prefix(ours: u16) -> [Proxy; 2] {
    let stripped = "http-request replace-path /term(/.*) \\1";
    [nginx(ours, &[[":9000/;", ":9000;"]]), haproxy(ours, &[[stripped, ""]])]
}

impl Proxy {
    fn get(&self, path: &str) -> Response {
        let host = format!("{NAME}:{}", self.port);
        let text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        request(self.port, text.as_bytes())
    }

    /// A handshake as a browser's, from a page of `origin`.
    fn handshake(&self, path: &str, origin: &str) -> Request {
        let host = format!("{NAME}:{}", self.port);
        Request::new(path).without("Host").header("Host", &host).header("Origin", origin)
    }

    fn open(&self, path: &str) -> WebSocket {
        let origin = format!("http://{NAME}:{}", self.port);
        let request = self.handshake(path, &origin);
        WebSocket::open(net::connect(self.port), &request)
            .unwrap_or_else(|refused| panic!("{}: {refused:?}", self.name))
    }
}

/// The files that a page names, relative to it.
fn assets(index: &Response) -> Vec<String> {
    let text = String::from_utf8_lossy(&index.body).into_owned();
    let names = text.split(['"', '\'']).filter_map(|text| text.strip_prefix("./assets/"));
    let names: Vec<_> = names.map(|name| format!("/term/assets/{name}")).collect();
    assert!(names.len() > 1, "a page and its files: {text}");
    names
}

#[test]
fn the_page_its_files_and_the_websocket_are_below_the_prefix() {
    let stripped = Forwarder::between(&endpoint(), "echo");
    let kept = Forwarder::between(&endpoint(), "echo");
    let placed = Forwarder::between(&format!("{}:path=/term/", endpoint()), "echo");
    let proxies = both(stripped.port(0)).into_iter();
    let proxies = proxies.chain(both_with_prefix(kept.port(0)));
    for proxy in proxies.chain(both_with_prefix(placed.port(0))) {
        let index = proxy.get("/term/");
        assert_eq!(index.status, 200, "{}: {index:?}", proxy.name);
        for asset in assets(&index) {
            let file = proxy.get(&asset);
            assert_eq!(file.status, 200, "{}: {asset}", proxy.name);
            assert!(!file.body.is_empty());
        }
        let mut client = proxy.open("/term/?x=1");
        client.send_binary(b"hello");
        assert_eq!(client.message(), b"hello", "{}", proxy.name);
    }
}

#[test]
fn who_forgets_the_slash_is_sent_to_the_page() {
    let ours = Forwarder::between(&endpoint(), "echo");
    for proxy in both(ours.port(0)) {
        for (asked, end) in [("/term", "/term/"), ("/term?x=1", "/term/?x=1")] {
            let answer = proxy.get(asked);
            assert_eq!(answer.status, 301, "{}: {answer:?}", proxy.name);
            let place = answer.head.value("location").expect("it says where to");
            // Absolute by nginx, and by the name that it was called by.
            let place =
                place.strip_prefix(&format!("http://{NAME}:{}", proxy.port)).unwrap_or(place);
            assert_eq!(place, end, "{}", proxy.name);
            assert_eq!(proxy.get(place).status, 200, "{}", proxy.name);
        }
    }
}

#[test]
fn the_client_is_in_the_log_and_cannot_forge_it() {
    // The test is on this machine, as the proxy is: another address of loopback tells them apart.
    let endpoint = endpoint().replace("trusted=loopback", "trusted=127.0.0.1");
    let ours = Forwarder::between(&endpoint, "echo");
    for (count, proxy) in both(ours.port(0)).into_iter().enumerate() {
        let origin = format!("http://{NAME}:{}", proxy.port);
        let request = proxy
            .handshake("/term/", &origin)
            .header("X-Forwarded-For", "203.0.113.66")
            .header("X-Forwarded-Host", "evil.example")
            .header("X-Forwarded-Proto", "https")
            .header("X-Real-IP", "203.0.113.66")
            .header("Forwarded", "for=203.0.113.66");
        let client = WebSocket::open(from_elsewhere(proxy.port), &request).expect("it is let in");
        tests::until("it is open", || (ours.log().matches(" open").count() > count).then_some(()));
        let log = ours.log();
        let line = log.lines().rfind(|line| line.contains(" open")).unwrap_or_default();
        let through = format!("{ELSEWHERE} (through 127.0.0.1:");
        assert!(line.contains(&through), "{}: {line}", proxy.name);
        assert!(!log.contains("203.0.113.66"), "{}: {log}", proxy.name);
        drop(client);
    }
    let ours = Forwarder::between(&endpoint.replace(":trusted=127.0.0.1", ""), "echo");
    for proxy in both(ours.port(0)) {
        drop(proxy.open("/term/"));
        assert!(!ours.wait_for_log(" open").contains("through"), "{}", ours.log());
    }
}

/// A connection from another address than the proxies'.
fn from_elsewhere(port: u16) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((ELSEWHERE, 0)).into()).expect("an address of loopback");
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).expect("it listens");
    socket.into()
}

const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 9);

#[test]
fn pages_from_elsewhere_and_other_names_are_refused() {
    let ours = Forwarder::between(&endpoint(), "echo");
    for proxy in both(ours.port(0)) {
        let foreign = proxy.handshake("/term/", "https://evil.example");
        let refused = WebSocket::open(net::connect(proxy.port), &foreign).expect_err("refused");
        assert_eq!(refused.status, 403, "{}", proxy.name);
        let text = "GET /term/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
        assert_eq!(request(proxy.port, text.as_bytes()).status, 403, "{}", proxy.name);
    }
}

#[test]
fn large_messages_pings_and_close_codes_pass() {
    let far = Server::bind();
    let ours = Forwarder::between(&endpoint(), &far.descriptor());
    for proxy in both(ours.port(0)) {
        let mut client = proxy.open("/term/");
        let stream = far.accept();
        client.send(&Frame::new(Opcode::Ping, b"still there?"));
        let pong = client.receive().expect("a pong");
        assert_eq!(pong, Frame::new(Opcode::Pong, b"still there?"), "{}", proxy.name);
        let data = Pattern::new(21).take(3 << 20);
        let reader = std::thread::spawn(move || {
            let all = net::read_all(&stream);
            (all, stream)
        });
        client.send_binary(&data);
        client.send_close(4321, "because");
        let (all, stream) = reader.join().expect("no panic");
        assert!(all == data, "{}: {} bytes came", proxy.name, all.len());
        drop(stream);
        let code = client.wait_close().and_then(|(code, _)| code);
        assert_eq!(code, Some(4321), "{}", proxy.name);
    }
}

#[test]
fn what_is_sent_with_the_handshake_is_not_lost() {
    let ours = Forwarder::between(&endpoint(), "echo");
    for proxy in both(ours.port(0)) {
        let origin = format!("http://{NAME}:{}", proxy.port);
        let mut bytes = proxy.handshake("/term/", &origin).encode();
        bytes.extend(Frame::new(Opcode::Binary, b"early").encode(Some([1, 2, 3, 4])));
        let stream = net::connect(proxy.port);
        std::io::Write::write_all(&mut &stream, &bytes).expect("the proxy takes it");
        assert_eq!(Response::read(&stream).status, 101, "{}", proxy.name);
        let (echo, _) = Frame::read(&stream).expect("a frame").expect("no end");
        assert_eq!(echo.payload, b"early", "{}", proxy.name);
    }
}

#[test]
fn haproxy_sees_by_the_health_check_whether_we_are_there() {
    let port = net::free_port();
    let soon = ["check\n", "check inter 100ms\n"];
    let [right, wrong] = [&[soon][..], &[soon, ["GET /healthz", "GET /assets/none"]]]
        .map(|change| haproxy(port, change));
    for proxy in [&right, &wrong] {
        tests::until("it has noticed", || (proxy.get("/term/").status == 503).then_some(()));
    }
    let endpoint = endpoint().replace("tcp:0:", &format!("tcp:{port}:"));
    let ours = Forwarder::between(&endpoint, "echo");
    tests::until("it has noticed", || (right.get("/term/").status != 503).then_some(()));
    drop(right.open("/term/"));
    assert_eq!(wrong.get("/term/").status, 503, "404 is no sign of life");
    assert!(!ours.log().contains("/healthz"), "one line a second: {}", ours.log());
}
