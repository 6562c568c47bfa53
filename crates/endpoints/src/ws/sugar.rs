//! `ws://HOST:PORT/PATH`, `wss://…`, the same as `http` and `https`, and parameters of TLS where they are expected.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use descriptor::{Descriptor, Diagnostic, Span, Stage, Syntax, Text, Url};
use percent_encoding::percent_decode_str;
use plan::kind::Role;

pub(super) fn plain(url: &Url, role: Role) -> Result<Descriptor, Diagnostic> {
    let (host, port) = place(url, "80")?;
    layer(url, role, endpoint("tcp", host, port, role).to_text())
}

pub(super) fn secure(url: &Url, role: Role) -> Result<Descriptor, Diagnostic> {
    let (host, port) = place(url, "443")?;
    let inner = endpoint("tcp", host, port, role);
    let tls = Descriptor::new(Text::synthetic("tls", url.scheme.span())).arg(inner.to_text());
    layer(url, role, tls.to_text())
}

/// `ws:9000:cert=FILE` is `ws:{tls:9000:cert=FILE}`, and `{wss://HOST/}:ca=FILE` has `ca` at its `tls`: parameters of
/// TLS belong to the layer beneath.
pub(super) fn tls_beneath(descriptor: &Descriptor, _: Role) -> Option<Descriptor> {
    let is_tls = |(name, _): &&(Text, Text)| TLS.contains(&name.as_str());
    let inner = descriptor.args.get(1)?;
    let moved: Vec<_> = descriptor.kwargs.iter().filter(is_tls).cloned().collect();
    if moved.is_empty() {
        return None;
    }
    let parsed = Descriptor::parse(inner, Syntax::Extended).ok();
    let is_there = |parsed: &Descriptor| {
        parsed.kind().is_some_and(|kind| matches!(kind.as_str(), "tls" | "ssl"))
    };
    let mut tls = match parsed.filter(is_there) {
        Some(tls) => tls,
        None => Descriptor::new(Text::synthetic("tls", inner.span())).arg(inner.clone()),
    };
    tls.kwargs.extend(moved);
    let mut whole = descriptor.clone();
    whole.args[1] = tls.to_text();
    whole.kwargs.retain(|pair| !is_tls(&pair));
    Some(whole)
}

/// The parameters of `tls` that `ws` has none of.
const TLS: &[&str] = &[
    "alpn",
    "ca",
    "cert",
    "chain",
    "crl",
    "insecure",
    "key",
    "min",
    "name",
    "pin",
    "verify-client",
];

fn layer(url: &Url, role: Role, inner: Text) -> Result<Descriptor, Diagnostic> {
    let at = url.scheme.span();
    if let (Some(user), Role::Listen) = (&url.userinfo, role) {
        return Err(mistake(user.span(), "the URL of a listener can't have a user"));
    }
    let path = url.path.as_str();
    let descriptor = Descriptor::new(Text::synthetic("ws", at)).arg(inner);
    match role {
        Role::Connect => {
            let host = url.host.as_str();
            let host = match host {
                "" => LOOPBACK.to_owned(),
                host if host.contains(':') => format!("[{host}]"),
                host => host.to_owned(),
            };
            let port = url.port.as_ref().map_or("", Text::as_str);
            let colon = if port.is_empty() { "" } else { ":" };
            let scheme = match &*url.scheme.as_str().to_ascii_lowercase() {
                "wss" | "https" => "wss",
                _ => "ws",
            };
            let whole = format!("{scheme}://{host}{colon}{port}{path}");
            let descriptor = descriptor.kwarg("url", Text::synthetic(&whole, at));
            Ok(match &url.userinfo {
                Some(user) => {
                    descriptor.kwarg("header.authorization", Text::synthetic(&basic(user), at))
                }
                None => descriptor,
            })
        }
        Role::Listen if path.contains(['?', '#']) => {
            Err(mistake(url.path.span(), "the URL of a listener can't have a query or a fragment"))
        }
        Role::Listen if matches!(path, "" | "/") => Ok(descriptor),
        Role::Listen => Ok(descriptor.kwarg("path", url.path.clone())),
    }
}

/// Host and port; a port alone is on loopback. RFC 6455 section 3 requires a host: with neither, as if a variable of a
/// script were empty, it is a mistake.
fn place(url: &Url, port: &str) -> Result<(Text, Text), Diagnostic> {
    let at = url.scheme.span();
    let has_port = url.port.as_ref().is_some_and(|typed| !typed.as_str().is_empty());
    let host = match url.host.as_str() {
        "" if !has_port => {
            let form = format!("the form is `{}://HOST:PORT/PATH`", url.scheme.as_str());
            return Err(mistake(at, "this URL has no host").help(form));
        }
        "" => Text::synthetic(LOOPBACK, at),
        _ => url.host.clone(),
    };
    let port = match &url.port {
        Some(typed) if !typed.as_str().is_empty() => typed.clone(),
        _ => Text::synthetic(port, at),
    };
    if port.as_str().parse::<u16>().is_err() {
        return Err(mistake(port.span(), "the port of a URL is a number from 0 to 65535"));
    }
    Ok((host, port))
}

fn endpoint(kind: &str, host: Text, port: Text, role: Role) -> Descriptor {
    let descriptor = Descriptor::new(Text::synthetic(kind, host.span()));
    match role {
        Role::Connect => descriptor.arg(host).arg(port),
        Role::Listen => descriptor.arg(port).kwarg("interface", host),
    }
}

/// The user of a URL as Basic credentials (RFC 7617), which no log shows.
fn basic(user: &Text) -> String {
    let credentials: Vec<u8> = percent_decode_str(user.as_str()).collect();
    // Without a `:`, the password is empty.
    let colon: &[u8] = if user.as_str().contains(':') { b"" } else { b":" };
    format!("Basic {}", STANDARD.encode([&credentials, colon].concat()))
}

fn mistake(span: Span, message: &str) -> Diagnostic {
    Diagnostic::error(Stage::Plan, "bad-url", span, message)
}

/// The interface of a port alone: leaving something out never opens a port to the network.
const LOOPBACK: &str = "127.0.0.1";
