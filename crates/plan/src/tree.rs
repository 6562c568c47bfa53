//! The structure of an endpoint, for `explain` and for checks over a whole plan.

use descriptor::{Hole, Span};

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
    /// The typed values without secrets, and their places.
    pub(crate) typed: Vec<(String, Span)>,
    /// The holes of its templates.
    pub(crate) holes: Vec<Hole>,
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
            typed: typed(args),
            holes: holes(args),
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
            typed: Vec::new(),
            holes: Vec::new(),
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

    /// Returns the place of the typed value that a message is about: the longest one that it repeats. The place of the
    /// kind if it repeats none.
    #[must_use]
    pub fn place_of(&self, message: &str) -> Span {
        let values = self.values();
        let named = values.into_iter().filter(|(value, _)| repeats(message, value));
        named.max_by_key(|(value, _)| value.len()).map_or(self.span, |(_, span)| span)
    }

    /// Returns the holes in this endpoint, and in those beneath it, that no session of `listener` fills: none of its
    /// kinds declares the fact, or nothing authenticates its clients.
    #[must_use]
    pub fn unfilled_from(&self, listener: &Self) -> Vec<&Hole> {
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
        holes.retain(|hole| !is_filled(hole));
        holes
    }

    /// Returns `true` if connections of this endpoint or of one beneath it may have the fact `root.name`.
    #[must_use]
    pub fn declares(&self, root: &str, name: &str) -> bool {
        self.any(&|tree| tree.facts().any(|fact| fact.is_called(root, name)))
    }

    fn all_holes(&self) -> Vec<&Hole> {
        self.holes.iter().chain(self.beneath.iter().flat_map(Self::all_holes)).collect()
    }

    fn any(&self, holds: &dyn Fn(&Self) -> bool) -> bool {
        holds(self) || self.beneath.iter().any(|beneath| beneath.any(holds))
    }

    fn values(&self) -> Vec<(&str, Span)> {
        let own = self.typed.iter().map(|(value, span)| (&**value, *span));
        own.chain(self.beneath.iter().flat_map(Self::values)).collect()
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

fn typed(args: &Args) -> Vec<(String, Span)> {
    let own = args.settings().iter().filter(|setting| setting.given && setting.shown.is_none());
    let own = own.map(|setting| (setting.text.clone(), setting.span));
    own.chain(args.all_inside().flat_map(typed)).collect()
}

fn holes(args: &Args) -> Vec<Hole> {
    let templates = args.settings().iter().filter_map(|setting| match &setting.value {
        Value::Template(template) => Some(template),
        _ => None,
    });
    let own = templates.flat_map(|template| template.holes().cloned());
    own.chain(args.all_inside().flat_map(holes)).collect()
}

/// Returns `true` if the message has the value as a word, or the folder of a path in it.
fn repeats(message: &str, value: &str) -> bool {
    let is_word = |text: &str| {
        let mut found = message.match_indices(text);
        let is_part = |c: char| c.is_alphanumeric() || "/_-.".contains(c);
        !text.is_empty()
            && found.any(|(at, _)| {
                let (before, behind) = (&message[..at], &message[at + text.len()..]);
                !before.ends_with(is_part) && !behind.starts_with(is_part)
            })
    };
    let mut folders =
        std::path::Path::new(value).ancestors().skip(1).filter_map(|path| path.to_str());
    // A path in the home folder is reported whole.
    let is_at_home =
        value.strip_prefix("~/").is_some_and(|rest| message.ends_with(&format!("/{rest}")));
    is_word(value)
        || is_at_home
        || value.split(',').any(is_word)
        || value.starts_with('/') && folders.any(|folder| folder.len() > 1 && is_word(folder))
}

/// The kind of an endpoint that no descriptor describes.
const UNDESCRIBED: &str = "endpoint";
