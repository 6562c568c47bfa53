//! The log, on standard error: standard output may carry data.
//!
//! `RUST_LOG` selects what is shown, or else `-v` and `-q`. The lines with the listeners' addresses
//! are an answer that scripts wait for, and not only log: they are shown whatever `RUST_LOG`
//! selects.

use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Write};

use descriptor::is_unprintable;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::Record;
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Registry;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{DefaultFields, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{self as lines, FmtContext, FormattedFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::cli::{LogFormat, Logging};
use super::output::complain;
use super::shorten::shorten;

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
    let fmt = lines::layer()
        .with_ansi(colour)
        // It would panic if standard error can't be written to.
        .log_internal_errors(false)
        .with_writer(Harmless { inner: writer, is_terminal });
    let shown = Registry::default().with(filter);
    // A second log in one process would be a mistake, and this is the only place.
    let installed = match logging.log_format {
        LogFormat::Pretty => {
            let fmt = fmt.fmt_fields(Fields::default()).event_format(Line { several });
            tracing::subscriber::set_global_default(shown.with(fmt))
        }
        LogFormat::Json => tracing::subscriber::set_global_default(
            shown.with(fmt.json().flatten_event(true).with_span_list(false)),
        ),
    };
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

/// `2026-11-21T03:05:58.123Z INFO  open id=1 peer=127.0.0.1:4711 …`: one line an event, and another one for what to do
/// about it if that gets too long.
///
/// An event is never more than that: a line is what is searched for and counted. Names are shortened so that it fits
/// [`WIDTH`]; a message of many words that doesn't fit without names stays longer.
struct Line {
    /// Set if there are several listeners, so that a session has to name its own.
    several: bool,
}

impl<S> FormatEvent<S, Fields> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, Fields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        // Milliseconds are what a person can use of the time.
        let time = time.get(..23).map_or(&*time, |time| time);
        let level = event.metadata().level();
        if writer.has_ansi_escapes() {
            let colour = match *level {
                Level::ERROR => 31,
                Level::WARN => 33,
                Level::INFO => 32,
                Level::DEBUG => 34,
                Level::TRACE => 35,
            };
            write!(writer, "\x1b[2m{time}Z\x1b[0m \x1b[{colour}m{level:5}\x1b[0m ")?;
        } else {
            write!(writer, "{time}Z {level:5} ")?;
        }
        let mut words = Words::default();
        event.record(&mut words);
        let reason = words.reason.take().filter(|_| *level <= Level::WARN);
        let reason = reason.map_or(String::new(), |reason| format!(" reason={reason}"));
        let mut of_session = String::new();
        for span in cx.event_scope().into_iter().flat_map(Scope::from_root) {
            let mut extensions = span.extensions_mut();
            let Some(fields) = extensions.get_mut::<FormattedFields<Fields>>() else { continue };
            if fields.is_empty() {
                continue;
            }
            if !of_session.is_empty() {
                of_session.push(' ');
            }
            // The message names the destination, if that is what isn't open.
            let shown = if words.opens {
                fields.len()
            } else {
                fields.find(" listener=").unwrap_or(fields.len())
            };
            of_session.push_str(&fields[..shown]);
            if !self.several
                && let Some(at) = of_session.find(" listener=")
            {
                // The one that there is was named at the start.
                let end = of_session.find(" destination=").unwrap_or(of_session.len());
                of_session.replace_range(at..end, "");
            }
            if words.opens {
                // Following lines don't repeat the fields of this line: only the first one is kept for them.
                let id = fields.fields.split(' ').next().unwrap_or_default().to_owned();
                fields.fields = id;
            }
        }
        let Words { line, help, is_output, .. } = words;
        let line = format!("{line}{reason}");
        // With `-v`, names are whole. The output of a program is not shortened, and the address after the name of a
        // listener is to be opened.
        let is_short = LevelFilter::current() < LevelFilter::DEBUG && !is_output;
        let url = line.rfind(" (").filter(|_| event.metadata().target() == LISTENING);
        let (line, url) = line.split_at(url.unwrap_or(line.len()));
        // An address that leaves the name no room has a separate line, in which it can be selected.
        let columns = url.chars().count();
        let is_apart = is_short && columns > WIDTH - HEAD - ROOM;
        let line = if is_short {
            shorten(line, &of_session, WIDTH - HEAD - if is_apart { 0 } else { columns })
        } else if of_session.is_empty() {
            line.to_owned()
        } else {
            format!("{line} {of_session}")
        };
        let line = match is_apart {
            true => format!("{line}\n{:HEAD$}{}", "", url.trim_matches([' ', '(', ')'])),
            false => line + url,
        };
        match help {
            None => writeln!(writer, "{line}"),
            Some(help) if HEAD + line.chars().count() + help.chars().count() + 3 <= WIDTH => {
                writeln!(writer, "{line} ({help})")
            }
            Some(help) => writeln!(writer, "{line}\n{:HEAD$}{HELP}{help}", ""),
        }
    }
}

