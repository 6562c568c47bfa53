//! Reads the sources as text: the names in them, without comments and without their own tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl Source {
    /// The code: no comments, and nothing from the tests at the bottom on.
    #[must_use]
    pub fn code(&self) -> String {
        let inside = self.path.split_once("src/").map_or("", |(_, inside)| inside);
        if inside.split('/').any(|part| matches!(part, "tests" | "tests.rs")) {
            return String::new();
        }
        let shipped = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = shipped.lines().map(|line| line.split("//").next().unwrap_or_default());
        lines.fold(String::new(), |code, line| code + line + "\n")
    }

    /// Returns the names after `root::` in paths, in `use root::{…}` too: `std::fs::read` and `use std::{fs, io}`
    /// name `fs`.
    #[must_use]
    pub fn names_in(&self, root: &str) -> BTreeSet<String> {
        let code = self.code();
        let path = format!("{root}::");
        let mut names = BTreeSet::new();
        for (at, _) in code.match_indices(&path) {
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &code[at + path.len()..];
            match rest.strip_prefix('{') {
                Some(list) => names.extend(first_words(list)),
                None => names.extend(word(rest)),
            }
        }
        names
    }
}

/// All Rust files under `folder` (from the root), sorted; nothing that a build made.
///
/// # Panics
/// When one isn't text.
#[must_use]
pub fn sources(folder: &str) -> Vec<Source> {
    let root = crate::root();
    let mut files = Vec::new();
    walk(&root.join(folder), &mut files);
    files.sort();
    let source = |file: PathBuf| {
        let text = fs::read_to_string(&file).expect("a source file is text");
        let path = file.strip_prefix(&root).expect("it lies under the root").display().to_string();
        Source { path, text }
    };
    files.into_iter().map(source).collect()
}

/// A file of the repository as text; empty when it isn't there.
#[must_use]
pub fn read(path: &str) -> String {
    fs::read_to_string(crate::root().join(path)).unwrap_or_default()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let made = ["target", "node_modules", "dist", "corpus", "artifacts"]
            .iter()
            .any(|made| name == **made);
        if path.is_dir() && !made {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The first word of every item of a list, up to the brace that ends it.
fn first_words(list: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut words) = (0_u32, true, Vec::new());
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && !character.is_whitespace() => {
                words.extend(word(&list[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_paths_and_in_lists() {
        let text = "use std::{fs::{self, File}, io};\nuse my_std::no;\n// std::comment\nlet x = std::env::args();\n\
                    #[cfg(test)]\nmod tests {\nuse std::net;\n}\n";
        let source = Source { path: String::new(), text: text.to_owned() };
        let names: Vec<_> = source.names_in("std").into_iter().collect();
        assert_eq!(names, ["env", "fs", "io"]);
    }
}
