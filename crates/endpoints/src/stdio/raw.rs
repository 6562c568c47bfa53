//! The raw mode of our terminal, which is undone whatever ends this process.
//!
//! 1. At the end of its session, [`Raw::leave`] restores the terminal.
//! 2. At the end of the runtime, which may end before its tasks, [`restore_terminal`] does.
//! 3. A signal that ends or stops this process is caught, and has its default effect once the terminal is restored
//!    ([`watch`]). SIGKILL can't be caught, and neither can SIGSEGV and its like in safe code.
//! 4. After SIGCONT the terminal is raw again.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;

use endpoint::Context;
use rustix::process::{Signal as Number, getpgrp};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use signal_hook::low_level::emulate_default_handler;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::debug;

use crate::program::default_signals;

/// The terminal of this process, while a session has it in raw mode. Shared by a context.
#[derive(Debug, Default)]
pub(super) struct Raw {
    held: Mutex<Option<Held>>,
    /// Set once signals are caught.
    watched: OnceLock<()>,
}

#[derive(Debug)]
struct Held {
    tty: OwnedFd,
    /// The modes to restore.
    saved: Termios,
    /// The modes of the session.
    raw: Termios,
}

impl Raw {
    /// Sets the terminal to raw mode. From the first time on, signals restore it.
    ///
    /// # Errors
    /// Those of the terminal, and of catching signals.
    pub(super) fn enter(self: &Arc<Self>, fd: BorrowedFd<'_>) -> io::Result<()> {
        let saved = tcgetattr(fd)?;
        let mut raw = saved.clone();
        raw.make_raw();
        let tty = fd.try_clone_to_owned()?;
        if self.watched.set(()).is_ok() {
            tokio::spawn(watch(Arc::clone(self), caught()?));
        }
        let mut held = self.lock();
        tcsetattr(fd, OptionalActions::Drain, &raw)?;
        *held = Some(Held { tty, saved, raw });
        Ok(())
    }

    /// Turns the terminal's echo on or off, for a far side that leaves it to us.
    pub(super) fn echo(&self, is_on: bool) {
        if let Some(held) = &mut *self.lock() {
            held.raw.local_modes.set(LocalModes::ECHO, is_on);
            held.set(&held.raw);
        }
    }

    /// Restores the terminal, for good.
    pub(super) fn leave(&self) {
        if let Some(held) = self.lock().take() {
            held.set(&held.saved);
        }
    }

    /// Restores the terminal until [`Raw::resume`].
    fn suspend(&self) {
        if let Some(held) = &*self.lock() {
            held.set(&held.saved);
        }
    }

    fn resume(&self) {
        if let Some(held) = &*self.lock() {
            held.set(&held.raw);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Sets the modes without waiting for output: the end of this process must not depend on a terminal that is not
    /// read.
    fn set(&self, modes: &Termios) {
        // In the background, the modes are those of another job, and to change them would stop this one (SIGTTOU).
        let is_background = tcgetpgrp(&self.tty).is_ok_and(|group| group != getpgrp());
        if !is_background && let Err(error) = tcsetattr(&self.tty, OptionalActions::Now, modes) {
            debug!("cannot set the modes of the terminal: {}", io::Error::from(error));
        }
    }
}

/// Restores the terminal if a session with `stdio:raw=true` still has it. For a command, before its process ends: a
/// runtime may end without dropping its tasks.
pub fn restore_terminal(cx: &Context) {
    cx.shared::<Raw>().leave();
}

/// Catches the signals that would end or stop this process. Those that it ignores or catches already are left alone:
/// its other code decides about them, and ends the session.
fn caught() -> io::Result<Vec<(Number, Signal)>> {
    let catch = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
    let mut caught = Vec::new();
    for number in default_signals(&ENDING) {
        caught.push((number, catch(number)?));
    }
    caught.push((Number::CONT, catch(Number::CONT)?));
    Ok(caught)
}

/// Restores the terminal before a signal has its default effect.
async fn watch(raw: Arc<Raw>, mut signals: Vec<(Number, Signal)>) {
    loop {
        let number = std::future::poll_fn(|cx| {
            for (number, signal) in &mut signals {
                if let Poll::Ready(Some(())) = signal.poll_recv(cx) {
                    return Poll::Ready(*number);
                }
            }
            Poll::Pending
        });
        let number = number.await;
        if number == Number::CONT {
            raw.resume();
            continue;
        }
        raw.suspend();
        if let Err(error) = emulate_default_handler(number.as_raw()) {
            debug!("cannot act on signal {number:?}: {error}");
        }
    }
}

/// The signals whose default is to end or to stop a process, as far as a program may catch them. SIGTTIN and SIGTTOU are
/// left: a read or write of the background would be repeated for ever.
const ENDING: [Number; 13] = [
    Number::HUP,
    Number::INT,
    Number::QUIT,
    Number::TRAP,
    Number::ABORT,
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::TERM,
    Number::TSTP,
    Number::XCPU,
    Number::VTALARM,
    Number::PROF,
];
