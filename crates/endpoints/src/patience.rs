//! A limit of time that a process which was stopped for a while does not hold against its peers.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::task::yield_now;

/// As tokio's `timeout`, but looks once more before it gives up; `None` if the time is over.
///
/// After SIGCONT, or when the thread was busy, a timer fires before the runtime has asked the
/// system what has arrived meanwhile. `yield_now` comes back after it has.
pub(crate) async fn timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(limit, &mut work).await {
        return Some(done);
    }
    yield_now().await;
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
