//! The definition of a kind of endpoint, as data: its names, its parameters, and what it takes and
//! gives.
//!
//! One declaration yields the reader of its parameters (with spans), `help KIND`, the shell's
//! completions and its entry in descriptors.md.

mod advice;
pub(crate) mod args;
mod common;
mod fact;
pub(crate) mod framing;
mod inside;
mod mistakes;
mod param;
pub(crate) mod provider;
pub(crate) mod read;
pub(crate) mod reader;
mod value;
mod variant;

use std::sync::Arc;

use descriptor::{Descriptor, Diagnostic, Text, Url};
use endpoint::{Connector, DialLayer, Listener, ServeLayer, Times};

pub(crate) use self::advice::mended;
pub use self::args::{Args, Setting};
pub use self::common::common;
pub(crate) use self::common::guard;
pub use self::fact::FactName;
pub use self::framing::{FRAMING, FramingKind, Framings};
pub use self::param::{Holes, Param, Topic, ValueKind, Variant};
pub use self::provider::{AssembleProvider, ProviderKind};
pub use self::value::Value;
pub use crate::beneath::Beneath;

/// A kind of endpoint.
#[derive(Debug)]
pub struct Kind {
    /// The name: the first field of a descriptor, in lower case.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [Alias],
    /// Its description, in one sentence.
    pub about: &'static str,
    /// Listening, if it can.
    pub listen: Option<Side<PlanListen>>,
    /// Connecting, if it can.
    pub connect: Option<Side<PlanConnect>>,
    /// URL schemes that stand for it.
    pub schemes: &'static [Scheme],
    /// Text without a kind that stands for it, such as `9000`.
    pub bare: Option<fn(&Text, Role) -> Option<Descriptor>>,
    /// Another spelling of a descriptor of this kind, such as Twisted's flattened wrappers, put
    /// into the common form; `None` if it is in that form.
    pub rewrite: Option<fn(&Descriptor, Role) -> Option<Descriptor>>,
    /// Returns help for a frequent mistake with this kind, if a descriptor can't be planned: called for the kind that
    /// it names, and for every kind if it names an unknown one.
    pub slip: Option<fn(&Descriptor, Role) -> Option<Diagnostic>>,
    /// The facts that its connections carry, for templates.
    pub facts: &'static [FactName],
    /// The framings that it brings, for every kind that takes one.
    pub framings: &'static [&'static FramingKind],
    /// The providers of routes that it brings.
    pub providers: &'static [&'static ProviderKind],
    /// Descriptors that show it, each with its effect; a test plans them.
    pub examples: &'static [Example],
    /// Kinds to read about next.
    pub see_also: &'static [&'static str],
}

impl Kind {
    /// Creates a kind without sides: the start of a definition.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            about,
            listen: None,
            connect: None,
            schemes: &[],
            bare: None,
            rewrite: None,
            slip: None,
            facts: &[],
            framings: &[],
            providers: &[],
            examples: &[],
            see_also: &[],
        }
    }

    /// Returns the form of one side; `None` if it has no such side.
    #[must_use]
    pub fn form(&self, role: Role) -> Option<Form> {
        match role {
            Role::Listen => {
                let side = self.listen.as_ref()?;
                let form = match side.plan {
                    PlanListen::Leaf(_) => side.form(None),
                    PlanListen::Layer(takes, _) => side.form(Some(takes)),
                    PlanListen::Over(_) => side.form(Some(Takes::Any)),
                    // Listening by opening takes the parameters of connecting.
                    PlanListen::Opened(_) => self.form(Role::Connect)?,
                };
                Some(form)
            }
            Role::Connect => {
                let side = self.connect.as_ref()?;
                Some(side.form(match side.plan {
                    PlanConnect::Leaf(_) => None,
                    PlanConnect::Layer(takes, _) => Some(takes),
                    PlanConnect::Over(_) => Some(Takes::Any),
                }))
            }
        }
    }

    /// Returns the parameters of one side, as they are read: its own, then those that every endpoint of
    /// that side takes. None if it has no such side.
    #[must_use]
    pub fn params(&self, role: Role) -> Vec<&'static Param> {
        let Some(form) = self.form(role) else { return Vec::new() };
        // A kind may know a parameter of every endpoint's better.
        let new = |param: &&Param| !form.all().any(|mine| mine.name == param.name);
        form.all().chain(common(role).iter().filter(new)).collect()
    }
}

