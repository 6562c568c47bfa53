//! The modem lines of a port.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use endpoint::control::ModemLines;
use tokio::time::{Instant, Sleep, sleep};
use tokio_serial::SerialPort;
use tracing::debug;

use super::open::Opened;

/// The modem lines of a port that has some. The system reports changes only by blocking a thread
/// (TIOCMIWAIT), so they are polled.
pub(super) struct Modem {
    pub(super) lines: ModemLines,
    timer: Pin<Box<Sleep>>,
}

impl Modem {
    /// `None` for a port that has none, such as a pty.
    pub(super) fn of(opened: &mut Opened) -> Option<Self> {
        match read(opened) {
            Ok(lines) => Some(Self { lines, timer: Box::pin(sleep(LOOK)) }),
            Err(error) => {
                debug!("the port has no modem lines: {error}");
                None
            }
        }
    }

    pub(super) fn set(&mut self, opened: &mut Opened, wanted: ModemLines) {
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

    /// Looks at the lines that the device drives; returns whether one has changed. A port that was
    /// unplugged is noticed by reading.
    pub(super) fn look(&mut self, opened: &mut Opened) -> bool {
        let Ok(mut lines) = read(opened) else { return false };
        (lines.dtr, lines.rts) = (self.lines.dtr, self.lines.rts);
        std::mem::replace(&mut self.lines, lines) != lines
    }

    /// Looks at them every [`LOOK`]; returns whether one has changed.
    pub(super) fn poll_change(&mut self, cx: &mut Context<'_>, opened: &mut Opened) -> bool {
        let mut changed = false;
        while self.timer.as_mut().poll(cx).is_ready() {
            self.timer.as_mut().reset(Instant::now() + LOOK);
            changed |= self.look(opened);
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

/// The interval of polls.
const LOOK: Duration = Duration::from_millis(500);
