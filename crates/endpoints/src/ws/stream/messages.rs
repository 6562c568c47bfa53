//! The message view: parts of messages, cut out of what one read brought.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use endpoint::{End, Life, Part, pass_on};
use futures_core::Stream;
use futures_sink::Sink;
use plan::kind::Framings;

use super::core::{Core, READS};

/// A WebSocket as a stream of messages, and how the bytes of the other side become such.
pub(in crate::ws) struct Messages(pub(in crate::ws) Core, pub(in crate::ws) Option<Arc<Framings>>);

impl Stream for Messages {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        for _ in 0..READS {
            if !ready!(self.0.poll_fill(cx))? {
                return Poll::Ready(None);
            }
            let part = self.0.next_part();
            self.0.react(cx);
            if let Some(part) = part {
                return Poll::Ready(Some(Ok(part)));
            }
        }
        // Frames without data are work, too, and others want their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Sink<Part> for Messages {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let forgets = self.0.forgets();
        if !forgets {
            ready!(self.0.poll_window(cx));
        }
        self.0.poll_sending(cx, |sending, cx, inner| {
            if forgets { Poll::Ready(Ok(())) } else { sending.poll_ready(cx, inner) }
        })
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        if self.0.forgets() {
            return Ok(());
        }
        self.0.wrote();
        self.0.count_sent(part.data.len());
        self.0.announce(part.text);
        self.0.sending.send(part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx, &End::eof())
    }
}

impl Life for Messages {
    pass_on!(0: poll_background, poll_ahead, peer, keep_little, poll_finish, poll_close);
    pass_on!(0: abort, close_timeout, ending, end);
}
