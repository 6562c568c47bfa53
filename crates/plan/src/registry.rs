//! The kinds that are known, and planning: from a descriptor to something that can be opened.
//!
//! 1. Sugar: a URL, a bare port, another spelling become a descriptor of the common form.
//! 2. The kind is looked up, and its parameters are read by their definitions.
//! 3. What is under a layer is planned the same way, and their shapes are checked.
//! 4. The kind makes the listener or connector.
//!
//! Nothing is opened and no file is read. Every mistake is reported, with its span in what was
//! typed.

mod guess;

use std::sync::Arc;

use descriptor::{Descriptor, Diagnostic, Severity, Span, Stage, Syntax, Text, Url, nearest};
use endpoint::{Connector, DialLayer, Exposure, HOW_TO_ALLOW, Layered, Listener, Opened, exposed};

use crate::kind::{
    Alias, Args, HIDDEN, Kind, Param, PlanConnect, PlanListen, Planned, Positional, Role, Setting,
    Shape, Takes,
    read::{self, Reader},
};

/// The kinds that descriptors may name.
#[derive(Clone, Debug)]
pub struct Registry {
    kinds: Vec<&'static Kind>,
}

/// An endpoint that was planned, with what `explain` shows.
#[derive(Debug)]
pub struct Plan<T: ?Sized> {
    /// What can be opened.
    pub endpoint: Box<T>,
    /// What it is made of.
    pub tree: Tree,
    /// What is odd about it.
    pub warnings: Vec<Diagnostic>,
}

/// What an endpoint is made of: kinds with every parameter, outermost first.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The kind's own name.
    pub kind: &'static str,
    /// The name that it was called by.
    pub called: String,
    /// Its descriptor in the common form.
    pub descriptor: String,
    /// What it gives to whatever is above it.
    pub gives: Shape,
    /// Its parameters: name, value, and whether it was typed. What a switch that is on has in braces
    /// follows it, as `compression.level`.
    pub settings: Vec<(String, String, bool)>,
    /// Whether secrets were left out of the descriptor and the parameters.
    pub secret: bool,
    /// Where its kind was typed.
    pub span: Span,
    /// What is beneath it.
    pub inner: Option<Box<Tree>>,
}

impl Tree {
    /// Whether this endpoint or one beneath it has a value for the parameter.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.settings.iter().any(|(n, ..)| n == name)
            || self.inner.as_ref().is_some_and(|inner| inner.has(name))
    }

    /// Whether this endpoint or one beneath it has the parameter set to that value.
    #[must_use]
    pub fn says(&self, name: &str, value: &str) -> bool {
        self.settings.iter().any(|(n, v, _)| n == name && v.eq_ignore_ascii_case(value))
            || self.inner.as_ref().is_some_and(|inner| inner.says(name, value))
    }
}

