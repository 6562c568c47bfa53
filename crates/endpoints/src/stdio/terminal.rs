//! `raw=true`: our terminal is handed to the far side, as by `ssh` and `telnet`.
//!
//! Keys go through one by one, Ctrl-C among them; the window's size follows as a signal; `~.` at the beginning of a
//! line ends the session. The terminal is as it was again when this is dropped.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use endpoint::Control;
use endpoint::control::{Signal, SignalReceiver, SignalSender, WindowSize};
use rustix::termios::{
    LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr,
};
use tokio::signal::unix::{self, SignalKind};

use super::escape::Escape;

/// A user's terminal, in raw mode.
pub(super) struct Terminal {
    tty: OwnedFd,
    /// The saved settings.
    saved: Termios,
    resized: unix::Signal,
    outgoing: SignalSender,
    incoming: SignalReceiver,
    pub(super) escape: Escape,
}

impl Terminal {
    /// Puts it into raw mode, and returns its size.
    ///
    /// # Errors
    /// It isn't a terminal: [`io::ErrorKind::InvalidInput`].
    pub(super) fn take(fd: BorrowedFd<'_>) -> io::Result<(Self, Control)> {
        if !isatty(fd) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a terminal"));
        }
        let resized = unix::signal(SignalKind::window_change())?;
        let saved = tcgetattr(fd)?;
        let mut raw = saved.clone();
        raw.make_raw();
        tcsetattr(fd, OptionalActions::Drain, &raw)?;
        let (control, outgoing, incoming) = Control::pair();
        let tty = fd.try_clone_to_owned()?;
        let terminal = Self { tty, saved, resized, outgoing, incoming, escape: Escape::default() };
        terminal.tell_size();
        Ok((terminal, control))
    }

    /// Passes new sizes on, and does what the far side asks of a terminal.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(())) = self.resized.poll_recv(cx) {
            self.tell_size();
        }
        while let Poll::Ready(Some(signal)) = self.incoming.poll_recv(cx) {
            // RFC 857: who doesn't echo leaves it to us.
            if let Signal::Echo(is_far) = signal {
                self.echo(!is_far);
            }
        }
    }

    fn tell_size(&self) {
        if let Ok(size) = tcgetwinsize(&self.tty)
            && size.ws_col > 0
            && size.ws_row > 0
        {
            let window = WindowSize { cols: size.ws_col, rows: size.ws_row };
            // A state always fits; a far side without a window has nobody to take it.
            let _ = self.outgoing.send(Signal::Window(window));
        }
    }

    fn echo(&self, is_on: bool) {
        // A terminal that has gone needs none.
        if let Ok(mut modes) = tcgetattr(&self.tty) {
            modes.local_modes.set(LocalModes::ECHO, is_on);
            let _ = tcsetattr(&self.tty, OptionalActions::Now, &modes);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.tty, OptionalActions::Drain, &self.saved);
    }
}
