//! The kinds, framings and providers that are known.

use descriptor::{Descriptor, Diagnostic};

use crate::kind::{Alias, FactName, FramingKind, Kind, Param, ProviderKind, Role, ValueKind};

/// The kinds, framings and providers that descriptors may name.
#[derive(Clone, Debug)]
pub struct Registry {
    kinds: Vec<&'static Kind>,
    framings: Vec<&'static FramingKind>,
    providers: Vec<&'static ProviderKind>,
    slips: Vec<Slip>,
}

/// Returns a suggestion for a descriptor that can't be planned, if it recognises it.
pub type Slip = fn(&Descriptor, Role) -> Option<Diagnostic>;

impl Registry {
    /// Creates a registry of these kinds.
    #[must_use]
    pub fn with(kinds: &[&'static Kind]) -> Self {
        Self {
            kinds: kinds.to_vec(),
            framings: Vec::new(),
            providers: Vec::new(),
            slips: Vec::new(),
        }
    }

    /// Adds a kind. A name that is taken already stays with the first.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "kinds are added; registries are not summed")]
    pub fn add(mut self, kind: &'static Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Adds help for descriptors that can't be planned, and that are no kind's: endpoints in the terms of other
    /// programs. It is asked before the kinds where the kind is unknown, and after the kind where that has no help.
    #[must_use]
    pub fn add_slip(mut self, slip: Slip) -> Self {
        self.slips.push(slip);
        self
    }

    /// Returns the first help that was added for this.
    pub(crate) fn slip(&self, descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
        self.slips.iter().find_map(|slip| slip(descriptor, role))
    }

    /// Adds a framing, for every kind that takes one. A name that is taken already stays with the first.
    #[must_use]
    pub fn add_framing(mut self, framing: &'static FramingKind) -> Self {
        self.framings.push(framing);
        self
    }

    /// Returns all framings: those that kinds bring, then those that were added.
    pub fn framings(&self) -> impl Iterator<Item = &'static FramingKind> {
        let of_kinds = self.kinds.iter().flat_map(|kind| kind.framings);
        of_kinds.chain(&self.framings).copied()
    }

    /// Returns the framing of this name, whatever its case.
    #[must_use]
    pub fn framing(&self, name: &str) -> Option<&'static FramingKind> {
        self.framings().find(|framing| framing.name.eq_ignore_ascii_case(name))
    }

    /// Adds a provider of routes, for every kind that uses one. A name that is taken already stays with the first.
    #[must_use]
    pub fn add_provider(mut self, provider: &'static ProviderKind) -> Self {
        self.providers.push(provider);
        self
    }

    /// Returns all providers of routes: those that kinds bring, then those that were added.
    pub fn providers(&self) -> impl Iterator<Item = &'static ProviderKind> {
        let of_kinds = self.kinds.iter().flat_map(|kind| kind.providers);
        of_kinds.chain(&self.providers).copied()
    }

    /// Returns the provider of this name, whatever its case.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&'static ProviderKind> {
        self.providers().find(|provider| provider.name.eq_ignore_ascii_case(name))
    }

    /// Returns the parameters that one side of a kind may have, those of all providers with them if it asks one.
    #[must_use]
    pub fn params(&self, kind: &Kind, role: Role) -> Vec<&'static Param> {
        let mut params = kind.params(role);
        if params.iter().any(|param| matches!(param.value, ValueKind::ProviderBeside)) {
            params.extend(self.providers().flat_map(|provider| provider.params));
        }
        params
    }

    /// Returns all kinds, in order.
    #[must_use]
    pub fn kinds(&self) -> &[&'static Kind] {
        &self.kinds
    }

    /// Returns the kind of this name, whatever its case, and the alias if it is one.
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

    /// Returns the facts that connections of these kinds carry, each with the kind that declares it.
    pub fn facts(&self) -> impl Iterator<Item = (&'static Kind, FactName)> {
        self.kinds.iter().flat_map(|kind| kind.facts.iter().map(|fact| (*kind, *fact)))
    }

    /// Returns the first parts of the facts' names, with which a hole of a template may begin.
    pub(crate) fn roots(&self) -> Vec<&'static str> {
        let mut roots: Vec<_> = self.facts().map(|(_, fact)| fact.root()).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }
}
