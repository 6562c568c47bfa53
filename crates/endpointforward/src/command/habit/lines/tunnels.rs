//! Tunnels, and ports that are published: ssh, docker, kubectl, wstunnel, chisel, gost, caddy.

use descriptor::{quote_positional, quote_value};

use super::super::Means::*;
use super::super::place::Place;
use super::super::{Given, Line};
use super::parts::*;

pub(in super::super) fn ssh(given: &Given<'_>) -> Option<Line> {
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

/// `docker run -p 8080:80` and `kubectl port-forward pod/web 8080:80`.
pub(in super::super) fn published(given: &Given<'_>) -> Option<Line> {
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
pub(in super::super) fn tunnel(given: &Given<'_>) -> Option<Line> {
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
pub(in super::super) fn gost(given: &Given<'_>) -> Option<Line> {
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
pub(in super::super) fn caddy(given: &Given<'_>) -> Option<Line> {
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
