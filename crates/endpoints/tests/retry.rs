//! `retry`: the times of its attempts, the time when it gives up, and its message then.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod common;

use std::time::Duration;

use common::{LONG, bind, connector, failure, listener, try_bind, try_connect};
use descriptor::{Report, Syntax};
use endpoint::{Context, ErrorKind};
use plan::kind::Shape;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, timeout};

/// Returns an address of this machine that nothing listens on.
async fn nobody() -> (String, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    (format!("tcp:{at}"), at)
}

#[tokio::test]
async fn a_server_that_starts_late_is_reached() {
    let (there, at) = nobody().await;
    let cx = Context::new();
    let text = format!("retry:{{{there}}}:backoff=10ms");
    let connecting = tokio::spawn(async move { try_connect(&cx, &text).await.map(|_| ()) });
    // Some tries fail by then, whatever the machine's speed: only a connection ends the task.
    sleep(Duration::from_millis(100)).await;
    assert!(!connecting.is_finished());
    let _listening = TcpListener::bind(at).await.unwrap();
    timeout(LONG, connecting).await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_the_longest_and_tries_are_counted() {
    let (there, _) = nobody().await;
    let began = Instant::now();
    let text = format!("retry:{{{there}}}:backoff=1s..3s:tries=5");
    let error = failure(try_connect(&Context::new(), &text).await);
    assert_eq!(error.to_string(), format!("cannot connect {there}: connection refused"));
    assert_eq!(began.elapsed().as_secs(), 1 + 2 + 3 + 3);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_ends_it_before_a_pause_that_would_be_too_long() {
    let (there, _) = nobody().await;
    let began = Instant::now();
    let text = format!("retry:{{{there}}}:backoff=1s:timeout=3500ms");
    let error = failure(try_connect(&Context::new(), &text).await);
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(began.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn a_listener_waits_for_its_port() {
    let cx = Context::new();
    let taken = bind(&cx, "tcp:0:interface=127.0.0.1").await;
    let port = taken.local().address.unwrap().port();
    let text = format!("retry:{{tcp:{port}:interface=127.0.0.1}}:backoff=10ms");
    let binding = tokio::spawn(async move { try_bind(&cx, &text).await.map(|_| ()) });
    sleep(Duration::from_millis(100)).await;
    assert!(!binding.is_finished());
    drop(taken);
    timeout(LONG, binding).await.unwrap().unwrap().unwrap();
}

#[test]
fn it_is_patient_wherever_it_stands_and_gives_what_is_beneath() {
    let patience = |text| connector(text).endpoint.patience();
    assert_eq!(patience("retry:9000"), Some(Duration::MAX));
    assert_eq!(patience("ws:{retry:{tcp:localhost:9000}:timeout=5}"), Some(Duration::from_secs(5)));
    assert_eq!(patience("tcp:localhost:9000"), None);
    assert_eq!(connector("retry:echo").tree.gives, Shape::Messages);
    assert_eq!(listener("retry:9000").tree.gives, Shape::Bytes);
}

#[test]
fn a_mistake_is_shown_where_it_was_typed() {
    let shown = |text: &str| {
        let found = common::registry().connector(text, Syntax::Extended).unwrap_err();
        Report::new(text, &found).to_string()
    };
    let three = shown("retry:{tcp:localhost:0}:backoff=30s..1s:tries=-1");
    assert_eq!(three.matches("error:").count(), 3, "{three}");
    assert!(three.contains("`backoff` must be a time, or the shortest and the longest"), "{three}");
    let busy = shown("retry:9000:backoff=0");
    assert!(busy.contains("`backoff` must be at least 10ms"), "{busy}");
    let bare = shown("retry:tcp:localhost:9000");
    assert!(bare.contains("did you mean `retry:{tcp:localhost:9000}`?"), "{bare}");
}
