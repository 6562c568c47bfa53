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

/// Options of other programs that belong to an endpoint here.
#[test]
fn options_of_other_programs_have_a_hint() {
    assert_snapshot!(transcript(&[
        &["-p", "7681", "bash"],
        &["-W", "bash"],
        &["-c", "user:secret", "bash"],
        &["-l", "8080"],
        &["--port=8080", "./x"],
        &["--staticdir=/srv/web", "./x"],
        &["--devconsole", "./x"],
        &["--token-plugin", "TokenFile", "6080"],
        &["--cert=/x.pem", "6080", "localhost:5901"],
        &["6080", "localhost:5901"],
        &["TCP-LISTEN:80,fork", "TCP-CONNECT:h:80"],
        &["-", "UNIX-CONNECT:/x"],
        &["ws-l:127.0.0.1:80", "tcp:h:22"],
        &["-e", "9000", "--dest", "echo"],
        &["-e", "9000", "--destination", "echo"],
        &["-e", "9000", "-dest-endpoint", "echo"],
        &["-endpoint", "9000", "-d", "echo"],
        &["–e", "9000", "–d", "echo"],
        &["-e", "9000", "-d", "echo", "-d", "null"],
        &["-e", "9000", "echo"],
        &["-e", "9000", "--timeout", "5", "-d", "echo"],
        &["--log-level", "debug"],
        &["--endpoint=", "-d", "echo"],
    ]));
}

#[test]
fn nobody_is_asked_whether_a_program_was_meant_to_listen() {
    let swapped = |args: &[&str]| run(args).stderr.contains("swapped?");
    assert!(swapped(&["-e", "tcp:localhost:80", "-d", "9000"]));
    assert!(!swapped(&["-e", "ws:{tcp:0.0.0.0:9000}", "-d", "pty:bash"]));
}
