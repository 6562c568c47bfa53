//! The closing states of a session, as two tables.
//!
//! A session has two directions, each from a *source* to a *sink*. A sink is in one of the states of [`Hears`];
//! [`Hears::after`] is the table of what events make of it. The table [`patience`] has what a session then waits for,
//! and by which timer. Everything else in this folder only produces the events and obeys the tables.
//!
//! ```text
//!             SourceOver         Written          Said            Taken
//!     Flow ───────────────► Drain ──────► Finish ──────► Deliver ──────► Told
//!       │                     │             │               │
//!       └─────────────────────┴──── Lost ───┴───────────────┘──────────► Cut
//! ```
//!
//! A side is over once it is sent nothing more (`Told`, `Cut`) and sends nothing more that could still be delivered.

use endpoint::Ending;

/// The state of the data sent to a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hears {
    /// Data flows to it.
    #[default]
    Flow,
    /// The source is over; the kept data is being written.
    Drain,
    /// The end is being sent.
    Finish,
    /// The end was sent; the peer has not acknowledged everything yet.
    Deliver,
    /// The peer has taken everything, the end included.
    Told,
    /// It takes nothing more.
    Cut,
}

/// An event of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The source's end was read, or reading it failed, or the session is wound up.
    SourceOver,
    /// All that was kept has been written and flushed.
    Written,
    /// The stream has sent the end.
    Said,
    /// The peer has taken everything, or the transport can't tell.
    Taken,
    /// Writing failed, or the peer is gone.
    Lost,
}

impl Hears {
    /// Returns the state after `event`.
    #[expect(clippy::match_same_arms, reason = "it is a table: a row an arm")]
    #[must_use]
    pub(super) fn after(self, event: Event) -> Self {
        match (self, event) {
            (Self::Flow, Event::SourceOver) => Self::Drain,
            (Self::Drain, Event::Written) => Self::Finish,
            (Self::Finish, Event::Said) => Self::Deliver,
            (Self::Deliver, Event::Taken) => Self::Told,
            // It has everything already.
            (Self::Told, Event::Lost) => Self::Told,
            (_, Event::Lost) => Self::Cut,
            (state, _) => state,
        }
    }

    /// Returns `true` if data may still be sent to it.
    pub(super) fn takes(self) -> bool {
        self == Self::Flow
    }

    /// Returns `true` if nothing is left to do in this direction.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Told | Self::Cut)
    }
}

/// The state of the data that a side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Data may come.
    Open,
    /// Its end was read.
    Ended,
    /// Reading failed.
    Failed,
}

/// The input of [`patience`]: one direction, and the facts about its two ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    /// The state of the source.
    pub(super) source: Says,
    /// The state of the sink.
    pub(super) sink: Hears,
    /// Set if the source still reads: an answer of the sink can reach it.
    pub(super) listens: bool,
    /// Set if the sink may still answer.
    pub(super) answers: bool,
    /// The source's peer is gone without an end, though what it has sent may still lie unread.
    pub(super) gone: bool,
    /// The source's peer is gone after its end: no peer is left to read an answer.
    pub(super) left: bool,
    /// The end of the source's peer has arrived, behind data that the sink doesn't take.
    pub(super) ended_behind: bool,
    /// The sink's peer is gone.
    pub(super) sink_gone: bool,
    /// How the source ends.
    pub(super) source_ending: Ending,
    /// How the sink ends.
    pub(super) sink_ending: Ending,
    /// The sink's transport proves that a peer which takes nothing is alive.
    pub(super) proven: bool,
    /// Set if the sink's transport reports what its peer has acknowledged, proven alive or not.
    pub(super) known: bool,
    /// The sink's answer waits for the source, whose transport proves that it is alive.
    pub(super) answer_waits: bool,
    /// The sink is the destination, which works for a client.
    pub(super) serves: bool,
}

/// The timer that a direction waits with, since the last byte was acknowledged or a side came closer to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long as it takes: nothing is ending, or a live peer takes its time.
    Endless,
    /// [`Timers::linger`](crate::Timers::linger), or the source's own if it is shorter; endless if that is off.
    Linger,
    /// As above, and a minute if that is off: nothing else would end such a session.
    Delivery,
    /// The close timeout.
    Close,
}

