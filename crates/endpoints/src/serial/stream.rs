//! The session's end of a serial line.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use endpoint::control::ModemLines;
use endpoint::{End, Ending, Life, Signal, SignalReceiver, SignalSender, WorkGuard};
use rustix::io::Errno;
use rustix::termios::tcgetattr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tokio_serial::SerialPort;
use tracing::debug;

use super::closing::{TICK, close, unsent};
use super::line;
use super::open::Opened;

/// A serial line that is open. Dropping it closes it, after what was written.
pub(super) struct Line {
    /// `None` when dropped.
    opened: Option<(Opened, WorkGuard)>,
    path: String,
    say: SignalSender,
    take: SignalReceiver,
    breaking: Option<Break>,
    modem: Option<Modem>,
    /// Until when reading, or finishing, pauses.
    pause: Option<Pin<Box<Sleep>>>,
    draining: Option<Pin<Box<Sleep>>>,
    /// Who waits to write while a break is sent.
    writer: Option<Waker>,
}

impl Line {
    pub(super) fn new(
        mut opened: Opened,
        path: String,
        say: SignalSender,
        take: SignalReceiver,
        guard: WorkGuard,
    ) -> Self {
        // A page shows the speed from the start; a device that can't tell it will fail by itself.
        if let Ok(settings) = line::current(&opened.tty) {
            say.send(Signal::Line(settings));
        }
        let modem = Modem::of(&mut opened);
        if let Some(modem) = &modem {
            say.send(Signal::Modem(modem.lines));
        }
        Self {
            opened: Some((opened, guard)),
            path,
            say,
            take,
            breaking: None,
            modem,
            pause: None,
            draining: None,
            writer: None,
        }
    }

    fn opened(&mut self) -> &mut Opened {
        &mut self.opened.as_mut().expect("it is taken when dropped").0
    }

    fn obey(&mut self, signal: Signal) {
        match signal {
            Signal::Break(time) => {
                let time = if time.is_zero() { BREAK } else { time.min(LONGEST_BREAK) };
                self.breaking = Some(Break::new(time));
            }
            Signal::Line(wanted) => match line::apply(&self.opened().tty, &wanted) {
                Ok(kept) => {
                    debug!("{}: {kept:?} of {wanted:?}", self.path);
                    self.say.send(Signal::Line(kept));
                }
                Err(error) => debug!("{}: takes no {wanted:?}: {error}", self.path),
            },
            Signal::Modem(wanted) => {
                let Some((opened, _)) = &mut self.opened else { return };
                match &mut self.modem {
                    Some(modem) => {
                        modem.set(opened, wanted);
                        self.say.send(Signal::Modem(modem.lines));
                    }
                    None => debug!("{}: has no modem lines", self.path),
                }
            }
            other => debug!("a serial line takes no {other:?}"),
        }
    }

    /// Ready when no break is being sent.
    fn poll_break(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Some(breaking), Some((opened, _))) = (&mut self.breaking, &self.opened) else {
            return Poll::Ready(());
        };
        if !breaking.begun {
            // What was written before comes before.
            while unsent(opened) > 0 && Instant::now() < breaking.until {
                ready!(breaking.timer.as_mut().poll(cx));
                breaking.timer.as_mut().reset(Instant::now() + TICK);
            }
            if let Err(error) = opened.port.set_break() {
                debug!("{}: sends no break: {error}", self.path);
            }
            breaking.begun = true;
            breaking.timer.as_mut().reset(Instant::now() + breaking.time);
        }
        ready!(breaking.timer.as_mut().poll(cx));
        let _ = opened.port.clear_break();
        self.breaking = None;
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
        Poll::Ready(())
    }

    /// What an error of the device's means.
    fn explain(&self, error: io::Error) -> io::Error {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::IO | Errno::NXIO | Errno::NODEV) => self.gone(),
            _ => error,
        }
    }

    fn gone(&self) -> io::Error {
        let what = format!("{} is gone: it was unplugged", self.path);
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
                // A device that has hung up says so, and does nothing any more.
                Ok(()) if tcgetattr(&opened.tty).is_err() => {
                    return Poll::Ready(Err(this.gone()));
                }
                // Somebody who shares the device has set VMIN to 0: then nothing is no end.
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
        if self.breaking.is_some() {
            // A byte that is sent during a break arrives as a part of it.
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
            && let Poll::Ready(Some(signal)) = self.take.poll_recv(cx)
        {
            self.obey(signal);
        }
        if let (Some(modem), Some((opened, _))) = (&mut self.modem, &mut self.opened)
            && let Some(lines) = modem.poll_change(cx, opened)
        {
            self.say.send(Signal::Modem(lines));
        }
        Poll::Pending
    }

    /// A line has no word for the end; what was written is sent.
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
            if self.breaking.as_ref().is_some_and(|breaking| breaking.begun) {
                let _ = opened.port.clear_break();
            }
            close(opened, guard);
        }
    }
}

