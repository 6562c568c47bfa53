//! Short spellings of hosts and ports: `9000`, `:9000`, `HOST:PORT`, `tcp://HOST:PORT`, `udp://HOST:PORT`, `[::1]`.

use std::net::{Ipv4Addr, Ipv6Addr};

use descriptor::{Descriptor, Diagnostic, Span, Stage, Syntax, Text, Url};
use plan::kind::Role;

/// `9000` and `:9000`, which are loopback; and `HOST:PORT` where HOST can't be anything else but a
/// host: `localhost`, an IPv4 address, `[v6]`, or a name with a dot. Options may follow.
pub(crate) fn bare(text: &Text, role: Role) -> Option<Descriptor> {
    let descriptor = joined(&Descriptor::parse(text, Syntax::Extended).ok()?);
    let (host, port) = match &*descriptor.args {
        [port] => (None, port),
        [empty, port] if empty.as_str().is_empty() => (None, port),
        [host, port] if is_host(host.as_str()) => (Some(host), port),
        _ => return None,
    };
    let port_text = port.as_str();
    if port_text.is_empty() || !port_text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(make("tcp", host.cloned(), port.clone(), text.span(), role, descriptor.kwargs))
}

/// `tcp://HOST:PORT`; without a host, loopback as above.
pub(crate) fn tcp_url(url: &Url, role: Role) -> Result<Descriptor, Diagnostic> {
    host_and_port("tcp", url, role)
}

/// `udp://HOST:PORT`, in the same way.
pub(crate) fn udp_url(url: &Url, role: Role) -> Result<Descriptor, Diagnostic> {
    host_and_port("udp", url, role)
}

fn host_and_port(kind: &str, url: &Url, role: Role) -> Result<Descriptor, Diagnostic> {
    let mistake = |span: Span, what: &str| {
        Diagnostic::error(Stage::Plan, "bad-url", span, format!("a `{kind}` URL {what}"))
            .help(format!("the form is `{kind}://HOST:PORT`"))
    };
    if let Some(user) = &url.userinfo {
        return Err(mistake(user.span(), "has no user"));
    }
    if !matches!(url.path.as_str(), "" | "/") {
        return Err(mistake(url.path.span(), "has no path"));
    }
    let Some(port) = url.port.as_ref().filter(|port| !port.as_str().is_empty()) else {
        return Err(mistake(url.scheme.span(), "needs a port"));
    };
    let host = Some(&url.host).filter(|host| !host.as_str().is_empty());
    Ok(make(kind, host.cloned(), port.clone(), url.scheme.span(), role, Vec::new()))
}

/// `tcp:[::1]:80` has too many colons for the grammar: the pieces of an address in brackets are
/// put together again. `None` if there is none.
pub(crate) fn brackets(descriptor: &Descriptor, _: Role) -> Option<Descriptor> {
    let joined = joined(descriptor);
    (joined.args.len() < descriptor.args.len()).then_some(joined)
}

fn make(
    kind: &str,
    host: Option<Text>,
    port: Text,
    at: Span,
    role: Role,
    mut kwargs: Vec<(Text, Text)>,
) -> Descriptor {
    let host = host.unwrap_or_else(|| Text::synthetic(LOOPBACK, at));
    let mut descriptor = Descriptor::new(Text::synthetic(kind, at));
    match role {
        Role::Connect => descriptor = descriptor.arg(host).arg(port),
        Role::Listen => {
            descriptor = descriptor.arg(port);
            if !kwargs.iter().any(|(name, _)| name.as_str() == "interface") {
                descriptor = descriptor.kwarg("interface", host);
            }
        }
    }
    descriptor.kwargs.append(&mut kwargs);
    descriptor
}

/// A copy in which the three pieces of `[::1]` are one again, as of any IPv6 address in brackets.
pub(crate) fn joined(descriptor: &Descriptor) -> Descriptor {
    let mut copy = descriptor.clone();
    copy.args = Vec::with_capacity(descriptor.args.len());
    let mut left = &*descriptor.args;
    while let Some(first) = left.first() {
        let (piece, length) = address(left).unwrap_or_else(|| (first.clone(), 1));
        copy.args.push(piece);
        left = &left[length..];
    }
    copy
}

/// The address in brackets that `args` begins with, and how many of them it takes.
fn address(args: &[Text]) -> Option<(Text, usize)> {
    let first = args.first().filter(|first| first.as_str().starts_with('['))?;
    let last = args.iter().take(MOST).position(|arg| arg.as_str().ends_with(']'))?;
    let pieces = &args[..=last];
    let text = pieces.iter().map(Text::as_str).collect::<Vec<_>>().join(":");
    let span = Span { start: first.span().start, end: pieces[last].span().end };
    (last > 0 && is_v6(&text)).then(|| (Text::synthetic(&text, span), pieces.len()))
}

fn is_host(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.eq_ignore_ascii_case("localhost")
        || text.parse::<Ipv4Addr>().is_ok()
        || is_v6(text)
        || (text.contains('.') && text.trim_end_matches('.').split('.').all(is_word))
}

/// `[::1]`, `[fe80::1%eth0]`.
fn is_v6(text: &str) -> bool {
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = inside.map(|inside| inside.split_once('%').map_or(inside, |(a, _)| a));
    address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// No address has more pieces: eight groups, and `::` at one end.
const MOST: usize = 9;

/// The interface of a port alone: leaving something out never opens a port to the network.
const LOOPBACK: &str = "127.0.0.1";
