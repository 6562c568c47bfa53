//! Options of the system's sockets, for all kinds that have sockets.
//!
//! An option that the system refuses is an error that names it, where it is set first: when a listener is bound, or a
//! connection is opened.

mod params;

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use descriptor::{Code, Diagnostic};
use endpoint::describe;
use plan::kind::{Args, Value, ValueKind};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

pub(crate) use self::params::*;
use crate::sockopt::{set_fastopen, set_rto_max};

/// The options to set on a socket. A parameter that a kind doesn't have keeps the system's default.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Options {
    nodelay: bool,
    keepalive: Keepalive,
    interval: Option<Duration>,
    probes: u32,
    user_timeout: Option<Duration>,
    send_buffer: Option<usize>,
    receive_buffer: Option<usize>,
    mark: Option<u32>,
    tos: Option<u32>,
    device: Option<String>,
    freebind: bool,
    transparent: bool,
    fastopen: bool,
    mptcp: bool,
    congestion: Option<String>,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(test, derive(Default))]
enum Keepalive {
    #[cfg_attr(test, default)]
    Off,
    /// Probes with the system's intervals.
    System,
    After(Duration),
}

impl Options {
    /// Reads those that the kind has.
    pub(crate) fn read(args: &Args) -> Result<Self, Diagnostic> {
        let number = |param: &str| args.int(param).and_then(|number| u32::try_from(number).ok());
        let size = |param: &str| args.int(param).and_then(|size| usize::try_from(size).ok());
        let text =
            |param: &str| args.text(param).filter(|text| !text.is_empty()).map(str::to_owned);
        let time = |param: &str| args.duration(param).filter(|time| !time.is_zero());
        let keepalive = match args.text(KEEPALIVE.name).unwrap_or("off") {
            "off" | "false" | "no" => Keepalive::Off,
            "on" | "true" | "yes" => Keepalive::System,
            text => match Value::read(ValueKind::Duration, text) {
                // tcp(7): TCP_KEEPIDLE is whole seconds, from 1 to 32767.
                Some(Value::Duration(time)) if is_probe_time(time) => Keepalive::After(time),
                _ => {
                    let message = "`keepalive` must be `off`, `on` or a time from 1 s to 32767 s";
                    return Err(args.mistake(KEEPALIVE.name, Code::BadValue, message));
                }
            },
        };
        let interval = args.duration(KEEPALIVE_INTERVAL.name);
        if interval.is_some_and(|interval| !is_probe_time(interval)) {
            let message = "`keepalive-interval` must be from 1 s to 32767 s";
            return Err(args.mistake(KEEPALIVE_INTERVAL.name, Code::BadValue, message));
        }
        if let Some(name) = [SEND_BUFFER.name, RECEIVE_BUFFER.name]
            .into_iter()
            .find(|name| args.int(name).is_some_and(|size| size == 0 || size > MOST))
        {
            let message = format!("`{name}` must be more than 0 and at most 1G");
            return Err(args.mistake(name, Code::BadValue, message));
        }
        if text(DEVICE.name).is_some_and(|device| device.len() > 15) {
            let message = "`device` must be the name of a network interface, of at most 15 bytes";
            return Err(args.mistake(DEVICE.name, Code::BadValue, message));
        }
        Ok(Self {
            nodelay: args.flag(NODELAY.name),
            keepalive,
            interval,
            probes: number(KEEPALIVE_COUNT.name).unwrap_or(PROBES),
            user_timeout: time(USER_TIMEOUT.name),
            send_buffer: size(SEND_BUFFER.name),
            receive_buffer: size(RECEIVE_BUFFER.name),
            mark: number(MARK.name),
            tos: number(TOS.name),
            device: text(DEVICE.name),
            freebind: args.flag(FREEBIND.name),
            transparent: args.flag(TRANSPARENT.name),
            fastopen: args.flag(FASTOPEN.name),
            mptcp: args.flag(MPTCP.name),
            congestion: text(CONGESTION.name),
        })
    }

