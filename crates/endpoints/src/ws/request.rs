//! What a request asks for: an upgrade that is right (RFC 6455 section 4.2.1), one that isn't, or
//! something else.

use std::sync::Arc;

use endpoint::info::{Http, Proxied};
use endpoint::{Error, ErrorKind, Info};
use hyper::body::{Body, Incoming};
use hyper::header::{
    CONNECTION, HOST, HeaderMap, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Method, Request, StatusCode, Version};
use websocket::deflate::{self, Params};

use super::door::Entry;
use super::negotiate::Disagreement;
use super::serve::{Listening, Site};
use super::stream::base64;
use crate::http::page::folder::{Folder, Wanted};
use crate::http::page::place::{self, Place};
use crate::http::page::{Page, slash};
use crate::http::reply::{self, Reply};
use crate::http::syntax::{has_word, is_token, printable, single, words};

/// What a request asks for.
pub(super) enum Asked {
    /// A WebSocket connection, and nothing is wrong with it.
    Upgrade(Upgrade),
    /// A WebSocket connection that can't be had: what to answer, and why.
    Refused(Reply, Error),
    /// What is answered without more ado.
    Other(Reply),
    /// A file, which has to be opened for the answer.
    File(Arc<Folder>, Wanted),
}

/// A request for a WebSocket connection.
pub(super) struct Upgrade {
    pub(super) key: String,
    pub(super) http: Http,
    /// What the proxy in front says, if it is believed.
    pub(super) proxied: Option<Proxied>,
    /// What was chosen of the subprotocols offered.
    pub(super) subprotocol: Option<String>,
    /// How messages are compressed, and the answer that says so.
    pub(super) deflate: Option<(Params, String)>,
}

/// Reads a request of the connection that `info` is about.
pub(super) fn read(request: &Request<Incoming>, site: &Site, info: &Info) -> Asked {
    let headers = request.headers();
    let proxied = site.listening.proxies.ask(info, headers);
    let refused = |bad: Box<Bad>| {
        let Bad { answer, kind, mut words } = *bad;
        // The connection's own peer, which the log shows, is the proxy.
        if let Some(client) = proxied.as_ref().and_then(|proxied| proxied.client) {
            words.push_str(&format!(" (asked for by {client})"));
        }
        Asked::Refused(answer, Error::new(kind, "accept", &*site.local.descriptor, words))
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Asked::Other(reply::not_allowed());
    }
    let (path, served) = (request.uri().path(), site.listening.path.as_deref());
    // Before everything else: whoever only looks whether we are there has no name for us and no token.
    if site.listening.health.as_deref() == Some(path) {
        return Asked::Other(reply::healthy());
    }
    // Browsers ask beside every page that doesn't name an icon, such as one line of text.
    if path == "/favicon.ico" && !site.page.is_own() {
        return Asked::Other(reply::no_icon());
    }
    if let Err(bad) = check_host(request, proxied.as_ref(), site) {
        return refused(bad);
    }
    let wants_upgrade = has_word(headers, &UPGRADE, "websocket");
    if wants_upgrade && !site.takes_upgrade(path) {
        return Asked::Other(reply::not_found());
    }
    let secure = proxied.as_ref().is_some_and(|proxied| proxied.scheme == Some("https"));
    if let Some(door) = &site.door {
        match door.ask(request.method(), &http(request), secure) {
            Entry::Welcome(answer) if !wants_upgrade => return Asked::Other(answer),
            // A program may bring the token right away: it has no other use for it.
            Entry::Granted | Entry::Welcome(_) => {}
            Entry::Denied(line) => {
                return refused(Bad::new(StatusCode::FORBIDDEN, ErrorKind::Refused, line));
            }
        }
    }
    if !wants_upgrade && let Page::Folder(folder) = &site.page {
        return file(request, served, folder);
    }
    if !wants_upgrade {
        return Asked::Other(site.page.answer(path, request.uri().query(), served, headers));
    }
    match upgrade(request, proxied.as_ref(), &site.listening) {
        Ok(upgrade) => Asked::Upgrade(Upgrade { proxied, ..upgrade }),
        Err(bad) => refused(bad),
    }
}

/// A request for a file of the user's own.
fn file(request: &Request<Incoming>, served: Option<&str>, folder: &Arc<Folder>) -> Asked {
    let (path, query) = (request.uri().path(), request.uri().query());
    match place::below(path, served) {
        Place::File(path) => {
            let wanted = Wanted {
                path: path.to_owned(),
                query: query.map(str::to_owned),
                headers: request.headers().clone(),
                sending: Arc::default(),
            };
            Asked::File(Arc::clone(folder), wanted)
        }
        Place::Slash | Place::Index => Asked::Other(slash(path, query)),
        Place::Nothing => Asked::Other(reply::not_found()),
    }
}

/// What is wrong with a handshake.
struct Bad {
    answer: Reply,
    kind: ErrorKind,
    words: String,
}

impl Bad {
    fn new(status: StatusCode, kind: ErrorKind, line: impl Into<String>) -> Box<Self> {
        let words = line.into();
        Box::new(Self { answer: reply::last(status, &words), kind, words })
    }
}

