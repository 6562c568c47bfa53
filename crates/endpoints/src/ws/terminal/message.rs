//! Control messages: one JSON object each, to and from [`Signal`]s.
//!
//! An unknown type or field is ignored, and so is an invalid value of a field: that is how the version grows. Text
//! that is not an object with a `type` is an error.

use std::time::Duration;

use endpoint::control::{Break, LineSettings, ModemLines, Purge, Query, StopBits, WindowSize};
use endpoint::{ExitStatus, Signal};
use serde_json::{Map, Value, json};
use websocket::Role;

use super::Face;

/// The contents of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Signal(Signal),
    /// So many bytes of data were drawn, since the connection was opened.
    Ack(u64),
    /// Set if the data messages after it are text.
    Text(bool),
    /// The client asks whether we are there.
    Alive,
    /// No more data comes from the peer.
    Eof,
    /// An unknown message, or one that the peer may not send.
    Unknown,
}

/// Parses a message that a peer sent to us, who are `role`.
pub(super) fn read(text: &[u8], role: Role) -> Result<Message, &'static str> {
    let value: Value =
        serde_json::from_slice(text).map_err(|_| "a control message must be a JSON object")?;
    let Value::Object(fields) = value else {
        return Err("a control message must be a JSON object");
    };
    let kind = fields.get("type").and_then(Value::as_str);
    let kind = kind.ok_or("a control message must have a `type`")?;
    let signal = match (kind, role) {
        ("eof", _) => return Ok(Message::Eof),
        ("ack", Role::Server) => {
            return Ok(whole(&fields, "bytes").map_or(Message::Unknown, Message::Ack));
        }
        ("query", Role::Server) if fields.get("what").and_then(Value::as_str) == Some("alive") => {
            return Ok(Message::Alive);
        }
        ("text", _) => {
            let on = fields.get("on").and_then(Value::as_bool);
            return Ok(on.map_or(Message::Unknown, Message::Text));
        }
        ("stderr", Role::Client) => {
            fields.get("text").and_then(Value::as_str).map(|text| Signal::Stderr(text.to_owned()))
        }
        ("line", _) => line(&fields).map(Signal::Line),
        ("modem", _) => modem(&fields).map(Signal::Modem),
        ("resize", Role::Server) => size(&fields).map(Signal::Window),
        ("break", Role::Server) => Some(Signal::Break(brk(&fields))),
        ("purge", Role::Server) => purge(&fields).map(Signal::Purge),
        ("query", Role::Server) => query(&fields).map(Signal::Query),
        ("job", Role::Client) => fields.get("runs").and_then(Value::as_bool).map(Signal::Job),
        ("echo", Role::Client) => fields.get("on").and_then(Value::as_bool).map(Signal::Echo),
        ("title", Role::Client) => {
            fields.get("text").and_then(Value::as_str).map(|text| Signal::Title(text.to_owned()))
        }
        ("exit", Role::Client) => Some(Signal::Exit(exit(&fields))),
        _ => None,
    };
    Ok(signal.map_or(Message::Unknown, Message::Signal))
}

