//! The headers of proxies, as hops: the nearest first, each with its report about its client.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{FORWARDED, HeaderMap, HeaderName};

use super::Says;

/// The report of one proxy.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hop {
    /// Its client; `None` if the proxy doesn't report it.
    pub(super) client: Option<IpAddr>,
    /// The client's port, if that is reported too.
    pub(super) port: Option<u16>,
    /// The host that the client requested.
    pub(super) host: Option<String>,
    /// `http` or `https`.
    pub(super) scheme: Option<&'static str>,
}

/// The hops, the nearest first.
pub(super) fn hops(headers: &HeaderMap, says: Says) -> impl Iterator<Item = Hop> {
    let mut hops = match says {
        Says::Forwarded => {
            lines(headers, &FORWARDED).flat_map(|line| split(line, ',')).map(element).collect()
        }
        Says::XForwardedFor => clients(list(headers, &X_FORWARDED_FOR)),
        // A proxy that sets this header sets one; the origin of several is unknown.
        Says::XRealIp => match &*list(headers, &X_REAL_IP).collect::<Vec<_>>() {
            [one] => clients([*one].into_iter()),
            _ => Vec::new(),
        },
    };
    if says != Says::Forwarded {
        let hosts: Vec<_> = list(headers, &X_FORWARDED_HOST).collect();
        let schemes: Vec<_> = list(headers, &X_FORWARDED_PROTO).collect();
        if hops.is_empty() && !(hosts.is_empty() && schemes.is_empty()) {
            hops.push(Hop::default());
        }
        // Each proxy may add to them; the values of one that only sets them are for all behind it.
        for (hop, said) in hops.iter_mut().rev().zip(hosts.iter().rev()) {
            hop.host = host(said);
        }
        for (hop, said) in hops.iter_mut().rev().zip(schemes.iter().rev()) {
            hop.scheme = scheme(said);
        }
    }
    hops.into_iter().rev()
}

fn clients<'h>(list: impl Iterator<Item = &'h str>) -> Vec<Hop> {
    list.map(|client| {
        let mut hop = Hop::default();
        hop.came_from(client);
        hop
    })
    .collect()
}

/// Returns the elements of all lines of a header, empty ones too: they are hops without a report. Quotes have no
/// meaning here: one that a client leaves open must not hide what the proxy adds.
fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    lines(headers, name).flat_map(|line| line.split(',')).map(str::trim)
}

fn lines<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> {
    // A value that isn't text counts as an empty one, and keeps its place.
    headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or_default())
}

/// Cuts at separators that don't stand in quotes (RFC 7239 section 4).
fn split(line: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    line.split(move |c| {
        let is_escaped = std::mem::take(&mut escaped);
        match c {
            _ if is_escaped => {}
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == separator && !quoted
    })
    .map(str::trim)
}

/// An element of `Forwarded`.
fn element(text: &str) -> Hop {
    let mut hop = Hop::default();
    for pair in split(text, ';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let value = unquoted(value);
        match &*name.to_ascii_lowercase() {
            "for" => hop.came_from(&value),
            "host" => hop.host = host(&value),
            "proto" => hop.scheme = scheme(&value),
            _ => {}
        }
    }
    hop
}

fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let Some(inner) = inner else { return value.to_owned() };
    let mut chars = inner.chars();
    let mut plain = String::with_capacity(inner.len());
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

impl Hop {
    /// An address with or without a port; `unknown` and names that hide one are none (RFC 7239 section 6).
    fn came_from(&mut self, text: &str) {
        let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
        let ip: Option<IpAddr> = text.parse().ok();
        let at: Option<SocketAddr> = text.parse().ok();
        let ip = ip.or_else(bracketed).or_else(|| at.map(|at| at.ip()));
        self.client = ip.map(|ip| ip.to_canonical());
        self.port = at.map(|at| at.port());
    }
}

fn host(text: &str) -> Option<String> {
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    (!text.is_empty() && text.chars().all(is_host)).then(|| text.to_owned())
}

fn scheme(text: &str) -> Option<&'static str> {
    // For a WebSocket's request, some proxies give the scheme that it becomes.
    match &*text.to_ascii_lowercase() {
        "http" | "ws" => Some("http"),
        "https" | "wss" => Some("https"),
        _ => None,
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn forwarded(text: &str) -> Vec<Hop> {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED, HeaderValue::from_str(text).expect("a value"));
        hops(&headers, Says::Forwarded).collect()
    }

    fn hop(client: &str, host: Option<&str>, scheme: Option<&'static str>) -> Hop {
        let mut hop = Hop { host: host.map(str::to_owned), scheme, ..Hop::default() };
        hop.came_from(client);
        hop
    }

    #[test]
    fn the_examples_of_rfc_7239_are_read() {
        for (text, nearest_first) in [
            ("for=\"_gazonk\"", vec![hop("", None, None)]),
            ("For=\"[2001:db8:cafe::17]:4711\"", vec![hop("[2001:db8:cafe::17]:4711", None, None)]),
            (
                "for=192.0.2.60;proto=http;by=203.0.113.43",
                vec![hop("192.0.2.60", None, Some("http"))],
            ),
            (
                "for=192.0.2.43, for=198.51.100.17",
                vec![hop("198.51.100.17", None, None), hop("192.0.2.43", None, None)],
            ),
            (
                "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown",
                vec![
                    hop("", None, None),
                    hop("2001:db8:cafe::17", None, None),
                    hop("192.0.2.43", None, None),
                ],
            ),
            ("for=\"192.0.2.43:47011\"", vec![hop("192.0.2.43:47011", None, None)]),
        ] {
            assert_eq!(forwarded(text), nearest_first, "{text}");
        }
    }

    #[test]
    fn quotes_hold_together_what_is_in_them() {
        let text = r#"for="a,b;c=\"d";host="e.example:8443";proto="https", for=192.0.2.1;x="\\""#;
        let e = hop("", Some("e.example:8443"), Some("https"));
        assert_eq!(forwarded(text), [hop("192.0.2.1", None, None), e]);
        for text in ["", ";", "=", "for", "for=", "for=\"", "\"", ",,", "host=\"a b\"", "proto=\\"]
        {
            assert!(forwarded(text).iter().all(|hop| *hop == Hop::default()), "{text}");
        }
        // A quote that a client leaves open hides the proxy's addition: no client is known then.
        assert_eq!(forwarded("for=\"x, for=192.0.2.1"), [Hop::default()]);
    }
}
