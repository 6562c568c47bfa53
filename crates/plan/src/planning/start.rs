//! The start of planning: a registry and the typed text.

use std::sync::Arc;

use descriptor::{Diagnostic, Syntax};
use endpoint::{Connector, DialLayer, Listener};

use super::Planning;
use crate::{Plan, Registry};

impl Registry {
    /// Plans an endpoint to listen on.
    ///
    /// # Errors
    /// Everything that is wrong with `text`.
    pub fn listener(
        &self,
        text: &str,
        syntax: Syntax,
    ) -> Result<Plan<dyn Listener>, Vec<Diagnostic>> {
        Planning::new(self, syntax).run(text)
    }

    /// Plans an endpoint to connect to.
    ///
    /// # Errors
    /// Everything that is wrong with `text`.
    pub fn connector(
        &self,
        text: &str,
        syntax: Syntax,
    ) -> Result<Plan<dyn Connector>, Vec<Diagnostic>> {
        Planning::new(self, syntax).run(text)
    }

    /// Plans an endpoint to listen on that runs over a planned one. `text` leaves out the endpoint beneath: it is
    /// `ws:path=/chat`, not `ws:{tcp:9000}:path=/chat`.
    ///
    /// # Errors
    /// Everything that is wrong with `text`; its kind runs over no other endpoint, or needs messages.
    pub fn listener_over(
        &self,
        text: &str,
        syntax: Syntax,
        beneath: Plan<dyn Listener>,
    ) -> Result<Plan<dyn Listener>, Vec<Diagnostic>> {
        Planning::new(self, syntax).run_over(text, beneath)
    }

    /// Plans an endpoint to connect to that runs over a planned one. `text` leaves out the endpoint beneath: it is
    /// `tls:name=example.com`, not `tls:{tcp:example.com:443}:name=example.com`.
    ///
    /// ```
    /// use descriptor::Syntax;
    /// use endpoint::Connector;
    /// use plan::kind::Shape;
    /// use plan::{Plan, Registry};
    ///
    /// fn over_mine(
    ///     registry: &Registry,
    ///     mine: Box<dyn Connector>,
    /// ) -> Result<Plan<dyn Connector>, Vec<descriptor::Diagnostic>> {
    ///     let mine = Plan::<dyn Connector>::of(mine, "mine", Shape::Bytes);
    ///     let tls = registry.connector_over("tls:name=example.com", Syntax::Extended, mine)?;
    ///     registry.connector_over("ws:path=/chat", Syntax::Extended, tls)
    /// }
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with `text`; its kind runs over no other endpoint, or needs messages.
    pub fn connector_over(
        &self,
        text: &str,
        syntax: Syntax,
        beneath: Plan<dyn Connector>,
    ) -> Result<Plan<dyn Connector>, Vec<Diagnostic>> {
        Planning::new(self, syntax).run_over(text, beneath)
    }

    /// The connecting side of a layer, with its defaults, for a kind that puts it over something
    /// that is open already.
    pub(crate) fn dial_layer(&self, name: &str, syntax: Syntax) -> Option<Arc<dyn DialLayer>> {
        Planning::new(self, syntax).layer::<dyn Connector>(name)
    }
}