/// Returns the message for `signal`, where `role` is ours; `None` if the peer has no use for it.
pub(super) fn write(signal: &Signal, role: Role) -> Option<String> {
    let value = match (signal, role) {
        (Signal::Line(line), _) => with("line", line_fields(line)),
        (Signal::Modem(lines), _) => with("modem", modem_fields(lines, role)),
        (Signal::Window(size), Role::Client) => {
            json!({"type": "resize", "cols": size.cols, "rows": size.rows})
        }
        (Signal::Break(brk), Role::Client) => match brk {
            Break::Timed(pause) if pause.is_zero() => json!({"type": "break"}),
            Break::Timed(pause) => {
                let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                json!({"type": "break", "ms": ms})
            }
            Break::On => json!({"type": "break", "on": true}),
            Break::Off => json!({"type": "break", "on": false}),
        },
        (Signal::Purge(what), Role::Client) => {
            let what = match what {
                Purge::Input => "input",
                Purge::Output => "output",
                Purge::Both => "both",
            };
            json!({"type": "purge", "what": what})
        }
        (Signal::Query(Query::Job), Role::Client) => json!({"type": "query", "what": "job"}),
        (Signal::Query(Query::Line), Role::Client) => json!({"type": "query", "what": "line"}),
        (Signal::Query(Query::Modem), Role::Client) => json!({"type": "query", "what": "modem"}),
        (Signal::Job(runs), Role::Server) => json!({"type": "job", "runs": runs}),
        (Signal::Echo(on), Role::Server) => json!({"type": "echo", "on": on}),
        (Signal::Exit(status), Role::Server) => match status {
            ExitStatus::Code(code) => json!({"type": "exit", "status": code}),
            ExitStatus::Signal(signal) => json!({"type": "exit", "signal": signal}),
            ExitStatus::Unknown => json!({"type": "exit"}),
        },
        (Signal::Stderr(line), Role::Server) => {
            json!({"type": "stderr", "text": cut(line, |c| c == '\t' || !c.is_control())})
        }
        (Signal::Title(title), Role::Server) => {
            json!({"type": "title", "text": cut(title, |c| !c.is_control())})
        }
        _ => return None,
    };
    Some(value.to_string())
}

/// The first of a server's messages.
pub(super) fn hello(face: Face) -> String {
    json!({"type": "hello", "version": 1, "face": face.name(), "ack": true, "alive": true})
        .to_string()
}

/// The answer to a client that asks whether we are there.
pub(super) fn alive() -> String {
    json!({"type": "alive"}).to_string()
}

/// Returns the message that announces the type of the data messages after it.
pub(super) fn text(on: bool) -> String {
    json!({"type": "text", "on": on}).to_string()
}

pub(super) fn eof() -> String {
    json!({"type": "eof"}).to_string()
}

// === Reading ===

fn size(fields: &Map<String, Value>) -> Option<WindowSize> {
    let one = |name| whole(fields, name).and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
    Some(WindowSize { cols: one("cols")?, rows: one("rows")? })
}

fn brk(fields: &Map<String, Value>) -> Break {
    match fields.get("on").and_then(Value::as_bool) {
        Some(true) => Break::On,
        Some(false) => Break::Off,
        None => {
            let pause = whole(fields, "ms").map(Duration::from_millis);
            Break::Timed(pause.unwrap_or_default().min(LONGEST_BREAK))
        }
    }
}

fn purge(fields: &Map<String, Value>) -> Option<Purge> {
    Some(match fields.get("what").and_then(Value::as_str)? {
        "input" => Purge::Input,
        "output" => Purge::Output,
        "both" => Purge::Both,
        _ => return None,
    })
}

fn query(fields: &Map<String, Value>) -> Option<Query> {
    Some(match fields.get("what").and_then(Value::as_str)? {
        "job" => Query::Job,
        "line" => Query::Line,
        "modem" => Query::Modem,
        _ => return None,
    })
}

fn line(fields: &Map<String, Value>) -> Option<LineSettings> {
    let small = |name| whole(fields, name).and_then(|n| u8::try_from(n).ok());
    let letter = |text: &str| text.chars().next().filter(|_| text.len() == 1);
    let mut line = LineSettings::default();
    line.baud = whole(fields, "baud").and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    line.data_bits = small("bits").filter(|bits| (5..=8).contains(bits));
    line.parity = fields.get("parity").and_then(Value::as_str).and_then(letter);
    line.parity = line.parity.filter(|parity| "NEOMS".contains(*parity));
    line.stop_bits = fields.get("stop").and_then(stop);
    line.xonxoff = fields.get("xonxoff").and_then(Value::as_bool);
    line.rtscts = fields.get("rtscts").and_then(Value::as_bool);
    (line != LineSettings::default()).then_some(line)
}

fn stop(value: &Value) -> Option<StopBits> {
    // All three are exact in binary.
    STOP_BITS.into_iter().find(|(number, _)| value.as_f64() == Some(*number)).map(|(_, bits)| bits)
}

