//! A broker behind `ws:…:subprotocol=mqtt,mqttv3.1`, as the seed document has it: MQTT in the browser and in
//! Python, under the name that the standard gave it and under the one that it had before.

use std::fs;

use tempfile::TempDir;
use tests::browser::{Browser, Page};
use tests::{Forwarder, Peer, net, python};

/// Talks MQTT in the browser, under that name. Gives the agreed subprotocol, and the messages that come back.
const CONVERSATION: &str = "new Promise((resolve, reject) => {
  // MQTT.js asks for `mqttv3.1` when it speaks MQTT 3.1.
  const old = NAME === 'mqttv3.1' ? { protocolId: 'MQIsdp', protocolVersion: 3 } : {};
  const big = new Uint8Array(200_000).map((_, i) => (i * 7) % 251);
  const got = [];
  let socket;
  const client = mqtt.connect(`ws://${location.host}/mqtt`, {
    ...old,
    clientId: 'page',
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    createWebsocket: (url, names) => (socket = new WebSocket(url, names)),
  });
  client.on('error', reject);
  client.on('connect', () => client.subscribe('test/#', { qos: 1 }, () => {
    client.publish('test/small', 'hello', { qos: 1 });
    client.publish('test/big', big, { qos: 1 });
  }));
  client.on('message', (topic, payload) => {
    got.push(topic === 'test/small' ? payload.toString() : payload.every((byte, i) => byte === big[i]));
    if (got.length === 2) client.end(false, {}, () => resolve([socket.protocol, ...got]));
  });
})";

struct Broker {
    _folder: TempDir,
    server: Peer,
    port: u16,
}

fn broker() -> Broker {
    let folder = tempfile::tempdir().expect("a folder for a configuration");
    let (file, port) = (folder.path().join("mosquitto.conf"), net::free_port());
    // As root it would become another user, who may not read this.
    let config = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\nlog_type all\n"
    );
    fs::write(&file, config).expect("a file can be written");
    let mut server = Peer::start("mosquitto", &["-c", &file.display().to_string()]);
    server.wait_for_port(port);
    Broker { _folder: folder, server, port }
}

fn in_front_of(broker: &Broker) -> Forwarder {
    let destination = format!("tcp:127.0.0.1:{}", broker.port);
    // The page would be a terminal, for a protocol that isn't for people.
    Forwarder::between("ws:0:subprotocol=mqtt,mqttv3.1:page=none", &destination)
}

fn converses(page: &Page<'_>, name: &str) {
    let answer = page.evaluate(&CONVERSATION.replace("NAME", &format!("{name:?}")));
    assert_eq!(answer, serde_json::json!([name, "hello", true]));
}

#[test]
fn mqtt_js_talks_to_a_broker_from_a_page() {
    let broker = broker();
    let forwarder = in_front_of(&broker);
    let browser = Browser::start();
    // The listener's answer to a browser is a page from its own address; the origin is all that counts.
    browser.forgive("Failed to load resource");
    // That page allows no worker; MQTT.js then keeps its timers without one.
    browser.forgive("worker");
    let page = browser.open(&format!("http://127.0.0.1:{}/", forwarder.port(0)));
    page.load("node_modules/mqtt/dist/mqtt.min.js", "mqtt");
    converses(&page, "mqtt");
    converses(&page, "mqttv3.1");
    // The broker saw both versions of the protocol.
    for version in ["p2", "p1"] {
        broker.server.wait_for_line(&format!("as page ({version}, "));
    }
}

#[test]
fn paho_talks_to_a_broker_under_either_name() {
    let broker = broker();
    let forwarder = in_front_of(&broker);
    for (name, version) in [("mqtt", "4"), ("mqttv3.1", "3"), ("mqtt", "5")] {
        let port = forwarder.port(0).to_string();
        let mut client = python("paho_client.py", &[port.as_str(), name, version]);
        client.wait_for_line("got hello");
        assert!(client.wait_exit().success(), "{name} {version}\n{}", client.report());
    }
}

/// `--help` has it as an example.
#[test]
fn the_example_of_the_help_lets_mqtt_clients_in() {
    let broker = broker();
    let help = tests::run(&["--help"], b"").text();
    let example = "-e ws:{tcp:9000} -d tcp:localhost:1883";
    assert!(help.contains(example), "{help}");
    let listener = "ws:{tcp:0:interface=127.0.0.1}";
    let forwarder = Forwarder::between(listener, &format!("tcp:localhost:{}", broker.port));
    for (name, version) in [("mqtt", "4"), ("mqttv3.1", "3"), ("mqtt", "5")] {
        let port = forwarder.port(0).to_string();
        let mut client = python("paho_client.py", &[port.as_str(), name, version]);
        client.wait_for_line("got hello");
        assert!(client.wait_exit().success(), "{name} {version}\n{}", client.report());
    }
}

#[test]
fn a_message_crosses_from_a_socket_to_a_websocket() {
    // mosquitto's own client on its own port, and paho's on ours.
    let broker = broker();
    let forwarder = in_front_of(&broker);
    let near = Forwarder::between(
        "0",
        &format!("{{ws://127.0.0.1:{}/}}:subprotocol=mqtt", forwarder.port(0)),
    );
    let port = near.port(0).to_string();
    let subscriber =
        Peer::start("mosquitto_sub", &["-h", "127.0.0.1", "-p", &port, "-t", "news", "-C", "1"]);
    broker.server.wait_for_line("Sending SUBACK");
    let port = broker.port.to_string();
    let mut publisher = Peer::start(
        "mosquitto_pub",
        &["-h", "127.0.0.1", "-p", &port, "-t", "news", "-m", "from a socket"],
    );
    assert!(publisher.wait_exit().success(), "{}", publisher.report());
    subscriber.wait_for_line("from a socket");
}

#[test]
fn a_client_that_asks_for_something_else_is_refused() {
    let broker = broker();
    let forwarder = in_front_of(&broker);
    let request = tests::ws::Request::new("/").header("Sec-WebSocket-Protocol", "amqp");
    let refused = tests::ws::WebSocket::open(net::connect(forwarder.port(0)), &request);
    assert_eq!(refused.expect_err("an unknown name").status, 400);
}
