//! Completion of our command lines: a script for each shell, and the answers that the scripts ask for.
//!
//! The scripts hold no knowledge. They run `endpointforward complete -- WORD…` with the words before the cursor, the last of
//! them unfinished, and get one candidate a line: the whole word, a tab, a sentence. So added kinds
//! are completed too, and a script outlives an update.

mod descriptor;
mod words;

use std::fmt::Write;

use clap::CommandFactory;
use clap_complete::{Shell, generate};
use plan::Registry;

use super::cli::Cli;
use super::exit::Exit;
use super::output;

/// A completion of a word.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    /// The whole word. No space follows one that ends with `:` or `=`.
    word: String,
    /// One sentence; shells show the beginning.
    about: String,
}

impl Candidate {
    fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        Self { word: word.into(), about: about.into() }
    }
}

/// `completions SHELL`: prints the script.
pub(crate) fn script(shell: Shell) -> Exit {
    match shell {
        Shell::Bash => output::print(include_str!("endpointforward.bash")),
        Shell::Zsh => output::print(include_str!("endpointforward.zsh")),
        Shell::Fish => output::print(include_str!("endpointforward.fish")),
        // Options and commands alone.
        shell => {
            let mut script = Vec::new();
            generate(shell, &mut Cli::command(), "endpointforward", &mut script);
            output::print(String::from_utf8_lossy(&script))
        }
    }
}

/// `complete -- WORD…`: prints what the last word may become.
pub(crate) fn answer(registry: &Registry, words: &[String]) -> Exit {
    let mut lines = String::new();
    for Candidate { word, about } in words::candidates(registry, words) {
        // A file's name may have any character but the one that ends a line here.
        if !word.contains(['\n', '\t']) {
            writeln!(lines, "{word}\t{about}").expect("a string takes all that is written");
        }
    }
    output::print(lines)
}