impl Registry {
    /// These kinds.
    #[must_use]
    pub fn with(kinds: &[&'static Kind]) -> Self {
        Self { kinds: kinds.to_vec() }
    }

    /// With one more. A name that is taken already stays with the first.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "kinds are added; registries are not summed")]
    pub fn add(mut self, kind: &'static Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// All kinds, in order.
    #[must_use]
    pub fn kinds(&self) -> &[&'static Kind] {
        &self.kinds
    }

    /// The kind of this name, whatever its case, and the alias if it is one.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&'static Kind, Option<&'static Alias>)> {
        self.kinds.iter().find_map(|kind| {
            if kind.name.eq_ignore_ascii_case(name) {
                return Some((*kind, None));
            }
            let alias = kind.aliases.iter().find(|alias| alias.name.eq_ignore_ascii_case(name))?;
            Some((*kind, Some(alias)))
        })
    }

    /// Plans an endpoint to listen on.
    ///
    /// # Errors
    /// Everything that is wrong with `text`.
    pub fn listener(
        &self,
        text: &str,
        syntax: Syntax,
    ) -> Result<Plan<dyn Listener>, Vec<Diagnostic>> {
        let mut planning = Planning::new(self, syntax);
        let planned = planning.listen(&Text::typed(text), 0);
        planning.finish(planned)
    }

    /// The connecting side of a layer, with its defaults, for a kind that puts it over something
    /// that is open already.
    pub(crate) fn dial_layer(&self, name: &str, syntax: Syntax) -> Option<Arc<dyn DialLayer>> {
        let (kind, alias) = self.find(name)?;
        let PlanConnect::Layer(_, plan) = kind.connect.as_ref()?.plan else { return None };
        let mut planning = Planning::new(self, syntax);
        // Its endpoint is needed by the reader and planned by nobody.
        let descriptor = Descriptor::new(Text::typed(name)).arg(Text::typed("open"));
        let known = Known { descriptor, kind, alias };
        let side = kind.connect.as_ref()?;
        let args = planning.read(&known, Role::Connect, side.params, side.positional);
        planning.make(&args, plan)
    }

    /// Plans an endpoint to connect to.
    ///
    /// # Errors
    /// Everything that is wrong with `text`.
    pub fn connector(
        &self,
        text: &str,
        syntax: Syntax,
    ) -> Result<Plan<dyn Connector>, Vec<Diagnostic>> {
        let mut planning = Planning::new(self, syntax);
        let planned = planning.connect(&Text::typed(text), 0);
        planning.finish(planned)
    }
}

impl Plan<dyn Listener> {
    /// Who can reach it without a word of the user's: nobody but its owner once the descriptor says
    /// `auth`.
    #[must_use]
    pub fn unstated_exposure(&self) -> Exposure {
        if self.tree.has("auth") { Exposure::Local } else { self.endpoint.exposure() }
    }
}

/// Refuses what must not be open by accident: a program behind an address that other machines
/// reach, unless the listener says who may in, be it `auth=none` in words.
///
/// # Errors
/// The mistake, at the listener's outermost kind.
pub fn check_exposure(
    listener: &Plan<dyn Listener>,
    connector: &Plan<dyn Connector>,
) -> Result<(), Diagnostic> {
    let grants = connector.endpoint.grants();
    if listener.unstated_exposure().allows(grants) {
        return Ok(());
    }
    let message = exposed(grants, &connector.tree.descriptor);
    let mistake = Diagnostic::error(Stage::Plan, "open-to-all", listener.tree.span, message);
    Err(mistake.help(HOW_TO_ALLOW))
}

struct Planning<'a> {
    registry: &'a Registry,
    syntax: Syntax,
    found: Vec<Diagnostic>,
    /// Whether what is planned was made up, to see whether it was meant.
    guessing: bool,
}

/// A descriptor whose kind is known.
struct Known {
    descriptor: Descriptor,
    kind: &'static Kind,
    alias: Option<&'static Alias>,
}

impl<'a> Planning<'a> {
    fn new(registry: &'a Registry, syntax: Syntax) -> Self {
        Self { registry, syntax, found: Vec::new(), guessing: false }
    }

    fn finish<T: ?Sized>(
        self,
        planned: Option<(Box<T>, Tree)>,
    ) -> Result<Plan<T>, Vec<Diagnostic>> {
        match planned {
            Some((endpoint, tree)) if !self.failed() => {
                Ok(Plan { endpoint, tree, warnings: self.found })
            }
            _ => Err(self.found),
        }
    }

