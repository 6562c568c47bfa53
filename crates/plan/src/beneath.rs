//! The endpoints that another one goes over, planned.

use std::mem;

use endpoint::{Connector, Listener};

/// The planned endpoints beneath another one, by the names of the parameters that they were typed for.
///
/// # Panics
/// The getters panic for a parameter that the kind's definition doesn't have, or has on the other side: a
/// mistake in the kind, which planning one of its examples shows.
#[derive(Debug, Default)]
pub struct Beneath(Vec<Planned>);

#[derive(Debug)]
struct Planned {
    param: &'static str,
    /// The descriptor for messages, without secrets.
    descriptor: String,
    part: Part,
}

/// An endpoint of either side.
#[derive(Debug)]
pub(crate) enum Part {
    Listener(Box<dyn Listener>),
    Connector(Box<dyn Connector>),
    /// It was handed over.
    Taken,
}

impl Beneath {
    pub(crate) fn push(&mut self, param: &'static str, descriptor: String, part: Part) {
        self.0.push(Planned { param, descriptor, part });
    }

    /// Returns the endpoint of a parameter, to connect to.
    #[must_use]
    pub fn connector(&mut self, param: &str) -> Box<dyn Connector> {
        self.connectors(param).pop().unwrap_or_else(|| wrong(param))
    }

    /// Returns all endpoints of a parameter that takes further positionals, to connect to.
    #[must_use]
    pub fn connectors(&mut self, param: &str) -> Vec<Box<dyn Connector>> {
        self.take(param)
            .map(|part| match part {
                Part::Connector(connector) => connector,
                Part::Listener(_) | Part::Taken => wrong(param),
            })
            .collect()
    }

    /// Returns the endpoint of a parameter, to listen on.
    #[must_use]
    pub fn listener(&mut self, param: &str) -> Box<dyn Listener> {
        self.listeners(param).pop().unwrap_or_else(|| wrong(param))
    }

    /// Returns all endpoints of a parameter that takes further positionals, to listen on.
    #[must_use]
    pub fn listeners(&mut self, param: &str) -> Vec<Box<dyn Listener>> {
        self.take(param)
            .map(|part| match part {
                Part::Listener(listener) => listener,
                Part::Connector(_) | Part::Taken => wrong(param),
            })
            .collect()
    }

    /// Returns the descriptors of a parameter's endpoints, for messages: secrets are left out.
    pub fn descriptors(&self, param: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |planned| planned.param == param).map(|it| &*it.descriptor)
    }

    /// Takes the only endpoint, whatever its parameter is called.
    pub(crate) fn only(mut self) -> Part {
        self.0.pop().map_or(Part::Taken, |planned| planned.part)
    }

    fn take(&mut self, param: &str) -> impl Iterator<Item = Part> {
        let its = self.0.iter_mut().filter(move |planned| planned.param == param);
        its.map(|planned| mem::replace(&mut planned.part, Part::Taken))
    }
}

fn wrong<T>(param: &str) -> T {
    unreachable!("`{param}` has no such endpoint: the kind's definition and its planning disagree")
}
