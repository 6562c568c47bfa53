//! Listening.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use descriptor::Diagnostic;
use endpoint::info::Tcp;
use endpoint::{
    Accept, Context, Error, ErrorKind, Exposure, Incoming, Info, Listener, Local, Offer, Result,
    describe,
};
use plan::kind::{Args, Planned};
use socket2::Domain;
use tokio::net::{TcpListener, TcpStream};
use tracing::debug;

use crate::arrived::Arrived;
use crate::destination::{Family, Host};
use crate::options::Options;
use crate::own;
use crate::wary::Screen;

/// A port to listen on.
#[derive(Debug)]
struct Listen {
    kind: String,
    descriptor: String,
    family: Family,
    port: u16,
    interface: Host,
    backlog: i32,
    reuseport: bool,
    /// Set if sessions that a browser begins are refused in front of a program.
    refuses_pages: bool,
    options: Options,
}

pub(super) fn plan(args: &Args, family: Family) -> Planned<Box<dyn Listener>> {
    let mut mistakes: Vec<Diagnostic> = Vec::new();
    let interface = Host::read(args, "interface", family).map_err(|d| mistakes.push(d));
    let options = Options::read(args).map_err(|d| mistakes.push(d));
    let (Ok(interface), Ok(options)) = (interface, options) else { return Err(mistakes) };
    let any = if family == Family::V6 { "::" } else { "0.0.0.0" };
    let backlog = args.int("backlog").and_then(|backlog| i32::try_from(backlog).ok());
    Ok(Box::new(Listen {
        kind: args.called.clone(),
        descriptor: args.descriptor.clone(),
        family,
        port: args.port("port"),
        interface: interface.unwrap_or_else(|| Host::new(any)),
        backlog: backlog.expect("`backlog` has a default and is at most 65535"),
        reuseport: args.flag("reuseport"),
        refuses_pages: args.text("web-pages") != Some("allow"),
        options,
    }))
}

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let address = self.address(cx).await?;
        let listener = self.open(address).map_err(|cause| self.explain(address, cause))?;
        let address = listener.local_addr().map_err(|cause| self.explain(address, cause))?;
        own::listens(cx, address);
        let name = format!("{}:{address}", self.kind);
        Ok(Box::new(Accepting {
            screen: self.refuses_pages.then(|| Screen::new(&*name)),
            local: Local::new(name).at(address),
            address,
            listener,
            options: self.options.clone(),
        }))
    }

    fn exposure(&self) -> Exposure {
        if self.interface.is_loopback() { Exposure::Loopback } else { Exposure::Public }
    }
}

impl Listen {
    /// Returns the one address to listen on. If a name has addresses of both families, IPv4 is
    /// preferred unless only IPv6 may be used: `tcp` listens on IPv4 by default, too.
    async fn address(&self, cx: &Context) -> Result<SocketAddr> {
        let interface = &self.interface;
        let unknown = |words: String| {
            Error::new(ErrorKind::NotFound, "bind", &*self.descriptor, words)
                .with_hint("give an address of this machine; `ip address` lists them")
        };
        let found = interface.resolve(cx, self.port).await.map_err(|cause| {
            unknown(format!("cannot resolve `{interface}`: {}", describe(&cause)))
        })?;
        let mut found: Vec<_> =
            found.into_iter().filter(|address| self.family.takes(address.ip())).collect();
        found.sort_by_key(SocketAddr::is_ipv6);
        let none = || unknown(format!("`{interface}` has no {}", &self.family.noun()[3..]));
        found.first().copied().ok_or_else(none)
    }

    fn open(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = self.options.open(Domain::for_address(address))?;
        if address.is_ipv6() && address.ip().is_unspecified() {
            // A descriptor means the same everywhere, whatever value /proc/sys/net/ipv6/bindv6only has.
            socket.set_only_v6(false)?;
        }
        // A restart doesn't wait for the old connections' TIME-WAIT.
        socket.set_reuse_address(true)?;
        if self.reuseport {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&address.into())?;
        self.options.before_listening(&socket, self.backlog)?;
        socket.listen(self.backlog)?;
        TcpListener::from_std(socket.into())
    }

    fn explain(&self, address: SocketAddr, cause: io::Error) -> Error {
        // An option was refused, and is named.
        if cause.get_ref().is_some() {
            return Error::from_io("bind", &*self.descriptor, cause);
        }
        let port = address.port();
        let hint = match cause.kind() {
            io::ErrorKind::AddrInUse => format!(
                "another program listens on this port; choose another one, or find the program with `ss -ltnp 'sport \
                 = :{port}'`"
            ),
            io::ErrorKind::AddrNotAvailable => format!(
                "no interface of this machine has the address {}; `ip address` lists them",
                address.ip()
            ),
            io::ErrorKind::PermissionDenied if port < 1024 => {
                "ports below 1024 need a privilege; choose one from 1024 on, or grant CAP_NET_BIND_SERVICE"
                    .to_owned()
            }
            _ => return Error::from_io("bind", &*self.descriptor, cause),
        };
        Error::from_io("bind", &*self.descriptor, cause).with_hint(hint)
    }
}

struct Accepting {
    local: Local,
    screen: Option<Screen>,
    address: SocketAddr,
    listener: TcpListener,
    options: Options,
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        let (stream, peer) = self
            .listener
            .accept()
            .await
            .map_err(|cause| Error::from_io("accept", &*self.local.descriptor, cause))?;
        if let Err(error) = self.options.set_accepted(&stream) {
            // It is reset already; the session will see that.
            debug!("cannot set options of the connection from {peer}: {error}");
        }
        let local = stream.local_addr().unwrap_or(self.address);
        let info = Info::new().with(fact(local, peer));
        let arrived = Arrived::<TcpStream>::new(stream, info.clone());
        let offer = Offer::new(info, arrived.screened_by(self.screen.clone()));
        Ok(Some(Incoming::ready(offer)))
    }
}

/// The addresses of both ends. IPv4 peers of a dual-stack socket are shown as such, not as
/// `::ffff:192.0.2.1`: allow-lists and logs use that form.
pub(super) fn fact(local: SocketAddr, peer: SocketAddr) -> Tcp {
    let plain = |address: SocketAddr| match address.ip().to_canonical() {
        ip if ip.is_ipv4() => SocketAddr::new(ip, address.port()),
        // The zone of a link-local address stays.
        _ => address,
    };
    Tcp { local: plain(local), peer: plain(peer) }
}