    fn failed(&self) -> bool {
        self.found.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    fn listen(&mut self, text: &Text, depth: usize) -> Option<(Box<dyn Listener>, Tree)> {
        let mut known = self.resolve(text, Role::Listen, depth)?;
        let Some(side) = &known.kind.listen else {
            return self.wrong_side(&known, "connected to", "listened on");
        };
        // Listening by opening takes the parameters of connecting.
        let (params, positional) = match (&side.plan, &known.kind.connect) {
            (PlanListen::Opened(_), Some(connect)) => (connect.params, connect.positional),
            _ => (side.params, side.positional),
        };
        self.quote_beneath(&mut known, Role::Listen, params);
        let mut args = self.read(&known, Role::Listen, params, positional);
        match side.plan {
            PlanListen::Leaf(plan) => {
                let listener = self.make(&args, plan)?;
                Some((listener, tree(&known, &args, side.gives, None)))
            }
            PlanListen::Opened(times) => {
                let Some(PlanConnect::Leaf(plan)) = known.kind.connect.as_ref().map(|c| c.plan)
                else {
                    unreachable!(
                        "`{}` is listened on by opening, and can't be opened",
                        known.kind.name
                    )
                };
                let connector = self.make(&args, plan)?;
                let listener = Opened::new(connector, args.descriptor.clone(), times);
                Some((Box::new(listener), tree(&known, &args, side.gives, None)))
            }
            PlanListen::Layer(takes, plan) => {
                let inner = args.inner.as_ref().and_then(|inner| self.listen(inner, depth + 1));
                self.check_shape(
                    &known,
                    takes,
                    inner.as_ref().map(|(_, tree)| tree),
                    args.inner.as_ref(),
                );
                hide(&known, &mut args, inner.as_ref().map(|(_, tree)| tree));
                let layer = self.make(&args, plan);
                let (inner, beneath) = inner?;
                let listener = Layered::new(inner, layer?);
                Some((Box::new(listener), tree(&known, &args, side.gives, Some(beneath))))
            }
        }
    }

    fn connect(&mut self, text: &Text, depth: usize) -> Option<(Box<dyn Connector>, Tree)> {
        let mut known = self.resolve(text, Role::Connect, depth)?;
        let Some(side) = &known.kind.connect else {
            return self.wrong_side(&known, "listened on", "connected to");
        };
        self.quote_beneath(&mut known, Role::Connect, side.params);
        let mut args = self.read(&known, Role::Connect, side.params, side.positional);
        match side.plan {
            PlanConnect::Leaf(plan) => {
                let connector = self.make(&args, plan)?;
                Some((connector, tree(&known, &args, side.gives, None)))
            }
            PlanConnect::Layer(takes, plan) => {
                let inner = args.inner.as_ref().and_then(|inner| self.connect(inner, depth + 1));
                self.check_shape(
                    &known,
                    takes,
                    inner.as_ref().map(|(_, tree)| tree),
                    args.inner.as_ref(),
                );
                hide(&known, &mut args, inner.as_ref().map(|(_, tree)| tree));
                let layer = self.make(&args, plan);
                let (inner, beneath) = inner?;
                let connector = Layered::new(inner, layer?);
                Some((Box::new(connector), tree(&known, &args, side.gives, Some(beneath))))
            }
        }
    }

    /// Sugar, grammar and kind.
    fn resolve(&mut self, text: &Text, role: Role, depth: usize) -> Option<Known> {
        if depth > DEPTH {
            let message = format!("endpoints are nested more than {DEPTH} deep");
            self.error("too-deep", text.span(), message, None);
            return None;
        }
        let descriptor = self.expand(text, role)?;
        let Some(name) = descriptor.kind() else {
            let help = "a descriptor starts with its kind: `tcp:127.0.0.1:23`";
            self.error(
                "missing-kind",
                text.span(),
                "there is no kind of endpoint here".into(),
                Some(help.into()),
            );
            return None;
        };
        let Some((kind, alias)) = self.registry.find(name.as_str()) else {
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
        // A URL is one to its end; with options beside it, it stands in braces.
        if Url::starts(text) {
            return if self.has_options_behind(text) { None } else { self.url(text, role) };
        }
        let descriptor = self.parse(text)?;
        let head = descriptor.kind()?;
        if Url::starts(head) {
            let mut expanded = self.url(head, role)?;
            expanded.args.extend(descriptor.args[1..].iter().cloned());
            expanded
                .kwargs
                .retain(|(name, _)| !descriptor.kwargs.iter().any(|(given, _)| given == name));
            expanded.kwargs.extend(descriptor.kwargs);
            return Some(expanded);
        }
        if self.registry.find(head.as_str()).is_none() {
            let bare = self.registry.kinds.iter().filter_map(|kind| kind.bare);
            if let Some(expanded) = bare.into_iter().find_map(|bare| bare(text, role)) {
                return Some(expanded);
            }
        }
        Some(descriptor)
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
        let schemes = self.registry.kinds.iter().flat_map(|kind| kind.schemes);
        let Some(scheme) =
            schemes.clone().find(|s| s.name.eq_ignore_ascii_case(url.scheme.as_str()))
        else {
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
            self.error("unknown-scheme", scheme.span(), message, Some(help));
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

    fn read(
        &mut self,
        known: &Known,
        role: Role,
        params: &'static [Param],
        positional: Positional,
    ) -> Args {
        let other = match role {
            Role::Listen => known.kind.connect.as_ref().map_or(&[][..], |side| side.params),
            Role::Connect => known.kind.listen.as_ref().map_or(&[][..], |side| side.params),
        };
        let (alias, syntax) = (known.alias, self.syntax);
        let name = alias.map_or(known.kind.name, |alias| alias.name);
        let registry = self.registry;
        let common = read::common(role);
        let reader = Reader {
            registry,
            name,
            alias,
            params,
            positional,
            role,
            syntax,
            other,
            common,
            is_switch: false,
        };
        read::read(&reader, &known.descriptor, &mut self.found)
    }

    /// Has the kind make its part, once everything that was typed can be used.
    fn make<T>(&mut self, args: &Args, plan: fn(&Args) -> Planned<T>) -> Option<T> {
        if !args.is_sound() {
            return None;
        }
        let planned = plan(args);
        self.found.append(&mut args.take_warnings());
        planned.map_err(|mistakes| self.found.extend(mistakes)).ok()
    }

    fn check_shape(
        &mut self,
        known: &Known,
        takes: Takes,
        inner: Option<&Tree>,
        at: Option<&Text>,
    ) {
        let (Some(inner), Some(at)) = (inner, at) else { return };
        if takes == Takes::Messages && inner.gives == Shape::Bytes {
            let (layer, kind) = (known.kind.name, inner.kind);
            let message = format!(
                "`{layer}` goes over messages, and `{kind}` is a stream of bytes without any"
            );
            self.error("wrong-shape", at.span(), message, None);
        }
    }

    fn wrong_side<T>(&mut self, known: &Known, can: &str, cannot: &str) -> Option<T> {
        let name = known.kind.name;
        let message = format!("`{name}` can be {can}, not {cannot}");
        let span = known.descriptor.kind().map_or(known.descriptor.source().span(), Text::span);
        self.error("wrong-side", span, message, None);
        None
    }

    fn error(&mut self, code: &'static str, span: Span, message: String, help: Option<String>) {
        let mistake = Diagnostic::error(Stage::Plan, code, span, message);
        self.found.push(match help {
            Some(help) => mistake.help(help),
            None => mistake,
        });
    }
}

fn tree(known: &Known, args: &Args, gives: Shape, inner: Option<Tree>) -> Tree {
    Tree {
        kind: known.kind.name,
        called: args.called.clone(),
        descriptor: args.descriptor.clone(),
        gives,
        settings: settings(args),
        secret: args.secret,
        span: args.span,
        inner: inner.map(Box::new),
    }
}

fn settings(args: &Args) -> Vec<(String, String, bool)> {
    let mut all = Vec::new();
    for Setting { name, text, given, .. } in args.settings() {
        let text = if args.is_secret(name) { HIDDEN } else { text };
        all.push((name.clone(), text.to_owned(), *given));
        let inside = args.switch(name).map(settings).unwrap_or_default();
        all.extend(
            inside.into_iter().map(|(inner, text, given)| (format!("{name}.{inner}"), text, given)),
        );
    }
    all
}

/// Keeps the secrets of what is beneath out of the layer's own descriptor.
fn hide(known: &Known, args: &mut Args, beneath: Option<&Tree>) {
    if let (Some(inner), Some(beneath)) = (&args.inner, beneath.filter(|beneath| beneath.secret)) {
        let hidden = args.descriptor.replace(inner.as_str(), &beneath.descriptor);
        // However it was quoted: if it can't be found there, nothing of it is shown.
        args.descriptor = if hidden.contains(&beneath.descriptor) {
            hidden
        } else {
            format!("{}:{{{}}}", known.kind.name, beneath.descriptor)
        };
        args.secret = true;
    }
}

/// Deeper than anybody stacks; each level is parsed again, so this also bounds the work.
const DEPTH: usize = 16;
