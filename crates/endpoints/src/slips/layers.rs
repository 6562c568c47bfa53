//! Mistakes with layers: an endpoint that is missing or not in braces, hosts, passwords and certificates.

use descriptor::{Code, Descriptor, Diagnostic, Span, Text, quote_value};
use plan::kind::Role;

use super::{is_host_name, is_port, mistake, wrong};

/// A server without its endpoint, as `ssh` itself takes it.
pub(crate) fn ssh(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    let server = descriptor.args.get(1)?;
    let (user, host) = server.as_str().rsplit_once('@').unwrap_or(("", server.as_str()));
    if role != Role::Connect || kind.as_str() != "ssh" || !is_host_name(host) {
        return None;
    }
    let message = format!("`ssh` runs over an endpoint, but `{server}` is a server's name");
    let user = if user.is_empty() { String::new() } else { format!(":user={}", quote_value(user)) };
    // The missing parameters are in the line.
    let at = Span { start: kind.span().start, end: server.span().end };
    Some(mistake(at, message).help(format!(
        "`ssh:{{tcp:{host}:22}}{user}:host=TARGET:port=80` reaches a port through it; `pty:ssh:{server}` is its shell"
    )))
}

/// A host in the place of the endpoint beneath, `telnet:host`.
pub(crate) fn telnet(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    over_host(descriptor, role, "telnet", "23")
}

fn over_host(descriptor: &Descriptor, role: Role, name: &str, port: &str) -> Option<Diagnostic> {
    let [kind, host] = &*descriptor.args else { return None };
    let is_host = is_host_name(host.as_str()) && !host.as_str().bytes().all(|b| b.is_ascii_digit());
    if role != Role::Connect || kind.as_str() != name || !is_host {
        return None;
    }
    let found = mistake(host.span(), format!("`{host}` is a host, and not a kind of endpoint"));
    Some(found.help(format!("write `{name}:{{tcp:{host}:{port}}}`")))
}

/// A framing's layer without its braces.
pub(crate) fn framed(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind().filter(|kind| kind.as_str() == "framed")?;
    let source = descriptor.source();
    let rest = source.as_str().strip_prefix("framed:")?;
    let is_kind = ["tcp:", "tcp4:", "tcp6:", "unix:", "serial:", "tls:", "process:"]
        .iter()
        .any(|k| rest.starts_with(k));
    if !is_kind || rest.contains(['{', '\\']) {
        return None;
    }
    let end = descriptor
        .kwargs
        .first()
        .map_or(source.as_str().len(), |(name, _)| name.span().start - 1 - source.span().start);
    let (beneath, named) = source.as_str().split_at(end);
    let beneath = beneath.strip_prefix("framed:")?;
    let named = if named.is_empty() { ":by=lines" } else { named };
    let message = format!("the endpoint that `{kind}` runs over must be in braces");
    let found = wrong(Code::UnquotedEndpoint, source.span_of("framed:".len()..end), message);
    Some(found.help(format!("write `framed:{{{beneath}}}{named}`")))
}

/// A host without a kind, `ws:example.com:80`, and the scheme of a URL in a kind's place, `wss:9000`.
fn ws_address(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    let name = kind.as_str();
    if !matches!(name, "ws" | "wss") || !descriptor.kwargs.is_empty() {
        return None;
    }
    let (host, port) = match &descriptor.args[1..] {
        [host] => (host, None),
        [host, port] if is_port(port) => (host, Some(port)),
        _ => return None,
    };
    let wrong_at = |end: &Text, words: String| {
        let span = Span { start: host.span().start, end: end.span().end };
        wrong(Code::UnknownKind, span, words)
    };
    if role == Role::Listen {
        let secure = name == "wss" && port.is_none() && is_port(host);
        return secure.then(|| {
            let message = "`wss` is not a kind of endpoint, but `ws` with a certificate";
            mistake(kind.span(), message.to_owned())
                .help(format!("write `ws:{host}:cert=FILE`, or `ws:{host}:cert=self-signed`"))
        });
    }
    let is_kind =
        ["tcp", "tcp4", "tcp6", "udp", "unix", "tls", "stdio", "serial", "pty", "process"]
            .contains(&host.as_str());
    let digits = host.as_str().bytes().all(|byte| byte.is_ascii_digit());
    if is_kind || digits && (name == "ws" || port.is_some()) || !is_host_name(host.as_str()) {
        return None;
    }
    let at = match (digits, port) {
        (true, _) => format!("127.0.0.1:{host}"),
        (false, Some(port)) => format!("{host}:{port}"),
        (false, None) => host.to_string(),
    };
    let message = format!("`{host}` is a host, and not a kind of endpoint");
    let found = if name == "wss" {
        mistake(kind.span(), "`wss` is not a kind of endpoint, but the scheme of a URL".to_owned())
    } else {
        wrong_at(port.unwrap_or(host), message)
    };
    Some(found.help(format!("write it as a URL: `{name}://{at}/`")))
}

