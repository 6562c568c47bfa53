//! Signed tokens: `route:jwt=` and `auth={jwt:…}`. They are signed by openssl, which knows nothing of our reader.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use tests::ws::{Request, WebSocket};
use tests::{Forwarder, net, until};

/// Starts a server that sends its name and closes. Returns its port.
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

/// Returns the output of a pipeline of the shell's for `input`.
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
    headed(&format!("{{\"alg\":\"{alg}\"}}"), claims, by)
}

fn headed(header: &str, claims: &str, by: &str) -> String {
    let part = |text: &str| shell(URL_SAFE, text);
    let message = format!("{}.{}", part(header), part(claims));
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

    // The secret is replaced by a public key; tokens that it signed are worth nothing then.
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

/// A server of keys, whose answer may be changed, and the number of its requests.
fn key_server(keys: &Arc<Mutex<Option<String>>>) -> (u16, Arc<Mutex<usize>>) {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let (keys, count) = (Arc::clone(keys), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            *counted.lock().expect("it is there") += 1;
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            // Without keys it is down.
            if let Some(keys) = &*keys.lock().expect("it is there") {
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\r\n{keys}",
                    keys.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    (port, count)
}

/// Makes a key of RSA at a path; returns it as a JWK.
fn rsa_key(path: &str, id: &str) -> String {
    shell(&format!("openssl genrsa -out {path} 2048 2>&1"), "");
    let bytes = "import sys,base64; print(base64.urlsafe_b64encode(bytes.fromhex(sys.stdin.read().split('=')[1])).decode().rstrip('='))";
    let modulus = format!("openssl rsa -in {path} -noout -modulus | python3 -c \"{bytes}\"");
    let n = shell(&modulus, "").trim().to_owned();
    format!("{{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"{id}\",\"n\":\"{n}\",\"e\":\"AQAB\"}}")
}

#[test]
fn keys_are_fetched_from_a_server_that_may_change_them_and_go() {
    let one = named("one");
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (rsa_key(&at("1"), "k1"), rsa_key(&at("2"), "k2"));
    let keys = Arc::new(Mutex::new(None));
    let (server, count) = key_server(&keys);
    let asked_for = || *count.lock().expect("it is there");
    let serve = |set: Option<&str>| {
        *keys.lock().expect("it is there") = set.map(|set| format!("{{\"keys\":[{set}]}}"));
    };
    let url = format!("{{http://127.0.0.1:{server}/jwks.json?hidden}}");
    let route = format!("route:jwt={url}:allow=127.0.0.1");
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route, "-v"]);
    let listen = format!("ws:{{tcp:0}}:auth={{jwt:{url}}}");
    let gate = Forwarder::start(&["-e", &listen, "-d", "echo"]);
    let port = forwarder.port(0);
    let claims = format!("{{\"host\":\"127.0.0.1\",\"port\":{one},\"exp\":{}}}", soon());
    let token = |id: &str, key: &str| {
        let header = format!("{{\"alg\":\"RS256\",\"kid\":\"{id}\"}}");
        headed(&header, &claims, &format!("-sign {}", at(key)))
    };
    let enters = |token: &str| {
        let request = Request::new("/").header("Authorization", &format!("Bearer {token}"));
        WebSocket::open(net::connect(gate.port(0)), &request).map(drop).map_err(|it| it.status)
    };
    assert_eq!(asked_for(), 0, "nobody needs the keys yet");
    let (old, new) = (token("k1", "1"), token("k2", "2"));
    assert_eq!(asked(port, &old), Err(503));
    forwarder.wait_for_log(&format!("http://127.0.0.1:{server}/jwks.json: no answer: "));
    assert_eq!(enters(&old), Err(503));
    gate.wait_for_log("there are no keys yet");

    // It comes up. No client waits for longer than a second then.
    serve(Some(&first));
    until("there are keys", || (asked(port, &old).as_deref() == Ok("one")).then_some(()));
    until("there are keys", || enters(&old).ok());
    assert_eq!((asked(port, &new), enters(&new)), (Err(403), Err(401)));

    // Public keys, unsigned claims and key addresses in a token verify nothing.
    let public = at("public");
    shell(&format!("openssl rsa -in {} -pubout -out {public} 2>&1", at("1")), "");
    let hex = shell(&format!("od -An -v -tx1 {public} | tr -d ' \\n'"), "");
    let confused = headed(
        "{\"alg\":\"HS256\",\"kid\":\"k1\"}",
        &claims,
        &format!("-mac HMAC -macopt hexkey:{hex}"),
    );
    let none = headed("{\"alg\":\"none\"}", &claims, &format!("-sign {}", at("1")));
    let before = asked_for();
    let (elsewhere, visits) =
        key_server(&Arc::new(Mutex::new(Some(format!("{{\"keys\":[{second}]}}")))));
    let led = format!(
        "\"jku\":\"http://127.0.0.1:{elsewhere}/\",\"x5u\":\"http://127.0.0.1:{elsewhere}/\""
    );
    let led = headed(
        &format!("{{\"alg\":\"RS256\",\"kid\":\"k2\",{led}}}"),
        &claims,
        &format!("-sign {}", at("2")),
    );
    for bad in [&confused, &none, none.rsplit_once('.').expect("dots").0, &led, &new] {
        assert_eq!(asked(port, bad), Err(403), "{bad}");
    }
    for _ in 0..20 {
        assert_eq!(asked(port, &new), Err(403));
    }
    assert!(asked_for() - before <= 2, "unknown keys are looked for seldom");
    assert_eq!(*visits.lock().expect("it is there"), 0);

    // The server has another key, then goes; then it is back without the first one.
    serve(Some(&format!("{first},{second}")));
    until("the new key counts", || (asked(port, &new).as_deref() == Ok("one")).then_some(()));
    assert_eq!(asked(port, &old).as_deref(), Ok("one"));
    serve(None);
    let other = token("k3", "1");
    until("the server is asked", || {
        assert_eq!(asked(port, &other), Err(403));
        forwarder.log().contains("; the earlier keys stay in use").then_some(())
    });
    assert_eq!(asked(port, &old).as_deref(), Ok("one"));
    let log = forwarder.log();
    assert!(!log.contains("hidden") && !log.contains(&old), "{log}");
}
