//! Planning: from a descriptor to something that can be opened, written once for both sides.
//!
//! 1. Sugar: a URL, a bare port, another spelling become a descriptor of the common form.
//! 2. The kind is looked up, and its parameters are read by their definitions.
//! 3. The endpoint beneath a layer is planned the same way, and their shapes are checked.
//! 4. The kind makes the listener or connector.
//!
//! Nothing is opened and no file is read. Every mistake is reported, with its span in what was
//! typed.

mod guess;
mod over;
mod start;

use std::sync::Arc;

use descriptor::{Code, Descriptor, Diagnostic, Severity, Span, Stage, Syntax, Text, Url, nearest};
use endpoint::{Connector, Listener};

use crate::beneath::{Beneath, Part};
use crate::kind::args::Typed;
use crate::kind::read;
use crate::kind::reader::Reader;
use crate::kind::{
    Alias, Args, Form, Kind, Planned, Role, Shape, Takes, ValueKind, common, framing, provider,
};
use crate::side::Endpoint;
use crate::{Plan, Registry, Tree};

/// The planning of one descriptor, with everything that is under it.
pub(crate) struct Planning<'a> {
    registry: &'a Registry,
    syntax: Syntax,
    found: Vec<Diagnostic>,
    /// Set if the planned text is a guess at what was meant.
    guessing: bool,
    /// The endpoint beneath the outermost kind, if it isn't typed, until it is taken.
    own: Option<(Part, Tree)>,
    /// The parameter that it is for, once the kind is known.
    own_param: Option<&'static str>,
}

/// A descriptor whose kind is known.
struct Known {
    descriptor: Descriptor,
    kind: &'static Kind,
    alias: Option<&'static Alias>,
}

impl<'a> Planning<'a> {
    pub(crate) fn new(registry: &'a Registry, syntax: Syntax) -> Self {
        Self { registry, syntax, found: Vec::new(), guessing: false, own: None, own_param: None }
    }

