//! Whatever both sides do, as long as nothing fails: what comes out is what went in.

use std::time::Duration;

use forward::Timers;
use proptest::prelude::*;
use tokio::time::sleep;

use crate::support::{Peer, Session, data};

/// One thing that a side does.
#[derive(Clone, Debug)]
enum Step {
    Send(usize),
    Take(usize),
    Wait(u64),
    /// Limits of one read and one write.
    Limit(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1usize..200_000).prop_map(Step::Send),
        (1usize..50).prop_map(Step::Send),
        (1usize..100_000).prop_map(Step::Take),
        (1u64..50).prop_map(Step::Wait),
        (1usize..5000, 1usize..5000).prop_map(|(read, write)| Step::Limit(read, write)),
    ]
}

async fn act(peer: Peer, steps: Vec<Step>) -> Vec<u8> {
    let mut sent = Vec::new();
    for step in steps {
        match step {
            Step::Send(length) => {
                let data = data(length);
                peer.send(&data);
                sent.extend(data);
            }
            Step::Take(bytes) => peer.more_room(bytes),
            Step::Wait(millis) => sleep(Duration::from_millis(millis)).await,
            Step::Limit(read, write) => peer.largest(read, write),
        }
    }
    peer.end();
    peer.more_room(usize::MAX);
    sent
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_out_are_bytes_in(
        near_steps in prop::collection::vec(step(), 0..20),
        far_steps in prop::collection::vec(step(), 0..20),
        holds in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let session = Session::with(Timers::default(), |near, far| {
                near.room(0);
                far.room(0);
                if holds {
                    near.holds_until_flush();
                    far.holds_until_flush();
                }
            });
            let (near, far) = (session.near.clone(), session.far.clone());
            let (up, down) = tokio::join!(act(near.clone(), near_steps), act(far.clone(), far_steps));
            let outcome = session.outcome().await;
            assert!(far.taken() == up && near.taken() == down, "{outcome}");
            assert_eq!((outcome.sent, outcome.received), (up.len() as u64, down.len() as u64));
            assert!(near.finished().is_some() && far.finished().is_some());
        });
    }
}
