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
    let kind = descriptor.kind()?.as_str().to_ascii_lowercase();
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
            SETTINGS.iter().find(fits).map(|setting| (setting, typed))
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
    let here = setting.here.replace("{}", &descriptor::quote_value(&value));
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

/// Names whose value must not be repeated.
const SECRETS: &[&str] = &["password", "credential", "passwd", "token"];

const TCP: &[&str] = &["tcp", "tcp4", "tcp6"];
const WS: &[&str] = &["ws", "autobahn"];

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
        names: &["fork", "reuseaddr"],
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
        names: &["verify"],
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
