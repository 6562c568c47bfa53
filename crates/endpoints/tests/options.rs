//! Options of sockets: the system has the values that were set, and the ones that it refuses are named.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod common;

use std::process::Command;

use common::{bind, connect, failure, pair, registry, try_bind, try_connect};
use descriptor::{Report, Syntax};
use endpoint::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Returns the output of `ss` about the connections of a port.
fn ss(port: u16) -> String {
    let filter = format!("( sport = :{port} or dport = :{port} )");
    let output = Command::new("ss").args(["-tnoieH", &filter]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_connection_has_what_both_sides_set() {
    let cx = Context::new();
    let text = "tcp:0:interface=127.0.0.1:congestion=reno:keepalive=7:keepalive-interval=3:tos=16:receive-buffer=20000";
    let mut accept = bind(&cx, text).await;
    let at = accept.local().address.unwrap();
    let to = format!(
        "tcp:{at}:congestion=cubic:keepalive=1000:user-timeout=9:send-buffer=30000:mptcp=false:tos=8"
    );
    let (near, far) = tokio::join!(connect(&cx, &to), async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        common::accepted(incoming.next().await.unwrap().unwrap()).await
    });
    let shown = ss(at.port());
    assert!(shown.contains(" reno ") && shown.contains(" cubic "), "{shown}");
    assert!(
        shown.contains("timer:(keepalive,6.") || shown.contains("timer:(keepalive,7"),
        "{shown}"
    );
    assert!(shown.contains("timer:(keepalive,16min"), "{shown}");
    drop((near, far));
}

#[tokio::test]
async fn multipath_and_fast_open_carry_data() {
    for options in ["mptcp=true", "fastopen=true", "freebind=true"] {
        let (near, far) =
            pair(&Context::new(), &format!("tcp:0:interface=127.0.0.1:{options}")).await;
        let (mut near, mut far) = (near.into_io(), far.into_io());
        near.write_all(b"over there").await.unwrap();
        near.shutdown().await.unwrap();
        let mut got = String::new();
        far.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "over there", "{options}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_there_yet_is_bound_with_freebind() {
    let cx = Context::new();
    assert!(try_bind(&cx, "tcp:0:interface=192.0.2.77").await.is_err());
    bind(&cx, "tcp:0:interface=192.0.2.77:freebind=true").await;
}

#[tokio::test]
async fn what_the_system_refuses_is_named() {
    let cx = Context::new();
    for (option, words) in [
        ("congestion=nonsense", "the system rejects `congestion`: no such file or directory"),
        ("device=nonsense0", "the system rejects `device`: no such device"),
        ("send-buffer=1G", "the system limits `send-buffer` to the value of net.core.wmem_max"),
        (
            "receive-buffer=1G",
            "the system limits `receive-buffer` to the value of net.core.rmem_max",
        ),
    ] {
        let error = failure(try_bind(&cx, &format!("tcp:0:interface=127.0.0.1:{option}")).await);
        assert!(error.to_string().ends_with(words), "{error}");
        let error = failure(try_connect(&cx, &format!("tcp:127.0.0.1:9:{option}")).await);
        assert!(error.to_string().ends_with(words), "{error}");
    }
    let dir = tempfile::tempdir().unwrap();
    let text = format!("unix:{}/s:send-buffer=1G", dir.path().display());
    let error = failure(try_bind(&cx, &text).await);
    assert!(error.to_string().contains("the system limits `send-buffer`"), "{error}");
}

#[test]
fn mistakes() {
    let shown = |text: &str| {
        let found = registry().connector(text, Syntax::Extended).expect_err("it is a mistake");
        Report::new(text, &found).to_string()
    };
    for (text, words) in [
        ("tcp:h:1:keepalive-interval=0", "`keepalive-interval` must be from 1 s to 32767 s"),
        ("tcp:h:1:send-buffer=0", "`send-buffer` must be more than 0 and at most 1G"),
        (
            "tcp:h:1:device=an-interface-that-nobody-has",
            "`device` must be the name of a network interface",
        ),
        ("tcp:h:1:tos=256", "`tos` must be a number from 0 to 255"),
        (
            "tcp:h:1:fastopen=true",
            "`tcp` has `fastopen` only when listening, and this is the connecting side",
        ),
    ] {
        let report = shown(text);
        assert!(report.contains(words), "{report}");
    }
}
