//! Options of a TCP connection, the same on both sides.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use descriptor::{Code, Diagnostic};
use plan::kind::{Args, Param, Topic, Value, ValueKind};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::sockopt::set_rto_max;

/// Options that every connection gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    nodelay: bool,
    keepalive: Keepalive,
}

#[derive(Clone, Copy, Debug)]
enum Keepalive {
    Off,
    /// With the system's times.
    System,
    After(Duration),
}

impl Options {
    /// Reads them.
    pub(super) fn read(args: &Args) -> Result<Self, Diagnostic> {
        let nodelay = args.flag(NODELAY.name);
        let keepalive = match args.text(KEEPALIVE.name).unwrap_or("25") {
            "off" | "false" | "no" => Keepalive::Off,
            "on" | "true" | "yes" => Keepalive::System,
            text => match Value::read(ValueKind::Duration, text) {
                // tcp(7): TCP_KEEPIDLE is whole seconds, from 1 to 32767.
                Some(Value::Duration(time)) if (1..=32767).contains(&time.as_secs()) => {
                    Keepalive::After(time)
                }
                _ => {
                    let message = "`keepalive` must be `off`, `on` or a time from 1 s to 32767 s";
                    return Err(args.mistake(KEEPALIVE.name, Code::BadValue, message));
                }
            },
        };
        Ok(Self { nodelay, keepalive })
    }

    /// Sets them.
    pub(super) fn apply(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(self.nodelay)?;
        let socket = SockRef::from(stream);
        match self.keepalive {
            Keepalive::Off => return Ok(()),
            Keepalive::System => socket.set_keepalive(true)?,
            Keepalive::After(time) => {
                let interval = time.min(PROBE);
                let keepalive = TcpKeepalive::new()
                    .with_time(time)
                    .with_interval(interval)
                    .with_retries(PROBES);
                socket.set_tcp_keepalive(&keepalive)?;
            }
        }
        // A kernel that doesn't have it probes a peer that takes nothing at ever longer intervals, up to two minutes.
        let _ = set_rto_max(stream.as_fd(), LONGEST);
        Ok(())
    }
}

pub(super) const NODELAY: Param = Param::new(
    "nodelay",
    ValueKind::Bool,
    "Whether small pieces are sent at once rather than collected (TCP_NODELAY in tcp(7)).",
)
.topic(Topic::Socket)
.default("true");

pub(super) const KEEPALIVE: Param = Param::new(
    "keepalive",
    ValueKind::Text,
    "Probe a silent peer after this long, so that one that vanished is noticed: four probes, 5 s \
     apart. `on` probes at the system's times, `off` never. A peer that doesn't acknowledge what it \
     was sent is given up after 45 s, unless this is `off` (SO_KEEPALIVE and TCP_KEEPIDLE in tcp(7)).",
).topic(Topic::Socket)
.default("25");

/// Between two probes, and how many of them stay unanswered: 20 s, as a WebSocket's `pong-timeout`.
const PROBE: Duration = Duration::from_secs(5);
const PROBES: u32 = 4;

/// The longest time between two attempts to have something acknowledged.
const LONGEST: Duration = Duration::from_secs(15);
