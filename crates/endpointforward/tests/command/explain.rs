//! `explain`, for people and for programs.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::run::{feed, run, transcript};

#[test]
fn a_tree_has_every_parameter() {
    assert_snapshot!(transcript(&[
        &["explain", "9000", "--listen"],
        &["explain", "unix:/run/app.sock"],
        &["explain", r"ws:tcp\:9000:subprotocol=mqtt", "--listen"],
        &["explain", "tcp://localhost:80"],
        &["explain", "exec:cat", "--connect"],
        &["explain", "tcp:80", "--syntax", "twisted"],
    ]));
}

#[test]
fn mistakes_are_those_of_the_side_that_fits_better() {
    assert_snapshot!(transcript(&[
        &["explain", "echo:x"],
        &["explain", "tcp:localhost:90o0"],
        &["explain", "tcp:90o0"],
        &["explain", "x:{a"],
        &["explain", "--listen", "echo"],
    ]));
}

#[test]
fn json_is_one_object_on_one_line() {
    assert_snapshot!(transcript(&[
        &["explain", "tcp:localhost:80", "--json"],
        &["explain", "mem:x", "--json", "--listen"],
        &["explain", "tcp:90o0:bogus=1", "--json"],
        &["explain", "x:{a", "--json"],
        &["explain", r"autobahn:tcp\:h\:1:url=ws\:// h\:1:compresion=1", "--json", "--connect"],
    ]));
}

#[test]
fn a_keyword_twice_is_parsed_and_not_planned() {
    let ran = run(&["explain", "tcp:80:backlog=1:interface=::1:backlog=2", "--json"]);
    // The last value, in the place of the first.
    assert!(ran.stdout.contains(r#""kwargs":{"backlog":"2","interface":""#), "{ran}");
    assert_eq!(ran.status, 64);
    let twisted = run(&["explain", "tcp:80:backlog=1:backlog=2", "--json", "--syntax", "twisted"]);
    assert!(twisted.stdout.contains(r#""kwargs":{"backlog":"2"}"#), "{twisted}");
    assert_eq!(twisted.status, 0);
}

#[test]
fn every_line_is_answered_by_a_line() {
    let input =
        "\"echo\"\n\n\"x:{a\"\nnot json\n[1]\n\"tcp:\\u0038\\u0030\"\r\n\"\\ud800\"\n\"9000\"";
    let ran = feed(&["explain", "-"], input);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let answers: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let codes: Vec<_> = answers.iter().map(|answer| answer["errors"][0]["code"].clone()).collect();
    let bad = json!("not-a-json-string");
    assert_eq!(
        codes,
        [
            json!(null),
            bad.clone(),
            json!("unclosed-brace"),
            bad.clone(),
            bad.clone(),
            json!(null),
            bad,
            json!(null)
        ]
    );
    assert_eq!(answers[5]["parsed"]["args"], json!(["tcp", "80"]));
    assert_eq!(answers[2].get("parsed"), None);
    assert!(answers.iter().all(|answer| answer["warnings"].is_array()));
}

#[test]
fn a_line_that_is_too_long_costs_no_more_than_itself() {
    let input = format!("\"{}\"\n\"echo\"\n", "x".repeat(3 << 20));
    let ran = feed(&["explain", "-", "--json"], &input);
    let answers: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["errors"][0]["code"], "not-a-json-string");
    assert_eq!(answers[1]["plan"]["kind"], "echo");
}

#[test]
fn offsets_are_bytes_of_what_was_typed() {
    let ran = run(&["explain", "--json", "--listen", r"ws:tcp\:9é0:path=/"]);
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    let error = &answer["errors"][0];
    assert_eq!(
        (&error["code"], &error["offset"], &error["end"]),
        (&json!("bad-value"), &json!(8), &json!(12))
    );
}
