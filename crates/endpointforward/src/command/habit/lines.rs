//! What the options and words of other programs mean here.

use descriptor::{quote_positional, quote_value};
use plan::kind::Role;

use super::Means::*;
use super::place::Place;
use super::{Given, Line};

// === programs that serve WebSockets ===

pub(super) fn websockify(given: &Given<'_>) -> Option<Line> {
    let (source, target) = match &*given.words {
        [source] => (source, None),
        [source, target] => (source, Some(target)),
        _ => return None,
    };
    // Two ports alone may be any forwarder's.
    if given.is_bare() {
        return None;
    }
    let place = Place::read(source)?;
    let tokens = given.value(Tokens).map(|path| format!("route:file={}", quote_value(path)));
    let unix = given.value(TargetUnix).map(unix);
    let target = target.filter(|target| Place::read(target).is_some());
    let connect = tokens.or(unix).or_else(|| Some(destination(target?)))?;
    Some(web(given, place, connect))
}

pub(super) fn websocketd(given: &Given<'_>) -> Option<Line> {
    let place = Place::at(given.value(Address), given.value(Port)?)?;
    let scripts = given.value(Scripts).map(|dir| format!("process:dir={}", quote_value(dir)));
    let connect = scripts.or_else(|| program("process", &given.words))?;
    let framing = if given.has(Standard) { "" } else { ":framing=lines" };
    let kept = given.value(Kept).map(|names| format!(":passenv={}", quote_value(names)));
    let framing = format!("{framing}{}", kept.unwrap_or_default());
    Some(web(given, place, format!("{connect}{framing}")))
}

pub(super) fn ttyd(given: &Given<'_>) -> Option<Line> {
    let name = given.words.first()?.rsplit('/').next()?;
    // Without options, a word may be anything.
    let is_shell = ["ash", "bash", "dash", "fish", "htop", "ksh", "login", "sh", "tmux", "zsh"];
    let is_program =
        !given.words[0].contains([',', ':', '@']) && Place::read(given.words[0]).is_none();
    if given.is_bare() && !is_shell.contains(&name) || !is_program {
        return None;
    }
    let address = if given.is_bare() { Some("127.0.0.1") } else { given.value(Address) };
    let place = Place::at(address, given.value(Port).unwrap_or("7681"))?;
    let mut connect = program("pty", &given.words)?;
    for (means, name) in [(Folder, "cwd"), (User, "user"), (Group, "group"), (Term, "term")] {
        if let Some(value) = given.value(means) {
            connect = format!("{connect}:{name}={}", quote_value(value));
        }
    }
    let mut line = web(given, place, connect);
    let is_read_only = !given.is_bare() && !given.has(Typing);
    line.notes.extend(is_read_only.then(|| {
        "clients may type, unless `endpointforward passwd --read-only` has added them".to_owned()
    }));
    Some(line)
}

/// A `ws` listener with the options that its programs have.
fn web(given: &Given<'_>, place: Place<'_>, connect: String) -> Line {
    let mut options = String::new();
    if let Some(page) = given.value(Page) {
        options += &format!(":page={}", quote_value(&folder(page)));
    }
    let named = [(Path, "path"), (Ping, "ping"), (Certificate, "cert"), (Key, "key")];
    for (means, name) in named {
        options += &given
            .value(means)
            .map_or(String::new(), |value| format!(":{name}={}", quote_value(value)));
    }
    if given.has(Origin) {
        let hosts: Vec<_> = given.values(Origin).flat_map(|list| list.split(',')).collect();
        let origins =
            hosts.iter().filter(|host| !host.is_empty()).map(|host| match host.contains("://") {
                true => (*host).to_owned(),
                false => format!("https://{host}"),
            });
        let origins = origins.collect::<Vec<_>>().join(",");
        options += &if origins.is_empty() { origins } else { format!(":origin={{{origins}}}") };
    }
    let mut notes = Vec::new();
    if given.has(Login) {
        options += ":auth={htpasswd:users}";
        notes.push(
            "`endpointforward passwd users NAME` asks for a password and writes that file"
                .to_owned(),
        );
    }
    let mut line = Line { listen: on_web(place, &options), connect, notes, ..Line::default() };
    limits(given, &mut line);
    line
}

