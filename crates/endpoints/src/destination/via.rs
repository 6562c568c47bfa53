//! `via=PROXY`: the layer that a proxy's URL stands for.
//!
//! The URL is of a separate table, in which `http://` is a proxy.

use descriptor::{Descriptor, Span, Text, Url};

use super::sugar::joined;

/// Puts the layer of the proxy in `via` over a connection to the proxy: `layer` chooses it, and gets `host`, `port`, the
/// parameters in `own`, and `timeout`, which the connection to the proxy gets as well. The others go to that connection.
/// `None` if there is no such proxy.
pub(crate) fn over(
    descriptor: &Descriptor,
    own: &[&str],
    layer: fn(&Proxy) -> Option<&'static str>,
) -> Option<Descriptor> {
    let descriptor = joined(descriptor);
    let (_, typed) = descriptor.kwargs.iter().find(|(name, _)| name.as_str() == "via")?;
    let proxy = Proxy::of(typed)?;
    let kind = layer(&proxy)?;
    let mut tcp = proxy.tcp();
    let mut outer = Vec::new();
    let mut positional = descriptor.args[1..].iter();
    for name in ["host", "port"] {
        let named = descriptor.kwargs.iter().find(|(other, _)| other.as_str() == name);
        let value = named.map(|(_, value)| value).or_else(|| positional.next())?;
        outer.push((Text::synthetic(name, value.span()), value.clone()));
    }
    for (name, value) in &descriptor.kwargs {
        match name.as_str() {
            "host" | "port" | "via" => {}
            own_name if own.contains(&own_name) => outer.push((name.clone(), value.clone())),
            "timeout" => {
                // 0 leaves it to the system, which knows nothing of proxies.
                outer.extend((value.as_str() != "0").then(|| (name.clone(), value.clone())));
                tcp.kwargs.push((name.clone(), value.clone()));
            }
            _ => tcp.kwargs.push((name.clone(), value.clone())),
        }
    }
    let mut layer = proxy.over(kind, &tcp);
    // Too many positionals are the layer's to refuse.
    layer.args.extend(positional.cloned());
    layer.kwargs.splice(0..0, outer);
    Some(layer)
}

/// A proxy, as its URL names it.
pub(crate) struct Proxy {
    /// The layer for connections, and its parameters in addition to the destination.
    pub(crate) layer: &'static str,
    /// The version of the protocol, if the scheme has one.
    pub(crate) version: Option<&'static str>,
    is_encrypted: bool,
    host: Text,
    port: Text,
    login: Vec<(&'static str, String)>,
    at: Span,
}

impl Proxy {
    /// The proxy that a URL names; `None` if it names none.
    pub(crate) fn of(typed: &Text) -> Option<Self> {
        let url = Url::split(typed).ok()?;
        let at = url.scheme.span();
        let (layer, version, is_encrypted, port) = match &*url.scheme.as_str().to_ascii_lowercase()
        {
            "http" => ("http-connect", None, false, "80"),
            "https" => ("http-connect", None, true, "443"),
            "socks5" | "socks5h" | "socks" => ("socks5", None, false, "1080"),
            "socks4a" => ("socks5", Some("4a"), false, "1080"),
            "socks4" => ("socks5", Some("4"), false, "1080"),
            "ssh" => ("ssh", None, false, "22"),
            _ => return None,
        };
        if url.host.is_empty() || !matches!(url.path.as_str(), "" | "/") {
            return None;
        }
        let port = match url.port {
            Some(typed) if typed.as_str().parse::<u16>().is_ok_and(|port| port > 0) => typed,
            Some(typed) if !typed.is_empty() => return None,
            _ => Text::synthetic(port, at),
        };
        let mut login = Vec::new();
        if let Some(user) = &url.userinfo {
            let plain = |text: &str| {
                percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
            };
            let (user, password) = user.as_str().split_once(':').unwrap_or((user.as_str(), ""));
            login.push(("user", plain(user)));
            if layer == "ssh" && !password.is_empty() {
                return None;
            }
            if !password.is_empty() {
                login.push(("password", plain(password)));
            }
        }
        Some(Self { layer, version, is_encrypted, host: url.host, port, login, at })
    }

    fn tcp(&self) -> Descriptor {
        let tcp = Descriptor::new(Text::synthetic("tcp", self.at));
        tcp.arg(self.host.clone()).arg(self.port.clone())
    }

    fn over(&self, kind: &str, tcp: &Descriptor) -> Descriptor {
        let text = |text: &str| Text::synthetic(text, self.at);
        let mut beneath = tcp.to_text();
        if self.is_encrypted {
            beneath = Descriptor::new(text("tls")).arg(beneath).to_text();
        }
        let mut layer = Descriptor::new(text(kind)).arg(beneath);
        if let Some(version) = self.version {
            layer = layer.kwarg("version", text(version));
        }
        for (name, value) in &self.login {
            layer = layer.kwarg(name, text(value));
        }
        layer
    }
}