fn modem(fields: &Map<String, Value>) -> Option<ModemLines> {
    let one = |name| fields.get(name).and_then(Value::as_bool);
    let mut lines = ModemLines::default();
    (lines.dtr, lines.rts) = (one("dtr"), one("rts"));
    (lines.cts, lines.dsr) = (one("cts"), one("dsr"));
    (lines.ri, lines.cd) = (one("ri"), one("dcd"));
    (lines != ModemLines::default()).then_some(lines)
}

fn exit(fields: &Map<String, Value>) -> ExitStatus {
    let one = |name| whole(fields, name).and_then(|n| i32::try_from(n).ok());
    let signal = one("signal").map(ExitStatus::Signal);
    signal.or_else(|| one("status").map(ExitStatus::Code)).unwrap_or(ExitStatus::Unknown)
}

/// A whole number; JavaScript has no other sort, and may write `80.0`.
fn whole(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = fields.get(name)?;
    value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=MOST_EXACT).contains(n));
        number.map(|n| n as u64)
    })
}

// === Writing ===

fn with(kind: &str, fields: Vec<(&str, Value)>) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    let fields = [("type", Value::from(kind))].into_iter().chain(fields);
    Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn line_fields(line: &LineSettings) -> Vec<(&'static str, Value)> {
    let stop = line.stop_bits.map(|bits| match bits {
        StopBits::One => 1.into(),
        StopBits::OneAndHalf => 1.5.into(),
        StopBits::Two => 2.into(),
    });
    vec![
        ("baud", line.baud.into()),
        ("bits", line.data_bits.into()),
        ("parity", line.parity.map(String::from).into()),
        ("stop", stop.unwrap_or(Value::Null)),
        ("xonxoff", line.xonxoff.into()),
        ("rtscts", line.rtscts.into()),
    ]
}

/// A terminal drives two of the lines and sees all.
fn modem_fields(lines: &ModemLines, role: Role) -> Vec<(&'static str, Value)> {
    let mut fields = vec![("dtr", lines.dtr.into()), ("rts", lines.rts.into())];
    if role == Role::Server {
        fields.extend([
            ("cts", lines.cts.into()),
            ("dsr", lines.dsr.into()),
            ("ri", lines.ri.into()),
            ("dcd", lines.cd.into()),
        ]);
    }
    fields
}

/// A line without characters that aren't `shown`, cut so that its message is not too long.
fn cut(line: &str, shown: impl Fn(char) -> bool) -> String {
    let mut plain = String::new();
    for c in line.chars().filter(|c| shown(*c)) {
        if plain.len() + c.len_utf8() > LONGEST_LINE {
            break;
        }
        plain.push(c);
    }
    plain
}

const STOP_BITS: [(f64, StopBits); 3] =
    [(1.0, StopBits::One), (1.5, StopBits::OneAndHalf), (2.0, StopBits::Two)];