/// A `ws` listener: as asked, with a link if its destination is a program, on loopback.
fn on_web(place: Place<'_>, options: &str) -> Vec<(String, String)> {
    let asked = format!("{}{options}", place.over("ws"));
    let here = format!("{}{options}", place.loopback().over("ws"));
    let note = format!("`auth=token` prints a link; for this machine alone, `-e {here}`");
    let linked = format!("{asked}:auth=token");
    vec![(asked, String::new()), (linked, note), (here, String::new())]
}

/// A `tcp` listener: as asked, or on loopback if its destination is a program.
fn on_port(place: Place<'_>, kind: &str) -> Vec<(String, String)> {
    let asked = place.of(kind);
    let note = format!("for other machines, `-e {asked}:auth=none`");
    let here = place.loopback().of(kind);
    vec![(asked, String::new()), (here, note)]
}

fn exactly(listen: impl Into<String>) -> Vec<(String, String)> {
    vec![(listen.into(), String::new())]
}

fn limits(given: &Given<'_>, line: &mut Line) {
    line.options.extend(given.has(Once).then(|| "--once".to_owned()));
    let number = given.value(Sessions).filter(|number| number.parse::<u32>().is_ok());
    line.options.extend(number.map(|number| format!("--max-sessions {number}")));
}

// === two endpoints ===

pub(super) fn websocat(given: &Given<'_>) -> Option<Line> {
    let (listen, mut connect) = match (&*given.words, given.value(Port)) {
        ([], Some(port)) => {
            let place = Place::read(port)?.or_loopback();
            (on_web(place, ""), "stdio".to_owned())
        }
        ([url], None) if url.contains("://") => (exactly("stdio"), endpoint(url, Role::Connect)),
        ([first, second], None) if first.contains(':') && Place::read(first).is_none() => {
            (exactly(endpoint(first, Role::Listen)), endpoint(second, Role::Connect))
        }
        _ => return None,
    };
    let mut settings = String::new();
    let is_url = connect.starts_with("ws://") || connect.starts_with("wss://");
    if is_url && !given.has(Standard) {
        settings += ":encoding=text";
    }
    let header = given.value(Header).and_then(|header| header.split_once(':'));
    if let Some((name, value)) = header {
        settings +=
            &format!(":header.{}={}", name.trim().to_lowercase(), quote_value(value.trim()));
    }
    if let Some(subprotocol) = given.value(Subprotocol) {
        settings += &format!(":subprotocol={}", quote_value(subprotocol));
    }
    if let Some(origin) = given.value(Origin) {
        settings += &format!(":origin={}", quote_value(origin));
    }
    if given.has(Insecure) {
        settings += ":insecure=true";
    }
    if is_url && !settings.is_empty() {
        connect = format!("{{{connect}}}{settings}");
    }
    let mut line = Line { listen, connect, ..Line::default() };
    limits(given, &mut line);
    Some(line)
}

pub(super) fn socat(given: &Given<'_>) -> Option<Line> {
    let [first, second] = &*given.words else { return None };
    let is_theirs = |word: &str| {
        let head = word.split([':', ',']).next().unwrap_or_default();
        word == "-"
            || head == "-"
            || !head.is_empty() && head.chars().all(|c| c.is_ascii_uppercase() || "-46".contains(c))
    };
    if !is_theirs(first) && !is_theirs(second) {
        return None;
    }
    let listen = endpoint(first, Role::Listen);
    let mut listeners = exactly(listen.clone());
    // A program is not started for everyone.
    if let Some(place) = listen.strip_prefix("tcp:").and_then(Place::read) {
        listeners = on_port(place, "tcp");
    }
    let connect = endpoint(second, Role::Connect);
    Some(Line { listen: listeners, connect, ..Line::default() })
}

