//! The web pages that may connect.
//!
//! Browsers let any page open a WebSocket to any address, and send the page's origin along (RFC 6454,
//! RFC 6455 section 10.2): the check is the server's. Programs send no origin and may connect.

use std::fmt;

use descriptor::Diagnostic;
use endpoint::ErrorKind;
use hyper::StatusCode;
use hyper::header::ORIGIN;
use plan::kind::Args;

use super::mount::Refused;
use super::request::Asked;
use super::syntax::{printable, single};

/// The origins that may connect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    any: bool,
    same: bool,
    /// Pages with an opaque origin: `null`, and what old browsers send for files.
    null: bool,
    listed: Vec<String>,
}

impl Origins {
    pub(crate) fn read(args: &Args) -> Result<Self, Diagnostic> {
        let mut origins = Self::default();
        for word in args.list("origin") {
            match &*word.to_ascii_lowercase() {
                "any" | "*" => origins.any = true,
                "same" => origins.same = true,
                "null" => origins.null = true,
                other => match normal(other) {
                    Some(origin) => origins.listed.push(origin),
                    None => {
                        let message = format!("`{word}` is not an origin");
                        let help = "an origin is `https://example.com`, without a path; or `same`, \
                                    `any`, `null`";
                        let mistake = args.mistake("origin", "bad-origin", message);
                        return Err(mistake.help(help));
                    }
                },
            }
        }
        Ok(origins)
    }

    /// Returns `true` if a page of this origin may connect to `host`, by `scheme` if a proxy reports it.
    pub(crate) fn allow(&self, origin: &str, host: Option<&str>, scheme: Option<&str>) -> bool {
        if self.any {
            return true;
        }
        if origin == "null" || origin == "file://" {
            return self.null;
        }
        let Some(origin) = normal(origin) else { return false };
        self.listed.contains(&origin)
            || (self.same && host.is_some_and(|host| is_same(&origin, host, scheme)))
    }
}

impl Origins {
    /// Checks the Origin header of a request that changes something or opens a session. Clients that send none, as
    /// programs do, pass.
    pub(crate) fn check(&self, asked: &Asked<'_>) -> Result<(), Box<Refused>> {
        let origin = match single(&asked.head.headers, &ORIGIN) {
            Ok(None) => return Ok(()),
            Ok(Some(origin)) if self.allow(origin, asked.host(), asked.scheme()) => return Ok(()),
            Ok(Some(origin)) => printable(origin),
            Err(()) => "more than one".to_owned(),
        };
        let set = match &*origin {
            "file://" => "null",
            origin => origin,
        };
        let line = format!(
            "pages of the origin `{origin}` may not connect; to allow them, add it to the listener: \
             `origin={{{self},{set}}}`"
        );
        Err(Refused::new(StatusCode::FORBIDDEN, ErrorKind::Refused, line))
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [(self.any, "any"), (self.same, "same"), (self.null, "null")];
        let words = words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word);
        let all: Vec<_> = words.chain(self.listed.iter().map(|origin| &**origin)).collect();
        f.write_str(&all.join(","))
    }
}

/// In lower case and without the scheme's own port; `None` if it is no `scheme://host[:port]`.
fn normal(origin: &str) -> Option<String> {
    let origin = origin.to_ascii_lowercase();
    let origin = origin.strip_suffix('/').unwrap_or(&origin);
    let (scheme, host) = origin.split_once("://")?;
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._~:[]%".contains(c);
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty()
        || host.is_empty()
        || !scheme.chars().all(is_scheme)
        || !host.chars().all(is_host)
    {
        return None;
    }
    Some(format!("{scheme}://{}", without_port(scheme, host)))
}

/// Returns `true` if a normal origin is the requested host. The scheme isn't compared, because a proxy in front may
/// have ended TLS; but if a proxy reports that it did, pages that were loaded without TLS have another origin.
fn is_same(origin: &str, host: &str, scheme: Option<&str>) -> bool {
    if scheme == Some("https") && origin.starts_with("http://") {
        return false;
    }
    let host = host.to_ascii_lowercase();
    origin.split_once("://").is_some_and(|(scheme, origin)| origin == without_port(scheme, &host))
}

fn without_port<'h>(scheme: &str, host: &'h str) -> &'h str {
    let port = match scheme {
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => return host,
    };
    host.strip_suffix(port).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_host_is_the_same_whatever_the_spelling() {
        let same = Origins { same: true, ..Origins::default() };
        for (origin, host, allowed) in [
            ("http://localhost:9000", "localhost:9000", true),
            ("http://LOCALHOST:9000", "localhost:9000", true),
            ("http://example.com", "example.com", true),
            ("http://example.com", "example.com:80", true),
            ("https://example.com", "example.com", true),
            ("https://example.com:443", "example.com", true),
            ("http://[::1]:9000", "[::1]:9000", true),
            ("http://localhost:9001", "localhost:9000", false),
            ("http://example.com.evil.org", "example.com", false),
            ("https://example.com:8443", "example.com", false),
            ("null", "localhost:9000", false),
            ("file://", "localhost:9000", false),
            ("", "", false),
            ("http://", "", false),
            ("http://a/b", "a/b", false),
        ] {
            assert_eq!(same.allow(origin, Some(host), None), allowed, "{origin} {host}");
        }
        assert!(!same.allow("http://localhost", None, None));
        for (origin, scheme, allowed) in [
            ("http://example.com", "http", true),
            ("https://example.com", "http", true),
            ("https://example.com", "https", true),
            ("http://example.com", "https", false),
        ] {
            let is = same.allow(origin, Some("example.com"), Some(scheme));
            assert_eq!(is, allowed, "{origin} {scheme}");
        }
    }

    #[test]
    fn listed_ones_and_files_are_named() {
        let listed = Origins {
            null: true,
            listed: vec!["https://example.com".into()],
            ..Origins::default()
        };
        for (origin, allowed) in [
            ("https://example.com", true),
            ("https://EXAMPLE.com:443", true),
            ("http://example.com", false),
            ("null", true),
            ("file://", true),
        ] {
            assert_eq!(listed.allow(origin, Some("other"), None), allowed, "{origin}");
        }
    }
}
