//! A host as it is typed: an address, perhaps with a zone, or a name. Nothing is resolved here.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use descriptor::{Code, Diagnostic};
use endpoint::Context;
use plan::kind::Args;

use super::family::Family;
use super::lookups::Lookups;

/// A name or an address, without brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    text: String,
    address: Option<IpAddr>,
}

impl Host {
    /// Reads a parameter of this name; `None` if it is empty.
    pub(crate) fn read(
        args: &Args,
        name: &str,
        family: Family,
    ) -> Result<Option<Self>, Diagnostic> {
        let Some(text) = args.text(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let host = Self::new(bare.unwrap_or(text));
        let is_name = bare.is_none() && is_name(&host.text);
        if name == "interface"
            && let Some((message, help)) = crate::slips::interface(text)
        {
            return Err(args.mistake(name, Code::BadValue, message).help(help));
        }
        match host.address {
            Some(address) if !family.takes(address) => Err(args.mistake(
                name,
                "wrong-family",
                format!("`{name}` must be {}, and `{text}` is not one", family.noun()),
            )),
            None if !is_name => Err(args
                .mistake(
                    name,
                    Code::BadValue,
                    format!("`{name}` must be a name or an address, and `{text}` is neither"),
                )
                .help(match text.contains('$') {
                    true => {
                        "a shell replaces variables between `\"…\"`, not between `'…'`; a fact about a client is \
                         `${target.host}`, for example"
                    }
                    false if text.contains(':') => "write an IPv6 address as `[::1]` or `{::1}`",
                    false => "a name consists of letters, digits, `-` and `.`",
                })),
            _ => Ok(Some(host)),
        }
    }

    /// The host that `text` means.
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), address: address(text) }
    }

    /// The host that a client's words mean; `None` if no resolver could know it.
    pub(crate) fn filled(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let host = Self::new(bare.unwrap_or(text));
        (host.address.is_some() || (bare.is_none() && is_name(&host.text))).then_some(host)
    }

    /// The address, if it is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Returns `true` if only this machine reaches it, as far as the text shows.
    pub(crate) fn is_loopback(&self) -> bool {
        self.address.map_or_else(
            || self.text.eq_ignore_ascii_case("localhost"),
            |address| address.to_canonical().is_loopback(),
        )
    }

    /// Every address that it stands for, in the resolver's order (RFC 6724). An address needs no
    /// resolver; a name is looked up off this thread, and dropping the future abandons that.
    pub(crate) async fn resolve(&self, cx: &Context, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = self.address
            && !self.text.contains('%')
        {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let mut found = Vec::new();
        for address in cx.shared::<Lookups>().find(&self.text, port).await? {
            if !found.contains(&address) {
                found.push(address);
            }
        }
        Ok(found)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The address that `text` writes; a zone (RFC 4007 section 11) is left to the resolver.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        None => text.parse().ok(),
        Some((_, "")) => None,
        Some((address, _)) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
    }
}

/// Returns `true` if a resolver could know it. Hosts files hold names with underscores and of any
/// script, so this only rejects certain mistakes.
fn is_name(text: &str) -> bool {
    let odd =
        |c: char| c.is_whitespace() || c.is_control() || "/@:[]{}%$,;\"'\\|<>()!?&#".contains(c);
    !text.is_empty() && text.len() <= 253 && !text.contains(odd)
}
