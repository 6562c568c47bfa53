//! The words of socat and websocat, each with the line to type here.

use descriptor::quote_positional;
use plan::kind::Role;

use super::{Spelling, Typed};
use crate::slips::line::{Line, address, bare, connecting, listening, websocket};
use plan::Words;

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

pub(super) const SOCAT: &[Spelling] = &[
    Spelling {
        names: Words::of("tcp-listen tcp4-listen tcp6-listen tcp-l tcp4-l tcp6-l listen-tcp l-tcp"),
        here: tcp_listen,
    },
    Spelling {
        names: Words::of("tcp-connect tcp4-connect tcp6-connect tcp-c connect-tcp c-tcp"),
        here: tcp_connect,
    },
    Spelling {
        names: Words::of(
            "udp-listen udp4-listen udp6-listen udp-l udp4-l udp6-l udp-recvfrom udp4-recvfrom \
             udp6-recvfrom udp-recv udp4-recv listen-udp l-udp",
        ),
        here: udp_listen,
    },
    Spelling {
        names: Words::of(
            "udp-connect udp4 udp6 udp4-connect udp6-connect udp-sendto udp4-sendto udp6-sendto \
             udp-datagram udp4-datagram udp6-datagram udp-c connect-udp c-udp",
        ),
        here: udp_connect,
    },
    Spelling { names: Words::of("unix-listen unix-l listen-unix l-unix"), here: unix_listen },
    Spelling {
        names: Words::of("unix-connect unix-client unix-c connect-unix c-unix"),
        here: unix_connect,
    },
    Spelling { names: Words::of("unix-recvfrom unix-recv unix-dgram-l"), here: unix_receive },
    Spelling { names: Words::of("unix-sendto unix-dgram-c"), here: unix_send },
    Spelling {
        names: Words::of(
            "abstract abstract-listen abstract-l l-abstract abstract-connect abstract-client \
             abstract-c",
        ),
        here: abstract_name,
    },
    Spelling {
        names: Words::of("openssl-listen openssl-l ssl-listen ssl-l tls-listen tls-l"),
        here: tls_listen,
    },
    Spelling {
        names: Words::of("openssl openssl-connect ssl-connect ssl-c tls-connect c-ssl connect-ssl"),
        here: tls_connect,
    },
    Spelling { names: Words::of("system shell"), here: command },
    // Taken over by a kind of the same name, but for the form of their arguments.
    Spelling {
        names: Words::of(
            "socks4 socks4a socks5 socks socks5-connect socks4a-connect socks4-connect",
        ),
        here: by_socks,
    },
    Spelling { names: Words::of("proxy proxy-connect"), here: by_http },
    Spelling { names: Words::of("pty"), here: terminal },
    Spelling { names: Words::of("stdin stdout stderr"), here: standard },
    Spelling { names: Words::of("gopen open"), here: open_any },
    Spelling { names: Words::of("create creat"), here: write_file },
    Spelling { names: Words::of("pipe fifo-open named-pipe"), here: named_pipe },
];

pub(super) const WEBSOCAT: &[Spelling] = &[
    Spelling {
        names: Words::of("ws-l ws-listen l-ws listen-ws ws-u wss-l wss-listen l-wss listen-wss"),
        here: ws_listen,
    },
    Spelling { names: Words::of("ws-c ws-connect c-ws connect-ws"), here: ws_connect },
    Spelling { names: Words::of("sh-c cmd"), here: command },
    Spelling { names: Words::of("literal literalreply"), here: text },
    Spelling { names: Words::of("autoreconnect"), here: again },
    Spelling { names: Words::of("mirror"), here: mirror },
    Spelling { names: Words::of("threadedstdio asyncstdio inetd-stdio"), here: standard },
    Spelling { names: Words::of("readfile"), here: read_file },
    Spelling { names: Words::of("writefile"), here: write_file },
    Spelling { names: Words::of("appendfile"), here: append_file },
];