fn upgrade(
    request: &Request<Incoming>,
    proxied: Option<&Proxied>,
    listening: &Listening,
) -> Result<Upgrade, Box<Bad>> {
    let headers = request.headers();
    let bad = |line: &str| Bad::new(StatusCode::BAD_REQUEST, ErrorKind::Protocol, line);
    if request.method() != Method::GET {
        return Err(bad("a WebSocket connection is a GET"));
    }
    if request.version() != Version::HTTP_11 {
        return Err(bad(
            "a WebSocket connection needs HTTP/1.1: a proxy on the way may have to be told \
                        so, as nginx by `proxy_http_version 1.1`",
        ));
    }
    if !has_word(headers, &CONNECTION, "upgrade") {
        let line = "the header `Connection: upgrade` is missing: a proxy on the way has to be told \
                    to pass upgrades on";
        return Err(bad(line));
    }
    if !request.body().is_end_stream() {
        return Err(bad("a WebSocket handshake has no body"));
    }
    let host = single(headers, &HOST).unwrap_or_default();
    if single(headers, &SEC_WEBSOCKET_VERSION) != Ok(Some("13")) {
        let line = "only version 13 of WebSocket (RFC 6455) is spoken here";
        let mut bad = Bad::new(StatusCode::UPGRADE_REQUIRED, ErrorKind::Protocol, line);
        reply::version(&mut bad.answer);
        return Err(bad);
    }
    let key = match single(headers, &SEC_WEBSOCKET_KEY) {
        Ok(Some(key)) => key,
        Ok(None) => return Err(bad("the header Sec-WebSocket-Key is missing")),
        Err(()) => return Err(bad("there must be one header Sec-WebSocket-Key, and text in it")),
    };
    if !base64::encodes(key, 16) {
        return Err(bad("Sec-WebSocket-Key must be 16 bytes in base64"));
    }
    let host = proxied.and_then(|proxied| proxied.host.as_deref()).or(host);
    let scheme = proxied.and_then(|proxied| proxied.scheme);
    check_origin(headers, host, scheme, listening)?;
    let http = http(request);
    let subprotocol = match listening.spoken.choose(&http.subprotocols) {
        Ok(chosen) => chosen.map(str::to_owned),
        Err(why) => {
            let spoken = &listening.spoken;
            let words = match &why {
                Disagreement::Nothing => "no WebSocket subprotocol was offered".to_owned(),
                Disagreement::Unknown(names) => {
                    let names = printable(&names.join(", "));
                    format!("none of the WebSocket subprotocols `{names}` is known")
                }
            };
            let line = format!("{words}; this server only speaks `{spoken}`");
            let status =
                if spoken.required { StatusCode::NOT_ACCEPTABLE } else { StatusCode::BAD_REQUEST };
            return Err(Bad::new(status, ErrorKind::Refused, line));
        }
    };
    let offers = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let offers = offers.filter_map(|value| value.to_str().ok());
    let wanted = listening.options.compression.as_ref();
    let deflate = wanted.and_then(|wanted| deflate::answer(&wanted.config, offers));
    if deflate.is_some() && !deflate::has_memory() {
        let line = "there is no memory for another compressed connection";
        return Err(Bad::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Other, line));
    }
    Ok(Upgrade { key: key.to_owned(), http, proxied: None, subprotocol, deflate })
}

/// Whether the listener answers to the host that was asked for: of us, and of the proxy in front. The
/// first is looked at in any case, because a page on this machine may pretend to be a proxy, but can't
/// choose its Host header.
fn check_host(
    request: &Request<Incoming>,
    proxied: Option<&Proxied>,
    site: &Site,
) -> Result<(), Box<Bad>> {
    let bad = |line| Bad::new(StatusCode::BAD_REQUEST, ErrorKind::Protocol, line);
    let Ok(host) = single(request.headers(), &HOST) else {
        return Err(bad("the Host header is not one host"));
    };
    // RFC 9112 section 3.2; HTTP/1.0 has none.
    if host.is_none() && request.uri().host().is_none() && request.version() == Version::HTTP_11 {
        return Err(bad("the Host header is missing"));
    }
    let hosts = &site.listening.hosts;
    let asked = [host, proxied.and_then(|proxied| proxied.host.as_deref())];
    let foreign = |host: &&str| !hosts.allow(host, site.is_loopback());
    let Some(host) = asked.into_iter().flatten().find(foreign) else { return Ok(()) };
    let host = printable(host);
    let set = hosts.with(&host);
    let line = format!(
        "this listener doesn't answer to the name `{host}`, so that no web page can reach it by one \
         of its own; if the name is yours, add it to the listener: `host={set}`"
    );
    Err(Bad::new(StatusCode::FORBIDDEN, ErrorKind::Refused, line))
}

fn check_origin(
    headers: &HeaderMap,
    host: Option<&str>,
    scheme: Option<&str>,
    listening: &Listening,
) -> Result<(), Box<Bad>> {
    let origin = match single(headers, &ORIGIN) {
        Ok(None) => return Ok(()),
        Ok(Some(origin)) if listening.origins.allow(origin, host, scheme) => return Ok(()),
        Ok(Some(origin)) => printable(origin),
        Err(()) => "more than one".to_owned(),
    };
    let set = match &*origin {
        "file://" => "null",
        origin => origin,
    };
    let line = format!(
        "pages of the origin `{origin}` may not connect here; to let them, add it to the \
         listener: `origin={{{},{set}}}`",
        listening.origins
    );
    Err(Bad::new(StatusCode::FORBIDDEN, ErrorKind::Refused, line))
}

/// The facts about a request.
fn http(request: &Request<Incoming>) -> Http {
    let headers = request.headers();
    let mut http = Http::default();
    request.uri().path().clone_into(&mut http.path);
    request.uri().query().unwrap_or_default().clone_into(&mut http.query);
    http.headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.into())))
        .collect();
    http.subprotocols = words(headers, &SEC_WEBSOCKET_PROTOCOL)
        .filter(|name| is_token(name))
        .map(str::to_owned)
        .collect();
    http
}
