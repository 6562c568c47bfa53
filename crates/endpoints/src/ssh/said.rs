//! The standard error of `ssh`: texts for errors, and lines for the log.

use std::sync::{Mutex, MutexGuard, PoisonError};

use descriptor::is_unprintable;
use tokio::io::{AsyncRead, AsyncReadExt};
use tracing::info;

#[derive(Debug, Default)]
pub(super) struct Said {
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    /// The output before the connection was open.
    start: Vec<String>,
    is_up: bool,
    /// The last line.
    last: Option<String>,
}

impl Said {
    /// Reads `errors` until its end. It is always read, so `ssh` never waits for us.
    pub(super) async fn listen(&self, mut errors: impl AsyncRead + Unpin) {
        let (mut line, mut buffer) = (Vec::new(), [0; 1024]);
        while let Ok(read @ 1..) = errors.read(&mut buffer).await {
            for &byte in &buffer[..read] {
                if byte == b'\n' {
                    self.hear(&harmless(&line));
                    line.clear();
                } else if line.len() < LONGEST {
                    line.push(byte);
                }
            }
        }
        if !line.is_empty() {
            self.hear(&harmless(&line));
        }
    }

    fn hear(&self, line: &str) {
        let mut lines = self.lines();
        if line.is_empty() {
            return;
        }
        lines.last = Some(line.to_owned());
        if lines.is_up {
            drop(lines);
            info!(program = "ssh", "{line}");
        } else if lines.start.len() < START {
            lines.start.push(line.to_owned());
        }
    }

    /// The connection is up: the earlier output is logged, and so is all that follows.
    pub(super) fn set_up(&self) {
        let mut lines = self.lines();
        lines.is_up = true;
        let start = std::mem::take(&mut lines.start);
        drop(lines);
        for line in start {
            info!(program = "ssh", "{line}");
        }
    }

    /// Returns the output before the connection was open.
    pub(super) fn start(&self) -> Vec<String> {
        self.lines().start.clone()
    }

    /// The last line.
    pub(super) fn last(&self) -> Option<String> {
        self.lines().last.clone()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line without what would move the cursor or colour the rest of a person's terminal.
fn harmless(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut shown = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if is_unprintable(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// The maximum length of a kept line.
const LONGEST: usize = 1024;

/// Lines that are kept until the connection is up: a banner may be long, and comes before what matters.
const START: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_kept_until_it_is_up() {
        let said = Said::default();
        said.listen("a banner\r\n\nlast \x1b[31m".as_bytes()).await;
        assert_eq!(said.start(), ["a banner", "last \\u{1b}[31m"]);
        assert_eq!(said.last().unwrap(), "last \\u{1b}[31m");
        said.set_up();
        assert!(said.start().is_empty());
    }
}
