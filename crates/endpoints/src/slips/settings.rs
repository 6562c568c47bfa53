//! Parameters of other programs, and their names here.

use descriptor::{Descriptor, Span};
use plan::kind::Role;

/// A name that isn't ours, of one side of a kind, and what stands for it.
struct Setting {
    kinds: &'static [&'static str],
    role: Role,
    names: &'static [&'static str],
    /// Instead of name and value; `{}` is the value.
    here: &'static str,
    note: &'static str,
}

/// Finds the first parameter that isn't ours. Returns its place, what is wrong, and the descriptor to type.
pub(super) fn find(descriptor: &Descriptor, role: Role) -> Option<(Span, String, String)> {
    if let Some(found) = of_command(descriptor) {
        return Some(found);
    }
    let kind = descriptor.kind()?.as_str().to_ascii_lowercase();
    // A URL has the parameters of the kinds that it stands for.
    let kind = match kind.split_once("://") {
        Some(("wss" | "https" | "tls", _)) => "tls".to_owned(),
        _ => kind,
    };
    let named =
        descriptor.kwargs.iter().map(|(name, value)| (name, value.as_str(), value.span().end));
    // A switch without a value is read as an argument.
    let bare = descriptor.args.iter().skip(1).map(|name| (name, "", name.span().end));
    let source = descriptor.source();
    let (setting, (name, value, end)) =
        named.chain(bare).find_map(|typed @ (name, value, _)| {
            let fits = |setting: &&Setting| {
                let is_its = setting.kinds.contains(&&*kind) && setting.role == role;
                let is_called =
                    setting.names.iter().any(|known| known.eq_ignore_ascii_case(name.as_str()));
                // A parameter of ours without its value.
                let is_ours = setting.here.starts_with(&format!("{name}="));
                let has_value = !value.is_empty();
                is_its
                    && is_called
                    && (has_value || !setting.here.contains("{}"))
                    && !(is_ours && has_value)
            };
            let setting = SETTINGS.iter().find(fits)?;
            Some((verification(setting, value).unwrap_or(setting), typed))
        })?;
    let span = Span { start: name.span().start, end };
    let whole = source.span();
    let before = source.as_str().get(..name.span().start.checked_sub(whole.start)?)?;
    // The rest of a value that ended at its first `:`.
    let behind = source.as_str().get(end.checked_sub(whole.start)?..)?;
    let behind = if name.as_str().contains("auth") || SECRETS.contains(&name.as_str()) {
        ""
    } else {
        behind
    };
    // A page is a word or a path, which has a slash.
    let path = setting.here == "page={}" && !value.contains('/');
    let value = if path { format!("./{value}") } else { value.to_owned() };
    let value = if setting.here == "from={}" { network(&value) } else { value };
    // Within braces it needs no further quotes.
    let quoted = match setting.here.ends_with("{}}") {
        true => value.into(),
        false => descriptor::quote_value(&value),
    };
    let here = setting.here.replace("{}", &quoted);
    let line = match here.is_empty() {
        true => format!("{}{behind}", before.trim_end_matches(':')),
        false => format!("{before}{here}{behind}"),
    };
    let note = if setting.note.is_empty() { String::new() } else { format!("; {}", setting.note) };
    let message = match here.is_empty() {
        true => format!("`{kind}` needs no parameter `{name}`"),
        false => format!("`{kind}` has no parameter `{name}`"),
    };
    Some((span, message, format!("write `{line}`{note}")))
}

/// An option of the command among the parameters: `ws:9000:idle-timeout=5`.
fn of_command(descriptor: &Descriptor) -> Option<(Span, String, String)> {
    let is_option = |name: &str| OPTIONS.contains(&name);
    let (name, value) = descriptor.kwargs.iter().find(|(name, _)| is_option(name.as_str()))?;
    let span = Span { start: name.span().start, end: value.span().end };
    let message = format!("`{name}` is an option of the command, not a parameter of an endpoint");
    let option = match name.as_str() {
        "once" | "verbose" | "quiet" => format!("--{name}"),
        name => format!("--{name} {value}"),
    };
    Some((span, message, format!("remove it here, and write `{option}` after the endpoints")))
}

/// Options that no kind has as a parameter.
const OPTIONS: &[&str] =
    &["idle-timeout", "connect-timeout", "threads", "log-format", "once", "verbose", "quiet"];

/// `verify=` with a value that asks for what is always done, or names the authorities.
fn verification(setting: &Setting, value: &str) -> Option<&'static Setting> {
    if !setting.names.contains(&"verify") {
        return None;
    }
    match &*value.to_ascii_lowercase() {
        "1" | "2" | "3" | "4" | "yes" | "on" | "true" | "peer" | "required" | "full" | "chain" => {
            Some(&VERIFIED)
        }
        value if value.contains(['/', '.']) => Some(&AUTHORITIES),
        _ => None,
    }
}

/// Writes a network as it is written here: `10.*` is `10.0.0.0/8`. Another text, such as a name, becomes a placeholder.
fn network(typed: &str) -> String {
    let (address, prefix) = typed.split_once('/').unwrap_or((typed, "0"));
    let is_network = address.parse::<std::net::IpAddr>().is_ok() && prefix.parse::<u8>().is_ok();
    match typed {
        "localhost" | "local" | "lo" | "loopback" | "127.0.0.1" => "127.0.0.0/8".to_owned(),
        _ if is_network => typed.to_owned(),
        _ => wildcard(typed).unwrap_or_else(|| "NETWORK".to_owned()),
    }
}

