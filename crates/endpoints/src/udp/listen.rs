//! Listening.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use descriptor::{Code, Diagnostic};
use endpoint::{Accept, Context, Error, ErrorKind, Exposure, Listener, Local, Result, describe};
use plan::kind::{Args, Planned};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Type};
use tokio::net::UdpSocket;

use super::options::Options;
use super::socket::Shared;
use crate::datagram::accepting::Accepting;
use crate::datagram::table::Limits;
use crate::destination::Family;
use crate::destination::Host;

/// A port to listen on.
#[derive(Debug)]
struct Listen {
    descriptor: String,
    port: u16,
    interface: Host,
    limits: Limits,
    groups: Vec<Group>,
    reuseport: bool,
    pktinfo: bool,
    options: Options,
}

/// A multicast group, and the interface to join it on.
#[derive(Debug)]
struct Group {
    address: IpAddr,
    on: On,
}

#[derive(Debug)]
enum On {
    Any,
    Address(Ipv4Addr),
    Named(String),
}

pub(super) fn plan(args: &Args) -> Planned<Box<dyn Listener>> {
    let mut mistakes = Vec::new();
    let interface = Host::read(args, "interface", Family::Any).map_err(|d| mistakes.push(d));
    let groups = groups(args).map_err(|d| mistakes.push(d));
    let (Ok(interface), Ok(groups)) = (interface, groups) else { return Err(mistakes) };
    let size = |name| args.int(name).and_then(|size| usize::try_from(size).ok());
    Ok(Box::new(Listen {
        descriptor: args.descriptor.clone(),
        port: args.port("port"),
        interface: interface.unwrap_or_else(|| Host::new("0.0.0.0")),
        limits: Limits {
            peers: size("max-peers").expect("`max-peers` has a default"),
            idle: args.duration("idle").filter(|idle| *idle > Duration::ZERO),
            message: size("max-message").unwrap_or(usize::MAX),
        },
        groups,
        reuseport: args.flag("reuseport"),
        pktinfo: args.flag("pktinfo"),
        options: Options::read(args),
    }))
}

/// `GROUP`, `GROUP,INTERFACE`, and several of them.
fn groups(args: &Args) -> std::result::Result<Vec<Group>, Diagnostic> {
    let mut groups: Vec<Group> = Vec::new();
    for word in args.list("multicast") {
        let text = word.trim_start_matches('[').trim_end_matches(']');
        let address = text.parse::<IpAddr>().ok();
        match (address, groups.last_mut()) {
            (Some(address), _) if address.is_multicast() => {
                groups.push(Group { address, on: On::Any });
            }
            (
                Some(IpAddr::V4(address)),
                Some(Group { address: IpAddr::V4(_), on: on @ On::Any }),
            ) => {
                *on = On::Address(address);
            }
            (None, Some(Group { on: on @ On::Any, .. })) => *on = On::Named(word.clone()),
            _ => {
                let message = format!(
                    "`multicast` must be a group such as `239.1.2.3` or `ff02::123`, and `{word}` is not one"
                );
                let help = "write the interface after its group: `multicast={239.1.2.3,eth0}`";
                return Err(args.mistake("multicast", Code::BadValue, message).help(help));
            }
        }
    }
    Ok(groups)
}

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let address = self.address(cx).await?;
        let socket = self.open(address).map_err(|cause| self.explain(address, cause))?;
        for group in &self.groups {
            group.join(&socket).map_err(|cause| {
                let words = format!("cannot join `{}`: {}", group.address, describe(&cause));
                Error::new(ErrorKind::NotFound, "bind", &*self.descriptor, words)
                    .with_hint("name an interface that supports multicast; `ip address` lists them")
            })?;
        }
        let shared = || {
            let socket = UdpSocket::from_std(socket.into())?;
            let local = socket.local_addr()?;
            Ok((Shared::new(socket, self.pktinfo)?, local))
        };
        let (shared, local) = shared().map_err(|cause| self.explain(address, cause))?;
        let local = Local::new(format!("udp:{local}")).at(local);
        Ok(Box::new(Accepting::begin(shared, local, self.limits, cx.clock().clone(), None)))
    }

    fn exposure(&self) -> Exposure {
        let is_ours = self.interface.is_loopback() && self.groups.is_empty();
        if is_ours { Exposure::Loopback } else { Exposure::Public }
    }
}

impl Listen {
    /// The one address to listen on; of a name with addresses of both families, an IPv4 one.
    async fn address(&self, cx: &Context) -> Result<SocketAddr> {
        let interface = &self.interface;
        let unknown = |words: String| {
            Error::new(ErrorKind::NotFound, "bind", &*self.descriptor, words)
                .with_hint("give an address of this machine; `ip address` lists them")
        };
        let found = interface.resolve(cx, self.port).await.map_err(|cause| {
            unknown(format!("cannot resolve `{interface}`: {}", describe(&cause)))
        })?;
        let first = found.into_iter().min_by_key(SocketAddr::is_ipv6);
        first.ok_or_else(|| unknown(format!("`{interface}` has no address")))
    }

    fn open(&self, address: SocketAddr) -> io::Result<socket2::Socket> {
        let domain = Domain::for_address(address);
        let socket = socket2::Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        self.options.apply(&socket, address.is_ipv4())?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        if self.reuseport {
            socket.set_reuse_port(true)?;
        }
        if !self.groups.is_empty() {
            // Several programs on one machine may listen to a group.
            socket.set_reuse_address(true)?;
        }
        socket.bind(&address.into())?;
        Ok(socket)
    }

    fn explain(&self, address: SocketAddr, cause: io::Error) -> Error {
        let hint = match cause.kind() {
            io::ErrorKind::AddrInUse => format!(
                "another program uses this port; choose another one, or find the program with `ss -lunp 'sport = \
                 :{}'`",
                address.port()
            ),
            io::ErrorKind::AddrNotAvailable => format!(
                "no interface of this machine has the address {}; `ip address` lists them",
                address.ip()
            ),
            io::ErrorKind::PermissionDenied if address.port() < 1024 => {
                "ports below 1024 need a privilege; choose one from 1024 on, or grant CAP_NET_BIND_SERVICE"
                    .to_owned()
            }
            _ => return Error::from_io("bind", &*self.descriptor, cause),
        };
        Error::from_io("bind", &*self.descriptor, cause).with_hint(hint)
    }
}

impl Group {
    fn join(&self, socket: &socket2::Socket) -> io::Result<()> {
        let index = |name: &str| nix::net::if_::if_nametoindex(name).map_err(io::Error::from);
        match (self.address, &self.on) {
            (IpAddr::V4(group), On::Any) => {
                socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)
            }
            (IpAddr::V4(group), On::Address(address)) => socket.join_multicast_v4(&group, address),
            (IpAddr::V4(group), On::Named(name)) => {
                socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(index(name)?))
            }
            (IpAddr::V6(group), On::Named(name)) => socket.join_multicast_v6(&group, index(name)?),
            (IpAddr::V6(group), _) => socket.join_multicast_v6(&group, 0),
        }
    }
}
