//! `route:redis=` against a real Redis server, and against servers that misbehave.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tests::ws::{Request, WebSocket};
use tests::{Forwarder, Peer, binary, net, until, until_within};

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

/// Returns the destination's data, or the status of the refusal.
fn asked(port: u16, token: &str) -> Result<String, u16> {
    let request = Request::new(&format!("/?token={token}"));
    let mut socket =
        WebSocket::open(net::connect(port), &request).map_err(|refused| refused.status)?;
    Ok(String::from_utf8(socket.message()).expect("text"))
}

fn redis(port: u16, more: &[&str]) -> Peer {
    let at = port.to_string();
    let args = ["--port", &at, "--bind", "127.0.0.1", "--save", "", "--dir", "/"];
    let mut server = Peer::start("redis-server", &[&args, more].concat());
    server.wait_for_port(port);
    server
}

fn cli(port: u16, args: &[&str]) -> String {
    let file = binary::program("redis-cli").expect("`cargo xtask setup` installs it");
    let output = Command::new(file)
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "--no-auth-warning"])
        .args(args)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

/// Starts a forwarder in front of the routes of a server.
fn front(server: u16, more: &str) -> (Forwarder, u16) {
    let route = format!("route:redis={{tcp:127.0.0.1:{server}}}{more}");
    let forwarder = Forwarder::start(&["-e", "ws:{tcp:0}", "-d", &route]);
    let port = forwarder.port(0);
    (forwarder, port)
}

#[test]
fn values_are_read_as_websockify_reads_them_and_hashes_beside_it() {
    let one = named("one");
    let server = net::free_port();
    let _redis = redis(server, &[]);
    let to = format!("127.0.0.1:{one}");
    let set = |key: &str, value: &str| {
        assert_eq!(cli(server, &["-n", "3", "SET", key, value]), "OK");
    };
    set("ns:plain", &to);
    set("ns:json", &format!("{{\"host\": \"{to}\"}}"));
    set("ns:described", &format!("{{\"destination\": \"tcp:{to}\", \"subprotocol\": \"mqtt\"}}"));
    set("ns:program", "process:cat");
    set("ns:rubbish", "{\"host\": ");
    set("ns:two", "a:1\nb:2");
    set("other", &to);
    cli(server, &["-n", "3", "HSET", "ns:hash", "host", "127.0.0.1", "port", &one.to_string()]);
    cli(server, &["-n", "3", "RPUSH", "ns:list", "a"]);
    let (forwarder, port) = front(server, ":database=3:prefix={ns:}:cache=0");
    for token in ["plain", "json", "described", "hash"] {
        assert_eq!(asked(port, token).as_deref(), Ok("one"), "{token}");
    }
    let request = Request::new("/?token=described").header("Sec-WebSocket-Protocol", "chat, mqtt");
    let socket = WebSocket::open(net::connect(port), &request).expect("there is a route");
    assert_eq!(socket.handshake.value("sec-websocket-protocol"), Some("mqtt"));
    for (token, status) in [
        ("none", 404),
        ("other", 404),
        ("program", 403),
        ("rubbish", 503),
        ("two", 503),
        ("list", 503),
    ] {
        assert_eq!(asked(port, token), Err(status), "{token}");
    }
    forwarder.wait_for_log("it answers: WRONGTYPE");
    set("ns:plain", "127.0.0.1:1");
    assert_eq!(asked(port, "plain"), Err(502), "nothing is cached");
}

