//! Reverse proxies in front of a listener, and their reports about the client.
//!
//! 1. [`trusted`](crate::trusted): which peers are proxies that are believed;
//! 2. [`forwarded`]: the contents of their headers, a hop at a time;
//! 3. [`Proxies::read`]: the client, found from the right.
//!
//! Anybody can send such headers. So they are believed from named peers alone, and of several
//! spellings only the one that the proxy is known to set: a client's own `Forwarded` passes a proxy that
//! only sets `X-Forwarded-For`.

mod forwarded;

use descriptor::{Code, Diagnostic};
use endpoint::Info;
use endpoint::info::Proxied;
use hyper::header::HeaderMap;
use plan::kind::Args;

use self::forwarded::{Hop, hops};
use crate::trusted::Trusted;

/// The proxies that are believed, planned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proxies {
    trusted: Trusted,
    says: Says,
}

/// The header in which a proxy reports the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Says {
    /// `X-Forwarded-For`, with `X-Forwarded-Host` and `X-Forwarded-Proto`.
    #[default]
    XForwardedFor,
    /// `X-Real-IP`, with these two.
    XRealIp,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl Proxies {
    pub(crate) fn read(args: &Args) -> Result<Self, Diagnostic> {
        let says = match args.text("forwarded") {
            Some("forwarded") => Says::Forwarded,
            Some("x-real-ip") => Says::XRealIp,
            _ => Says::XForwardedFor,
        };
        let proxies = Self { trusted: Trusted::read(args)?, says };
        if args.is_given("forwarded") && !proxies.trusted.is_somebody() {
            let message = "`forwarded` has no effect without `trusted`";
            let help = "name the trusted proxy: `trusted=loopback`";
            return Err(args.mistake("forwarded", Code::BadValue, message).help(help));
        }
        Ok(proxies)
    }

    /// Returns the reported facts about the client, if the peer is trusted.
    pub(crate) fn ask(&self, info: &Info, headers: &HeaderMap) -> Option<Proxied> {
        if !self.trusted.is_somebody() || !self.trusted.has_peer(info) {
            return None;
        }
        let mut said = None;
        for hop in hops(headers, self.says) {
            let Hop { client, port, host, scheme } = hop;
            let said = said.get_or_insert_with(|| Proxied::by(info.peer()));
            // If a hop says less, the facts of the hop nearer to us hold.
            said.host = host.or(said.host.take());
            said.scheme = scheme.or(said.scheme);
            let Some(client) = client else { break };
            (said.client, said.client_port) = (Some(client), port);
            if !self.trusted.has(client) {
                break;
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    use endpoint::info::{Tcp, Unix};
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn asked(trusted: &[&str], says: Says, peer: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        let info = match peer.parse::<IpAddr>() {
            Ok(ip) => Info::new().with(Tcp {
                local: SocketAddr::from((Ipv4Addr::LOCALHOST, 9000)),
                peer: (ip, 1).into(),
            }),
            Err(_) => Info::new().with(Unix { path: "/s".into(), pid: None, uid: None }),
        };
        let trusted = Trusted::of(trusted).expect("networks");
        let said = Proxies { trusted, says }.ask(&info, &map)?;
        let client = said.client.map_or("-".to_owned(), |client| client.to_string());
        Some(format!(
            "{client} {} {}",
            said.host.as_deref().unwrap_or("-"),
            said.scheme.unwrap_or("-")
        ))
    }

    const NEAR: &str = "127.0.0.1";

    #[test]
    fn nobody_is_believed_who_was_not_named() {
        let headers = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.2")];
        for (trusted, peer, believed) in [
            (&[][..], NEAR, false),
            (&["10.0.0.0/8"], NEAR, false),
            (&["10.0.0.0/8"], "10.255.0.1", true),
            (&["10.0.0.0/8"], "11.0.0.1", false),
            (&["10.0.0.0/8"], "::ffff:10.1.1.1", true),
            (&["127.0.0.1"], NEAR, true),
            (&["127.0.0.1"], "127.0.0.2", false),
            (&["loopback"], "::1", true),
            (&["loopback"], "192.168.0.1", false),
            (&["private"], "192.168.0.1", true),
            (&["private"], "fd00::1", true),
            (&["private"], "127.0.0.1", true),
            (&["private"], "192.0.2.1", false),
            (&["loopback"], "unix", false),
            (&["unix"], "unix", true),
            (&["unix"], NEAR, false),
            (&["any"], "2001:db8::1", true),
            (&["any"], "unix", true),
        ] {
            let said = asked(trusted, Says::XForwardedFor, peer, &headers);
            assert_eq!(said.is_some(), believed, "{trusted:?} {peer}");
        }
    }

    #[test]
    fn the_client_is_the_first_from_the_right_that_is_no_proxy() {
        for (trusted, list, client) in [
            ("loopback", "192.0.2.1", "192.0.2.1"),
            // The client's own entries stand further left.
            ("loopback", "203.0.113.66, 192.0.2.1", "192.0.2.1"),
            ("loopback", "127.0.0.1, 192.0.2.1", "192.0.2.1"),
            ("private", "203.0.113.66, 192.0.2.1, 10.1.1.1", "192.0.2.1"),
            ("private", "10.0.0.1, 10.1.1.1", "10.0.0.1"),
            ("any", "192.0.2.1, 192.0.2.2", "192.0.2.1"),
            // Beyond garbage nothing is believed.
            ("private", "192.0.2.1, garbage, 10.1.1.1", "10.1.1.1"),
            ("private", "192.0.2.1, , 10.1.1.1", "10.1.1.1"),
            ("loopback", "192.0.2.1, unknown", "-"),
            ("loopback", "192.0.2.1:4711", "192.0.2.1"),
            ("loopback", "[2001:db8::1]:4711", "2001:db8::1"),
            ("loopback", "2001:db8::1", "2001:db8::1"),
            ("loopback", "::ffff:192.0.2.1", "192.0.2.1"),
            ("loopback", "<script>", "-"),
            ("loopback", "\"203.0.113.66, 192.0.2.1", "192.0.2.1"),
            ("loopback", "\"\\, 192.0.2.1", "192.0.2.1"),
            ("loopback", "", "-"),
        ] {
            let headers = [("x-forwarded-for", list)];
            let said = asked(&[trusted], Says::XForwardedFor, NEAR, &headers);
            assert_eq!(said.as_deref(), Some(&*format!("{client} - -")), "{trusted} {list}");
        }
        let lines = [("x-forwarded-for", "203.0.113.66"), ("x-forwarded-for", "192.0.2.1")];
        let said = asked(&["loopback"], Says::XForwardedFor, NEAR, &lines);
        assert_eq!(said.as_deref(), Some("192.0.2.1 - -"), "several lines are one list");
    }

    #[test]
    fn only_the_header_that_the_proxy_sets_is_read() {
        let headers = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-real-ip", "192.0.2.2"),
            ("forwarded", "for=192.0.2.3;host=c.example;proto=https"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-proto", "http"),
        ];
        for (says, said) in [
            (Says::XForwardedFor, "192.0.2.1 a.example http"),
            (Says::XRealIp, "192.0.2.2 a.example http"),
            (Says::Forwarded, "192.0.2.3 c.example https"),
        ] {
            assert_eq!(asked(&["loopback"], says, NEAR, &headers).as_deref(), Some(said));
            let others: Vec<_> = headers.into_iter().take(0).collect();
            assert_eq!(asked(&["loopback"], says, NEAR, &others), None);
        }
    }

    #[test]
    fn host_and_scheme_are_those_of_the_hop_that_saw_the_client() {
        for (headers, said) in [
            (
                &[
                    ("x-forwarded-for", "192.0.2.1, 10.0.0.1"),
                    ("x-forwarded-proto", "https, http"),
                    ("x-forwarded-host", "a.example, b.internal"),
                ][..],
                "192.0.2.1 a.example https",
            ),
            (
                &[("x-forwarded-for", "192.0.2.1, 10.0.0.1"), ("x-forwarded-proto", "https")],
                "192.0.2.1 - https",
            ),
            // The client's own words are no hop's.
            (
                &[
                    ("x-forwarded-for", "192.0.2.1"),
                    ("x-forwarded-host", "evil.example, a.example"),
                ],
                "192.0.2.1 a.example -",
            ),
            (&[("x-forwarded-proto", "WSS")], "- - https"),
            (&[("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a b")], "- - -"),
        ] {
            let found = asked(&["private"], Says::XForwardedFor, NEAR, headers);
            assert_eq!(found.as_deref(), Some(said), "{headers:?}");
        }
        let chain = [(
            "forwarded",
            "for=203.0.113.66;host=evil.example, for=192.0.2.1;host=a.example;proto=https, \
             for=10.0.0.1;proto=http;host=b.internal",
        )];
        let found = asked(&["private"], Says::Forwarded, NEAR, &chain);
        assert_eq!(found.as_deref(), Some("192.0.2.1 a.example https"));
    }
}
