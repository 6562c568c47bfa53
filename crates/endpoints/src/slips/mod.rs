//! Frequent mistakes of users of other tools, and the help for them.
//!
//! Each function belongs to a kind ([`Kind::slip`](plan::kind::Kind::slip)). It is called only for descriptors that
//! can't be planned. Other programs' notations belong to no kind ([`foreign`]).

mod absent;
mod foreign;
mod interface;
mod line;
mod settings;
mod shapes;
mod tools;
mod typography;
mod urls;
mod values;

pub use self::foreign::{foreign, translate};
pub(crate) use self::interface::interface;

use descriptor::{Code, Descriptor, Diagnostic, Span, Stage, Text, quote_positional, quote_value};
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

/// A device's path, and settings that are written as one word.
pub(crate) fn serial(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    if let [kind, path] = &*descriptor.args
        && kind.as_str() == "serial"
        && let Some((device, word)) = path.as_str().split_once(',')
    {
        let settings = serial_settings(word)?;
        let span = path.span_of(device.len()..path.len());
        let found = wrong(Code::BadValue, span, "the rate is a parameter of its own".to_owned());
        let device = quote_positional(device);
        return Some(found.help(format!("write `serial:{device}:{settings}`")));
    }
    if let [kind, path, words @ ..] = &*descriptor.args
        && kind.as_str() == "serial"
        && let Some((span, word)) = rate(descriptor, words)
    {
        // socat has its rates as `b9600`.
        let settings = serial_settings(word.strip_prefix('b').unwrap_or(word))?;
        let message = format!("`{word}` is a rate with the format of a character");
        let message = match word.starts_with('b') {
            true => format!("`{word}` is socat's form of a rate"),
            false => message,
        };
        let found = wrong(Code::BadValue, span, message);
        let path = quote_positional(path.as_str());
        return Some(found.help(format!("write `serial:{path}:{settings}`")));
    }
    if let [kind, path, word] = &*descriptor.args
        && kind.as_str() == "serial"
        && matches!(word.as_str(), "raw" | "rawer" | "cfmakeraw" | "local")
    {
        let found = wrong(Code::BadValue, word.span(), format!("`serial` needs no `{word}`"));
        let path = quote_positional(path.as_str());
        return Some(
            found.help(format!("write `serial:{path}:115200`; every byte is passed on as it is")),
        );
    }
    let path = path(descriptor).filter(|path| path.as_str().starts_with("/dev/"))?;
    let found = mistake(path.span(), format!("`{path}` is a device, and its kind is missing"));
    Some(found.help(format!("for a serial port, write `serial:{path}:115200`")))
}

/// A rate that has more than digits: the only other field, or the value of `baud`.
fn rate<'d>(descriptor: &'d Descriptor, words: &'d [Text]) -> Option<(Span, &'d str)> {
    let word = match (words, descriptor.kwargs.iter().find(|(name, _)| name.as_str() == "baud")) {
        ([word], None) => word,
        ([], Some((_, value))) if descriptor.kwargs.len() == 1 => value,
        _ => return None,
    };
    let is_rate = word.as_str().parse::<u32>().is_err();
    let settings = serial_settings(word.as_str().trim_start_matches('b'));
    (is_rate && settings.is_some()).then(|| (word.span(), word.as_str()))
}

/// The parameters for `9600n81` (ser2net), `9600,8n1` or `9600`.
fn serial_settings(word: &str) -> Option<String> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (baud, rest) = word.split_at(digits);
    baud.parse::<u32>().ok().filter(|baud| *baud > 0)?;
    let format: Vec<_> =
        rest.to_ascii_uppercase().chars().filter(|c| !matches!(c, ',' | '-' | '/')).collect();
    let (bits, parity, stop) = match &*format {
        [] => return Some(baud.to_owned()),
        [parity, bits, stop] if parity.is_ascii_alphabetic() => (bits, parity, stop),
        [bits, parity, stop] => (bits, parity, stop),
        _ => return None,
    };
    let is_known =
        matches!(bits, '5'..='8') && "NEOMS".contains(*parity) && matches!(stop, '1' | '2');
    let mut settings = baud.to_owned();
    for (name, value, usual) in
        [("bytesize", bits, '8'), ("parity", parity, 'N'), ("stopbits", stop, '1')]
    {
        if *value != usual {
            settings = format!("{settings}:{name}={value}");
        }
    }
    is_known.then_some(settings)
}

