//! The completions of an unfinished descriptor.
//!
//! It is read from the left, by the rules of the language that matter here: a backslash quotes the next character,
//! braces nest, colons separate fields. The part that is open at the end is the one to complete.

use std::fs;

use plan::Registry;
use plan::kind::{Param, Role, ValueKind, Variant};

use super::Candidate;
use crate::manual;

/// Returns the completions of `typed` on these sides.
pub(super) fn candidates(registry: &Registry, roles: &[Role], typed: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for role in roles {
        for candidate in at(registry, *role, typed) {
            if !found.contains(&candidate) {
                found.push(candidate);
            }
        }
    }
    found
}

/// Returns the parameters of `kind` that begin with `typed`.
pub(super) fn parameters(registry: &Registry, kind: &str, typed: &str) -> Vec<Candidate> {
    let Some((kind, _)) = registry.find(kind) else { return Vec::new() };
    let mut found: Vec<Candidate> = Vec::new();
    for param in manual::params(kind, registry) {
        if param.name.starts_with(typed) && found.iter().all(|it| it.word != param.name) {
            found.push(Candidate::new(param.name, summary(param)));
        }
    }
    found
}

/// The place of the cursor.
struct Place<'a> {
    /// All before the unfinished word.
    before: &'a str,
    /// The word: a kind's name, a parameter, or the value of one.
    word: &'a str,
    what: What,
}

enum What {
    Kind(Role),
    /// A field of a kind, with the names of the parameters that it has already, and how many fields had none.
    Field(Vec<&'static Param>, Vec<String>, usize),
    Variant(&'static [Variant]),
    Words(&'static [&'static str]),
    Nothing,
}

/// The contents of a pair of braces.
enum Frame<'a> {
    Descriptor {
        role: Role,
        kind: Option<&'a str>,
        named: Vec<&'a str>,
        unnamed: usize,
    },
    Switch {
        params: &'static [Param],
        named: Vec<&'a str>,
    },
    Variant {
        all: &'static [Variant],
        chosen: Option<&'static Variant>,
        named: Vec<&'a str>,
        unnamed: usize,
    },
    /// A text that can begin with these.
    Words(&'static [&'static str]),
    Unknown,
}

fn at(registry: &Registry, role: Role, typed: &str) -> Vec<Candidate> {
    let Place { before, word, what } = place(registry, role, typed);
    let whole = |it: Candidate| Candidate::new(format!("{before}{}", it.word), it.about);
    match what {
        What::Nothing => Vec::new(),
        What::Kind(role) => kinds(registry, role, word, "").into_iter().map(whole).collect(),
        What::Variant(all) => variants(all, word, "").into_iter().map(whole).collect(),
        What::Words(all) => beginnings(all, word, "").into_iter().map(whole).collect(),
        What::Field(params, named, unnamed) => {
            field(registry, role, &params, &named, unnamed, word).into_iter().map(whole).collect()
        }
    }
}

/// Reads the typed text, up to the cursor.
fn place<'a>(registry: &Registry, role: Role, typed: &'a str) -> Place<'a> {
    let mut frames = vec![descriptor(role)];
    let (mut start, mut closed) = (0, false);
    let mut chars = typed.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            ':' => {
                if let Some(frame) = frames.last_mut() {
                    end_field(frame, &typed[start..index]);
                }
                (start, closed) = (index + 1, false);
            }
            '{' => {
                let inner = frames.last().map(|outer| inner(registry, outer, &typed[start..index]));
                frames.push(inner.unwrap_or(Frame::Unknown));
                start = index + 1;
            }
            '}' => {
                frames.pop();
                (start, closed) = (index + 1, true);
            }
            _ => {}
        }
    }
    let (before, word) = typed.split_at(start);
    let what = match frames.pop() {
        // Behind a brace, a colon has to come first.
        _ if closed => What::Nothing,
        None | Some(Frame::Unknown) => What::Nothing,
        Some(Frame::Descriptor { role, kind: None, .. }) => What::Kind(role),
        Some(Frame::Descriptor { role, kind: Some(kind), named, unnamed }) => {
            match registry.find(kind) {
                Some((kind, _)) => What::Field(registry.params(kind, role), owned(&named), unnamed),
                None => What::Nothing,
            }
        }
        Some(Frame::Words(all)) => What::Words(all),
        Some(Frame::Switch { params, named }) => {
            What::Field(params.iter().collect(), owned(&named), usize::MAX)
        }
        Some(Frame::Variant { all, chosen: None, .. }) => What::Variant(all),
        Some(Frame::Variant { chosen: Some(variant), named, unnamed, .. }) => {
            What::Field(variant.params.iter().collect(), owned(&named), unnamed)
        }
    };
    Place { before, word, what }
}

