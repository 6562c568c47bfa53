//! The keywords with which socat's and websocat's endpoints begin.

use descriptor::{quote_positional, quote_value};
use plan::kind::Role;

use super::line::{Found, Line, address, bare, connecting, listening, websocket};

/// A word of another program, and what it is here.
struct Spelling {
    names: &'static [&'static str],
    here: fn(&Typed<'_>) -> Option<Line>,
}

/// `HEAD:REST,OPTION=VALUE,OPTION`.
struct Typed<'t> {
    head: &'t str,
    rest: &'t str,
    options: Vec<(&'t str, &'t str)>,
    role: Role,
}

/// Finds a word of a table at the beginning.
pub(super) fn find(typed: &str, role: Role) -> Option<Found> {
    let end = typed.find([':', ',']).unwrap_or(typed.len());
    let (head, behind) = typed.split_at(end);
    let lower = head.to_ascii_lowercase();
    for (tool, spellings) in
        [("an address type of socat", SOCAT), ("a specifier of websocat", WEBSOCAT)]
    {
        let Some(spelling) = spellings.iter().find(|row| row.names.contains(&&*lower)) else {
            continue;
        };
        let rest = behind.strip_prefix(':').unwrap_or("");
        // Options of a command are part of it.
        let is_command = COMMANDS.contains(&&*lower);
        let (rest, options) = match (behind.strip_prefix(','), rest.split_once(',')) {
            (Some(options), _) => ("", options),
            (None, Some((rest, options))) if !is_command => (rest, options),
            _ => (rest, ""),
        };
        let rest = rest.trim_matches(['"', '\'']);
        let options = options.split(',').filter(|option| !option.is_empty());
        let options =
            options.map(|option| option.split_once('=').unwrap_or((option, ""))).collect();
        let parts = Typed { head: &lower, rest, options, role };
        let line = (spelling.here)(&parts)?;
        let message = format!("`{head}` is {tool}, not a kind of endpoint");
        let found = Found::new(0..end, message, line).note(parts.note());
        return Some(match SHARED.contains(&&*lower) {
            // The whole descriptor is in socat's language, so its parts are not reported one by one.
            true => Found {
                at: 0..typed.len(),
                message: format!("these are the parameters that `{head}` has in socat"),
                ..found
            },
            false => found,
        });
    }
    comma(typed, role)
}

/// `tcp:9000,reuseaddr,fork`: socat's options behind a kind of ours.
fn comma(typed: &str, role: Role) -> Option<Found> {
    let (address, options) = typed.split_once(',')?;
    let (kind, rest) = address.split_once(':')?;
    let kind = kind.to_ascii_lowercase();
    let is_ours = matches!(&*kind, "tcp" | "tcp4" | "tcp6" | "udp" | "unix");
    if !is_ours || options.is_empty() || options.contains([':', '{', '}']) {
        return None;
    }
    let list = options.split(',').map(|option| option.split_once('=').unwrap_or((option, "")));
    let typed = Typed { head: "", rest, options: list.collect(), role };
    let line = match (role, &*kind) {
        (_, "unix") => format!("unix:{rest}"),
        (Role::Listen, kind) => listening(kind, typed.option(&["bind"]), rest)?,
        (Role::Connect, kind) => {
            let (host, port) = self::address(rest)?;
            connecting(kind, host, port)?
        }
    };
    let line = Line { side: role, descriptor: line };
    let message = "options are separated by `:` here, not by commas as in socat".to_owned();
    let at = address.len()..address.len() + 1 + options.len();
    Some(Found::new(at, message, line).note(typed.note()))
}

impl<'t> Typed<'t> {
    fn option(&self, names: &[&str]) -> Option<&'t str> {
        let mut options = self.options.iter();
        options
            .find(|(name, value)| names.contains(name) && !value.is_empty())
            .map(|(_, value)| *value)
    }

    /// Returns a note about the options that aren't in the line: those that are always on, and those that aren't
    /// translated.
    fn note(&self) -> String {
        let among = |list: &'static [&'static str]| {
            let is_in =
                move |(name, _): &&(&str, &str)| list.contains(&&*name.to_ascii_lowercase());
            self.options
                .iter()
                .filter(is_in)
                .map(|(name, _)| format!("`{name}`"))
                .collect::<Vec<_>>()
        };
        let always = among(ALWAYS);
        let is_rate =
            |name: &str| name.strip_prefix('b').is_some_and(|rate| rate.parse::<u32>().is_ok());
        let known =
            |name: &str| ALWAYS.contains(&name) || TRANSLATED.contains(&name) || is_rate(name);
        let rest = self.options.iter().filter(|(name, _)| !known(&name.to_ascii_lowercase()));
        let rest: Vec<_> = rest.map(|(name, _)| format!("`{name}`")).collect();
        let mut notes = Vec::new();
        if !always.is_empty() {
            let verb = if always.len() == 1 { "is" } else { "are" };
            notes.push(format!("{} {verb} the default", always.join(" and ")));
        }
        if !rest.is_empty() {
            let verb = if rest.len() == 1 { "is" } else { "are" };
            notes.push(format!("{} {verb} not translated", rest.join(" and ")));
        }
        notes.join("; ")
    }

    /// The options of TLS, by their names here.
    fn secure(&self, line: String) -> String {
        let mut line = line;
        let names: &[(&[&str], &str)] = &[
            (&["cert", "certificate"], "cert"),
            (&["key"], "key"),
            (&["cafile", "ca", "capath"], "ca"),
            (&["snihost", "sni", "commonname", "cn"], "name"),
        ];
        for (theirs, ours) in names {
            if let Some(value) = self.option(theirs) {
                line = format!("{line}:{ours}={}", quote_value(value));
            }
        }
        line
    }
}