/// `8080 localhost:80`, `:8080 :80`, `8080:80`, and redir's options.
pub(super) fn ports(given: &Given<'_>) -> Option<Line> {
    let (place, target) = match (&*given.words, given.value(Port)) {
        ([first, second], None) => {
            (Place::read(first)?, destination(Place::read(second).map(|_| *second)?))
        }
        ([pair], None) => match forwarded(pair) {
            Some((place, host, port)) => (place, format!("tcp:{host}:{port}")),
            None => {
                let (place, port) = pair.split_once(':')?;
                Place::at(None, port)?;
                (Place::at(None, place)?, format!("tcp:localhost:{port}"))
            }
        },
        ([], Some(port)) => {
            let host = given.value(TargetAddress).unwrap_or("localhost");
            (
                Place::at(given.value(Address), port)?,
                format!("tcp:{host}:{}", given.value(TargetPort)?),
            )
        }
        _ => return None,
    };
    // A number alone is as short as it can be.
    let is_number = given.words.first().is_some_and(|word| word.starts_with(place.port));
    let place = if is_number { place.loopback() } else { place };
    let notes = match given.is_bare() {
        true => vec![format!("for WebSocket clients, `-e {}`", place.over("ws"))],
        false => Vec::new(),
    };
    let listen = place.of("tcp");
    Some(Line { listen: exactly(listen), connect: target, notes, ..Line::default() })
}

// === netcat and telnet ===

pub(super) fn netcat(given: &Given<'_>) -> Option<Line> {
    let words = &*given.words;
    let kind = if given.has(Udp) { "udp" } else { "tcp" };
    let exec = given.value(Program).and_then(|line| program("process", &words_of(line)));
    let shell = given.value(Shell).map(|line| format!("process:sh:-c:{{{line}}}"));
    let other = exec.or(shell);
    let mut line = match (given.has(Listen), given.has(Unix), words) {
        (true, true, [path]) => Line { listen: exactly(unix(path)), ..Line::default() },
        (false, true, [path]) => {
            Line { listen: exactly("stdio"), connect: unix(path), ..Line::default() }
        }
        (true, false, _) => {
            let (host, port) = match (words, given.value(Port)) {
                ([], Some(port)) => (None, port),
                ([host], Some(port)) => (Some(*host), port),
                ([port], None) => (None, *port),
                ([host, port], None) => (Some(*host), *port),
                _ => return None,
            };
            Line { listen: on_port(Place::at(host, port)?, kind), ..Line::default() }
        }
        (false, false, [host, port]) if other.is_none() && !given.has(Port) => {
            let is_host = host.contains('.') || *host == "localhost" || !given.is_bare();
            let connect = is_host.then(|| format!("{kind}:{}:{port}", quote_positional(host)))?;
            Line { listen: exactly("stdio"), connect, ..Line::default() }
        }
        _ => return None,
    };
    if given.has(Listen) {
        line.options.extend((other.is_none() && !given.has(Keep)).then(|| "--once".to_owned()));
        line.connect = other.unwrap_or_else(|| "stdio".to_owned());
    }
    Some(line)
}

// === tunnels ===

pub(super) fn ssh(given: &Given<'_>) -> Option<Line> {
    let server = match &*given.words {
        [] => None,
        [server] => Some(*server),
        _ => return None,
    };
    let port = given.value(Port).map_or(String::new(), |port| format!(":{port}"));
    let via = server.map_or(String::new(), |server| format!(":via={{ssh://{server}{port}}}"));
    if let Some(target) = given.value(Standard) {
        let connect = format!("tcp:{target}{via}");
        return target.contains(':').then(|| Line {
            listen: exactly("stdio"),
            connect,
            ..Line::default()
        });
    }
    if let Some(port) = given.value(Socks) {
        let place = Place::read(port)?.or_loopback();
        let connect = format!("tcp:${{target.host}}:${{target.port}}:allow=*{via}");
        return Some(Line { listen: exactly(place.over("socks5")), connect, ..Line::default() });
    }
    let (spec, is_remote) = match (given.value(Forward), given.value(Remote)) {
        (Some(spec), _) => (spec, false),
        (None, Some(spec)) => (spec, true),
        _ => return None,
    };
    let (place, host, port) = forwarded(spec)?;
    let listen = exactly(place.or_loopback().of("tcp"));
    let connect =
        format!("tcp:{}:{port}{}", quote_positional(host), if is_remote { "" } else { &via });
    let mut line = Line { listen, connect, ..Line::default() };
    if is_remote {
        line.notes.push("on the server: listening on another machine is not built".to_owned());
    }
    Some(line)
}

