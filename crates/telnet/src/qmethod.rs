//! The Q method (RFC 1143 §7): the messages about one option of one side, so that no negotiation can loop.
//!
//! The RFC has it twice, for "us" with DO and DONT and for "him" with WILL and WONT; but for the verbs the two are the
//! same. So here a verb is a `bool`: yes (WILL, DO) or no (WONT, DONT).

/// The state of the negotiation. The `bool` is the RFC's queue bit: set to ask for the opposite as soon as the answer
/// has arrived ("OPPOSITE"), which is as long as a queue ever has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Q {
    /// Off.
    #[default]
    No,
    /// On.
    Yes,
    /// On so far; we have sent no.
    WantNo(bool),
    /// Off so far; we have sent yes.
    WantYes(bool),
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The state afterwards.
    pub(crate) next: Q,
    /// The answer to send: yes or no.
    pub(crate) say: Option<bool>,
}

impl Q {
    /// Returns `true` if the peer's last agreement was a yes: an option that was on stays so until the answer to our
    /// no has arrived.
    pub(crate) fn agreed(self) -> bool {
        matches!(self, Self::Yes | Self::WantNo(_))
    }

    /// Handles a yes or no of the peer.
    pub(crate) fn received(self, yes: bool, agree: bool) -> Step {
        let (next, say) = if yes { self.received_yes(agree) } else { self.received_no() };
        Step { next, say }
    }

    fn received_yes(self, agree: bool) -> (Self, Option<bool>) {
        match self {
            Self::No if agree => (Self::Yes, Some(true)),
            Self::No => (Self::No, Some(false)),
            // "Error: DONT answered by WILL"; believed, so that it ends.
            Self::WantNo(false) => (Self::No, None),
            Self::Yes | Self::WantNo(true) | Self::WantYes(false) => (Self::Yes, None),
            Self::WantYes(true) => (Self::WantNo(false), Some(false)),
        }
    }

    fn received_no(self) -> (Self, Option<bool>) {
        match self {
            Self::Yes => (Self::No, Some(false)),
            Self::WantNo(true) => (Self::WantYes(false), Some(true)),
            Self::No | Self::WantNo(false) | Self::WantYes(_) => (Self::No, None),
        }
    }

    /// Asks for it on or off. A state that holds already, or is asked for already, is requested
    /// only once.
    pub(crate) fn asked(self, on: bool) -> Step {
        let (next, say) = match (self, on) {
            (Self::No, true) => (Self::WantYes(false), Some(true)),
            (Self::Yes, false) => (Self::WantNo(false), Some(false)),
            (Self::WantNo(_), _) => (Self::WantNo(on), None),
            (Self::WantYes(_), _) => (Self::WantYes(!on), None),
            (Self::No, false) | (Self::Yes, true) => (self, None),
        };
        Step { next, say }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: bool = false;
    const OPPOSITE: bool = true;

    /// RFC 1143 §7, "upon receipt of WILL" and "of WONT", line by line, with the column for agreeing and the one for not.
    #[test]
    fn answers_are_those_of_the_rfc() {
        for (state, agree, yes, next, say) in [
            (Q::No, true, true, Q::Yes, Some(true)),
            (Q::No, false, true, Q::No, Some(false)),
            (Q::Yes, true, true, Q::Yes, None),
            (Q::Yes, false, true, Q::Yes, None),
            (Q::WantNo(EMPTY), true, true, Q::No, None),
            (Q::WantNo(EMPTY), false, true, Q::No, None),
            (Q::WantNo(OPPOSITE), true, true, Q::Yes, None),
            (Q::WantNo(OPPOSITE), false, true, Q::Yes, None),
            (Q::WantYes(EMPTY), true, true, Q::Yes, None),
            (Q::WantYes(EMPTY), false, true, Q::Yes, None),
            (Q::WantYes(OPPOSITE), true, true, Q::WantNo(EMPTY), Some(false)),
            (Q::WantYes(OPPOSITE), false, true, Q::WantNo(EMPTY), Some(false)),
            (Q::No, true, false, Q::No, None),
            (Q::Yes, true, false, Q::No, Some(false)),
            (Q::WantNo(EMPTY), true, false, Q::No, None),
            (Q::WantNo(OPPOSITE), true, false, Q::WantYes(EMPTY), Some(true)),
            (Q::WantYes(EMPTY), true, false, Q::No, None),
            (Q::WantYes(OPPOSITE), true, false, Q::No, None),
        ] {
            let step = state.received(yes, agree);
            assert_eq!(step, Step { next, say }, "{state:?}, yes: {yes}, agree: {agree}");
            // A no is never argued with: the policy plays no part in it.
            assert!(yes || state.received(yes, !agree) == step);
        }
    }

    /// RFC 1143 §7, "if we decide to ask him to enable" and "to disable".
    #[test]
    fn requests_are_those_of_the_rfc() {
        for (state, on, next, say) in [
            (Q::No, true, Q::WantYes(EMPTY), Some(true)),
            (Q::Yes, true, Q::Yes, None),
            (Q::WantNo(EMPTY), true, Q::WantNo(OPPOSITE), None),
            (Q::WantNo(OPPOSITE), true, Q::WantNo(OPPOSITE), None),
            (Q::WantYes(EMPTY), true, Q::WantYes(EMPTY), None),
            (Q::WantYes(OPPOSITE), true, Q::WantYes(EMPTY), None),
            (Q::No, false, Q::No, None),
            (Q::Yes, false, Q::WantNo(EMPTY), Some(false)),
            (Q::WantNo(EMPTY), false, Q::WantNo(EMPTY), None),
            (Q::WantNo(OPPOSITE), false, Q::WantNo(EMPTY), None),
            (Q::WantYes(EMPTY), false, Q::WantYes(OPPOSITE), None),
            (Q::WantYes(OPPOSITE), false, Q::WantYes(OPPOSITE), None),
        ] {
            assert_eq!(state.asked(on), Step { next, say }, "{state:?}, on: {on}");
        }
    }
}
