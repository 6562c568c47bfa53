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
//!
//! ```
//! use descriptor::Syntax;
//! use endpoint::{Conn, Connector, Context, Error, ErrorKind, Grants, Info};
//! use plan::Registry;
//! use plan::kind::{Args, Kind, Param, PlanConnect, Planned, Side, ValueKind};
//!
//! /// `down:why=maintenance`: a destination that is never up.
//! static DOWN: Kind = Kind {
//!     connect: Some(Side::bytes(
//!         &[Param::new("why", ValueKind::Text, "The reason.").default("holidays")],
//!         PlanConnect::Leaf(plan),
//!     )),
//!     ..Kind::new("down", "A destination that is down")
//! };
//!
//! fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
//!     Ok(Box::new(Down(args.text("why").expect("`why` has a default").to_owned())))
//! }
//!
//! #[derive(Debug)]
//! struct Down(String);
//!
//! #[async_trait::async_trait]
//! impl Connector for Down {
//!     async fn connect(&self, _: &Context, _: &Info) -> endpoint::Result<Conn> {
//!         Err(Error::new(ErrorKind::Unavailable, "connect", "down", self.0.clone()))
//!     }
//!
//!     fn grants(&self) -> Grants {
//!         Grants::Nothing
//!     }
//! }
//!
//! let registry = Registry::with(&[&DOWN]);
//! let planned = registry.connector("down:why=maintenance", Syntax::Extended);
//! assert_eq!(planned.expect("it is planned").tree.descriptor, "down:why=maintenance");
//! let found = registry.connector("down:wy=maintenance", Syntax::Extended).expect_err("a typo");
//! assert_eq!(found[0].message, "`down` has no parameter `wy` when connecting");
//! ```

#![forbid(unsafe_code)]

mod beneath;
mod boundaries;
mod exposure;
pub mod kind;
mod plan;
mod planning;
mod registry;
mod side;
mod tree;
mod words;

pub use self::boundaries::check_boundaries;
pub use self::exposure::check_exposure;
pub use self::plan::Plan;
pub use self::registry::{Registry, Slip};
pub use self::tree::Tree;
pub use self::words::Words;
