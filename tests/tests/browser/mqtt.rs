//! The page in front of an MQTT broker: mosquitto.

use std::io::Write;

use tests::browser::{Browser, Look, Page};
use tests::net::{self, Server};
use tests::{Forwarder, until};

use crate::url;
use crate::why::axe;

use self::broker::Broker;

pub(crate) mod broker {
    //! mosquitto, with and without a user.

    use std::fs;
    use std::process::Command;

    use tempfile::TempDir;
    use tests::net::{free_port, try_connect};
    use tests::{Process, binary, until};

    pub(crate) struct Broker {
        _process: Process,
        _folder: TempDir,
        pub(crate) port: u16,
    }

    impl Broker {
        pub(crate) fn start(rules: &str) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let port = free_port();
            let file = folder.path().join("mosquitto.conf");
            let text = format!("listener {port} 127.0.0.1\n{rules}\n");
            fs::write(&file, text).expect("it is written");
            let program =
                binary::program("mosquitto").expect("mosquitto is installed: `cargo xtask setup`");
            let mut command = Command::new(program);
            command.arg("-c").arg(&file);
            let process = Process::spawn("mosquitto", &mut command);
            until("the broker listens", || try_connect(port).ok().map(drop));
            Self { _process: process, _folder: folder, port }
        }

        /// One with a user `ada`.
        pub(crate) fn with_user() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("users");
            let program = binary::program("mosquitto_passwd").expect("it comes with mosquitto");
            let made = Command::new(program)
                .args(["-c", "-b"])
                .arg(&file)
                .args(["ada", "engine"])
                .status();
            assert!(made.expect("it runs").success());
            // mosquitto drops its rights if it is root.
            let text = fs::read_to_string(&file).expect("it is there");
            fs::write(&file, text).expect("it is written");
            let rules =
                format!("allow_anonymous false\npassword_file {}\nuser root", file.display());
            let mut broker = Self::start(&rules);
            broker._folder = folder;
            broker
        }
    }
}

pub(crate) fn forwarder(broker: &Broker) -> Forwarder {
    Forwarder::between("ws:0:subprotocol=mqtt,mqttv3.1", &format!("tcp:127.0.0.1:{}", broker.port))
}

pub(crate) fn publish(page: &Page<'_>, topic: &str, payload: &str) {
    page.fill(".mqtt .publish [name=topic]", topic);
    page.fill(".mqtt .publish [name=payload]", payload);
    page.click(".mqtt .publish button[type=submit]");
}

fn detail(page: &Page<'_>) -> String {
    let text = page.evaluate("document.querySelector('.mqtt .detail').innerText");
    text.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_broker_is_read_and_written_to_in_each_version() {
    let broker = Broker::start("allow_anonymous true");
    let forwarder = forwarder(&broker);
    let browser = Browser::start();
    for version in ["5", "4", "3"] {
        let page = browser.open(&url(&forwarder));
        page.wait_visible(".mqtt .card");
        page.select(".mqtt [name=version]", version);
        page.click(".mqtt .card .primary");
        page.wait_visible(".mqtt .subscribed button:has-text('#')");
        publish(&page, &format!("house/{version}/heat"), "{\"celsius\":21.5}");
        page.wait_text(&format!("house/{version}/heat {{\"celsius\":21.5}}"));
        page.click(&format!(".mqtt .row[title='house/{version}/heat']"));
        page.wait_visible(".mqtt .payload details");
        assert!(detail(&page).contains("celsius: 21.5"), "{}", detail(&page));
        // Binary, in hex.
        page.select(".mqtt .publish [name=kind]", "hex");
        publish(&page, "raw", "00 ff");
        page.wait_text("raw 00 ff");
        // The page shows what is wrong.
        publish(&page, "a/+", "");
        page.wait_visible(".mqtt .publish .problem:has-text('no + and no #')");
        page.click(".mqtt button:has-text('Disconnect')");
        page.wait_visible(".mqtt .card");
        page.close();
    }
}

/// The client is large, and few pages need it.
#[test]
fn its_client_is_loaded_where_it_is_shown_alone() {
    let broker = Broker::start("allow_anonymous true");
    let (mqtt, shell) = (forwarder(&broker), Forwarder::between("ws:0", "pty:cat"));
    let browser = Browser::start();
    let loaded = |page: &Page<'_>| {
        let names = page.evaluate(
            "performance.getEntriesByType('resource').map((it) => it.name.split('/').at(-1)).join(' ')",
        );
        names.as_str().unwrap_or_default().contains("mqtt-")
    };
    let page = browser.open(&url(&mqtt));
    page.wait_visible(".mqtt .card");
    assert!(loaded(&page));
    let page = browser.open(&url(&shell));
    page.wait_state("connected");
    page.type_text("typed\n");
    page.wait_text("typed\ntyped");
    assert!(!loaded(&page));
}

