//! The file that a request's path names.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// A file's name below the folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) segments: Vec<OsString>,
    /// Set if there was a slash at the end.
    pub(super) is_folder: bool,
}

/// Reads a path as it was sent. `None` for what is no name of a file below: one that climbs, is hidden or
/// was encoded to look like something else.
pub(super) fn read(path: &str) -> Option<Name> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Name { segments: Vec::new(), is_folder: true });
    }
    let is_folder = path.ends_with('/');
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let segment = decoded(segment)?;
        // Empty, `.`, `..` and hidden; a slash or a zero that hides behind a `%` is in no name.
        let bad = segment.is_empty() || segment[0] == b'.' || segment.contains(&b'/');
        if bad || segment.contains(&0) {
            return None;
        }
        segments.push(OsString::from_vec(segment));
    }
    Some(Name { segments, is_folder })
}

/// Percent-decodes (RFC 3986 section 2.1), once; `None` if a `%` is followed by no number.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            u8::try_from(high * 16 + low).ok()?
        } else {
            byte
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_below_are_read() {
        for (path, segments, is_folder) in [
            ("/", &[][..], true),
            ("/a", &["a"], false),
            ("/a/", &["a"], true),
            ("/a/b.txt", &["a", "b.txt"], false),
            ("/a%20b/%C3%BC", &["a b", "ü"], false),
            ("/%2541", &["%41"], false),
            ("/a..b/c.", &["a..b", "c."], false),
            ("/a\\..\\b", &["a\\..\\b"], false),
        ] {
            let segments = segments.iter().map(OsString::from).collect();
            assert_eq!(read(path), Some(Name { segments, is_folder }), "{path}");
        }
    }

    #[test]
    fn what_climbs_or_hides_is_no_name() {
        for path in [
            "",
            "a",
            "//",
            "//a",
            "/a//b",
            "/a//",
            "/..",
            "/../a",
            "/a/..",
            "/a/../b",
            "/.",
            "/a/./b",
            "/.git/config",
            "/a/.htpasswd",
            "/%2e%2e/a",
            "/%2E./a",
            "/.%2e/a",
            "/%2egit",
            "/a%2fb",
            "/..%2fetc",
            "/a%00",
            "/%",
            "/%2",
            "/%zz",
            "/%+1",
            "/a%",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }
}
