//! One line of text in place of a page: how to connect.

use super::reply::upgrade_required;
use crate::http::mount::{Mount, Outcome};
use crate::http::page::place;
use crate::http::reply;
use crate::http::request::{Asked, Head};

/// The line, mounted.
pub(super) struct Hint {
    pub(super) line: String,
    /// The only path that is served, if there is one.
    pub(super) served: Option<String>,
}

impl Mount for Hint {
    fn takes(&self, _: &Head) -> bool {
        true
    }

    fn answer(&self, asked: &Asked<'_>) -> Outcome {
        let is_served = place::takes_upgrade(asked.head.path(), self.served.as_deref());
        Outcome::Reply(if is_served { upgrade_required(&self.line) } else { reply::not_found() })
    }
}
