//! The target of a request, made from a template: a fact fills one part of it and can't become more.
//!
//! - In the path, a fact is one segment: its slashes, `?` and `#` are percent-encoded. `http.path` alone is a path, and
//!   keeps its slashes.
//! - Behind the `?`, a fact is one value: its `&`, `=`, `;` and `+` are percent-encoded too. `http.query` alone is a
//!   query, and keeps them.
//! - A target with a segment `.` or `..` (also written `%2e`, or with a `;` behind it) that the template doesn't have
//!   is refused: servers would leave the folder.
//!
//! A `%` stays, because facts of a request are encoded already.

use std::borrow::Cow;
use std::fmt;

use descriptor::{MissingFact, Template};

use super::url;

/// The reason why there is no target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfilled {
    Missing(MissingFact),
    /// An inserted fact would leave the path.
    Climbs,
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::Climbs => f.write_str("the path that the client requests contains `.` or `..`"),
        }
    }
}

/// Fills `template` with the facts that `fact` knows by root and name.
pub(crate) fn fill<'f>(
    template: &Template,
    fact: &dyn Fn(&str, &str) -> Option<Cow<'f, str>>,
) -> Result<String, Unfilled> {
    let filled = template.fill_by(&mut |hole, filled| {
        let value = fact(&hole.root, &hole.name)?;
        let keeps: &[u8] = match (&*hole.root, &*hole.name, filled.contains('?')) {
            ("http", "path", false) => b"/;=&+",
            ("http", "query", true) => b"/?&=;+",
            (_, _, true) => b"/?",
            (_, _, false) => b"",
        };
        put(filled, &value, keeps);
        Some(())
    });
    let filled = url::target(&filled.map_err(Unfilled::Missing)?);
    // The template's own are meant.
    if dots(&filled) > dots(template.source().as_str()) {
        return Err(Unfilled::Climbs);
    }
    Ok(filled)
}

/// Adds `value`, percent-encoded but for what never means anything in a target, and for `keeps`.
fn put(to: &mut String, value: &str, keeps: &[u8]) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric()
            || b"-._~!$'()*,:@%".contains(&byte)
            || keeps.contains(&byte)
        {
            to.push(char::from(byte));
        } else {
            to.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Returns the number of segments of the path that servers take for `.` or `..`.
fn dots(target: &str) -> usize {
    let path = target.split('?').next().unwrap_or_default();
    let is_dots = |segment: &str| {
        let name = segment.split(';').next().unwrap_or_default();
        matches!(&*name.to_ascii_lowercase().replace("%2e", "."), "." | "..")
    };
    path.to_ascii_lowercase()
        .replace("%2f", "/")
        .replace("%5c", "/")
        .split('/')
        .filter(|it| is_dots(it))
        .count()
}

#[cfg(test)]
mod tests {
    use descriptor::Text;

    use super::*;

    fn filled(template: &str, value: &'static str) -> Result<String, Unfilled> {
        let template = Template::parse(&Text::typed(template), &["http"]);
        fill(&template, &|_, _| Some(Cow::Borrowed(value)))
    }

    #[test]
    fn a_fact_is_one_segment_or_one_value() {
        for (template, value, target) in [
            ("/app/${http.query.doc}?role=user", "ok", "/app/ok?role=user"),
            ("/app/${http.query.doc}?role=user", "a/b", "/app/a%2Fb?role=user"),
            (
                "/app/${http.query.doc}?role=user",
                "x?role=admin&y",
                "/app/x%3Frole%3Dadmin%26y?role=user",
            ),
            (
                "/app/${http.query.doc}?role=user",
                "x;role=admin#",
                "/app/x%3Brole%3Dadmin%23?role=user",
            ),
            ("/app/${http.query.doc}", "%41 b", "/app/%41%20b"),
            (
                "/?doc=${http.query.doc}&role=user",
                "x&role=admin",
                "/?doc=x%26role%3Dadmin&role=user",
            ),
            ("/?doc=${http.query.doc}", "a+b c=d", "/?doc=a%2Bb%20c%3Dd"),
            ("/user${http.path}", "/a/b", "/user/a/b"),
            ("/user${http.path}", "/a?b", "/user/a%3Fb"),
            ("/user?${http.query}", "a=b&c=d", "/user?a=b&c=d"),
            ("/a/../b/${http.query.doc}", "x", "/a/../b/x"),
        ] {
            assert_eq!(filled(template, value).as_deref(), Ok(target), "{template} {value}");
        }
    }

    #[test]
    fn nothing_climbs() {
        for value in ["..", ".", "%2e%2e", "%2E.", "..%2fadmin", "a%2f..", "../admin", "..%5cx"] {
            assert_eq!(filled("/app/${http.query.doc}", value), Err(Unfilled::Climbs), "{value}");
        }
        for value in ["/../admin", "/%2e%2e/admin", "/a/.", "/..", "/a/..;/b"] {
            assert_eq!(filled("/user${http.path}", value), Err(Unfilled::Climbs), "{value}");
        }
        assert_eq!(filled("/app/.${http.query.doc}", "."), Err(Unfilled::Climbs));
        for value in ["...", "..a", "a..b", ".well-known"] {
            assert!(filled("/app/${http.query.doc}", value).is_ok(), "{value}");
        }
        // A query is no path.
        assert!(filled("/app?doc=${http.query.doc}", "..").is_ok());
    }
}
