//! Reads a descriptor by the definitions of its kind's parameters. Every mistake is reported.

use std::cell::RefCell;
use std::collections::HashMap;

use descriptor::{
    Code, Descriptor, Diagnostic, Hole, Span, Syntax, Template, Text, is_unprintable,
};

use super::advice;
use super::args::{Setting, Typed};
use super::reader::Reader;
use super::{Args, Holes, Param, Positional, Value, ValueKind};
use super::{framing, provider};

/// Reads `descriptor`; mistakes go to `found`. The arguments are good for planning only if there
/// were none.
pub(crate) fn read(
    reader: &Reader<'_>,
    descriptor: &Descriptor,
    found: &mut Vec<Diagnostic>,
) -> Args {
    let kind = descriptor.kind();
    let before = found.len();
    let mut reading = Reading {
        reader,
        kind_span: kind.map_or(descriptor.source().span(), Text::span),
        kwargs: &descriptor.kwargs,
        settings: Vec::new(),
        switches: Vec::new(),
        beneath: Vec::new(),
        meant: Vec::new(),
        is_whole: true,
        found,
    };
    reading.keywords(&descriptor.kwargs);
    reading.positionals(descriptor.args.get(1..).unwrap_or_default());
    reading.defaults();
    let Reading { mut settings, switches, beneath, kind_span, is_whole, found, .. } = reading;
    // A surplus parameter doesn't keep the kind from finding more mistakes; a missing value does.
    let usable = !found[before..].iter().any(|mistake| UNUSABLE.contains(&mistake.code));
    let (shown, secret) = reader.shown(descriptor, &mut settings, &switches);
    let order = |setting: &Setting| reader.all().position(|param| param.is_called(&setting.name));
    settings.sort_by_key(order);
    Args {
        role: reader.role,
        syntax: reader.syntax,
        called: kind.map_or_else(String::new, |kind| kind.as_str().to_ascii_lowercase()),
        descriptor: printable(&shown.to_string()),
        secret,
        span: kind_span,
        beneath,
        registry: reader.registry.clone(),
        sound: usable && is_whole,
        settings,
        switches,
        warnings: RefCell::default(),
    }
}

impl Reader<'_> {
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Param> + Clone {
        let alias = self.alias.map_or(&[][..], |alias| alias.params);
        let own = self.params.iter().chain(self.more).chain(self.beside).chain(alias);
        // A kind may know a parameter of every endpoint's better.
        let known = own.clone();
        let new = move |param: &&Param| !known.clone().any(|mine| mine.name == param.name);
        own.chain(self.common.iter().filter(new))
    }

    /// The descriptor without its secrets, and whether there were any; they are taken out of what the settings show, too.
    fn shown(
        &self,
        descriptor: &Descriptor,
        settings: &mut [Setting],
        switches: &[(&'static str, Args)],
    ) -> (Descriptor, bool) {
        // A secret of a value with parameters is one of the whole value.
        for setting in settings.iter_mut().filter(|_| !switches.is_empty()) {
            let inside = || switches.iter().filter(|(name, _)| *name == setting.name);
            if inside().any(|(_, args)| args.secret) {
                let items: Vec<_> = inside().map(|(_, args)| &*args.descriptor).collect();
                setting.shown = Some(match &*items {
                    [only] => (*only).to_owned(),
                    several => {
                        several.iter().map(|it| format!("{{{it}}}")).collect::<Vec<_>>().join(",")
                    }
                });
            }
        }
        // By place and text: those that a rewriting has made stand in one place.
        let given = settings.iter().filter(|setting| setting.given);
        let hiding: HashMap<_, _> =
            given.filter_map(|it| Some(((it.span.start, &*it.text), it.shown.clone()?))).collect();
        let mut shown = descriptor.clone();
        let mut secret = false;
        let named = |name: &Text| self.all().find(|param| param.is_called(name.as_str()));
        let names = shown.kwargs.iter().map(|(name, _)| named(name)).collect::<Vec<_>>();
        let named = shown.kwargs.iter_mut().map(|(_, value)| value).zip(names);
        let placed = shown.args.iter_mut().zip(std::iter::repeat(None));
        for (value, param) in named.chain(placed) {
            let place = (value.span().start, value.as_str());
            let hidden = hiding.get(&place).cloned();
            let hidden = hidden.or_else(|| without_secret(param?, value.as_str()));
            if let Some(hidden) = hidden {
                *value = Text::synthetic(&hidden, value.span());
                secret = true;
            }
        }
        (shown, secret)
    }

    fn default_of(&self, param: &Param) -> Option<&'static str> {
        let changed = self.alias.map_or(&[][..], |alias| alias.defaults);
        let changed = changed.iter().find(|(name, _)| *name == param.name).map(|(_, value)| *value);
        changed.or(param.default)
    }
}

