//! A record of the log for people.

use std::fmt::{self, Write as _};
use std::io;
use std::sync::OnceLock;

use descriptor::is_unprintable;
use forward::Repeated;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level};

use super::fold::{Margins, fold};
use super::shorten::shorten;
use super::spans::Kept;
use super::time::write_time;
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
    pub(super) has_colour: bool,
    /// The listener, once its record was written.
    pub(super) announced: OnceLock<String>,
}

impl Line {
    /// Writes a record; `spans` shows those that it is in, the outermost one first.
    pub(super) fn record(
        &self,
        event: &Event<'_>,
        spans: impl FnOnce(&mut dyn FnMut(&mut Kept)),
    ) -> String {
        let level = *event.metadata().level();
        let mut words = Words { is_warning: level <= Level::WARN, ..Words::default() };
        event.record(&mut words);
        let mut of_session = String::new();
        spans(&mut |span| self.of_session(span, words.event, &mut of_session));
        let fields = of_session.split_terminator(SEPARATOR);
        let text = self.text(&mut words);
        let url = words.url.as_ref().map_or(String::new(), |url| format!(" ({url})"));
        if words.event == Kind::Listening
            && let Some(listener) = &words.endpoint
        {
            self.announced.get_or_init(|| listener.clone());
        }
        let mut record = self.head(level);
        let Some(width) = self.width() else {
            record.extend([&*text, &*url]);
            record.extend(fields.flat_map(|field| [" ", field]));
            if let Some(help) = &words.help {
                record.extend([" (", help, ")"]);
            }
            record.push('\n');
            return record;
        };
        let fields: Vec<_> = fields.collect();
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
        let mut folded = fold(&text, fields.iter().map(|field| &**field), at);
        let is_one = |more: usize| {
            let columns = folded.chars().count() + more;
            !folded.contains('\n') && columns <= room
        };
        match (words.help, words.url) {
            (_, Some(_)) if is_one(url.chars().count()) => folded.push_str(&url),
            // The address that browsers open is selected on a terminal.
            (_, Some(url)) => folded.push_str(&format!("\n{:1$}{url}", "", at.indent)),
            (Some(help), None) if is_one(help.chars().count() + 3) => {
                folded.push_str(&format!(" ({help})"));
            }
            (Some(help), None) => {
                let indent = at.indent + HELP.len();
                let help = fold(&help, [], Margins { first: indent, indent, ..at });
                folded.push_str(&format!("\n{:1$}{HELP}{help}", "", at.indent));
            }
            (None, None) => {}
        }
        record.push_str(&folded);
        record.push('\n');
        record
    }

    /// Returns the time and the level, with room for the rest of an ordinary record.
    fn head(&self, level: Level) -> String {
        let mut head = String::with_capacity(USUAL);
        let colour = match level {
            Level::ERROR => 31,
            Level::WARN => 33,
            Level::INFO => 32,
            Level::DEBUG => 34,
            Level::TRACE => 35,
        };
        head.push_str(if self.has_colour { "\x1b[2m" } else { "" });
        let begin = head.len();
        write_time(&mut head);
        // Milliseconds are what a person can use of the time.
        head.truncate(begin + MILLISECONDS);
        // A string takes all that is written.
        let _ = match self.has_colour {
            true => write!(head, "Z\x1b[0m \x1b[{colour}m{level:5}\x1b[0m "),
            false => write!(head, "Z {level:5} "),
        };
        head
    }

    /// Returns the columns of the terminal; `None` if there is none.
    fn width(&self) -> Option<usize> {
        let size = || rustix::termios::tcgetwinsize(io::stderr()).ok();
        self.is_terminal.then(|| match size().map_or(0, |size| usize::from(size.ws_col)) {
            0 => WIDEST,
            columns => columns.clamp(NARROWEST, WIDEST),
        })
    }

    /// Returns the message of a record, with its fields.
    fn text(&self, words: &mut Words) -> String {
        let mut text = std::mem::take(&mut words.message);
        // The one listener that there is was named at the start. One beneath it was not.
        if words.event == Kind::Refused
            && self.is_known(words)
            && let Some(cause) = &words.cause
        {
            let repeated = words.repeated.map_or(String::new(), |again| format!(": {again}"));
            text = format!("refused: {cause}{repeated}");
        }
        text.push_str(&words.fields);
        if words.event == Kind::End
            && words.is_warning
            && let Some(reason) = &words.reason
        {
            text.extend([" reason=", reason]);
        }
        text
    }

    /// Returns `true` if the endpoint of a record is the only listener.
    fn is_known(&self, words: &Words) -> bool {
        let listener = self.announced.get().filter(|_| !self.several);
        listener.is_some() && listener == words.endpoint.as_ref()
    }

