//! The choice of a file's stored encoding for a browser (RFC 9110 section 12.5.3).

use hyper::header::{ACCEPT_ENCODING, HeaderMap};

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }
}

/// Returns the smallest encoding that the client takes and that is there. Preferences are ignored: a client that
/// takes brotli at all has nothing to gain from gzip.
pub(super) fn choose(asked: &HeaderMap, has: impl Fn(Encoding) -> bool) -> Encoding {
    let takes = |name: &str| {
        let mut any = false;
        for item in asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
            for item in item.split(',') {
                let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
                let quality = parameters.split(';').find_map(|p| p.trim().strip_prefix("q="));
                let refused =
                    quality.is_some_and(|q| q.trim().parse::<f32>().is_ok_and(|q| q <= 0.0));
                if coding.trim().eq_ignore_ascii_case(name) {
                    return !refused;
                }
                any |= coding.trim() == "*" && !refused;
            }
        }
        any
    };
    [Encoding::Brotli, Encoding::Gzip]
        .into_iter()
        .find(|encoding| has(*encoding) && takes(encoding.name()))
        .unwrap_or(Encoding::Identity)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn what_is_taken_and_there_is_chosen() {
        for (asked, chosen) in [
            ("", Encoding::Identity),
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip", Encoding::Gzip),
            ("GZIP;q=0.5", Encoding::Gzip),
            ("br;q=0, gzip", Encoding::Gzip),
            ("br; q=0.0, gzip;q=0", Encoding::Identity),
            ("*", Encoding::Brotli),
            ("br;q=0, *", Encoding::Gzip),
            ("*;q=0", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("brotli", Encoding::Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(asked));
            assert_eq!(choose(&headers, |_| true), chosen, "{asked}");
            assert_eq!(choose(&headers, |_| false), Encoding::Identity, "{asked}");
        }
        assert_eq!(choose(&HeaderMap::new(), |_| true), Encoding::Identity);
    }
}
