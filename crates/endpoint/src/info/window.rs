//! The size of the window that a client requests.

use std::borrow::Cow;

use super::Fact;

/// The size of the window that a client requests for a terminal before its session opens, as far as its listener lets
/// it. It has no names for templates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestedWindow {
    /// Rows of characters.
    pub rows: Option<u16>,
    /// Columns of characters.
    pub cols: Option<u16>,
}

impl Fact for RequestedWindow {
    fn root(&self) -> &'static str {
        "window"
    }

    fn get(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}
