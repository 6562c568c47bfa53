//! Options of a TCP connection, the same on both sides.

use std::io;
use std::time::Duration;

use descriptor::Diagnostic;
use endpoint::kind::{Args, Param, Value, ValueKind};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

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
        let keepalive = match args.text(KEEPALIVE.name).unwrap_or("off") {
            "off" | "false" | "no" => Keepalive::Off,
            "on" | "true" | "yes" => Keepalive::System,
            text => match Value::read(ValueKind::Duration, text) {
                // tcp(7): TCP_KEEPIDLE is whole seconds, from 1 to 32767.
                Some(Value::Duration(time)) if (1..=32767).contains(&time.as_secs()) => {
                    Keepalive::After(time)
                }
                _ => {
                    let message = "`keepalive` must be `off`, `on` or a time from 1 s to 32767 s";
                    return Err(args.mistake(KEEPALIVE.name, "bad-value", message));
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
            Keepalive::Off => Ok(()),
            Keepalive::System => socket.set_keepalive(true),
            Keepalive::After(time) => {
                // Linux probes nine times, every 75 seconds. Who asks for less than that wants to
                // know sooner.
                let interval = time.min(Duration::from_secs(75));
                let keepalive = TcpKeepalive::new().with_time(time).with_interval(interval);
                socket.set_tcp_keepalive(&keepalive)
            }
        }
    }
}

pub(super) const NODELAY: Param = Param::new(
    "nodelay",
    ValueKind::Bool,
    "Whether small pieces are sent at once rather than collected (TCP_NODELAY in tcp(7)).",
)
.default("true");

pub(super) const KEEPALIVE: Param = Param::new(
    "keepalive",
    ValueKind::Text,
    "Whether a silent peer is probed, so that one that vanished is noticed: `off`, `on` with the \
     system's times, or after how long (SO_KEEPALIVE and TCP_KEEPIDLE in tcp(7)).",
)
.default("off");
