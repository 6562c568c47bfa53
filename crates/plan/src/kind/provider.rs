//! Providers of routes as data: what is asked where a client goes, chosen in a descriptor.
//!
//! A provider's parameters stand beside those of the kind that asks it, and its first one has its name: so
//! `route:redis={tcp:6379}` says which provider is meant. Without such a parameter it is the first provider that there is.

use descriptor::{Code, Descriptor, Diagnostic, Stage, Text, nearest};
use endpoint::provider::Provider;

use super::{Args, Beneath, Param, Planned};
use crate::Registry;

/// A provider that descriptors may name.
#[derive(Debug)]
pub struct ProviderKind {
    /// What it is called: the name of its first parameter, too.
    pub name: &'static str,
    /// One sentence: where routes come from.
    pub about: &'static str,
    /// Its parameters. One that takes an endpoint is beneath the kind.
    pub params: &'static [Param],
    /// What makes it.
    pub plan: fn(&Args) -> Planned<AssembleProvider>,
}

/// Makes the provider out of the endpoints beneath the kind that asks it.
pub type AssembleProvider = Box<dyn FnOnce(&mut Beneath) -> Box<dyn Provider>>;

impl Args {
    /// Returns the provider whose parameters are beside this endpoint's own, with the one that `by` names.
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
            let message = format!("`{}` has no provider to ask", self.called);
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
