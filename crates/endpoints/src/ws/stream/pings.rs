//! Pings that wait for their pongs.
//!
//! RFC 6455 section 5.5.3 lets the latest stand for all of them; peers that count want one each. So as
//! many as a peer can have in mind are kept, and of a flood the latest.

use std::collections::VecDeque;

use websocket::ControlPayload;

/// Payloads, oldest first. Takes no memory while it is empty.
#[derive(Default)]
pub(in crate::ws) struct Pings(VecDeque<ControlPayload>);

impl Pings {
    pub(in crate::ws) fn push(&mut self, payload: ControlPayload) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(payload);
    }

    pub(in crate::ws) fn append(&mut self, later: Self) {
        later.0.into_iter().for_each(|payload| self.push(payload));
    }

    pub(in crate::ws) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, which are then answered.
    pub(in crate::ws) fn take(&mut self) -> impl Iterator<Item = ControlPayload> {
        std::mem::take(&mut self.0).into_iter()
    }
}

/// Two kilobytes at most.
const MOST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept() {
        let mut pings = Pings::default();
        for byte in 0..20 {
            let mut one = Pings::default();
            one.push(ControlPayload::new(&[byte]).expect("a byte is no more than 125"));
            pings.append(one);
        }
        let kept: Vec<_> = pings.take().map(|payload| payload[0]).collect();
        assert_eq!(kept, (4..20).collect::<Vec<_>>());
        assert!(pings.is_empty());
    }
}
