//! The reader of a descriptor: the definitions that apply to it.

use descriptor::Syntax;

use super::{Alias, Form, Param, Positional, Role};
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
