//! How a WebSocket connection is ended by our side, as a table.
//!
//! ```text
//!          Mistake            Flushed
//!    Open ────────► Failing ──────────► Ending ── Finished ──► Ended
//!      │               │       ▲          ▲
//!      │  BothClosed   │       │          │ Flushed
//!      ├───────────────┼───────┘          │
//!      └── Unwritable ─┴──► Broken ───────┘            Silent: from any of them ──► Dead
//! ```
//!
//! What the *peer* has said is [`State`](super::receiving::State)'s to tell, and how far our own Close frame is, the
//! sending half's. This is about the stream beneath.

/// How far the stream beneath has been ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ws) enum Closing {
    /// Frames are exchanged.
    #[default]
    Open,
    /// Somebody broke the protocol: our Close goes out, then the end of the stream beneath.
    Failing,
    /// Writing failed; whoever writes next is told by the stream beneath.
    Broken,
    /// The stream beneath is being ended. If it is broken already, that it can't be ended is no news.
    Ending {
        /// Whether errors are ignored.
        broken: bool,
    },
    /// It was ended.
    Ended,
    /// The peer answers no pings.
    Dead,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum Event {
    /// The peer broke the protocol, or what our side wants to send can't be sent.
    Mistake,
    /// Writing failed.
    Unwritable,
    /// Nothing more is to be written: both Closes were exchanged, ours was flushed, or none can be said.
    Flushed,
    /// The stream beneath has said the end.
    Finished,
    /// There was no answer to a ping.
    Silent,
}

impl Closing {
    /// Returns the state after `event`.
    #[expect(clippy::match_same_arms, reason = "it is a table: a row an arm")]
    #[must_use]
    pub(in crate::ws) fn after(self, event: Event) -> Self {
        match (self, event) {
            (_, Event::Silent) => Self::Dead,
            (Self::Open, Event::Mistake) => Self::Failing,
            (Self::Open | Self::Failing, Event::Unwritable) => Self::Broken,
            (Self::Ending { .. }, Event::Unwritable) => Self::Ending { broken: true },
            (Self::Open | Self::Failing, Event::Flushed) => Self::Ending { broken: false },
            (Self::Broken, Event::Flushed) => Self::Ending { broken: true },
            (Self::Ending { .. }, Event::Finished) => Self::Ended,
            (state, _) => state,
        }
    }

    /// Whether frames may still be written.
    pub(in crate::ws) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Failing)
    }

    /// Whether writing has failed.
    pub(in crate::ws) fn is_broken(self) -> bool {
        matches!(self, Self::Broken | Self::Ending { broken: true } | Self::Dead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever comes in whatever order, an end goes forward and is reached by its straight way.
    #[test]
    fn an_end_never_goes_back() {
        let order = |state| match state {
            Closing::Open => 0,
            Closing::Failing => 1,
            Closing::Broken => 2,
            Closing::Ending { .. } => 3,
            Closing::Ended => 4,
            Closing::Dead => 5,
        };
        let events =
            [Event::Mistake, Event::Unwritable, Event::Flushed, Event::Finished, Event::Silent];
        let mut states = vec![Closing::Open];
        for _ in 0..events.len() {
            for state in states.clone() {
                for event in events {
                    let next = state.after(event);
                    assert!(order(next) >= order(state), "{state:?} {event:?} {next:?}");
                    assert!(!state.is_broken() || !next.is_open(), "{state:?} {event:?} {next:?}");
                    if !states.contains(&next) {
                        states.push(next);
                    }
                }
            }
        }
        assert_eq!(states.len(), 7, "every state is reached: {states:?}");
        let straight = [Event::Mistake, Event::Flushed, Event::Finished];
        assert_eq!(straight.into_iter().fold(Closing::Open, Closing::after), Closing::Ended);
    }
}
