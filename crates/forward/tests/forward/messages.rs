//! Messages between messages keep what bytes don't have.

use endpoint::{Conn, End, Info, Part, Reason};
use forward::{Ended, Outcome, Side, Stop, Timers, splice};
use tokio::task::JoinHandle;

use crate::support::{MessagePeer, message_fake, settle};

fn session() -> (MessagePeer, MessagePeer, JoinHandle<Outcome>) {
    let ((near, near_peer), (far, far_peer)) = (message_fake(), message_fake());
    let task = tokio::spawn(async move {
        let (near, far) = (Conn::messages(near, Info::new()), Conn::messages(far, Info::new()));
        splice(near, far, &Timers::default(), &Stop::new()).await
    });
    (near_peer, far_peer, task)
}

#[tokio::test(start_paused = true)]
async fn boundaries_and_types_are_kept() {
    let (near, far, task) = session();
    let parts = [
        Part::text("text"),
        Part::binary(""),
        Part::binary("binary"),
        Part { data: "first ".into(), text: true, last: false },
        Part { data: "last".into(), text: true, last: true },
    ];
    parts.iter().cloned().for_each(|part| near.send(part));
    near.end_with(End::with_code(Reason::EndOfStream, 1000, "bye"));
    far.end_with(End::eof());
    let outcome = task.await.unwrap();
    assert_eq!(far.taken(), parts);
    assert_eq!(far.finished(), Some(End::with_code(Reason::EndOfStream, 1000, "bye")));
    assert_eq!(outcome.sent, 4 + 6 + 10);
    assert!(matches!(outcome.end, Ended::Eof(Side::Near)), "{outcome}");
}

#[tokio::test(start_paused = true)]
async fn a_message_of_any_size_passes_part_by_part() {
    let (near, far, task) = session();
    far.room(1);
    for _ in 0..100 {
        near.send(Part { data: vec![7; 1000].into(), text: false, last: false });
    }
    for at in 1..=100 {
        settle().await;
        assert_eq!((near.read(), far.taken().len()), (at, at), "nothing is read ahead");
        far.room(1);
    }
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn more_messages_than_a_turn_arrive() {
    let (near, far, task) = session();
    (0..1000u32).for_each(|at| near.send(Part::binary(at.to_be_bytes().to_vec())));
    settle().await;
    let expected: Vec<_> = (0..1000u32).map(|at| Part::binary(at.to_be_bytes().to_vec())).collect();
    assert_eq!(far.taken(), expected);
    task.abort();
}