/// A break doesn't hold a line for longer, as others may want to use it.
const LONGEST_BREAK: Duration = Duration::from_secs(10);
/// Each byte is two at most, escaped.
const LONGEST_LINE: usize = 1024;
/// `Number.MAX_SAFE_INTEGER`.
const MOST_EXACT: f64 = 9_007_199_254_740_991.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Message {
        read(text.as_bytes(), Role::Server).expect(text)
    }

    #[test]
    fn what_one_end_writes_the_other_reads() {
        let mut line = LineSettings::default();
        (line.baud, line.data_bits, line.parity) = (Some(115_200), Some(7), Some('E'));
        (line.stop_bits, line.xonxoff, line.rtscts) =
            (Some(StopBits::OneAndHalf), Some(true), Some(false));
        let mut lines = ModemLines::default();
        (lines.dtr, lines.rts) = (Some(true), Some(false));
        let from_client = [
            Signal::Window(WindowSize { cols: 132, rows: 43 }),
            Signal::Break(Break::Timed(Duration::from_millis(300))),
            Signal::Break(Break::Timed(Duration::ZERO)),
            Signal::Break(Break::On),
            Signal::Break(Break::Off),
            Signal::Purge(Purge::Input),
            Signal::Purge(Purge::Output),
            Signal::Purge(Purge::Both),
            Signal::Query(Query::Job),
            Signal::Query(Query::Line),
            Signal::Query(Query::Modem),
            Signal::Line(line.clone()),
            Signal::Modem(lines),
        ];
        lines.cd = Some(true);
        let from_server = [
            Signal::Echo(false),
            Signal::Job(true),
            Signal::Title("ü \"quoted\" \\".into()),
            Signal::Exit(ExitStatus::Code(3)),
            Signal::Exit(ExitStatus::Signal(15)),
            Signal::Exit(ExitStatus::Unknown),
            Signal::Line(line),
            Signal::Modem(lines),
        ];
        for (signals, from, to) in [
            (&from_client[..], Role::Client, Role::Server),
            (&from_server, Role::Server, Role::Client),
        ] {
            for signal in signals {
                let text = write(signal, from).expect("it is said");
                assert!(text.starts_with("{\"type\":"), "{text}");
                assert_eq!(
                    read(text.as_bytes(), to),
                    Ok(Message::Signal(signal.clone())),
                    "{text}"
                );
            }
        }
        assert_eq!(read(eof().as_bytes(), Role::Client), Ok(Message::Eof));
        assert_eq!(read(hello(Face::Shell).as_bytes(), Role::Client), Ok(Message::Unknown));
        assert_eq!(
            hello(Face::Shell),
            r#"{"type":"hello","version":1,"face":"shell","ack":true,"alive":true}"#
        );
        assert_eq!(said(r#"{"type":"query","what":"alive"}"#), Message::Alive);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        for text in [
            r#"{"type":"later"}"#,
            r#"{"type":"hello","version":2}"#,
            r#"{"type":"resize"}"#,
            r#"{"type":"resize","cols":80}"#,
            r#"{"type":"resize","cols":0,"rows":24}"#,
            r#"{"type":"resize","cols":65536,"rows":24}"#,
            r#"{"type":"resize","cols":"80","rows":24}"#,
            r#"{"type":"resize","cols":80.5,"rows":24}"#,
            r#"{"type":"resize","cols":-80,"rows":24}"#,
            r#"{"type":"line"}"#,
            r#"{"type":"line","baud":1e99,"bits":9,"parity":"NE","stop":1.7}"#,
            r#"{"type":"purge","what":"all"}"#,
            r#"{"type":"query"}"#,
            r#"{"type":"modem","dtr":1}"#,
            // Messages that clients may not send.
            r#"{"type":"title","text":"x"}"#,
            r#"{"type":"exit","status":0}"#,
        ] {
            assert_eq!(said(text), Message::Unknown, "{text}");
        }
        assert_eq!(said(r#"{"type":"ack","bytes":5}"#), Message::Ack(5));
        assert_eq!(said(r#"{"type":"ack","bytes":-5}"#), Message::Unknown);
        let size = Signal::Window(WindowSize { cols: 80, rows: 24 });
        let text = r#"{"more":[{}],"rows":24.0,"cols":80,"type":"resize"}"#;
        assert_eq!(said(text), Message::Signal(size));
        for (ms, expected) in [("", 0), (r#","ms":7"#, 7), (r#","ms":9999999"#, 10_000)] {
            let text = format!(r#"{{"type":"break"{ms}}}"#);
            let pause = Break::Timed(Duration::from_millis(expected));
            assert_eq!(said(&text), Message::Signal(Signal::Break(pause)), "{text}");
        }
    }

    #[test]
    fn what_is_no_message_is_a_mistake() {
        for text in ["", "x", "1", "null", "[]", "{}", r#"{"type":1}"#, r#"{"type":"eof""#, "{}{}"]
        {
            assert!(read(text.as_bytes(), Role::Server).is_err(), "{text}");
        }
        let deep = format!(r#"{{"type":"eof","x":{}"#, "[".repeat(4000));
        assert!(read(deep.as_bytes(), Role::Server).is_err());
    }

    #[test]
    fn a_title_is_text_and_fits() {
        for title in ["\u{1b}]0;x\u{7}\n".to_owned(), "\"\\".repeat(3000), "€".repeat(3000)] {
            let text = write(&Signal::Title(title), Role::Server).expect("it is said");
            assert!(text.len() <= super::super::LONGEST, "{}", text.len());
            assert!(!text.contains("\\u"), "{text}");
        }
    }
}
