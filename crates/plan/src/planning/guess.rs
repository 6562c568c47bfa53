//! The probable meaning of a descriptor that can't be planned: a kind with a misspelt name, an
//! endpoint whose colons aren't quoted, options after a URL.

use std::borrow::Cow;

use descriptor::{
    Code, Descriptor, Diagnostic, Severity, Span, Syntax, Text, Url, nearest, quote_positional,
    quote_twisted, quote_value,
};
use endpoint::{Connector, Listener};

use super::{Known, Planning};
use crate::kind::{Form, Kind, Role, common, mended};

impl Planning<'_> {
    /// Reports it; the nearest kind's name, if there is a near one.
    pub(super) fn unknown_kind(
        &mut self,
        text: &Text,
        name: &Text,
        role: Role,
    ) -> Option<&'static str> {
        if self.is_scheme(name, role) {
            return None;
        }
        let can = |kind: &&&'static Kind| kind.form(role).is_some();
        let kinds = self.registry.kinds().iter().filter(can);
        let names = kinds.clone().flat_map(|k| k.aliases.iter().map(|a| a.name).chain([k.name]));
        let near = nearest(name.as_str(), names);
        let list = || kinds.map(|kind| format!("`{}`", kind.name)).collect::<Vec<_>>().join(", ");
        let rest = text.as_str();
        let is_port = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let named = rest.rsplit_once(':').map_or(rest, |(_, port)| port);
        // An address without a kind is most likely meant for the kind that takes bare addresses; an
        // address that wouldn't plan there either is no help.
        let address = self.with_bare_kind(rest).filter(|_| is_port(named) && !self.guessing);
        let address = address.filter(|typed| self.plans(typed, role));
        // `9o00` was to be a port.
        let number = Some(mended(rest)).filter(|text| text != rest && is_port(text));
        let number = number.filter(|typed| !self.guessing && self.plans(typed, role));
        let help = match (near, address.or(number)) {
            (Some(near), Some(address)) => format!("did you mean `{near}`, or `{address}`?"),
            (None, Some(address)) => format!("did you mean `{address}`?"),
            (Some(near), None) => format!("did you mean `{near}`?"),
            (None, None) => format!("the kinds are {}", list()),
        };
        let help = match name.as_str().strip_prefix('{') {
            Some(kind) if self.syntax == Syntax::Twisted => format!(
                "braces belong to `--syntax extended`; in Twisted's syntax, write `{kind}\\:…`"
            ),
            _ => help,
        };
        let span = if name.as_str().is_empty() { text.span() } else { name.span() };
        let message = match name.as_str() {
            "" => "the kind of endpoint is missing".to_owned(),
            name => format!("`{name}` is not a kind of endpoint"),
        };
        self.error(Code::UnknownKind, span, message, Some(help));
        near
    }

    /// Returns the words of whichever kind knows what this was to be.
    pub(super) fn slip(&self, descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
        let slips = self.registry.kinds().iter().filter_map(|kind| kind.slip);
        let of_kinds = || slips.into_iter().find_map(|slip| slip(descriptor, role));
        self.registry.slip(descriptor, role).or_else(of_kinds)
    }

    /// Replaces the mistakes that were found since `before` with the kind's own words for them, where it has any.
    pub(super) fn explain_slip(
        &mut self,
        kind: &Kind,
        text: &Text,
        descriptor: &Descriptor,
        role: Role,
        before: usize,
    ) {
        let of_kind = kind.slip.and_then(|slip| slip(descriptor, role));
        let of_known = of_kind.or_else(|| self.registry.slip(descriptor, role));
        // A URL and another spelling were replaced: their words are in the text as it was typed.
        let of_typed = || {
            let typed = Descriptor::parse(text, self.syntax).ok()?;
            let is_replaced = typed.args.len() != descriptor.args.len()
                || typed.kind().map(Text::as_str) != descriptor.kind().map(Text::as_str);
            let is_named = is_replaced && !typed.kwargs.is_empty();
            is_named.then(|| self.registry.slip(&typed, role)).flatten()
        };
        let Some(slip) = of_known.or_else(of_typed) else { return };
        let at = slip.span;
        let mut index = 0;
        self.found.retain(|mistake| {
            index += 1;
            let same = mistake.span.start <= at.end && at.start <= mistake.span.end;
            index <= before || !same || mistake.severity != Severity::Error
        });
        self.found.push(slip);
    }

    /// Reports a URL's scheme in a kind's place, `wss:9000`, with the scheme's own message if no URL of it is
    /// supported. Returns `true` if it was one.
    fn is_scheme(&mut self, name: &Text, role: Role) -> bool {
        let mut schemes = self.registry.kinds().iter().flat_map(|kind| kind.schemes);
        let Some(scheme) = schemes.find(|s| s.name.eq_ignore_ascii_case(name.as_str())) else {
            return false;
        };
        let none = Text::synthetic("", name.span());
        let url = Url {
            scheme: name.clone(),
            userinfo: None,
            host: none.clone(),
            port: None,
            path: none,
        };
        if let Err(mistake) = (scheme.expand)(&url, role) {
            self.found.push(mistake);
        } else {
            let message = format!("`{name}` is not a kind of endpoint, but the scheme of a URL");
            let help = format!("write `{}://HOST:PORT`", scheme.name);
            self.error(Code::UnknownKind, name.span(), message, Some(help));
        }
        true
    }

    /// Reports options after a URL that isn't in braces, `ws://h/:auth=token`, which would be taken for a part of it.
    /// Returns `true` if there were any.
    pub(super) fn has_options_behind(&mut self, url: &Text, role: Role) -> bool {
        let typed = url.as_str();
        // Other programs' words for it, which are no parameters.
        if let Some((before, option)) = typed.rsplit_once(':')
            && option.split('=').next().is_some_and(|name| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
            })
            && Url::split(&url.slice(0..before.len()))
                .is_ok_and(|before| matches!(before.path.as_str(), "" | "/"))
            && let Some(slip) = self.registry.slip(&Descriptor::new(url.clone()), role)
        {
            self.found.push(slip);
            return true;
        }
        for (at, _) in typed.match_indices(':') {
            let Some((name, _)) = typed[at + 1..].split_once('=') else { return false };
            let Ok(before) = Url::split(&url.slice(0..at)) else { continue };
            let scheme = before.scheme.as_str();
            let is_its = |kind: &&&Kind| {
                kind.schemes.iter().any(|known| known.name.eq_ignore_ascii_case(scheme))
            };
            let Some(kind) = self.registry.kinds().iter().find(is_its) else { return false };
            let mut params =
                [Role::Listen, Role::Connect].map(|role| kind.params(role)).into_iter();
            if !params.any(|params| params.iter().any(|param| param.is_called(name))) {
                continue;
            }
            let (before, rest) = typed.split_at(at);
            let help = format!(
                "write the URL in braces and the options after it: `{{{before}}}{rest}`; for a `:` in the URL, write \
                 `%3A`"
            );
            let message = format!("`{name}` would become part of the URL");
            self.error(
                Code::OptionInUrl,
                url.slice(at + 1..typed.len()).span(),
                message,
                Some(help),
            );
            return true;
        }
        false
    }

    /// Reports the endpoint beneath a layer that was typed with its colons as they stand, `ws:tcp:9000`,
    /// or with its parameters outside, `ws:9000:interface=::1`, and puts it right in `known` for the
    /// mistakes in the rest. Only what plans when put right is taken for such.
    pub(super) fn quote_beneath(&mut self, known: &mut Known, role: Role, form: Form) {
        if self.guessing || form.takes.is_none() {
            return;
        }
        let alias = known.alias.map_or(&[][..], |alias| alias.params);
        let own = || form.all().chain(alias).chain(common(role));
        let descriptor = &known.descriptor;
        let beneath = descriptor.args.get(1..).unwrap_or_default();
        let Some(first) = beneath.first() else { return };
        let (kept, strange): (Vec<_>, Vec<_>) = (descriptor.kwargs.iter())
            .partition(|(name, _)| own().any(|param| param.is_called(name.as_str())));
        let mut positional = own().filter(|param| param.positional);
        let alone = positional.next().filter(|param| !param.rest && positional.next().is_none());
        let Some(role) = alone.and_then(|param| param.value.beneath(role)) else { return };
        // A text that follows the value of a keyword, or is a keyword without a value, is another mistake.
        let in_a_row = beneath.windows(2).all(|two| two[0].span().end + 1 == two[1].span().start);
        let is_named = |text: &Text| own().any(|param| param.is_called(text.as_str()));
        if beneath.len() > MOST || !in_a_row || beneath.iter().any(is_named) {
            return;
        }
        let joined = beneath.iter().map(Text::as_str).collect::<Vec<_>>().join(":");
        let with = strange.iter().fold(joined.clone(), |inner, (name, value)| {
            format!("{inner}:{name}={}", self.value(value.as_str()))
        });
        let mut tried = Vec::new();
        if !strange.is_empty() {
            tried.push((with, &[][..]));
        }
        if beneath.len() > 1 {
            tried.push((joined, &strange[..]));
        }
        let tried = tried.into_iter().flat_map(|(inner, outer)| {
            let with_kind = self.with_bare_kind(&inner);
            [Some(inner), with_kind].into_iter().flatten().map(move |inner| (inner, outer))
        });
        let Some((inner, outer)) = tried.into_iter().find(|(typed, _)| self.plans(typed, role))
        else {
            return;
        };
        let kind = known.alias.map_or(known.kind.name, |alias| alias.name);
        let mut meant = format!("{kind}:{}", self.positional(&inner));
        for (name, value) in &kept {
            meant = format!("{meant}:{name}={}", self.value(value.as_str()));
        }
        let strange = strange.iter().filter(|_| outer.is_empty());
        let pieces = beneath.iter().chain(strange.map(|(_, value)| value));
        let end = pieces.map(|text| text.span().end).max().unwrap_or(first.span().end);
        let span = Span { start: first.span().start, end };
        let how = match self.syntax {
            Syntax::Extended => "must be in braces",
            Syntax::Twisted => "must have `\\:` for `:`",
        };
        let message = format!("the endpoint that `{kind}` runs over {how}");
        let typed = descriptor.kind().unwrap_or(first).clone();
        let mut right = Descriptor::new(typed).arg(Text::synthetic(&inner, span));
        right.kwargs = kept.iter().chain(outer).copied().cloned().collect();
        known.descriptor = right;
        self.error(Code::UnquotedEndpoint, span, message, Some(format!("did you mean `{meant}`?")));
    }

    /// Adds the kind that accepts bare addresses and ports.
    fn with_bare_kind(&self, typed: &str) -> Option<String> {
        let kind = self.registry.kinds().iter().find(|kind| kind.bare.is_some())?;
        Some(format!("{}:{typed}", kind.name))
    }

    /// Returns `true` if the guess can be planned, without further guesses.
    fn plans(&self, typed: &str, role: Role) -> bool {
        let mut planning = Planning::new(self.registry, self.syntax);
        planning.guessing = true;
        let planned = match role {
            Role::Listen => planning.plan::<dyn Listener>(&Text::typed(typed), 0).is_some(),
            Role::Connect => planning.plan::<dyn Connector>(&Text::typed(typed), 0).is_some(),
        };
        planned && !planning.failed()
    }

    fn positional<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.syntax {
            Syntax::Extended => quote_positional(text),
            Syntax::Twisted => quote_twisted(text).into(),
        }
    }

    fn value<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.syntax {
            Syntax::Extended => quote_value(text),
            Syntax::Twisted => quote_twisted(text).into(),
        }
    }
}

/// More pieces than any endpoint has: a longer text isn't one whose colons were left as they are.
const MOST: usize = 16;
