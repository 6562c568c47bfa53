//! Mistakes in options and descriptors.

use insta::assert_snapshot;

use super::run::{run, transcript};

#[test]
fn mistakes_in_options_have_a_hint_and_status_64() {
    assert_snapshot!(transcript(&[
        &["forward"],
        &["kindss"],
        &["tcp:9000", "tcp:localhost:80"],
        &["-e", "9000"],
        &["-d", "tcp:localhost:80"],
        &["-e", "9000", "-d"],
        &["-e", "", "-d", "echo"],
        &["-e", "9000", "-d", "echo", "--lingr", "3"],
        &["-e", "9000", "-d", "echo", "--linger", "soon"],
        &["-e", "9000", "-d", "echo", "--grace", "off"],
        &["-e", "9000", "-d", "echo", "--max-sessions", "0"],
        &["-e", "9000", "-d", "echo", "--threads", "0"],
        &["-e", "9000", "-d", "echo", "--threads", "all"],
        &["-e", "9000", "-d", "echo", "--threads", "100000"],
        &["-e", "9000", "-d", "echo", "--syntax", "twistd"],
        &["-e", "9000", "-d", "echo", "--log-format", "xml"],
        &["-e", "9000", "-d", "echo", "-d", "echo"],
        &["-e", "9000", "-d", "echo", "-v", "-q"],
        &["-e", "9000", "-d", "echo", "kinds"],
        &["explain"],
        &["explain", "echo", "--listen", "--connect"],
        &["completions", "csh"],
        &["help", "nothing-like-it", "and-more"],
    ]));
}

#[test]
fn mistakes_of_all_descriptors_are_reported_in_one_run() {
    assert_snapshot!(run(&[
        "-e",
        "tcp:90o0",
        "-e",
        "ws:{tcp:9000:bogus=1}:pth=/x",
        "-d",
        "tpc:localhost:80",
        "--check",
    ]));
}

#[test]
fn five_mistakes_in_one_nested_descriptor_are_five_carets() {
    let ran = run(&[
        "explain",
        "--listen",
        r"ws:{tcp:90o0:interfce=::1:reuseport=maybe}:subprotcol=mqtt:timeout=soon",
    ]);
    assert_eq!(ran.stderr.matches("^\n").count(), 5, "{ran}");
    assert_snapshot!(ran);
}

#[test]
fn mistakes_are_json_where_the_log_is() {
    let ran = run(&["-e", "tcp:90o0", "-d", "tcp:localhost:0", "--log-format", "json"]);
    assert_eq!((ran.status, &*ran.stdout), (64, ""));
    let lines: Vec<serde_json::Value> =
        ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let options: Vec<_> = lines.iter().map(|line| line["option"].as_str().unwrap()).collect();
    assert_eq!(options, ["--endpoint", "--dest-endpoint"]);
    assert_eq!((&lines[0]["code"], &lines[0]["at"]), (&"bad-value".into(), &4.into()));
}

#[test]
fn check_opens_nothing_and_says_what_it_has_seen() {
    // Nobody could bind this address or read this file.
    let ran = run(&[
        "-e",
        "tcp:1:interface=192.0.2.1",
        "-e",
        "unix:/nonexistent/x",
        "-d",
        "process:nosuch",
        "--check",
    ]);
    assert_eq!((ran.status, &*ran.stdout), (64, ""), "{ran}");
    assert_snapshot!(transcript(&[
        &[
            "-e",
            "tcp:1:interface=192.0.2.1",
            "-e",
            "unix:/nonexistent/x",
            "-d",
            "tcp:nosuch.invalid:1",
            "--check"
        ],
        &["-e", "tcp:9000", "-d", "process:sh", "--check"],
        &["-e", "tcp:9000:auth=none", "-d", "process:sh", "--check"],
        &["-e", "9000", "-d", "process:sh", "--check"],
        &["-e", "9000", "--dest_endpoint", "echo", "--check", "--syntax", "twisted"],
        &["-e", r"autobahn:tcp\:9000:url=ws\:// localhost\:9000", "-d", "echo", "--check"],
    ]));
}

/// What was typed by people who came from elsewhere.
#[test]
fn each_slip_gets_the_words_that_help() {
    let slips: &[(&str, &str)] = &[
        ("tcp:example.com:80", "tcp:9000"),
        ("tcp:0.0.0.0:9000", "echo"),
        ("tcp:example.com:80", "echo"),
        ("9000", "tcp:23"),
        ("ws:9000/term", "echo"),
        ("9000", "localhost:9000/term"),
        ("9000", "bash"),
        ("9000", "/dev/ttyUSB0"),
        ("9000", "/run/x.sock"),
        ("9000", "/bin/bash"),
        ("9000", "/usr/bin/sort"),
        ("9000", "localhost"),
        ("9000", "example.com"),
        ("-", "echo"),
        ("9000", "udp:53"),
        ("9000", "ssh:host"),
        ("ws:9000:auth=user:pass", "echo"),
        ("ws:9000:cert=x", "echo"),
        ("http:8080", "echo"),
        ("9000", "process:ls -la"),
        ("9000", r"process:printf:a\n"),
        ("9000", "tcp:localhost:http"),
        ("9000", "tcp:localhost:8o80"),
        ("ws:{tcp:9000}", "pty:bash"),
    ];
    let runs: Vec<_> = slips
        .iter()
        .map(|(listen, connect)| run(&["-e", listen, "-d", connect, "--check"]).to_string())
        .collect();
    assert_snapshot!(runs.join("\n"));
}

/// The session's refusal says so again, since it may be there by then.
#[test]
fn what_is_not_there_is_a_warning() {
    assert_snapshot!(transcript(&[
        &["-e", "9000", "-d", "process:no-such-program", "--check"],
        &["-e", "9000", "-d", "pty:/etc/passwd", "--check"],
        &["-e", "9000", "-d", "process:/no/such/program", "--check"],
        &["-e", "9000", "-d", "process:sh:cwd=/no/such/folder", "--check"],
        &["-e", "9000", "-d", "serial:/dev/no-such-device", "--check"],
        &["-e", "ws:9000:page=/no/such/folder", "-d", "process:sh", "--check"],
        &["version"],
    ]));
}

#[test]
fn nobody_is_asked_whether_a_program_was_meant_to_listen() {
    let swapped = |args: &[&str]| run(args).stderr.contains("swapped?");
    assert!(swapped(&["-e", "tcp:localhost:80", "-d", "9000"]));
    assert!(!swapped(&["-e", "ws:{tcp:0.0.0.0:9000}", "-d", "pty:bash"]));
}
