//! Endpoints without a kind, recognised by their form: addresses, devices, commands, lines of configuration files.

use std::ops::Range;

use descriptor::{quote_positional, quote_value};
use plan::kind::Role;

use super::line::{Found, Line, address, bare, connecting, is_host, listening, program};
use super::terminals::serial_settings;
use super::urls;

type Shape = fn(&str, Role) -> Option<Found>;

/// Finds the first form that fits.
pub(super) fn find(typed: &str, role: Role) -> Option<Found> {
    SHAPES.iter().find_map(|shape| shape(typed, role))
}

const SHAPES: &[Shape] = &[
    any_address,
    bare_ipv6,
    ports,
    forwarding,
    own_shell,
    listening_host,
    host_and_path,
    host_space_port,
    ser2net_line,
    ser2net_connection,
    ser2net_accepter,
    device,
    windows_device,
    haproxy_line,
    haproxy_address,
    stunnel,
    login,
    script,
    command_line,
];

fn whole(typed: &str) -> Range<usize> {
    0..typed.len()
}

/// `*:9000`.
fn any_address(typed: &str, role: Role) -> Option<Found> {
    let port = typed.strip_prefix("*:")?;
    let line = match role {
        Role::Listen => Line::listen(listening("tcp", None, port)?),
        Role::Connect => Line::connect(connecting("tcp", "127.0.0.1", port)?),
    };
    let message = match role {
        Role::Listen => "`*` stands for all addresses, which is the default of `tcp`",
        Role::Connect => "`*` stands for all addresses, but a destination has one",
    };
    Some(Found::new(0..1, message.to_owned(), line))
}

/// `::1`, `[::1]` and `::1:80`.
fn bare_ipv6(typed: &str, role: Role) -> Option<Found> {
    // A zone may follow: `fe80::1%eth0`.
    let is_address = |text: &str| {
        let address = text.split_once('%').filter(|(_, zone)| !zone.is_empty());
        let address = address.map_or(text, |(address, _)| address);
        address.parse::<std::net::Ipv6Addr>().is_ok()
    };
    let line = |host: &str, port: &str| {
        Some(match role {
            Role::Listen => Line::listen(listening("tcp", Some(host), port)?),
            Role::Connect => Line::connect(connecting("tcp", host, port)?),
        })
    };
    if is_address(bare(typed)) {
        // `::1:80` is an address as well, of which the last part may be meant as the port.
        let split =
            typed.rsplit_once(':').filter(|(host, port)| is_address(host) && port.len() > 1);
        let (host, port) = split.unwrap_or((bare(typed), "80"));
        let message = match split {
            Some(_) => {
                format!("`{typed}` is an IPv6 address without brackets, so its port is ambiguous")
            }
            None => format!("`{typed}` is an IPv6 address, and its port is missing"),
        };
        return Some(Found::new(whole(typed), message, line(host, port)?));
    }
    // `:::9000`, and `tcp:2001:db8::1:80`.
    let (kind, rest) =
        typed.split_once(':').filter(|(kind, _)| is_tcp(kind)).unwrap_or(("", typed));
    let (host, port) = rest.rsplit_once(':').filter(|(host, _)| is_address(host))?;
    let from = if kind.is_empty() { 0 } else { kind.len() + 1 };
    let message =
        format!("the IPv6 address `{host}` contains `:`, so it must be in brackets or braces");
    Some(Found::new(from..from + host.len(), message, line(host, port)?))
}

fn is_tcp(kind: &str) -> bool {
    matches!(&*kind.to_ascii_lowercase(), "tcp" | "tcp6")
}

/// `5900:localhost:5901`, as `ssh -L` has it, and `8080:80` of Docker.
fn forwarding(typed: &str, role: Role) -> Option<Found> {
    let (port, target) = typed.split_once(':')?;
    port.parse::<u16>().ok()?;
    let (host, far) = match target.rsplit_once(':') {
        Some((host, far)) if is_host(host) => (host, far),
        None => ("127.0.0.1", target),
        _ => return None,
    };
    far.parse::<u16>().ok()?;
    let far = connecting("tcp", host, far)?;
    let message = "this is a port and where it leads, which are two endpoints".to_owned();
    Some(match role {
        Role::Listen => Found::new(whole(typed), message, Line::listen(port.to_owned()))
            .note(format!("and `-d {far}`")),
        Role::Connect => {
            Found::new(whole(typed), message, Line::connect(far)).note(format!("and `-e {port}`"))
        }
    })
}