/// `[ADDRESS:]PORT:HOST:PORT`.
fn forwarded(spec: &str) -> Option<(Place<'_>, &str, &str)> {
    let (rest, port) = spec.rsplit_once(':')?;
    let (place, host) = rest.rsplit_once(':')?;
    Some((Place::read(place)?, host, port))
}

/// `docker run -p 8080:80` and `kubectl port-forward pod/web 8080:80`.
pub(super) fn published(given: &Given<'_>) -> Option<Line> {
    let (pair, is_kubectl) = match &*given.words {
        ["port-forward", _, pair] => (*pair, true),
        ["run", ..] | [] => (given.value(Port)?, false),
        _ => return None,
    };
    let (place, port) = pair.split('/').next()?.rsplit_once(':')?;
    let place = match (Place::read(place)?, given.value(Address)) {
        (place, Some(address)) => Place::at(Some(address), place.port)?,
        (place, None) if is_kubectl => place.or_loopback(),
        (place, None) => place,
    };
    let connect = format!("tcp:localhost:{port}");
    Some(Line { listen: exactly(place.of("tcp")), connect, ..Line::default() })
}

/// The client and the server of wstunnel and chisel.
pub(super) fn tunnel(given: &Given<'_>) -> Option<Line> {
    match &*given.words {
        ["server", rest @ ..] => {
            let (scheme, at) =
                rest.first().and_then(|url| url.split_once("://")).unwrap_or(("ws", ""));
            let place = match (given.value(Port), at) {
                (Some(port), _) => Place::at(given.value(Address), port)?,
                (None, "") => Place::at(None, "8080")?,
                (None, at) => Place::read(at.trim_end_matches('/'))?,
            };
            let secure = if scheme == "wss" { ":cert=self-signed" } else { "" };
            let note = "the server's command line has the destination, and its clients have none";
            let listen = exactly(format!("{}{secure}", place.over("ws")));
            let connect = "tcp:localhost:80".to_owned();
            Some(Line { listen, connect, notes: vec![note.to_owned()], ..Line::default() })
        }
        ["client", words @ ..] => {
            let url = words.iter().find(|word| word.contains("://"))?;
            let url = url.replacen("http", "ws", 1);
            let spec = given
                .value(Forward)
                .or_else(|| words.iter().copied().find(|word| !word.contains("://")))?;
            let (place, host, port) =
                forwarded(spec.split_once("://").map_or(spec, |(_, spec)| spec))?;
            let secure = if url.starts_with("wss") { ":cert=FILE:key=FILE" } else { "" };
            let note = format!("the server is `-e ws:{{tcp:8080}}{secure} -d tcp:{host}:{port}`");
            let url = if url.matches('/').count() < 3 { format!("{url}/") } else { url };
            let listen = exactly(place.or_loopback().of("tcp"));
            Some(Line { listen, connect: url, notes: vec![note], ..Line::default() })
        }
        _ => None,
    }
}