fn descriptor<'a>(role: Role) -> Frame<'a> {
    Frame::Descriptor { role, kind: None, named: Vec::new(), unnamed: 0 }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Notes a field that is complete.
fn end_field<'a>(frame: &mut Frame<'a>, field: &'a str) {
    let name = field.split_once('=').map(|(name, _)| name);
    match frame {
        Frame::Descriptor { kind: kind @ None, .. } => *kind = Some(field),
        Frame::Switch { named, .. } => named.extend(name),
        Frame::Variant { all, chosen: chosen @ None, .. } => {
            *chosen = all.iter().find(|variant| variant.name == field);
        }
        Frame::Descriptor { named, unnamed, .. } | Frame::Variant { named, unnamed, .. } => {
            match name {
                Some(name) => named.push(name),
                None => *unnamed += 1,
            }
        }
        // Behind the colon of a URL, its host is typed.
        Frame::Words(_) => *frame = Frame::Unknown,
        Frame::Unknown => {}
    }
}

/// Returns the contents of the braces that open after `field`.
fn inner<'a>(registry: &Registry, outer: &Frame<'a>, field: &'a str) -> Frame<'a> {
    match outer {
        // `{…}` around a whole descriptor.
        Frame::Descriptor { role, kind: None, .. } if field.is_empty() => descriptor(*role),
        Frame::Descriptor { role, kind: Some(kind), unnamed, .. } => {
            let Some((kind, _)) = registry.find(kind) else { return Frame::Unknown };
            let params = registry.params(kind, *role);
            let param = match field.strip_suffix('=') {
                Some(name) => params.into_iter().find(|param| param.is_called(name)),
                None => params.into_iter().filter(|param| param.positional).nth(*unnamed),
            };
            if let Some(words) = param.map(|param| param.suggestions).filter(|all| !all.is_empty())
            {
                return Frame::Words(words);
            }
            match param.map(|param| param.value) {
                Some(ValueKind::Switch(params)) => Frame::Switch { params, named: Vec::new() },
                Some(ValueKind::Variants(all)) => variant(all),
                Some(value) => value.beneath(*role).map_or(Frame::Unknown, descriptor),
                None => Frame::Unknown,
            }
        }
        // An item of a list.
        Frame::Variant { all, chosen: None, .. } => variant(all),
        _ => Frame::Unknown,
    }
}

fn variant<'a>(all: &'static [Variant]) -> Frame<'a> {
    Frame::Variant { all, chosen: None, named: Vec::new(), unnamed: 0 }
}

/// The suggestions that begin with `typed`: those with a colon behind `opening`.
fn beginnings(all: &[&str], typed: &str, opening: &str) -> Vec<Candidate> {
    let found = all.iter().filter(|word| word.starts_with(typed));
    let word = |word: &&str| match word.contains(':') {
        true => Candidate::new(format!("{opening}{word}"), ""),
        false => Candidate::new(*word, ""),
    };
    found.map(word).collect()
}

/// The variants that begin with `typed`, behind `opening` if they take something.
fn variants(all: &[Variant], typed: &str, opening: &str) -> Vec<Candidate> {
    let found = all.iter().filter(|variant| variant.name.starts_with(typed));
    let word = |variant: &Variant| match variant.params {
        [] => variant.name.to_owned(),
        _ => format!("{opening}{}:", variant.name),
    };
    found.map(|variant| Candidate::new(word(variant), variant.about)).collect()
}

