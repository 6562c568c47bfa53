//! Mistakes with TCP, UDP and Unix sockets: hosts without ports, addresses with colons, paths.

use descriptor::{Code, Descriptor, Diagnostic, Span, quote_value};
use plan::kind::Role;

use super::{is_host_name, is_port, line, mistake, path, wrong};

/// Listening takes a port, connecting a host and a port.
pub(crate) fn tcp(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    let (name, args) = (kind.as_str(), &descriptor.args[1..]);
    if !matches!(name, "tcp" | "tcp4" | "tcp6") {
        let is_host = name == "localhost" || (name.contains('.') && is_host_name(name));
        if let (true, [rest]) = (is_host, args)
            && rest.as_str().contains('/')
        {
            let found =
                mistake(kind.span(), format!("`{name}` is a host, followed by a port and a path"));
            return Some(found.help(format!("write it as a URL: `ws://{name}:{rest}`")));
        }
        return (is_host && args.is_empty() && role == Role::Connect).then(|| {
            mistake(kind.span(), format!("`{name}` is a host, and its port is missing"))
                .help(format!("write `tcp:{name}:PORT`"))
        });
    }
    if let Some(found) = address_with_colons(descriptor, "interface") {
        return Some(found);
    }
    match (role, args) {
        (Role::Listen, [host, port]) if is_port(port) && !is_port(host) => {
            let span = Span { start: host.span().start, end: port.span().end };
            let found = wrong(
                Code::BadValue,
                span,
                format!("`{name}` listens on a port, and `{host}` is not a port"),
            );
            let bare = line::bare(host.as_str());
            let is_ours = bare.parse::<std::net::IpAddr>().is_ok() || bare == "localhost";
            Some(found.help(match is_ours {
                true => format!(
                    "give the address to listen on with `interface=`: `{name}:{port}:interface={}`",
                    quote_value(bare)
                ),
                false => format!("to connect to it, use `-d {name}:{host}:{port}`"),
            }))
        }
        (Role::Connect, [port]) if is_port(port) => {
            let span = Span { start: kind.span().start, end: port.span().end };
            let found = wrong(
                Code::MissingParameter,
                span,
                format!("`{name}` connects to a host and a port"),
            );
            Some(found.help(format!("for this machine, write `{name}:127.0.0.1:{port}`")))
        }
        (Role::Connect, [host, port, word]) if matches!(word.as_str(), "tls" | "ssl") => {
            let found =
                wrong(Code::UnknownKeyword, word.span(), format!("`{name}` has no `{word}`"));
            Some(found.help(format!("TLS runs over it: write `tls:{{{name}:{host}:{port}}}`")))
        }
        (Role::Connect, [host, port]) => {
            let mut named = descriptor.kwargs.iter();
            let (retry, tries) = named.find(|(name, _)| {
                matches!(name.as_str(), "retry" | "tries" | "retries" | "attempts")
            })?;
            tries.as_str().parse::<u32>().ok()?;
            let message = format!("`{name}` tries once, and has no `{retry}`");
            let found = wrong(Code::UnknownKeyword, retry.span(), message);
            Some(found.help(format!("write `retry:{{{name}:{host}:{port}}}:tries={tries}`")))
        }
        _ => None,
    }
}

/// `interface=::1`: an IPv6 address needs braces.
fn address_with_colons(descriptor: &Descriptor, parameter: &str) -> Option<Diagnostic> {
    let (name, value) = descriptor.kwargs.iter().find(|(name, _)| name.as_str() == parameter)?;
    let source = descriptor.source();
    let from = name.span().end.checked_sub(source.span().start)? + 1;
    let (before, rest) = source.as_str().split_at_checked(from)?;
    let of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let length = rest.find(|c| !of_address(c)).unwrap_or(rest.len());
    // A parameter may follow, whose name begins with hexadecimal digits.
    let is_cut = rest[length..].starts_with(|c: char| c.is_alphanumeric());
    let last = (!is_cut).then_some(length);
    let ends = rest[..length].match_indices(':').map(|(at, _)| at).chain(last);
    let is_address = |end: &usize| rest[..*end].parse::<std::net::Ipv6Addr>().is_ok();
    let end = ends.filter(is_address).max()?;
    let (address, behind) = rest.split_at(end);
    if value.as_str() == address {
        return None;
    }
    let span = source.span_of(from..from + end);
    let words = format!("the value of `{name}` contains `:`, so it must be in braces");
    let found = wrong(Code::BadValue, span, words);
    Some(found.help(format!("write `{before}{{{address}}}{behind}`")))
}

/// A path is a socket's, unless it is a device's or a program's.
pub(crate) fn unix(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    let path = path(descriptor)?;
    let kind = match path.as_str() {
        text if text.starts_with("/dev/") => return None,
        text if text.contains("/bin/") => return None,
        text => text,
    };
    let found = mistake(path.span(), format!("`{kind}` is a path, and its kind is missing"));
    Some(found.help(format!("for a socket, write `unix:{kind}`")))
}

/// Listening takes a port, connecting a host and a port.
pub(crate) fn udp(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let name = descriptor.kind()?;
    let args = &descriptor.args[1..];
    if !name.as_str().eq_ignore_ascii_case("udp") {
        return None;
    }
    match (role, args) {
        (Role::Listen, [host, port]) if is_port(port) && !is_port(host) => {
            let span = Span { start: host.span().start, end: port.span().end };
            let message = format!("`{name}` listens on a port, and `{host}` is not a port");
            Some(wrong(Code::BadValue, span, message).help(format!(
                "give the address to listen on with `interface=`: `{name}:{port}:interface={host}`; to send to it, \
                 use `-d {name}:{host}:{port}`"
            )))
        }
        (Role::Connect, [port]) if is_port(port) => {
            let span = Span { start: name.span().start, end: port.span().end };
            let message = format!("`{name}` sends to a host and a port");
            Some(
                wrong(Code::MissingParameter, span, message)
                    .help(format!("for this machine, write `{name}:127.0.0.1:{port}`")),
            )
        }
        _ => None,
    }
}
