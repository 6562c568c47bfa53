//! Mistakes in the parameters of a descriptor: an explanation, the place, and text to write instead.

use descriptor::{
    Code, Diagnostic, Span, Stage, Syntax, Text, nearest, quote_twisted, quote_value,
};

use super::advice;
use super::read::Reading;
use super::reader::Reader;
use super::{Param, ValueKind};

impl Reading<'_, '_> {
    /// Sequences such as `\n` have a meaning in other languages; here the backslash is removed.
    pub(super) fn warn_of_escape(&mut self, text: &Text) {
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

    pub(super) fn unknown(&mut self, name: &Text) {
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
            // `process:LANG=C:sort`, as a shell has it.
            (None, Some(_)) if is_variable(name.as_str()) && self.prefix().is_some() => {
                let prefix = self.prefix().unwrap_or_default();
                format!("write `{prefix}{name}=…` to set a variable")
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

    pub(super) fn too_many(&mut self, extra: &[Text]) {
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
        // A mistake in its beginning alone is covered by this one.
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

    /// Returns the parameter whose names go on with that of a variable.
    fn prefix(&self) -> Option<&'static str> {
        self.reader.all().find(|param| param.prefix && param.name == "env.").map(|param| param.name)
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
    pub(super) fn blamed(&self, param: &Param) -> bool {
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

/// Returns `true` for the name of a variable of the environment, as these are usually written.
fn is_variable(name: &str) -> bool {
    name.len() > 1
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Returns `true` if there is only a `:` between them.
fn follows(before: Span, after: Span) -> bool {
    before.end + 1 == after.start
}
