//! Waiting for a condition that has no event: polls until it holds, or panics with what was
//! awaited.

use std::thread;
use std::time::{Duration, Instant};

/// The time that a test waits for something that takes milliseconds: long enough for a loaded machine, short enough
/// that a hang is reported soon.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Between two questions. Small against what is waited for, large against the cost of asking.
const PAUSE: Duration = Duration::from_millis(3);

/// Asks `probe` until it has an answer.
///
/// # Panics
/// After [`DEADLINE`], with `what`.
pub fn until<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    until_within(DEADLINE, probe).unwrap_or_else(|| panic!("not within {DEADLINE:?}: {what}"))
}

/// Asks `probe` until it has an answer; `None` after `limit`.
pub fn until_within<T>(limit: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = probe() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_soon_as_the_probe_does() {
        let mut asked = 0;
        let answer = until("the third question", || {
            asked += 1;
            (asked == 3).then_some("yes")
        });
        assert_eq!((answer, asked), ("yes", 3));
    }

    #[test]
    fn gives_up_at_the_limit() {
        assert_eq!(until_within(Duration::from_millis(10), || None::<()>), None);
    }
}
