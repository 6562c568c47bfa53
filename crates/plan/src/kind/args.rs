//! The values of an endpoint's parameters, read and with their defaults filled in.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use descriptor::{Code, Diagnostic, Span, Stage, Syntax, Template, Text};
use endpoint::{DialLayer, Networks};

use super::{Role, Value};
use crate::Registry;

/// The arguments of a kind's plan function. Every parameter has been parsed by its definition
/// before, so the getters can't fail for a parameter that has a default or is required.
///
/// # Panics
/// The getters panic when they ask for a parameter that the kind's definition doesn't have, or as
/// another kind of value: a mistake in the kind, that planning one of its examples shows.
#[derive(Debug)]
pub struct Args {
    /// The side that is planned.
    pub role: Role,
    /// The syntax that it was typed in.
    pub syntax: Syntax,
    /// The name or alias of the kind that was typed, in lower case.
    pub called: String,
    /// The endpoint's descriptor, for messages: secrets are left out.
    pub descriptor: String,
    /// Set if a secret was left out of it.
    pub(crate) secret: bool,
    /// The place of the whole endpoint in the typed text.
    pub span: Span,
    /// The endpoints beneath, as they were typed.
    pub(crate) beneath: Vec<Typed>,
    /// The kinds that are known: a kind that needs another one asks for it here.
    pub(crate) registry: Registry,
    /// Set if everything that was typed is valid.
    pub(super) sound: bool,
    pub(super) settings: Vec<Setting>,
    /// The settings of the framings and of the switches that are on, by name.
    pub(super) switches: Vec<(&'static str, Args)>,
    pub(super) warnings: RefCell<Vec<Diagnostic>>,
}

/// An endpoint beneath another one, not planned yet.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// The parameter that it was typed for.
    pub(crate) param: &'static str,
    /// The side that it is to be planned for.
    pub(crate) role: Role,
    pub(crate) text: Text,
}

/// One parameter with its value.
#[derive(Clone)]
pub struct Setting {
    /// The parameter's name; with a prefix parameter, the whole name.
    pub name: String,
    /// The value as it was typed, unescaped, or the default.
    pub text: String,
    /// The parsed value.
    pub value: Value,
    /// The place in the typed text; the kind's name for a default.
    pub span: Span,
    /// Set if it was typed.
    pub given: bool,
    /// The text to show instead of the value, if there is a secret in it.
    pub shown: Option<String>,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.shown.as_deref().unwrap_or(&self.text))
    }
}

impl Args {
    /// Returns `true` if it was typed over an endpoint whose kind has one of these names. The endpoint that a URL or
    /// an alias stands for is not inspected.
    #[must_use]
    pub fn goes_over(&self, kinds: &[&str]) -> bool {
        self.beneath.iter().any(|typed| {
            let kind = typed.text.as_str().split(':').next().unwrap_or_default();
            kinds.iter().any(|other| other.eq_ignore_ascii_case(kind))
        })
    }

