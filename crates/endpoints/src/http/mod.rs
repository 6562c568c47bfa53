//! HTTP, on both sides: requests and replies of a listener, and replies that a client of ours reads.
//!
//! A kind that is reached by HTTP uses this room and is not known to it: a listener's offers other than errors are
//! mounted on the front.

//! Listening:
//!
//! 1. [`wire`]: the stream beneath, shared by the part that speaks HTTP on it and the part that waits for a decision;
//! 2. [`protocol`]: the seam behind which a version of HTTP is implemented; [`http1`] is the only one;
//! 3. [`serving`]: a connection; [`front`]: the path of a request, from its method to its reply; [`request`],
//!    [`hosts`], [`proxy`], [`origin`] and [`admission`] are the checks; [`entrance`] gives a page its tickets,
//!    [`sign_in`] is the page that a browser is shown there, and [`form`] the form that it sends without a script;
//! 4. [`mount`]: the parts that answer. [`page`] has the pages and files; a kind mounts the part that it switches to;
//! 5. [`decision`]: a switch that waits for the forwarder; [`leave`]: a connection that ends with a reply;
//!    [`document`]: an error as a page, for people.
//!
//! Connecting: [`target`] and [`url`] make the request, [`response`] reads the answer. [`remote`] is a server that is asked for
//! something itself.

pub(crate) mod admission;
mod body;
mod decision;
mod document;
pub(crate) mod entrance;
pub(crate) mod facts;
pub(crate) mod form;
pub(crate) mod front;
pub(crate) mod hosts;
mod http1;
mod leave;
pub(crate) mod mount;
pub(crate) mod origin;
pub(crate) mod page;
pub(crate) mod params;
mod protocol;
pub(crate) mod proxy;
pub(crate) mod remote;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod serving;
pub(crate) mod sign_in;
mod sniff;
pub(crate) mod syntax;
pub(crate) mod target;
pub(crate) mod url;
mod wire;
