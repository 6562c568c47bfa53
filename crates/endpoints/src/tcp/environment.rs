//! `via=environment`: the proxy that `HTTPS_PROXY` or `ALL_PROXY` names, unless `NO_PROXY` has the destination's host.
//!
//! The variables are curl's, the lower-case ones first. `HTTP_PROXY` is for plain HTTP requests, which aren't made here.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use descriptor::{Descriptor, Syntax, Text};
use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info, Result};
use ipnet::IpNet;
use plan::Registry;
use plan::kind::Args;

use super::via;
use crate::destination::{Destination, Host};

/// A destination that is reached directly or through what the environment names.
pub(super) struct FromEnvironment {
    label: String,
    destination: Destination,
    direct: Box<dyn Connector>,
    registry: Registry,
    /// The last proxy, planned: the environment doesn't change.
    planned: Mutex<Option<(String, Arc<dyn Connector>)>>,
}

impl FromEnvironment {
    pub(super) fn new(args: &Args, destination: Destination, direct: Box<dyn Connector>) -> Self {
        Self {
            label: args.descriptor.clone(),
            destination,
            direct,
            registry: args.registry().clone(),
            planned: Mutex::default(),
        }
    }

    fn through(&self, variable: &str, url: &str) -> Result<Arc<dyn Connector>> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, connector)) = &*planned
            && known == url
        {
            return Ok(Arc::clone(connector));
        }
        let wrong = || {
            let words = format!("`{variable}` in the environment is not the URL of a proxy");
            Error::new(ErrorKind::Other, "connect", &*self.label, words)
                .with_hint("such as `http://proxy.example:3128` or `socks5://127.0.0.1:1080`")
        };
        if !via::is_proxy(url) {
            return Err(wrong());
        }
        let typed = Descriptor::parse(&Text::typed(&self.label), Syntax::Extended);
        let mut typed = typed.map_err(|_| wrong())?;
        typed.kwargs.retain(|(name, _)| name.as_str() != via::VIA.name);
        let typed = typed.kwarg(via::VIA.name, Text::typed(url)).to_string();
        let plan = self.registry.connector(&typed, Syntax::Extended).map_err(|_| wrong())?;
        let connector: Arc<dyn Connector> = Arc::from(plan.endpoint);
        *planned = Some((url.to_owned(), Arc::clone(&connector)));
        Ok(connector)
    }
}

#[async_trait]
impl Connector for FromEnvironment {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let place = self.destination.of(info, &self.label).await?;
        let found = proxy(cx, &place.host, place.port);
        let Some((variable, url)) = found else { return self.direct.connect(cx, info).await };
        self.through(variable, &url)?.connect(cx, info).await
    }

    fn grants(&self) -> Grants {
        self.direct.grants()
    }
}

impl fmt::Debug for FromEnvironment {
    /// A proxy's URL may have a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromEnvironment").field("label", &self.label).finish_non_exhaustive()
    }
}

/// The variable that has the proxy for this destination, and its URL.
fn proxy(cx: &Context, host: &Host, port: u16) -> Option<(&'static str, String)> {
    let variable = |name: &str| {
        let value = cx.variable(name)?.to_string_lossy().trim().to_owned();
        (!value.is_empty()).then_some(value)
    };
    if host.is_loopback() {
        return None;
    }
    let no_proxy = variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default();
    if is_exempt(&no_proxy, &host.to_string(), port) {
        return None;
    }
    let names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    names.into_iter().find_map(|name| {
        let url = variable(name)?;
        // As curl has it, a URL without a scheme is an HTTP proxy.
        Some((name, if url.contains("://") { url } else { format!("http://{url}") }))
    })
}

/// Returns `true` if `NO_PROXY` has the host: `*`, a name with all its subdomains, an address or a network; a port
/// may follow.
fn is_exempt(no_proxy: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok().map(|ip: IpAddr| ip.to_canonical());
    no_proxy.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        let entry = entry.to_ascii_lowercase();
        let (name, its_port) = match entry.rsplit_once(':') {
            Some((name, its)) if !name.contains(':') || name.ends_with(']') => (name, Some(its)),
            _ => (&*entry, None),
        };
        if its_port.is_some_and(|its| its.parse() != Ok(port)) {
            return false;
        }
        let name = name.trim_start_matches('[').trim_end_matches(']');
        if let Some(address) = address {
            let network = name.parse().or_else(|_| name.parse::<IpAddr>().map(IpNet::from));
            return network.is_ok_and(|network: IpNet| network.contains(&address));
        }
        let name = name.strip_prefix("*.").unwrap_or(name);
        let name = name.strip_prefix('.').unwrap_or(name).trim_end_matches('.');
        !name.is_empty()
            && host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_exempt_as_elsewhere() {
        for (list, host, port, exempt) in [
            ("", "example.com", 80, false),
            ("*", "example.com", 80, true),
            ("example.com", "example.com", 80, true),
            ("example.com", "www.example.com", 80, true),
            (".example.com", "www.EXAMPLE.com.", 80, true),
            ("*.example.com", "www.example.com", 80, true),
            ("example.com", "notexample.com", 80, false),
            ("a, example.com b", "example.com", 80, true),
            ("example.com:443", "example.com", 80, false),
            ("example.com:80", "example.com", 80, true),
            ("10.0.0.0/8", "10.1.2.3", 80, true),
            ("10.0.0.0/8", "11.1.2.3", 80, false),
            ("10.1.2.3:80", "10.1.2.3", 80, true),
            ("2001:db8::1", "2001:db8::1", 80, true),
            ("[2001:db8::1]:81", "2001:db8::1", 80, false),
            ("10.1.2.3", "10.1.2.3.example.com", 80, false),
        ] {
            assert_eq!(is_exempt(list, host, port), exempt, "{list} {host}:{port}");
        }
    }

    #[test]
    fn the_lower_case_ones_go_first_and_this_machine_needs_none() {
        let of = |variables: &[(&str, &str)], host: &str| {
            let owned: Vec<_> =
                variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            proxy(&Context::with_environment(owned), &Host::new(host), 443)
        };
        let both =
            [("HTTPS_PROXY", "http://a:1"), ("https_proxy", "b:2"), ("ALL_PROXY", "socks5://c")];
        assert_eq!(of(&both, "example.com"), Some(("https_proxy", "http://b:2".to_owned())));
        assert_eq!(of(&both[2..], "example.com"), Some(("ALL_PROXY", "socks5://c".to_owned())));
        assert_eq!(of(&both, "localhost"), None);
        assert_eq!(of(&both, "127.0.0.1"), None);
        assert_eq!(of(&[("HTTP_PROXY", "http://a:1"), ("https_proxy", "")], "example.com"), None);
        let exempt = [both[0], ("NO_PROXY", "example.com")];
        assert_eq!(of(&exempt, "www.example.com"), None);
    }
}
