//! An address to listen on, as other programs write it.

use descriptor::quote_value;

/// A port, and the address that was typed with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    host: Option<&'a str>,
    pub(super) port: &'a str,
}

impl<'a> Place<'a> {
    /// Reads `8080`, `:8080`, `*:8080`, `localhost:8080` and `[::]:8080`.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (Some(host), port),
            None => (None, text),
        };
        Self::at(host, port)
    }

    /// A port at an address, if one is given.
    pub(super) fn at(host: Option<&'a str>, port: &'a str) -> Option<Self> {
        port.parse::<u16>().ok()?;
        let host = host.map(|host| host.trim_matches(['[', ']']));
        let is_host = |host: &str| {
            let is_ipv6 = host.parse::<std::net::Ipv6Addr>().is_ok();
            is_ipv6 || !host.contains(['/', ' ', ',', '=', '@', ':'])
        };
        host.is_none_or(is_host).then_some(Self { host, port })
    }

    /// The place of a program that listens on loopback unless it is told otherwise.
    pub(super) fn or_loopback(self) -> Self {
        Self { host: self.host.or(Some("127.0.0.1")), ..self }
    }

    fn is_loopback(self) -> bool {
        matches!(self.host, Some("127.0.0.1" | "localhost"))
    }

    /// Returns a listener of that kind, which has an address to listen on, such as `tcp`.
    pub(super) fn of(self, kind: &str) -> String {
        let port = self.port;
        match self.host {
            _ if self.is_loopback() && kind == "tcp" => port.to_owned(),
            None | Some("" | "*" | "0.0.0.0") => format!("{kind}:{port}"),
            Some("::") if kind == "tcp" => format!("tcp6:{port}"),
            Some(host) => format!("{kind}:{port}:interface={}", quote_value(host)),
        }
    }

    /// Returns a listener of a layer, such as `ws`.
    pub(super) fn over(self, layer: &str) -> String {
        match self.is_loopback() {
            true => format!("{layer}:{}", self.port),
            false => format!("{layer}:{{{}}}", self.of("tcp")),
        }
    }

    /// The same port on loopback.
    pub(super) fn loopback(self) -> Self {
        Self { host: Some("127.0.0.1"), ..self }
    }
}