/// `$SHELL` within the marks in which a shell replaces nothing.
fn own_shell(typed: &str, role: Role) -> Option<Found> {
    let is_shell = matches!(typed, "$SHELL" | "${SHELL}") && role == Role::Connect;
    let message = format!("`{typed}` was not replaced, as in '…' or without a shell");
    is_shell.then(|| Found::new(whole(typed), message, Line::connect("pty:bash".to_owned())))
}

/// `9000-9010`.
fn ports(typed: &str, role: Role) -> Option<Found> {
    let (first, last) = typed.split_once('-')?;
    let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
    let message = "a descriptor has one port, not a range".to_owned();
    let line = Line { side: role, descriptor: first.to_string() };
    let note = match role {
        Role::Listen => format!("and so on to `-e {last}`"),
        Role::Connect => format!("`balance:{{{first}}}:{{{last}}}` distributes clients"),
    };
    (first < last).then(|| Found::new(whole(typed), message, line).note(note))
}

/// `localhost` and `127.0.0.1` on the listening side.
fn listening_host(typed: &str, role: Role) -> Option<Found> {
    let is_ours = typed == "localhost" || typed.parse::<std::net::Ipv4Addr>().is_ok();
    let line = Line::listen(listening("tcp", Some(typed), "9000")?);
    let message = format!("`{typed}` is an address, and the port to listen on is missing");
    (is_ours && role == Role::Listen).then(|| Found::new(whole(typed), message, line))
}

/// `example.com/ws`.
fn host_and_path(typed: &str, role: Role) -> Option<Found> {
    let (host, path) = typed.split_once('/')?;
    let is_name = host == "localhost"
        || (host.contains('.') && host.contains(|c: char| c.is_ascii_alphabetic()));
    if role != Role::Connect || !is_name || !is_host(host) || path.contains([':', ' ']) {
        return None;
    }
    let message = format!("`{host}` is a host, followed by a path");
    Some(
        Found::new(whole(typed), message, Line::connect(format!("wss://{host}/{path}")))
            .note("without encryption, `ws://`"),
    )
}

/// `localhost 80`, as telnet and nc have it.
fn host_space_port(typed: &str, role: Role) -> Option<Found> {
    let (host, port) = typed.split_once(' ')?;
    port.parse::<u16>().ok()?;
    let line = match role {
        Role::Listen => Line::listen(listening("tcp", Some(host), port)?),
        Role::Connect => Line::connect(connecting("tcp", host, port)?),
    };
    let message = "host and port are separated by `:`".to_owned();
    Some(Found::new(host.len()..host.len() + 1, message, line))
}

/// A line of ser2net before version 4: `3000:raw:0:/dev/ttyS0:9600 8DATABITS`.
fn ser2net_line(typed: &str, role: Role) -> Option<Found> {
    let mut fields = typed.splitn(5, ':');
    let port = fields.next()?;
    let port = port.rsplit(',').next()?;
    let state = fields.next()?;
    let _timeout = fields.next()?.parse::<u32>().ok()?;
    let device = fields.next().filter(|device| device.starts_with("/dev/"))?;
    let is_state = matches!(state, "raw" | "rawlp" | "telnet" | "off");
    let settings = serial_settings(fields.next().unwrap_or("9600").split(' ').next()?)?;
    let message = "this is a line of ser2net's configuration".to_owned();
    let device = format!("serial:{device}:{settings}");
    let found = match role {
        Role::Listen => {
            let line = Line::listen(listening("tcp", None, port)?);
            Found::new(whole(typed), message, line).note(format!("and `-d {device}`"))
        }
        Role::Connect => {
            let line = Line::connect(device);
            let listen = listening("tcp", None, port)?;
            Found::new(whole(typed), message, line).note(format!("and `-e {listen}:auth=none`"))
        }
    };
    is_state.then_some(found)
}

/// `serialdev,/dev/ttyS0,9600n81,local`, a connector of ser2net 4.
fn ser2net_connection(typed: &str, role: Role) -> Option<Found> {
    let rest = typed.split_once("serialdev,").map(|(_, rest)| rest)?;
    let mut fields = rest.split(',');
    let device = fields.next().filter(|device| device.starts_with('/'))?;
    let settings = serial_settings(fields.next().unwrap_or("9600"))?;
    let message = "this is a connector of ser2net's".to_owned();
    let line =
        Line { side: role, descriptor: format!("serial:{}:{settings}", quote_positional(device)) };
    Some(Found::new(whole(typed), message, line))
}

