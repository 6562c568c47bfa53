//! WebSocket as pages of browsers speak it: a page has no choice of its client.

use serde_json::{Value, json};
use tests::browser::Browser;
use tests::firefox::Firefox;
use tests::{Forwarder, Tap};

/// Compression on our side; browsers always offer it.
const COMPRESSION: &[bool] = &[false, true];
/// From 65535 on; binary and text of them, if text means text.
const LARGE: usize = 3;

/// Has a page converse with an echo, in every way that we may agree with its browser. `run` loads a page and
/// evaluates an expression there.
fn converses(run: impl Fn(&str, &str) -> String) {
    let script = tests::source::read("tests/browser/sockets.js");
    for &compression in COMPRESSION {
        for subprotocol in ["", "binary", "base64"] {
            let switch = if compression { ":compression=on" } else { "" };
            let forwarder = Forwarder::between(&format!("ws:0:page=none{switch}"), "echo");
            let tap = Tap::before(forwarder.port(0));
            let place = format!("127.0.0.1:{}/", tap.port());
            let expression = format!(
                "(() => {{ {script}\nreturn converse('ws://{place}', '{subprotocol}'); }})()"
            );
            let said = run(&format!("http://{place}"), &expression);
            let said: Value = serde_json::from_str(&said).expect("the script writes JSON");
            let case = format!("compression {compression}, subprotocol `{subprotocol}`: {said}");
            assert_eq!(said["wrong"], json!([]), "{case}");
            assert_eq!((&said["closed"], &said["protocol"]), (&json!(1000), &json!(subprotocol)));
            let extensions = said["extensions"].as_str().expect("a string");
            assert_eq!(extensions.starts_with("permessage-deflate"), compression, "{case}");
            assert!(compression || extensions.is_empty(), "{case}");
            let seen = tap.websocket();
            let offered = seen.request.value("sec-websocket-extensions").unwrap_or_default();
            assert!(offered.contains("permessage-deflate"), "{case}: {seen:#?}");
            for direction in [seen.there, seen.back] {
                let fits = if compression {
                    direction.compressed >= LARGE
                } else {
                    direction.compressed == 0
                };
                assert!(fits && direction.messages >= 6, "{case}: {seen:#?}");
            }
        }
    }
}

#[test]
fn chromium() {
    let browser = Browser::start();
    // Without a page of ours, the listener has nothing but this to say.
    browser.forgive("426 (Upgrade Required)");
    converses(|url, expression| {
        let said = browser.open(url).evaluate(expression);
        said.as_str().expect("the script gives a string").to_owned()
    });
}

#[test]
#[ignore = "needs Firefox: cargo xtask interop"]
fn firefox() {
    let browser = Firefox::start();
    converses(|url, expression| {
        browser.open(url);
        browser.evaluate(expression)
    });
}
