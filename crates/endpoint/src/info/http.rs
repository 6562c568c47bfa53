//! A request of HTTP.

use std::borrow::Cow;
use std::fmt;

use super::Fact;

/// An HTTP request: `http.path`, `http.query`, `http.query.NAME`, `http.header.NAME`,
/// `http.cookie.NAME`, `http.host`, `http.hostname` (without the port), `http.subprotocol` (what was agreed, else the
/// first offered).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Http {
    /// The path, as it was sent (percent-encoded), with its leading slash.
    pub path: String,
    /// The query after `?`, as it was sent.
    pub query: String,
    /// Headers in order, names in lower case. Values that aren't text are left out.
    pub headers: Vec<(String, String)>,
    /// Subprotocols offered, in the client's order; only the agreed one on a connection.
    pub subprotocols: Vec<String>,
}

impl Http {
    /// Returns the first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Returns all headers of this name (lower case), in order.
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Returns a cookie's value (RFC 6265 section 5.4), as it was sent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies(name).next()
    }

    /// Returns all values of a cookie: one for each path or domain that it was set for.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == "cookie")
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter_map(move |(key, value)| (key == name).then_some(value))
    }

    /// Returns the first query parameter of this name, as it was sent (percent-encoded).
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// The name or address of a Host header field (RFC 9110 section 7.2).
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (name.ends_with(']') || !name.contains(':')) =>
        {
            name
        }
        _ => host,
    }
}

impl Fact for Http {
    fn root(&self) -> &'static str {
        "http"
    }

    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let value = match name.split_once('.') {
            None => match name {
                "path" => Some(&*self.path),
                "query" => Some(&*self.query),
                "host" => self.header("host"),
                "hostname" => self.header("host").map(without_port),
                "subprotocol" => self.subprotocols.first().map(|name| &**name),
                _ => None,
            },
            Some(("header", name)) => self.header(&name.to_ascii_lowercase()),
            Some(("cookie", name)) => self.cookie(name),
            Some(("query", name)) => self.parameter(name),
            Some(_) => None,
        };
        value.map(Cow::Borrowed)
    }

    fn subprotocols(&self) -> Option<&[String]> {
        Some(&self.subprotocols)
    }
}

impl fmt::Debug for Http {
    /// Headers that carry secrets are named, not shown; a query may carry a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Http")
            .field("path", &self.path)
            .field("headers", &names)
            .field("subprotocols", &self.subprotocols)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_without_its_port() {
        for (host, name) in [
            ("desk", "desk"),
            ("desk:6080", "desk"),
            ("desk:", "desk"),
            ("192.0.2.7:80", "192.0.2.7"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
            ("desk:a", "desk:a"),
            ("", ""),
        ] {
            let headers = vec![("host".to_owned(), host.to_owned())];
            let http = Http { headers, ..Http::default() };
            assert_eq!(http.get("hostname").as_deref(), Some(name), "{host}");
        }
    }
}
