//! The destination of a connection: a host and a port, as they were typed or as a client's facts fill them, and the
//! permitted addresses.
//!
//! 1. [`host`] and [`service`] are what is typed, [`family`] restricts it;
//! 2. [`lookups`] resolves names;
//! 3. [`allow`] decides about each address; [`special`] recognizes those that belong to this machine or network;
//! 4. [`sugar`] is short spellings, [`via`] what the URL of a proxy stands for.

mod allow;
mod family;
mod host;
mod lookups;
pub(crate) mod service;
mod special;
pub(crate) mod sugar;
pub(crate) mod via;

use std::io;
use std::net::SocketAddr;

use descriptor::{Code, Diagnostic, Template};
use endpoint::info::{Restriction, Target};
use endpoint::{Context, Error, ErrorKind, Grants, Info, Result, describe};
use plan::kind::{Args, Planned};
use tracing::info;

pub(crate) use self::allow::{ALLOW, Allow};
pub(crate) use self::family::Family;
pub(crate) use self::host::{Host, address};
pub(crate) use self::service::Service;

/// A host and a port to go to, planned: the parameters `host`, `port` and `allow`.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    host: Typed<Host>,
    port: Typed<Service>,
    family: Family,
    allow: Option<Allow>,
}

/// Something that was typed, or that is filled in for each client.
#[derive(Clone, Debug)]
enum Typed<T> {
    Known(T),
    Filled(Template),
}

impl Destination {
    /// Reads the parameters.
    pub(crate) fn read(args: &Args, family: Family) -> Planned<Self> {
        let mut found = Vec::new();
        let allow = Allow::read(args).map_err(|mistake| found.push(mistake)).ok().flatten();
        let host = match args.filled("host") {
            Some(template) => Some(Typed::Filled(template.clone())),
            None => match Host::read(args, "host", family) {
                Ok(Some(host)) => Some(Typed::Known(host)),
                Ok(None) => {
                    found.push(args.mistake("host", Code::BadValue, "`host` is empty"));
                    None
                }
                Err(mistake) => {
                    found.push(mistake);
                    None
                }
            },
        };
        let port = match args.filled("port") {
            Some(template) => Typed::Filled(template.clone()),
            None => Typed::Known(Service::new(args.text("port").unwrap_or_default())),
        };
        let is_filled = |name: &&&str| args.filled(name).is_some();
        if let Some(name) = ["host", "port"].iter().find(is_filled)
            && !args.is_given(ALLOW.name)
        {
            found.push(needs_allow(args, name));
        }
        match host {
            Some(host) if found.is_empty() => Ok(Self { host, port, family, allow }),
            _ => Err(found),
        }
    }

    /// Returns the host, if it doesn't depend on the client.
    pub(crate) fn known_host(&self) -> Option<&Host> {
        match &self.host {
            Typed::Known(host) => Some(host),
            Typed::Filled(_) => None,
        }
    }

    /// Returns the port as it was typed, if it doesn't depend on the client.
    pub(crate) fn known_port(&self) -> Option<&Service> {
        match &self.port {
            Typed::Known(port) => Some(port),
            Typed::Filled(_) => None,
        }
    }

    /// Returns the access that it grants.
    pub(crate) fn grants(&self) -> Grants {
        let is_known = matches!((&self.host, &self.port), (Typed::Known(_), Typed::Known(_)));
        if is_known { Grants::Service } else { Grants::Network }
    }

    /// Refuses a client that asks for datagrams where connections are made, or the other way round.
    ///
    /// # Errors
    /// That is so.
    pub(crate) fn check_network(info: &Info, datagrams: bool, label: &str) -> Result<()> {
        match info.get::<Target>() {
            Some(asked) if asked.datagrams != datagrams => {
                let words = match datagrams {
                    true => {
                        "the client requests a connection, but this destination sends datagrams"
                    }
                    false => "the client requests datagrams, but this destination is a connection",
                };
                let error = error(ErrorKind::Forbidden, label, words.to_owned());
                Err(error.with_hint("`target:` supports both"))
            }
            _ => Ok(()),
        }
    }

    /// Returns `true` if names are resolved here in any case, because the restrictions are about addresses.
    pub(crate) fn is_restricted(&self, place: &Place) -> bool {
        self.allow.is_some() || place.restriction.is_some()
    }

