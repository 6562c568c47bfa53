//! All that was found in one run.

use super::figures::Figures;
use super::machine::Facts;
use super::memory::{Memory, Message};
use super::scale::Point;

/// One run.
#[derive(Debug)]
pub(crate) struct Results {
    pub(crate) facts: Facts,
    /// Those that took part: their names, versions, and how one would start them.
    pub(crate) subjects: Vec<Participant>,
    /// Those that aren't installed.
    pub(crate) missing: Vec<&'static str>,
    pub(crate) rounds: usize,
    /// Set if amounts were too small to be quoted.
    pub(crate) quick: bool,
    pub(crate) figures: Figures,
    pub(crate) memory: Vec<Memory>,
    pub(crate) messages: Vec<Message>,
    pub(crate) scale: Vec<Point>,
    /// Measurements that failed, with the reason; amounts that were reduced.
    pub(crate) notes: Vec<String>,
    /// The duration, in seconds.
    pub(crate) took: u64,
}

/// A participant.
#[derive(Clone, Debug)]
pub(crate) struct Participant {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) command: String,
}
