//! HTTP, on both sides: what a listener reads and replies, and what a client of ours reads.
//!
//! A kind that is reached by HTTP uses this room and is not known to it: what a listener has to offer
//! besides errors is mounted on the front.

//! Listening:
//!
//! 1. [`wire`]: the stream beneath, shared by who speaks HTTP on it and who waits for a decision;
//! 2. [`protocol`]: the seam behind which a version of HTTP is implemented; [`http1`] is the only one;
//! 3. [`serving`]: a connection; [`front`]: what happens to a request, from its method to its reply; [`request`], [`hosts`], [`proxy`],
//!    [`origin`] and [`admission`] are the checks; [`entrance`] is where a page gets its tickets, [`sign_in`] what
//!    a browser is shown there, and [`form`] what it sends without a script;
//! 4. [`mount`]: what answers. [`page`] has the pages and files; a kind mounts what it switches to;
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
