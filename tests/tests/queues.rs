//! Everything that is queued is bounded: each file that holds a queue is named here, with what bounds it. No channel is
//! without a bound. The growth of lists and maps is still a reviewer's question.

use std::collections::{BTreeMap, BTreeSet};

use tests::source::sources;

/// Every file of what ships that has a queue, and the words of its code that bound it.
const QUEUES: &[(&str, &[&str])] = &[
    ("crates/endpoint/src/control/queue.rs", &["EVENTS"]),
    ("crates/endpointforward/src/listening.rs", &["WAITING", "UNDECIDED"]),
    ("crates/endpoints/src/auth/sessions.rs", &["MOST"]),
    ("crates/endpoints/src/auth/tickets.rs", &["MOST"]),
    ("crates/endpoints/src/datagram/accepting.rs", &["ARRIVALS"]),
    ("crates/endpoints/src/datagram/table.rs", &["QUEUE", "ALL"]),
    ("crates/endpoints/src/destination/lookups.rs", &["WAITING"]),
    ("crates/endpoints/src/mem.rs", &["BACKLOG"]),
    // The steps of a script.
    ("crates/endpoints/src/mock/stream.rs", &["steps"]),
    // Its writer asks for room first.
    ("crates/endpoints/src/queue.rs", &["capacity", "poll_room"]),
    ("crates/endpoints/src/muxed/drive.rs", &["SAYS", "ANSWERS"]),
    ("crates/endpoints/src/muxed/socket.rs", &["SHARE", "OUT"]),
    ("crates/endpoints/src/muxed/state.rs", &["ALL", "sockets"]),
    ("crates/endpoints/src/tee/queue.rs", &["most", "WEIGHT"]),
    ("crates/endpoints/src/ws/stream/core/ahead.rs", &["AHEAD"]),
    ("crates/endpoints/src/ws/stream/pings.rs", &["MOST"]),
    ("crates/endpoints/src/ws/terminal/window.rs", &["MARKS", "RATES"]),
    ("crates/forward/src/accept.rs", &["mpsc::Sender"]),
    ("crates/forward/src/forwarder.rs", &["WORKS"]),
];

/// The names that make a queue.
const MAKERS: &[&str] = &["VecDeque", "BinaryHeap", "LinkedList", "mpsc"];

#[test]
fn what_is_queued_is_bounded() {
    let shipped = sources("crates").into_iter().filter(|source| {
        source.path.contains("/src/") && !source.path.starts_with("crates/xtask/")
    });
    let mut found = BTreeMap::new();
    for source in shipped {
        let code = source.code();
        let words: BTreeSet<&str> =
            code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        // `unbounded_channel()` and its like, and the channel of the standard library that has no bound.
        let endless = words.iter().find(|word| word.contains("unbounded"));
        assert_eq!(endless, None, "a channel of {} has no bound", source.path);
        assert!(!code.contains("mpsc::channel()"), "a channel of {} has no bound", source.path);
        if MAKERS.iter().any(|maker| words.contains(maker)) {
            found.insert(source.path, code);
        }
    }
    let named: BTreeSet<_> = QUEUES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let holding: BTreeSet<_> = found.keys().cloned().collect();
    assert_eq!(holding, named, "left: where queues are; right: where QUEUES says what bounds them");
    for (path, bounds) in QUEUES {
        for bound in *bounds {
            // Where it is defined or imported, and where it is looked at.
            let times = found[*path].matches(bound).count();
            assert!(times >= 2, "`{bound}` doesn't bound what {path} queues");
        }
    }
}
