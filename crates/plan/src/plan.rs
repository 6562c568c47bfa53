//! A planned endpoint.

use descriptor::Diagnostic;
use endpoint::{Connector, Listener};

use crate::Tree;
use crate::kind::{Role, Shape};

/// A planned endpoint, with the tree for `explain`.
#[derive(Debug)]
pub struct Plan<T: ?Sized> {
    /// The planned endpoint.
    pub endpoint: Box<T>,
    /// The tree of kinds that it consists of.
    pub tree: Tree,
    /// The warnings about it.
    pub warnings: Vec<Diagnostic>,
}

impl Plan<dyn Listener> {
    /// Creates a plan of a listener that no descriptor describes: `descriptor` is what messages call it.
    #[must_use]
    pub fn of(endpoint: Box<dyn Listener>, descriptor: &str, gives: Shape) -> Self {
        let tree = Tree::of(descriptor, gives, Role::Listen);
        Self { endpoint, tree, warnings: Vec::new() }
    }
}

impl Plan<dyn Connector> {
    /// Creates a plan of a connector that no descriptor describes: `descriptor` is what messages call it.
    #[must_use]
    pub fn of(endpoint: Box<dyn Connector>, descriptor: &str, gives: Shape) -> Self {
        let tree = Tree::of(descriptor, gives, Role::Connect);
        Self { endpoint, tree, warnings: Vec::new() }
    }
}
