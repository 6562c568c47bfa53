//! A folder of the user's own files in place of the terminal.
//!
//! 1. [`name`]: which file a path means, if it may mean one at all;
//! 2. [`beneath`]: opens it, without ever leaving the folder;
//! 3. [`Files`]: the file or a part of it, or that the browser has it already.
//!
//! 4. [`listing`]: the contents of a folder without `index.html`, if they are to be shown.
//!
//! Files whose names begin with a dot are not served.

mod beneath;
mod listing;
mod media;
mod name;

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http_range_header::RangeUnsatisfiableError;
use httpdate::HttpDate;
use hyper::header::{
    ACCEPT, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::warn;

use self::beneath::Root;
use self::listing::Entry;
use super::place::{self, Place};
use super::{is_known, slash};
use crate::http::body::{Body, Streamed};
use crate::http::mount::{Mount, Outcome};
use crate::http::reply::{self, Reply};
use crate::http::request::{Asked, Head};
use crate::http::syntax::words;

/// An open folder.
pub(crate) struct Folder {
    root: Root,
    /// Set if a folder without `index.html` lists its files.
    lists: bool,
    /// Reading a large folder takes long, and the threads for that are shared by all kinds.
    turns: Arc<Semaphore>,
}

/// A folder, mounted.
pub(crate) struct Files {
    folder: Arc<Folder>,
    /// The only path that it is served at, if there is one.
    served: Option<String>,
}

impl Files {
    pub(crate) fn new(folder: Folder, served: Option<String>) -> Self {
        Self { folder: Arc::new(folder), served }
    }
}

impl Mount for Files {
    fn takes(&self, _: &Head) -> bool {
        true
    }

    fn answer(&self, asked: &Asked<'_>) -> Outcome {
        let Asked { head, sending, .. } = *asked;
        let (path, query) = (head.path(), head.query());
        match place::below(path, self.served.as_deref()) {
            Place::File(path) => {
                let wanted = Wanted {
                    path: path.to_owned(),
                    query: query.map(str::to_owned),
                    headers: head.headers.clone(),
                    sending: Arc::clone(sending),
                };
                Outcome::Later(Box::pin(Arc::clone(&self.folder).reply(wanted)))
            }
            Place::Slash | Place::Index => Outcome::Reply(slash(path, query)),
            Place::Nothing => Outcome::Reply(reply::not_found()),
        }
    }
}

/// The contents of a request.
struct Wanted {
    /// Below the folder, as it was sent.
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    /// Held as long as the answer is being sent.
    sending: Arc<()>,
}

/// The object at a path.
enum Found {
    File(File, Metadata),
    /// A folder, which is one slash further.
    Folder,
    /// A folder without `index.html`, and its name.
    Unlisted(File, Vec<OsString>),
}

impl Folder {
    /// Opens it.
    ///
    /// # Errors
    /// Those of the system: it isn't there, it is no folder, it may not be read.
    pub(crate) fn open(path: &Path, lists: bool) -> io::Result<Self> {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Root::open(path).map(|root| Self { root, lists, turns })
    }

    /// The reply to a GET or HEAD. Reads files on a thread that may block.
    async fn reply(self: Arc<Self>, wanted: Wanted) -> Reply {
        let (own, path) = (Arc::clone(&self), wanted.path.clone());
        let found = blocking(move || own.find(&path)).await;
        match found {
            Ok(Some(Found::File(file, metadata))) => serve(file, &metadata, wanted),
            Ok(Some(Found::Folder)) => slash(&wanted.path, wanted.query.as_deref()),
            Ok(Some(Found::Unlisted(folder, name))) => match self.entries(folder, name).await {
                Ok(entries) => {
                    let mut asked = words(&wanted.headers, &ACCEPT);
                    let is_html = asked.any(|it| it.starts_with("text/html"));
                    listing::reply(&wanted.path, &entries, self.lists, is_html)
                }
                Err(error) => Self::failed(&error),
            },
            Ok(None) => reply::not_found(),
            Err(error) => Self::failed(&error),
        }
    }

    async fn entries(
        self: &Arc<Self>,
        folder: File,
        name: Vec<OsString>,
    ) -> io::Result<Vec<Entry>> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(io::Error::other)?;
        let own = Arc::clone(self);
        blocking(move || {
            // Held until the work is done: a client that leaves doesn't stop it.
            let _turn = turn;
            listing::entries(&own.root, &folder, &name, own.lists)
        })
        .await
    }

    fn failed(error: &io::Error) -> Reply {
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                reply::text(StatusCode::FORBIDDEN, "this file's permissions deny access")
            }
            _ => {
                warn!("cannot open a file of the page: {error}");
                reply::text(StatusCode::INTERNAL_SERVER_ERROR, "cannot read this file")
            }
        }
    }

    fn find(&self, path: &str) -> io::Result<Option<Found>> {
        let Some(name) = name::read(path) else { return Ok(None) };
        let Some(file) = self.root.get(&name.segments)? else { return Ok(None) };
        let metadata = file.metadata()?;
        Ok(match (metadata.is_dir(), name.is_folder) {
            (false, false) => metadata.is_file().then_some(Found::File(file, metadata)),
            (true, false) => Some(Found::Folder),
            (true, true) => {
                let mut segments = name.segments;
                segments.push(INDEX.into());
                let Some(index) = self.root.get(&segments)? else {
                    segments.pop();
                    return Ok(Some(Found::Unlisted(file, segments)));
                };
                let metadata = index.metadata()?;
                metadata.is_file().then_some(Found::File(index, metadata))
            }
            (false, true) => None,
        })
    }
}

