//! Our real standard input and output: the test runs itself as the program that has them.

mod common;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use common::{accepted, bind, failure, offer, try_connect};
use endpoint::{Context, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn a_pipe_sees_the_end_while_the_session_goes_on() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    // It ends although the program still waits for its input.
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("from the session"), "{said}");
    assert!(child.try_wait().unwrap().is_none(), "the program is still there");
    child.stdin.take().unwrap().write_all(b"to the session").unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
#[ignore = "the other test runs it as a program"]
async fn child() {
    let cx = Context::new();
    let mut accept = bind(&cx, "stdio").await;
    assert_eq!(accept.local().descriptor, "stdio");
    let error = failure(try_connect(&cx, "stdio").await);
    assert_eq!(error.kind(), ErrorKind::Busy);
    let mut io = accepted(offer(&mut *accept).await).await.into_io();
    io.write_all(b"from the session").await.unwrap();
    io.shutdown().await.unwrap();
    let mut got = String::new();
    io.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "to the session");
    drop(io);
    assert!(accept.accept().await.unwrap().is_none());
    let error = failure(try_connect(&cx, "stdio").await);
    insta::assert_snapshot!(common::shown(&error), @r"
    cannot open stdio: standard output was closed at the end of an earlier session
    keep it open for the next session with `keep=true`
    ");
}