    /// Opens a TCP socket that doesn't block, with everything that has to be set before it is bound or connected.
    ///
    /// # Errors
    /// With the option's name, if the system refuses one.
    pub(crate) fn open(&self, domain: Domain) -> io::Result<Socket> {
        let protocol = if self.mptcp { Protocol::MPTCP } else { Protocol::TCP };
        let opened = Socket::new(domain, Type::STREAM.nonblocking(), Some(protocol));
        let socket = match opened {
            Err(cause) if self.mptcp => return Err(refused("mptcp", &cause)),
            opened => opened?,
        };
        let is_v4 = domain == Domain::IPV4;
        self.set_buffers(&socket)?;
        if let Some(device) = &self.device {
            named("device", socket.bind_device(Some(device.as_bytes())))?;
        }
        if self.freebind {
            let set = if is_v4 { Socket::set_freebind_v4 } else { Socket::set_freebind_v6 };
            named("freebind", set(&socket, true))?;
        }
        if self.transparent {
            let set =
                if is_v4 { Socket::set_ip_transparent_v4 } else { Socket::set_ip_transparent_v6 };
            named("transparent", set(&socket, true))?;
        }
        self.set_packets(&socket, domain)?;
        if let Some(congestion) = &self.congestion {
            named("congestion", socket.set_tcp_congestion(congestion.as_bytes()))?;
        }
        Ok(socket)
    }

    /// Sets what is for a socket that is bound and will be listened on.
    ///
    /// # Errors
    /// As of [`Options::open`].
    pub(crate) fn before_listening(&self, socket: &Socket, backlog: i32) -> io::Result<()> {
        if self.fastopen {
            named("fastopen", set_fastopen(socket.as_fd(), backlog.max(1)))?;
        }
        // Its connections have it from it; what can't be had is known at once.
        self.set_connection(socket)
    }

    /// Sets what a connection doesn't have from its listener, if it was prepared by [`Options::before_listening`].
    ///
    /// Linux copies a listener's options to its connections; with Multipath TCP to some of its sockets alone.
    ///
    /// # Errors
    /// As of [`Options::open`].
    pub(crate) fn set_accepted(&self, socket: &impl AsFd) -> io::Result<()> {
        if self.mptcp { self.set_connection(socket) } else { Ok(()) }
    }

    /// Sets what is for a connection; options that are off in a new socket stay as they are.
    ///
    /// # Errors
    /// As of [`Options::open`].
    pub(crate) fn set_connection(&self, socket: &impl AsFd) -> io::Result<()> {
        let fd = socket.as_fd();
        let socket = SockRef::from(&fd);
        if self.nodelay {
            socket.set_tcp_nodelay(true)?;
        }
        if let Some(time) = self.user_timeout {
            named("user-timeout", socket.set_tcp_user_timeout(Some(time)))?;
        }
        match self.keepalive {
            Keepalive::Off => return Ok(()),
            Keepalive::System => socket.set_keepalive(true)?,
            Keepalive::After(time) => {
                let interval = self.interval.unwrap_or_else(|| time.min(PROBE));
                let keepalive = TcpKeepalive::new()
                    .with_time(time)
                    .with_interval(interval)
                    .with_retries(self.probes);
                named("keepalive", socket.set_tcp_keepalive(&keepalive))?;
            }
        }
        // A kernel that doesn't have it probes a peer that takes nothing at ever longer intervals, up to two minutes.
        let _ = set_rto_max(fd, LONGEST);
        Ok(())
    }

