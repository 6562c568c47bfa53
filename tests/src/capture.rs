//! The output of a process so far: filled by a thread, so that a full pipe never blocks the process.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Shared view of one output of a process. Clones see the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    closed: bool,
}

impl Capture {
    /// Reads `source` to its end in a thread. The thread ends with the last writer of the pipe.
    pub fn of(mut source: impl Read + Send + 'static) -> Self {
        let capture = Self::default();
        let filled = capture.clone();
        thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024];
            loop {
                let count = match source.read(&mut chunk) {
                    Ok(count) => count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    // A pipe can't fail otherwise, and a pty gives EIO for the end.
                    Err(_) => 0,
                };
                let mut state = filled.lock();
                state.bytes.extend_from_slice(&chunk[..count]);
                state.closed = count == 0;
                drop(state);
                filled.shared.changed.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        capture
    }

    /// Everything so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// Everything so far as text, without terminal colours.
    #[must_use]
    pub fn text(&self) -> String {
        plain(&String::from_utf8_lossy(&self.lock().bytes))
    }

    /// Waits until `found` sees what it looks for in the text so far, or the output ends, or `limit` passes.
    pub fn wait<T>(&self, limit: Duration, mut found: impl FnMut(&str) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(answer) = found(&plain(&String::from_utf8_lossy(&state.bytes))) {
                return Some(answer);
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return None;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for the first whole line that contains `text`.
    pub fn wait_for_line(&self, limit: Duration, text: &str) -> Option<String> {
        self.wait(limit, |all| whole_lines(all).find(|line| line.contains(text)).map(str::to_owned))
    }

    /// Waits until every writer has closed it. Returns `true` if that happened within `limit`.
    #[must_use]
    pub fn wait_closed(&self, limit: Duration) -> bool {
        self.wait(limit, |_| None::<()>);
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere has not spoilt the bytes.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines that have their newline already: half a line may still lack the word that is looked for, or
/// half a port number.
pub(crate) fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .map(|line| line.trim_end_matches('\r'))
}

/// Without the escape sequences for colours, which a log may contain and no test means.
fn plain(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let sequence = &rest[start + 2..];
        let end =
            sequence.find(|c: char| ('@'..='~').contains(&c)).map_or(sequence.len(), |at| at + 1);
        rest = &sequence[end..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_no_text() {
        assert_eq!(
            plain("\u{1b}[2m12:00\u{1b}[0m \u{1b}[32mINFO\u{1b}[0m listening"),
            "12:00 INFO listening"
        );
    }

    #[test]
    fn half_a_line_is_not_found() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let capture = Capture::of(reader);
        std::io::Write::write_all(&mut writer, b"port 41").unwrap();
        assert_eq!(capture.wait_for_line(Duration::from_millis(50), "port"), None);
        std::io::Write::write_all(&mut writer, b"234\r\n").unwrap();
        assert_eq!(capture.wait_for_line(crate::DEADLINE, "port").as_deref(), Some("port 41234"));
    }

    #[test]
    fn the_end_ends_every_wait() {
        let (reader, writer) = std::io::pipe().unwrap();
        let capture = Capture::of(reader);
        drop(writer);
        assert_eq!(capture.wait_for_line(crate::DEADLINE, "never"), None);
        assert!(capture.wait_closed(crate::DEADLINE));
    }
}
