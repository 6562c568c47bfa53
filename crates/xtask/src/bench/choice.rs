//! The selection of what to run, if only a part is wanted.

use super::subject::programs::{Program, REFERENCE};
use super::workload::Workload;
use crate::Failure;

/// Names of programs and of what they are put through, or parts of such names.
#[derive(Debug)]
pub(crate) struct Choice {
    /// None: all of them.
    programs: Vec<String>,
    /// None: all of them.
    parts: Vec<String>,
}

impl Choice {
    /// Every word is for programs if one has it in its name, else for workloads and [`PARTS`].
    pub(crate) fn new(only: &[String], programs: &[Program]) -> Result<Self, Failure> {
        let names: Vec<_> = programs.iter().map(|program| program.name).collect();
        Self::of_names(only, &names)
    }

    fn of_names(only: &[String], programs: &[&str]) -> Result<Self, Failure> {
        let parts = Workload::ALL.map(Workload::name);
        let mut choice = Self { programs: Vec::new(), parts: Vec::new() };
        for word in only {
            if programs.iter().any(|name| name.contains(word.as_str())) {
                choice.programs.push(word.clone());
            } else if parts
                .iter()
                .map(String::as_str)
                .chain(PARTS)
                .any(|name| name.contains(word.as_str()))
            {
                choice.parts.push(word.clone());
            } else {
                let all = programs.iter().copied().chain(PARTS).collect::<Vec<_>>().join("`, `");
                return Err(format!(
                    "nothing is called `{word}`; there are `{all}`, `{}`",
                    parts.join("`, `")
                ));
            }
        }
        Ok(choice)
    }

    /// Returns `true` if that program takes part. The reference always does.
    pub(crate) fn has_program(&self, name: &str) -> bool {
        name == REFERENCE || is_in(&self.programs, name)
    }

    /// Returns `true` if that part is selected.
    pub(crate) fn has(&self, part: &str) -> bool {
        is_in(&self.parts, part)
    }
}

fn is_in(words: &[String], name: &str) -> bool {
    words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
}

/// Memory with many sessions.
pub(crate) const MEMORY: &str = "memory";
/// Large messages.
pub(crate) const MESSAGES: &str = "messages";
/// The cost of a byte by the number of sessions.
pub(crate) const SCALE: &str = "scale";

/// The parts besides the workloads.
const PARTS: [&str; 3] = [MEMORY, MESSAGES, SCALE];

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(only: &[&str]) -> Result<Choice, Failure> {
        let only: Vec<_> = only.iter().map(|&word| word.to_owned()).collect();
        Choice::of_names(&only, &[REFERENCE, "ours ws", "ours tcp", "nginx"])
    }

    #[test]
    fn programs_and_parts_are_told_apart() {
        let all = choice(&[]).unwrap();
        assert!(all.has_program("nginx") && all.has("back") && all.has(MEMORY));
        let some = choice(&["ours", "there", MEMORY]).unwrap();
        assert!(
            some.has_program(REFERENCE)
                && some.has_program("ours ws")
                && !some.has_program("nginx")
        );
        assert!(
            some.has("there, 64 B") && some.has(MEMORY) && !some.has("back") && !some.has(SCALE)
        );
        let ours = choice(&["ours"]).unwrap();
        assert!(ours.has("back") && ours.has(SCALE));
        assert!(choice(&["nonsense"]).unwrap_err().contains("nginx"));
    }
}
