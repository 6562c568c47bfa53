//! Random sequences of steps on both sides of a session.
//!
//! 1. Without faults, what comes out is what went in.
//! 2. With faults, stalls and ends of every sort, in any order: the session ends in time unless a live reader is slow,
//!    each side has taken a prefix of what the other one sent, a proper end loses nothing that its reader takes, and
//!    the reason names a side that gave one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use endpoint::{End, Ending, PeerState, Reason};
use forward::{Ended, Outcome, Side, Timers};
use proptest::prelude::*;
use tokio::time::sleep;

use crate::support::{Known, Peer, Session, data};

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

// === with faults ===

/// The last thing that a side does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// Nothing: it stays open.
    Stay,
    End,
    /// It ends with a code.
    Code,
    Reset,
    /// Its stream finds it dead.
    Die,
    /// It disappears without a word, and its transport knows that it owes an acknowledgement.
    Vanish,
    /// It takes nothing more, and stays open.
    Break,
}

impl Last {
    /// Returns `true` if the data that was sent before is whole.
    fn is_end(self) -> bool {
        matches!(self, Self::End | Self::Code)
    }

    fn is_fault(self) -> bool {
        matches!(self, Self::Reset | Self::Die | Self::Vanish | Self::Break)
    }
}

/// The facts that a transport reports, as in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Blind,
    Counts,
    Proves,
}

/// A side and all it does.
#[derive(Clone, Debug)]
struct Script {
    ending: Ending,
    transport: Transport,
    steps: Vec<Step>,
    last: Last,
    /// It takes nothing after its steps, though it lives.
    stalls: bool,
}

fn script() -> impl Strategy<Value = Script> {
    let ending = prop_oneof![
        3 => Just(Ending::HalfClose),
        1 => Just(Ending::Handshake),
        1 => Just(Ending::Whole),
    ];
    let transport = prop_oneof![
        1 => Just(Transport::Blind),
        1 => Just(Transport::Counts),
        2 => Just(Transport::Proves),
    ];
    let last = prop_oneof![
        2 => Just(Last::Stay),
        4 => Just(Last::End),
        1 => Just(Last::Code),
        1 => Just(Last::Reset),
        1 => Just(Last::Die),
        1 => Just(Last::Vanish),
        1 => Just(Last::Break),
    ];
    let steps = prop::collection::vec(step(), 0..12);
    (ending, transport, steps, last, prop::bool::weighted(0.3)).prop_map(
        |(ending, transport, steps, last, stalls)| {
            // Only a transport that tells something tells that an acknowledgement is overdue.
            let transport = match (last, transport) {
                (Last::Vanish, Transport::Blind) => Transport::Proves,
                _ => transport,
            };
            Script { ending, transport, steps, last, stalls }
        },
    )
}

/// A side that follows its script.
struct Player {
    script: Script,
    peer: Peer,
    /// All that it has sent, until it has said an end.
    sent: Mutex<(Vec<u8>, bool)>,
}

impl Player {
    fn new(script: Script, peer: Peer) -> Self {
        Self { script, peer, sent: Mutex::default() }
    }

