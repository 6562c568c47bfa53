//! The I/O around the telnet machine: decoded in the reader's own buffer, encoded into a bounded
//! one of ours.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::control::Break;
use endpoint::{ByteStream, End, Ending, Life, Signal, SignalReceiver, SignalSender, pass_on};
use telnet::{Command, Event, Opt, Received, Size, Telnet};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::outgoing::Outgoing;

/// A terminal's view of a telnet connection.
pub(super) struct TelnetStream {
    inner: Box<dyn ByteStream>,
    telnet: Telnet,
    /// Encoded and not yet written: answers, and at most [`CHUNK`] bytes of data, doubled.
    out: Vec<u8>,
    /// The number of bytes of it that have been written.
    written: usize,
    unflushed: bool,
    /// The server has hung up.
    over: bool,
    outgoing: Outgoing,
    incoming: Option<SignalReceiver>,
}

impl TelnetStream {
    pub(super) fn new(
        inner: Box<dyn ByteStream>,
        telnet: Telnet,
        outgoing: SignalSender,
        incoming: SignalReceiver,
    ) -> Self {
        let mut outgoing = Outgoing::new(outgoing);
        // Until the server announces that it echoes, the terminal does.
        outgoing.send(Signal::Echo(false));
        let (out, incoming) = (Vec::new(), Some(incoming));
        Self { inner, telnet, out, written: 0, unflushed: false, over: false, outgoing, incoming }
    }

    /// Writes the encoded bytes.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let rest = &self.out[self.written..];
            let taken = ready!(Pin::new(&mut *self.inner).poll_write(cx, rest))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += taken;
            self.unflushed = true;
        }
        // An idle session holds no buffer.
        self.out = Vec::new();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Writes and flushes our own answers: nothing else would flush them.
    fn push(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        if self.unflushed {
            ready!(Pin::new(&mut *self.inner).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Acts on signals while what they make of themselves has room: a break is bytes in the stream.
    fn take_signals(&mut self, cx: &mut Context<'_>) {
        while let Some(incoming) = &mut self.incoming
            && self.out.len() < CHUNK
        {
            match incoming.poll_recv(cx) {
                Poll::Ready(Some(Signal::Window(size))) => {
                    self.telnet.resize(Size { cols: size.cols, rows: size.rows });
                }
                // BRK has no length, and no end.
                Poll::Ready(Some(Signal::Break(Break::Timed(_) | Break::On))) => {
                    self.telnet.send_command(Command::Break, &mut self.out);
                }
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => self.incoming = None,
                Poll::Pending => break,
            }
        }
        if self.telnet.wants_flush() && self.out.len() < CHUNK {
            self.telnet.flush(&mut self.out);
        }
    }

    /// Decodes `input` in place; how many bytes of data are at its front then.
    fn decode(&mut self, input: &mut [u8]) -> usize {
        let (mut at, mut data) = (0, 0);
        while at < input.len() {
            match self.telnet.next(input, &mut at) {
                Some(Received::Data(range)) => {
                    let length = range.len();
                    input.copy_within(range, data);
                    data += length;
                }
                Some(Received::Event(Event::Remote(Opt::ECHO, on))) => {
                    self.outgoing.send(Signal::Echo(on));
                }
                Some(Received::Event(Event::Command(Command::Break))) => {
                    self.outgoing.send(Signal::Break(Break::Timed(Duration::ZERO)));
                }
                Some(Received::Event(_)) => {}
                // It takes no more input before its answers are out.
                None if self.telnet.wants_flush() => self.telnet.flush(&mut self.out),
                None => break,
            }
        }
        self.telnet.flush(&mut self.out);
        data
    }
}

impl AsyncRead for TelnetStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        loop {
            // A peer that doesn't take our answers gets no more questions in.
            if self.out.len() > CHUNK {
                ready!(self.drain(cx))?;
            }
            // A server that sends breaks faster than they are taken is held up.
            ready!(self.outgoing.poll_ready(cx));
            ready!(Pin::new(&mut *self.inner).poll_read(cx, buf))?;
            let read = buf.filled().len() - start;
            if read == 0 {
                self.over = true;
                return Poll::Ready(Ok(()));
            }
            let data = self.decode(&mut buf.filled_mut()[start..]);
            buf.set_filled(start + data);
            // A failing write is the writer's to find.
            let _ = self.push(cx);
            if data > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for TelnetStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.drain(cx))?;
        let taken = buf.len().min(CHUNK);
        let this = &mut *self;
        this.telnet.send(&buf[..taken], &mut this.out);
        // Bytes that don't go out now go before the next write, or with the flush.
        match self.drain(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        ready!(Pin::new(&mut *self.inner).poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for TelnetStream {
    pass_on!(inner: poll_ahead, peer, keep_little, linger, abort, poll_close, end);

    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.take_signals(cx);
        // A failing write is the writer's to find.
        let _ = self.push(cx);
        self.inner.poll_background(cx)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        self.inner.poll_finish(cx, end)
    }

    /// A server that has hung up listens no more: telnet knows no half of an end, and a terminal that
    /// was left open at a closed connection would be typed into. Our own end is the stream's.
    fn ending(&self) -> Ending {
        if self.over { Ending::Whole } else { self.inner.ending() }
    }
}

/// The amount of data that is encoded at once: it bounds the buffer, at twice that and the answers.
const CHUNK: usize = 16 * 1024;
