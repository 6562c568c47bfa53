//! A file that is read again when it has changed. It is looked at when it is asked for, at most once a second.
//!
//! If a file can't be read, its earlier contents stay in use, with a warning. An invalid line is skipped with its number;
//! the file is used, even if nothing is left of it: an emptied list of users admits no client.

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
    parse: fn(&str) -> Parsed<T>,
    state: Mutex<State<T>>,
}

/// The result of parsing: the value, and the errors, each with the number of its line.
pub(crate) type Parsed<T> = (T, Vec<(usize, String)>);

struct State<T> {
    value: Arc<T>,
    stamp: Option<Stamp>,
    looked: Instant,
}

/// The stamp that shows if a file has been replaced, links followed: inode, length, time of change.
type Stamp = [i64; 4];

impl<T> Watched<T> {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn open(path: &Path, parse: fn(&str) -> Parsed<T>) -> io::Result<Self> {
        let stamp = stamp(path);
        let (value, wrong) = parse(&read(path)?);
        tell(path, &wrong);
        let state = State { value: Arc::new(value), stamp, looked: Instant::now() };
        Ok(Self { path: path.to_owned(), parse, state: Mutex::new(state) })
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
        match read(&self.path) {
            Ok(text) => {
                let (value, wrong) = (self.parse)(&text);
                tell(&self.path, &wrong);
                info!("{shown}: loaded the changed file");
                state.value = Arc::new(value);
            }
            Err(error) => {
                let error = endpoint::describe(&error);
                warn!("{shown}: {error}; the earlier contents stay in use");
            }
        }
        Arc::clone(&state.value)
    }
}

fn read(path: &Path) -> io::Result<String> {
    // Nothing waits in a FIFO's name for good.
    let meta = fs::metadata(path)?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    if meta.len() > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 16 MiB"));
    }
    let bytes = fs::read(path)?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
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
