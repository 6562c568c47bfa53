//! A socket that keeps the boundaries of messages and has one peer, as a stream of messages.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use endpoint::{ByteStream, End, Ending, Flat, Life, MessageStream, Part};
use futures_core::Stream;
use futures_sink::Sink;

use super::losses::Losses;
use super::outgoing::{Datagrams, Enough, Outgoing};
use super::room::with_room;
use super::session::LINGER;

/// A socket with one peer.
pub(crate) trait Link: Send + Unpin + 'static {
    /// Receives a message into `buf`; `None` is the end, where there is one.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<Option<Message>>>;

    /// Sends a message, whole or not at all, or several of up to [`splits`](Self::splits) bytes: all of them or none.
    fn poll_send(&mut self, cx: &mut Context<'_>, datagrams: Datagrams<'_>)
    -> Poll<io::Result<()>>;

    /// Returns the number of datagrams that the system has dropped so far, if it is known: those behind the last one
    /// that was received are in no message.
    fn dropped(&self) -> Option<u32> {
        None
    }

    /// The size of the largest messages that it sends several of at once; 0 if it sends one by one.
    fn splits(&self) -> usize {
        0
    }

    /// Ready once nothing more will come; only a socket with a control connection knows that.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let _ = cx;
        Poll::Pending
    }

    /// Announces that no more will be sent, if the socket can, and returns whether it can.
    ///
    /// # Errors
    /// Those of shutdown(2).
    fn finish(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    /// Returns how it ends.
    fn ending(&self) -> Ending {
        Ending::Whole
    }
}

/// A message that has come, or several.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its range in the buffer, which ends beyond the buffer if the datagram was truncated.
    pub(crate) at: Range<usize>,
    /// The size of each, if there are several; the last one may be shorter.
    pub(crate) each: Option<usize>,
    /// The number of datagrams that the system has dropped so far, if it is known.
    pub(crate) dropped: Option<u32>,
}

/// The stream.
pub(crate) struct Connected<L: Link> {
    link: L,
    outgoing: Outgoing,
    /// Messages that have come with the one before, and the size of each.
    more: Option<(Bytes, usize)>,
    /// The longest message that is taken.
    most: usize,
    /// The reason why it is over, if our side ended it.
    over: Option<End>,
    /// Nothing more will come, though what has come isn't taken.
    lost: Option<io::Error>,
    /// The error of a failed send. The system reports an ICMP error once, to whichever call comes first.
    refused: Option<io::ErrorKind>,
    losses: Losses,
}

impl<L: Link> Connected<L> {
    /// Creates a stream of messages of at most `most` bytes, in both directions.
    pub(crate) fn new(link: L, most: usize) -> Self {
        Self {
            outgoing: Outgoing::new(most, link.splits()),
            link,
            more: None,
            most: most.clamp(LARGEST, LONGEST),
            over: None,
            lost: None,
            refused: None,
            losses: Losses::default(),
        }
    }

    fn poll_send(&mut self, enough: Enough, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { link, outgoing, losses, .. } = self;
        let sent = outgoing.poll_send(enough, losses, |datagrams| link.poll_send(cx, datagrams));
        Poll::Ready(ready!(sent).map_err(|failed| {
            if failed.end.is_some() {
                self.over = failed.end;
            } else {
                // Otherwise, the reader would wait for a peer that is gone, and the other side's data be lost meanwhile.
                self.refused = Some(failed.error.kind());
                cx.waker().wake_by_ref();
            }
            failed.error
        }))
    }

    /// Returns the first message of `data`, each of which has `each` bytes, and keeps the others.
    fn first(&mut self, mut data: Bytes, each: usize) -> Bytes {
        let first = data.split_to(each.min(data.len()));
        self.more = (!data.is_empty()).then_some((data, each));
        first
    }
}

impl<L: Link> Drop for Connected<L> {
    fn drop(&mut self) {
        self.losses.dropped(self.link.dropped());
    }
}

impl<L: Link> Stream for Connected<L> {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over.is_some() {
            return Poll::Ready(None);
        }
        if let Some((data, each)) = self.more.take() {
            return Poll::Ready(Some(Ok(Part::binary(self.first(data, each)))));
        }
        let most = self.most;
        let received = with_room(most, |buf| {
            let received = ready!(self.link.poll_receive(cx, buf))?;
            Poll::Ready(Ok(received.map(|message| {
                let end = message.at.end.min(buf.len());
                let data = Bytes::copy_from_slice(&buf[message.at.start.min(end)..end]);
                (data, message)
            })))
        });
        let received = match received {
            // Datagrams that have arrived take precedence over an error.
            Poll::Pending => Err(match self.refused.take() {
                Some(kind) => kind.into(),
                None => ready!(self.link.poll_over(cx)),
            }),
            Poll::Ready(received) => received,
        };
        Poll::Ready(match received {
            Ok(None) => None,
            Ok(Some((_, Message { at, .. }))) if at.end > most => {
                let len = at.len();
                let words =
                    format!("received a message of {len} bytes, more than the limit of {most}");
                Some(Err(io::Error::new(io::ErrorKind::InvalidData, words)))
            }
            Ok(Some((data, Message { each, dropped, .. }))) => {
                self.losses.dropped(dropped);
                let data = match each {
                    None => data,
                    Some(each) => self.first(data, each),
                };
                Some(Ok(Part::binary(data)))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

impl<L: Link> Sink<Part> for Connected<L> {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(Enough::Room, cx)
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        self.outgoing.add(part);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(Enough::All, cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl<L: Link> Life for Connected<L> {
    fn poll_background(&mut self, _: &mut Context<'_>) -> Poll<io::Error> {
        self.lost.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// The other side takes nothing, so the end would never be read.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready(error) = self.link.poll_over(cx) {
            self.lost = Some(error);
            cx.waker().wake_by_ref();
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        ready!(self.poll_send(Enough::All, cx))?;
        Poll::Ready(match self.link.finish() {
            // A peer that has gone needs no word of ours.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done.map(drop),
        })
    }

    fn linger(&self) -> Option<Duration> {
        (self.link.ending() == Ending::Whole).then_some(LINGER)
    }

    fn ending(&self) -> Ending {
        self.link.ending()
    }

    fn end(&mut self) -> End {
        self.over.clone().unwrap_or_default()
    }
}

impl<L: Link> MessageStream for Connected<L> {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Flat::new(*self))
    }
}

/// No datagram over IP is larger.
const LARGEST: usize = 64 * 1024;
/// No message of a Unix socket is longer, unless the system is configured to allow it.
const LONGEST: usize = 1024 * 1024;