pub(super) struct Reading<'a, 'b> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) kwargs: &'a [(Text, Text)],
    pub(super) kind_span: Span,
    settings: Vec<Setting>,
    pub(super) switches: Vec<(&'static str, Args)>,
    beneath: Vec<Typed>,
    /// The names that unknown keywords were probably meant to be.
    pub(super) meant: Vec<&'static str>,
    /// Set if every required parameter has a value.
    is_whole: bool,
    pub(super) found: &'b mut Vec<Diagnostic>,
}

impl Reading<'_, '_> {
    fn keywords(&mut self, kwargs: &[(Text, Text)]) {
        for (index, (name, value)) in kwargs.iter().enumerate() {
            let Some(param) = self.reader.all().find(|param| param.is_called(name.as_str())) else {
                self.unknown(name);
                continue;
            };
            // With a prefix, the name is the user's; otherwise the spelling doesn't matter.
            let full = if param.prefix { name.as_str() } else { param.name };
            let same = |other: &Text| {
                if param.prefix { other == name } else { param.is_called(other.as_str()) }
            };
            if self.reader.syntax == Syntax::Twisted {
                // Twisted lets the last one win.
                if kwargs[index + 1..].iter().any(|(later, _)| same(later)) {
                    continue;
                }
            } else if kwargs[..index].iter().any(|(earlier, _)| same(earlier)) {
                self.error(
                    Code::DuplicateKeyword,
                    name.span(),
                    format!("`{name}` is given twice"),
                    None,
                );
                continue;
            }
            self.take(param, full.to_owned(), value);
        }
    }

    fn positionals(&mut self, args: &[Text]) {
        let reader = self.reader;
        let named =
            |settings: &[Setting], param: &Param| settings.iter().any(|s| s.name == param.name);
        let mut params = reader.all().filter(|param| param.positional).peekable();
        let mut rest = None;
        for (index, arg) in args.iter().enumerate() {
            if let Some(param) = rest {
                self.take(param, param.name.to_owned(), arg);
                continue;
            }
            if reader.positional == Positional::SkipNamed {
                while params.next_if(|param| named(&self.settings, param)).is_some() {}
            }
            match params.next() {
                None if arg.as_str().is_empty() && args.len() == 1 => {
                    // `stdio:` is `stdio`, as in Twisted.
                }
                None => {
                    self.too_many(&args[index..]);
                    return;
                }
                Some(param) if named(&self.settings, param) => {
                    let message = format!("`{}` is given by position and by name", param.name);
                    self.error(Code::GivenTwice, arg.span(), message, None);
                }
                Some(param) => {
                    if param.rest {
                        rest = Some(param);
                    }
                    // An empty place is the default: `tcp:80::5`.
                    if !arg.as_str().is_empty() || param.required || param.rest {
                        self.take(param, param.name.to_owned(), arg);
                    }
                }
            }
        }
    }

    fn defaults(&mut self) {
        for param in self.reader.all() {
            if param.prefix || self.settings.iter().any(|setting| setting.name == param.name) {
                continue;
            }
            if self.beneath.iter().any(|typed| typed.param == param.name) {
                continue;
            }
            // A value that was given and is wrong has been reported; a default would hide that.
            if let Some(default) = self.reader.default_of(param) {
                let at = Text::synthetic(default, self.kind_span);
                if let Some(value) = self.value(param, &at) {
                    self.settings.push(Setting {
                        name: param.name.to_owned(),
                        text: default.to_owned(),
                        value,
                        span: self.kind_span,
                        given: false,
                        shown: without_secret(param, default),
                    });
                }
            } else if param.required {
                self.is_whole = false;
                if self.blamed(param) {
                    continue;
                }
                let message = format!(
                    "`{}` needs {}",
                    self.reader.name,
                    advice::wanted(param, self.reader.syntax)
                );
                self.error(
                    Code::MissingParameter,
                    self.kind_span,
                    message,
                    Some(advice::form(self.reader)),
                );
            }
        }
    }

