//! Frequent mistakes of users of other tools, and the help for them.
//!
//! Each function belongs to a kind ([`Kind::slip`](plan::kind::Kind::slip)). It is asked only about what can't be planned.

use descriptor::{Code, Descriptor, Diagnostic, Span, Stage, Text};
use plan::kind::Role;

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
    match (role, args) {
        (Role::Listen, [host, port]) if is_port(port) && !is_port(host) => {
            let span = Span { start: host.span().start, end: port.span().end };
            let found = wrong(
                Code::BadValue,
                span,
                format!("`{name}` listens on a port, and `{host}` is not a port"),
            );
            let is_ours =
                host.as_str().parse::<std::net::Ipv4Addr>().is_ok() || host.as_str() == "localhost";
            Some(found.help(match is_ours {
                true => format!(
                    "give the address to listen on with `interface=`: `{name}:{port}:interface={host}`"
                ),
                false => format!(
                    "to connect to it, use `-d {name}:{host}:{port}`"
                ),
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
        _ => None,
    }
}

/// A path is a socket's, unless it is a device's or a program's.
pub(crate) fn unix(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let path = path(descriptor)?;
    let kind = match path.as_str() {
        text if text.starts_with("/dev/") => return None,
        text if role == Role::Connect && text.contains("/bin/") => return None,
        text => text,
    };
    let found = mistake(path.span(), format!("`{kind}` is a path, and its kind is missing"));
    Some(found.help(format!("for a socket, write `unix:{kind}`")))
}

/// A device's path.
pub(crate) fn serial(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    let path = path(descriptor).filter(|path| path.as_str().starts_with("/dev/"))?;
    let found = mistake(path.span(), format!("`{path}` is a device, and its kind is missing"));
    Some(found.help(format!("for a serial port, write `serial:{path}:115200`")))
}

/// `-`, as programs of the shell have it.
pub(crate) fn stdio(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    let dash = descriptor.kind().filter(|kind| kind.as_str() == "-")?;
    let found = mistake(dash.span(), "`-` is not a kind of endpoint".to_owned());
    Some(found.help("for standard input and output, write `stdio`"))
}

/// A shell or another program for a terminal.
pub(crate) fn pty(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    let name = kind.as_str().rsplit('/').next().unwrap_or_default();
    if !ON_TERMINALS.contains(&name.split(' ').next().unwrap_or_default()) {
        return None;
    }
    let found = mistake(kind.span(), format!("`{kind}` is a program, and its kind is missing"));
    let program = kind.as_str().replace(' ', ":");
    Some(
        found
            .help(format!("for a terminal, write `pty:{program}`; for pipes, `process:{program}`")),
    )
}

/// Other programs, and protocols that programs speak.
pub(crate) fn process(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    if let Some((name, instead)) = ABSENT.iter().find(|(name, _)| *name == kind.as_str()) {
        let found = mistake(kind.span(), format!("the kind `{name}` doesn't exist"));
        return Some(found.help(*instead));
    }
    let path = path(descriptor).filter(|path| path.as_str().contains("/bin/"))?;
    let is_connect = role == Role::Connect;
    is_connect.then(|| {
        mistake(path.span(), format!("`{path}` is a program, and its kind is missing"))
            .help(format!("for pipes, write `process:{path}`; for a terminal, `pty:{path}`"))
    })
}

/// A server without its endpoint, as `ssh` itself takes it.
pub(crate) fn ssh(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    let server = descriptor.args.get(1)?;
    let host = server.as_str().rsplit('@').next().unwrap_or_default();
    if role != Role::Connect || kind.as_str() != "ssh" || !is_host_name(host) {
        return None;
    }
    let message = format!("`ssh` goes over an endpoint, and `{server}` is a server's name");
    Some(mistake(server.span(), message).help(format!(
        "`ssh:{{tcp:{host}:22}}:host=TARGET:port=PORT` reaches a port through it; `pty:ssh:{server}` is its shell"
    )))
}

/// A path behind a port, a password, a certificate, and HTTP in a kind's place.
pub(crate) fn ws(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    let name = kind.as_str();
    if let Some((port, path)) = name.split_once('/')
        && !port.is_empty()
        && port.rsplit(':').next().is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
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
        // `auth=user:password`.
        let span = Span { start: value.span().start, end: behind.span().end };
        let words =
            "`auth` takes no password, because all users of the machine can read a descriptor";
        let found = wrong(Code::BadValue, span, words.to_owned());
        return Some(found.help(
            "use `auth={htpasswd:FILE}` with a file written by `endpointforward passwd FILE NAME`, or `auth=token`, \
             which prints a link that works once",
        ));
    }
    let (name, _) = named(&["ssl", "tls", "certificate", "privateKey", "certKey"])?;
    let found = wrong(Code::UnknownKeyword, name.span(), format!("`ws` has no parameter `{name}`"));
    Some(found.help("encrypt it with `cert=FILE` and `key=FILE`, or with `cert=self-signed`"))
}

/// A listener needs a certificate, and one can be made at once.
pub(crate) fn tls(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
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

fn mistake(at: Span, message: String) -> Diagnostic {
    Diagnostic::error(Stage::Plan, Code::UnknownKind, at, message)
}

/// Of the kind that was meant, in what it was given.
fn wrong(code: Code, at: Span, message: String) -> Diagnostic {
    Diagnostic::error(Stage::Plan, code, at, message)
}

/// Returns the text in the kind's place, if it is a path.
fn path(descriptor: &Descriptor) -> Option<&Text> {
    descriptor.kind().filter(|kind| {
        let text = kind.as_str();
        ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start))
    })
}

fn is_port(text: &Text) -> bool {
    text.as_str().parse::<u16>().is_ok()
}

fn is_host_name(text: &str) -> bool {
    text.split('.').all(|word| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
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

/// Programs that are of no use without a terminal.
const ON_TERMINALS: [&str; 17] = [
    "ash", "bash", "csh", "dash", "fish", "htop", "ksh", "login", "mc", "nano", "nu", "sh", "tmux",
    "top", "vi", "vim", "zsh",
];

/// Kinds that users look for and that don't exist, and what to use instead.
const ABSENT: [(&str, &str); 1] =
    [("vnc", "use `-d tcp:HOST:5900` for a VNC server, with `-e ws:PORT` for noVNC")];