#[test]
fn retained_messages_properties_and_wills_are_seen() {
    let broker = Broker::start("allow_anonymous true");
    let forwarder = forwarder(&broker);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.click(".mqtt .card summary");
    page.fill(".mqtt [name=willTopic]", "last/will");
    page.fill(".mqtt [name=willPayload]", "it is gone");
    page.click(".mqtt .card .primary");
    page.wait_visible(".mqtt .subscribed button");
    page.click(".mqtt .properties summary");
    page.fill(".mqtt [name=contentType]", "text/plain");
    page.fill(".mqtt [name=userProperties]", "sensor=7");
    page.click(".mqtt .publish [name=retain]");
    page.select(".mqtt .publish [name=qos]", "2");
    publish(&page, "kept", "for later");
    page.wait_text("kept for later");

    let other = browser.open(&url(&forwarder));
    other.click(".mqtt .card .primary");
    other.wait_text("kept for later");
    other.click(".mqtt .row[title='kept']");
    until("its properties are told", || {
        let text = detail(&other);
        ["retained", "content type text/plain", "sensor=7"]
            .iter()
            .all(|word| text.contains(word))
            .then_some(())
    });
    // The page goes without a word of MQTT.
    page.close();
    other.wait_text("last/will it is gone");
}

#[test]
fn a_user_is_refused_in_words_and_let_in() {
    let broker = Broker::with_user();
    let forwarder = forwarder(&broker);
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.wait_visible(".mqtt .card");
    page.fill(".mqtt [name=user]", "ada");
    page.fill(".mqtt [name=password]", "wrong");
    page.click(".mqtt .card .primary");
    page.wait_visible(".mqtt .note:has-text('Not authorized')");
    page.wait_status("Not authorized");
    page.fill(".mqtt [name=password]", "engine");
    page.click(".mqtt .card .primary");
    page.wait_visible(".mqtt .subscribed button");
}

#[test]
fn an_answer_that_is_not_mqtt_is_said_to_be_none() {
    let server = Server::bind();
    let forwarder = Forwarder::between("ws:0:subprotocol=mqtt", &server.descriptor());
    let browser = Browser::start();
    let page = browser.open(&url(&forwarder));
    page.click(".mqtt .card .primary");
    let mut broker = server.accept();
    let _connect = net::read_exactly(&broker, 2);
    broker.write_all(b"\xff\xff\xff\xff\xff\xff").expect("it is taken");
    page.wait_visible(".mqtt .note:has-text('answer is not valid MQTT')");
    page.wait_state("ended");
    let status = page.wait_status("Ended: the broker's answer is not valid MQTT");
    assert!(!status.contains("disconnected"), "{status}");
}

#[test]
fn a_message_can_be_read_on_the_smallest_phone() {
    let broker = Broker::start("allow_anonymous true");
    let forwarder = forwarder(&broker);
    let browser = Browser::start();
    let page = browser.open_as(&url(&forwarder), Look { width: 320, height: 568, ..Look::PHONE });
    page.click(".mqtt .card .primary");
    page.wait_visible(".mqtt .subscribed button");
    publish(&page, "a/b", "{\"one\":1}");
    page.wait_text("a/b {");
    page.click(".mqtt .row[title='a/b']");
    page.wait_visible(".mqtt .payload details");
    for (part, height) in [(".mqtt .panes .list", 100), (".mqtt .payload", 60)] {
        let shown = page.evaluate(&format!("document.querySelector('{part}').clientHeight"));
        assert!(shown.as_u64() >= Some(height), "{part}: {shown}");
    }
}

#[test]
fn what_a_screen_reader_needs_is_there() {
    let broker = Broker::start("allow_anonymous true");
    let forwarder = forwarder(&broker);
    let browser = Browser::start();
    for look in [Look::DESKTOP, Look::DESKTOP.light(), Look::PHONE, Look::PHONE.light()] {
        let page = browser.open_as(&url(&forwarder), look);
        page.click(".mqtt .card summary");
        assert_eq!(axe(&page), "", "connecting, {look:?}");
        page.click(".mqtt .card .primary");
        page.wait_visible(".mqtt .subscribed button");
        publish(&page, "a/b", "{\"one\":1}");
        page.wait_text("a/b {");
        page.click(".mqtt .row[title='a/b']");
        page.wait_visible(".mqtt .payload details");
        page.click(".mqtt .properties summary");
        assert_eq!(axe(&page), "", "topics, {look:?}");
        page.close();
    }
}
