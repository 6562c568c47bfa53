//! The gate and the observers that a program adds to every forwarder of its command.

use std::fmt;
use std::sync::Arc;

use forward::{Gate, Observer};

use crate::Forwarder;

/// The additions.
#[derive(Default)]
pub(crate) struct Added {
    pub(crate) gate: Option<Arc<dyn Gate>>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
}

impl Added {
    /// Returns the forwarder with them.
    pub(crate) fn to(&self, forwarder: Forwarder) -> Forwarder {
        let forwarder = match &self.gate {
            Some(gate) => forwarder.gate(Arc::clone(gate)),
            None => forwarder,
        };
        self.observers.iter().fold(forwarder, |it, observer| it.observer(Arc::clone(observer)))
    }
}

impl fmt::Debug for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Added")
    }
}
