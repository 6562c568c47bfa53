//! The first bytes of a connection that a web page may have made.
//!
//! Any page may have a browser send a request to any port of the browser's machine, and choose the
//! request's body: a shell behind that port would run it line by line. A page can't choose how a
//! request begins, nor how it is cut, so one look at the first bytes is enough. The look is
//! `MSG_PEEK`: nothing is read, and the stream stays the socket that it is.

use std::fmt;

/// A browser's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Browser {
    /// A request of HTTP/1.
    Http,
    /// A record of TLS: the page's URL began with `https:`.
    Tls,
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "an HTTP request",
            Self::Tls => "a TLS handshake",
        })
    }
}

impl Browser {
    /// Returns the sort of browser request if a connection that begins with `bytes` is a browser's.
    pub(crate) fn begins(bytes: &[u8]) -> Option<Self> {
        // A record with a handshake in it, of any version (RFC 8446 section 5.1).
        if bytes.starts_with(&[0x16, 3]) {
            return Some(Self::Tls);
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let line = &bytes[..end.unwrap_or(bytes.len())];
        let (method, rest) = line.split_at(line.iter().position(|byte| *byte == b' ')?);
        let rest = &rest[1..];
        if method.is_empty() || !method.iter().all(is_token) {
            return None;
        }
        let target = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let http = target > 0 && rest[target..].starts_with(b" HTTP/1.");
        // The version of a request to a long URL is further on than a person types.
        let is_target = rest.starts_with(b"/") || rest.starts_with(b"http");
        let long = end.is_none() && line.len() >= LONG && is_target;
        (http || long).then_some(Self::Http)
    }
}

/// Returns `true` if a method may contain the byte (RFC 9110 section 5.6.2).
fn is_token(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// The number of bytes to inspect: more than [`LONG`].
pub(crate) const LOOK: usize = 2048;
const LONG: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_known() {
        for bytes in [
            &b"POST / HTTP/1.1\r\nHost: 127.0.0.1:9191\r\n\r\nid\n"[..],
            b"GET /a?b=c HTTP/1.1\r\n",
            b"GET http://127.0.0.1/ HTTP/1.0\n",
            b"OPTIONS * HTTP/1.1\r\n",
            b"x!#$%&'*+-.^_`|~ /;id HTTP/1.1\r\n",
            b"GET / HTTP/1.",
        ] {
            assert_eq!(Browser::begins(bytes), Some(Browser::Http), "{bytes:?}");
        }
        let long = [b"GET /".to_vec(), vec![b'a'; LONG]].concat();
        assert_eq!(Browser::begins(&long), Some(Browser::Http));
        let long = [b"GET https://h/".to_vec(), vec![b'a'; LONG]].concat();
        assert_eq!(Browser::begins(&long), Some(Browser::Http));
        assert_eq!(Browser::begins(b"\x16\x03\x01\x02\0\x01"), Some(Browser::Tls));
    }

    #[test]
    fn what_people_and_programs_send_is_not() {
        let ls = [b"ls /".to_vec(), vec![b'a'; LONG], b"\n".to_vec()].concat();
        let data = vec![b'a'; LOOK];
        for bytes in [
            &b""[..],
            b"\n",
            b" ",
            b"ls /tmp\n",
            b"echo GET / HTTP/1.1\n",
            b"echo hi\nGET / HTTP/1.1\n",
            b"GET  HTTP/1.1\n",
            b" GET / HTTP/1.1\n",
            b"(x) / HTTP/1.1\n",
            b"\xff\xfd\x18\xff\xfb\x1f",
            b"\x16\x16\x03",
            b"\x16",
            &ls,
            &data,
        ] {
            assert_eq!(Browser::begins(bytes), None, "{bytes:?}");
        }
    }
}
