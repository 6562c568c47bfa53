//! Bytes that are to be sent as text (`encoding=text` and `encoding=auto`).
//!
//! A stream of bytes is cut anywhere, and a text message must not be cut inside a character (RFC 6455
//! section 5.6): up to three bytes are kept until the rest of their character comes. They are not kept for
//! long, because the peer may have to answer them first: `auto` sends them as binary after [`A_MOMENT`], and
//! `text` reports data that is no text after [`PATIENCE`].

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use ::bytes::{Bytes, BytesMut};
use endpoint::{ByteStream, End, Flat, Life, MessageStream, Part, pass_on};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::time::{Sleep, sleep};
use websocket::{CloseCode, CloseFrame};

use super::messages::Messages;
use crate::ws::negotiate::Encoding;

/// A WebSocket that determines for each binary message if it is text.
pub(in crate::ws) struct Typed {
    inner: Messages,
    /// Set if data that isn't text is sent as binary, instead of being an error.
    falls_back: bool,
    /// The beginning of a character.
    cut: Bytes,
    /// When the rest of that character is waited for no longer. Runs while there is nothing more to send.
    wait: Option<Pin<Box<Sleep>>>,
}

impl Typed {
    pub(in crate::ws) fn new(inner: Messages) -> Self {
        let falls_back = inner.0.encoding == Encoding::Auto;
        Self { inner, falls_back, cut: Bytes::new(), wait: None }
    }

    /// Returns the kept bytes and `data`, without an incomplete character at the end, which is kept now, and whether
    /// it is text.
    fn joined(&mut self, data: Bytes) -> (Bytes, bool) {
        let mut data = if self.cut.is_empty() {
            data
        } else {
            let mut joined = BytesMut::from(&*std::mem::take(&mut self.cut));
            joined.extend_from_slice(&data);
            joined.freeze()
        };
        match simdutf8::compat::from_utf8(&data) {
            Ok(_) => (data, true),
            Err(error) if error.error_len().is_none() => {
                self.cut = data.split_off(error.valid_up_to());
                (data, true)
            }
            Err(_) => (data, false),
        }
    }

    fn send(&mut self, mut data: Bytes, text: bool) -> io::Result<()> {
        if self.inner.0.forgets() {
            return Ok(());
        }
        if !text && !self.falls_back {
            // The valid text before the mistake is sent.
            let right = simdutf8::compat::from_utf8(&data).err();
            let data = data.split_to(right.map_or(0, |error| error.valid_up_to()));
            if !data.is_empty() {
                Pin::new(&mut self.inner).start_send(Part { data, text: true, last: true })?;
            }
            let frame = CloseFrame::new(CloseCode::Error, "the data is not text");
            // The writer isn't called again after an error: the Close goes now or not at all.
            let mut cx = Context::from_waker(Waker::noop());
            self.inner.0.refuse(&mut cx, frame.expect("1011 may be sent"));
            return Err(io::Error::new(io::ErrorKind::InvalidData, NOT_TEXT));
        }
        Pin::new(&mut self.inner).start_send(Part { data, text, last: true })
    }
}

impl Stream for Typed {
    type Item = io::Result<Part>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.inner).poll_next(cx)
    }
}

impl Sink<Part> for Typed {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, part: Part) -> io::Result<()> {
        self.wait = None;
        let (data, text) = self.joined(part.data);
        if data.is_empty() { Ok(()) } else { self.send(data, text) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.cut.is_empty() {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            let limit = if self.falls_back { A_MOMENT } else { PATIENCE };
            let wait = self.wait.get_or_insert_with(|| Box::pin(sleep(limit)));
            ready!(wait.as_mut().poll(cx));
            ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
            self.wait = None;
            let cut = std::mem::take(&mut self.cut);
            self.send(cut, false)?;
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Typed {
    pass_on!(inner: poll_background, poll_ahead, peer, keep_little, linger, poll_close);
    pass_on!(inner: abort, close_timeout, ending, end);

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        if !self.cut.is_empty() {
            ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
            let cut = std::mem::take(&mut self.cut);
            self.send(cut, false)?;
        }
        self.inner.poll_finish(cx, end)
    }
}

impl MessageStream for Typed {
    fn into_bytes(self: Box<Self>) -> Box<dyn ByteStream> {
        Box::new(Flat::new(*self))
    }
}

/// Two segments of one write come together; so short a delay of an answer is not noticeable.
const A_MOMENT: Duration = Duration::from_millis(10);
/// The slowest serial lines take a tenth of a second for a character.
const PATIENCE: Duration = Duration::from_secs(1);

const NOT_TEXT: &str = "the data to send is not UTF-8, which `encoding=text` can't carry; use `encoding=auto` or \
    `encoding=binary`";