/// Returns how long a direction is waited for.
///
/// Two rules are behind the rows. *Slow is not gone*: a peer that is proven alive is given the data for it however
/// long it takes; the idle timeout, a drain, or another client that needs the place ends it. *Gone is not waited for*:
/// a direction is waited for only while a peer can still receive its data, so a destination whose client is gone gets
/// the rest of its input while it takes it, and no more time.
#[expect(clippy::match_same_arms, reason = "it is a table: a row an arm")]
pub(super) fn patience(lane: Lane) -> Patience {
    use Ending::{HalfClose, Handshake, Whole};
    use Hears::{Cut, Deliver, Drain, Finish, Flow, Told};

    let answer = lane.answers && lane.listens;
    match lane.sink {
        // The source's data flows, or waits for the sink.
        Flow if lane.gone && lane.serves => Patience::Close,
        Flow if lane.left && lane.serves => Patience::Delivery,
        Flow if lane.gone && !lane.proven => Patience::Delivery,
        Flow if lane.ended_behind && !lane.proven => Patience::Delivery,
        Flow => Patience::Endless,

        // The sink is given the rest.
        Drain | Finish | Deliver if lane.gone && lane.serves => Patience::Close,
        Drain | Finish | Deliver if lane.left && lane.serves => Patience::Delivery,
        Drain | Finish | Deliver if lane.proven => Patience::Endless,
        Drain if answer => Patience::Linger,
        Drain => Patience::Delivery,
        Finish | Deliver if lane.known => Patience::Delivery,
        Finish | Deliver => Patience::Close,

        // The answer is there, and its reader is slow. One that ends with a handshake has asked for this side's part.
        Told if answer && lane.answer_waits && lane.source_ending != Handshake => Patience::Endless,
        Cut if answer && lane.answer_waits && lane.source == Says::Open => Patience::Endless,
        // The sink has everything and may answer.
        Told if answer => match (lane.source_ending, lane.sink_ending) {
            // The source waits for our part of its handshake.
            (Handshake, _) => Patience::Close,
            // The sink owes its part of one, or never ends by itself and is wanted by others.
            (_, Handshake | Whole) => Patience::Close,
            (Whole | HalfClose, HalfClose) => Patience::Linger,
        },
        // Data that the sink sent before it was gone is the other direction's to deliver.
        Cut if lane.sink_gone => Patience::Endless,
        // The sink takes nothing more; data that it still sends is delivered.
        Cut if answer && lane.source == Says::Open => match lane.sink_ending {
            HalfClose => Patience::Delivery,
            Handshake | Whole => Patience::Close,
        },
        Cut if answer => Patience::Close,
        Told | Cut => Patience::Endless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [Event; 5] =
        [Event::SourceOver, Event::Written, Event::Said, Event::Taken, Event::Lost];

    /// From every state, and whatever comes in whatever order, a direction only comes closer to its end, and gets
    /// there.
    #[test]
    fn a_direction_never_goes_back() {
        let order = |state: Hears| match state {
            Hears::Flow => 0,
            Hears::Drain => 1,
            Hears::Finish => 2,
            Hears::Deliver => 3,
            Hears::Told | Hears::Cut => 4,
        };
        let mut states = vec![Hears::Flow];
        for _ in 0..EVENTS.len() {
            for state in states.clone() {
                for event in EVENTS {
                    let next = state.after(event);
                    assert!(order(next) >= order(state), "{state:?} {event:?} {next:?}");
                    assert!(!state.is_final() || next == state, "{state:?} {event:?} {next:?}");
                    if !states.contains(&next) {
                        states.push(next);
                    }
                }
            }
        }
        assert_eq!(states.len(), 6, "every state is reached");
        let straight = EVENTS.iter().take(4).fold(Hears::Flow, |state, event| state.after(*event));
        assert_eq!(straight, Hears::Told);
        for state in states.into_iter().filter(|state| !state.is_final()) {
            assert_eq!(state.after(Event::Lost), Hears::Cut);
        }
    }
}
