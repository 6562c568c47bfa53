//! Command lines as people type them who know other programs, or who mistype: each says what is wrong, where, and what to
//! type.

use insta::assert_snapshot;

use super::run::{run, transcript};

/// Runs each as the destination of a listener.
fn destinations(typed: &[&str]) -> String {
    let runs = typed.iter().map(|typed| run(&["-e", "9000", "-d", typed, "--check"]).to_string());
    runs.collect::<Vec<_>>().join("\n")
}

/// Runs each as a listener.
fn listeners(typed: &[&str]) -> String {
    let runs = typed.iter().map(|typed| run(&["-e", typed, "-d", "echo", "--check"]).to_string());
    runs.collect::<Vec<_>>().join("\n")
}

#[test]
fn braces_that_are_other_marks_or_missing() {
    assert_snapshot!(listeners(&[
        "ws{tcp:9000}",
        "ws:(tcp:9000)",
        "ws:[tcp:9000]:path=/x",
        "ws:\"tcp:9000\"",
        "ws:<tcp:9000>",
        "tls(tcp:9000):cert=/x.pem",
        "ws:9000,path=/x",
    ]));
    assert_snapshot!(destinations(&[
        "balance:tcp:a:80,tcp:b:80",
        "balance:tcp:a:80:tcp:b:80",
        "balance:{tcp:a:80},{tcp:b:80}",
        "{ws://example.com:80/x}framing=lines",
        "tcp:{example.com:80}",
        "tcp:h:80,timeout=5",
        "tcp@example.com:80",
    ]));
}

#[test]
fn values_in_other_notations() {
    assert_snapshot!(destinations(&[
        "serial:/dev/ttyS0:9600:8N1",
        "serial:/dev/ttyS0:9600:7E1",
        "serial:/dev/ttyS0:baud=115200bps",
        "serial:/dev/ttyS0:115k",
        "serial:/dev/ttyS0,9600n81,local",
        "FILE:/dev/ttyUSB0,b115200,raw,echo=0",
        "unix:/run/x.sock,fork,mode=600",
        "tcp:fe80::1%eth0:80",
        "tcp:h:８０",
        "tcp:$HOST:80",
        "tcp:${HOST}:80",
        "tcp:example,com:80",
        "tcp:h:80:idle-timeout=5",
        "unix:~/no-such-folder/x.sock",
        "file:~/no-such-file",
    ]));
}

#[test]
fn programs_as_a_shell_has_them() {
    assert_snapshot!(destinations(&[
        "process:ls|wc -l",
        "process:ls:-l:>:/tmp/x",
        "process:sh:-c:\"ls -l\"",
        "process:LANG=C:sort",
        "EXEC:\"/bin/cat -n\",pty,stderr",
        "EXEC:/bin/cat,nofork",
        "pty:sh:cwd=~/no-such-folder",
    ]));
}

#[test]
fn words_beside_a_descriptor() {
    assert_snapshot!(transcript(&[
        &["-e", "ws:9000", "path=/x", "-d", "echo", "--check"],
        &["-e", "ws:9000", "-d", "process:ls", "-l", "--check"],
        &["-e", "ws:9000", "-d", "process:cat", "a file", "--check"],
        &["-e", "9000", "-d", "echo", "--idle-timeout", "5", "minutes"],
        &["-e", "9000", "-d", "echo", "--idle-timeout", "-5"],
        &["bind", "*:443", "ssl", "crt", "/etc/haproxy/site.pem"],
        &["accept = 443", "connect = 80"],
        &["-e", "wss://0.0.0.0:443", "-d", "ws://localhost:9001", "--check"],
    ]));
}

#[test]
fn the_help_is_in_the_syntax_in_use() {
    let twisted = ["--syntax", "twisted", "--check"];
    let line = |endpoint: &'static str, destination: &'static str| {
        run(&[&twisted[..], &["-e", endpoint, "-d", destination]].concat()).to_string()
    };
    let runs = [
        line("ws:tcp\\:9000", "process:sh"),
        line("ws:tcp\\:9000\\:interface\\=0.0.0.0", "process:sh"),
        line("ws:tls\\:tcp\\\\\\:9000\\:cert\\=self-signed", "process:sh"),
        line("ws:{tcp:9000}", "echo"),
        line("ws:tcp\\:9000:subprotocol=a b", "echo"),
        line("9000", "echo"),
    ];
    assert_snapshot!(runs.join("\n"));
}
