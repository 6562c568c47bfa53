//! The session's end of an endpoint whose data is copied. Nothing is changed, and nothing waits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use endpoint::{ByteStream, End, Life, MessageStream, Part, pass_on};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::queue::Queue;

/// The observer of the data.
pub(super) struct Seen {
    pub(super) queue: Arc<Queue>,
    pub(super) received: bool,
    pub(super) sent: bool,
}

impl Seen {
    fn bytes(&self, data: &[u8]) {
        if !data.is_empty() {
            self.queue.push(Part::binary(data.to_vec()));
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// A stream of bytes that is copied. It has no descriptor for the kernel to move its bytes by: they are to be seen.
pub(super) struct Bytes {
    inner: Box<dyn ByteStream>,
    seen: Seen,
}

impl Bytes {
    pub(super) fn new(inner: Box<dyn ByteStream>, seen: Seen) -> Self {
        Self { inner, seen }
    }
}

impl AsyncRead for Bytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut *self.inner).poll_read(cx, buf))?;
        if self.seen.received {
            self.seen.bytes(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bytes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut *self.inner).poll_write(cx, buf))?;
        if self.seen.sent {
            self.seen.bytes(&buf[..written]);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx, &End::eof())
    }
}

impl Life for Bytes {
    pass_on!(inner: poll_background, poll_ahead, peer, keep_little, linger, poll_finish, poll_close);
    pass_on!(inner: abort, close_timeout, ending, end);
}

/// A stream of messages that is copied. The two directions meet in one, so each message has to be whole.
pub(super) struct Messages {
    inner: Box<dyn MessageStream>,
    seen: Seen,
    received: Joining,
    sent: Joining,
}

impl Messages {
    pub(super) fn new(inner: Box<dyn MessageStream>, seen: Seen) -> Self {
        Self { inner, seen, received: Joining::default(), sent: Joining::default() }
    }
}

/// The parts of a message that isn't whole.
#[derive(Default)]
struct Joining {
    parts: BytesMut,
    /// It is too long: so many bytes of it have passed.
    skipped: usize,
}

impl Joining {
    /// Adds a part, and copies the message once it is whole.
    fn add(&mut self, part: &Part, queue: &Queue) {
        if part.last && self.parts.is_empty() && self.skipped == 0 {
            queue.push(part.clone());
            return;
        }
        if self.skipped == 0 && self.parts.len() + part.data.len() <= LONGEST {
            self.parts.extend_from_slice(&part.data);
        } else {
            let parts = std::mem::take(&mut self.parts);
            self.skipped += parts.len() + part.data.len();
        }
        if !part.last {
            return;
        }
        let (parts, skipped) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.skipped));
        if skipped > 0 {
            queue.lose(skipped);
        } else {
            queue.push(Part { data: parts.freeze(), text: part.text, last: true });
        }
    }
}

impl Stream for Messages {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut *self.inner).poll_next(cx));
        let Self { seen, received, .. } = &mut *self;
        if let Some(Ok(part)) = &next
            && seen.received
        {
            received.add(part, &seen.queue);
        }
        Poll::Ready(next)
    }
}

impl Sink<Part> for Messages {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        let Self { inner, seen, sent, .. } = &mut *self;
        if seen.sent {
            sent.add(&part, &seen.queue);
        }
        Pin::new(&mut **inner).start_send(part)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Messages {
    pass_on!(inner: poll_background, poll_ahead, peer, keep_little, linger, poll_finish, poll_close);
    pass_on!(inner: abort, close_timeout, ending, end);
}

impl MessageStream for Messages {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        let Self { inner, seen, .. } = *self;
        Box::new(Bytes::new(inner.into_bytes(), seen))
    }

    fn frame(
        &self,
        bytes: Box<dyn ByteStream>,
    ) -> Result<Box<dyn MessageStream>, Box<dyn ByteStream>> {
        self.inner.frame(bytes)
    }
}

/// The longest message that is copied if it comes in parts.
const LONGEST: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn what_is_copied_of_a_message_is_all_of_it() {
        let (queue, mut joining) = (Queue::new(usize::MAX), Joining::default());
        let part = |data: Vec<u8>, last| Part { data: data.into(), text: false, last };
        for (data, last) in [(vec![1; LONGEST], false), (vec![1], false), (vec![1; 9], true)] {
            joining.add(&part(data, last), &queue);
        }
        for (data, last) in [(vec![2], false), (vec![], false), (vec![3], true), (vec![4], true)] {
            joining.add(&part(data, last), &queue);
        }
        let cx = Context::from_waker(Waker::noop());
        assert_eq!(queue.poll_next(&cx), Poll::Ready(Some(Part::binary(vec![2, 3]))));
        assert_eq!(queue.poll_next(&cx), Poll::Ready(Some(Part::binary(vec![4]))));
        assert_eq!(queue.lost().bytes, LONGEST as u64 + 10);
    }
}
