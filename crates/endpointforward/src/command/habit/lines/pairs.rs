//! Programs that connect two endpoints: websocat, socat, netcat, telnet, port forwarders.

use descriptor::{quote_positional, quote_value};
use plan::kind::Role;

use super::super::Means::*;
use super::super::place::Place;
use super::super::{Given, Line};
use super::parts::*;

pub(in super::super) fn websocat(given: &Given<'_>) -> Option<Line> {
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

pub(in super::super) fn socat(given: &Given<'_>) -> Option<Line> {
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
pub(in super::super) fn ports(given: &Given<'_>) -> Option<Line> {
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

pub(in super::super) fn netcat(given: &Given<'_>) -> Option<Line> {
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
