//! The session's end of a serial line.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use endpoint::control::{Purge, Query};
use endpoint::{End, Ending, Life, Signal, SignalReceiver, SignalSender, WorkGuard};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush, tcgetattr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tracing::{debug, warn};

use super::breaks::Breaks;
use super::closing::{TICK, close, unsent};
use super::line;
use super::modem::Modem;
use super::open::Opened;

/// A serial line that is open. Dropping it closes it, after what was written.
pub(super) struct Line {
    /// `None` when dropped.
    opened: Option<(Opened, WorkGuard)>,
    path: String,
    outgoing: SignalSender,
    incoming: SignalReceiver,
    breaks: Breaks,
    /// The refusals of settings that were logged.
    told: Vec<String>,
    modem: Option<Modem>,
    /// The modem lines are to be sent once there is room: only what they are then matters.
    report: bool,
    /// Until when reading, or finishing, pauses.
    pause: Option<Pin<Box<Sleep>>>,
    draining: Option<Pin<Box<Sleep>>>,
    /// Wakes the writer, which waits while a break is sent.
    writer: Option<Waker>,
}

impl Line {
    pub(super) fn new(
        mut opened: Opened,
        path: String,
        outgoing: SignalSender,
        incoming: SignalReceiver,
        guard: WorkGuard,
    ) -> Self {
        let modem = Modem::of(&mut opened);
        let mut line = Self {
            opened: Some((opened, guard)),
            path,
            outgoing,
            incoming,
            breaks: Breaks::default(),
            told: Vec::new(),
            report: modem.is_some(),
            modem,
            pause: None,
            draining: None,
            writer: None,
        };
        // A page shows the speed from the start.
        line.report_settings();
        line
    }

    fn opened(&mut self) -> &mut Opened {
        &mut self.opened.as_mut().expect("it is taken when dropped").0
    }

    fn act_on(&mut self, signal: Signal) {
        match signal {
            Signal::Break(wanted) => {
                if let Some((opened, _)) = &self.opened {
                    self.breaks.start(wanted, opened);
                }
            }
            Signal::Line(wanted) => match line::apply(&self.opened().tty, &wanted) {
                Ok(kept) => {
                    for what in line::refused(&wanted, &kept) {
                        self.tell(format!("the device keeps {what}"));
                    }
                    self.send_state(Signal::Line(kept));
                }
                Err(error) => {
                    self.tell(format!("the device rejects {}: {error}", line::text(&wanted)));
                    // The client learns what is in force instead.
                    self.report_settings();
                }
            },
            Signal::Modem(wanted) => match (&mut self.modem, &mut self.opened) {
                (Some(modem), Some((opened, _))) => {
                    modem.set(opened, wanted);
                    self.report = true;
                }
                _ => debug!("{}: has no modem lines", self.path),
            },
            Signal::Purge(what) => {
                let queue = match what {
                    Purge::Input => QueueSelector::IFlush,
                    Purge::Output => QueueSelector::OFlush,
                    Purge::Both => QueueSelector::IOFlush,
                };
                if let Err(error) = tcflush(&self.opened().tty, queue) {
                    debug!("{}: cannot purge {what:?}: {error}", self.path);
                }
            }
            Signal::Query(Query::Line) => self.report_settings(),
            Signal::Query(Query::Modem) => match (&mut self.modem, &mut self.opened) {
                (Some(modem), Some((opened, _))) => {
                    modem.look(opened);
                    self.report = true;
                }
                _ => debug!("{}: has no modem lines", self.path),
            },
            other => debug!("a serial port ignores {other:?}"),
        }
    }

    /// Warns of settings that the device refuses: once, whatever a client repeats.
    fn tell(&mut self, words: String) {
        if self.told.len() < MOST_TOLD && !self.told.contains(&words) {
            warn!("{}: {words}", self.path);
            self.told.push(words);
        }
    }

    /// Sends the settings in force. A device that can't report them fails at another place.
    fn report_settings(&mut self) {
        if let Ok(settings) = line::current(&self.opened().tty) {
            self.send_state(Signal::Line(settings));
        }
    }

    /// Sends a state. It always has room, and a missing receiver is no failure.
    fn send_state(&self, state: Signal) {
        let _ = self.outgoing.send(state);
    }

    /// Sends the modem lines, if they are to be sent and there is room.
    fn poll_report(&mut self, cx: &mut Context<'_>) {
        if let Some(modem) = &self.modem
            && self.report
            && self.outgoing.poll_ready(cx).is_ready()
        {
            self.report = false;
            self.send_state(Signal::Modem(modem.lines));
        }
    }

    /// Ready when no break keeps the next signal from being acted on.
    fn poll_break(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((opened, _)) = &self.opened else { return Poll::Ready(()) };
        ready!(self.breaks.poll(cx, opened));
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        Poll::Ready(())
    }

    /// Adds an explanation to a device's error.
    fn explain(&self, error: io::Error) -> io::Error {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::IO | Errno::NXIO | Errno::NODEV) => self.gone(),
            _ => error,
        }
    }

    fn gone(&self) -> io::Error {
        let what = format!("{} was unplugged", self.path);
        io::Error::new(io::ErrorKind::NotConnected, what)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(cx));
                this.pause = None;
            }
            let opened = this.opened();
            match ready!(Pin::new(&mut opened.port).poll_read(cx, buf)) {
                Ok(()) if buf.filled().len() > before || buf.remaining() == 0 => {
                    return Poll::Ready(Ok(()));
                }
                // A device that has hung up fails this call, and does nothing any more.
                Ok(()) if tcgetattr(&opened.tty).is_err() => {
                    return Poll::Ready(Err(this.gone()));
                }
                // Another process that shares the device has set VMIN to 0: an empty read is no end then.
                Ok(()) => this.pause = Some(Box::pin(sleep(TICK))),
                Err(error) => return Poll::Ready(Err(this.explain(error))),
            }
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.breaks.is_pending() {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let written = ready!(Pin::new(&mut self.opened().port).poll_write(cx, buf));
        Poll::Ready(written.map_err(|error| self.explain(error)))
    }

    /// tokio-serial's would wait in the thread until everything is sent (`tcdrain`).
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Line {
    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        while self.poll_break(cx).is_ready()
            && let Poll::Ready(Some(signal)) = self.incoming.poll_recv(cx)
        {
            self.act_on(signal);
        }
        if let (Some(modem), Some((opened, _))) = (&mut self.modem, &mut self.opened) {
            self.report |= modem.poll_change(cx, opened);
        }
        self.poll_report(cx);
        Poll::Pending
    }

    /// A line can't carry the end; data that was written is sent.
    fn poll_finish(&mut self, cx: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        while unsent(self.opened()) > 0 {
            let timer = self.draining.get_or_insert_with(|| Box::pin(sleep(TICK)));
            ready!(timer.as_mut().poll(cx));
            self.draining = None;
        }
        Poll::Ready(Ok(()))
    }

    fn ending(&self) -> Ending {
        Ending::Whole
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some((opened, guard)) = self.opened.take() {
            self.breaks.end(&opened);
            close(opened, guard);
        }
    }
}

/// The number of refused settings that are logged for a session: a client can make up any number.
const MOST_TOLD: usize = 16;
