//! Programs that serve web pages: `websockify`, `websocketd`, `ttyd`.

use descriptor::quote_value;

use super::super::Means::*;
use super::super::place::Place;
use super::super::{Given, Line};
use super::parts::*;

pub(in super::super) fn websockify(given: &Given<'_>) -> Option<Line> {
    let (source, target) = match &*given.words {
        [source] => (source, None),
        [source, target] => (source, Some(target)),
        _ => return None,
    };
    // Two ports alone may be any forwarder's.
    if given.is_bare() {
        return None;
    }
    let place = Place::read(source)?;
    let tokens = given.value(Tokens).map(|path| format!("route:file={}", quote_value(path)));
    let unix = given.value(TargetUnix).map(unix);
    let target = target.filter(|target| Place::read(target).is_some());
    let connect = tokens.or(unix).or_else(|| Some(destination(target?)))?;
    Some(web(given, place, connect))
}

pub(in super::super) fn websocketd(given: &Given<'_>) -> Option<Line> {
    let place = Place::at(given.value(Address), given.value(Port)?)?;
    let scripts = given.value(Scripts).map(|dir| format!("process:dir={}", quote_value(dir)));
    let connect = scripts.or_else(|| program("process", &given.words))?;
    let framing = if given.has(Standard) { "" } else { ":framing=lines" };
    let kept = given.value(Kept).map(|names| format!(":passenv={}", quote_value(names)));
    let framing = format!("{framing}{}", kept.unwrap_or_default());
    Some(web(given, place, format!("{connect}{framing}")))
}

pub(in super::super) fn ttyd(given: &Given<'_>) -> Option<Line> {
    let name = given.words.first()?.rsplit('/').next()?;
    // Without options, a word may be anything.
    let is_shell = ["ash", "bash", "dash", "fish", "htop", "ksh", "login", "sh", "tmux", "zsh"];
    let is_program =
        !given.words[0].contains([',', ':', '@']) && Place::read(given.words[0]).is_none();
    if given.is_bare() && !is_shell.contains(&name) || !is_program {
        return None;
    }
    let address = if given.is_bare() { Some("127.0.0.1") } else { given.value(Address) };
    let place = Place::at(address, given.value(Port).unwrap_or("7681"))?;
    let mut connect = program("pty", &given.words)?;
    for (means, name) in [(Folder, "cwd"), (User, "user"), (Group, "group"), (Term, "term")] {
        if let Some(value) = given.value(means) {
            connect = format!("{connect}:{name}={}", quote_value(value));
        }
    }
    let mut line = web(given, place, connect);
    let is_read_only = !given.is_bare() && !given.has(Typing);
    line.notes.extend(is_read_only.then(|| {
        "clients may type, unless `endpointforward passwd --read-only` has added them".to_owned()
    }));
    Some(line)
}

/// A `ws` listener with the options that its programs have.
fn web(given: &Given<'_>, place: Place<'_>, connect: String) -> Line {
    let mut options = String::new();
    if let Some(page) = given.value(Page) {
        options += &format!(":page={}", quote_value(&folder(page)));
    }
    let named = [(Path, "path"), (Ping, "ping"), (Certificate, "cert"), (Key, "key")];
    for (means, name) in named {
        options += &given
            .value(means)
            .map_or(String::new(), |value| format!(":{name}={}", quote_value(value)));
    }
    if given.has(Origin) {
        let hosts: Vec<_> = given.values(Origin).flat_map(|list| list.split(',')).collect();
        let origins =
            hosts.iter().filter(|host| !host.is_empty()).map(|host| match host.contains("://") {
                true => (*host).to_owned(),
                false => format!("https://{host}"),
            });
        let origins = origins.collect::<Vec<_>>().join(",");
        options += &if origins.is_empty() { origins } else { format!(":origin={{{origins}}}") };
    }
    let mut notes = Vec::new();
    if given.has(Login) {
        options += ":auth={htpasswd:users}";
        notes.push(
            "`endpointforward passwd users NAME` asks for a password and writes that file"
                .to_owned(),
        );
    }
    let mut line = Line { listen: on_web(place, &options), connect, notes, ..Line::default() };
    limits(given, &mut line);
    line
}
