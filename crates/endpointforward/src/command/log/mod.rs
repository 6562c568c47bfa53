//! The log, on standard error: standard output may carry data.
//!
//! `RUST_LOG` selects what is shown, or else `-v` and `-q`. The lines with the listeners' addresses
//! are an answer that scripts wait for, and not only log: they are shown whatever `RUST_LOG`
//! selects.
//!
//! [`subscriber`] is what `tracing` calls, and [`spans`] keeps the fields of sessions. [`json`] writes a record for
//! programs and [`line`] one for people, [`fold`] and [`shorten`] fit it to a terminal, and [`writer`] escapes what is left.

mod fold;
mod json;
mod line;
mod shorten;
mod spans;
mod subscriber;
mod time;
mod writer;

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use tracing::Level;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::Targets;

use self::line::Line;
use self::subscriber::{Form, Log};
use self::writer::Harmless;
use super::cli::{LogFormat, Logging};
use super::output::complain;

/// The target of the lines with the listeners' addresses.
pub(crate) const LISTENING: &str = "endpointforward::listening";

/// The crates whose lines `-v` adds.
const OURS: [&str; 5] = ["descriptor", "endpoint", "endpoints", "forward", "endpointforward"];

/// Installs the log; `several` if there are several listeners. Waiting lines are written, for up to a second, when the guard is dropped.
///
/// A separate thread writes: a standard error that is not read must not stop forwarding. Lines
/// beyond [`WAITING`] are dropped then.
#[expect(clippy::disallowed_methods, reason = "the command may read the environment")]
pub(crate) fn install(logging: &Logging, several: bool) -> WorkerGuard {
    let wanted = std::env::var("RUST_LOG").ok().filter(|wanted| !wanted.trim().is_empty());
    let is_terminal = io::stderr().is_terminal();
    let colour = is_terminal
        && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    let (filter, mistake) = filter(logging, wanted.as_deref());
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .lossy(true)
        .thread_name("log")
        .finish(io::stderr());
    let form = match logging.log_format {
        LogFormat::Pretty => Form::Line(Line {
            several,
            is_terminal,
            has_colour: colour,
            announced: OnceLock::new(),
        }),
        LogFormat::Json => Form::Json,
    };
    let log = Log::new(filter, form, Harmless::new(writer, is_terminal));
    // A second log in one process would be a mistake, and this is the only place.
    let installed = tracing::subscriber::set_global_default(log);
    if installed.is_err() {
        complain("warning: a log is set up already");
    }
    if let Some(mistake) = mistake {
        tracing::warn!("cannot parse RUST_LOG: {mistake}");
    }
    guard
}

/// Returns the filter, and the error in `RUST_LOG`.
///
/// Targets and levels, as in `info,forward=debug`: a filter by the fields of spans would bring an engine for regular
/// expressions, which is more than the rest of the log.
fn filter(logging: &Logging, wanted: Option<&str>) -> (Targets, Option<String>) {
    let ours = |others, ours| {
        Targets::new().with_default(others).with_targets(OURS.map(|target| (target, ours)))
    };
    let usual = match (logging.quiet, logging.verbose) {
        (true, _) => Targets::new().with_default(Level::WARN),
        (_, 0) => Targets::new().with_default(Level::INFO),
        (_, 1) => ours(Level::INFO, Level::DEBUG),
        (_, 2) => ours(Level::DEBUG, Level::TRACE),
        (_, _) => Targets::new().with_default(Level::TRACE),
    };
    let (filter, mistake) = match wanted.map(str::parse::<Targets>) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (usual, Some(error.to_string())),
        None => (usual, None),
    };
    if logging.quiet {
        return (filter, mistake);
    }
    (filter.with_target(LISTENING, Level::INFO), mistake)
}

/// Lines that wait to be written, some thirty kilobytes; a session has two. Their places are allocated at the start, 32
/// bytes each.
const WAITING: usize = 256;