    fn take(&mut self, param: &'static Param, name: String, text: &Text) {
        if let Some(role) = param.value.beneath(self.reader.role) {
            self.beneath.push(Typed { param: param.name, role, text: text.clone() });
            return;
        }
        self.warn_of_escape(text);
        // If it is unusable, it is known all the same: so that it isn't reported as missing, nor given a default.
        let value = self.value(param, text).unwrap_or_else(|| Value::Text(String::new()));
        let (text, span) = (text.as_str().to_owned(), text.span());
        let shown = without_secret(param, &text);
        self.settings.push(Setting { name, text, value, span, given: true, shown });
    }

    /// The value, or a mistake reported.
    fn value(&mut self, param: &'static Param, text: &Text) -> Option<Value> {
        match param.value {
            ValueKind::Switch(inside) => return self.switch(param, inside, text),
            ValueKind::Variants(all) => return self.variants(param, all, text),
            ValueKind::Framing => return self.framing(param, text),
            ValueKind::FramingBeside => {
                let found = framing::find(self.reader.registry, text);
                return self.unless(found).map(|kind| Value::Text(kind.name.to_owned()));
            }
            ValueKind::ProviderBeside => {
                let found = provider::find(self.reader.registry, text);
                return self.unless(found).map(|kind| Value::Text(kind.name.to_owned()));
            }
            _ => {}
        }
        // Most values have no holes; all roots are some kilobytes.
        let may_fill = text.as_str().contains('$');
        let roots = if may_fill { self.reader.registry.roots() } else { Vec::new() };
        let template = Template::parse(text, &roots);
        match param.holes {
            Holes::Filled => {
                let registry = self.reader.registry;
                let is_known = |hole: &&Hole| {
                    registry.facts().any(|(_, fact)| fact.is_called(&hole.root, &hole.name))
                };
                let unknown = template.holes().filter(|hole| !is_known(hole));
                self.found.extend(unknown.map(|hole| advice::unknown_fact(hole, registry)));
                self.found.extend(advice::unknown_roots(text, &roots));
                self.found.extend(advice::almost_hole(text, registry));
                if matches!(param.value, ValueKind::Template) || !template.is_literal() {
                    return Some(Value::Template(template));
                }
            }
            Holes::Refused(reason) => {
                if let Some(hole) = template.holes().next() {
                    let message =
                        format!("`{}` can't contain facts about a client: {reason}", param.name);
                    let help = "write the value itself, or write `\\$` for literal text";
                    self.error(Code::TemplateRefused, hole.span, message, Some(help.into()));
                    return None;
                }
            }
        }
        let value = Value::read(param.value, text.as_str());
        if value.is_none() {
            self.bad_value(param, text);
        }
        value
    }
}

/// One line that obeys nothing: descriptors are named in logs and on terminals.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Mistakes that leave a parameter without a value.
const UNUSABLE: &[Code] =
    &[Code::BadValue, Code::NoValue, Code::TemplateRefused, Code::UnquotedValue];

/// Returns the text to show instead of a value that has a secret: of a URL, the query and the password may be one.
fn without_secret(param: &Param, text: &str) -> Option<String> {
    if param.secret {
        return Some(HIDDEN.to_owned());
    }
    if !param.hides_query {
        return None;
    }
    let (before, query) = text.split_once('?').map_or((text, ""), |(before, _)| (before, HIDDEN));
    let mut shown = before.to_owned();
    if let Some((scheme, rest)) = before.split_once("://") {
        let (authority, path) = rest.split_at(rest.find(['/', '#']).unwrap_or(rest.len()));
        if let Some((_, host)) = authority.rsplit_once('@') {
            shown = format!("{scheme}://{HIDDEN}@{host}{path}");
        }
    }
    if !query.is_empty() {
        shown = format!("{shown}?{query}");
    }
    (shown != text).then_some(shown)
}

/// The text that replaces a secret wherever a descriptor is shown.
const HIDDEN: &str = "…";
