//! Lines `KEY: DESTINATION`, in a file or in the files of a folder, as for websockify's `TokenFile`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use endpoint::provider::{Answer, Destination, Found};
use endpoint::{Missing, describe};
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::watched::{Parsed, Watched};

/// A file or a folder.
#[derive(Clone)]
pub(super) struct Tokens {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The files that were opened, by their paths.
    files: HashMap<PathBuf, Arc<Watched<Lines>>>,
    /// The reasons why files of a folder are passed over, by their paths: each is logged once.
    passed: HashMap<PathBuf, String>,
}

pub(super) type Lines = HashMap<String, String>;

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tokens").field(&self.path).finish()
    }
}

impl Tokens {
    pub(super) fn new(path: &str) -> Self {
        Self { path: path.into(), state: Arc::default() }
    }

    fn look(&self, key: &str) -> io::Result<Option<String>> {
        // A file that has gone leaves what was read of it.
        if !self.path.is_dir() {
            return self.look_in(&self.path, key);
        }
        let mut names: Vec<_> =
            fs::read_dir(&self.path)?.flatten().map(|entry| entry.path()).collect();
        names.retain(|path| path.is_file() && !is_hidden(path));
        names.sort();
        if names.len() > MOST {
            self.pass(
                &self.path,
                &format!("it has more than {MOST} files; the others are not read"),
            );
        }
        for path in names.iter().take(MOST) {
            match self.look_in(path, key) {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                // It was removed or renamed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // One file takes no route of another with it.
                Err(error) => self.pass(path, &describe(&error)),
            }
        }
        Ok(None)
    }

    fn look_in(&self, path: &Path, key: &str) -> io::Result<Option<String>> {
        let mut state = self.lock();
        let file = match state.files.get(path) {
            Some(known) => Arc::clone(known),
            None => {
                let file = Arc::new(Watched::lines(path, lines)?);
                if state.files.len() >= MOST {
                    state.files.clear();
                }
                state.files.insert(path.to_owned(), Arc::clone(&file));
                state.passed.remove(path);
                file
            }
        };
        drop(state);
        Ok(file.get().get(key).cloned())
    }

    /// Logs why a file is passed over, unless that was logged before.
    fn pass(&self, path: &Path, words: &str) {
        let passed = &mut self.lock().passed;
        if passed.get(path).is_some_and(|said| said == words) {
            return;
        }
        if passed.len() >= MOST {
            passed.clear();
        }
        passed.insert(path.to_owned(), words.to_owned());
        warn!("{}: {words}", path.display());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    pub(super) async fn find(&self, key: &str) -> Result<Answer, String> {
        let (own, key) = (self.clone(), key.to_owned());
        let found = spawn_blocking(move || own.look(&key))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)));
        match found {
            Ok(Some(text)) => Ok(Answer::new(Found::Destination(Destination::new(text)))),
            Ok(None) => Ok(Answer::new(Found::Unknown)),
            Err(error) => Err(format!("{}: {}", self.path.display(), describe(&error))),
        }
    }

    pub(super) fn missing(&self) -> Vec<Missing> {
        let message = || format!("there is no {}", self.path.display());
        if self.path.exists() { Vec::new() } else { vec![Missing::of("file", message())] }
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Reads lines. The key ends at the first colon with white space behind it, or at the first of all. Of two lines with
/// a key, the last one counts, as in websockify.
pub(super) fn lines(text: &str) -> Parsed<Lines> {
    let (mut found, mut wrong) = (Lines::new(), Vec::new());
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts = line
            .match_indices(':')
            .find(|(at, _)| line[at + 1..].starts_with(char::is_whitespace))
            .map(|(at, _)| (&line[..at], &line[at + 1..]));
        match parts.or_else(|| line.split_once(':')) {
            Some((key, destination)) if !key.is_empty() && !destination.trim().is_empty() => {
                found.insert(key.trim().to_owned(), destination.trim().to_owned());
            }
            _ => wrong.push((number, "the form is `KEY: HOST:PORT`".to_owned())),
        }
    }
    (found, wrong)
}

/// Files of a folder.
const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_a_colon_and_a_space() {
        let text =
            "# vnc\na: other:1\nb:host:5901\nws:x:\tws:{tcp:h:80}\nnothing\nempty:\na: host:5900\n";
        let (found, wrong) = lines(text);
        assert_eq!(found["a"], "host:5900");
        assert_eq!(found["b"], "host:5901");
        assert_eq!(found["ws:x"], "ws:{tcp:h:80}");
        assert_eq!(wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn a_file_that_cannot_be_read_costs_no_other_files_routes() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::File::create(file("a")).unwrap().set_len(17 << 20).unwrap();
        fs::write(file("b"), "x: host:1\n").unwrap();
        std::os::unix::fs::symlink("nowhere", file("c")).unwrap();
        fs::write(file("d"), "y: host:2\n").unwrap();
        let tokens = Tokens::new(folder.path().to_str().unwrap());
        let look = |key: &str| tokens.look(key).unwrap();
        assert_eq!(look("x").as_deref(), Some("host:1"));
        assert_eq!(look("y").as_deref(), Some("host:2"));
        assert_eq!(look("z"), None);
        fs::write(file("a"), "x: host:3\n").unwrap();
        assert_eq!(look("x").as_deref(), Some("host:3"));
        assert!(tokens.lock().passed.is_empty());
    }
}
