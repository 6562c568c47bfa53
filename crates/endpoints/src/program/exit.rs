//! The end of a program, as its session sees it.

use std::pin::Pin;
use std::task::{Context, Poll};

use endpoint::{End, ExitStatus};
use tokio::sync::oneshot;

/// The session's knowledge of the program's end.
pub(crate) enum Exit {
    /// It has not been reported yet.
    Waiting(oneshot::Receiver<ExitStatus>),
    /// It ended like this.
    Known(ExitStatus),
}

impl Exit {
    /// Looks whether the program has ended, and registers for it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::Waiting(exit) = self {
            match Pin::new(exit).poll(cx) {
                Poll::Pending => return false,
                Poll::Ready(Ok(status)) => *self = Self::Known(status),
                // No status will come any more.
                Poll::Ready(Err(_)) => *self = Self::Known(ExitStatus::Unknown),
            }
        }
        true
    }

    /// The end of its output.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::Known(status) => End::exited(*status),
            Self::Waiting(_) => End::eof(),
        }
    }
}