/// `tcp,3000`, `telnet(rfc2217),tcp,0.0.0.0,3000`, an accepter of ser2net 4.
fn ser2net_accepter(typed: &str, _: Role) -> Option<Found> {
    let mut layers = typed.split(',').peekable();
    let is_telnet = layers.next_if(|layer| layer.starts_with("telnet")).is_some();
    layers.next_if(|layer| *layer == "tcp").or_else(|| is_telnet.then_some("tcp"))?;
    let rest: Vec<_> = layers.collect();
    let (host, port) = match &*rest {
        [port] => (None, *port),
        [host, port] => (Some(*host), *port),
        _ => return None,
    };
    let line = Line::listen(listening("tcp", host, port)?);
    let note = if is_telnet { "clients get plain bytes: serving telnet isn't built" } else { "" };
    let message = "this is an accepter of ser2net's".to_owned();
    Some(Found::new(whole(typed), message, line).note(note))
}

/// `/dev/ttyUSB0,115200n81` and `ttyUSB0`.
fn device(typed: &str, role: Role) -> Option<Found> {
    let (name, settings) = typed.split_once([',', ':']).unwrap_or((typed, "115200"));
    let short = name.strip_prefix("/dev/").unwrap_or(name);
    let is_device = ["ttyUSB", "ttyACM", "ttyS", "ttyAMA"]
        .iter()
        .any(|start| short.strip_prefix(start).is_some_and(|number| number.parse::<u16>().is_ok()));
    let is_here = name != typed || !typed.starts_with("/dev/");
    // socat has its rates as `b9600`, anywhere among its options.
    let options = || settings.split(',');
    let rate = options().find_map(|option| option.strip_prefix('b').and_then(serial_settings));
    let settings = rate.or_else(|| serial_settings(options().next()?))?;
    let message = format!("`{name}` is a device, and its kind is missing");
    let line = Line { side: role, descriptor: format!("serial:/dev/{short}:{settings}") };
    (is_device && is_here).then(|| Found::new(0..name.len(), message, line))
}

/// `COM3`.
fn windows_device(typed: &str, role: Role) -> Option<Found> {
    let (name, settings) = typed.split_once([',', ':']).unwrap_or((typed, "115200"));
    let number = name.get(..3).filter(|com| com.eq_ignore_ascii_case("com")).and(name.get(3..))?;
    let number = number.parse::<u16>().ok()?.checked_sub(1)?;
    let settings = serial_settings(settings)?;
    let message = format!("`{name}` is a name of Windows");
    let line = Line { side: role, descriptor: format!("serial:/dev/ttyS{number}:{settings}") };
    Some(
        Found::new(0..name.len(), message, line)
            .note("a USB adapter is `/dev/ttyUSB0` or `/dev/ttyACM0`"),
    )
}

/// `bind *:443 ssl crt /x.pem` and `server s1 127.0.0.1:80`.
fn haproxy_line(typed: &str, _: Role) -> Option<Found> {
    let mut words = typed.split(' ').filter(|word| !word.is_empty());
    let message = "this is a line of HAProxy's configuration".to_owned();
    let first = words.next()?;
    let (line, rest) = match first {
        "bind" => {
            let (host, port) = words.next()?.rsplit_once(':')?;
            (Line::listen(listening("tcp", Some(host), port)?), words)
        }
        "server" => {
            let _name = words.next()?;
            let (host, port) = address(words.next()?)?;
            (Line::connect(connecting("tcp", host, port)?), words)
        }
        // The word before it is taken for known.
        _ => {
            let (host, port) = first.rsplit_once(':').filter(|_| typed.contains(" ssl"))?;
            (Line::listen(listening("tcp", Some(host), port)?), words)
        }
    };
    let rest: Vec<_> = rest.collect();
    let secured = match (line.side, rest.contains(&"ssl")) {
        (_, false) => line,
        (Role::Listen, true) => {
            let crt = rest.iter().skip_while(|word| **word != "crt").nth(1);
            let crt = quote_value(crt.unwrap_or(&"self-signed"));
            Line::listen(format!("tls:{{{}}}:cert={crt}", line.descriptor))
        }
        (Role::Connect, true) => {
            let trusts = rest.windows(2).any(|two| two == ["verify", "none"]);
            let insecure = if trusts { ":insecure=true" } else { "" };
            Line::connect(format!("tls:{{{}}}{insecure}", line.descriptor))
        }
    };
    Some(Found::new(whole(typed), message, secured))
}

