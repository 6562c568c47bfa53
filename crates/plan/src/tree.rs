//! The structure of an endpoint, for `explain` and for checks over a whole plan.

use descriptor::{Hole, Span, Syntax};
use endpoint::{Missing, Step};

use crate::kind::{Args, FactName, Kind, Role, Setting, Shape, Value, ValueKind};

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
    /// The facts that its kind declares.
    declared: &'static [FactName],
    /// The endpoints beneath it, in the order in which they were typed.
    pub beneath: Vec<Tree>,
    /// The holes of its templates, each with its parameter if it is the default of one.
    pub(crate) holes: Vec<(Hole, Option<String>)>,
    /// The syntax that it was typed in.
    pub(crate) syntax: Syntax,
    /// The parameter of the endpoint over it that it was typed for.
    pub(crate) param: &'static str,
    /// The places of its parameters.
    places: Places,
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
            declared: kind.facts,
            role: args.role,
            beneath,
            holes: holes(args),
            syntax: args.syntax,
            param: "",
            places: Places::new(args),
        }
    }

    /// Makes the tree of an endpoint that no descriptor describes.
    pub(crate) fn of(descriptor: &str, gives: Shape, role: Role) -> Self {
        Self {
            kind: UNDESCRIBED,
            called: descriptor.to_owned(),
            descriptor: descriptor.to_owned(),
            gives,
            settings: Vec::new(),
            invites: false,
            secret: false,
            span: Span::default(),
            role,
            declared: &[],
            beneath: Vec::new(),
            holes: Vec::new(),
            syntax: Syntax::Extended,
            param: "",
            places: Places::default(),
        }
    }

    /// Returns the facts of its connections, as templates name them.
    pub fn facts(&self) -> impl Iterator<Item = FactName> {
        self.declared.iter().copied().filter(|fact| self.role == Role::Connect || !fact.opened)
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

    /// Returns the place of the parameter that names what is missing; the place of the kind if it wasn't typed.
    #[must_use]
    pub fn place_of(&self, missing: &Missing) -> Span {
        let (mut tree, mut places) = (self, &self.places);
        for step in missing.steps() {
            match step {
                Step::Parameter(name) => return places.of(name).unwrap_or(places.whole),
                Step::Within(name, number) => {
                    if let Some(inner) = tree.beneath_of(name, *number) {
                        (tree, places) = (inner, &inner.places);
                    } else if let Some(inner) = places.inside(name, *number) {
                        places = inner;
                    } else {
                        return places.of(name).unwrap_or(places.whole);
                    }
                }
                Step::Beneath => {
                    let Some(inner) = tree.beneath.first() else { return places.whole };
                    (tree, places) = (inner, &inner.places);
                }
            }
        }
        places.whole
    }

    /// Returns the holes in this endpoint, and in those beneath it, that no session of `listener` fills: none of its
    /// kinds declares the fact, or nothing authenticates its clients. Each comes with its parameter if it is the default
    /// of one.
    #[must_use]
    pub fn unfilled_from(&self, listener: &Self) -> Vec<&(Hole, Option<String>)> {
        if listener.any(&|tree| tree.kind == UNDESCRIBED) {
            return Vec::new();
        }
        let has_users = listener.any(&|tree| {
            tree.settings.iter().any(|(name, value, _)| name == "auth" && value != "none")
        });
        let is_filled = |hole: &Hole| {
            (hole.root != "auth" || has_users) && listener.declares(&hole.root, &hole.name)
        };
        let mut holes = self.all_holes();
        holes.retain(|(hole, _)| !is_filled(hole));
        holes
    }

    /// Returns `true` if connections of this endpoint or of one beneath it may have the fact `root.name`.
    #[must_use]
    pub fn declares(&self, root: &str, name: &str) -> bool {
        self.any(&|tree| tree.facts().any(|fact| fact.is_called(root, name)))
    }

    fn all_holes(&self) -> Vec<&(Hole, Option<String>)> {
        self.holes.iter().chain(self.beneath.iter().flat_map(Self::all_holes)).collect()
    }

    fn any(&self, holds: &dyn Fn(&Self) -> bool) -> bool {
        holds(self) || self.beneath.iter().any(|beneath| beneath.any(holds))
    }

    fn beneath_of(&self, param: &str, number: usize) -> Option<&Self> {
        self.beneath.iter().filter(|beneath| beneath.param == param).nth(number)
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

fn holes(args: &Args) -> Vec<(Hole, Option<String>)> {
    let mut found = Vec::new();
    for setting in args.settings() {
        if let Value::Template(template) = &setting.value {
            let default = (!setting.given).then(|| setting.name.clone());
            found.extend(template.holes().map(|hole| (hole.clone(), default.clone())));
        }
    }
    found.extend(args.all_inside().flat_map(|(_, inside)| holes(inside)));
    found
}

/// The places of the parameters of an endpoint, or of a value with parameters in braces.
#[derive(Clone, Debug, Default)]
struct Places {
    /// That of the kind, or of the whole value.
    whole: Span,
    /// Those of the parameters that were typed.
    typed: Vec<(String, Span)>,
    /// Those of the values with parameters, by the parameter that they were typed for.
    inside: Vec<(&'static str, Places)>,
}

impl Places {
    fn new(args: &Args) -> Self {
        let typed = args.settings().iter().filter(|setting| setting.given);
        Self {
            whole: args.span,
            typed: typed.map(|setting| (setting.name.clone(), setting.span)).collect(),
            inside: args.all_inside().map(|(name, inside)| (name, Self::new(inside))).collect(),
        }
    }

    fn of(&self, param: &str) -> Option<Span> {
        self.typed.iter().find(|(name, _)| name == param).map(|(_, span)| *span)
    }

    fn inside(&self, param: &str, number: usize) -> Option<&Self> {
        let its = self.inside.iter().filter(|(name, _)| *name == param);
        its.map(|(_, places)| places).nth(number)
    }
}

/// The kind of an endpoint that no descriptor describes.
const UNDESCRIBED: &str = "endpoint";
