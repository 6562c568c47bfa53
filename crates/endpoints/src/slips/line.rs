//! A suggested descriptor, and its parts.

use std::ops::Range;

use descriptor::{Span, Text, quote_positional, quote_value};
use plan::kind::Role;

use super::is_host_name;

/// The result of a translation.
#[derive(Debug)]
pub(super) struct Found {
    /// The part that is not ours.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) line: Line,
    /// A note about it; empty, or a clause after `;`.
    pub(super) note: String,
}

/// The descriptor to type.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) side: Role,
    pub(super) descriptor: String,
}

impl Found {
    pub(super) fn new(at: Range<usize>, message: String, line: Line) -> Self {
        Self { at, message, line, note: String::new() }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(super) fn report(self, source: &Text, role: Role) -> (Span, String, String) {
        let Line { side, descriptor } = self.line;
        let option = match side {
            side if side == role => "",
            Role::Listen => "-e ",
            Role::Connect => "-d ",
        };
        let note = if self.note.is_empty() { String::new() } else { format!("; {}", self.note) };
        (source.span_of(self.at), self.message, format!("write `{option}{descriptor}`{note}"))
    }
}

impl Line {
    pub(super) fn listen(descriptor: String) -> Self {
        Self { side: Role::Listen, descriptor }
    }

    pub(super) fn connect(descriptor: String) -> Self {
        Self { side: Role::Connect, descriptor }
    }
}

/// Listening on a port, on all addresses if there is no host.
pub(super) fn listening(kind: &str, host: Option<&str>, port: &str) -> Option<String> {
    port.parse::<u16>().ok()?;
    Some(match host.map(bare) {
        None | Some("" | "*" | "0.0.0.0") => format!("{kind}:{port}"),
        Some(host) if !is_host(host) => return None,
        Some(host) => format!("{kind}:{port}:interface={}", quote_value(host)),
    })
}

/// WebSocket on a port: the short form if it is loopback.
pub(super) fn websocket(host: Option<&str>, port: &str) -> Option<String> {
    let tcp = listening("tcp", host, port)?;
    Some(match host {
        Some("127.0.0.1" | "localhost") => format!("ws:{port}"),
        _ => format!("ws:{{{tcp}}}"),
    })
}

/// Connecting to a host and a port.
pub(super) fn connecting(kind: &str, host: &str, port: &str) -> Option<String> {
    let host = bare(host);
    (is_host(host) && is_port(port)).then(|| format!("{kind}:{}:{port}", quote_positional(host)))
}

/// A program with its arguments, as a command line without quotes has them.
pub(super) fn program(kind: &str, command: &str) -> Option<String> {
    if command.contains(['"', '\'', '|', '>', '<', '&', ';', '$', '`', '*']) {
        return Some(format!("process:sh:-c:{{{command}}}"));
    }
    let words: Vec<_> = command.split_whitespace().map(quote_positional).collect();
    (!words.is_empty()).then(|| format!("{kind}:{}", words.join(":")))
}

/// `HOST:PORT`; an IPv6 address has brackets.
pub(super) fn address(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once(':').filter(|(host, port)| is_host(bare(host)) && is_port(port))
}

/// Without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

pub(super) fn is_host(text: &str) -> bool {
    // A zone may follow: `fe80::1%eth0`.
    let address = text.split_once('%').filter(|(_, zone)| !zone.is_empty());
    let address = address.map_or(text, |(address, _)| address);
    address.parse::<std::net::Ipv6Addr>().is_ok() || is_host_name(text)
}

/// A number, or the name of a service.
pub(super) fn is_port(text: &str) -> bool {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u16>().is_ok(),
        false => text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
    }
}
