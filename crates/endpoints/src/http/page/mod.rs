//! The terminal in the browser: files that are part of the program, and where they are served.
//!
//! 1. [`place`]: the content at a path;
//! 2. [`files`]: the files, built from web/ by this crate's build script;
//! 3. [`Page`]: a file with the headers that it needs, compressed as the browser takes it;
//! 4. [`folder`]: the user's own files instead.

mod encoding;
mod files;
pub(crate) mod folder;
pub(crate) mod place;

use std::path::PathBuf;

use ::bytes::Bytes;
use descriptor::{Code, Diagnostic};
use hyper::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Response, StatusCode};
use plan::kind::Args;

use self::encoding::Encoding;
use self::files::{BUILT, Built, File};
use self::place::Place;
use super::body::Body;
use super::mount::{Access, Mount, Outcome};
use super::reply::{self, Reply};
use super::request::{Asked, Head};

/// The planned content for browsers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Show {
    /// The page, with telnet in between if it is a service that is reached.
    #[default]
    Auto,
    /// The page without telnet.
    Terminal,
    /// The page with telnet, whatever is reached.
    Telnet,
    /// One line of text.
    Nothing,
    /// The files in a folder.
    Folder(PathBuf),
}

impl Show {
    pub(crate) fn read(args: &Args) -> Result<Self, Diagnostic> {
        Ok(match args.text("page").unwrap_or_default() {
            "auto" => Self::Auto,
            "terminal" => Self::Terminal,
            "telnet" => Self::Telnet,
            "none" => Self::Nothing,
            folder if folder.contains('/') => Self::Folder(folder.into()),
            other => {
                let message = format!("`{other}` is not a page");
                let help = format!(
                    "a page is `auto`, `terminal`, `telnet` or `none`; for a folder, write `page=./{other}`"
                );
                return Err(args.mistake("page", Code::BadValue, message).help(help));
            }
        })
    }
}

/// The page that is part of the program, mounted.
pub(crate) struct Page {
    built: &'static Built,
    /// The only path that it is served at, if there is one.
    served: Option<String>,
}

impl Page {
    /// Returns the page, or why the program was built without one.
    pub(crate) fn new(served: Option<String>) -> Result<Self, &'static str> {
        let built: &'static Result<Built, &str> = &BUILT;
        built.as_ref().map(|built| Self { built, served }).map_err(|why| *why)
    }
}

impl Mount for Page {
    fn takes(&self, _: &Head) -> bool {
        true
    }

    // It has to be shown to exchange a link for a ticket, and any person can get it from the program.
    fn access(&self) -> Access {
        Access::Named
    }

    fn answer(&self, asked: &Asked<'_>) -> Outcome {
        let Head { headers, .. } = asked.head;
        let (path, query) = (asked.head.path(), asked.head.query());
        let find = |name: &str| self.built.files.iter().find(|file| file.name == name);
        Outcome::Reply(match place::at(path, self.served.as_deref(), find) {
            Place::Index => file(self.built, &self.built.index, headers),
            Place::File(found) => file(self.built, found, headers),
            Place::Slash => slash(path, query),
            Place::Nothing => reply::not_found(),
        })
    }
}

/// Redirects to the same path with a slash at its end, because the page's addresses are relative to it.
fn slash(path: &str, query: Option<&str>) -> Reply {
    let name = path.rsplit('/').next().unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut reply = reply::text(StatusCode::TEMPORARY_REDIRECT, "the page is one level deeper");
    // Relative, so that it is right behind a proxy; `./` in front, so that it stays on this host.
    if let Ok(location) = HeaderValue::from_str(&format!("./{name}/{query}")) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply
}

/// A file in the best encoding, or 304 if the browser has it.
fn file(built: &Built, file: &'static File, asked: &HeaderMap) -> Reply {
    let encoding = encoding::choose(asked, |encoding| file.encoded(encoding).is_some());
    let tag = match encoding {
        Encoding::Identity => format!("\"{}\"", file.tag),
        other => format!("\"{}-{}\"", file.tag, other.name()),
    };
    let unchanged = is_known(asked, &tag);
    let mut reply = Response::new(Body::default());
    let headers = reply.headers_mut();
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
        *reply.status_mut() = StatusCode::NOT_MODIFIED;
        return reply;
    }
    put(CONTENT_TYPE, file.media_type);
    if encoding != Encoding::Identity {
        put(CONTENT_ENCODING, encoding.name());
    }
    let body = file.encoded(encoding).unwrap_or(file.plain);
    *reply.body_mut() = Bytes::from_static(body).into();
    reply
}

/// Returns `true` if the browser has the content with this tag (RFC 9110 section 13.1.2).
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        // The comparison is weak.
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// A name that has a hash of the content never means another content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
