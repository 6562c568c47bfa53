//! Parts of a descriptor that are joined or enclosed as elsewhere: `ws(tcp:9000)`, `ws{tcp:9000}`, `ws:9000,path=/x`,
//! `balance:tcp:a:80,tcp:b:80`.

use std::ops::Range;

type Meant = (Range<usize>, String, String);

/// Finds the first of them: its place, what is wrong, and the descriptor that is meant.
pub(super) fn find(typed: &str) -> Option<Meant> {
    full_width(typed)
        .or_else(|| enclosed(typed))
        .or_else(|| together(typed))
        .or_else(|| destinations(typed))
        .or_else(|| commas(typed))
}

/// `tcp:h:８０`, as an input method for Chinese or Japanese writes it.
fn full_width(typed: &str) -> Option<Meant> {
    let narrow = |c: char| match c {
        '！'..='～' => u8::try_from(u32::from(c) - 0xfee0).map_or(c, char::from),
        c => c,
    };
    let (at, first) = typed.char_indices().find(|(_, c)| narrow(*c) != *c)?;
    let length: usize =
        typed[at..].chars().take_while(|c| narrow(*c) != *c).map(char::len_utf8).sum();
    let message = format!("`{first}` is a full-width character, not `{}`", narrow(first));
    Some((at..at + length, message, typed.chars().map(narrow).collect()))
}

/// An endpoint within another one, in other marks than braces, or in braces without the colon.
fn enclosed(typed: &str) -> Option<Meant> {
    let end = typed.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
    let (kind, rest) = typed.split_at(end);
    if !LAYERS.contains(&&*kind.to_ascii_lowercase()) {
        return None;
    }
    let colon = usize::from(rest.starts_with(':'));
    let rest = &rest[colon..];
    let (open, close) = *MARKS.iter().find(|(open, _)| rest.starts_with(*open))?;
    if open == '{' && colon > 0 {
        return None;
    }
    let closing = rest.rfind(close).filter(|at| *at > 0)?;
    let (inner, behind) = (&rest[1..closing], &rest[closing + 1..]);
    // An address of IPv6 has brackets.
    if open == '[' && inner.parse::<std::net::Ipv6Addr>().is_ok()
        || !behind.is_empty() && !behind.starts_with(':')
    {
        return None;
    }
    let (at, message) = match open {
        '{' => (end..end + 1, "there is no `:` in front of the `{`".to_owned()),
        _ => (
            end + colon..end + colon + closing + 1,
            format!(
                "an endpoint within another one is in `{{` and `}}`, not in `{open}` and `{close}`"
            ),
        ),
    };
    Some((at, message, format!("{kind}:{{{inner}}}{behind}")))
}

/// `tcp:{h:80}`: host and port in one pair of braces.
fn together(typed: &str) -> Option<Meant> {
    let (kind, rest) = typed.split_once(':')?;
    let (inner, behind) = rest.strip_prefix('{')?.split_once('}')?;
    let (host, port) = inner.split_once(':')?;
    let is_address = JOINED[..4].contains(&&*kind.to_ascii_lowercase());
    let is_host = !host.is_empty() && !host.contains(['{', ':', '=']);
    if !is_address || !is_host || port.parse::<u16>().is_err() {
        return None;
    }
    // The whole beginning: a parameter that seems to be missing is part of this mistake.
    let at = 0..kind.len() + inner.len() + 3;
    let message = "braces make one field of `HOST:PORT`, which are two".to_owned();
    Some((at, message, format!("{kind}:{inner}{behind}")))
}

/// Destinations in a row, without braces or joined by commas.
fn destinations(typed: &str) -> Option<Meant> {
    let (kind, rest) = typed.split_once(':')?;
    let is_one_of_several = matches!(&*kind.to_ascii_lowercase(), "balance" | "fallback");
    if !is_one_of_several || rest.contains('\\') {
        return None;
    }
    let at = kind.len() + 1..typed.len();
    if let Some(first) = rest.find("},{") {
        let at = kind.len() + 2 + first..kind.len() + 3 + first;
        let message = "fields are separated by `:`, not by `,`".to_owned();
        return Some((at, message, typed.replace("},{", "}:{")));
    }
    if rest.contains(['{', '=']) {
        return None;
    }
    let pieces: Vec<_> = match rest.contains(',') {
        true => rest.split(',').collect(),
        // `tcp:a:80:tcp:b:80`: each begins with its kind.
        false => {
            let mut starts: Vec<_> =
                KINDS.iter().flat_map(|kind| rest.match_indices(kind)).map(|(at, _)| at).collect();
            starts.retain(|at| *at == 0 || rest[..*at].ends_with(':'));
            starts.sort_unstable();
            starts.first().filter(|first| **first == 0)?;
            let ends = starts.iter().skip(1).map(|next| next - 1).chain([rest.len()]);
            starts.iter().zip(ends).map(|(start, end)| &rest[*start..end]).collect()
        }
    };
    let braced: String = pieces.iter().map(|piece| format!(":{{{}}}", piece.trim())).collect();
    Some((at, format!("each destination of `{kind}` must be in braces"), format!("{kind}{braced}")))
}

/// `ws:9000,path=/x`, as socat joins its options.
fn commas(typed: &str) -> Option<Meant> {
    let (kind, _) = typed.split_once(':')?;
    let (address, parameters) = typed.split_once(',')?;
    let is_parameter = |field: &str| {
        field.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || "-._".contains(c))
        })
    };
    let is_known = JOINED.contains(&&*kind.to_ascii_lowercase());
    let is_plain = !address.contains('=') && !typed.contains(['{', '\\', '$', ' ']);
    if !is_known || !is_plain || !parameters.split(',').all(is_parameter) {
        return None;
    }
    let message = "fields are separated by `:`, not by `,`".to_owned();
    let at = address.len()..address.len() + 1;
    Some((at, message, format!("{address}:{}", parameters.replace(',', ":"))))
}

const MARKS: &[(char, char)] =
    &[('{', '}'), ('(', ')'), ('[', ']'), ('"', '"'), ('\'', '\''), ('<', '>')];

/// Kinds over other endpoints.
const LAYERS: &[&str] = &[
    "ws",
    "wss",
    "tls",
    "telnet",
    "retry",
    "tee",
    "framed",
    "proxy",
    "socks5",
    "http-connect",
    "ssh",
    "ws2s",
    "wisp",
    "balance",
    "fallback",
];

/// The beginnings of destinations.
const KINDS: &[&str] =
    &["tcp:", "tcp4:", "tcp6:", "unix:", "udp:", "tls:", "ws:", "process:", "file:"];

/// Kinds whose first fields contain no commas.
const JOINED: &[&str] = &["tcp", "tcp4", "tcp6", "udp", "ws", "tls", "telnet", "socks5"];
