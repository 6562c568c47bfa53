//! The reader of a descriptor: the definitions that apply to it, and the parameters of every
//! listener.

use descriptor::Syntax;

use super::{Alias, Form, Param, Positional, Role, Topic, ValueKind};
use crate::Registry;

/// The definitions that a descriptor is parsed with.
pub(crate) struct Reader<'a> {
    pub(crate) name: &'static str,
    pub(crate) alias: Option<&'static Alias>,
    pub(crate) params: &'static [Param],
    pub(crate) more: &'static [Param],
    pub(crate) positional: Positional,
    pub(crate) role: Role,
    pub(crate) syntax: Syntax,
    pub(crate) registry: &'a Registry,
    /// The other side's parameters: a name of theirs deserves better words than "unknown".
    pub(crate) other: Option<Form>,
    /// The parameters of every endpoint of that side.
    pub(crate) common: &'static [Param],
    /// Set if it is the inside of a switch or of a framing.
    pub(crate) is_switch: bool,
    /// The parameters of the framing that the endpoint is about.
    pub(crate) beside: &'static [Param],
}

impl<'a> Reader<'a> {
    /// Returns a reader of what stands in the braces of a value: of a switch, a variant or a framing.
    pub(crate) fn inside(&self, name: &'static str, params: &'static [Param]) -> Self {
        Self {
            name,
            alias: None,
            params,
            more: &[],
            positional: Positional::InOrder,
            role: self.role,
            syntax: self.syntax,
            registry: self.registry,
            other: None,
            common: &[],
            is_switch: true,
            beside: &[],
        }
    }
}

/// The parameters of every listener, whatever its kind.
const COMMON: &[Param] = &[Param::new(
    "auth",
    ValueKind::Choice(&["none"]),
    "`none` states that everyone who can reach the listener may use its destination. Required for a program behind a \
     public address.",
)
.topic(Topic::Access), Param::new(
    "from",
    ValueKind::List,
    "The networks that may connect, such as `10.0.0.0/8,!10.1.0.0/16`; exclusions win. Other connections are closed \
     without an answer, and logged. Behind a proxy, the address is the proxy's.",
)
.topic(Topic::Access)];

/// Returns the parameters of every endpoint of that side.
#[must_use]
pub fn common(role: Role) -> &'static [Param] {
    if role == Role::Listen { COMMON } else { &[] }
}
