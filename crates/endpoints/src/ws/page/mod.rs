//! The terminal in the browser: files that are part of the program, and where they are served.
//!
//! 1. [`place`]: what is at a path;
//! 2. [`files`]: the files, built from web/ by this crate's build script;
//! 3. [`Page::answer`]: a file with the headers that it needs, compressed as the browser takes it.

mod encoding;
mod files;
pub(super) mod place;

use ::bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};

use self::encoding::Encoding;
use self::files::{BUILT, Built, File};
use self::place::Place;
use super::answer::{self, Answer};

/// What a browser gets, planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// The page, with telnet in between if it is a service that is reached.
    Auto,
    /// The page without telnet.
    Terminal,
    /// The page with telnet, whatever is reached.
    Telnet,
    /// One line of text.
    Nothing,
}

impl Show {
    pub(super) fn read(word: &str) -> Self {
        match word {
            "terminal" => Self::Terminal,
            "telnet" => Self::Telnet,
            "none" => Self::Nothing,
            _ => Self::Auto,
        }
    }
}

/// What a listener has for a browser.
pub(super) enum Page {
    Built(&'static Built),
    /// How to connect.
    Line(String),
}

impl Page {
    /// The page if it is wanted and was built, else a line that ends with what `help` says.
    pub(super) fn new(show: Show, help: &str) -> Self {
        let built: &'static Result<Built, &str> = &BUILT;
        match built {
            _ if show == Show::Nothing => {
                Self::Line(format!("this is a WebSocket listener; {help}"))
            }
            Ok(built) => Self::Built(built),
            Err(why) => Self::Line(format!(
                "this is a WebSocket listener; its page is missing, because endpointforward was \
                 built without it ({why}); {help}"
            )),
        }
    }

    pub(super) fn is_built(&self) -> bool {
        matches!(self, Self::Built(_))
    }

    /// The answer to a GET or HEAD of `path` that is no upgrade.
    pub(super) fn answer(
        &self,
        path: &str,
        query: Option<&str>,
        served: Option<&str>,
        headers: &HeaderMap,
    ) -> Answer {
        let built = match self {
            Self::Built(built) => built,
            Self::Line(line) if place::takes_upgrade(path, served) => {
                return answer::upgrade_required(line);
            }
            Self::Line(_) => return answer::not_found(),
        };
        match place::at(path, served, |name| built.files.iter().find(|file| file.name == name)) {
            Place::Index => file(built, &built.index, headers),
            Place::File(found) => file(built, found, headers),
            Place::Slash => slash(path, query),
            Place::Nothing => answer::not_found(),
        }
    }
}

/// To the same place with a slash behind it: only from there are the page's addresses right.
fn slash(path: &str, query: Option<&str>) -> Answer {
    let name = path.rsplit('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut answer = answer::text(StatusCode::TEMPORARY_REDIRECT, "the page is one level deeper");
    // Relative, so that it is right behind a proxy; `./` in front, so that it stays on this host.
    if let Ok(location) = HeaderValue::from_str(&format!("./{name}/{query}")) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

/// A file in the best encoding, or 304 if the browser has it.
fn file(built: &Built, file: &'static File, asked: &HeaderMap) -> Answer {
    let encoding = encoding::choose(asked, |encoding| file.encoded(encoding).is_some());
    let tag = match encoding {
        Encoding::Identity => format!("\"{}\"", file.tag),
        other => format!("\"{}-{}\"", file.tag, other.name()),
    };
    let unchanged = asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        // The comparison is weak (RFC 9110 section 13.1.2).
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*");
    let mut answer = Response::new(Full::default());
    let headers = answer.headers_mut();
    let mut put = |name: HeaderName, value: &str| {
        headers.insert(name, HeaderValue::from_str(value).expect("it was checked at build time"));
    };
    put(ETAG, &tag);
    put(VARY, "accept-encoding");
    put(CACHE_CONTROL, if file.hashed { IMMUTABLE } else { "no-cache" });
    put(X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(REFERRER_POLICY, "no-referrer");
    put(CONTENT_SECURITY_POLICY, built.policy);
    // For browsers that don't know `frame-ancestors`.
    put(X_FRAME_OPTIONS, "SAMEORIGIN");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if unchanged {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return answer;
    }
    put(CONTENT_TYPE, file.media_type);
    if encoding != Encoding::Identity {
        put(CONTENT_ENCODING, encoding.name());
    }
    let body = file.encoded(encoding).unwrap_or(file.plain);
    *answer.body_mut() = Full::from(Bytes::from_static(body));
    answer
}

/// A name that has a hash of the content never means another content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