/// A path behind a port, a password, a certificate, and HTTP in a kind's place.
pub(crate) fn ws(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    if let Some(found) = ws_address(descriptor, role) {
        return Some(found);
    }
    let kind = descriptor.kind()?;
    let name = kind.as_str();
    if let Some((port, path)) = name.split_once('/')
        && port
            .rsplit(':')
            .next()
            .is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
    {
        let found = mistake(kind.span(), format!("`{name}` is a port, followed by a path"));
        return Some(found.help(match role {
            Role::Listen => format!("give the path as a parameter: `ws:{port}:path=/{path}`"),
            Role::Connect => format!("write it as a URL: `ws://127.0.0.1:{port}/{path}`"),
        }));
    }
    if role == Role::Listen && matches!(name, "http" | "web" | "websocket") {
        let found = mistake(kind.span(), format!("`{name}` is not a kind of endpoint"));
        let port = descriptor.args.get(1).filter(|port| is_port(port));
        let port = port.map_or("PORT", |port| port.as_str());
        return Some(
            found.help(format!(
                "`ws:{port}` serves a page to browsers and accepts WebSocket clients"
            )),
        );
    }
    if role != Role::Listen || !matches!(name, "ws" | "autobahn") {
        return None;
    }
    let named =
        |names: &[&str]| descriptor.kwargs.iter().find(|(name, _)| names.contains(&name.as_str()));
    if let Some((_, value)) = named(&["auth"])
        && let Some(behind) =
            descriptor.args.iter().find(|arg| arg.span().start == value.span().end + 1)
    {
        let span = Span { start: value.span().start, end: behind.span().end };
        if PROVIDERS.contains(&value.as_str()) {
            let words = format!("the settings of `{value}` must be in braces");
            let found = wrong(Code::BadValue, span, words);
            let source = descriptor.source();
            let (from, to) = (span.start - source.span().start, span.end - source.span().start);
            let (before, rest) = source.as_str().split_at_checked(from)?;
            let (given, after) = rest.split_at_checked(to - from)?;
            return Some(found.help(format!("write `{before}{{{given}}}{after}`")));
        }
        // `auth=user:password`.
        let words =
            "`auth` takes no password, because all users of the machine can read a descriptor";
        let found = wrong(Code::BadValue, span, words.to_owned());
        return Some(found.help(
            "use `auth={htpasswd:FILE}` with a file written by `endpointforward passwd FILE NAME`, or `auth=token`, \
             which prints a link that works once",
        ));
    }
    let names = ["ssl", "tls", "https", "certificate", "privateKey", "certKey"];
    let bare = descriptor.args.iter().skip(2).find(|arg| names.contains(&arg.as_str()));
    let name = named(&names).map(|(name, _)| name).or(bare)?;
    let found = wrong(Code::UnknownKeyword, name.span(), format!("`ws` has no parameter `{name}`"));
    Some(found.help("encrypt it with `cert=FILE` and `key=FILE`, or with `cert=self-signed`"))
}

/// A listener needs a certificate, and one can be made at once.
pub(crate) fn tls(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    if let Some(found) = over_host(descriptor, role, "tls", "443") {
        return Some(found);
    }
    let kind = descriptor.kind()?;
    for (name, value) in &descriptor.kwargs {
        let (words, help) = match name.as_str() {
            "sslmethod" => (
                format!("`{value}` is not supported: the supported versions are TLS 1.2 and 1.3"),
                "leave `sslmethod` out, or give the lowest version with `min=1.2` or `min=1.3`",
            ),
            "dhParameters" => (
                "the key exchange uses elliptic curves only, which need no file".to_owned(),
                "leave `dhParameters` out",
            ),
            _ => continue,
        };
        return Some(wrong(Code::UnknownKeyword, name.span(), words).help(help));
    }
    let is_ours = matches!(&*kind.as_str().to_ascii_lowercase(), "tls" | "ssl");
    let has_cert = descriptor.kwargs.iter().any(|(name, _)| name.as_str() == "cert");
    if role != Role::Listen || !is_ours || has_cert || descriptor.args.len() < 2 {
        return None;
    }
    let found = wrong(Code::MissingParameter, kind.span(), format!("`{kind}` needs `cert`"));
    Some(found.help(
        "give the certificate with `cert=FILE`, or create one at the start with `cert=self-signed`",
    ))
}

/// The providers of `auth` that have parameters.
const PROVIDERS: [&str; 8] =
    ["htpasswd", "token", "bearer", "jwt", "header", "cert", "peer", "unix"];
