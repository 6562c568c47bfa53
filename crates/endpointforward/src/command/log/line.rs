//! A record of the log for people.

use std::fmt::{self, Write as _};
use std::io;
use std::sync::OnceLock;

use descriptor::is_unprintable;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::Record;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{DefaultFields, FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::{LookupSpan, Scope, SpanRef};

use super::LISTENING;
use super::fold::{Margins, fold};
use super::shorten::{self, shorten};
use super::writer::escape;

/// `2026-11-21T03:05:58.123Z INFO  open id=1 peer=127.0.0.1:4711 …`.
///
/// On a terminal, a record is folded to its width. Elsewhere it is one line, however long, and nothing in it is shortened:
/// journald, container runtimes and `grep` take each line for a record, and would tear a folded one apart.
pub(super) struct Line {
    /// Set if there are several listeners, so that a session has to name its own.
    pub(super) several: bool,
    /// Set if standard error is a terminal.
    pub(super) is_terminal: bool,
    /// The listener, once its record was written.
    pub(super) announced: OnceLock<String>,
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
        let level = event.metadata().level();
        write_head(&mut writer, *level)?;
        let mut words = Words::default();
        event.record(&mut words);
        let spans = cx.event_scope().into_iter().flat_map(Scope::from_root);
        let of_session: Vec<_> =
            spans.filter_map(|span| self.of_session(&span, words.opens)).collect();
        let of_session = of_session.join(" ");
        let fields = shorten::fields(&of_session);
        let text = self.text(&words, *level);
        // The address that browsers open is selected on a terminal.
        let url = text.rfind(" (").filter(|_| event.metadata().target() == LISTENING);
        let (text, url) = text.split_at(url.unwrap_or(text.len()));
        if event.metadata().target() == LISTENING
            && let Some(listener) = text.strip_prefix("listening on ")
        {
            self.announced.get_or_init(|| listener.to_owned());
        }
        let Some(width) = self.width() else {
            let fields = fields.iter().map(|field| format!(" {field}")).collect::<String>();
            let help = words.help.map_or(String::new(), |help| format!(" ({help})"));
            return writeln!(writer, "{text}{url}{fields}{help}");
        };
        let at = Margins::of(width);
        // With `-v`, names are whole.
        let room = width - HEAD;
        let columns = text.chars().count();
        let is_short = LevelFilter::current() < LevelFilter::DEBUG;
        let fields = match is_short {
            true if columns + SPACE < room => shorten(&fields, room - columns - 1),
            true => shorten(&fields, room),
            false => fields.into_iter().map(str::to_owned).collect(),
        };
        let mut folded = fold(text, fields.iter().map(|field| &**field), at);
        let is_one = |more: usize| {
            let columns = folded.chars().count() + more;
            !folded.contains('\n') && columns <= room
        };
        match words.help {
            _ if !url.is_empty() && is_one(url.chars().count()) => folded.push_str(url),
            _ if !url.is_empty() => {
                let url = url.trim_matches([' ', '(', ')']);
                folded.push_str(&format!("\n{:1$}{url}", "", at.indent));
            }
            Some(help) if is_one(help.chars().count() + 3) => {
                folded.push_str(&format!(" ({help})"));
            }
            Some(help) => {
                let indent = at.indent + HELP.len();
                let help = fold(&help, [], Margins { first: indent, indent, ..at });
                folded.push_str(&format!("\n{:1$}{HELP}{help}", "", at.indent));
            }
            None => {}
        }
        writeln!(writer, "{folded}")
    }
}

fn write_head(writer: &mut Writer<'_>, level: Level) -> fmt::Result {
    let mut time = String::new();
    SystemTime.format_time(&mut Writer::new(&mut time))?;
    // Milliseconds are what a person can use of the time.
    let time = time.get(..23).map_or(&*time, |time| time);
    if !writer.has_ansi_escapes() {
        return write!(writer, "{time}Z {level:5} ");
    }
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    };
    write!(writer, "\x1b[2m{time}Z\x1b[0m \x1b[{colour}m{level:5}\x1b[0m ")
}

impl Line {
    /// Returns the columns of the terminal; `None` if there is none.
    fn width(&self) -> Option<usize> {
        let size = || rustix::termios::tcgetwinsize(io::stderr()).ok();
        self.is_terminal.then(|| match size().map_or(0, |size| usize::from(size.ws_col)) {
            0 => WIDEST,
            columns => columns.clamp(NARROWEST, WIDEST),
        })
    }