/// `192.168.*` and `192.168.*.*` as a network.
fn wildcard(typed: &str) -> Option<String> {
    let fixed = typed.trim_end_matches(".*");
    let octets = fixed.split('.').map(str::parse::<u8>).collect::<Result<Vec<_>, _>>().ok()?;
    let bits = octets.len() * 8;
    let is_one = fixed != typed && octets.len() < 4;
    is_one.then(|| {
        let missing = ".0".repeat(4 - octets.len());
        format!("{fixed}{missing}/{bits}")
    })
}

/// Names whose value must not be repeated.
const SECRETS: &[&str] = &["password", "credential", "passwd", "token"];

const TCP: &[&str] = &["tcp", "tcp4", "tcp6"];
const WS: &[&str] = &["ws", "autobahn"];

static VERIFIED: Setting = Setting {
    kinds: &[],
    role: Role::Connect,
    names: &[],
    here: "",
    note: "certificates are always verified",
};

static AUTHORITIES: Setting =
    Setting { kinds: &[], role: Role::Connect, names: &[], here: "ca={}", note: "" };

const SETTINGS: &[Setting] = &[
    Setting {
        kinds: &["tcp", "tcp4", "tcp6", "udp"],
        role: Role::Listen,
        names: &["bind", "host", "address", "addr", "ip", "listen"],
        here: "interface={}",
        note: "",
    },
    Setting {
        kinds: &["tcp", "tcp4", "tcp6", "unix", "ws", "udp"],
        role: Role::Listen,
        names: &["fork", "reuseaddr", "nodelay", "nonblock", "cloexec"],
        here: "",
        note: "it is the default",
    },
    Setting {
        kinds: WS,
        role: Role::Listen,
        names: &["web", "webroot", "staticdir", "static", "dir", "root", "htdocs"],
        here: "page={}",
        note: "",
    },
    Setting {
        kinds: WS,
        role: Role::Listen,
        names: &["ssl-cert", "sslcert", "crt", "certfile", "cert-file"],
        here: "cert={}",
        note: "",
    },
    Setting {
        kinds: WS,
        role: Role::Listen,
        names: &["ssl-key", "sslkey", "keyfile", "key-file"],
        here: "key={}",
        note: "",
    },
    Setting {
        kinds: WS,
        role: Role::Listen,
        names: &["password", "passwd", "credential", "basic-auth", "basicauth", "user"],
        here: "auth={htpasswd:FILE}",
        note: "`endpointforward passwd FILE NAME` writes the file; all users of the machine can read a descriptor",
    },
    Setting {
        kinds: WS,
        role: Role::Listen,
        names: &["token"],
        here: "auth=token",
        note: "it prints a link that works once",
    },
    Setting {
        kinds: WS,
        role: Role::Listen,
        names: &["heartbeat", "ping-interval", "keepalive"],
        here: "ping={}",
        note: "",
    },
    Setting {
        kinds: WS,
        role: Role::Listen,
        names: &["max-clients", "maxclients", "maxforks", "conncap"],
        here: "max-sessions={}",
        note: "",
    },
    Setting {
        kinds: &["tls", "ssl"],
        role: Role::Connect,
        names: &["verify", "verify-peer", "sslverify", "ssl-verify", "check"],
        here: "insecure=true",
        note: "the certificate is not checked then",
    },
    Setting {
        kinds: &["tls", "ssl"],
        role: Role::Connect,
        names: &["insecure", "no-verify", "noverify"],
        here: "insecure=true",
        note: "the certificate is not checked then",
    },
    Setting {
        kinds: &["tls", "ssl"],
        role: Role::Connect,
        names: &["sni", "snihost", "servername", "commonname", "cn", "hostname"],
        here: "name={}",
        note: "",
    },
    Setting {
        kinds: &["tls", "ssl"],
        role: Role::Connect,
        names: &["cafile", "capath", "ca-file"],
        here: "ca={}",
        note: "",
    },
    Setting {
        kinds: TCP,
        role: Role::Connect,
        names: &["connect-timeout", "conntimeout"],
        here: "timeout={}",
        note: "",
    },
    Setting {
        kinds: TCP,
        role: Role::Connect,
        names: &["nodelay", "reuseaddr", "nonblock", "cloexec", "fork"],
        here: "",
        note: "it is the default",
    },
    Setting {
        kinds: &["file"],
        role: Role::Connect,
        names: &["mode", "perm"],
        here: "access=append:create={}",
        note: "",
    },
    Setting {
        kinds: &["ws", "autobahn", "tcp", "tcp4", "tcp6", "udp", "tls", "socks5", "http-connect"],
        role: Role::Listen,
        names: &["allow", "range", "acl", "whitelist", "allowlist"],
        here: "from={}",
        note: "a network is `10.0.0.0/8` or an address",
    },
    Setting {
        kinds: &["serial"],
        role: Role::Connect,
        names: &["speed", "bps", "rate"],
        here: "baud={}",
        note: "",
    },
    Setting {
        kinds: &["serial"],
        role: Role::Connect,
        names: &["databits", "data", "bits"],
        here: "bytesize={}",
        note: "",
    },
];
