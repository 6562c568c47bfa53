//! The place of a key in a URL: `%s`, as websockify's `TokenAPI` has it.
//!
//! A key is a client's text. It is one part of a path, or a part of one value of the query, and leads nowhere else on the
//! server: characters that would end a part are encoded, and a key that has a `..` between slashes of any sort has no
//! route, since a server may decode before it resolves.

use std::fmt;

use hyper::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A path and a query with the place of a key.
pub(super) struct Hole(String);

impl fmt::Debug for Hole {
    /// Without the query, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hole")
    }
}

impl Hole {
    /// Looks for it in a URL whose path and query this is; `None` if there is none.
    ///
    /// # Errors
    /// A key can't stand there, in words.
    pub(super) fn read(url: &str, path: &str) -> Result<Option<Self>, String> {
        let holes = path.matches(HOLE).count();
        if url.matches(HOLE).count() != holes {
            // A client must not choose the server.
            return Err(format!("`{HOLE}`, the key, can only stand in the path or the query"));
        }
        Ok((holes > 0).then(|| Self(path.to_owned())))
    }

    /// Returns the path with this key; `None` if the key can't stand there.
    pub(super) fn fill(&self, key: &str) -> Option<Uri> {
        if key.split(['/', '\\']).any(|part| part == "." || part == "..") {
            return None;
        }
        let key = utf8_percent_encode(key, ENCODED).to_string();
        // One that is too long for a URL.
        self.0.replace(HOLE, &key).parse().ok()
    }
}

/// It is no percent-encoding, so it stands for nothing else.
const HOLE: &str = "%s";

/// All but what is never reserved (RFC 3986 section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_part_of_a_path_or_a_value() {
        let read = |url| {
            let uri: Uri = url;
            let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
            Hole::read(&uri.to_string(), &path).expect(&path).expect("there is one")
        };
        let path = read(Uri::from_static("http://h/a%20b/%s/c?d=%s"));
        for (key, expected) in [
            ("t", Some("/a%20b/t/c?d=t")),
            ("a/b", Some("/a%20b/a%2Fb/c?d=a%2Fb")),
            ("a?x=1&y#z", Some("/a%20b/a%3Fx%3D1%26y%23z/c?d=a%3Fx%3D1%26y%23z")),
            ("a b+c%2e", Some("/a%20b/a%20b%2Bc%252e/c?d=a%20b%2Bc%252e")),
            ("\u{e9}", Some("/a%20b/%C3%A9/c?d=%C3%A9")),
            ("%s", Some("/a%20b/%25s/c?d=%25s")),
            ("a..b", Some("/a%20b/a..b/c?d=a..b")),
            ("..", None),
            (".", None),
            ("../admin", None),
            ("a/../../b", None),
            ("a\\..\\b", None),
        ] {
            let filled = path.fill(key).map(|uri| uri.to_string());
            assert_eq!(filled.as_deref(), expected, "{key}");
        }
        assert_eq!(path.fill(&"x".repeat(1 << 20)), None);
    }

    #[test]
    fn a_key_is_not_the_server() {
        for (url, path) in [("http://%s/", "/"), ("http://h:1%s/%s", "/%s"), ("http://h/#%s", "/")]
        {
            assert!(Hole::read(url, path).is_err(), "{url}");
        }
        assert!(Hole::read("http://h/%20", "/%20").is_ok_and(|hole| hole.is_none()));
    }
}