/// The kinds that begin with `typed`, behind `opening`.
fn kinds(registry: &Registry, role: Role, typed: &str, opening: &str) -> Vec<Candidate> {
    let mut found = Vec::new();
    for kind in registry.kinds().iter().filter(|kind| kind.form(role).is_some()) {
        let more = if kind.params(role).is_empty() { "" } else { ":" };
        let aliases = kind.aliases.iter().map(|alias| (alias.name, alias.about));
        for (name, about) in [(kind.name, kind.about)].into_iter().chain(aliases) {
            // An alias that differs in nothing is offered only once a part of it is typed.
            let wanted = name.starts_with(typed) && (!typed.is_empty() || !about.is_empty());
            if wanted {
                let about = if about.is_empty() { kind.about } else { about };
                found.push(Candidate::new(format!("{opening}{name}{more}"), about));
            }
        }
        // A kind without required parameters needs no colon.
        let needs = kind.params(role).into_iter().any(|param| param.required);
        if !typed.is_empty() && kind.name == typed && !needs && !more.is_empty() {
            found.push(Candidate::new(format!("{opening}{}", kind.name), kind.about));
        }
    }
    found
}

/// A parameter, or the value of one.
fn field(
    registry: &Registry,
    role: Role,
    params: &[&'static Param],
    named: &[String],
    unnamed: usize,
    word: &str,
) -> Vec<Candidate> {
    if let Some((name, typed)) = word.split_once('=') {
        let param = params.iter().find(|param| param.is_called(name));
        let Some(param) = param else { return Vec::new() };
        let found = values(registry, role, param, typed).into_iter();
        return found.map(|it| Candidate::new(format!("{name}={}", it.word), it.about)).collect();
    }
    let next = params.iter().filter(|param| param.positional).nth(unnamed);
    let mut found = next.map(|param| values(registry, role, param, word)).unwrap_or_default();
    let is_given = |param: &Param| named.iter().any(|name| param.is_called(name));
    for param in params.iter().filter(|param| !param.rest && !param.value.is_endpoint()) {
        if param.name.starts_with(word) && (param.prefix || !is_given(param)) {
            let equals = if param.prefix { "" } else { "=" };
            found.push(Candidate::new(format!("{}{equals}", param.name), summary(param)));
        }
    }
    found
}

fn values(registry: &Registry, role: Role, param: &Param, typed: &str) -> Vec<Candidate> {
    if let Some(beneath) = param.value.beneath(role) {
        return if typed.is_empty() { kinds(registry, beneath, "", "{") } else { Vec::new() };
    }
    if let ValueKind::Framing | ValueKind::FramingBeside = param.value {
        let framings = registry.framings().filter(|framing| framing.name.starts_with(typed));
        return framings.map(|framing| Candidate::new(framing.name, framing.about)).collect();
    }
    if let ValueKind::ProviderBeside = param.value {
        let providers = registry.providers().filter(|provider| provider.name.starts_with(typed));
        return providers.map(|provider| Candidate::new(provider.name, provider.about)).collect();
    }
    if let ValueKind::Variants(all) = param.value {
        return variants(all, typed, "{");
    }
    if !param.suggestions.is_empty() {
        return beginnings(param.suggestions, typed, "{");
    }
    let words: &[&str] = match param.value {
        ValueKind::Bool => &["true", "false"],
        ValueKind::Switch(_) => &["on", "off"],
        ValueKind::Choice(words) => words,
        _ if typed.starts_with(['/', '.']) => return files(typed),
        _ => &[],
    };
    let words = words.iter().filter(|word| word.starts_with(typed));
    words.map(|&word| Candidate::new(word, "")).collect()
}

/// Files and folders whose path begins with `typed`.
fn files(typed: &str) -> Vec<Candidate> {
    let Some(name) = typed.rfind('/').map(|slash| slash + 1) else { return Vec::new() };
    let (folder, name) = typed.split_at(name);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(file) = entry.file_name().into_string() else { continue };
        // File names that the language would read otherwise have to be typed by hand.
        let is_plain = !file.contains([':', '{', '}', '\\', '=']);
        let is_hidden = file.starts_with('.') && !name.starts_with('.');
        if file.starts_with(name) && is_plain && !is_hidden {
            let slash = if entry.path().is_dir() { "/" } else { "" };
            found.push(Candidate::new(format!("{folder}{file}{slash}"), ""));
        }
    }
    found.sort();
    found
}

