//! Commands as the client of ws2s sends them, malformed ones, and responses as ws2s writes them.

use proptest::prelude::*;
use ws2s::{Code, Command, Wrong, received, response};

fn send(data: &[u8], binary: bool) -> Command {
    Command::Send { data: data.to_vec(), binary }
}

#[test]
fn commands_as_the_stock_client_has_them() {
    // `undefined` is left out by JSON.stringify.
    let connect = r#"{"command":"connect","host":"example.com","port":80}"#;
    let expected = Command::Connect { host: "example.com".into(), port: 80, through_ssh: false };
    assert_eq!(Command::read(connect), Ok(expected.clone()));
    let null = r#"{"command":"connect","host":"example.com","port":80,"ssh_host":null}"#;
    assert_eq!(Command::read(null), Ok(expected));
    let ssh = r#"{"command":"connect","host":"h","port":1,"ssh_host":"s","ssh_port":22}"#;
    let expected = Command::Connect { host: "h".into(), port: 1, through_ssh: true };
    assert_eq!(Command::read(ssh), Ok(expected));
    let text = "{\"command\":\"send\",\"data\":\"GET / \\u00e4\\r\\n\"}";
    assert_eq!(Command::read(text), Ok(send("GET / ä\r\n".as_bytes(), false)));
    let bytes = r#"{"command":"sendb","data":"AP8="}"#;
    assert_eq!(Command::read(bytes), Ok(send(&[0, 255], true)));
    assert_eq!(Command::read(r#"{"command":"close"}"#), Ok(Command::Close));
    let ping = Command::read(r#"{"command":"ping"}"#).expect("anything is a command");
    assert_eq!((ping.name(), &ping), ("ping", &Command::Other("ping".into())));
}

#[test]
fn what_python_takes_is_taken() {
    let lenient = r#"{"command":"sendb","data":" AP\n8=*"}"#;
    assert_eq!(Command::read(lenient), Ok(send(&[0, 255], true)));
    let twice = r#"{"command":"close","command":"send","data":"a","x":[[{"y":[1.5,true]}]]}"#;
    assert_eq!(Command::read(twice), Ok(send(b"a", false)));
}

#[test]
fn mistakes_are_said_as_exceptions() {
    for (text, wrong, words) in [
        ("", Wrong::NotJson, "JSONDecodeError('the message is no object of JSON')"),
        ("[]", Wrong::NotJson, "JSONDecodeError('the message is no object of JSON')"),
        ("{}{}", Wrong::NotJson, "JSONDecodeError('the message is no object of JSON')"),
        ("{}", Wrong::Missing("command"), "KeyError('command')"),
        (r#"{"command":1}"#, Wrong::NotText("command"), "TypeError('command must be a string')"),
        (r#"{"command":"connect"}"#, Wrong::Missing("host"), "KeyError('host')"),
        (r#"{"command":"connect","host":"h"}"#, Wrong::Missing("port"), "KeyError('port')"),
        (
            r#"{"command":"connect","host":"h","port":"80"}"#,
            Wrong::NotInteger,
            "TypeError('an integer is required for the port')",
        ),
        (
            r#"{"command":"connect","host":"h","port":65536}"#,
            Wrong::PortRange,
            "OverflowError('port must be 0-65535.')",
        ),
        (
            r#"{"command":"connect","host":"h","port":-1}"#,
            Wrong::PortRange,
            "OverflowError('port must be 0-65535.')",
        ),
        (
            r#"{"command":"connect","host":"h\nx","port":80}"#,
            Wrong::NotHost,
            "gaierror(-2, 'Name or service not known')",
        ),
        (r#"{"command":"send"}"#, Wrong::Missing("data"), "KeyError('data')"),
        (r#"{"command":"sendb","data":"A"}"#, Wrong::NotBase64, "Error('Incorrect padding')"),
    ] {
        assert_eq!(Command::read(text), Err(wrong), "{text}");
        assert_eq!(wrong.to_string(), words);
    }
    let long = format!(r#"{{"command":"connect","host":"{}","port":80}}"#, "x".repeat(256));
    assert_eq!(Command::read(&long), Err(Wrong::NotHost));
    let deep = format!("{{\"command\":\"x\",\"y\":{}", "[".repeat(100_000));
    assert_eq!(Command::read(&deep), Err(Wrong::NotJson));
}

#[test]
fn responses_as_json_dumps_writes_them() {
    let done = r#"{"success": true, "code": 0, "message": "connect done"}"#;
    assert_eq!(response(Code::Done, "connect done"), done);
    let odd = r#"{"success": false, "code": 1, "message": "\"\\\n\u00e4\ud83d\ude00\u0000\u007f"}"#;
    assert_eq!(response(Code::Unknown, "\"\\\nä😀\0\x7f"), odd);
    let data = r#"{"success": true, "code": -1, "message": "recv data", "data": "JDINCk9LDQo="}"#;
    assert_eq!(received(b"$2\r\nOK\r\n"), data);
}

proptest! {
    #[test]
    fn any_text_is_a_command_or_none(text in "\\PC*") {
        let _ = Command::read(&text);
    }

    #[test]
    fn any_bytes_come_through(data in prop::collection::vec(any::<u8>(), 0..500)) {
        let text = received(&data);
        let start = text.find("\"data\": \"").expect("it is there") + 9;
        let sent = format!("{{\"command\":\"sendb\",\"data\":\"{}\"}}", &text[start..text.len() - 2]);
        prop_assert_eq!(Command::read(&sent), Ok(send(&data, true)));
    }

    #[test]
    fn any_words_are_json(words in any::<String>()) {
        let text = response(Code::Unknown, &words);
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(read["message"].as_str(), Some(&*words));
        prop_assert!(text.is_ascii());
    }
}
