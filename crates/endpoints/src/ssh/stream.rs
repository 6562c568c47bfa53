//! A session: a channel, over a separate connection to `ssh`.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use endpoint::{End, Life, Peer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::channel::Channel;
use super::master::Master;
use super::mux::Control;
use crate::scratch::with_scratch;

/// Dropping it has the server close its end.
pub(super) struct Session {
    /// `None` once it is dropped.
    link: Option<Link>,
    cx: endpoint::Context,
}

struct Link {
    control: Control,
    channel: Channel,
    master: Arc<Master>,
    /// The connection is lost, and why is about to be known.
    losing: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_lost: bool,
}

impl Session {
    pub(super) fn new(
        control: Control,
        channel: Channel,
        master: Arc<Master>,
        cx: endpoint::Context,
    ) -> Self {
        Self { link: Some(Link { control, channel, master, losing: None, is_lost: false }), cx }
    }

    fn link(&mut self) -> &mut Link {
        self.link.as_mut().expect("it isn't dropped")
    }
}

impl Link {
    /// Reads the available data. Ready once something was read.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_lost && self.losing.is_none() {
            if ready!(self.control.stream.poll_read_ready(cx)).is_err() {
                self.lose();
                break;
            }
            let (stream, channel) = (&self.control.stream, &mut self.channel);
            let read: io::Result<usize> = with_scratch(|scratch| {
                let read = stream.try_read(scratch)?;
                channel.receive(&scratch[..read]).map_err(|broken| {
                    let words = format!("the ssh server sent {}", broken.0);
                    io::Error::new(io::ErrorKind::InvalidData, words)
                })?;
                Ok(read)
            });
            match read {
                Ok(1..) => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Poll::Ready(Err(error));
                }
                Ok(0) | Err(_) => self.lose(),
            }
        }
        self.poll_lost(cx).map(Err)
    }

    fn lose(&mut self) {
        let master = Arc::clone(&self.master);
        self.losing = Some(Box::pin(async move { master.last_words().await }));
    }

    /// Ready with the reason why it was lost, once that is known.
    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if let Some(losing) = &mut self.losing {
            ready!(losing.as_mut().poll(cx));
            self.losing = None;
            self.is_lost = true;
        }
        Poll::Ready(self.master.lost())
    }

    /// Writes the queued messages.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.channel.out.is_empty() {
            if self.is_lost || self.losing.is_some() {
                return self.poll_lost(cx).map(Err);
            }
            let stream = &self.control.stream;
            let written = match ready!(stream.poll_write_ready(cx)) {
                Ok(()) => stream.try_write(&self.channel.out),
                Err(error) => Err(error),
            };
            match written {
                Ok(written) => self.channel.out.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.lose(),
            }
        }
        // An idle session holds no buffer.
        self.channel.out = bytes::BytesMut::new();
        Poll::Ready(Ok(()))
    }

    /// The same, but what can't be written yet is written later.
    fn write_out(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.poll_out(cx) {
            Poll::Ready(done) => done,
            Poll::Pending => Ok(()),
        }
    }

    /// Closes the channel; ready once the server has closed it, too, which it does after it has passed all on.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.close();
        ready!(self.poll_out(cx))?;
        while !self.channel.is_closed {
            ready!(self.poll_fill(cx))?;
            self.channel.discard();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Session {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let link = self.link();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if link.channel.has_data() {
                link.channel.take(buf);
                // The server is told of the room. That it is gone is seen when there is nothing left to read.
                let _ = link.write_out(cx);
                return Poll::Ready(Ok(()));
            }
            if link.channel.is_ended {
                return Poll::Ready(Ok(()));
            }
            if link.channel.is_closed {
                let words = "the ssh server closed the session without an end";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, words)));
            }
            ready!(link.poll_fill(cx))?;
        }
    }
}

impl AsyncWrite for Session {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let link = self.link();
        loop {
            if link.channel.is_closed {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            if !link.channel.has_room() {
                ready!(link.poll_out(cx))?;
            }
            let sent = link.channel.send(buf);
            link.write_out(cx)?;
            if sent > 0 || buf.is_empty() {
                return Poll::Ready(Ok(sent));
            }
            // The window is empty, and what opens it comes behind data.
            ready!(link.poll_fill(cx))?;
            // The reader has waited for that as well.
            cx.waker().wake_by_ref();
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link().poll_out(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Session {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let link = self.link();
        if let Err(error) = link.write_out(cx) {
            return Poll::Ready(error);
        }
        // The session has no reader any more, and the channel may be closed, or lost.
        while link.channel.is_ended && !link.channel.is_closed {
            if let Err(error) = ready!(link.poll_fill(cx)) {
                return Poll::Ready(error);
            }
        }
        // The server takes no more, whatever is still to be sent.
        let is_over = link.channel.is_ended && link.channel.is_closed && !link.channel.has_data();
        if is_over && !link.channel.said_end {
            return Poll::Ready(io::ErrorKind::BrokenPipe.into());
        }
        Poll::Pending
    }

    /// Reads ahead, because window adjustments for the other direction follow data, which is bounded by the window.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        let link = self.link();
        while !link.channel.is_ended && !link.channel.is_closed {
            match link.poll_fill(cx) {
                Poll::Ready(Ok(())) => {}
                // Reading tells it.
                Poll::Ready(Err(_)) | Poll::Pending => return,
            }
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        let link = self.link();
        link.channel.end();
        link.poll_out(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link().poll_close(cx)
    }

    /// Returns the amount that `ssh` has read; the window bounds its buffers.
    fn peer(&mut self) -> Option<Peer> {
        let link = self.link();
        let queued = u64::try_from(link.channel.out.len()).unwrap_or(u64::MAX);
        let peer = crate::peer::of_unix(link.control.stream.as_fd())?;
        Some(Peer { pending: peer.pending.saturating_add(queued), ..peer })
    }
}

impl Drop for Session {
    /// Until both have closed the channel, the server holds it, and may not have taken all that was sent.
    fn drop(&mut self) {
        let Some(mut link) = self.link.take() else { return };
        let is_lost = link.is_lost || link.losing.is_some();
        // At the end of the runtime, nothing is waited for.
        let (false, Ok(runtime)) = (is_lost, Handle::try_current()) else { return };
        if link.channel.is_over() {
            return link.master.give_back(link.control);
        }
        let work = self.cx.working();
        runtime.spawn(async move {
            let closed = tokio::select! {
                closed = timeout(LINGER, poll_fn(|cx| link.poll_close(cx))) => closed,
                () = work.cut() => return,
            };
            match closed {
                Ok(Ok(())) => link.master.give_back(link.control),
                _ => link.master.give_up(link.control),
            }
        });
    }
}

/// The same time for which the splice waits for the end of a session.
const LINGER: Duration = Duration::from_secs(60);
