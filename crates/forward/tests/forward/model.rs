//! Every way to end × every stall × every sort of end × every side × whatever the transports know: a model of what has
//! to hold in all of them. The tables that it checks are in `src/splice/closing.rs`.
//!
//! 1. No byte is lost that its reader could still take.
//! 2. Nothing is held for a peer that can't hear.
//! 3. There is one reason, and it fits.
//! 4. It is over within its timers, unless a live peer takes its time, and then as soon as that has taken everything.
//! 5. Everything is given back.

use std::sync::LazyLock;
use std::time::Duration;

use endpoint::{End, Ending, ExitStatus, PeerState, Reason};
use forward::{Ended, Outcome, Side, Timers};
use tokio::time::{Instant, sleep};

use crate::support::{Known, Peer, Session, data, settle};

/// Made once: there are thousands of cases.
fn sent_data(length: usize) -> &'static [u8] {
    static DATA: LazyLock<Vec<u8>> = LazyLock::new(|| data(100_000));
    &DATA[..length]
}

const ENDINGS: [Ending; 3] = [Ending::HalfClose, Ending::Handshake, Ending::Whole];

/// The sides that take nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stall {
    None,
    /// The side that the event comes from.
    Own,
    /// The side across.
    Other,
    Both,
    /// The side across has it in the buffers of its system, and reads none of it.
    Buffered,
}

impl Stall {
    /// Returns `true` if the side across takes nothing.
    fn is_across(self) -> bool {
        matches!(self, Self::Other | Self::Both | Self::Buffered)
    }
}

const STALLS: [Stall; 5] = [Stall::None, Stall::Own, Stall::Other, Stall::Both, Stall::Buffered];

/// An event at a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Fin,
    /// It ends for good: a reset, seen by reading and writing.
    Reset,
    /// It is gone without a word.
    Vanished,
    /// It sends an end with a code, and goes on reading.
    Close,
    /// As above, and it never confirms ours.
    CloseWithoutAnswer,
    Exit,
    /// Writing to it fails; what it has sent is there.
    Killed,
    /// Nothing moves any more.
    Idle,
    Drain,
    Now,
}

const EVENTS: [Event; 10] = [
    Event::Fin,
    Event::Reset,
    Event::Vanished,
    Event::Close,
    Event::CloseWithoutAnswer,
    Event::Exit,
    Event::Killed,
    Event::Idle,
    Event::Drain,
    Event::Now,
];

