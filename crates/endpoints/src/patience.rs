//! A limit of time that a process which was stopped for a while does not hold against its peers.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::task::yield_now;

/// The same as tokio's `timeout`, but polls once more at the end; `None` if the time is over.
///
/// After SIGCONT, or when the thread was busy, a timer fires before the runtime has asked the
/// system what has arrived meanwhile. `yield_now` comes back after it has.
pub(crate) async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(limit, &mut work).await {
        return Some(done);
    }
    for _ in 0..LOOKS {
        yield_now().await;
        let look = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx)));
        if let Poll::Ready(done) = look.await {
            return Some(done);
        }
    }
    None
}

/// The runtime asks for 1,024 events at a time, and there may be thousands of connections; with
/// several threads, another one may be asking.
const LOOKS: usize = 16;
