//! Facts in a destination that no session of the listener has.

use insta::assert_snapshot;

use super::run::{run, transcript};

#[test]
fn a_fact_that_no_session_has_is_a_warning_at_its_place() {
    assert_snapshot!(transcript(&[
        &["--check", "-e", "9000", "-d", "process:echo:${http.path}"],
        &["--check", "-e", "9000", "-d", "tcp:${target.host}:${target.port}:allow=*"],
        &["--check", "-e", "tcp:9000:auth=none", "-d", "process:echo:${auth.user}"],
        &["--check", "-e", "ws:9000", "-d", "process:echo:${tcp.peer}:${auth.user}"],
        &["--check", "-e", "ws:9000", "-e", "9001", "-d", "retry:{tcp:${http.query.x}:80:allow=*}"],
    ]));
}

#[test]
fn a_fact_that_sessions_may_have_is_no_warning() {
    for [listener, destination] in [
        ["ws:9000", "process:echo:${http.header.x-mine}:${tcp.peer_host}"],
        ["ws:{unix:/tmp/none.sock}", "process:echo:${unix.uid}"],
        ["ws:9000:auth={peer:127.0.0.1}", "process:echo:${auth.role}"],
        ["socks5:9000:auth={peer:127.0.0.1}", "tcp:${auth.user}.test:80:allow=*"],
        ["http-connect:9000", "tcp:${target.host}:${target.port}:allow=*"],
        ["proxy:9000:trusted=127.0.0.1", "process:echo:${proxy.client}"],
    ] {
        let ran = run(&["--check", "-e", listener, "-d", destination]);
        assert!(ran.stderr.contains("ok: ") && !ran.stderr.contains("warning"), "{ran}");
    }
}