    /// Sets the buffers of a socket of any family.
    ///
    /// # Errors
    /// As of [`Options::open`], also if the system gives less.
    pub(crate) fn set_buffers(&self, socket: &impl AsFd) -> io::Result<()> {
        let fd = socket.as_fd();
        let socket = SockRef::from(&fd);
        let less = |option: &str, limit: &str| {
            let words = format!("the system limits `{option}` to the value of {limit}");
            io::Error::new(io::ErrorKind::PermissionDenied, words)
        };
        if let Some(size) = self.send_buffer {
            named(SEND_BUFFER.name, socket.set_send_buffer_size(size))?;
            // socket(7): twice as much, for its own use.
            if socket.send_buffer_size()? / 2 < size {
                return Err(less(SEND_BUFFER.name, "net.core.wmem_max"));
            }
        }
        if let Some(size) = self.receive_buffer {
            named(RECEIVE_BUFFER.name, socket.set_recv_buffer_size(size))?;
            if socket.recv_buffer_size()? / 2 < size {
                return Err(less(RECEIVE_BUFFER.name, "net.core.rmem_max"));
            }
        }
        Ok(())
    }

    /// Sets what packets have: of a socket of the internet.
    ///
    /// # Errors
    /// As of [`Options::open`].
    pub(crate) fn set_packets(&self, socket: &impl AsFd, domain: Domain) -> io::Result<()> {
        let fd = socket.as_fd();
        let socket = SockRef::from(&fd);
        if let Some(mark) = self.mark {
            named("mark", socket.set_mark(mark))?;
        }
        if let Some(tos) = self.tos {
            if domain == Domain::IPV6 {
                named("tos", socket.set_tclass_v6(tos))?;
            }
            // Of a socket of IPv6, for its IPv4 peers.
            named("tos", socket.set_tos_v4(tos))?;
        }
        Ok(())
    }
}

fn is_probe_time(time: Duration) -> bool {
    (1..=32767).contains(&time.as_secs())
}

fn named(option: &str, done: io::Result<()>) -> io::Result<()> {
    done.map_err(|cause| refused(option, &cause))
}

fn refused(option: &str, cause: &io::Error) -> io::Error {
    let words = format!("the system rejects `{option}`: {}", describe(cause));
    io::Error::new(cause.kind(), words)
}

/// Between two probes, and how many of them stay unanswered: 20 s, as a WebSocket's `pong-timeout`.
const PROBE: Duration = Duration::from_secs(5);
const PROBES: u32 = 4;

/// The longest time between two attempts to have something acknowledged.
const LONGEST: Duration = Duration::from_secs(15);

/// The maximum size of a buffer.
const MOST: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_has_the_options_of_its_listener() {
        let options = Options {
            nodelay: true,
            keepalive: Keepalive::After(Duration::from_secs(25)),
            interval: Some(Duration::from_secs(5)),
            probes: 4,
            user_timeout: Some(Duration::from_secs(9)),
            send_buffer: None,
            receive_buffer: None,
            mark: None,
            tos: None,
            device: None,
            freebind: false,
            transparent: false,
            fastopen: false,
            mptcp: false,
            congestion: None,
        };
        let socket = options.open(Domain::IPV4).expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any.into()).expect("it is bound");
        options.before_listening(&socket, 1).expect("options of Linux");
        socket.listen(1).expect("it listens");
        socket.set_nonblocking(false).expect("it may block");
        let listener = TcpListener::from(socket);
        let _client = TcpStream::connect(listener.local_addr().expect("an address"));
        let (accepted, _) = listener.accept().expect("a connection");
        options.set_accepted(&accepted).expect("nothing is left to do");
        let accepted = SockRef::from(&accepted);
        assert!(accepted.tcp_nodelay().expect("known") && accepted.keepalive().expect("known"));
        assert_eq!(accepted.tcp_keepalive_time().expect("known"), Duration::from_secs(25));
        assert_eq!(accepted.tcp_keepalive_interval().expect("known"), Duration::from_secs(5));
        assert_eq!(accepted.tcp_keepalive_retries().expect("known"), 4);
        assert_eq!(accepted.tcp_user_timeout().expect("known"), Some(Duration::from_secs(9)));
    }
}
