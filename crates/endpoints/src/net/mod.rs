//! Hosts and ports as they are typed, and the lookups of their names: what every kind over IP shares.

pub(crate) mod family;
pub(crate) mod host;
mod lookups;
pub(crate) mod service;
pub(crate) mod sugar;