// === what a word is here ===

fn tcp_listen(typed: &Typed<'_>) -> Option<Line> {
    let kind = if typed.head.contains('6') { "tcp6" } else { "tcp" };
    listen(typed, kind).map(Line::listen)
}

fn udp_listen(typed: &Typed<'_>) -> Option<Line> {
    listen(typed, "udp").map(Line::listen)
}

fn listen(typed: &Typed<'_>, kind: &str) -> Option<String> {
    match typed.rest.rsplit_once(':') {
        Some((host, port)) => listening(kind, Some(host), port),
        None => listening(kind, typed.option(&["bind"]), typed.rest),
    }
}

fn tcp_connect(typed: &Typed<'_>) -> Option<Line> {
    let kind = if typed.head.contains('6') { "tcp6" } else { "tcp" };
    connect(typed, kind)
}

fn udp_connect(typed: &Typed<'_>) -> Option<Line> {
    connect(typed, "udp")
}

fn connect(typed: &Typed<'_>, kind: &str) -> Option<Line> {
    let (host, port) = address(typed.rest)?;
    connecting(kind, host, port).map(Line::connect)
}

fn path(typed: &Typed<'_>, kind: &str) -> Option<String> {
    (!typed.rest.is_empty()).then(|| format!("{kind}:{}", quote_positional(typed.rest)))
}

fn unix_listen(typed: &Typed<'_>) -> Option<Line> {
    let mode = typed.option(&["mode"]).map_or(String::new(), |mode| format!(":mode={mode}"));
    path(typed, "unix").map(|line| Line::listen(line + &mode))
}

fn unix_connect(typed: &Typed<'_>) -> Option<Line> {
    path(typed, "unix").map(Line::connect)
}

fn unix_receive(typed: &Typed<'_>) -> Option<Line> {
    path(typed, "unix-dgram").map(Line::listen)
}

fn unix_send(typed: &Typed<'_>) -> Option<Line> {
    path(typed, "unix-dgram").map(Line::connect)
}

fn abstract_name(typed: &Typed<'_>) -> Option<Line> {
    let side = if typed.head.contains("-l") || typed.head.contains("l-") {
        Role::Listen
    } else {
        Role::Connect
    };
    (!typed.rest.is_empty())
        .then(|| Line { side, descriptor: format!("unix:@{}", quote_positional(typed.rest)) })
}

fn tls_listen(typed: &Typed<'_>) -> Option<Line> {
    let line = format!("tls:{{{}}}", listen(typed, "tcp")?);
    let has_cert = typed.option(&["cert", "certificate"]).is_some();
    Some(Line::listen(typed.secure(line) + if has_cert { "" } else { ":cert=self-signed" }))
}

fn tls_connect(typed: &Typed<'_>) -> Option<Line> {
    let (host, port) = address(typed.rest)?;
    let line = typed.secure(format!("tls:{{{}}}", connecting("tcp", host, port)?));
    let trusts = matches!(typed.option(&["verify"]), Some("0" | "false" | "no"));
    Some(Line::connect(line + if trusts { ":insecure=true" } else { "" }))
}

fn command(typed: &Typed<'_>) -> Option<Line> {
    (!typed.rest.is_empty()).then(|| Line::connect(format!("process:sh:-c:{{{}}}", typed.rest)))
}

/// `PTY,link=/tmp/x`; `pty:bash` is ours.
fn terminal(typed: &Typed<'_>) -> Option<Line> {
    let is_socat = typed.rest.is_empty() && !typed.options.is_empty();
    is_socat.then(|| Line::connect("pty:bash".to_owned()))
}

