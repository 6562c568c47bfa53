//! Happy eyeballs (RFC 8305): of several addresses, the first that answers.
//!
//! Addresses are already resolved, so sections 4 (sorting) and 5 (attempts) are all there is.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::sleep;

/// Dials `addresses` in their order, the next one [`ATTEMPT_DELAY`] after the last or as soon as
/// one fails. The first success wins, and the other attempts are dropped.
///
/// # Errors
/// Every address with its error, in the order in which they failed.
pub(super) async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    dial: impl Fn(SocketAddr) -> F,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failed = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            let attempt = dial(address);
            attempts.push(async move { (address, attempt.await) });
        }
        tokio::select! {
            done = attempts.next() => match done {
                Some((_, Ok(connected))) => return Ok(connected),
                Some((address, Err(error))) => failed.push((address, error)),
                None => return Err(failed),
            },
            () = sleep(ATTEMPT_DELAY), if waiting.len() > 0 => {}
        }
    }
}

/// Families in turn, beginning with the one that the resolver put first (RFC 8305 section 4).
pub(super) fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::with_capacity(first.len() + second.len());
    loop {
        let before = mixed.len();
        mixed.extend(first.next());
        mixed.extend(second.next());
        if mixed.len() == before {
            return mixed;
        }
    }
}

/// RFC 8305 section 8 recommends it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Runs a race in paused time: each address with when it answers and how. Gives the winner (or
    /// the errors), when that was known, and when each attempt began.
    async fn run(
        script: &[(&str, u64, bool)],
    ) -> (Result<SocketAddr, usize>, u64, Vec<(SocketAddr, u64)>) {
        let start = Instant::now();
        let began = Mutex::new(Vec::new());
        let dial = |address: SocketAddr| {
            began.lock().unwrap().push((address, start.elapsed().as_millis() as u64));
            let (_, after, works) =
                *script.iter().find(|(a, ..)| *a == address.to_string()).unwrap();
            async move {
                sleep(Duration::from_millis(after)).await;
                if works {
                    Ok(address)
                } else {
                    Err(io::Error::from(io::ErrorKind::ConnectionRefused))
                }
            }
        };
        let order = addresses(&script.iter().map(|(a, ..)| *a).collect::<Vec<_>>());
        let result = race(order, dial).await.map_err(|errors| errors.len());
        let elapsed = start.elapsed().as_millis() as u64;
        (result, elapsed, began.into_inner().unwrap())
    }

    const A: &str = "[2001:db8::1]:80";
    const B: &str = "192.0.2.1:80";
    const C: &str = "192.0.2.2:80";
    const NEVER: u64 = 1 << 40;

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_by_250_ms_only() {
        let (winner, elapsed, _) = run(&[(A, NEVER, true), (B, 10, true)]).await;
        assert_eq!((winner, elapsed), (Ok(B.parse().unwrap()), 260));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_address_delays_by_nothing() {
        let (winner, elapsed, _) = run(&[(A, 5, false), (B, 5, false), (C, 5, true)]).await;
        assert_eq!((winner, elapsed), (Ok(C.parse().unwrap()), 15));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_address_still_wins() {
        let (winner, elapsed, began) = run(&[(A, 400, true), (B, NEVER, true)]).await;
        assert_eq!((winner, elapsed), (Ok(A.parse().unwrap()), 400));
        assert_eq!(began.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_first_address_is_the_only_one_dialled() {
        let (_, _, began) = run(&[(A, 249, true), (B, 0, true)]).await;
        assert_eq!(began, [(A.parse().unwrap(), 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_failures_are_reported() {
        let (result, elapsed, _) = run(&[(A, 5, false), (B, 300, false), (C, 5, false)]).await;
        assert_eq!((result, elapsed), (Err(3), 305));
    }

    #[tokio::test]
    async fn no_address_is_no_connection() {
        assert_eq!(run(&[]).await.0, Err(0));
    }

    #[test]
    fn families_take_turns() {
        let mixed = interleave(addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]));
        assert_eq!(mixed, addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]));
        let mixed = interleave(addresses(&["1.1.1.1:1", "1.1.1.2:1", "[::1]:1"]));
        assert_eq!(mixed, addresses(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]));
    }
}
