//! Values with parameters: switches, framings, variants. Each is parsed like a descriptor.

use descriptor::{Code, Descriptor, Diagnostic, Text, nearest};

use super::framing::{self, FRAMING};
use super::read::{Reading, read};
use super::reader::Reader;
use super::{Param, Value, ValueKind, Variant, variant};

impl Reading<'_, '_> {
    /// Parses a switch: a word, or parameters, which are keywords as an endpoint's are.
    pub(super) fn switch(
        &mut self,
        param: &'static Param,
        inside: &'static [Param],
        text: &Text,
    ) -> Option<Value> {
        let word = Value::read(ValueKind::Bool, text.as_str());
        let empty = Text::synthetic("", text.span());
        let typed = if word.is_some() { &empty } else { text };
        let settings = match Descriptor::parse(typed, self.reader.syntax) {
            Ok(settings) => settings,
            Err(mistakes) => {
                self.found.extend(mistakes);
                return None;
            }
        };
        let is_inside = |text: &&Text| inside.iter().any(|param| param.is_called(text.as_str()));
        if let Some(name) = settings.args.iter().find(is_inside) {
            self.without_value(name);
            return None;
        }
        if word.is_none() && (settings.kwargs.is_empty() || !settings.args.is_empty()) {
            self.bad_value(param, text);
            return None;
        }
        let on = word != Some(Value::Bool(false));
        if on {
            let reader = Reader {
                positional: self.reader.positional,
                ..self.reader.inside(param.name, inside)
            };
            let before = self.found.len();
            let read = read(&reader, &settings, self.found);
            if self.found.len() > before {
                return None;
            }
            self.switches.push((param.name, read));
        }
        Some(Value::Bool(on))
    }

    /// Parses a list of variants, each with its parameters.
    pub(super) fn variants(
        &mut self,
        param: &'static Param,
        all: &'static [Variant],
        text: &Text,
    ) -> Option<Value> {
        let before = self.found.len();
        for item in variant::items(text) {
            let typed = match Descriptor::parse(&item, self.reader.syntax) {
                Ok(typed) => typed,
                Err(mistakes) => {
                    self.found.extend(mistakes);
                    continue;
                }
            };
            let name = typed.kind().map_or("", Text::as_str);
            let Some(variant) = all.iter().find(|variant| variant.name.eq_ignore_ascii_case(name))
            else {
                let at = typed.kind().map_or(item.span(), Text::span);
                let names = all.iter().map(|variant| variant.name);
                let help = match nearest(name, names.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it can be {}", names.collect::<Vec<_>>().join(", ")),
                };
                let message = format!("`{name}` is not a value of `{}`", param.name);
                self.error(Code::BadValue, at, message, Some(help));
                continue;
            };
            let reader = self.reader.inside(variant.name, variant.params);
            let mut read = read(&reader, &typed, self.found);
            variant.name.clone_into(&mut read.called);
            self.switches.push((param.name, read));
        }
        (self.found.len() == before).then(|| Value::Text(text.as_str().to_owned()))
    }

    /// Reads a framing: its name, or what it has in braces.
    pub(super) fn framing(&mut self, param: &'static Param, text: &Text) -> Option<Value> {
        let value = match Descriptor::parse(text, self.reader.syntax) {
            Ok(value) => value,
            Err(mistakes) => {
                self.found.extend(mistakes);
                return None;
            }
        };
        let registry = self.reader.registry;
        let named = framing::named(registry, &value, text);
        let kind = self.unless(named)?;
        // The framing of one direction has no framing parameters itself.
        let is_direction = matches!(param.name, "in" | "out");
        let reader = Reader {
            common: if is_direction { &[] } else { FRAMING },
            ..self.reader.inside(kind.name, kind.params)
        };
        let before = self.found.len();
        let mut read = read(&reader, &value, self.found);
        if self.found.len() > before {
            return None;
        }
        kind.name.clone_into(&mut read.called);
        self.switches.push((param.name, read));
        Some(Value::Text(kind.name.to_owned()))
    }

    pub(super) fn unless<T>(&mut self, found: Result<T, Diagnostic>) -> Option<T> {
        found.map_err(|mistake| self.found.push(mistake)).ok()
    }
}