/// Runs work on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// The file with its headers, a part of it, or neither.
fn serve(mut file: File, metadata: &Metadata, wanted: Wanted) -> Reply {
    let Wanted { path, headers: asked, sending, .. } = wanted;
    let size = metadata.len();
    let modified = Modified::of(metadata);
    let tag = modified.as_ref().map(|modified| format!("\"{:x}-{size:x}\"", modified.nanos));
    let mut reply = Response::new(Body::default());
    let headers = reply.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).expect("digits and letters");
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let (Some(modified), Some(tag)) = (&modified, &tag) {
        headers.insert(LAST_MODIFIED, value(&modified.date));
        headers.insert(ETAG, value(tag));
    }
    if is_unchanged(&asked, tag.as_deref(), modified.as_ref()) {
        *reply.status_mut() = StatusCode::NOT_MODIFIED;
        return reply;
    }
    let name = if path.ends_with('/') { INDEX } else { &path };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media::of(name)));
    let Ok(part) = range(&asked, size, tag.as_deref(), modified.as_ref()) else {
        headers.insert(CONTENT_RANGE, value(&format!("bytes */{size}")));
        *reply.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
        return reply;
    };
    let mut length = size;
    if let Some(part) = part {
        let (start, end) = (*part.start(), *part.end());
        // A regular file: to seek is no more than to remember where.
        if file.seek(SeekFrom::Start(start)).is_err() {
            return reply::text(StatusCode::INTERNAL_SERVER_ERROR, "cannot read this file");
        }
        headers.insert(CONTENT_RANGE, value(&format!("bytes {start}-{end}/{size}")));
        *reply.status_mut() = StatusCode::PARTIAL_CONTENT;
        length = end - start + 1;
    }
    *reply.body_mut() = Body::File(Box::new(Streamed::new(file.into(), length, sending)));
    reply
}

/// The time of a file's last change.
struct Modified {
    /// Since 1970.
    nanos: u128,
    /// The date for HTTP, in whole seconds.
    date: String,
    seconds: u64,
}

impl Modified {
    /// `None` for what is older than 1970.
    fn of(metadata: &Metadata) -> Option<Self> {
        let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let seconds = since.as_secs();
        // The format ends with the year 9999.
        if seconds > LAST_DATE {
            return None;
        }
        let date = HttpDate::from(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
        Some(Self { nanos: since.as_nanos(), date, seconds })
    }
}

/// Returns `true` if the browser has the current content (RFC 9110 section 13.2.2).
fn is_unchanged(asked: &HeaderMap, tag: Option<&str>, modified: Option<&Modified>) -> bool {
    if asked.contains_key(IF_NONE_MATCH) {
        return tag.is_some_and(|tag| is_known(asked, tag));
    }
    let since = asked.get(IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|since| since.parse::<HttpDate>().ok());
    let changed = modified.map(|modified| UNIX_EPOCH + Duration::from_secs(modified.seconds));
    changed.zip(since).is_some_and(|(changed, since)| HttpDate::from(changed) <= since)
}

/// The part that is asked for; all of it if that isn't one part, or one of a file that has changed since
/// (RFC 9110 sections 13.1.5 and 14.2).
///
/// # Errors
/// There is no such part.
fn range(
    asked: &HeaderMap,
    size: u64,
    tag: Option<&str>,
    modified: Option<&Modified>,
) -> Result<Option<RangeInclusive<u64>>, ()> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
    let Some(range) = asked.get(RANGE).map(text) else { return Ok(None) };
    // An empty file lacks every part, but not the whole: a client that only limits the size gets the whole.
    if size == 0 {
        return Ok(None);
    }
    if let Some(known) = asked.get(IF_RANGE).map(text) {
        let date = modified.map(|modified| &*modified.date);
        if tag != Some(&*known) && date != Some(&*known) {
            return Ok(None);
        }
    }
    let Ok(ranges) = http_range_header::parse_range_header(&range) else { return Ok(None) };
    match ranges.validate(size).as_deref() {
        Ok([one]) => Ok(Some(one.clone())),
        // Of a file that is shorter than the end that is asked for, all is.
        Ok(_) | Err(RangeUnsatisfiableError::FileSuffixOutOfBounds) => Ok(None),
        Err(_) => Err(()),
    }
}

/// Folders that are read at the same time for one listener.
const AT_ONCE: usize = 2;
const INDEX: &str = "index.html";
/// 9999-12-31 23:59:59.
const LAST_DATE: u64 = 253_402_300_799;
