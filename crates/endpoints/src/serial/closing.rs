//! Closing a device without losing what was written, and without waiting for it in a worker thread.
//!
//! `close` waits until the driver has sent everything, half a minute where the other side stops us by
//! flow control. So it is closed once nothing is left to send; what doesn't go out is thrown away.

use std::time::Duration;

use endpoint::WorkGuard;
use rustix::termios::{QueueSelector, tcflush};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tokio_serial::SerialPort;
use tracing::warn;

use super::open::Opened;

/// Closes it, in a separate task if something is left to send.
pub(super) fn close(opened: Opened, guard: WorkGuard) {
    match Handle::try_current() {
        _ if unsent(&opened) == 0 => {}
        Ok(runtime) => {
            runtime.spawn(async move {
                drain(&opened).await;
                drop(opened);
                drop(guard);
            });
        }
        Err(_) => discard(&opened),
    }
}

async fn drain(opened: &Opened) {
    let (mut left, mut moved) = (unsent(opened), Instant::now());
    let until = moved + LONGEST;
    while left > 0 {
        sleep(TICK).await;
        let now = unsent(opened);
        if now < left {
            moved = Instant::now();
        }
        left = now;
        if moved.elapsed() > STUCK || Instant::now() > until {
            warn!("discarded {left} bytes that the serial port has not sent");
            return discard(opened);
        }
    }
}

/// Returns the number of bytes inside the kernel; 0 if the device has gone.
pub(super) fn unsent(opened: &Opened) -> u32 {
    opened.port.bytes_to_write().unwrap_or(0)
}

fn discard(opened: &Opened) {
    let _ = tcflush(&opened.tty, QueueSelector::OFlush);
}

/// The interval of checks if everything was sent: ten bytes at 9600 baud.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Without progress for as long, the other side has stopped us.
const STUCK: Duration = Duration::from_secs(2);

/// The time that Linux waits.
const LONGEST: Duration = Duration::from_secs(30);
