//! The pauses between two tries.

use std::time::Duration;

/// Pauses that double from a first one up to a longest one.
///
/// ```
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let mut backoff = endpoint::Backoff::new(second, 3 * second);
/// assert_eq!([(); 4].map(|()| backoff.pause().as_secs()), [1, 2, 3, 3]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Creates a back-off that begins with `first`; no pause is longer than `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, next: first, longest }
    }

    /// Returns the next pause.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next.min(self.longest);
        self.next = pause.saturating_mul(2);
        pause
    }

    /// Resets the pause to the first one, after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}
