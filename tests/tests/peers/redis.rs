//! redis: many small answers, and some of any size.

use std::sync::OnceLock;

use tests::data::Pattern;
use tests::{Forwarder, Peer, net};

use crate::{program, succeeds, succeeds_with};

/// Larger than what two kernels and two forwarders hold.
const BIG: usize = 10 << 20;

struct Redis {
    _server: Peer,
    port: u16,
}

fn redis() -> Redis {
    let port = net::free_port();
    let mut server = Peer::start(
        "redis-server",
        &["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir", "/"],
    );
    server.wait_for_port(port);
    Redis { _server: server, port }
}

fn cli(port: u16, args: &[&str]) -> String {
    let port = port.to_string();
    succeeds(program("redis-cli").args(["-h", "127.0.0.1", "-p", &port]).args(args)).text()
}

/// Checks the commands that every way to the server has to carry.
fn works_at(port: u16) {
    assert_eq!(cli(port, &["PING"]), "PONG\n");

    // A letter for each byte: redis-cli shows what comes as it is, and adds a newline.
    let value: Vec<_> = big().iter().map(|byte| b'a' + byte % 26).collect();
    let mut set = program("redis-cli");
    set.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-x", "SET", "big"]);
    assert_eq!(succeeds_with(&mut set, &value).text(), "OK\n");
    let got = cli(port, &["GET", "big"]);
    assert!(got.trim_end().as_bytes() == value, "{} bytes of {BIG} came back", got.len());

    let mut pipe = program("redis-cli");
    pipe.args(["-h", "127.0.0.1", "-p", &port.to_string(), "--pipe"]);
    let piped = succeeds_with(&mut pipe, "INCR counter\r\n".repeat(100_000).as_bytes()).text();
    assert!(piped.contains("errors: 0, replies: 100000"), "{piped}");
    assert_eq!(cli(port, &["GET", "counter"]), "100000\n");
}

fn big() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| Pattern::new(6).take(BIG))
}

#[test]
fn redis_works_behind_a_port() {
    let redis = redis();
    let forwarder = Forwarder::between("0", &format!("tcp:127.0.0.1:{}", redis.port));
    works_at(forwarder.port(0));
}

#[test]
fn redis_works_through_a_websocket() {
    let redis = redis();
    let outer = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", redis.port));
    let inner = Forwarder::between("0", &format!("ws://127.0.0.1:{}/", outer.port(0)));
    works_at(inner.port(0));
}

#[test]
fn a_subscriber_gets_what_is_published() {
    let redis = redis();
    let outer = Forwarder::between("ws:0", &format!("tcp:127.0.0.1:{}", redis.port));
    let inner = Forwarder::between("0", &format!("ws://127.0.0.1:{}/", outer.port(0)));
    let port = inner.port(0).to_string();
    let subscriber = Peer::start("redis-cli", &["-p", &port, "SUBSCRIBE", "news"]);
    subscriber.wait_for_line("subscribe");
    assert_eq!(cli(redis.port, &["PUBLISH", "news", "hello from afar"]), "1\n");
    subscriber.wait_for_line("hello from afar");
}