    /// Adds the fields of a session that a record shows: its number, and those that no record of it has shown yet.
    fn of_session(&self, span: &mut Kept, event: Kind, shown: &mut String) {
        let opens = event == Kind::Open;
        let is_shown = |field: &&str| match field.split('=').next().unwrap_or_default() {
            "listener" => self.several && opens,
            // The message names the destination, if that is what isn't open.
            "destination" => opens,
            "peer" => opens || !span.has_named_peer,
            _ => true,
        };
        for field in span.fields.split_inclusive(SEPARATOR).filter(is_shown) {
            shown.push_str(field);
        }
        if opens {
            // Only this is kept for as long as the session lasts.
            let mut kept = span.fields.split_inclusive(SEPARATOR);
            let number = kept.find(|field| field.starts_with("id=")).unwrap_or_default();
            span.fields = number.into();
        } else {
            span.has_named_peer = true;
        }
    }
}

impl Margins {
    fn of(width: usize) -> Self {
        // A narrow terminal has no columns to spare.
        let indent = if width < WIDEST { NARROW_INDENT } else { HEAD };
        Self { width, first: HEAD, indent }
    }
}

/// The text and the fields of an event.
#[derive(Default)]
struct Words {
    message: String,
    event: Kind,
    /// Each with a space in front.
    fields: String,
    endpoint: Option<String>,
    cause: Option<String>,
    help: Option<String>,
    url: Option<String>,
    /// A word of the closed list of reasons; shown where something went wrong.
    reason: Option<String>,
    repeated: Option<Repeated>,
    /// Set if it is a warning or an error.
    is_warning: bool,
}

/// The sort of event, as its field `event` has it. The value names it for programs, and selects what people are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// A session begins: the line has both of its ends.
    Open,
    End,
    /// A listener refuses a client.
    Refused,
    Listening,
    #[default]
    Other,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        let text = match field.name() {
            "event" => {
                self.event = match value {
                    "open" => Kind::Open,
                    "end" => Kind::End,
                    "refused" => Kind::Refused,
                    "listening" => Kind::Listening,
                    _ => Kind::Other,
                };
                return;
            }
            "endpoint" => &mut self.endpoint,
            "cause" => &mut self.cause,
            "help" => &mut self.help,
            "url" => &mut self.url,
            "reason" => &mut self.reason,
            "facts" => {
                self.fields.push(' ');
                return show(&mut self.fields, format_args!("{value}"));
            }
            // As the span of a session has it.
            "peer" => {
                self.fields.push_str(" peer=");
                return show(&mut self.fields, format_args!("{value}"));
            }
            _ => return self.record_debug(field, &value),
        };
        show(text.get_or_insert_default(), format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let repeated = self.repeated.unwrap_or(Repeated { more: 0, seconds: 0 });
        match field.name() {
            "more" => self.repeated = Some(Repeated { more: value, ..repeated }),
            "within" => self.repeated = Some(Repeated { seconds: value, ..repeated }),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => show(&mut self.message, format_args!("{value:?}")),
            // That of an end is in its message.
            "cause" => {}
            name if IN_WORDS.contains(&name) => {}
            name => {
                self.fields.extend([" ", name, "="]);
                show(&mut self.fields, format_args!("{value:?}"));
            }
        }
    }
}

/// Fields for programs, whose values are in the message as well.
const IN_WORDS: &[&str] = &["by", "sent", "received", "seconds", "cut"];

/// Adds a value, with control characters, and those that would reorder a line or hide a part of it, as escapes.
fn show(shown: &mut String, value: fmt::Arguments<'_>) {
    let begin = shown.len();
    // A string takes all that is written.
    let _ = shown.write_fmt(value);
    // Nearly all values are of ASCII's printable characters.
    if shown[begin..].bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return;
    }
    for c in shown.split_off(begin).chars() {
        if c.is_ascii_control() {
            shown.extend(c.escape_default());
        } else if !c.is_ascii() && is_unprintable(c) {
            escape(c, shown);
        } else {
            shown.push(c);
        }
    }
}

/// The fields of a span, as text: each ends with a [`SEPARATOR`], which is in none of them.
pub(super) struct OfSpan(String);

impl OfSpan {
    /// Returns the fields that `record` shows.
    pub(super) fn of(record: impl FnOnce(&mut dyn Visit)) -> String {
        let mut fields = Self(String::with_capacity(USUAL));
        record(&mut fields);
        fields.0
    }
}

impl Visit for OfSpan {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.extend([field.name(), "="]);
        show(&mut self.0, format_args!("{value:?}"));
        self.0.push(SEPARATOR);
    }
}

/// It is a control character, so that [`show`] leaves none.
const SEPARATOR: char = '\x1f';

/// Text is not read in wider lines, whatever the terminal has.
const WIDEST: usize = 120;
/// A narrower terminal wraps lines itself.
const NARROWEST: usize = 80;
/// The bytes of an ordinary record.
const USUAL: usize = 256;
/// Those of a time up to its milliseconds.
const MILLISECONDS: usize = 23;
/// The columns of time and level.
const HEAD: usize = 31;
const NARROW_INDENT: usize = 4;
/// Fields with less room than this after a message are written on a separate line.
const SPACE: usize = 24;
/// The beginning of a line with help.
const HELP: &str = "= help: ";
