//! URLs of other programs' protocols: a port over TCP or TLS, a file, a device, a proxy.

use descriptor::{quote_positional, quote_value};

use super::line::{Found, Line, bare, connecting, is_host};

/// Finds a URL of such a scheme.
pub(super) fn find(typed: &str) -> Option<Found> {
    let (scheme, rest) = typed.split_once("://")?;
    let lower = scheme.to_ascii_lowercase();
    let at = 0..scheme.len();
    let message = format!("`{scheme}` is not a URL scheme of any kind");
    let found = |line| Found::new(at, message, Line::connect(line));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, server) = match authority.rsplit_once('@') {
        Some((user, server)) => (Some(user), server),
        None => (None, authority),
    };
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (bare(host), Some(port)),
        _ => (bare(server), None),
    };
    match &*lower {
        "file" => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            path.starts_with('/').then(|| found(format!("file:{}", quote_positional(path))))
        }
        "serial" | "tty" if rest.starts_with('/') => {
            Some(found(format!("serial:{}:115200", quote_positional(rest))))
        }
        "fd" if rest.parse::<u32>().is_ok() => Some(found(format!("fd:{rest}"))),
        "ws+unix" | "http+unix" => {
            let path = rest.split(':').next().unwrap_or_default();
            path.starts_with('/').then(|| found(format!("ws:{{unix:{}}}", quote_value(path))))
        }
        "socks" | "socks5" | "socks5h" | "socks4" | "socks4a" => {
            let scheme = if lower == "socks" { "socks5" } else { &*lower };
            let via = format!("via={{{scheme}://{authority}}}");
            Some(
                found(format!("tcp:example.com:80:{via}"))
                    .note("a proxy is a parameter of the destination that it reaches"),
            )
        }
        "ssh" if is_host(host) => {
            let login = user.map_or(host.to_owned(), |user| format!("{user}@{host}"));
            Some(found(format!("pty:ssh:{login}")).note(ssh(user, host, port.unwrap_or("22"))))
        }
        _ => {
            let (_, usual, secure) = PORTS.iter().find(|(names, ..)| names.contains(&&*lower))?;
            // VNC counts displays.
            let display =
                port.and_then(|port| port.parse::<u16>().ok()).filter(|number| *number < 100);
            let port = match display.filter(|_| lower == "vnc") {
                Some(display) => (usual + display).to_string(),
                None => port.map_or(usual.to_string(), str::to_owned),
            };
            let tcp = connecting("tcp", host, &port)?;
            Some(found(if *secure { format!("tls:{{{tcp}}}") } else { tcp }))
        }
    }
}

/// Suggestions for `ssh://`: a port, a Unix socket or a shell.
pub(super) fn ssh(user: Option<&str>, host: &str, port: &str) -> String {
    let user = user.map_or(String::new(), |user| format!(":user={}", quote_value(user)));
    let host = quote_positional(host);
    format!(
        "that is its shell; for a port behind it, `-d ssh:{{tcp:{host}:{port}}}{user}:host=localhost:port=80`"
    )
}

/// Schemes, their port, and whether they are encrypted.
const PORTS: &[(&[&str], u16, bool)] = &[
    (&["mqtt"], 1883, false),
    (&["mqtts"], 8883, true),
    (&["redis"], 6379, false),
    (&["rediss"], 6379, true),
    (&["vnc", "rfb"], 5900, false),
    (&["rdp"], 3389, false),
    (&["amqp"], 5672, false),
    (&["amqps"], 5671, true),
    (&["postgres", "postgresql"], 5432, false),
    (&["mysql"], 3306, false),
    (&["ldap"], 389, false),
    (&["ldaps"], 636, true),
    (&["irc"], 6667, false),
    (&["ircs"], 6697, true),
    (&["smtp"], 25, false),
    (&["imap"], 143, false),
    (&["imaps"], 993, true),
    (&["gopher"], 70, false),
    (&["rtsp"], 554, false),
    (&["nats"], 4222, false),
];