/// The facts that the transports report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    /// Nothing, as a pty's.
    Blind,
    /// The amount that was taken, as a pipe's.
    Counts,
    /// That too, and that a silent peer lives, as TCP's.
    Proves,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    own: Ending,
    other: Ending,
    stall: Stall,
    event: Event,
    side: Side,
    transport: Transport,
    /// How much each side sends: more than is read of it while the other side takes nothing, or less.
    sent: usize,
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_session_keeps_the_promises() {
    let (mut count, mut failed) = (0, 0);
    for own in ENDINGS {
        for other in ENDINGS {
            for stall in STALLS {
                for event in EVENTS {
                    for side in [Side::Near, Side::Far] {
                        for transport in [Transport::Blind, Transport::Counts, Transport::Proves] {
                            for sent in [20_000, 100_000] {
                                let case = Case { own, other, stall, event, side, transport, sent };
                                // In a task, so that one that fails doesn't hide the others.
                                failed += u32::from(tokio::spawn(case.run()).await.is_err());
                                count += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!((count, failed), (5400, 0), "cases, and those of them that failed");
}

/// The two sides, as the event sees them.
struct Sides {
    own: Peer,
    other: Peer,
}

impl Case {
    async fn run(self) {
        let Self { own, other, stall, event, side, transport, sent } = self;
        let timers = Timers {
            idle: (event == Event::Idle).then_some(IDLE),
            own_linger: false,
            ..Timers::default()
        };
        let known = match transport {
            Transport::Blind => None,
            Transport::Counts => Some(Known::default()),
            Transport::Proves => Some(Known { proven: true, ..Known::default() }),
        };
        let session = Session::with(timers, |near, far| {
            let (one, two) = if side == Side::Near { (near, far) } else { (far, near) };
            one.ending(own);
            two.ending(other);
            for peer in [near, far] {
                if let Some(known) = known {
                    peer.knows(known);
                }
            }
            if let Some(known) = known.filter(|_| stall == Stall::Buffered) {
                two.knows(Known { pending: 5000, ..known });
            }
            if matches!(stall, Stall::Own | Stall::Both) {
                one.room(SOME);
            }
            if matches!(stall, Stall::Other | Stall::Both) {
                two.room(SOME);
            }
        });
        let (near, far) = (session.near.clone(), session.far.clone());
        let sides = match side {
            Side::Near => Sides { own: near, other: far },
            Side::Far => Sides { own: far, other: near },
        };
        sides.own.send(sent_data(sent));
        sides.other.send(sent_data(sent));
        settle().await;
        let began = Instant::now();
        self.strike(&session, &sides, known);
        // A side that isn't stalled and has half-close sends its own end once it has received one.
        let answers = other == Ending::HalfClose && stall == Stall::None;
        if answers && matches!(event, Event::Fin) {
            settle().await;
            sides.other.send("late");
            sides.other.end();
        }
        while !session.is_over() && began.elapsed() < LONGEST {
            sleep(Duration::from_secs(10)).await;
        }
        let waited = !session.is_over();
        if waited {
            self.may_wait();
            // The reader was slow and not gone: once it takes, it gets everything, and that is the end.
            sides.own.more_room(usize::MAX / 2);
            sides.other.more_room(usize::MAX / 2);
            if let Some(known) = known {
                sides.other.knows(known);
            }
        }
        if self.must_wait() {
            assert!(waited, "{self:?}: slow was taken for gone");
        }
        let outcome = session.outcome().await;
        self.delivered(&sides, waited, &outcome);
        self.reasoned(&outcome);
        self.in_time(&outcome, waited);
    }

    fn strike(self, session: &Session, sides: &Sides, known: Option<Known>) {
        let own = &sides.own;
        let gone = |state, overdue| {
            if let Some(known) = known {
                own.knows(Known { state, overdue, ..known });
            }
        };
        match self.event {
            Event::Fin => {
                own.end();
                gone(PeerState::Ended, None);
            }
            Event::Reset => {
                own.reset();
                gone(PeerState::Gone, None);
            }
            Event::Vanished if known.is_some_and(|known| known.proven) => {
                gone(PeerState::Open, Some(Duration::from_secs(100)));
                // Data for it goes nowhere.
                own.room(0);
                sides.other.send("x");
            }
            Event::Vanished => own.die(),
            Event::Close => {
                own.end_with(End::with_code(Reason::EndOfStream, 1000, "bye"));
                gone(PeerState::Ended, None);
            }
            Event::CloseWithoutAnswer => {
                gone(PeerState::Ended, None);
                own.end_with(End::with_code(Reason::EndOfStream, 1000, "bye"));
                own.finishes(false);
            }
            Event::Exit => {
                own.ending(Ending::Whole);
                gone(PeerState::Ended, None);
                own.end_with(End::exited(ExitStatus::Code(3)));
            }
            Event::Killed => {
                own.break_pipe();
                gone(PeerState::Gone, None);
                sides.other.send("x");
            }
            Event::Idle => {}
            Event::Drain => session.stop.drain(End::of(Reason::Restart)),
            Event::Now => {
                session.stop.drain(End::of(Reason::Restart));
                session.stop.end();
                session.stop.now();
            }
        }
    }

    /// A peer that lives is given what was sent to it, however long it takes.
    fn must_wait(self) -> bool {
        let ends = matches!(
            self.event,
            Event::Fin | Event::Close | Event::CloseWithoutAnswer | Event::Exit
        );
        let crashes = self.event == Event::Reset && self.side == Side::Far;
        self.transport == Transport::Proves && self.stall.is_across() && (ends || crashes)
    }

    /// Only a live peer that takes nothing is waited for. An end that lies behind unread data is seen by the
    /// transport alone, if it tells anything.
    fn may_wait(self) {
        if self.transport == Transport::Blind && self.stall.is_across() {
            return;
        }
        let proves = self.transport == Transport::Proves;
        let stalled = self.stall != Stall::None;
        assert!(proves && stalled, "{self:?} hangs");
        assert!(!matches!(self.event, Event::Idle | Event::Drain | Event::Now), "{self:?} hangs");
        // A destination whose client is gone is not waited for.
        let is_gone = matches!(self.event, Event::Reset | Event::Vanished | Event::Killed);
        assert!(!(is_gone && self.side == Side::Near), "{self:?}: held for a peer that is gone");
    }

    fn delivered(self, sides: &Sides, waited: bool, outcome: &Outcome) {
        let Self { stall, event, sent, .. } = self;
        // The data that the side has sent before its end.
        let ended = matches!(
            event,
            Event::Fin | Event::Reset | Event::Close | Event::CloseWithoutAnswer | Event::Exit
        );
        let could = !stall.is_across() || waited;
        if ended && could {
            assert_eq!(sides.other.taken(), sent_data(sent), "{self:?} {outcome}");
        }
        // The data that was sent to it, while it could read.
        let hears = matches!(event, Event::Fin | Event::Close | Event::Drain);
        if hears && stall == Stall::None {
            assert!(sides.own.taken().starts_with(sent_data(sent)), "{self:?} {outcome}");
            if event == Event::Fin
                && self.own == Ending::HalfClose
                && self.other == Ending::HalfClose
            {
                assert!(sides.own.taken().ends_with(b"late"), "{self:?} {outcome}");
            }
        }
        // A session that loses data isn't clean.
        let unread = could || stall == Stall::Buffered || sides.other.taken_len() == sent;
        assert!(unread || !outcome.is_clean(), "{self:?}: data was lost, and nobody says so");
    }

    fn reasoned(self, outcome: &Outcome) {
        let Self { event, side, .. } = self;
        let fits = match event {
            Event::Fin | Event::Close | Event::CloseWithoutAnswer | Event::Exit => {
                matches!(outcome.end, Ended::Eof(_) | Ended::Linger(_))
            }
            Event::Reset | Event::Killed => {
                matches!(&outcome.end, Ended::Error(of, _) if *of == side)
            }
            Event::Vanished => {
                outcome.reason() == Reason::Unresponsive
                    && matches!(&outcome.end, Ended::Error(of, _) if *of == side)
            }
            Event::Idle => outcome.reason() == Reason::Idle,
            Event::Drain | Event::Now => outcome.reason() == Reason::Restart,
        };
        assert!(fits, "{self:?}: {outcome} ({:?})", outcome.reason());
        if matches!(event, Event::Reset | Event::Killed | Event::Vanished | Event::Idle) {
            assert!(!outcome.is_clean(), "{self:?}: {outcome}");
        }
    }

    fn in_time(self, outcome: &Outcome, waited: bool) {
        if waited {
            return;
        }
        let Self { event, stall, side, .. } = self;
        let (close, linger, silence) = (5, 60, 46);
        let seconds = match event {
            Event::Now => 0,
            Event::Drain => 10 + close,
            // A stalled side gets the end and is not waited for.
            // Four times as long, a minute at most, while acknowledgements alone say whether a peer takes something.
            Event::Idle if self.transport == Transport::Proves => 60 + close,
            Event::Idle => IDLE.as_secs() + close,
            // No answer can be received, so nothing is waited for but the rest of its input.
            Event::Reset | Event::Killed | Event::Vanished => {
                // A program that has closed its input may go on; a transport that tells nothing may be one's.
                let may_go_on = matches!(event, Event::Killed | Event::Reset)
                    && self.own == Ending::HalfClose
                    && self.transport == Transport::Blind;
                let noticed = if event == Event::Vanished { silence } else { 1 };
                let rest = match (stall, side) {
                    _ if may_go_on => linger,
                    (Stall::None | Stall::Own, _) | (_, Side::Near) => close,
                    (_, Side::Far) => linger,
                };
                noticed + rest + close
            }
            _ => linger + close,
        };
        let took = outcome.duration.as_secs();
        assert!(took <= seconds + 1, "{self:?}: {took} s, not {seconds}: {outcome}");
    }
}

/// The number of bytes that a side takes before it stalls.
const SOME: usize = 1000;
const IDLE: Duration = Duration::from_secs(30);
/// Longer than all timers together.
const LONGEST: Duration = Duration::from_secs(300);