/// `ipv4@host:80`, `unix@/run/x`, `abns@name`, `fd@3`.
fn haproxy_address(typed: &str, role: Role) -> Option<Found> {
    let (family, rest) = typed.split_once('@')?;
    let descriptor = match family {
        "ipv4" | "ipv6" => {
            let kind = if family == "ipv4" { "tcp4" } else { "tcp6" };
            let (host, port) = rest.rsplit_once(':')?;
            match role {
                Role::Listen => listening(kind, Some(host), port)?,
                Role::Connect => connecting(kind, host, port)?,
            }
        }
        "unix" => format!("unix:{}", quote_positional(rest)),
        "abns" => format!("unix:@{}", quote_positional(rest)),
        "fd" => format!("fd:{}", rest.parse::<u32>().ok()?),
        _ => return None,
    };
    let message = format!("`{family}@` is HAProxy's prefix for an address family");
    Some(Found::new(0..family.len() + 1, message, Line { side: role, descriptor }))
}

/// `accept = 443` and `connect = 127.0.0.1:80`.
fn stunnel(typed: &str, _: Role) -> Option<Found> {
    let (name, value) = typed.split_once('=')?;
    let value = value.trim();
    let line = match name.trim() {
        "accept" => {
            let (host, port) = match value.rsplit_once(':') {
                Some((host, port)) => (Some(host), port),
                None => (None, value),
            };
            Line::listen(format!("tls:{{{}}}:cert=self-signed", listening("tcp", host, port)?))
        }
        "connect" => {
            let (host, port) = address(value).or_else(|| address_of_port(value))?;
            Line::connect(connecting("tcp", host, port)?)
        }
        _ => return None,
    };
    Some(Found::new(whole(typed), "this is a line of stunnel's configuration".to_owned(), line))
}

fn address_of_port(text: &str) -> Option<(&str, &str)> {
    text.parse::<u16>().is_ok().then_some(("127.0.0.1", text))
}

/// `user@host:22`.
fn login(typed: &str, role: Role) -> Option<Found> {
    let (user, server) = typed.split_once('@').filter(|_| role == Role::Connect)?;
    let (host, port) = address(server).unwrap_or((bare(server), "22"));
    let is_user =
        !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !is_user || !is_host(host) {
        return None;
    }
    let message = format!("`{user}@{host}` is a login of SSH");
    let mut line = format!("pty:ssh:{user}@{host}");
    if port != "22" {
        line = format!("pty:ssh:-p:{port}:{user}@{host}");
    }
    Some(Found::new(whole(typed), message, Line::connect(line)).note(urls::ssh(
        Some(user),
        host,
        port,
    )))
}

/// `./script.sh`, `server.py`.
fn script(typed: &str, role: Role) -> Option<Found> {
    let (path, arguments) = typed.split_once(' ').unwrap_or((typed, ""));
    let is_script = SCRIPTS.iter().any(|ending| path.ends_with(ending));
    if role != Role::Connect || !is_script || path.contains(':') {
        return None;
    }
    let path = if path.contains('/') { path.to_owned() } else { format!("./{path}") };
    let line = program("process", format!("{path} {arguments}").trim_end())?;
    let message = format!("`{typed}` is a program, and its kind is missing");
    Some(
        Found::new(whole(typed), message, Line::connect(format!("{line}:framing=lines")))
            .note("without `framing`, messages are not lines"),
    )
}

/// `ls -la`, `python3 server.py`.
fn command_line(typed: &str, role: Role) -> Option<Found> {
    let (name, arguments) = typed.split_once(' ').filter(|_| role == Role::Connect)?;
    let is_name = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+/~".contains(&b));
    // Programs of a terminal have separate words.
    if !is_name || arguments.trim().is_empty() || super::programs::needs_terminal(name) {
        return None;
    }
    let line = Line::connect(program("process", typed)?);
    let message = format!("`{typed}` is a command, and its kind is missing");
    let on_terminal = program("pty", typed).filter(|line| line.starts_with("pty:"));
    let note = on_terminal.map_or(String::new(), |line| format!("for a terminal, `{line}`"));
    Some(Found::new(whole(typed), message, line).note(note))
}

/// The endings of what is a program in a folder of scripts.
const SCRIPTS: &[&str] = &[".sh", ".py", ".pl", ".rb", ".js", ".php", ".lua", ".tcl"];
