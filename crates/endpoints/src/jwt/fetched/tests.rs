//! Against servers that do what they shouldn't.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

const PACE: Pace = Pace {
    shortest: Duration::ZERO,
    longest: Duration::from_secs(3600),
    usual: Duration::from_secs(3600),
    pause: Duration::ZERO,
    first: Duration::ZERO,
    limit: Duration::from_secs(60),
};

/// A server whose answers are set, and counted.
#[derive(Clone)]
struct Server {
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<AtomicUsize>,
    requests: Arc<Mutex<HashSet<String>>>,
    url: String,
}

impl Server {
    async fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = Self {
            answer: Arc::new(Mutex::new(answer.into())),
            asked: Arc::default(),
            requests: Arc::default(),
            url: format!("http://127.0.0.1:{port}/keys?secret=x"),
        };
        let own = server.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.expect("a request"));
                }
                let head = String::from_utf8(head).expect("text");
                own.requests.lock().expect("it is there").insert(head);
                own.asked.fetch_add(1, Ordering::SeqCst);
                let answer = own.answer.lock().expect("it is there").clone();
                if answer == SILENT.as_bytes() {
                    tokio::spawn(async move { while stream.read_u8().await.is_ok() {} });
                    continue;
                }
                // It may have had enough.
                let _ = stream.write_all(&answer).await;
            }
        });
        server
    }

    fn answers(&self, answer: &str) {
        *self.answer.lock().expect("it is there") = answer.into();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn fetched(&self, pace: Pace) -> Fetched {
        let registry = plan::Registry::with(crate::KINDS);
        let remote = Remote::new(&registry, &self.url, None).expect("a URL");
        Fetched::new(Arc::new(remote), &Context::new(), pace)
    }
}

/// An answer that doesn't come.
const SILENT: &str = "silent";

fn reply(status: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn key(id: &str) -> Value {
    let x = URL_SAFE_NO_PAD.encode([7; 32]);
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": id, "x": x })
}

fn set(fields: &str, ids: &[&str]) -> String {
    let keys: Vec<_> = ids.iter().map(|id| key(id)).collect();
    reply("200 OK", fields, &json!({ "keys": keys }).to_string())
}

async fn failed(fetched: &Fetched) -> String {
    fetched.get().await.err().expect("there are no keys")
}

#[tokio::test]
async fn keys_are_kept_for_as_long_as_the_server_says_within_bounds() {
    let bounds = Pace { shortest: Duration::from_secs(60), ..PACE };
    for (fields, pace, times) in [
        ("", PACE, 1),
        ("Cache-Control: max-age=60\r\n", PACE, 1),
        ("Cache-Control: no-store\r\n", PACE, 3),
        ("Cache-Control: max-age=60\r\nAge: 60\r\n", PACE, 3),
        ("Cache-Control: no-store\r\n", bounds, 1),
        ("Cache-Control: max-age=60\r\n", Pace { longest: Duration::ZERO, ..PACE }, 3),
    ] {
        let server = Server::start(&set(fields, &["a"])).await;
        let fetched = server.fetched(pace);
        assert_eq!(server.asked(), 0, "nobody needs it");
        for _ in 0..3 {
            assert!(fetched.get().await.expect("it is there").names("a"));
        }
        assert_eq!(server.asked(), times, "{fields}");
    }
}

#[tokio::test]
async fn a_new_key_is_looked_for_and_not_too_often() {
    let server = Server::start(&set("", &["a"])).await;
    let fetched = server.fetched(PACE);
    assert!(!fetched.get().await.expect("it is there").names("b"));
    server.answers(&set("", &["a", "b"]));
    fetched.again().await;
    assert!(fetched.known().expect("it is there").names("b"));
    let slow = server.fetched(Pace { pause: Duration::from_secs(600), ..PACE });
    slow.get().await.expect("it is there");
    let before = server.asked();
    for _ in 0..100 {
        slow.again().await;
    }
    assert_eq!(server.asked(), before, "a flood of unknown keys costs the server nothing");
    let requests = server.requests.lock().expect("it is there");
    assert_eq!(requests.len(), 1, "all requests are alike");
    assert!(requests.iter().all(|head| head.starts_with("GET /keys?secret=x HTTP/1.1\r\n")));
}

#[tokio::test]
async fn the_earlier_keys_stay_while_the_server_is_down() {
    let server = Server::start(&set("Cache-Control: no-store\r\n", &["a"])).await;
    let fetched = server.fetched(PACE);
    fetched.get().await.expect("it is there");
    for answer in [reply("503 Service Unavailable", "", ""), "rubbish\r\n\r\n".to_owned()] {
        server.answers(&answer);
        for _ in 0..2 {
            assert!(fetched.get().await.expect("it was there").names("a"));
        }
    }
    // A server that doesn't answer delays no client that can do without.
    server.answers(SILENT);
    let silent = Pace { limit: Duration::from_secs(600), ..PACE };
    let other = server.fetched(silent);
    server.answers(&set("Cache-Control: no-store\r\n", &["a"]));
    other.get().await.expect("it is there");
    server.answers(&reply("500 Internal Server Error", "", ""));
    other.get().await.expect("it was there");
    server.answers(SILENT);
    let before = server.asked();
    for _ in 0..3 {
        assert!(other.get().await.expect("it was there").names("a"));
    }
    while server.asked() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.asked(), before + 1, "one at a time");
    // It is up again, with other keys.
    let fetched = server.fetched(Pace { limit: Duration::from_millis(100), ..PACE });
    server.answers(&set("Cache-Control: no-store\r\n", &["a"]));
    fetched.get().await.expect("it is there");
    server.answers(SILENT);
    fetched.get().await.expect("it was there");
    fetched.get().await.expect("it was there");
    server.answers(&set("", &["b"]));
    while !fetched.get().await.expect("it is there").names("b") {
        tokio::task::yield_now().await;
    }
    assert!(!fetched.known().expect("it is there").names("a"), "a key that is gone is gone");
}

