//! The keywords with which socat's and websocat's endpoints begin.

mod words;

use descriptor::quote_value;
use plan::Words;
use plan::kind::Role;

use self::words::{SOCAT, WEBSOCAT};
use super::line::{Found, Line, address, connecting, listening};

/// A word of another program, and what it is here.
struct Spelling {
    names: Words,
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
        let Some(spelling) = spellings.iter().find(|row| row.names.contains(&lower)) else {
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