fn standard(typed: &Typed<'_>) -> Option<Line> {
    Some(Line { side: typed.role, descriptor: "stdio".to_owned() })
}

fn read_file(typed: &Typed<'_>) -> Option<Line> {
    let line = path(typed, "file")?;
    Some(Line { side: typed.role, descriptor: line })
}

fn write_file(typed: &Typed<'_>) -> Option<Line> {
    let line = path(typed, "file")? + ":access=write:create=644";
    Some(Line { side: typed.role, descriptor: line })
}

fn append_file(typed: &Typed<'_>) -> Option<Line> {
    let line = path(typed, "file")? + ":access=append:create=644";
    Some(Line { side: typed.role, descriptor: line })
}

fn open_any(typed: &Typed<'_>) -> Option<Line> {
    let is_device = typed.rest.starts_with("/dev/tty");
    if is_device {
        let baud = typed.option(&["ispeed", "ospeed"]).unwrap_or("115200");
        let baud = typed
            .options
            .iter()
            .find_map(|(name, _)| name.strip_prefix('b'))
            .filter(|baud| baud.parse::<u32>().is_ok())
            .unwrap_or(baud);
        let line = format!("{}:{baud}", path(typed, "serial")?);
        return Some(Line { side: typed.role, descriptor: line });
    }
    if typed.head == "gopen" { append_file(typed) } else { read_file(typed) }
}

fn named_pipe(typed: &Typed<'_>) -> Option<Line> {
    match (typed.rest.is_empty(), typed.role) {
        // Without a name, it is a pipe to itself.
        (true, _) => Some(Line::connect("echo".to_owned())),
        (false, Role::Listen) => path(typed, "fifo").map(Line::listen),
        (false, Role::Connect) => {
            path(typed, "fifo").map(|line| Line::connect(line + ":access=write"))
        }
    }
}

/// `SOCKS4A:PROXY:HOST:PORT,socksport=1080` of socat, `socks5-connect:PROXY:PORT` of websocat.
fn by_socks(typed: &Typed<'_>) -> Option<Line> {
    let scheme = typed.head.split('-').next().filter(|scheme| *scheme != "socks");
    let scheme = scheme.unwrap_or("socks5");
    let (proxy, target) = typed.rest.split_once(':')?;
    let (proxy_port, target) = match target.split_once(':') {
        Some((port, target)) if port.parse::<u16>().is_ok() => (port, Some(target)),
        None if target.parse::<u16>().is_ok() => (target, None),
        _ => (typed.option(&["socksport"]).unwrap_or("1080"), Some(target)),
    };
    let (host, port) = match target {
        Some(target) => address(target)?,
        None => ("example.com", "80"),
    };
    let via = format!("via={{{scheme}://{proxy}:{proxy_port}}}");
    Some(Line::connect(format!("{}:{via}", connecting("tcp", host, port)?)))
}

/// `PROXY:PROXY:HOST:PORT,proxyport=8080`.
fn by_http(typed: &Typed<'_>) -> Option<Line> {
    let (proxy, target) = typed.rest.split_once(':')?;
    let (host, port) = address(target)?;
    let at = format!("{proxy}:{}", typed.option(&["proxyport"]).unwrap_or("8080"));
    Some(Line::connect(format!("{}:via={{http://{at}}}", connecting("tcp", host, port)?)))
}

fn ws_listen(typed: &Typed<'_>) -> Option<Line> {
    let (host, port) = match typed.rest.rsplit_once(':') {
        Some((host, port)) => (Some(host), port),
        None => (None, typed.rest),
    };
    let line = websocket(host.map(bare), port)?;
    let secure = if typed.head.contains("wss") { ":cert=self-signed" } else { "" };
    Some(Line::listen(line + secure))
}

fn ws_connect(typed: &Typed<'_>) -> Option<Line> {
    (!typed.rest.is_empty()).then(|| Line::connect(format!("ws:{{{}}}", typed.rest)))
}

fn text(typed: &Typed<'_>) -> Option<Line> {
    Some(Line {
        side: typed.role,
        descriptor: format!("process:printf:%s:{}", quote_positional(typed.rest)),
    })
}

fn again(typed: &Typed<'_>) -> Option<Line> {
    (!typed.rest.is_empty())
        .then(|| Line { side: typed.role, descriptor: format!("retry:{{{}}}", typed.rest) })
}

fn mirror(_: &Typed<'_>) -> Option<Line> {
    Some(Line::connect("echo".to_owned()))
}

