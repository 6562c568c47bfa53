//! The structure of an endpoint, for `explain` and for checks over a whole plan.

use descriptor::Span;

use crate::kind::{Args, FactName, Kind, Role, Setting, Shape, ValueKind};

/// The structure of an endpoint: kinds with every parameter, outermost first.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The kind's own name; `endpoint` if no descriptor describes it.
    pub kind: &'static str,
    /// The name or alias that was typed.
    pub called: String,
    /// Its descriptor in the common form.
    pub descriptor: String,
    /// The shape of its connections.
    pub gives: Shape,
    /// Its parameters: name, value, and `true` if it was typed. The settings in the braces of a switch follow it, as
    /// `compression.level`.
    pub settings: Vec<(String, String, bool)>,
    /// Set if it can admit only clients with a link (`auth=token`).
    pub invites: bool,
    /// Set if secrets were left out of the descriptor and the parameters.
    pub secret: bool,
    /// The place of its kind in the typed text.
    pub span: Span,
    /// The side that it is on.
    pub role: Role,
    /// The facts that its kind declares, as templates name them.
    pub facts: &'static [FactName],
    /// The endpoints beneath it, in the order in which they were typed.
    pub beneath: Vec<Tree>,
}

impl Tree {
    /// Makes the tree of an endpoint of `kind` that was planned from `args`, over those in `beneath`.
    pub(crate) fn new(kind: &Kind, args: &Args, gives: Shape, beneath: Vec<Self>) -> Self {
        let gives = match (gives, beneath.first()) {
            (Shape::Beneath, Some(first)) => first.gives,
            (Shape::Bytes, _) if is_framed(kind, args) => Shape::Messages,
            (gives, _) => gives,
        };
        Self {
            kind: kind.name,
            called: args.called.clone(),
            descriptor: args.descriptor.clone(),
            gives,
            settings: settings(args),
            invites: kind.params(args.role).iter().any(|param| {
                param.name == "auth"
                    && matches!(param.value, ValueKind::Variants(all) if all.iter().any(|it| it.name == "token"))
            }),
            secret: args.secret,
            span: args.span,
            facts: kind.facts,
            role: args.role,
            beneath,
        }
    }

    /// Makes the tree of an endpoint that no descriptor describes.
    pub(crate) fn of(descriptor: &str, gives: Shape, role: Role) -> Self {
        Self {
            kind: "endpoint",
            called: descriptor.to_owned(),
            descriptor: descriptor.to_owned(),
            gives,
            settings: Vec::new(),
            invites: false,
            secret: false,
            span: Span::default(),
            role,
            facts: &[],
            beneath: Vec::new(),
        }
    }

    /// Returns `true` if this endpoint or one beneath it, on the same side, has a value for the
    /// parameter.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.settings.iter().any(|(n, ..)| n == name)
            || self.same_side().any(|beneath| beneath.has(name))
    }

    /// Returns `true` if this endpoint or one beneath it, on the same side, has the parameter set to that value.
    #[must_use]
    pub fn says(&self, name: &str, value: &str) -> bool {
        self.settings.iter().any(|(n, v, _)| n == name && v.eq_ignore_ascii_case(value))
            || self.same_side().any(|beneath| beneath.says(name, value))
    }

    fn same_side(&self) -> impl Iterator<Item = &Self> {
        self.beneath.iter().filter(|beneath| beneath.role == self.role)
    }
}

/// Returns `true` if a byte stream is split into messages.
fn is_framed(kind: &Kind, args: &Args) -> bool {
    let framings = kind.params(args.role).into_iter();
    let mut framings = framings.filter(|param| matches!(param.value, ValueKind::Framing));
    framings.any(|param| args.inside(param.name).is_some_and(Args::is_framing))
}

fn settings(args: &Args) -> Vec<(String, String, bool)> {
    let mut all = Vec::new();
    for Setting { name, text, given, shown, .. } in args.settings() {
        let text = shown.as_ref().unwrap_or(text);
        all.push((name.clone(), text.to_owned(), *given));
        let inside = args.inside(name).map(settings).unwrap_or_default();
        all.extend(
            inside.into_iter().map(|(inner, text, given)| (format!("{name}.{inner}"), text, given)),
        );
    }
    all
}