/// The text and the fields of an event.
#[derive(Default)]
struct Words {
    line: String,
    help: Option<String>,
    /// A word of the closed list of reasons; shown where something went wrong.
    reason: Option<String>,
    /// Set if it opens a session.
    opens: bool,
    /// Set if it is a line of a program's.
    is_output: bool,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "help" => self.help = Some(escaped(value)),
            "facts" => self.line.push_str(&format!(" {}", escaped(value))),
            "reason" => self.reason = Some(value.to_owned()),
            name if IN_WORDS.contains(&name) => {}
            "program" => {
                self.is_output = true;
                self.record_debug(field, &value);
            }
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A string takes all that is written.
        let _ = match field.name() {
            "message" => {
                let message = escaped(&format!("{value:?}"));
                self.opens = message == OPEN;
                self.line.insert_str(0, &message);
                Ok(())
            }
            name if IN_WORDS.contains(&name) => Ok(()),
            name => write!(self.line, " {name}={value:?}"),
        };
    }
}

/// The line with the two ends of a session.
const OPEN: &str = "open";

/// Fields for programs, whose values are in the message as well.
const IN_WORDS: &[&str] = &["reason", "by", "sent", "received", "seconds", "cut", "more"];

/// ASCII's control characters as escapes; [`Harmless`] sees to other odd characters.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if c.is_ascii_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// The fields of a span, in no more memory than they take: those of a session are kept for as long as it lasts, and a
/// string that grew is half empty.
#[derive(Default)]
struct Fields(DefaultFields);

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        current.fields.push(' ');
        self.0.format_fields(current.as_writer(), fields)?;
        current.fields = current.fields.as_str().to_owned();
        Ok(())
    }
}

/// Escapes characters that would reorder a line or hide a part of it (such as U+202E), for example in text from a
/// peer. ASCII's control characters are escaped by `tracing_subscriber`, which colours lines with some itself.
#[derive(Clone)]
struct Harmless<W> {
    inner: W,
    /// It may be in raw mode (`stdio:raw=true`), where a line ends with a carriage return too.
    is_terminal: bool,
}

impl<'a> MakeWriter<'a> for Harmless<NonBlocking> {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl<W: Write> Write for Harmless<W> {
    /// Takes a whole line, as it comes.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_odd = |c: char| !c.is_ascii() && is_unprintable(c);
        match std::str::from_utf8(line) {
            Ok(text) if self.is_terminal || text.contains(is_odd) => {
                let mut shown = String::with_capacity(text.len() + 16);
                for c in text.chars() {
                    if is_odd(c) {
                        // In JSON, too, this is the character.
                        let mut units = [0; 2];
                        for unit in c.encode_utf16(&mut units) {
                            shown.push_str(&format!("\\u{unit:04x}"));
                        }
                    } else {
                        if self.is_terminal && c == '\n' {
                            shown.push('\r');
                        }
                        shown.push(c);
                    }
                }
                self.inner.write_all(shown.as_bytes())?;
            }
            _ => self.inner.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The width that a line should fit into, if its words are ours.
const WIDTH: usize = 120;
/// Columns for `listening on ws:{tcp:…}` in front of the address that browsers open.
const ROOM: usize = 45;

/// Time and level.
const HEAD: usize = 31;
/// The beginning of a line with help.
const HELP: &str = "= help: ";

/// Lines that wait to be written, some thirty kilobytes; a session has two. Their places are allocated at the start, 32
/// bytes each.
const WAITING: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_turns_a_line_around() {
        let mut written = Vec::new();
        let mut log = Harmless { inner: &mut written, is_terminal: false };
        for line in ["\x1b[32mINFO\x1b[0m plain ü\n", "a\u{202e}b\u{2066}\u{e0001}\u{9b}c\n"] {
            log.write_all(line.as_bytes()).expect("memory takes it");
        }
        assert_eq!(
            String::from_utf8(written).as_deref(),
            Ok("\x1b[32mINFO\x1b[0m plain ü\na\\u202eb\\u2066\\udb40\\udc01\\u009bc\n")
        );
    }
}
