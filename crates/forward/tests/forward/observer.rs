//! The events of a session that an observer sees.

use std::sync::{Arc, Mutex};

use endpoint::{Context, End, Reason};
use forward::{
    Began, Config, Destination, Forwarder, Observer, OpenGate, Outcome, SessionObserver, Stop,
};
use tokio::time::timeout;

use crate::support::{Told, connector, listener, settle};

/// Writes down what it sees.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }
}

impl Observer for Diary {
    fn began(&self, session: &Began<'_>) -> Option<Box<dyn SessionObserver>> {
        self.write(format!("began to {}", session.destination));
        Some(Box::new(self.clone()))
    }
}

impl SessionObserver for Diary {
    fn counts(&self) -> bool {
        true
    }

    fn moved(&mut self, sent: u64, received: u64) {
        let line = format!("moved {sent} {received}");
        if self.0.lock().unwrap().last() != Some(&line) {
            self.write(line);
        }
    }

    fn ending(&mut self) {
        self.write("ending");
    }

    fn ended(self: Box<Self>, outcome: &Outcome) {
        self.write(format!("ended {}", outcome.reason().name()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_seen_from_its_beginning_to_its_end() {
    let (connector, connections) = connector();
    let route = Destination::new("test:far", Arc::new(connector) as Arc<dyn endpoint::Connector>);
    let diary = Diary::default();
    // Several are one.
    let observers: Vec<Box<dyn Observer>> = vec![Box::new(diary.clone()), Box::new(diary.clone())];
    let forwarder =
        Forwarder::observed(Context::new(), OpenGate, route, Config::default(), observers);
    let (source, accept) = listener();
    let stop = Stop::new();
    let heard = stop.clone();
    let task = tokio::spawn(async move { forwarder.serve(accept, heard).await });
    let mut offer = source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    let far = connections.next().await;
    offer.peer.send("question");
    settle().await;
    far.send("answer!");
    settle().await;
    offer.peer.end();
    settle().await;
    far.end();
    settle().await;
    stop.drain(End::of(Reason::Stopping));
    timeout(std::time::Duration::from_secs(60), task).await.unwrap().unwrap();
    let seen = diary.0.lock().unwrap();
    let mut once = seen.clone();
    once.dedup();
    let expected = [
        "began to test:far",
        "moved 0 0",
        "moved 8 0",
        "moved 8 7",
        "ending",
        "moved 8 7",
        "ended end_of_stream",
    ];
    assert_eq!(once, expected, "{seen:?}");
}
