//! The session's end of a terminal.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endpoint::control::{Break, Query};
use endpoint::{End, Ending, Life, Raw, Signal, SignalReceiver, SignalSender, SystemCall};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal as Number, kill_process_group};
use rustix::termios::{Winsize, tcgetpgrp, tcsetwinsize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::debug;

use super::size::Size;
use crate::program::{Exit, Ticket};

/// The master of a pseudo-terminal. Dropping it hangs up, and is the session's end.
pub(super) struct Terminal {
    // Both are the master, as tokio's pipes are the safe way to wait for a descriptor of any sort.
    // They are dropped before the ticket: the kernel's SIGHUP comes before what follows the end.
    output: Receiver,
    input: Sender,
    reading: Reading,
    exit: Exit,
    /// The program, which leads the terminal's session.
    leader: Pid,
    signals: Signals,
    /// The time that a program which has closed its terminal may run on.
    grace: Duration,
    /// `None` once the program has had its grace period.
    ticket: Option<Ticket>,
}

/// The ends of its signals.
pub(super) struct Signals {
    pub(super) outgoing: SignalSender,
    pub(super) incoming: SignalReceiver,
}

enum Reading {
    Open,
    /// No process has the terminal open any more, though the program lives. `login` closes it for a
    /// moment to throw others off it (`vhangup`); it is tried again until the first of these times.
    Left(Instant, Pin<Box<Sleep>>),
    /// The program has exited; its earlier output is in the kernel, and no more than this.
    Draining(usize),
    Closed,
}

impl Terminal {
    pub(super) fn new(
        master: OwnedFd,
        leader: Pid,
        exit: Exit,
        signals: Signals,
        grace: Duration,
        ticket: Ticket,
    ) -> io::Result<Self> {
        fcntl_setfl(&master, fcntl_getfl(&master)? | OFlags::NONBLOCK)?;
        let output = Receiver::from_owned_fd_unchecked(master.try_clone()?)?;
        let input = Sender::from_owned_fd_unchecked(master)?;
        let (reading, grace) = (Reading::Open, grace.max(REOPENED));
        Ok(Self { output, input, reading, exit, leader, signals, grace, ticket: Some(ticket) })
    }

    /// One read, when the terminal is ready for it.
    fn poll_output(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Got>> {
        let mut again = false;
        loop {
            ready!(self.output.poll_read_ready(cx))?;
            match Got::of(self.output.try_read(buf.initialize_unfilled()), buf) {
                Got::Nothing if again => self.renew()?,
                Got::Nothing => {}
                got => return Poll::Ready(Ok(got)),
            }
            again = true;
        }
    }

    /// One write, when the terminal is ready for it.
    fn poll_input(
        &mut self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&Sender) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let mut again = false;
        loop {
            ready!(self.input.poll_write_ready(cx))?;
            match write(&self.input) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if again {
                        self.renew()?;
                    }
                    again = true;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Begins anew to wait. To tokio, a terminal that was hung up on once is ready for ever.
    fn renew(&mut self) -> io::Result<()> {
        self.output = Receiver::from_owned_fd_unchecked(self.output.as_fd().try_clone_to_owned()?)?;
        self.input = Sender::from_owned_fd_unchecked(self.input.as_fd().try_clone_to_owned()?)?;
        Ok(())
    }

    fn act_on(&self, signal: Signal) {
        let done = match signal {
            Signal::Window(window) => match Size::of(window) {
                // The foreground job gets SIGWINCH if it has changed.
                Some(Size { rows, cols }) => tcsetwinsize(
                    &self.input,
                    Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 },
                ),
                None => {
                    return debug!(
                        "a terminal can't have {} columns and {} rows",
                        window.cols, window.rows
                    );
                }
            },
            // A terminal that gets a break interrupts (BRKINT), as telnetd does with its BRK; even
            // a program that gets Ctrl-C as a character.
            Signal::Break(Break::Timed(_) | Break::On) => {
                tcgetpgrp(&self.input).and_then(|group| kill_process_group(group, Number::INT))
            }
            Signal::Query(Query::Job) => tcgetpgrp(&self.input).map(|group| {
                // A state always has room, and a missing receiver is no failure.
                let runs = self.leader != group;
                let _ = self.signals.outgoing.send(Signal::Job(runs));
            }),
            other => return debug!("a terminal ignores {other:?}"),
        };
        if let Err(error) = done {
            debug!("the terminal rejects {signal:?}: {error}");
        }
    }
}

impl AsyncRead for Terminal {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            match &mut this.reading {
                // Asked first: a job that is left behind and goes on writing leaves no pause to ask in.
                Reading::Open if this.exit.poll(cx) => this.reading = Reading::Draining(LEFT),
                Reading::Open => match this.poll_output(cx, buf)? {
                    Poll::Ready(Got::Bytes(_)) => return Poll::Ready(Ok(())),
                    Poll::Ready(_) => {
                        let now = Instant::now();
                        this.reading =
                            Reading::Left(now + this.grace, Box::pin(sleep_until(now + RETRY)));
                    }
                    Poll::Pending => return Poll::Pending,
                },
                Reading::Left(until, retry) => {
                    if this.exit.poll(cx) {
                        this.reading = Reading::Closed;
                        continue;
                    }
                    ready!(retry.as_mut().poll(cx));
                    match Got::now(&this.output, buf) {
                        Got::End if Instant::now() >= *until => {
                            this.reading = Reading::Closed;
                            if let Some(ticket) = this.ticket.take() {
                                ticket.overdue();
                            }
                        }
                        Got::End => retry.as_mut().reset(Instant::now() + RETRY),
                        got => {
                            this.reading = Reading::Open;
                            this.renew()?;
                            if let Got::Bytes(_) = got {
                                return Poll::Ready(Ok(()));
                            }
                        }
                    }
                }
                // A read finds what is still on its way inside the kernel; readiness doesn't yet.
                Reading::Draining(left) => match Got::now(&this.output, buf) {
                    Got::Bytes(bytes) => {
                        *left = left.saturating_sub(bytes);
                        if *left == 0 {
                            this.reading = Reading::Closed;
                        }
                        return Poll::Ready(Ok(()));
                    }
                    Got::Nothing | Got::End => this.reading = Reading::Closed,
                },
                Reading::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl AsyncWrite for Terminal {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.poll_input(cx, |input| input.try_write(buf))) {
            // The input has no reader any more; the end of the output tells so.
            Err(error) if is_eio(&error) => Poll::Ready(Ok(buf.len())),
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

impl Life for Terminal {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        while let Poll::Ready(Some(signal)) = self.signals.incoming.poll_recv(cx) {
            self.act_on(signal);
        }
        Poll::Pending
    }

    /// A terminal has no word for it but going away. Ctrl-D would be one only at the start of a
    /// line, and elsewhere would hand a program half a line as if it had been entered.
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn ending(&self) -> Ending {
        Ending::Whole
    }

    fn end(&mut self) -> End {
        self.exit.end()
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

/// Its output is read: the kernel hands a terminal's over 4 KiB at a time at most, and copies it.
impl Raw for Terminal {
    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        match ready!(self.poll_input(cx, |input| input.try_io(|| call(input.as_fd())))) {
            Err(error) if is_eio(&error) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
            done => Poll::Ready(done),
        }
    }
}

/// The result of a read.
enum Got {
    Bytes(usize),
    Nothing,
    /// No process has the terminal open, and all output has been read: EIO on Linux, 0 elsewhere.
    End,
}

impl Got {
    /// Asks the kernel, whatever is known of readiness.
    fn now(output: &Receiver, buf: &mut ReadBuf<'_>) -> Self {
        let read = rustix::io::read(output, buf.initialize_unfilled());
        Self::of(read.map_err(io::Error::from), buf)
    }

    fn of(read: io::Result<usize>, buf: &mut ReadBuf<'_>) -> Self {
        match read {
            Ok(0) => Self::End,
            Ok(bytes) => {
                buf.advance(bytes);
                Self::Bytes(bytes)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Self::Nothing,
                _ => {
                    if !is_eio(&error) {
                        debug!("reading a terminal: {error}");
                    }
                    Self::End
                }
            },
        }
    }
}

fn is_eio(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// The least time that a terminal that no process has open waits for the program's exit status, or for a process to
/// open it again.
const REOPENED: Duration = Duration::from_secs(1);

/// The interval of checks if a process has.
const RETRY: Duration = Duration::from_millis(10);

/// More than Linux keeps of a terminal's output (640 KiB). A process that writes on after the program's exit is cut
/// off here at the latest.
const LEFT: usize = 1 << 20;
