//! Reads a descriptor by the definitions of its kind's parameters. Every mistake is reported.

use std::cell::RefCell;
use std::collections::HashMap;

use descriptor::{
    Code, Descriptor, Diagnostic, Hole, Span, Stage, Syntax, Template, Text, is_unprintable,
    nearest, quote_twisted, quote_value,
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
    // What is too much doesn't keep the kind from finding more mistakes; what is missing does.
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
    kwargs: &'a [(Text, Text)],
    kind_span: Span,
    settings: Vec<Setting>,
    pub(super) switches: Vec<(&'static str, Args)>,
    beneath: Vec<Typed>,
    /// The names that unknown keywords were probably meant to be.
    meant: Vec<&'static str>,
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
        if let Some(value) = self.value(param, text) {
            let (text, span) = (text.as_str().to_owned(), text.span());
            let shown = without_secret(param, &text);
            self.settings.push(Setting { name, text, value, span, given: true, shown });
        } else {
            // Known, if unusable: so that it isn't reported as missing, nor given a default.
            let (text, span) = (text.as_str().to_owned(), text.span());
            let value = Value::Text(String::new());
            let shown = without_secret(param, &text);
            self.settings.push(Setting { name, text, value, span, given: true, shown });
        }
    }

    /// Sequences such as `\n` have a meaning in other languages; here the backslash is removed.
    fn warn_of_escape(&mut self, text: &Text) {
        if self.reader.syntax == Syntax::Twisted {
            return;
        }
        let is_meant = |c: char| matches!(c, 'n' | 't' | 'r' | '0' | 'x' | 'e' | 'a' | 'u');
        let mut letters = text.as_str().char_indices();
        let Some((at, c)) = letters.find(|(at, c)| is_meant(*c) && text.is_escaped(*at)) else {
            return;
        };
        let message = format!("the backslash quotes `{c}`, so the value is `{text}`");
        let span = text.span_of(at..at + 1);
        let warning = Diagnostic::warning(Stage::Plan, "odd-escape", span, message);
        self.found.push(
            warning.help(format!("for a backslash, write `\\\\{c}`, or put the text in braces")),
        );
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
        let roots = self.reader.registry.roots();
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

    pub(super) fn bad_value(&mut self, param: &Param, text: &Text) {
        let what = match param.value {
            // How they are written depends on the syntax.
            ValueKind::Switch(_) => "`on`, `off`, or settings".to_owned(),
            value => value.describe(),
        };
        let message = format!("`{}` must be {what}", param.name);
        let help = advice::joined(self.reader, param, text.as_str())
            .or_else(|| advice::mend(param.value, text.as_str(), self.reader.syntax));
        self.error(Code::BadValue, text.span(), message, help);
    }

    fn unknown(&mut self, name: &Text) {
        let Reader { name: kind, role, other, .. } = self.reader;
        let (here, there) = (role.doing(), role.other().doing());
        if other.is_some_and(|form| form.all().any(|param| param.is_called(name.as_str()))) {
            let message =
                format!("`{kind}` has `{name}` only when {there}, and this is the {here} side");
            self.error(Code::UnknownKeyword, name.span(), message, Some(advice::form(self.reader)));
            return;
        }
        let here = if self.reader.is_switch { String::new() } else { format!(" when {here}") };
        let message = format!("`{kind}` has no parameter `{name}`{here}");
        let names = self.reader.all().flat_map(|p| p.aliases.iter().copied().chain([p.name]));
        let rest = self.reader.all().find(|param| param.rest);
        let help = match (nearest(name.as_str(), names), rest) {
            (Some(near), _) if near.ends_with('.') => format!("did you mean `{near}NAME=…`?"),
            (Some(near), _) => {
                self.meant.push(near);
                format!("did you mean `{near}`?")
            }
            // `process:dd:if=/dev/zero`: it was meant as one of these.
            (None, Some(rest)) => match self.reader.syntax {
                Syntax::Extended => format!(
                    "write text that contains `=` in braces to pass it as `{}`: `{{{name}=…}}`",
                    rest.name
                ),
                Syntax::Twisted => format!("write `{name}\\=…` to pass it as `{}`", rest.name),
            },
            (None, None) => advice::form(self.reader),
        };
        self.error(Code::UnknownKeyword, name.span(), message, Some(help));
    }

    fn too_many(&mut self, extra: &[Text]) {
        if let Some(first) = extra.first()
            && let Some((name, value)) =
                self.kwargs.iter().find(|(_, value)| follows(value.span(), first.span()))
        {
            self.unquoted(name, value, extra);
            return;
        }
        let kind = self.reader.name;
        let names: Vec<_> =
            self.reader.all().filter(|p| p.positional).map(|p| format!("`{}`", p.name)).collect();
        let span = Span {
            start: extra.first().map_or(self.kind_span.start, |text| text.span().start),
            end: extra.last().map_or(self.kind_span.end, |text| text.span().end),
        };
        if let Some(bare) = extra.iter().find(|text| self.is_name(text.as_str())) {
            self.without_value(bare);
            return;
        }
        let message = match &*names {
            [] => format!("`{kind}` has no positional parameters"),
            names => format!("`{kind}` has only the positional parameters: {}", names.join(", ")),
        };
        let how = match self.reader.syntax {
            Syntax::Extended => "write text that contains `:` in braces, `{…:…}`",
            Syntax::Twisted => "write `\\:` for a `:` in text",
        };
        let help = format!("{how}; {}", advice::form(self.reader));
        self.error(Code::TooManyPositionals, span, message, Some(help));
    }

    /// The value of a keyword had colons: `origin=https://example.com`.
    fn unquoted(&mut self, name: &Text, value: &Text, extra: &[Text]) {
        let mut whole = value.as_str().to_owned();
        let mut span = value.span();
        for more in extra {
            if !follows(span, more.span()) {
                break;
            }
            whole = format!("{whole}:{more}");
            span.end = more.span().end;
        }
        // What is wrong with its beginning alone is no news.
        let at = value.span();
        let is_inside = |span: Span| at.start <= span.start && span.end <= at.end;
        self.found.retain(|mistake| {
            !matches!(mistake.code, Code::BadValue | Code::NoValue) || !is_inside(mistake.span)
        });
        let message = format!("the value of `{name}` ends at its first `:`");
        let help = match self.reader.syntax {
            Syntax::Extended => format!("write it in braces: `{name}={}`", quote_value(&whole)),
            Syntax::Twisted => format!("write `\\:` for it: `{name}={}`", quote_twisted(&whole)),
        };
        self.error(Code::UnquotedValue, span, message, Some(help));
    }

    /// Returns `true` if a parameter has exactly this name.
    fn is_name(&self, text: &str) -> bool {
        self.reader.all().any(|param| !param.prefix && param.is_called(text))
    }

    /// The name of a parameter stands where a positional does: `ws:9000:ping`.
    pub(super) fn without_value(&mut self, name: &Text) {
        let message = format!("`{name}` needs a value");
        self.error(Code::NoValue, name.span(), message, Some(format!("the form is `{name}=…`")));
    }

    /// Returns `true` if a typed field was wrong in a way that may be why `param` is missing.
    fn blamed(&self, param: &Param) -> bool {
        param.positional && self.meant.contains(&param.name)
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: String, help: Option<String>) {
        let mut diagnostic = Diagnostic::error(Stage::Plan, code, span, message);
        if let Some(help) = help {
            diagnostic = diagnostic.help(help);
        }
        self.found.push(diagnostic);
    }
}

/// Returns `true` if there is only a `:` between them.
fn follows(before: Span, after: Span) -> bool {
    before.end + 1 == after.start
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

/// What is shown instead of a value that has a secret: of a URL, the query and the password may be one.
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
