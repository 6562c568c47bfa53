//! Signed tokens: `route:jwt=` and `auth={jwt:…}`. They are signed by openssl, which knows nothing of our reader.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread;

use tests::ws::{Request, WebSocket};
use tests::{Forwarder, net, until};

/// A server that says its name and closes.
fn named(name: &'static str) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            // A client that has left needs no name.
            let _ = stream.write_all(name.as_bytes());
        }
    });
    port
}

/// What a pipeline of the shell's makes of `input`.
fn shell(line: &str, input: &str) -> String {
    let mut child = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

const URL_SAFE: &str = "base64 -w0 | tr '+/' '-_' | tr -d '='";
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn signed(claims: &str, by: &str) -> String {
    let alg = if by.contains("-hmac") { "HS256" } else { "RS256" };
    let part = |text: &str| shell(URL_SAFE, text);
    let message = format!("{}.{}", part(&format!("{{\"alg\":\"{alg}\"}}")), part(claims));
    let signature = shell(&format!("openssl dgst -sha256 -binary {by} | {URL_SAFE}"), &message);
    format!("{message}.{signature}")
}

fn hs256(claims: &str) -> String {
    signed(claims, &format!("-hmac {SECRET}"))
}

fn soon() -> u64 {
    shell("date +%s", "").trim().parse::<u64>().expect("seconds") + 600
}

fn asked(port: u16, token: &str) -> Result<String, u16> {
    let request = Request::new(&format!("/?token={token}"));
    let mut socket =
        WebSocket::open(net::connect(port), &request).map_err(|refused| refused.status)?;
    Ok(String::from_utf8(socket.message()).expect("text"))
}

#[test]
fn the_claims_of_a_token_are_the_route() {
    let one = named("one");
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    // As websockify has it: a secret in base64url.
    fs::write(at("key"), shell(URL_SAFE, SECRET)).expect("it is written");
    let route = format!("route:jwt={}:allow=127.0.0.1", at("key"));
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route, "-v"]);
    let port = forwarder.port(0);
    let exp = soon();
    let to = |host: &str| format!("{{\"host\":\"{host}\",\"port\":{one},\"exp\":{exp}}}");
    assert_eq!(asked(port, &hs256(&to("127.0.0.1"))).as_deref(), Ok("one"));
    let named = format!("{{\"host\":\"127.0.0.1\",\"port\":\"{one}\",\"exp\":{exp},\"nbf\":1}}");
    assert_eq!(asked(port, &hs256(&named)).as_deref(), Ok("one"));
    assert_eq!(asked(port, &hs256(&to("127.0.0.2"))), Err(403), "it isn't allowed");
    assert_eq!(asked(port, &hs256(&format!("{{\"exp\":{exp}}}"))), Err(404));
    let expired = "{\"host\":\"127.0.0.1\",\"port\":1,\"exp\":1}";
    assert_eq!(asked(port, &hs256(expired)), Err(403));
    forwarder.wait_for_log("the token is refused: it has expired");
    let none = hs256(&to("127.0.0.1")).rsplit_once('.').expect("dots").0.to_owned() + ".";
    assert_eq!(asked(port, &none), Err(403));
    assert_eq!(asked(port, "nonsense"), Err(403));
    let request = Request::new("/");
    let refused = WebSocket::open(net::connect(port), &request).expect_err("there is no token");
    assert_eq!(refused.status, 404);

    // The secret is replaced by a public key; what it signed is worth nothing then.
    let old = hs256(&to("127.0.0.1"));
    assert_eq!(asked(port, &old).as_deref(), Ok("one"));
    let make = format!(
        "openssl genrsa -out {0} 2048 2>&1 && openssl rsa -in {0} -pubout -out {1} 2>&1",
        at("private"),
        at("public")
    );
    shell(&make, "");
    fs::rename(at("public"), at("key")).expect("it is there");
    let new = signed(&to("127.0.0.1"), &format!("-sign {}", at("private")));
    until("the new key counts", || (asked(port, &new).as_deref() == Ok("one")).then_some(()));
    assert_eq!(asked(port, &old), Err(403));
    assert!(!forwarder.log().contains(&new), "tokens are secrets");
}

#[test]
fn a_route_without_its_keys_is_down_until_they_are_there() {
    let one = named("one");
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    let route = format!("route:jwt={}", key.display());
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    forwarder.wait_for_log("with keys");
    let port = forwarder.port(0);
    let token = hs256(&format!("{{\"host\":\"127.0.0.1\",\"port\":{one},\"exp\":{}}}", soon()));
    assert_eq!(asked(port, &token), Err(503));
    fs::write(&key, shell(URL_SAFE, SECRET)).expect("it is written");
    assert_eq!(asked(port, &token).as_deref(), Ok("one"));
}

#[test]
fn a_signed_token_lets_in_with_its_user_and_role() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    fs::write(&key, shell(URL_SAFE, SECRET)).expect("it is written");
    let auth = format!("{{jwt:{}:aud=ef:role=ef_role}}", key.display());
    let forwarder = Forwarder::start(&["-e", &format!("ws:{{tcp:0}}:auth={auth}"), "-d", "echo"]);
    let port = forwarder.port(0);
    let open = |claims: &str| {
        let token = format!("Bearer {}", hs256(claims));
        let request = Request::new("/").header("Authorization", &token);
        WebSocket::open(net::connect(port), &request)
    };
    let exp = soon();
    let claims = |user: &str, more: &str| {
        format!("{{\"sub\":\"{user}\",\"aud\":\"ef\",\"exp\":{exp}{more}}}")
    };
    let mut socket = open(&claims("ada", ",\"ef_role\":\"rw\"")).expect("it is good");
    socket.send_binary(b"hello");
    assert_eq!(socket.message(), b"hello");
    forwarder.wait_for_log("user=\"ada\"");
    drop(open(&claims("bob", "")).expect("it is good"));
    forwarder.wait_for_log("user=\"bob\" role=ro");
    let words = |claims: &str| {
        let refused = open(claims).expect_err("it is no good");
        (refused.status, String::from_utf8(refused.body).expect("text"))
    };
    let (status, said) = words("{\"sub\":\"eve\",\"aud\":\"ef\",\"exp\":1}");
    assert_eq!((status, said.contains("it has expired")), (401, true), "{said}");
    let (status, said) = words(&format!("{{\"sub\":\"eve\",\"aud\":\"x\",\"exp\":{exp}}}"));
    assert_eq!((status, said.contains("it is for another audience")), (401, true), "{said}");
}
