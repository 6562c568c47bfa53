//! The reading side of an endpoint that is only written to: no data comes from it. It ends when everything was
//! written, or when writing fails, so that a full disk ends the session at once.

use std::io;
use std::task::{Context, Poll, Waker};

use endpoint::End;

/// The behaviour of such an endpoint.
#[derive(Default)]
pub(crate) struct Mute {
    end: Option<End>,
    reader: Option<Waker>,
}

impl Mute {
    /// Ready once there is an end to be read.
    pub(crate) fn poll_read(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.end.is_some() {
            return Poll::Ready(Ok(()));
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends. The first end counts.
    pub(crate) fn finish(&mut self, end: End) {
        self.end.get_or_insert(end);
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Passes on what writing came to; an error is the end.
    pub(crate) fn written<T>(&mut self, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &done {
            self.finish(End::lost(error));
        }
        done
    }

    /// Returns the end that was read.
    pub(crate) fn end(&mut self) -> End {
        self.end.clone().unwrap_or_default()
    }
}
