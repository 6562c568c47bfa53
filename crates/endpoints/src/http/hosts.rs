//! The host names that a listener accepts.
//!
//! A web page can have its own name resolve to 127.0.0.1 once it is loaded, and then its origin *is* the host that it
//! connects to (DNS rebinding): the Origin header doesn't show it. The Host header does. So a listener on loopback
//! accepts loopback's names, and those that are configured.

use std::net::{Ipv4Addr, Ipv6Addr};

use descriptor::Diagnostic;
use endpoint::ErrorKind;
use endpoint::info::Proxied;
use hyper::header::HOST;
use hyper::{StatusCode, Version};
use plan::kind::Args;

use super::mount::Refused;
use super::request::Head;
use super::syntax::{printable, single};

/// The names, planned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    any: bool,
    listed: Vec<String>,
    /// The host in `url`.
    own: Option<String>,
}

impl Hosts {
    pub(crate) fn read(args: &Args, own: Option<&str>) -> Result<Self, Diagnostic> {
        let mut hosts = Self { own: own.map(name), ..Self::default() };
        for word in args.list("host") {
            if matches!(&*word.to_ascii_lowercase(), "any" | "*") {
                hosts.any = true;
                continue;
            }
            let listed = name(word);
            if !can_be_listed(&listed) {
                let message = format!("`{word}` is not a host");
                let help =
                    "a host is a name or an address, such as `terminal.example.com`; or `any`";
                return Err(args.mistake("host", "bad-host", message).help(help));
            }
            hosts.listed.push(listed);
        }
        Ok(hosts)
    }

    /// Returns `true` if a listener, on loopback or not, accepts `host`, a Host header.
    pub(crate) fn allow(&self, host: &str, loopback: bool) -> bool {
        let host = name(host);
        if self.any || self.listed.contains(&host) || self.own.as_ref() == Some(&host) {
            return true;
        }
        if loopback { is_loopback(&host) } else { self.listed.is_empty() }
    }

    /// Returns the value of `host` that also accepts `host`.
    pub(crate) fn with(&self, host: &str) -> String {
        let mut all = self.listed.clone();
        all.push(name(host));
        match &*all {
            [one] if !one.contains(':') => one.clone(),
            all => format!("{{{}}}", all.join(",")),
        }
    }
}

/// Checks that the listener answers to the host that was asked for: of us, and of the proxy in front. The first is
/// looked at in any case, because a page on this machine may pretend to be a proxy, but can't choose its Host header.
pub(super) fn check_host(
    head: &Head,
    proxied: Option<&Proxied>,
    hosts: &Hosts,
    is_loopback: bool,
) -> Result<(), Box<Refused>> {
    let bad = |line| Refused::new(StatusCode::BAD_REQUEST, ErrorKind::Protocol, line);
    let Ok(host) = single(&head.headers, &HOST) else {
        return Err(bad("the Host header is not a single host"));
    };
    // RFC 9112 section 3.2; HTTP/1.0 has none.
    if host.is_none() && head.uri.host().is_none() && head.version == Version::HTTP_11 {
        return Err(bad("the Host header is missing"));
    }
    let asked = [host, proxied.and_then(|proxied| proxied.host.as_deref())];
    let foreign = |host: &&str| !hosts.allow(host, is_loopback);
    let Some(host) = asked.into_iter().flatten().find(foreign) else { return Ok(()) };
    let host = printable(host);
    let line = match can_be_listed(&name(&host)) {
        true => format!(
            "this listener doesn't accept the host name `{host}`, because a web page could have made it resolve to \
             this machine; if the name is yours, add it to the listener: `host={}`",
            hosts.with(&host)
        ),
        false => format!("this listener doesn't accept `{host}`, which is not the name of a host"),
    };
    Err(Refused::new(StatusCode::FORBIDDEN, ErrorKind::Refused, line))
}

/// In lower case, without port and without the dot of a complete name.
fn name(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let end = host.rfind(']').map_or(0, |bracket| bracket + 1);
    let host = match host[end..].find(':') {
        // More than one colon and no bracket: an address without a port.
        Some(colon) if !host[end + colon + 1..].contains(':') => &host[..end + colon],
        _ => &host,
    };
    host.strip_suffix('.').unwrap_or(host).to_owned()
}

/// Returns `true` if the parameter `host` accepts this name.
fn can_be_listed(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    !name.is_empty() && name.chars().all(is_part)
}

fn is_loopback(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    // Browsers resolve names below `localhost` themselves (RFC 6761 section 6.3).
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || v6.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok_and(|a| a.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_answers_to_its_own_names() {
        let hosts = Hosts { own: Some("term.example".into()), ..Hosts::default() };
        for (host, allowed) in [
            ("localhost", true),
            ("LOCALHOST:9000", true),
            ("localhost.:9000", true),
            ("a.localhost:9000", true),
            ("127.0.0.1:9000", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("[::1]:9000", true),
            ("term.example:443", true),
            ("evil.example:9000", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evillocalhost", false),
            ("192.0.2.1:9000", false),
            ("[::2]:9000", false),
            ("[::ffff:127.0.0.1]", false),
            ("0.0.0.0", false),
            ("127.1", false),
            ("", false),
            ("]:", false),
            ("::1", false),
        ] {
            assert_eq!(hosts.allow(host, true), allowed, "{host}");
            assert!(hosts.allow(host, false), "{host}");
        }
    }

    #[test]
    fn only_what_can_be_listed_is_suggested() {
        for (host, can) in
            [("a.example", true), ("[::2]", true), ("user@a.example", false), ("", false)]
        {
            assert_eq!(can_be_listed(&name(host)), can, "{host}");
        }
    }

    #[test]
    fn a_list_holds_everywhere() {
        let hosts = Hosts { listed: vec!["a.example".into()], ..Hosts::default() };
        for loopback in [true, false] {
            assert!(hosts.allow("A.example:1", loopback));
            assert!(!hosts.allow("b.example", loopback));
            assert_eq!(hosts.allow("localhost", loopback), loopback);
        }
        assert_eq!(hosts.with("b.example:9000"), "{a.example,b.example}");
        assert_eq!(Hosts::default().with("b.example:9000"), "b.example");
        let any = Hosts { any: true, ..Hosts::default() };
        assert!(any.allow("whatever", true));
    }
}