    /// Sends, unless it has ended.
    fn send(&self, data: &[u8]) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if !sent.1 {
            self.peer.send(data);
            sent.0.extend(data);
        }
    }

    fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().0.clone()
    }

    fn tell(&self, state: PeerState, overdue: Option<Duration>) {
        let proven = self.script.transport == Transport::Proves;
        if self.script.transport != Transport::Blind {
            self.peer.knows(Known { proven, overdue, state, pending: 0 });
        }
    }

    async fn play(&self, other: &Self) {
        for step in &self.script.steps {
            match *step {
                Step::Send(length) => self.send(&data(length)),
                Step::Take(bytes) => self.peer.more_room(bytes),
                Step::Wait(millis) => sleep(Duration::from_millis(millis)).await,
                Step::Limit(read, write) => self.peer.largest(read, write),
            }
        }
        if self.script.last != Last::Stay && self.script.last != Last::Break {
            self.sent.lock().unwrap().1 = true;
        }
        match self.script.last {
            Last::Stay => {}
            Last::End => {
                self.peer.end();
                self.tell(PeerState::Ended, None);
            }
            Last::Code => {
                self.peer.end_with(End::with_code(Reason::EndOfStream, 1000, "bye"));
                self.tell(PeerState::Ended, None);
            }
            Last::Reset => {
                self.peer.reset();
                self.tell(PeerState::Gone, None);
            }
            Last::Die => self.peer.die(),
            Last::Vanish => {
                self.tell(PeerState::Open, Some(Duration::from_secs(100)));
                self.peer.room(0);
                // A peer that is owed nothing is found by its own keepalive, which is `Die`.
                other.send(b"x");
            }
            Last::Break => {
                self.peer.break_pipe();
                self.tell(PeerState::Gone, None);
                other.send(b"x");
            }
        }
        if !self.script.stalls && self.script.last != Last::Vanish {
            self.peer.more_room(usize::MAX);
        }
    }

    /// Returns `true` if it lives and takes nothing.
    fn is_slow(&self) -> bool {
        self.script.stalls && !self.script.last.is_fault()
    }

    /// Returns `true` if it has to get all that `other` sent before a proper end.
    fn is_owed_by(&self, other: &Self) -> bool {
        let Script { last, ending, .. } = &self.script;
        if !other.script.last.is_end() || last.is_fault() {
            return false;
        }
        let has_time =
            |player: &Self| !player.is_slow() || player.script.transport == Transport::Proves;
        match (last, ending) {
            (Last::Stay, _) => has_time(self),
            // An end both ways: no answer can be received.
            (_, Ending::Whole) => false,
            // Both are waited for, and a timer that cuts one of them cuts the other.
            (_, Ending::HalfClose) => has_time(self) && has_time(other),
            // The answer to a Close has the close timeout.
            (_, Ending::Handshake) => !self.is_slow() && !other.is_slow(),
        }
    }
}

fn fits(outcome: &Outcome, near: &Player, far: &Player) -> bool {
    let of = |side: &Side| if *side == Side::Near { near.script.last } else { far.script.last };
    match &outcome.end {
        Ended::Eof(side) => of(side).is_end(),
        Ended::Error(side, _) => of(side).is_fault(),
        Ended::Linger(side) => of(side) != Last::Stay,
        Ended::Idle | Ended::GaveWay | Ended::Shutdown(_) => false,
    }
}

async fn faulty(near_script: Script, far_script: Script) {
    let session = Session::with(Timers::default(), |near, far| {
        for (peer, script) in [(near, &near_script), (far, &far_script)] {
            peer.ending(script.ending);
            peer.room(0);
        }
    });
    let near = Player::new(near_script, session.near.clone());
    let far = Player::new(far_script, session.far.clone());
    near.tell(PeerState::Open, None);
    far.tell(PeerState::Open, None);
    tokio::join!(near.play(&far), far.play(&near));
    let quiet = near.script.last == Last::Stay && far.script.last == Last::Stay;
    for _ in 0..LONGEST.as_secs() {
        if session.is_over() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let waited = !session.is_over();
    if quiet {
        assert!(waited, "nobody has ended it");
        near.peer.end();
        far.peer.end();
    } else if waited {
        let held = |reader: &Player, source: &Player| {
            let proven = reader.script.transport == Transport::Proves;
            // An end behind unread data is seen only by a transport that reports it.
            reader.is_slow() && (proven || source.script.transport == Transport::Blind)
        };
        assert!(held(&near, &far) || held(&far, &near), "held for nobody");
    }
    for player in [&near, &far] {
        if player.script.last != Last::Vanish {
            player.peer.more_room(usize::MAX);
        }
    }
    let outcome = session.outcome().await;
    for (reader, source) in [(&near, &far), (&far, &near)] {
        let (taken, sent) = (reader.peer.taken(), source.sent());
        assert!(sent.starts_with(&taken), "not what was sent: {outcome}");
        let ended_first = quiet && reader.script.ending == Ending::Whole;
        if (quiet && !ended_first) || reader.is_owed_by(source) {
            assert_eq!(taken.len(), sent.len(), "lost, waited {waited}: {outcome}");
        }
    }
    assert!(quiet || fits(&outcome, &near, &far), "{outcome}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn faults_lose_nothing_that_is_owed(near in script(), far in script()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(faulty(near, far));
    }
}

/// Longer than all timers together: a vanished peer is noticed after 47 s, an answer is waited for 60 s, a close 5 s.
const LONGEST: Duration = Duration::from_secs(150);