    /// Returns all values, in the order of the definitions.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// Returns a number, if it was given or has a default.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<u64> {
        self.value(name).map(|value| match value {
            Value::Int(number) => *number,
            other => wrong(name, other),
        })
    }

    /// Returns a port, which has to be given or have a default.
    #[must_use]
    pub fn port(&self, name: &str) -> u16 {
        let port = self.int(name).and_then(|port| u16::try_from(port).ok());
        port.expect("a required port was read as a number up to 65535")
    }

    /// Returns a flag; `false` if it isn't given and has no default.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| match value {
            Value::Bool(flag) => *flag,
            other => wrong(name, other),
        })
    }

    /// Returns the settings of a switch; `None` if it is off.
    #[must_use]
    pub fn switch(&self, name: &str) -> Option<&Self> {
        self.inside(name)
    }

    /// Returns the settings in the braces of all parameters, with the names of these.
    pub(crate) fn all_inside(&self) -> impl Iterator<Item = (&'static str, &Self)> {
        self.switches.iter().map(|(name, inside)| (*name, inside))
    }

    /// Returns the settings that a parameter has in braces.
    pub(crate) fn inside(&self, name: &str) -> Option<&Self> {
        self.switches.iter().find(|(switch, _)| *switch == name).map(|(_, settings)| settings)
    }

    /// Returns the values of a parameter of [`ValueKind::Variants`](super::ValueKind::Variants), in the order in
    /// which they were typed; [`Args::called`] is the name of each. Empty if the parameter isn't given and has no
    /// default.
    pub fn variants(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.switches.iter().filter(move |(switch, _)| *switch == name).map(|(_, inside)| inside)
    }

    /// Returns the networks in a list; none if the parameter isn't given.
    ///
    /// # Errors
    /// A word of it is no network, or it is given and has none: an unset variable must not mean every network.
    pub fn networks(&self, name: &str) -> Result<Networks, Diagnostic> {
        if self.is_given(name) && self.list(name).is_empty() {
            let message = format!("`{name}` is empty");
            return Err(self.mistake(name, "bad-network", message));
        }
        Networks::of(self.list(name)).map_err(|word| {
            let message = format!("`{word}` is not a network");
            let help = "a network is `10.0.0.0/8`, an address `192.0.2.1`, or `2001:db8::1` in braces; `!` in front \
                        excludes it; names are not looked up";
            self.mistake(name, "bad-network", message).help(help)
        })
    }

    /// Returns a time, if it was given or has a default.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        self.value(name).map(|value| match value {
            Value::Duration(time) => *time,
            other => wrong(name, other),
        })
    }

    /// Returns two times, if they were given or have a default: the first is not longer than the second.
    #[must_use]
    pub fn durations(&self, name: &str) -> Option<(Duration, Duration)> {
        self.value(name).map(|value| match value {
            Value::Durations(least, most) => (*least, *most),
            other => wrong(name, other),
        })
    }

    /// Returns text, if it was given or has a default.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).map(|value| match value {
            Value::Text(text) => &**text,
            other => wrong(name, other),
        })
    }

    /// Returns the words of a list; none if the parameter isn't given and has no default.
    #[must_use]
    pub fn list(&self, name: &str) -> &[String] {
        self.value(name).map_or(&[], |value| match value {
            Value::List(words) => words,
            other => wrong(name, other),
        })
    }

    /// Returns text with holes, if it was given or has a default.
    #[must_use]
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.value(name).map(|value| match value {
            Value::Template(template) => template,
            other => wrong(name, other),
        })
    }

    /// Returns the template that a parameter of another sort was given ([`Param::fillable`](super::Param::fillable));
    /// `None` if it has an ordinary value.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&Template> {
        match self.value(name)? {
            Value::Template(template) => Some(template),
            _ => None,
        }
    }

    /// Returns all values of a parameter that takes further positionals.
    pub fn rest(&self, name: &str) -> impl Iterator<Item = &str> {
        self.settings.iter().filter(move |setting| setting.name == name).map(|s| &*s.text)
    }

    /// Returns the values of a prefix parameter: the name after the prefix, and the value.
    pub fn prefixed(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().filter_map(move |setting| {
            setting
                .name
                .strip_prefix(prefix)
                .filter(|key| !key.is_empty())
                .map(|key| (key, &*setting.text))
        })
    }

    /// Returns `true` if a parameter was typed rather than left to its default.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.setting(name).is_some_and(|setting| setting.given)
    }

    /// Returns the place of a parameter in the typed text, or of the kind's name if it wasn't
    /// typed.
    #[must_use]
    pub fn span_of(&self, name: &str) -> Span {
        self.setting(name).map_or(self.span, |setting| setting.span)
    }

    /// Returns an error in a parameter's value that its definition can't express.
    #[must_use]
    pub fn mistake(
        &self,
        name: &str,
        code: impl Into<Code>,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(Stage::Plan, code, self.span_of(name), message)
    }

    /// Warns about a parameter's value and accepts it.
    pub fn warn(&self, name: &str, code: impl Into<Code>, message: impl Into<String>) {
        let warning = Diagnostic::warning(Stage::Plan, code, self.span_of(name), message);
        self.warnings.borrow_mut().push(warning);
    }

    /// Warns as [`Args::warn`] does, with what to write instead.
    pub fn warn_with_help(
        &self,
        name: &str,
        code: impl Into<Code>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let warning = Diagnostic::warning(Stage::Plan, code, self.span_of(name), message);
        self.warnings.borrow_mut().push(warning.help(help));
    }

    /// Warns about one value of a parameter that takes further positionals.
    pub fn warn_of(
        &self,
        setting: &Setting,
        code: impl Into<Code>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let warning = Diagnostic::warning(Stage::Plan, code, setting.span, message);
        self.warnings.borrow_mut().push(warning.help(help));
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.sound
    }

    /// Takes the warnings, with those about what is inside variants.
    pub(crate) fn take_warnings(&self) -> Vec<Diagnostic> {
        let inside = self.switches.iter().flat_map(|(_, inside)| inside.take_warnings());
        let mut warnings: Vec<_> = inside.collect();
        warnings.append(&mut self.warnings.take());
        warnings
    }

    /// Returns the registry of kinds, for an endpoint that is planned later, when it is known.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the connecting side of the layer of that name, with its defaults; `None` if no kind
    /// of that name is a layer.
    #[must_use]
    pub fn dial_layer(&self, name: &str) -> Option<Arc<dyn DialLayer>> {
        self.registry.dial_layer(name, self.syntax)
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.setting(name).map(|setting| &setting.value)
    }
}

fn wrong(name: &str, value: &Value) -> ! {
    unreachable!("`{name}` was read as {value:?}: its definition and its reader disagree")
}
