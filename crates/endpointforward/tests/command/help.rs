//! Help.

use insta::assert_snapshot;

use super::run::{command, run, transcript};

#[test]
fn help_lists_every_option() {
    assert_snapshot!(run(&["--help"]));
}

#[test]
fn help_begins_with_examples() {
    let ran = run(&["--help"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    assert_eq!(ran.stdout.matches("  endpointforward -e ").count(), 3);
}

#[test]
fn help_is_the_same_however_it_is_asked_for() {
    assert_eq!(run(&["help"]).stdout, run(&["-h"]).stdout);
    assert_eq!(run(&["help", "explain"]).stdout, run(&["explain", "--help"]).stdout);
    assert_eq!(run(&["help", "exec"]).stdout, run(&["help", "process"]).stdout);
    assert_eq!(run(&["help", "ws:{tcp:9000}"]).stdout, run(&["help", "ws"]).stdout);
}

#[test]
fn help_describes_commands_and_kinds() {
    assert_snapshot!(transcript(&[&["help", "explain"], &["help", "tcp4"], &["help", "tpc4"],]));
}

#[test]
fn help_knows_the_parts_of_kinds() {
    for (asked, told) in [
        (&["lines"][..], "it is a framing: see `endpointforward help framed`"),
        (&["redis"], "it is a provider of `route`: see `endpointforward help route`"),
        (&["htpasswd"], "it is a value of `auth`: see `endpointforward help ws auth`"),
        (&["subprotocol"], "it is a parameter: see `endpointforward help ws subprotocol`"),
        (&["timeout"], "it is a parameter: see `endpointforward help tcp timeout`"),
        (&["passwd", "x"], "write `endpointforward help passwd`"),
    ] {
        let ran = run(&[&["help"], asked].concat());
        assert_eq!(ran.status, 64, "{ran}");
        assert!(ran.stderr.contains(told), "{ran}");
        let line = told.split('`').rev().nth(1).unwrap();
        let words: Vec<_> = line.split(' ').skip(1).collect();
        assert_eq!(run(&words).status, 0, "{line}");
    }
}

#[test]
fn help_knows_schemes_of_urls() {
    assert_snapshot!(transcript(&[&["help", "http"], &["help", "wss"]]), @r#"
    $ endpointforward help http
    --- stdout
    `http://…` is a spelling of `ws`: see `help ws`
    --- status 0

    $ endpointforward help wss
    --- stdout
    `wss://…` is a spelling of `ws`: see `help ws`
    --- status 0
    "#);
}

#[test]
fn help_fits_the_terminal() {
    for columns in [52, 60, 160] {
        for args in [&["kinds"][..], &["help", "tcp"]] {
            let output = command().args(args).env("COLUMNS", columns.to_string()).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
            // A line with one word that is longer than the line stays as it is.
            let wide = text.lines().filter(|line| line.chars().count() > columns);
            let broken = wide.filter(|line| line.split_whitespace().count() > 2).count();
            assert_eq!(broken, 0, "{args:?} at {columns}: {longest}\n{text}");
        }
    }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(
        run(&["--version"]).stdout,
        format!("endpointforward {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_parameter_is_described_in_full() {
    let ran = run(&["help", "ws", "host"]);
    assert_eq!(ran.status, 0, "{ran}");
    for words in ["Listening, access:", "(DNS rebinding)", "Connecting, http:"] {
        assert!(ran.stdout.contains(words), "{words}\n{ran}");
    }
    let ran = run(&["help", "ws", "orign"]);
    assert_eq!(ran.status, 64, "{ran}");
    assert!(ran.stderr.contains("did you mean `origin`?"), "{ran}");
}

/// The help of a kind lists its parameters; `help KIND PARAMETER` has the whole text of one.
#[test]
fn no_parameter_takes_more_than_three_lines_in_the_help_of_its_kind() {
    for kind in endpoints::KINDS {
        let ran = run(&["help", kind.name]);
        let mut lines = 0;
        for line in ran.stdout.lines().skip_while(|line| !line.ends_with("ing:")) {
            lines = if line.starts_with("        ") { lines + 1 } else { 0 };
            assert!(lines < 3 || line.contains('…'), "{}: {line}", kind.name);
            if line.starts_with("Facts for") {
                break;
            }
        }
    }
}
