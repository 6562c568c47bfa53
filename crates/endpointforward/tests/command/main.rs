//! The command as a user meets it: its output, where the output goes, and its exit status.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod completions;
mod explain;
mod facts;
mod forward;
mod habits;
mod help;
mod manual;
mod missing;
mod newcomers;
mod pages;
mod run;
mod slips;
mod usage;
mod vectors;
