//! The end of a WebSocket connection from this side, as a table.
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
//! [`State`](super::receiving::State) is the state of the *peer's* end, and the sending half has the state of our
//! Close frame. This is about the stream beneath.

/// The state of the stream beneath.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::ws) enum Closing {
    /// Frames are exchanged.
    #[default]
    Open,
    /// A protocol error: our Close is sent, then the end of the stream beneath.
    Failing,
    /// Writing failed; the next write gets the error from the stream beneath.
    Broken,
    /// The stream beneath is being ended. If it is broken already, that it can't be ended is no news.
    Ending {
        /// Set if errors are ignored.
        broken: bool,
    },
    /// It was ended.
    Ended,
    /// The peer answers no pings.
    Dead,
}

/// An event of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ws) enum Event {
    /// The peer broke the protocol, or what our side wants to send can't be sent.
    Mistake,
    /// Writing failed.
    Unwritable,
    /// Nothing more is to be written: both Closes were exchanged, ours was flushed, or none can be sent.
    Flushed,
    /// The end of the stream beneath was sent.
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

    /// Returns `true` if frames may still be written.
    pub(in crate::ws) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Failing)
    }

    /// Returns `true` if writing has failed.
    pub(in crate::ws) fn is_broken(self) -> bool {
        matches!(self, Self::Broken | Self::Ending { broken: true } | Self::Dead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In whatever order events come, an end never goes back and is reached by its shortest way.
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
