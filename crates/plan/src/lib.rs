//! Planning, from text to an endpoint that can be opened, and the definition of a kind as data.
//!
//! A descriptor passes through these stages:
//!
//! 1. **text**, `ws:{tcp:9000}`, that a person typed;
//! 2. a **tree** with spans, read by the crate `descriptor`;
//! 3. **arguments** ([`Args`](kind::Args)), read by the definition of its [`Kind`](kind::Kind), with
//!    defaults filled in;
//! 4. a **[`Plan`]**: a [`Listener`](endpoint::Listener) or a [`Connector`](endpoint::Connector), checked
//!    but not open, with the [`Tree`] that `explain` shows.
//!
//! Planning opens nothing and reads no file. It knows no kind: to add one, define a
//! [`Kind`](kind::Kind) and pass it to [`Registry::add`].

#![forbid(unsafe_code)]

mod beneath;
mod boundaries;
mod exposure;
pub mod kind;
mod planning;
mod registry;
mod side;
mod tree;

pub use self::boundaries::check_boundaries;
pub use self::exposure::check_exposure;
pub use self::registry::{Plan, Registry, Slip};
pub use self::tree::Tree;