/// The parameters of one side of a kind, and the shapes of data that it takes and gives.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its own parameters: positional ones first, in their order.
    pub params: &'static [Param],
    /// Parameters that it has in common with other kinds; none is positional.
    pub more: &'static [Param],
    /// How positionals are assigned to parameters.
    pub positional: Positional,
    /// The shape that it needs from the endpoint beneath it, if it is a layer.
    pub takes: Option<Takes>,
    /// The shape of its connections.
    pub gives: Shape,
}

impl Form {
    /// Returns all its parameters.
    pub fn all(&self) -> impl Iterator<Item = &'static Param> + Clone + use<> {
        self.params.iter().chain(self.more)
    }
}

/// Another name for a kind.
#[derive(Debug)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// Defaults that it changes.
    pub defaults: &'static [(&'static str, &'static str)],
    /// Parameters that only this name takes.
    pub params: &'static [Param],
    /// The difference, in one sentence; empty if there is none.
    pub about: &'static str,
}

/// A URL scheme that stands for a kind: `ws://HOST:PORT/PATH`.
#[derive(Debug)]
pub struct Scheme {
    /// The scheme, in lower case.
    pub name: &'static str,
    /// Returns the descriptor that a URL of it stands for.
    pub expand: fn(&Url, Role) -> Result<Descriptor, Diagnostic>,
    /// Set if the manual lists it; a scheme that is known only for its error message isn't listed.
    pub listed: bool,
}

impl Scheme {
    /// Creates a scheme that the manual lists.
    #[must_use]
    pub const fn new(
        name: &'static str,
        expand: fn(&Url, Role) -> Result<Descriptor, Diagnostic>,
    ) -> Self {
        Self { name, expand, listed: true }
    }

    /// Leaves it out of the manual.
    #[must_use]
    pub const fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }
}

/// A descriptor that shows a kind, and its effect.
#[derive(Debug)]
pub struct Example {
    /// The side it is for.
    pub role: Role,
    /// The descriptor.
    pub descriptor: &'static str,
    /// One sentence.
    pub about: &'static str,
}

/// The side of a session that an endpoint is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It waits for peers.
    Listen,
    /// It goes to a peer.
    Connect,
}

impl Role {
    /// Returns the other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Listen => Self::Connect,
            Self::Connect => Self::Listen,
        }
    }

    /// Returns the word for the action of an endpoint on that side.
    pub(crate) fn doing(self) -> &'static str {
        match self {
            Self::Listen => "listening",
            Self::Connect => "connecting",
        }
    }

    /// Returns the words for the use of an endpoint on that side.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Listen => "listened on",
            Self::Connect => "connected to",
        }
    }
}

/// One side of a kind.
#[derive(Debug)]
pub struct Side<P> {
    /// Its parameters: positional ones first, in their order.
    pub params: &'static [Param],
    /// Parameters that it has in common with other kinds, written and stored once; none is positional.
    pub more: &'static [Param],
    /// The shape of its connections.
    pub gives: Shape,
    /// How positionals are assigned to parameters.
    pub positional: Positional,
    /// The function that plans it.
    pub plan: P,
}

impl<P> Side<P> {
    /// Creates a side that gives bytes and takes its positionals in order.
    #[must_use]
    pub const fn bytes(params: &'static [Param], plan: P) -> Self {
        Self { params, more: &[], gives: Shape::Bytes, positional: Positional::InOrder, plan }
    }

