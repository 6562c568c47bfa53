//! A parameter of a kind: its name, the type of its value, its default and its documentation.

use super::Role;

/// The definition of one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Other spellings of the name.
    pub aliases: &'static [&'static str],
    /// The type of its value.
    pub value: ValueKind,
    /// Its default, as it would be typed.
    pub default: Option<&'static str>,
    /// Set if it has to be given.
    pub required: bool,
    /// Set if it can be given by position.
    pub positional: bool,
    /// Set if it takes all further positionals.
    pub rest: bool,
    /// Set if its name is a prefix: `env.` accepts `env.TERM=…`.
    pub prefix: bool,
    /// Set if its value is never shown.
    pub secret: bool,
    /// Set if the query of its value, a URL, and the name and password in it are never shown: they give access.
    pub hides_query: bool,
    /// Set if it may contain facts about a client.
    pub holes: Holes,
    /// Values, or beginnings of values, that completions offer.
    pub suggestions: &'static [&'static str],
    /// Its group in the manual.
    pub topic: Topic,
    /// One or two sentences for the manual.
    pub doc: &'static str,
}

/// The groups of parameters in a kind's manual, in the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Parameters of most descriptors.
    Everyday,
    /// Access control and trust.
    Access,
    /// Sizes, times and counts.
    Limits,
    /// Message boundaries and types.
    Messages,
    /// Compression.
    Compression,
    /// Requests, replies and pages over HTTP.
    Http,
    /// Options of the system's sockets.
    Socket,
}

impl Topic {
    /// Returns its heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Everyday => "Basic",
            Self::Access => "Access",
            Self::Limits => "Limits and timers",
            Self::Messages => "Messages",
            Self::Compression => "Compression",
            Self::Http => "HTTP",
            Self::Socket => "Sockets",
        }
    }
}

/// The permission to use facts about a client in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holes {
    /// `${http.path}` in it is an error, for this reason. A thin reference: each parameter has one.
    Refused(&'static &'static str),
    /// It may.
    Filled,
}

impl Param {
    /// Creates an optional parameter that is given by name.
    #[must_use]
    pub const fn new(name: &'static str, value: ValueKind, doc: &'static str) -> Self {
        let holes = match value {
            ValueKind::Template => Holes::Filled,
            _ => Holes::Refused(&"it is needed before a client connects"),
        };
        Self {
            name,
            aliases: &[],
            value,
            default: None,
            required: false,
            positional: false,
            rest: false,
            prefix: false,
            secret: false,
            hides_query: false,
            holes,
            suggestions: &[],
            topic: Topic::Everyday,
            doc,
        }
    }

    /// Allows it to be given by position.
    #[must_use]
    pub const fn positional(mut self) -> Self {
        self.positional = true;
        self
    }

    /// Makes it required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets its default.
    #[must_use]
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Sets its other names.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Makes it take all further positionals.
    #[must_use]
    pub const fn rest(mut self) -> Self {
        self.rest = true;
        self
    }

    /// Makes its name a prefix, which any name may follow.
    #[must_use]
    pub const fn prefix(mut self) -> Self {
        self.prefix = true;
        self
    }

    /// Sets values, or beginnings of values, that completions offer in addition to those of its type.
    #[must_use]
    pub const fn suggestions(mut self, suggestions: &'static [&'static str]) -> Self {
        self.suggestions = suggestions;
        self
    }

    /// Sets its group in the manual.
    #[must_use]
    pub const fn topic(mut self, topic: Topic) -> Self {
        self.topic = topic;
        self
    }

    /// Hides its value in logs and in `explain`.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Shows its value, a URL, without the query, the user and the password.
    #[must_use]
    pub const fn hides_query(mut self) -> Self {
        self.hides_query = true;
        self
    }

    /// Allows facts about a client in it; without them, it is parsed as its type. The kind calls
    /// [`Args::filled`](super::Args::filled) first.
    #[must_use]
    pub const fn fillable(mut self) -> Self {
        self.holes = Holes::Filled;
        self
    }

    /// Forbids facts about a client in it, for this reason.
    #[must_use]
    pub const fn no_holes(mut self, reason: &'static &'static str) -> Self {
        self.holes = Holes::Refused(reason);
        self
    }

    /// Returns `true` if `name` is one of its names.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        if self.prefix {
            return name.len() > self.name.len() && name.starts_with(self.name);
        }
        self.name == name || self.aliases.contains(&name)
    }
}