    /// Plans the typed text, or returns all mistakes in it.
    pub(crate) fn run<E: Endpoint + ?Sized + 'static>(
        mut self,
        typed: &str,
    ) -> Result<Plan<E>, Vec<Diagnostic>> {
        let planned = self.plan(&Text::typed(typed), 0);
        let is_failed = self.failed();
        let found = self.found.into_iter().map(|found| found.in_syntax(self.syntax)).collect();
        match planned {
            Some((endpoint, tree)) if !is_failed => Ok(Plan { endpoint, tree, warnings: found }),
            _ => Err(found),
        }
    }

    /// Plans the layer of that name alone, with its defaults; `None` if there is none.
    pub(crate) fn layer<E: Endpoint + ?Sized>(&mut self, name: &str) -> Option<Arc<E::Layer>> {
        let (kind, alias) = self.registry.find(name)?;
        let plan = E::layer(kind)?;
        // The reader needs an endpoint for it, which is never planned.
        let descriptor = Descriptor::new(Text::typed(name)).arg(Text::typed("open"));
        let known = Known { descriptor, kind, alias };
        let args = self.read(&known, E::ROLE, kind.form(E::ROLE)?);
        self.make(&args, plan)
    }

    fn failed(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Plans an endpoint at `depth`. Mistakes are added to those found.
    fn plan<E: Endpoint + ?Sized + 'static>(
        &mut self,
        text: &Text,
        depth: usize,
    ) -> Option<(Box<E>, Tree)> {
        let before = self.found.len();
        let mut known = self.resolve(text, E::ROLE, depth)?;
        let is_over = depth == 0 && self.own.is_some();
        if is_over {
            self.complete(&mut known, E::ROLE)?;
        }
        let typed = known.descriptor.clone();
        let planned = self.plan_known(&mut known, depth);
        let is_wrong = |found: &Diagnostic| found.severity == Severity::Error;
        // The slips that kinds explain are in descriptors that contain their endpoint.
        if !self.guessing && !is_over && self.found[before..].iter().any(is_wrong) {
            self.explain_slip(known.kind, text, &typed, E::ROLE, before);
        }
        planned
    }

    fn plan_known<E: Endpoint + ?Sized + 'static>(
        &mut self,
        known: &mut Known,
        depth: usize,
    ) -> Option<(Box<E>, Tree)> {
        let Some((form, make)) = known.kind.form(E::ROLE).zip(E::make(known.kind)) else {
            self.wrong_side(known, E::ROLE);
            return None;
        };
        if depth > 0 || self.own.is_none() {
            self.quote_beneath(known, E::ROLE, form);
        }
        let mut args = self.read(known, E::ROLE, form);
        let beneath = self.beneath(known.kind, make.takes, &mut args, depth);
        let assemble = self.make(&args, make.plan);
        let (beneath, trees) = beneath?;
        let tree = Tree::new(known.kind, &args, form.gives, trees);
        let endpoint = assemble?(beneath);
        Some((self.make(&args, |args| E::guard(endpoint, args))?, tree))
    }

    /// Plans the endpoints beneath. An endpoint that can't be planned only adds its errors.
    fn beneath(
        &mut self,
        kind: &Kind,
        takes: Takes,
        args: &mut Args,
        depth: usize,
    ) -> Option<(Beneath, Vec<Tree>)> {
        let mut beneath = Beneath::default();
        let mut trees = Vec::new();
        let typed = args.beneath.clone();
        for Typed { param, role, text } in &typed {
            let is_own = depth == 0 && self.own_param == Some(*param);
            let own = if is_own { self.own.take() } else { None };
            let planned = match role {
                _ if own.is_some() => own,
                Role::Listen => self.part::<dyn Listener>(text, depth + 1),
                Role::Connect => self.part::<dyn Connector>(text, depth + 1),
            };
            if let Some((part, mut tree)) = planned {
                tree.param = param;
                self.check_shape(kind, takes, &tree, text);
                beneath.push(param, tree.descriptor.clone(), part);
                trees.push(tree);
            }
        }
        // One by one, each was found wrong.
        if trees.len() < typed.len() {
            return None;
        }
        hide(kind, args, &trees, &typed);
        Some((beneath, trees))
    }

    fn part<E: Endpoint + ?Sized + 'static>(
        &mut self,
        text: &Text,
        depth: usize,
    ) -> Option<(Part, Tree)> {
        let (endpoint, tree) = self.plan::<E>(text, depth)?;
        Some((endpoint.part(), tree))
    }

    /// Resolves sugar, grammar and kind.
    fn resolve(&mut self, text: &Text, role: Role, depth: usize) -> Option<Known> {
        if depth > DEPTH {
            let message = format!("endpoints are nested more than {DEPTH} deep");
            self.error(Code::TooDeep, text.span(), message, None);
            return None;
        }
        let descriptor = self.expand(text, role)?;
        let Some(name) = descriptor.kind() else {
            if !self.guessing
                && let Some(slip) = self.registry.slip(&descriptor, role)
            {
                self.found.push(slip);
                return None;
            }
            let help = "a descriptor starts with its kind: `tcp:127.0.0.1:23`";
            self.error(
                Code::MissingKind,
                text.span(),
                "the kind of endpoint is missing".into(),
                Some(help.into()),
            );
            return None;
        };
        let Some((kind, alias)) = self.registry.find(name.as_str()) else {
            if !self.guessing
                && let Some(slip) = self.slip(&descriptor, role)
            {
                self.found.push(slip);
                return None;
            }
            // Reported; the rest is read as what was probably meant, for its own mistakes.
            let meant = self.unknown_kind(text, name, role)?;
            let (kind, alias) = self.registry.find(meant)?;
            return Some(Known { descriptor, kind, alias });
        };
        if let Some(rewritten) = kind.rewrite.and_then(|rewrite| rewrite(&descriptor, role)) {
            let (kind, alias) = self.registry.find(rewritten.kind()?.as_str())?;
            return Some(Known { descriptor: rewritten, kind, alias });
        }
        Some(Known { descriptor, kind, alias })
    }

    fn expand(&mut self, text: &Text, role: Role) -> Option<Descriptor> {
        if self.syntax == Syntax::Twisted {
            return self.parse(text);
        }
        // A URL extends to its end; to be followed by options, it must be in braces.
        if Url::starts(text) {
            return if self.has_options_behind(text, role) { None } else { self.url(text, role) };
        }
        let descriptor = self.parse(text)?;
        let Some(head) = descriptor.kind() else { return Some(descriptor) };
        if Url::starts(head) {
            let mut expanded = self.url(head, role)?;
            expanded.args.extend(descriptor.args[1..].iter().cloned());
            for (name, value) in descriptor.kwargs {
                self.give(&mut expanded, role, name, value, 0);
            }
            return Some(expanded);
        }
        if self.registry.find(head.as_str()).is_none() {
            // A parameter before the kind, as in `tcp=h:80`, whose port would be a descriptor by itself.
            if !self.guessing
                && head.span().start > text.span().start
                && let Some(slip) = self.registry.slip(&descriptor, role)
            {
                self.found.push(slip);
                return None;
            }
            let bare = self.registry.kinds().iter().filter_map(|kind| kind.bare);
            if let Some(expanded) = bare.into_iter().find_map(|bare| bare(text, role)) {
                return Some(expanded);
            }
        }
        Some(descriptor)
    }

    /// Assigns an option after a URL to the kind that has it: of those that the URL stands for, the outermost one. If
    /// none has it, the outermost one reports the error.
    fn give(&self, to: &mut Descriptor, role: Role, name: Text, value: Text, depth: usize) -> bool {
        let has = |descriptor: &Descriptor| {
            let (kind, alias) = self.registry.find(descriptor.kind()?.as_str())?;
            let own =
                kind.params(role).into_iter().chain(alias.map_or(&[][..], |alias| alias.params));
            Some(own.into_iter().any(|param| param.is_called(name.as_str())))
        };
        if has(to) != Some(true)
            && depth < DEPTH
            && let Some(mut beneath) =
                to.args.get(1).and_then(|text| Descriptor::parse(text, Syntax::Extended).ok())
            && self.give(&mut beneath, role, name.clone(), value.clone(), depth + 1)
        {
            to.args[1] = beneath.to_text();
            return true;
        }
        let is_there = has(to) == Some(true);
        if is_there || depth == 0 {
            to.kwargs.retain(|(given, _)| *given != name);
            to.kwargs.push((name, value));
        }
        is_there
    }

    fn parse(&mut self, text: &Text) -> Option<Descriptor> {
        match Descriptor::parse(text, self.syntax) {
            Ok(descriptor) => Some(descriptor),
            Err(found) => {
                self.found.extend(found);
                None
            }
        }
    }

    fn url(&mut self, text: &Text, role: Role) -> Option<Descriptor> {
        let url = match Url::split(text) {
            Ok(url) => url,
            Err(mistake) => {
                self.found.push(mistake);
                return None;
            }
        };
        let schemes = self.registry.kinds().iter().flat_map(|kind| kind.schemes);
        let Some(scheme) =
            schemes.clone().find(|s| s.name.eq_ignore_ascii_case(url.scheme.as_str()))
        else {
            if !self.guessing
                && let Some(slip) = self.registry.slip(&Descriptor::new(text.clone()), role)
            {
                self.found.push(slip);
                return None;
            }
            let scheme = &url.scheme;
            let help = match nearest(scheme.as_str(), schemes.clone().map(|scheme| scheme.name)) {
                Some(near) => format!("did you mean `{near}://`?"),
                None => format!(
                    "the schemes are {}",
                    schemes
                        .map(|scheme| format!("`{}`", scheme.name))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            };
            let message = format!("`{scheme}` is not a URL scheme of any kind");
            self.error(Code::UnknownScheme, scheme.span(), message, Some(help));
            return None;
        };
        match (scheme.expand)(&url, role) {
            Ok(descriptor) => Some(descriptor),
            Err(mistake) => {
                self.found.push(mistake);
                None
            }
        }
    }

    fn read(&mut self, known: &Known, role: Role, form: Form) -> Args {
        let alias = known.alias;
        let beside =
            form.params.iter().find(|param| matches!(param.value, ValueKind::FramingBeside));
        let beside = beside.map_or(&[][..], |by| {
            let mut positional = form.params.iter().filter(|param| param.positional);
            let position = positional.position(|param| param.name == by.name);
            framing::beside(self.registry, by, &known.descriptor, position)
        });
        let asks =
            form.params.iter().find(|param| matches!(param.value, ValueKind::ProviderBeside));
        let beside =
            asks.map_or(beside, |by| provider::beside(self.registry, by, &known.descriptor));
        let reader = Reader {
            registry: self.registry,
            name: alias.map_or(known.kind.name, |alias| alias.name),
            alias,
            params: form.params,
            more: form.more,
            positional: form.positional,
            role,
            syntax: self.syntax,
            other: known.kind.form(role.other()),
            common: common(role),
            is_switch: false,
            beside,
        };
        read::read(&reader, &known.descriptor, &mut self.found)
    }

    /// Makes the kind's part, once everything that was typed is valid.
    fn make<T>(&mut self, args: &Args, plan: impl FnOnce(&Args) -> Planned<T>) -> Option<T> {
        if !args.is_sound() {
            return None;
        }
        let planned = plan(args);
        self.found.append(&mut args.take_warnings());
        planned.map_err(|mistakes| self.found.extend(mistakes)).ok()
    }

    fn check_shape(&mut self, kind: &Kind, takes: Takes, beneath: &Tree, at: &Text) {
        if takes == Takes::Bytes && beneath.gives == Shape::Datagrams {
            let (layer, kind) = (kind.name, beneath.kind);
            let message = format!(
                "`{layer}` runs over a byte stream, so the message boundaries of `{kind}` are lost"
            );
            self.found.push(Diagnostic::warning(
                Stage::Plan,
                Code::LostBoundaries,
                at.span(),
                message,
            ));
        }
        if takes == Takes::Messages && matches!(beneath.gives, Shape::Bytes | Shape::Either) {
            let (layer, kind) = (kind.name, beneath.kind);
            let message = format!("`{layer}` runs over messages, but `{kind}` is a byte stream");
            self.error(Code::WrongShape, at.span(), message, None);
        }
    }

    fn wrong_side(&mut self, known: &Known, role: Role) {
        let name = known.kind.name;
        let message = format!("`{name}` can be {}, not {}", role.other().done(), role.done());
        let span = known.descriptor.kind().map_or(known.descriptor.source().span(), Text::span);
        self.error(Code::WrongSide, span, message, None);
    }

    fn error(&mut self, code: Code, span: Span, message: String, help: Option<String>) {
        let mistake = Diagnostic::error(Stage::Plan, code, span, message);
        self.found.push(match help {
            Some(help) => mistake.help(help),
            None => mistake,
        });
    }
}

/// Keeps the secrets of the endpoints beneath out of the endpoint's own descriptor.
fn hide(kind: &Kind, args: &mut Args, beneath: &[Tree], typed: &[Typed]) {
    let mut is_found = true;
    for (tree, Typed { text, .. }) in beneath.iter().zip(typed).filter(|(tree, _)| tree.secret) {
        let hidden = args.descriptor.replace(text.as_str(), &tree.descriptor);
        is_found &= hidden.contains(&tree.descriptor);
        args.descriptor = hidden;
        args.secret = true;
    }
    if !is_found {
        // However it was quoted: nothing of what was typed is shown.
        let shown = beneath.iter().map(|tree| format!(":{{{}}}", tree.descriptor));
        args.descriptor = kind.name.to_owned() + &shown.collect::<String>();
    }
}

/// Deeper than layers are stacked in practice; each level is parsed again, so this also bounds the work.
const DEPTH: usize = 16;