/// gost's `-L tcp://:8080/localhost:80 -F socks5://proxy:1080`.
pub(super) fn gost(given: &Given<'_>) -> Option<Line> {
    let spec = given.value(Forward).filter(|_| given.words.is_empty())?;
    let (scheme, rest) = spec.split_once("://").unwrap_or(("http", spec));
    let (at, target) = rest.split_once('/').unwrap_or((rest, ""));
    let place = Place::read(at)?;
    let via = given.value(Chain).map_or(String::new(), |proxy| format!(":via={{{proxy}}}"));
    let any = format!("tcp:${{target.host}}:${{target.port}}:allow=*{via}");
    let (listen, connect) = match (scheme, target) {
        ("socks5" | "socks", _) => (place.loopback().over("socks5"), any),
        ("http", "") => (place.loopback().over("http-connect"), any),
        ("tcp" | "rtcp", target) if !target.is_empty() => {
            (place.of("tcp"), format!("tcp:{target}{via}"))
        }
        ("udp", target) if !target.is_empty() => (place.of("udp"), format!("udp:{target}")),
        _ => return None,
    };
    Some(Line { listen: exactly(listen), connect, ..Line::default() })
}

/// caddy's commands that are a server by themselves.
pub(super) fn caddy(given: &Given<'_>) -> Option<Line> {
    match &*given.words {
        ["reverse-proxy"] => {
            let place = Place::read(given.value(Address).unwrap_or("443"))?;
            let note = "the bytes pass unchanged: names and paths of HTTP do not choose".to_owned();
            let connect = destination(given.value(Target)?);
            Some(Line {
                listen: exactly(place.of("tcp")),
                connect,
                notes: vec![note],
                ..Line::default()
            })
        }
        ["file-server"] => {
            let place = Place::read(given.value(Address).unwrap_or("80"))?;
            let page = folder(given.value(Page).unwrap_or("."));
            let listen = exactly(format!("{}:page={}", place.over("ws"), quote_value(&page)));
            Some(Line { listen, connect: "null".to_owned(), ..Line::default() })
        }
        _ => None,
    }
}

// === parts ===

/// A folder of pages: a path has a slash, and a word is a built-in page.
fn folder(typed: &str) -> String {
    match typed {
        "." => "./".to_owned(),
        typed if typed.contains('/') => typed.to_owned(),
        typed => format!("./{typed}"),
    }
}

fn unix(path: &str) -> String {
    format!("unix:{}", quote_positional(path))
}

fn words_of(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn program(kind: &str, words: &[&str]) -> Option<String> {
    let words: Vec<_> = words.iter().map(|word| quote_positional(word)).collect();
    (!words.is_empty()).then(|| format!("{kind}:{}", words.join(":")))
}

/// `localhost:80`, `:80` and `80` as a destination.
fn destination(typed: &str) -> String {
    match Place::read(typed) {
        Some(place) if typed.len() <= place.port.len() + 1 => {
            format!("tcp:localhost:{}", place.port)
        }
        _ => endpoint(typed, Role::Connect),
    }
}

/// An endpoint in other programs' terms.
fn endpoint(typed: &str, role: Role) -> String {
    let head = typed.split(',').next().unwrap_or_default();
    match head.to_ascii_lowercase().as_str() {
        "-" | "stdio" | "stdin" if typed.contains("raw") => return "stdio:raw=true".to_owned(),
        "-" | "stdio" => return "stdio".to_owned(),
        _ => {}
    }
    // socat's EXEC has a command line.
    if let Some((kind, command)) = typed.split_once(':')
        && kind.eq_ignore_ascii_case("exec")
        && kind != "exec"
    {
        let (command, options) = command.split_once(',').unwrap_or((command, ""));
        let kind = if options.split(',').any(|option| option == "pty") { "pty" } else { "process" };
        let quotes = ['"', '\''];
        return program(kind, &words_of(command.trim_matches(quotes))).unwrap_or_default();
    }
    match endpoints::translate(typed, role) {
        Some((side, descriptor)) if side == role => descriptor,
        _ => kinds_name(typed),
    }
}

/// `TCP:localhost:23` with the kind in lower case, as it is written here.
fn kinds_name(typed: &str) -> String {
    let (kind, rest) = typed.split_once(':').unwrap_or((typed, ""));
    let is_name = kind.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    match is_name && !rest.is_empty() && kind.bytes().any(|b| b.is_ascii_uppercase()) {
        true => format!("{}:{rest}", kind.to_ascii_lowercase()),
        false => typed.to_owned(),
    }
}