/// The type of a parameter's value.
#[derive(Clone, Copy, Debug)]
pub enum ValueKind {
    /// `true`, `false`, `yes`, `no`, `on`, `off`, `1`, `0`.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Seconds, with a fraction or a unit: `30`, `1.5`, `500ms`, `2m`.
    Duration,
    /// Two times, the shorter one first: `1s..30s`. One alone is both.
    Durations,
    /// The descriptor of an endpoint beneath, to connect to whichever side the kind is on.
    Connector,
    /// The descriptor of an endpoint beneath, on the same side as the kind.
    Endpoint,
    /// The descriptor of an endpoint beneath, to listen on whichever side the kind is on.
    Listener,
    /// A framing, with its parameters if it is in braces: `lines`, `{length:width=2}`. Read by
    /// [`Args::framing`](super::Args::framing). A kind that is given one gives messages.
    Framing,
    /// The name of a framing whose parameters are among those of the kind. Read by
    /// [`Args::framing_beside`](super::Args::framing_beside).
    FramingBeside,
    /// A whole number in this range.
    Int(u64, u64),
    /// Words separated by commas.
    List,
    /// Octal digits, up to 7777.
    Octal,
    /// A TCP or UDP port.
    Port,
    /// A port from 1 to 65535, or the name of a service, to be looked up when it is needed.
    Service,
    /// The name of a provider of routes, whose parameters are among those of the kind. Read by
    /// [`Args::provider_beside`](super::Args::provider_beside).
    ProviderBeside,
    /// A size in bytes, with `k`, `M` or `G` for powers of 1024: `64k`.
    Size,
    /// A switch that, if it is on, has parameters: `on`, or `{level=1:threshold=128}`, which is on with these. Read
    /// by [`Args::switch`](super::Args::switch).
    Switch(&'static [Param]),
    /// Text that may contain holes of a template.
    Template,
    /// Any text.
    Text,
    /// One of these, or several: `token`, `{htpasswd:FILE}`, `{{htpasswd:FILE},token}`. Read by
    /// [`Args::variants`](super::Args::variants).
    Variants(&'static [Variant]),
}

impl ValueKind {
    /// Returns the side of the endpoint that it describes, for a kind on the side `role`; `None` if it isn't an
    /// endpoint.
    #[must_use]
    pub fn beneath(self, role: Role) -> Option<Role> {
        match self {
            Self::Connector => Some(Role::Connect),
            Self::Endpoint => Some(role),
            Self::Listener => Some(Role::Listen),
            _ => None,
        }
    }

    /// Returns `true` if it is an endpoint.
    #[must_use]
    pub fn is_endpoint(self) -> bool {
        self.beneath(Role::Connect).is_some()
    }

    /// Returns its description in the manual.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Bool => "true or false".into(),
            Self::Choice(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
            }
            Self::Duration => "a time in seconds, or with the unit ms, s, m or h".into(),
            Self::Durations => "a time, or the shortest and the longest, such as `1s..30s`".into(),
            Self::Connector => "an endpoint to connect to".into(),
            Self::Endpoint => "an endpoint".into(),
            Self::Listener => "an endpoint to listen on".into(),
            Self::Framing => "a framing, such as `lines` or `{length:width=2}`".into(),
            Self::FramingBeside => "a framing".into(),
            Self::ProviderBeside => "a provider".into(),
            Self::Int(low, u64::MAX) => format!("a number from {low}"),
            Self::Int(low, high) => format!("a number from {low} to {high}"),
            Self::List => "a list separated by commas".into(),
            Self::Octal => "a file mode in octal digits, such as 660".into(),
            Self::Port => "a number from 0 to 65535".into(),
            Self::Service => "a number from 1 to 65535, or the name of a service".into(),
            Self::Size => "a size in bytes, or with the unit k, M or G".into(),
            Self::Switch(_) => "`on`, `off`, or settings in braces".into(),
            Self::Template => "text with facts, such as `${http.path}`".into(),
            Self::Text => "text".into(),
            Self::Variants(all) => {
                let name = |variant: &Variant| match variant.params {
                    [] => format!("`{}`", variant.name),
                    _ => format!("`{{{}…}}`", variant.name),
                };
                let names: Vec<_> = all.iter().map(name).collect();
                format!("{}, or several in braces", names.join(", "))
            }
        }
    }
}

/// One variant of a parameter's value.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The name.
    pub name: &'static str,
    /// Its meaning, in one sentence.
    pub about: &'static str,
    /// Its parameters: positional ones first, in their order.
    pub params: &'static [Param],
}

impl Variant {
    /// Creates a variant with these parameters.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str, params: &'static [Param]) -> Self {
        Self { name, about, params }
    }
}