const SOCAT: &[Spelling] = &[
    Spelling {
        names: &[
            "tcp-listen",
            "tcp4-listen",
            "tcp6-listen",
            "tcp-l",
            "tcp4-l",
            "tcp6-l",
            "listen-tcp",
            "l-tcp",
        ],
        here: tcp_listen,
    },
    Spelling {
        names: &["tcp-connect", "tcp4-connect", "tcp6-connect", "tcp-c", "connect-tcp", "c-tcp"],
        here: tcp_connect,
    },
    Spelling {
        names: &[
            "udp-listen",
            "udp4-listen",
            "udp6-listen",
            "udp-l",
            "udp4-l",
            "udp6-l",
            "udp-recvfrom",
            "udp4-recvfrom",
            "udp6-recvfrom",
            "udp-recv",
            "udp4-recv",
            "listen-udp",
            "l-udp",
        ],
        here: udp_listen,
    },
    Spelling {
        names: &[
            "udp-connect",
            "udp4",
            "udp6",
            "udp4-connect",
            "udp6-connect",
            "udp-sendto",
            "udp4-sendto",
            "udp6-sendto",
            "udp-datagram",
            "udp4-datagram",
            "udp6-datagram",
            "udp-c",
            "connect-udp",
            "c-udp",
        ],
        here: udp_connect,
    },
    Spelling { names: &["unix-listen", "unix-l", "listen-unix", "l-unix"], here: unix_listen },
    Spelling {
        names: &["unix-connect", "unix-client", "unix-c", "connect-unix", "c-unix"],
        here: unix_connect,
    },
    Spelling { names: &["unix-recvfrom", "unix-recv", "unix-dgram-l"], here: unix_receive },
    Spelling { names: &["unix-sendto", "unix-dgram-c"], here: unix_send },
    Spelling {
        names: &[
            "abstract",
            "abstract-listen",
            "abstract-l",
            "l-abstract",
            "abstract-connect",
            "abstract-client",
            "abstract-c",
        ],
        here: abstract_name,
    },
    Spelling {
        names: &["openssl-listen", "openssl-l", "ssl-listen", "ssl-l", "tls-listen", "tls-l"],
        here: tls_listen,
    },
    Spelling {
        names: &[
            "openssl",
            "openssl-connect",
            "ssl-connect",
            "ssl-c",
            "tls-connect",
            "c-ssl",
            "connect-ssl",
        ],
        here: tls_connect,
    },
    Spelling { names: &["system", "shell"], here: command },
    // Taken over by a kind of the same name, but for the form of their arguments.
    Spelling {
        names: &[
            "socks4",
            "socks4a",
            "socks5",
            "socks",
            "socks5-connect",
            "socks4a-connect",
            "socks4-connect",
        ],
        here: by_socks,
    },
    Spelling { names: &["proxy", "proxy-connect"], here: by_http },
    Spelling { names: &["pty"], here: terminal },
    Spelling { names: &["stdin", "stdout", "stderr"], here: standard },
    Spelling { names: &["gopen", "open"], here: open_any },
    Spelling { names: &["create", "creat"], here: write_file },
    Spelling { names: &["pipe", "fifo-open", "named-pipe"], here: named_pipe },
];

const WEBSOCAT: &[Spelling] = &[
    Spelling {
        names: &[
            "ws-l",
            "ws-listen",
            "l-ws",
            "listen-ws",
            "ws-u",
            "wss-l",
            "wss-listen",
            "l-wss",
            "listen-wss",
        ],
        here: ws_listen,
    },
    Spelling { names: &["ws-c", "ws-connect", "c-ws", "connect-ws"], here: ws_connect },
    Spelling { names: &["sh-c", "cmd"], here: command },
    Spelling { names: &["literal", "literalreply"], here: text },
    Spelling { names: &["autoreconnect"], here: again },
    Spelling { names: &["mirror"], here: mirror },
    Spelling { names: &["threadedstdio", "asyncstdio", "inetd-stdio"], here: standard },
    Spelling { names: &["readfile"], here: read_file },
    Spelling { names: &["writefile"], here: write_file },
    Spelling { names: &["appendfile"], here: append_file },
];

/// Words that are kinds too, with other parameters.
const SHARED: &[&str] = &["socks4", "socks4a", "socks5", "proxy", "pty"];

/// Words whose rest is a command with its own commas.
const COMMANDS: &[&str] = &["system", "shell", "sh-c", "cmd", "literal", "literalreply"];

/// Options of socat that are always on here.
const ALWAYS: &[&str] = &["fork", "reuseaddr", "nodelay", "nonblock", "cloexec"];

/// Options that a line has under another name.
const TRANSLATED: &[&str] = &[
    "raw",
    "rawer",
    "echo",
    "bind",
    "mode",
    "verify",
    "cert",
    "certificate",
    "key",
    "cafile",
    "ca",
    "capath",
    "snihost",
    "sni",
    "commonname",
    "cn",
    "socksport",
    "proxyport",
    "ispeed",
    "ospeed",
];
