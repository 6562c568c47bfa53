//! Plans the two layers from the parameters; all errors are reported.

use std::sync::Arc;
use std::time::Duration;

use descriptor::{Code, Descriptor, Diagnostic, Syntax, Text};
use endpoint::{DialLayer, ServeLayer};
use plan::kind::{Args, Planned, Role};

use super::dial::{Dialling, Request};
use super::listen::Layer;
use super::listening::Listening;
use super::negotiate::{BASE64, BINARY, Spoken};
use super::options::Options;
use super::query::Query;
use crate::auth::Auth;
use crate::http::front::Settings;
use crate::http::hosts::Hosts;
use crate::http::origin::Origins;
use crate::http::page::Show;
use crate::http::params;
use crate::http::proxy::Proxies;
use crate::http::syntax::{is_token, is_value};
use crate::http::url;

pub(super) fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let mut found = Vec::new();
    let place = keep(url::read(args), &mut found).flatten();
    let own = place.as_ref().and_then(|place| place.host.as_deref());
    let hosts = keep(Hosts::read(args, own), &mut found).unwrap_or_default();
    let origins = keep(Origins::read(args), &mut found).unwrap_or_default();
    let proxies = keep(Proxies::read(args), &mut found).unwrap_or_default();
    let show = keep(Show::read(args), &mut found).unwrap_or_default();
    let health = keep(params::health(args), &mut found).flatten();
    let auth = Auth::read(args).map_err(|mistakes| found.extend(mistakes)).unwrap_or_default();
    let max_header = keep(params::max_header(args), &mut found).unwrap_or_default();
    let names = subprotocols(args, &mut found);
    let limit = timeout(args, &mut found);
    let query = keep(Query::read(args), &mut found).unwrap_or_default();
    let headers = headers(args, &mut found);
    let required = args.text("none") == Some("refuse");
    let spoken = if args.is_given("subprotocol") || args.called == "autobahn" {
        Spoken::new(&names, required)
    } else {
        Spoken::unlisted(required)
    };
    let path = match args.text("path") {
        Some(path) if !path.starts_with('/') || url::target(path) != path => {
            let mistake = args.mistake("path", "bad-path", "`path` must be a percent-encoded path");
            found.push(mistake.help(format!("did you mean `{}`?", url::target(path))));
            None
        }
        Some(path) => Some(path.to_owned()),
        None => place.map(|place| place.target).filter(|target| target != "/"),
    };
    if let Some(path) = path.as_ref().filter(|path| path.contains('?')) {
        let message = format!("`path` can't have a query, as `{path}` has");
        found.push(args.mistake("path", "bad-path", message));
    }
    if args.is_given("listing") && !matches!(show, Show::Folder(_)) {
        let mistake =
            args.mistake("listing", Code::BadValue, "`listing` is for a folder in `page`");
        found.push(mistake.help("write a folder with a slash: `page=./public`"));
    }
    let options = Options::read(args).map_err(|mut more| found.append(&mut more)).ok();
    let Some(options) = options.filter(|_| found.is_empty()) else { return Err(found) };
    let settings = Settings { hosts, proxies, max_header, limit, close: options.close };
    let listening = Listening {
        called: args.called.clone(),
        path,
        spoken,
        origins,
        health,
        auth,
        show,
        lists: args.flag("listing"),
        telnet: args.dial_layer("telnet"),
        headers,
        options,
        query,
    };
    Ok(Arc::new(Layer { listening: Arc::new(listening), settings: Arc::new(settings) }))
}

pub(super) fn connect(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    let mut found = Vec::new();
    let place = keep(url::read(args), &mut found).flatten().unwrap_or_default();
    let names = subprotocols(args, &mut found);
    let limit = timeout(args, &mut found);
    let origin = args.text("origin").filter(|origin| !origin.is_empty());
    if origin.is_some_and(|origin| !origin.bytes().all(|byte| byte.is_ascii_graphic())) {
        let message = "`origin` can't be sent in a header";
        found.push(args.mistake("origin", "bad-origin", message));
    }
    let headers = headers(args, &mut found);
    let headers = headers.into_iter().filter_map(|(name, _)| {
        let value = args.template(&format!("header.{name}"))?.clone();
        Some((name, value))
    });
    let headers = headers.collect();
    let host = args.text("host").filter(|host| !host.is_empty());
    if host.is_some_and(|host| !host.bytes().all(|byte| byte.is_ascii_graphic())) {
        found.push(args.mistake("host", "bad-host", "`host` can't be sent in a header"));
    }
    let options = Options::read(args).map_err(|mut more| found.append(&mut more)).ok();
    let Some(options) = options.filter(|_| found.is_empty()) else { return Err(found) };
    let given = args.is_given("subprotocol");
    let offers = match args.called.as_str() {
        // Its list has the common ones first.
        "autobahn" => Some(joined(&[BINARY, BASE64], names, &[])),
        _ if !given => None,
        _ if names.is_empty() => Some(Vec::new()),
        // The named subprotocols come first.
        _ => Some(joined(&[], names, &[BINARY])),
    };
    Ok(Arc::new(Dialling {
        label: label(&args.descriptor, 0),
        request: Request {
            host: host.map(str::to_owned).or(place.host),
            target: if place.target.is_empty() { "/".to_owned() } else { place.target },
            path: args.template("path").cloned(),
            offers,
            origin: origin.map(str::to_owned),
            headers,
        },
        required: args.text("none") == Some("refuse"),
        limit,
        options,
    }))
}

