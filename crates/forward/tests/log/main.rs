//! The log's lines: the client, the place and the reason; and never the data.
//!
//! In a separate process, in which every test has a log: `tracing` decides if an event is wanted when it comes for the
//! first time, and one that happens in a test without a log while another installs its own may be off for both.

#![expect(clippy::unwrap_used, reason = "what a test relies on may fail it, helpers included")]

#[expect(dead_code, unused_imports, reason = "it serves more tests than these")]
#[path = "../forward/support/mod.rs"]
mod support;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use forward::Config;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;

use support::running::start;
use support::{Peer, Told};

/// Everything that is logged on this thread, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        (log, guard)
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("forward")).map(str::to_owned).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_two_lines_that_say_who_and_where_but_not_what() {
    let (log, _guard) = Log::start();
    let running = start(Config::default());
    let offer = running.source.offer();
    let far = running.far.next().await;
    offer.peer.send("hunter2");
    far.send("hunter3");
    offer.peer.end();
    far.end();
    offer.peer.until(Peer::is_dropped).await;
    running.finish().await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for line in &lines {
        assert!(line.contains("id=1") && !line.contains("peer="), "{line}");
        assert!(line.contains("listener=\"test:near\""), "{line}");
        assert!(line.contains("destination=test:far"), "{line}");
        assert!(!line.contains("hunter"), "{line}");
    }
    assert!(lines[1].contains("client left; 7 bytes sent, 7 received, "), "{}", lines[1]);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_fails_is_named_with_the_reason() {
    let (log, _guard) = Log::start();
    let running = start(Config::default());
    running.far.refuse(io::ErrorKind::ConnectionRefused);
    assert!(matches!(running.source.offer().told().await, Told::Refused(_)));
    running.far.delay(Duration::from_secs(1000));
    assert!(matches!(running.source.offer().told().await, Told::Refused(_)));
    running.finish().await;
    let lines = log.lines();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].contains("cannot connect test:far: connection refused"), "{}", lines[0]);
    assert!(lines[1].contains("cannot connect test:far: no answer within 30s"), "{}", lines[1]);
}

#[tokio::test(start_paused = true)]
async fn a_trouble_is_said_once() {
    let (log, _guard) = Log::start();
    let running = start(Config::default());
    for _ in 0..5 {
        running.source.error(io::ErrorKind::OutOfMemory);
    }
    running.source.error(io::ErrorKind::Other);
    let mut offer = running.source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    let lines = log.lines();
    let troubles = lines.iter().filter(|line| line.contains("cannot accept test:near")).count();
    assert_eq!(troubles, 2, "{lines:#?}");
    running.task.abort();
}
