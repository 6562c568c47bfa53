//! Messages to a service manager: ready, stopping, and alive (`sd_notify(3)`, `sd_watchdog_enabled(3)`).
//!
//! A datagram to the socket in `NOTIFY_SOCKET`. Without one, nothing is sent.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use endpoint::{Context, Local};
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

/// The service manager, if there is one.
#[derive(Clone)]
pub(crate) struct Manager {
    socket: Option<Arc<UnixDatagram>>,
    /// The interval in which it expects a sign of life.
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that the environment names.
    pub(crate) fn of(cx: &Context) -> Self {
        let socket = cx.variable("NOTIFY_SOCKET").filter(|path| !path.is_empty());
        let socket = socket.and_then(|path| match open(path) {
            Ok(socket) => Some(Arc::new(socket)),
            Err(error) => {
                let words = endpoint::describe(&error);
                warn!("cannot notify the service manager (NOTIFY_SOCKET): {words}");
                None
            }
        });
        let number = |name: &str| cx.variable(name)?.to_str()?.parse::<u64>().ok();
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|time| ours && *time > 0);
        Self { socket, watchdog: watchdog.map(Duration::from_micros) }
    }

    /// We listen.
    pub(crate) fn ready(&self, locals: &[Local]) {
        let list: Vec<_> = locals.iter().map(|local| local.descriptor.replace('\n', " ")).collect();
        self.tell(&format!("READY=1\nSTATUS=listening on {}", list.join(", ")));
    }

    /// We take no more connections.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping; sessions may go on for the grace period");
    }

    /// Sends signs of life, twice as often as expected, for ever: a runtime that hangs sends none.
    pub(crate) async fn watchdog(self) {
        let (Some(_), Some(time)) = (&self.socket, self.watchdog) else { return };
        let mut ticks = interval(time / 2);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.tell("WATCHDOG=1");
        }
    }

    /// Sends a message; errors are ignored, as there is no place to report them.
    fn tell(&self, text: &str) {
        if let Some(socket) = &self.socket {
            let _ = socket.send(text.as_bytes());
        }
    }
}

/// A path, or `@name` of the abstract namespace.
fn open(path: &OsStr) -> io::Result<UnixDatagram> {
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