/// `-`, as programs of the shell have it.
pub(crate) fn stdio(descriptor: &Descriptor, _: Role) -> Option<Diagnostic> {
    let dash = descriptor.kind().filter(|kind| kind.as_str() == "-")?;
    let found = mistake(dash.span(), "`-` is not a kind of endpoint".to_owned());
    Some(found.help("for standard input and output, write `stdio`"))
}

/// A shell or another program for a terminal.
pub(crate) fn pty(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    if !needs_terminal(kind.as_str()) || role == Role::Listen && kind.as_str().starts_with('/') {
        return None;
    }
    let found = mistake(kind.span(), format!("`{kind}` is a program, and its kind is missing"));
    let program = kind.as_str().replace(' ', ":");
    Some(
        found
            .help(format!("for a terminal, write `pty:{program}`; for pipes, `process:{program}`")),
    )
}

/// The first word of a command is a program that is of no use without a terminal.
fn needs_terminal(command: &str) -> bool {
    let name = command.split(' ').next().unwrap_or_default();
    ON_TERMINALS.contains(&name.rsplit('/').next().unwrap_or_default())
}

/// Other programs, and protocols that programs speak.
pub(crate) fn process(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    if let Some((name, instead)) = ABSENT.iter().find(|(name, _)| *name == kind.as_str()) {
        let found = mistake(kind.span(), format!("the kind `{name}` doesn't exist"));
        return Some(found.help(*instead));
    }
    if let Some(found) = on_terminal(descriptor) {
        return Some(found);
    }
    let path = path(descriptor).filter(|path| path.as_str().contains("/bin/"))?;
    Some(match role {
        Role::Connect => {
            mistake(path.span(), format!("`{path}` is a program, and its kind is missing"))
                .help(format!("for pipes, write `process:{path}`; for a terminal, `pty:{path}`"))
        }
        Role::Listen => {
            mistake(path.span(), format!("`{path}` is a program, but clients connect to `-e`"))
                .help(format!("to start it for each client, write `-d process:{path}`"))
        }
    })
}

/// `process:ls:pty=true`, as socat's EXEC has it.
fn on_terminal(descriptor: &Descriptor) -> Option<Diagnostic> {
    let kind = descriptor.kind().filter(|kind| {
        ["process", "exec"].iter().any(|name| kind.as_str().eq_ignore_ascii_case(name))
    })?;
    let mut named = descriptor.kwargs.iter();
    let (name, value) =
        named.find(|(name, _)| matches!(name.as_str(), "pty" | "tty" | "ctty" | "setsid"))?;
    let source = descriptor.source();
    let start = source.span().start;
    // A terminal has no separate standard error.
    let stderr = descriptor.kwargs.iter().find(|(name, _)| name.as_str() == "stderr");
    let mut left_out = vec![(name, value)];
    left_out.extend(stderr.map(|(name, value)| (name, value)));
    left_out.sort_by_key(|(name, _)| name.span().start);
    let mut line = "pty".to_owned();
    let mut at = kind.span().end - start;
    for (name, value) in left_out {
        line += source.as_str().get(at..name.span().start.checked_sub(start + 1)?)?;
        at = value.span().end - start;
    }
    line += source.as_str().get(at..)?;
    let message = format!("`{kind}` starts programs without a terminal");
    let found = wrong(Code::UnknownKeyword, name.span(), message);
    Some(found.help(format!("write `{line}`")))
}

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

/// `serial:/dev/ttyUSB0,115200`, which names no device.
pub(crate) fn has_rate(path: &str) -> bool {
    path.split_once(',').is_some_and(|(_, word)| serial_settings(word).is_some())
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

fn mistake(at: Span, message: String) -> Diagnostic {
    Diagnostic::error(Stage::Plan, Code::UnknownKind, at, message)
}

/// Returns an error in the parameters of the kind that was meant.
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

/// The providers of `auth` that have parameters.
const PROVIDERS: [&str; 8] =
    ["htpasswd", "token", "bearer", "jwt", "header", "cert", "peer", "unix"];

/// Kinds that users look for and that don't exist, and what to use instead.
const ABSENT: [(&str, &str); 1] =
    [("vnc", "use `-d tcp:HOST:5900` for a VNC server, with `-e ws:PORT` for noVNC")];