/// The first sentence.
fn summary(param: &Param) -> String {
    let end = param.doc.find(". ").map_or(param.doc.len(), |end| end + 1);
    param.doc[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(role: Role, typed: &str) -> Vec<String> {
        let found = candidates(&crate::registry(), &[role], typed);
        found.into_iter().map(|candidate| candidate.word).collect()
    }

    #[test]
    fn a_kind_is_of_its_side() {
        assert_eq!(words(Role::Listen, "tc"), ["tcp:", "tcp4:", "tcp6:"]);
        assert!(words(Role::Listen, "").contains(&"ws:".to_owned()));
        assert!(!words(Role::Listen, "").contains(&"telnet:".to_owned()));
        assert!(words(Role::Connect, "").contains(&"telnet:".to_owned()));
        assert_eq!(words(Role::Connect, "nothing"), [""; 0]);
    }

    #[test]
    fn braces_hold_an_endpoint_of_the_right_side() {
        assert!(words(Role::Listen, "ws:").contains(&"ws:{tcp:".to_owned()));
        assert_eq!(words(Role::Listen, "ws:{std"), ["ws:{stdio:"]);
        assert!(
            words(Role::Listen, "ws:{tcp:9000:inter")
                .contains(&"ws:{tcp:9000:interface=".to_owned())
        );
        assert_eq!(words(Role::Listen, "ws:{tcp:9000}"), [""; 0]);
        assert!(
            words(Role::Listen, "ws:{tcp:9000}:au").contains(&"ws:{tcp:9000}:auth=".to_owned())
        );
    }

    #[test]
    fn values_are_offered_and_given_parameters_are_not() {
        assert_eq!(words(Role::Connect, "stdio:keep="), ["stdio:keep=true", "stdio:keep=false"]);
        assert!(
            !words(Role::Connect, "stdio:keep=true:").contains(&"stdio:keep=true:keep=".to_owned())
        );
        assert!(
            words(Role::Listen, "ws:9000:compression={").iter().any(|it| it.ends_with("level="))
        );
        assert!(
            words(Role::Listen, "ws:9000:auth={{htp")
                .contains(&"ws:9000:auth={{htpasswd:".to_owned())
        );
        assert_eq!(words(Role::Listen, "ws:9000:framing=lin"), ["ws:9000:framing=lines"]);
        assert_eq!(words(Role::Listen, r"unix:a\"), [""; 0]);
    }

    #[test]
    fn proxies_are_offered_as_text_and_in_braces() {
        let all = words(Role::Connect, "tcp:h:80:via=");
        assert!(all.contains(&"tcp:h:80:via={socks5://".to_owned()), "{all:?}");
        assert!(all.contains(&"tcp:h:80:via=environment".to_owned()), "{all:?}");
        assert_eq!(words(Role::Connect, "tcp:h:80:via={htt").len(), 2);
        assert_eq!(words(Role::Connect, "tcp:h:80:via={ss"), ["tcp:h:80:via={ssh://"]);
        assert_eq!(words(Role::Connect, "tcp:h:80:via={socks5://"), [""; 0]);
        assert_eq!(words(Role::Connect, "udp:h:53:via="), ["udp:h:53:via={socks5://"]);
        let inner = words(Role::Connect, "ws:{tcp:h:80:via={http:");
        assert_eq!(inner, [""; 0], "the colon was typed");
        assert_eq!(words(Role::Connect, "ws:{tcp:h:80:via={ht").len(), 2);
    }

    #[test]
    fn paths_are_completed() {
        assert!(words(Role::Connect, "unix:/et").contains(&"unix:/etc/".to_owned()));
        assert!(words(Role::Connect, "unix:/etc/passw").contains(&"unix:/etc/passwd".to_owned()));
    }
}