/// Names in their order, each once.
fn joined(before: &[&str], names: Vec<String>, behind: &[&str]) -> Vec<String> {
    let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let mut joined = own(before);
    for name in names.into_iter().chain(own(behind)) {
        if !joined.contains(&name) {
            joined.push(name);
        }
    }
    joined
}

fn keep<T>(read: Result<T, Diagnostic>, found: &mut Vec<Diagnostic>) -> Option<T> {
    read.map_err(|mistake| found.push(mistake)).ok()
}

fn subprotocols(args: &Args, found: &mut Vec<Diagnostic>) -> Vec<String> {
    let names = args.list("subprotocol");
    let star = if args.role == Role::Listen { "*" } else { "" };
    if let Some(bad) =
        names.iter().find(|name| !is_token(name) || (*name == "*" && star.is_empty()))
    {
        let message = format!("`{bad}` can't be the name of a subprotocol");
        let help = "a name consists of letters, digits and punctuation other than `\"(),/:;<=>?@[\\]{}`; separate several names by commas";
        found.push(args.mistake("subprotocol", "bad-subprotocol", message).help(help));
    }
    names.to_vec()
}

fn headers(args: &Args, found: &mut Vec<Diagnostic>) -> Vec<(String, String)> {
    let mut headers = Vec::new();
    for (name, value) in args.prefixed("header.") {
        let full = format!("header.{name}");
        let ours = OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name));
        if ours || name.to_ascii_lowercase().starts_with("sec-websocket-") {
            let message = format!("`{name}` is part of the handshake and can't be set");
            found.push(args.mistake(&full, "bad-header", message));
        } else if !is_token(name) {
            let message = format!("`{name}` can't be the name of a header");
            found.push(args.mistake(&full, "bad-header", message));
        } else if !is_value(value) {
            let message = format!("the value of `{full}` contains control characters");
            found.push(args.mistake(&full, "bad-header", message));
        } else {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    headers
}

fn timeout(args: &Args, found: &mut Vec<Diagnostic>) -> Duration {
    let name = "handshake-timeout";
    let limit = args.duration(name).expect("it has a default");
    if limit.is_zero() {
        let message =
            format!("`{name}` must be more than 0: otherwise a silent peer is never closed");
        found.push(args.mistake(name, Code::BadValue, message));
    }
    limit
}

/// A descriptor for messages: headers may be secrets, so their values are left out.
fn label(descriptor: &str, depth: usize) -> String {
    let Ok(mut read) = Descriptor::parse(&Text::typed(descriptor), Syntax::Extended) else {
        return descriptor.split(':').next().unwrap_or_default().to_owned();
    };
    for (name, value) in &mut read.kwargs {
        if name.as_str().starts_with("header.") {
            *value = Text::synthetic("…", value.span());
        }
    }
    if let Some(inner) = read.args.get_mut(1).filter(|_| depth < DEPTH) {
        *inner = Text::synthetic(&label(inner.as_str(), depth + 1), inner.span());
    }
    read.to_string()
}

/// The same depth as for the planning of descriptors.
const DEPTH: usize = 16;

/// Headers that are the handshake's own, or would give the request a body.
const OURS: &[&str] = &["connection", "content-length", "transfer-encoding", "upgrade"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_tell_secrets() {
        let label =
            label("ws:{ws:{tcp:h:80}:header.cookie=hunter2}:header.authorization={Basic x}", 0);
        assert!(!label.contains("hunter") && !label.contains("Basic"), "{label}");
        assert!(label.contains("tcp:h:80"), "{label}");
    }
}