    /// Returns the message of a record.
    fn text(&self, words: &Words, level: Level) -> String {
        let listener = self.announced.get().filter(|_| !self.several);
        let accept = listener.map(|listener| format!("cannot accept {listener}: "));
        let message = match accept.and_then(|accept| words.message.strip_prefix(&*accept)) {
            // The one listener that there is was named at the start. One beneath it was not.
            Some(cause) => format!("refused: {cause}"),
            None => words.message.clone(),
        };
        let reason = words.reason.as_ref().filter(|_| level <= Level::WARN);
        let reason = reason.map_or(String::new(), |reason| format!(" reason={reason}"));
        format!("{message}{}{reason}", words.fields)
    }

    /// Returns the fields of a session that a record shows: its number, and those that no record of it has shown yet.
    fn of_session<S>(&self, span: &SpanRef<'_, S>, opens: bool) -> Option<String>
    where
        S: for<'a> LookupSpan<'a>,
    {
        let mut extensions = span.extensions_mut();
        let is_known = extensions.get_mut::<PeerShown>().is_some();
        let fields = extensions.get_mut::<FormattedFields<Fields>>()?;
        let number = |fields: &str| fields.split(' ').next().unwrap_or_default().to_owned();
        let mut shown = match (opens, is_known) {
            (true, _) => fields.fields.clone(),
            (false, true) => number(fields),
            // The message names the destination, if that is what isn't open.
            (false, false) => {
                fields[..fields.find(" listener=").unwrap_or(fields.len())].to_owned()
            }
        };
        if !self.several
            && let Some(at) = shown.find(" listener=")
        {
            let end = shown.find(" destination=").unwrap_or(shown.len());
            shown.replace_range(at..end, "");
        }
        if opens {
            // Only this is kept for as long as the session lasts.
            fields.fields = number(fields);
        } else if !is_known {
            extensions.insert(PeerShown);
        }
        Some(visible(&shown)).filter(|shown| !shown.is_empty())
    }
}

impl Margins {
    fn of(width: usize) -> Self {
        // A narrow terminal has no columns to spare.
        let indent = if width < WIDEST { NARROW_INDENT } else { HEAD };
        Self { width, first: HEAD, indent }
    }
}

/// A record of the session's has named its peer.
struct PeerShown;

/// The text and the fields of an event.
#[derive(Default)]
struct Words {
    message: String,
    /// Each with a space in front.
    fields: String,
    help: Option<String>,
    /// A word of the closed list of reasons; shown where something went wrong.
    reason: Option<String>,
    /// Set if it opens a session.
    opens: bool,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "help" => self.help = Some(visible(value)),
            "facts" => self.fields.push_str(&format!(" {}", visible(value))),
            "reason" => self.reason = Some(value.to_owned()),
            name if IN_WORDS.contains(&name) => {}
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => {
                self.message = visible(&format!("{value:?}"));
                self.opens = self.message == OPEN;
            }
            name if IN_WORDS.contains(&name) => {}
            // A string takes all that is written.
            name => drop(write!(self.fields, " {name}={}", visible(&format!("{value:?}")))),
        }
    }
}

/// The line with the two ends of a session.
const OPEN: &str = "open";

/// Fields for programs, whose values are in the message as well.
const IN_WORDS: &[&str] =
    &["reason", "by", "sent", "received", "seconds", "cut", "more", "cause", "endpoint"];

/// Control characters, and those that would reorder a line or hide a part of it, as escapes.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_control() {
            shown.extend(c.escape_default());
        } else if !c.is_ascii() && is_unprintable(c) {
            escape(c, &mut shown);
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The fields of a span, in no more memory than they take: those of a session are kept for as long as it lasts, and a
/// string that grew is half empty.
#[derive(Default)]
pub(super) struct Fields(DefaultFields);

impl<'w> FormatFields<'w> for Fields {
    /// Without colours, whose sequences would be counted as columns.
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut plain = String::new();
        self.0.format_fields(Writer::new(&mut plain), fields)?;
        writer.write_str(&plain)
    }

    fn add_fields(
        &self,
        current: &'w mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        current.fields.push(' ');
        let mut plain = String::new();
        self.0.format_fields(Writer::new(&mut plain), fields)?;
        current.fields.push_str(&plain);
        current.fields = current.fields.as_str().to_owned();
        Ok(())
    }
}

/// Text is not read in wider lines, whatever the terminal has.
const WIDEST: usize = 120;
/// A narrower terminal wraps lines itself.
const NARROWEST: usize = 80;
/// The columns of time and level.
const HEAD: usize = 31;
const NARROW_INDENT: usize = 4;
/// Fields with less room than this after a message are written on a separate line.
const SPACE: usize = 24;
/// The beginning of a line with help.
const HELP: &str = "= help: ";