    /// Creates a side that gives messages and takes its positionals in order.
    #[must_use]
    pub const fn messages(params: &'static [Param], plan: P) -> Self {
        Self { params, more: &[], gives: Shape::Messages, positional: Positional::InOrder, plan }
    }

    /// Creates a side with the shape of the endpoint beneath it, which takes its positionals in
    /// order.
    #[must_use]
    pub const fn alike(params: &'static [Param], plan: P) -> Self {
        Self { params, more: &[], gives: Shape::Beneath, positional: Positional::InOrder, plan }
    }

    /// Adds parameters that it has in common with other kinds.
    #[must_use]
    pub const fn with(mut self, more: &'static [Param]) -> Self {
        self.more = more;
        self
    }

    fn form(&self, takes: Option<Takes>) -> Form {
        let Self { params, more, gives, positional, .. } = *self;
        Form { params, more, positional, takes, gives }
    }
}

impl Side<PlanListen> {
    /// Creates a listening side that opens the connecting side, whose parameters it takes.
    #[must_use]
    pub const fn opened(times: Times) -> Self {
        Self::bytes(&[], PlanListen::Opened(times))
    }
}

/// How positionals are assigned to parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positional {
    /// The first positional is the first positional parameter, whatever is given by name.
    InOrder,
    /// Parameters given by name are skipped: `tcp:80:host=h` is Twisted's way to give a port.
    SkipNamed,
}

/// The shape of the data that a transport carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Bytes without boundaries.
    Bytes,
    /// Messages, which are flattened for a byte stream.
    Messages,
    /// Messages that need their boundaries, such as datagrams: flattening them causes a warning.
    Datagrams,
    /// Bytes or datagrams, as the client asks.
    Either,
    /// The shape of the endpoint beneath. A [`Tree`](crate::Tree) has the resulting shape.
    Beneath,
}

impl Shape {
    /// Returns its name in the manual.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Messages => "messages",
            Self::Datagrams => "datagrams",
            Self::Either => "either",
            Self::Beneath => "the same",
        }
    }
}

/// The shape that a layer needs from the endpoint beneath it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Either shape; it asks the connection.
    Any,
    /// Bytes; messages are flattened.
    Bytes,
    /// Messages: a stream of bytes has none to give.
    Messages,
}

/// The function that plans the listening side.
#[derive(Clone, Copy, Debug)]
pub enum PlanListen {
    /// A listener that runs over no other endpoint.
    Leaf(fn(&Args) -> Planned<Box<dyn Listener>>),
    /// A layer over each connection of the endpoint in the first positional.
    Layer(Takes, fn(&Args) -> Planned<Arc<dyn ServeLayer>>),
    /// An endpoint over others, which decides when and how often they are opened.
    Over(PlanOver<dyn Listener>),
    /// The connecting side, opened at bind: see [`Side::opened`].
    Opened(Times),
}

/// The function that plans the connecting side.
#[derive(Clone, Copy, Debug)]
pub enum PlanConnect {
    /// A connector that runs over no other endpoint.
    Leaf(fn(&Args) -> Planned<Box<dyn Connector>>),
    /// A layer over each connection of the endpoint in the first positional.
    Layer(Takes, fn(&Args) -> Planned<Arc<dyn DialLayer>>),
    /// An endpoint over others, which decides when and how often they are opened.
    Over(PlanOver<dyn Connector>),
}

/// Plans an endpoint over others from its own parameters, before those beneath are known to be valid, so that all
/// errors of a descriptor are found at once.
///
/// The endpoints beneath are its parameters of endpoint type ([`ValueKind::beneath`]): one or several, each as a
/// listener or as a connector.
pub type PlanOver<E> = fn(&Args) -> Planned<Assemble<E>>;

/// Makes the endpoint from those beneath it.
pub type Assemble<E> = Box<dyn FnOnce(Beneath) -> Box<E>>;

/// The result of planning: the planned value, or every error that is not one of form.
pub type Planned<T> = Result<T, Vec<Diagnostic>>;
