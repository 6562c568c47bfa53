//! Tickets, each for one session within a short time. A browser can send a ticket with a WebSocket.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::{Refusal, RefusalKind};
use tokio::time::Instant;

use super::secret::Secret;

/// Unused tickets, each for one client. Bounded: beyond [`MOST`], the oldest is dropped; beyond [`SHARE`] of one owner,
/// the oldest of that owner.
pub(super) struct Tickets<T>(Mutex<VecDeque<(Secret, Instant, T)>>);

impl<T> Default for Tickets<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Tickets<T> {
    /// Makes one. `is_same` finds those of the same owner.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(super) fn give(&self, to: T, is_same: impl Fn(&T) -> bool) -> Result<String, Refusal> {
        let ticket = fresh()?;
        let shown = ticket.text().to_owned();
        let mut waiting = self.lock();
        if waiting.iter().filter(|(_, _, owner)| is_same(owner)).count() >= SHARE
            && let Some(oldest) = waiting.iter().position(|(_, _, owner)| is_same(owner))
        {
            waiting.remove(oldest);
        }
        waiting.push_back((ticket, Instant::now(), to));
        if waiting.len() > MOST {
            waiting.pop_front();
        }
        Ok(shown)
    }

    /// Takes a ticket, and returns its value if the ticket is known and not too old.
    pub(super) fn take(&self, ticket: &str) -> Option<T> {
        let mut waiting = self.lock();
        waiting.retain(|(_, since, _)| since.elapsed() < SOON);
        let at = waiting.iter().position(|(known, ..)| known.is(ticket))?;
        waiting.remove(at).map(|(_, _, to)| to)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Secret, Instant, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a secret.
///
/// # Errors
/// The system has no random numbers.
pub(super) fn fresh() -> Result<Secret, Refusal> {
    Secret::new().map_err(|error| {
        Refusal::new(RefusalKind::Busy, format!("the system has no random numbers: {error}"))
    })
}

/// Only clients that were let in are given any, and they use them at once.
const MOST: usize = 1024;
/// Those of one owner: a client that takes tickets without end takes none from others.
const SHARE: usize = MOST / 2;
/// The lifetime of a ticket.
const SOON: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn give(tickets: &Tickets<usize>, to: usize) -> Result<String, Refusal> {
        tickets.give(to, |owner| *owner == to)
    }

    #[test]
    fn a_ticket_is_taken_once_and_there_are_only_so_many() {
        let tickets = Tickets::default();
        let first = give(&tickets, 1).expect("random numbers");
        assert_eq!(
            [tickets.take("?"), tickets.take(&first), tickets.take(&first)],
            [None, Some(1), None]
        );
        let first = give(&tickets, 0).expect("random numbers");
        for owner in 1..=MOST {
            give(&tickets, owner).expect("random numbers");
        }
        assert_eq!((tickets.take(&first), tickets.lock().len()), (None, MOST));
    }

    #[test]
    fn an_owner_takes_none_from_the_others() {
        let tickets = Tickets::default();
        let others = give(&tickets, 1).expect("random numbers");
        let first = give(&tickets, 2).expect("random numbers");
        for _ in 0..SHARE {
            give(&tickets, 2).expect("random numbers");
        }
        assert_eq!(tickets.lock().len(), 1 + SHARE);
        assert_eq!((tickets.take(&first), tickets.take(&others)), (None, Some(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_for_a_moment() {
        let tickets = Tickets::default();
        let ticket = tickets.give((), |()| true).expect("random numbers");
        tokio::time::advance(SOON).await;
        assert_eq!(tickets.take(&ticket), None);
    }
}