#[tokio::test]
async fn a_client_that_leaves_ends_no_fetch() {
    let server = Server::start(SILENT).await;
    let fetched = server.fetched(Pace { limit: Duration::from_millis(200), ..PACE });
    for _ in 0..3 {
        let first = tokio::time::timeout(Duration::from_millis(1), fetched.get());
        assert!(first.await.is_err(), "it waits");
    }
    assert_eq!(failed(&fetched).await, "no answer within 0.2 s");
    assert_eq!(server.asked(), 1);
}

#[tokio::test]
async fn what_is_no_set_of_keys_is_refused() {
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(LARGEST));
    let endless = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n".to_owned() + &huge;
    let to = "Location: http://169.254.169.254/latest/meta-data\r\n";
    let secret = URL_SAFE_NO_PAD.encode([7; 32]);
    let short = reply("200 OK", "", "{}").replace("Length: 2", "Length: 20");
    for (answer, words) in [
        (reply("302 Found", to, ""), "the answer is 302 Found, and redirects are not followed"),
        (reply("404 Not Found", "", ""), "it answers 404 Not Found"),
        (reply("204 No Content", "", ""), "it answers 204 No Content"),
        (reply("200 OK", "", ""), "the answer is not JSON"),
        (reply("200 OK", "", "<html>"), "the answer is not JSON"),
        // In a file this would be a key; in a page it is none.
        (reply("200 OK", "", &secret), "the answer is not JSON"),
        (reply("200 OK", "", "[]"), "the answer has no `keys`, as a JWKS has"),
        (reply("200 OK", "", &key("a").to_string()), "the answer has no `keys`, as a JWKS has"),
        (reply("200 OK", "", &"[".repeat(10_000)), "the answer is not JSON"),
        (reply("200 OK", "", &huge), "cannot read the answer: length limit exceeded"),
        (endless, "cannot read the answer: length limit exceeded"),
        (short, "cannot read the answer: "),
        ("\0\x01\x02\r\n\r\n".to_owned(), "no answer: "),
        (String::new(), "no answer: "),
    ] {
        let server = Server::start(&answer).await;
        let said = failed(&server.fetched(PACE)).await;
        assert!(said.starts_with(words), "{said} for {}", &answer[..answer.len().min(100)]);
    }
    let mut gone = Server::start("").await;
    gone.url = "http://127.0.0.1:1/".to_owned();
    let said = failed(&gone.fetched(PACE)).await;
    assert!(said.contains("127.0.0.1:1"), "{said}");
}

#[tokio::test]
async fn a_bad_key_costs_that_key_alone_and_a_secret_is_none() {
    let secret = json!({ "kty": "oct", "kid": "s", "k": URL_SAFE_NO_PAD.encode([7; 32]) });
    let keys = json!({ "keys": [7, { "kty": "?" }, secret, key("a")] });
    let server = Server::start(&reply("200 OK", "", &keys.to_string())).await;
    let keys = server.fetched(PACE).get().await.expect("it is there");
    assert_eq!((keys.len(), keys.names("a"), keys.names("s")), (1, true, false));
    let many: Vec<_> = (0..1000).map(|n| key(&n.to_string())).collect();
    let server = Server::start(&reply("200 OK", "", &json!({ "keys": many }).to_string())).await;
    assert_eq!(server.fetched(PACE).get().await.expect("it is there").len(), 100);
    // All keys are withdrawn.
    let server = Server::start(&set("", &[])).await;
    assert_eq!(server.fetched(PACE).get().await.expect("it is there").len(), 0);
}
