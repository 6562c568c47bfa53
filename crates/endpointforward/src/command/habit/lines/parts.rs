//! Parts of the lines to type.

use descriptor::quote_positional;
use plan::kind::Role;

use super::super::Means::{Once, Sessions};
use super::super::place::Place;
use super::super::{Given, Line};

/// A `ws` listener: as asked, with a link if its destination is a program, on loopback.
pub(super) fn on_web(place: Place<'_>, options: &str) -> Vec<(String, String)> {
    let asked = format!("{}{options}", place.over("ws"));
    let here = format!("{}{options}", place.loopback().over("ws"));
    let note = format!("`auth=token` prints a link; for this machine alone, `-e {here}`");
    let linked = format!("{asked}:auth=token");
    vec![(asked, String::new()), (linked, note), (here, String::new())]
}

/// A `tcp` listener: as asked, or on loopback if its destination is a program.
pub(super) fn on_port(place: Place<'_>, kind: &str) -> Vec<(String, String)> {
    let asked = place.of(kind);
    let note = format!("for other machines, `-e {asked}:auth=none`");
    let here = place.loopback().of(kind);
    vec![(asked, String::new()), (here, note)]
}

pub(super) fn exactly(listen: impl Into<String>) -> Vec<(String, String)> {
    vec![(listen.into(), String::new())]
}

/// A folder of pages: a path has a slash, and a word is a built-in page.
pub(super) fn folder(typed: &str) -> String {
    match typed {
        "." => "./".to_owned(),
        typed if typed.contains('/') => typed.to_owned(),
        typed => format!("./{typed}"),
    }
}

pub(super) fn unix(path: &str) -> String {
    format!("unix:{}", quote_positional(path))
}

pub(super) fn words_of(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

pub(super) fn program(kind: &str, words: &[&str]) -> Option<String> {
    let words: Vec<_> = words.iter().map(|word| quote_positional(word)).collect();
    (!words.is_empty()).then(|| format!("{kind}:{}", words.join(":")))
}

/// `localhost:80`, `:80` and `80` as a destination.
pub(super) fn destination(typed: &str) -> String {
    match Place::read(typed) {
        Some(place) if typed.len() <= place.port.len() + 1 => {
            format!("tcp:localhost:{}", place.port)
        }
        _ => endpoint(typed, Role::Connect),
    }
}

/// An endpoint in other programs' terms.
pub(super) fn endpoint(typed: &str, role: Role) -> String {
    let head = typed.split(',').next().unwrap_or_default();
    match head.to_ascii_lowercase().as_str() {
        "-" | "stdio" | "stdin" if typed.contains("raw") => return "stdio:raw=true".to_owned(),
        "-" | "stdio" => return "stdio".to_owned(),
        _ => {}
    }
    // socat's EXEC has a command line.
    if let Some((kind, command)) = typed.split_once(':')
        && kind.eq_ignore_ascii_case("exec")
        && kind != "exec"
    {
        let (command, options) = command.split_once(',').unwrap_or((command, ""));
        let kind = if options.split(',').any(|option| option == "pty") { "pty" } else { "process" };
        let quotes = ['"', '\''];
        return program(kind, &words_of(command.trim_matches(quotes))).unwrap_or_default();
    }
    match endpoints::translate(typed, role) {
        Some((side, descriptor)) if side == role => descriptor,
        _ => kinds_name(typed),
    }
}

/// `TCP:localhost:23` with the kind in lower case, as it is written here.
pub(super) fn kinds_name(typed: &str) -> String {
    let (kind, rest) = typed.split_once(':').unwrap_or((typed, ""));
    let is_name = kind.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    match is_name && !rest.is_empty() && kind.bytes().any(|b| b.is_ascii_uppercase()) {
        true => format!("{}:{rest}", kind.to_ascii_lowercase()),
        false => typed.to_owned(),
    }
}

pub(super) fn limits(given: &Given<'_>, line: &mut Line) {
    line.options.extend(given.has(Once).then(|| "--once".to_owned()));
    let number = given.value(Sessions).filter(|number| number.parse::<u32>().is_ok());
    line.options.extend(number.map(|number| format!("--max-sessions {number}")));
}

/// `[ADDRESS:]PORT:HOST:PORT`.
pub(super) fn forwarded(spec: &str) -> Option<(Place<'_>, &str, &str)> {
    let (rest, port) = spec.rsplit_once(':')?;
    let (place, host) = rest.rsplit_once(':')?;
    Some((Place::read(place)?, host, port))
}
