//! The session's end of a program's pipes.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::{End, Ending, Life, Peer, PeerState, Raw, SystemCall};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Sleep, sleep};
use tracing::debug;

use crate::program::{Exit, Ticket};
use crate::ready::{read_by, write_by};

/// A program's standard input and output. Dropping it is the session's end.
pub(super) struct Pipes {
    /// `None` once we have sent the end, or the program has closed its side.
    input: Option<Sender>,
    output: Receiver,
    /// The output's end was read.
    closed: bool,
    exit: Exit,
    timer: Option<Pin<Box<Sleep>>>,
    /// The timer of a program that has closed its output and its input.
    last_timer: Option<Pin<Box<Sleep>>>,
    grace: Duration,
    /// `None` once its input was cut in the middle, or its grace period is over.
    ticket: Option<Ticket>,
}

impl Pipes {
    pub(super) fn new(
        input: Sender,
        output: Receiver,
        exit: Exit,
        ticket: Ticket,
        grace: Duration,
    ) -> Self {
        Self {
            input: Some(input),
            output,
            closed: false,
            exit,
            timer: None,
            last_timer: None,
            grace,
            ticket: Some(ticket),
        }
    }

    /// Returns `true` if the program has read all that it wants, as `head` does. That is not a
    /// failure, and its output is still wanted: the rest of its input is discarded.
    fn is_refused(&mut self, error: &io::Error) -> bool {
        let refused = error.kind() == io::ErrorKind::BrokenPipe;
        if refused {
            debug!("the program has closed its input; further data for it is discarded");
            self.input = None;
        }
        refused
    }

    /// Waits for the exit of a program that has closed its output.
    ///
    /// While it may still read, its end is not delayed for long: a client may wait for that before it sends more. Once
    /// its input is closed as well, its exit status is all that is missing, and its grace period runs.
    fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.exit.poll(cx) {
            return Poll::Ready(());
        }
        ready!(self.poll_timer(cx, STATUS_WAIT));
        if self.ticket.is_none() || self.may_read() {
            return Poll::Ready(());
        }
        // The first timer has run out and stays so: this one takes its place.
        let grace = self.grace.saturating_sub(STATUS_WAIT);
        let timer = self.last_timer.get_or_insert_with(|| Box::pin(sleep(grace)));
        ready!(timer.as_mut().poll(cx));
        if let Some(ticket) = self.ticket.take() {
            ticket.overdue();
        }
        Poll::Ready(())
    }

    /// Returns `true` if the program may read more input.
    fn may_read(&self) -> bool {
        let Some(input) = &self.input else { return false };
        let mut fds = [PollFd::new(input, PollFlags::empty())];
        // POLLERR is reported for a pipe that no process has open for reading (poll(2)).
        let asked = poll(&mut fds, Some(&Timespec::default()));
        asked.is_err() || !fds[0].revents().contains(PollFlags::ERR)
    }

    /// Returns `true` if `limit` has passed since this was first called.
    fn poll_timer(&mut self, cx: &mut Context<'_>, limit: Duration) -> Poll<()> {
        self.timer.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(cx)
    }
}

impl Pipes {
    /// Reads with `read`, and handles the result; 0 is the end.
    fn poll_output(
        &mut self,
        cx: &mut Context<'_>,
        read: impl FnOnce(&mut Receiver, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if !self.closed {
            match read(&mut self.output, cx) {
                Poll::Ready(Ok(0)) => {
                    self.closed = true;
                    self.timer = None;
                }
                Poll::Ready(Ok(bytes)) => {
                    self.timer = None;
                    return Poll::Ready(Ok(bytes));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
        }
        if self.closed {
            // The end of the output is mostly the program's own, which is about to be known.
            return self.poll_exit(cx).map(|()| Ok(0));
        }
        if self.exit.poll(cx) {
            // A child of the program holds the output open. Its further output is delivered until it falls silent: a
            // daemon must not keep the session open for ever.
            let grace = self.grace;
            ready!(self.poll_timer(cx, grace));
            self.closed = true;
            return Poll::Ready(Ok(0));
        }
        Poll::Pending
    }
}

impl AsyncRead for Pipes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let read = self.poll_output(cx, |output, cx| {
            let before = buf.filled().len();
            ready!(Pin::new(output).poll_read(cx, buf))?;
            Poll::Ready(Ok(buf.filled().len() - before))
        });
        read.map_ok(|_| ())
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(input) = &mut self.input else { return Poll::Ready(Ok(buf.len())) };
        match ready!(Pin::new(input).poll_write(cx, buf)) {
            Err(error) if self.is_refused(&error) => Poll::Ready(Ok(buf.len())),
            done => Poll::Ready(done),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Pipes {
    fn poll_finish(&mut self, _: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        if end.is_cut() {
            self.abort();
        }
        self.input = None;
        Poll::Ready(Ok(()))
    }

    /// Has the program end before it sees the end of its input.
    fn abort(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.cut(self.input.take());
        }
    }

    /// A program that closed its output first may run on for its grace period; the exit status belongs to the session.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closed { self.poll_exit(cx).map(Ok) } else { Poll::Ready(Ok(())) }
    }

    /// While the program runs, it may close either pipe. The input of a program that has ended is not read.
    fn ending(&self) -> Ending {
        if self.closed && matches!(self.exit, Exit::Known(_)) {
            Ending::Whole
        } else {
            Ending::HalfClose
        }
    }

    fn end(&mut self) -> End {
        self.exit.end()
    }

    /// Returns how much of its input it has read. A program that has closed its input may still
    /// write.
    fn peer(&mut self) -> Option<Peer> {
        let peer = crate::peer::of_pipe(self.input.as_ref()?.as_fd())?;
        Some(Peer { state: PeerState::Open, ..peer })
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl Raw for Pipes {
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        // Reading tells an end from nothing at all, and does what follows.
        if self.closed {
            return Poll::Ready(Ok(0));
        }
        let read = read_by(cx, &self.output, call);
        match read {
            Poll::Ready(Ok(0) | Err(_)) => read,
            _ => self.poll_output(cx, |_, _| read),
        }
    }

    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        let nobody = || Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        let Some(input) = &self.input else { return nobody() };
        match ready!(write_by(cx, input, call)) {
            Err(error) if self.is_refused(&error) => nobody(),
            done => Poll::Ready(done),
        }
    }
}

/// The time that the end of a program's output waits for its exit status while it may read.
const STATUS_WAIT: Duration = Duration::from_millis(500);