#[test]
fn passwords_are_in_a_file_and_in_no_log() {
    let one = named("one");
    let server = net::free_port();
    let _redis = redis(server, &["--requirepass", "open-sesame"]);
    let to = format!("127.0.0.1:{one}");
    cli(server, &["-a", "open-sesame", "SET", "a", &to]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    fs::write(&file, "wrong\n").expect("it is written");
    let (forwarder, port) = front(server, &format!(":password-file={}", file.display()));
    assert_eq!(asked(port, "a"), Err(503));
    forwarder.wait_for_log("it answers: WRONGPASS");
    fs::write(&file, "open-sesame\n").expect("it is written");
    assert_eq!(asked(port, "a").as_deref(), Ok("one"));
    let named = format!(":user=default:password-file={}", file.display());
    let (forwarder, port) = front(server, &named);
    assert_eq!(asked(port, "a").as_deref(), Ok("one"));
    assert!(!forwarder.log().contains("sesame"));
    let (forwarder, port) = front(server, "");
    assert_eq!(asked(port, "a"), Err(503));
    forwarder.wait_for_log("it answers: NOAUTH");
}

#[test]
fn what_is_cached_goes_on_while_the_server_is_away_and_the_rest_recovers() {
    let one = named("one");
    let server = net::free_port();
    let first = redis(server, &[]);
    let to = format!("127.0.0.1:{one}");
    let fill = || {
        for token in ["cached", "other"] {
            cli(server, &["SET", token, &to]);
        }
    };
    fill();
    // Two processes with one server answer alike.
    let (_forwarder, port) = front(server, ":cache=1h");
    let (_second, again) = front(server, ":cache=1h");
    for port in [port, again] {
        assert_eq!(asked(port, "cached").as_deref(), Ok("one"));
        assert_eq!(asked(port, "none"), Err(404));
    }

    // Load: clients that want what is cached, without a break, and some that want what isn't.
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
            thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    assert_eq!(asked(port, "cached").as_deref(), Ok("one"));
                    served.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    drop(first);
    for number in 0..20 {
        assert_eq!(asked(port, &format!("new{number}")), Err(503));
    }
    assert_eq!(asked(port, "other"), Err(503));
    let before = served.load(Ordering::SeqCst);
    until("cached routes go on", || (served.load(Ordering::SeqCst) > before + 20).then_some(()));
    let _second = redis(server, &[]);
    fill();
    assert_eq!(asked(port, "other").as_deref(), Ok("one"), "it is there again at once");
    stop.store(true, Ordering::SeqCst);
    for thread in load {
        thread.join().expect("every cached route was served");
    }
}

#[test]
fn what_has_changed_counts_at_once_if_it_is_told() {
    let (one, other) = (named("one"), named("other"));
    let server = net::free_port();
    let redis_server = redis(server, &["--notify-keyspace-events", "KA"]);
    let to = |port: u16| format!("127.0.0.1:{port}");
    cli(server, &["SET", "r*:a", &to(one)]);
    let (forwarder, port) = front(server, ":prefix={r*:}:notify=true:negative=1h:cache=1h");
    assert_eq!(asked(port, "a").as_deref(), Ok("one"));
    // Values from before the subscription aren't kept, so no change of them is missed.
    cli(server, &["SET", "r*:a", &to(other)]);
    let changed = || (asked(port, "a").as_deref() == Ok("other")).then_some(());
    assert!(until_within(Duration::from_secs(6), changed).is_some(), "{}", forwarder.log());
    until("changes are heard", || {
        let key = format!("k{}", net::free_port());
        assert_eq!(asked(port, &key), Err(404));
        cli(server, &["SET", &format!("r*:{key}"), &to(one)]);
        asked(port, &key).ok()
    });
    cli(server, &["SET", "r*:b", &to(one)]);
    assert_eq!(asked(port, "b").as_deref(), Ok("one"));
    cli(server, &["SET", "r*:b", &to(other)]);
    until("it is changed", || (asked(port, "b").as_deref() == Ok("other")).then_some(()));
    cli(server, &["DEL", "r*:b"]);
    until("it is gone", || (asked(port, "b") == Err(404)).then_some(()));
    cli(server, &["HSET", "r*:b", "host", &to(one)]);
    until("it is there", || (asked(port, "b").as_deref() == Ok("one")).then_some(()));
    cli(server, &["PEXPIRE", "r*:b", "1"]);
    until("its time is over", || (asked(port, "b") == Err(404)).then_some(()));
    drop(redis_server);
    forwarder.wait_for_log("redis doesn't notify of changes");
    let _again = redis(server, &[]);
    forwarder.wait_for_log("must be `KA`");
}

/// A server that answers `answer` to all that it is sent, and counts connections.
fn rude(answer: &'static [u8]) -> u16 {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in server.incoming().flatten() {
            thread::spawn(move || {
                let mut piece = [0; 1024];
                while let Ok(1..) = stream.read(&mut piece) {
                    // It may have seen enough.
                    let _ = stream.write_all(answer);
                }
            });
        }
    });
    port
}

#[test]
fn servers_that_are_slow_full_or_none_are_down() {
    for (answer, words) in [
        (&b""[..], "no answer within 1 s"),
        (b"-LOADING Redis is loading\r\n", "it answers: LOADING Redis is loading"),
        (b"-ERR \x1b[31m\x07 red\r\n", "it answers: ERR [31m red"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "violates the Redis protocol"),
        (b"$1000000000\r\n", "longer than 32768 bytes"),
        (b"*2147483647\r\n", "longer than 32768 bytes"),
        (b":1\r\n", "is not a value"),
        (b"\xff\xfe\x00\x01", "violates the Redis protocol"),
        (b"$4\r\na\r\nb\r\n", "more than a line"),
    ] {
        let (forwarder, port) = front(rude(answer), ":timeout=1");
        assert_eq!(asked(port, "a"), Err(503), "{words}");
        forwarder.wait_for_log(words);
    }
}

#[test]
fn a_reply_that_nobody_asked_for_is_no_other_keys() {
    let (_forwarder, port) = front(rude(b"$-1\r\n$11\r\n127.0.0.1:1\r\n"), "");
    for key in ["a", "b", "c"] {
        assert_eq!(asked(port, key), Err(404), "{key}");
    }
}