    /// Returns the host and port for a client. `label` is the endpoint's, for errors.
    ///
    /// # Errors
    /// A fact is missing, or what it fills in is no host or no port.
    pub(crate) async fn of(&self, info: &Info, label: &str) -> Result<Place> {
        let fact = |root: &str, name: &str| info.lookup(root, name);
        let fill = |template: &Template| {
            let filled = template.fill(&fact);
            filled.map_err(|missing| error(ErrorKind::NotFound, label, missing.to_string()))
        };
        let host = match &self.host {
            Typed::Known(host) => host.clone(),
            Typed::Filled(template) => {
                let text = fill(template)?;
                Host::filled(&text).ok_or_else(|| {
                    let words =
                        format!("the client requests `{}`, which is not a host", shown(&text));
                    error(ErrorKind::Forbidden, label, words)
                })?
            }
        };
        let port = match &self.port {
            Typed::Known(service) => service.port().await.map_err(|_| {
                let words = format!("there is no service `{service}` in {}", service::TABLE);
                error(ErrorKind::NotFound, label, words).with_hint("give the number of the port")
            })?,
            Typed::Filled(template) => {
                let text = fill(template)?;
                let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
                let port = is_number.then(|| text.parse().ok()).flatten();
                port.filter(|port| *port > 0).ok_or_else(|| {
                    let words =
                        format!("the client requests `{}`, which is not a port", shown(&text));
                    error(ErrorKind::Forbidden, label, words)
                })?
            }
        };
        if self.grants() == Grants::Network {
            info!("the client requests {host}, port {port}");
        }
        Ok(Place { host, port, restriction: info.get::<Restriction>().cloned() })
    }

    /// Returns the addresses to dial: those of the family, and of them those that are allowed.
    ///
    /// # Errors
    /// The name is unknown, it has no such address, or none that is allowed.
    pub(crate) async fn addresses(
        &self,
        cx: &Context,
        place: &Place,
        label: &str,
    ) -> Result<Vec<SocketAddr>> {
        let Place { host, port, restriction } = place;
        let found = host.resolve(cx, *port).await.map_err(|cause| {
            if cause.kind() == io::ErrorKind::QuotaExceeded {
                return Error::from_io("connect", label, cause)
                    .with_hint("the name server is slow or doesn't answer; give an address");
            }
            let cause = describe(&cause);
            // Rust's own words in front of the resolver's only repeat ours.
            let cause = cause.strip_prefix(LOOKUP).unwrap_or(&cause);
            let words = format!("cannot resolve the name `{host}`: {cause}");
            error(ErrorKind::NotFound, label, words)
                .with_hint("check the spelling, or give an address")
        })?;
        let mut usable: Vec<_> =
            found.into_iter().filter(|address| self.family.takes(address.ip())).collect();
        if usable.is_empty() {
            let words = format!("`{host}` doesn't have {}", self.family.noun());
            return Err(error(ErrorKind::NotFound, label, words));
        }
        let host_name = host.to_string();
        let admits = |address: &SocketAddr| {
            let (address, host) = (address.ip(), &*host_name);
            self.allow.as_ref().is_none_or(|allow| allow.admits(host, address, *port))
                && restriction.as_ref().is_none_or(|it| it.admits(host, address, *port))
        };
        let refused = usable.first().copied();
        usable.retain(admits);
        if let (true, Some(refused)) = (usable.is_empty(), refused) {
            let shown = refused.ip().to_canonical();
            let words = match host.address() {
                Some(_) => format!("`allow` doesn't permit {shown}, port {port}"),
                None => format!("`allow` doesn't permit `{host}`, which is {shown}, port {port}"),
            };
            return Err(error(ErrorKind::Forbidden, label, words));
        }
        Ok(usable)
    }
}

/// The destination of one client.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) host: Host,
    pub(crate) port: u16,
    /// The permitted addresses of a route.
    restriction: Option<Restriction>,
}

/// A destination that contains a client's facts needs an allow-list.
fn needs_allow(args: &Args, name: &str) -> Diagnostic {
    let message = format!(
        "`{name}` contains facts that a client chooses, and no parameter limits the destinations"
    );
    let mistake = args.mistake(name, Code::TemplateRefused, message);
    mistake.help("set `allow=`: `allow={*.example.com:443,10.0.0.0/8}`, or `allow=*` for all public addresses")
}

fn error(kind: ErrorKind, label: &str, words: String) -> Error {
    Error::new(kind, "connect", label, words)
}

/// A client's words, cut and without what a terminal would take for orders.
fn shown(text: &str) -> String {
    text.chars().take(100).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The beginning of the message of a lookup that fails, in `std`.
const LOOKUP: &str = "failed to lookup address information: ";
