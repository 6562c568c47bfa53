//! `raw=true`: our terminal is handed to the far side, as by `ssh` and `telnet`.
//!
//! Keys go through one by one, Ctrl-C among them; the window's size follows as a signal; `~.` at the beginning of a
//! line ends the session. The terminal is as it was again when this is dropped.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use endpoint::Control;
use endpoint::control::{Signal, SignalReceiver, SignalSender, WindowSize};
use rustix::process::Signal as Number;
use rustix::termios::{isatty, tcgetwinsize};
use tokio::signal::unix::{self, SignalKind};

use super::escape::Escape;
use super::raw::Raw;

/// A user's terminal, in raw mode.
pub(super) struct Terminal {
    tty: OwnedFd,
    raw: Arc<Raw>,
    resized: unix::Signal,
    /// Its window may have another size when a stopped process goes on.
    continued: unix::Signal,
    outgoing: SignalSender,
    incoming: SignalReceiver,
    pub(super) escape: Escape,
}

impl Terminal {
    /// Puts it into raw mode, and returns its size.
    ///
    /// # Errors
    /// It isn't a terminal: [`io::ErrorKind::InvalidInput`].
    pub(super) fn take(fd: BorrowedFd<'_>, raw: Arc<Raw>) -> io::Result<(Self, Control)> {
        if !isatty(fd) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a terminal"));
        }
        let resized = unix::signal(SignalKind::window_change())?;
        let continued = unix::signal(SignalKind::from_raw(Number::CONT.as_raw()))?;
        let tty = fd.try_clone_to_owned()?;
        raw.enter(fd)?;
        let (control, outgoing, incoming) = Control::pair();
        let escape = Escape::default();
        let terminal = Self { tty, raw, resized, continued, outgoing, incoming, escape };
        Self::tell(&terminal.tty, &terminal.outgoing);
        Ok((terminal, control))
    }

    /// Passes new sizes on, and does what the far side asks of a terminal.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        for signal in [&mut self.resized, &mut self.continued] {
            while let Poll::Ready(Some(())) = signal.poll_recv(cx) {
                Self::tell(&self.tty, &self.outgoing);
            }
        }
        while let Poll::Ready(Some(signal)) = self.incoming.poll_recv(cx) {
            // RFC 857: a far side that doesn't echo leaves it to us.
            if let Signal::Echo(is_far) = signal {
                self.raw.echo(!is_far);
            }
        }
    }

    fn tell(tty: &OwnedFd, outgoing: &SignalSender) {
        if let Ok(size) = tcgetwinsize(tty)
            && size.ws_col > 0
            && size.ws_row > 0
        {
            let window = WindowSize { cols: size.ws_col, rows: size.ws_row };
            // A state always fits; a far side without a window has no receiver for it.
            let _ = outgoing.send(Signal::Window(window));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.raw.leave();
    }
}
