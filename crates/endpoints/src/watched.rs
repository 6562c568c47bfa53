//! A file that is read again when it has changed. It is looked at when it is asked for, at most once a second.
//!
//! If a file can't be read, its earlier contents stay in use, with a warning. An invalid line is skipped with its number,
//! also one that isn't UTF-8; the file is used, even if nothing is left of it: an emptied list of users admits no client.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

/// The parsed contents of a file.
pub(crate) struct Watched<T> {
    path: PathBuf,
    read: fn(&Path) -> io::Result<Read>,
    parse: fn(&str) -> Parsed<T>,
    state: Mutex<State<T>>,
}

/// The result of parsing: the value, and the errors, each with the number of its line.
pub(crate) type Parsed<T> = (T, Vec<(usize, String)>);

/// The text of a file, and the numbers of lines that aren't UTF-8, which are empty in it.
type Read = (String, Vec<usize>);

struct State<T> {
    value: Arc<T>,
    stamp: Option<Stamp>,
    looked: Instant,
}

/// The stamp that shows if a file has been replaced, links followed: inode, length, time of change.
type Stamp = [i64; 4];

impl<T> Watched<T> {
    /// Reads a file of lines for the first time.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn lines(path: &Path, parse: fn(&str) -> Parsed<T>) -> io::Result<Self> {
        Self::open_by(path, read_lines, parse)
    }

    /// Reads a file for the first time that is valid only as a whole: without a part, a secret would be another one.
    ///
    /// # Errors
    /// It can't be read, or isn't UTF-8.
    pub(crate) fn whole(path: &Path, parse: fn(&str) -> Parsed<T>) -> io::Result<Self> {
        Self::open_by(path, read_whole, parse)
    }

    fn open_by(
        path: &Path,
        read: fn(&Path) -> io::Result<Read>,
        parse: fn(&str) -> Parsed<T>,
    ) -> io::Result<Self> {
        let stamp = stamp(path);
        let value = Arc::new(parsed(path, &read(path)?, parse));
        let state = State { value, stamp, looked: Instant::now() };
        Ok(Self { path: path.to_owned(), read, parse, state: Mutex::new(state) })
    }

    /// Returns the current contents. Takes a system call a second; reads a small file when it has changed.
    pub(crate) fn get(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() < OFTEN {
            return Arc::clone(&state.value);
        }
        state.looked = Instant::now();
        let now = stamp(&self.path);
        if now == state.stamp {
            return Arc::clone(&state.value);
        }
        state.stamp = now;
        let shown = self.path.display();
        match (self.read)(&self.path) {
            Ok(read) => {
                state.value = Arc::new(parsed(&self.path, &read, self.parse));
                info!("{shown}: loaded the changed file");
            }
            Err(error) => {
                let error = endpoint::describe(&error);
                warn!("{shown}: {error}; the earlier contents stay in use");
            }
        }
        Arc::clone(&state.value)
    }
}

/// Reads a file of lines.
///
/// # Errors
/// It can't be read, or is too large.
pub(crate) fn read_lines(path: &Path) -> io::Result<Read> {
    let bytes = read(path)?;
    let mut wrong = Vec::new();
    let mut text = String::with_capacity(bytes.len());
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => {
                wrong.push(index + 1);
                text.push('\n');
            }
        }
    }
    Ok((text, wrong))
}

fn read_whole(path: &Path) -> io::Result<Read> {
    let text = String::from_utf8(read(path)?);
    let text = text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
    Ok((text, Vec::new()))
}

fn parsed<T>(path: &Path, (text, not_text): &Read, parse: fn(&str) -> Parsed<T>) -> T {
    let (value, mut wrong) = parse(text);
    wrong.extend(not_text.iter().map(|line| (*line, "it is not UTF-8".to_owned())));
    wrong.sort_by_key(|(line, _)| *line);
    tell(path, &wrong);
    value
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Nothing waits in a FIFO's name for good.
    let meta = fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    if meta.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 16 MiB"));
    }
    fs::read(path)
}

fn tell(path: &Path, wrong: &[(usize, String)]) {
    for (line, words) in wrong.iter().take(MOST) {
        warn!("{} line {line}: {words}", path.display());
    }
    if wrong.len() > MOST {
        warn!("{}: {} more lines are invalid", path.display(), wrong.len() - MOST);
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = fs::metadata(path).ok()?;
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    Some([number(file.ino()), number(file.len()), file.mtime(), file.mtime_nsec()])
}

const OFTEN: Duration = Duration::from_secs(1);
const LARGEST: u64 = 16 << 20;
/// Lines that a warning names one by one.
const MOST: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_utf_8_is_lost_alone_and_a_secret_as_a_whole() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), b"a\n\xff\xfe: x\nb\r\nc\xc3").expect("it is written");
        let (text, wrong) = read_lines(file.path()).expect("it is there");
        assert_eq!(text.lines().collect::<Vec<_>>(), ["a", "", "b", ""]);
        assert_eq!(wrong, [2, 4]);
        assert!(read_whole(file.path()).is_err());
        let count = |text: &str| (text.len(), Vec::new());
        assert!(Watched::lines(file.path(), count).is_ok());
        assert!(Watched::whole(file.path(), count).is_err());
    }
}