/// A break that is to be sent, or is being sent.
struct Break {
    time: Duration,
    begun: bool,
    /// It begins then at the latest: the other side may hold the line.
    until: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Break {
    fn new(time: Duration) -> Self {
        let now = Instant::now();
        let timer = Box::pin(sleep_until(now + TICK));
        Self { time, begun: false, until: now + HELD_UP, timer }
    }
}

/// The modem lines of a port that has some. Nothing tells of changes without blocking a thread
/// (TIOCMIWAIT), so they are looked at.
struct Modem {
    lines: ModemLines,
    timer: Pin<Box<Sleep>>,
}

impl Modem {
    fn of(opened: &mut Opened) -> Option<Self> {
        match read(opened) {
            Ok(lines) => Some(Self { lines, timer: Box::pin(sleep(LOOK)) }),
            Err(error) => {
                debug!("the port has no modem lines: {error}");
                None
            }
        }
    }

    fn set(&mut self, opened: &mut Opened, wanted: ModemLines) {
        for (line, wanted, kept) in
            [("DTR", wanted.dtr, &mut self.lines.dtr), ("RTS", wanted.rts, &mut self.lines.rts)]
        {
            let Some(level) = wanted else { continue };
            let done = if line == "DTR" {
                opened.port.write_data_terminal_ready(level)
            } else {
                opened.port.write_request_to_send(level)
            };
            match done {
                Ok(()) => *kept = wanted,
                Err(error) => debug!("cannot set {line}: {error}"),
            }
        }
    }

    fn poll_change(&mut self, cx: &mut Context<'_>, opened: &mut Opened) -> Option<ModemLines> {
        let mut changed = None;
        while self.timer.as_mut().poll(cx).is_ready() {
            self.timer.as_mut().reset(Instant::now() + LOOK);
            // One that was unplugged is noticed by reading.
            let Ok(mut lines) = read(opened) else { continue };
            (lines.dtr, lines.rts) = (self.lines.dtr, self.lines.rts);
            if lines != self.lines {
                self.lines = lines;
                changed = Some(lines);
            }
        }
        changed
    }
}

/// The lines that the device drives.
fn read(opened: &mut Opened) -> tokio_serial::Result<ModemLines> {
    let mut lines = ModemLines::default();
    lines.cts = Some(opened.port.read_clear_to_send()?);
    lines.dsr = Some(opened.port.read_data_set_ready()?);
    lines.ri = Some(opened.port.read_ring_indicator()?);
    lines.cd = Some(opened.port.read_carrier_detect()?);
    Ok(lines)
}

/// A break of no stated length: what `tcsendbreak` sends.
const BREAK: Duration = Duration::from_millis(250);

/// A peer may ask for any length, and nothing else is sent meanwhile.
const LONGEST_BREAK: Duration = Duration::from_secs(5);

/// How long a break waits for what was written before it.
const HELD_UP: Duration = Duration::from_secs(1);

/// How often modem lines are looked at.
const LOOK: Duration = Duration::from_millis(500);
