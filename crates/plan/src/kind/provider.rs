//! Providers of routes as data: the sources of destinations, selected in a descriptor.
//!
//! A provider's parameters are among those of the kind that uses it, and its first one has its name: so
//! `route:redis={tcp:6379}` selects the provider. Without such a parameter, the first provider is used.

use descriptor::{Code, Descriptor, Diagnostic, Stage, Text, nearest};
use endpoint::provider::Provider;

use super::{Args, Beneath, Param, Planned};
use crate::Registry;

/// A provider that descriptors may name.
#[derive(Debug)]
pub struct ProviderKind {
    /// The name, which is also that of its first parameter.
    pub name: &'static str,
    /// The source of routes, in one sentence.
    pub about: &'static str,
    /// Its parameters. One that takes an endpoint is beneath the kind.
    pub params: &'static [Param],
    /// The function that makes it.
    pub plan: fn(&Args) -> Planned<AssembleProvider>,
}

/// Makes the provider from the endpoints beneath the kind that uses it.
pub type AssembleProvider = Box<dyn FnOnce(&mut Beneath) -> Box<dyn Provider>>;

impl Args {
    /// Returns the provider whose parameters are among this endpoint's own; the parameter `by` names it.
    ///
    /// # Errors
    /// None is known, or there are mistakes in its parameters.
    pub fn provider_beside(&self, by: &str) -> Planned<AssembleProvider> {
        let is_given = |kind: &&ProviderKind| {
            self.is_given(kind.name) || self.beneath.iter().any(|typed| typed.param == kind.name)
        };
        let kind = match self.text(by) {
            Some(name) => self.registry.provider(name),
            None => self.registry.providers().find(is_given),
        };
        let kind = kind.or_else(|| self.registry.providers().next()).ok_or_else(|| {
            let message = format!("`{}` has no providers", self.called);
            vec![Diagnostic::error(Stage::Plan, Code::MissingParameter, self.span, message)]
        })?;
        (kind.plan)(self)
    }
}

/// The parameters of the provider that a descriptor names, or of the first one.
pub(crate) fn beside(registry: &Registry, by: &Param, descriptor: &Descriptor) -> &'static [Param] {
    let given = descriptor.kwargs.iter().find(|(name, _)| by.is_called(name.as_str()));
    let kind = match given {
        Some((_, name)) => registry.provider(name.as_str()),
        None => descriptor
            .kwargs
            .iter()
            .find_map(|(name, _)| registry.providers().find(|kind| kind.name == name.as_str())),
    };
    kind.or_else(|| registry.providers().next()).map_or(&[], |kind| kind.params)
}

/// Finds the provider of this name.
pub(super) fn find(registry: &Registry, name: &Text) -> Result<&'static ProviderKind, Diagnostic> {
    registry.provider(name.as_str()).ok_or_else(|| {
        let names: Vec<_> = registry.providers().map(|kind| kind.name).collect();
        let help = match nearest(name.as_str(), names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the providers are {}", names.join(", ")),
        };
        let message = format!("`{name}` is not a provider of routes");
        Diagnostic::error(Stage::Plan, Code::BadValue, name.span(), message).help(help)
    })
}
