//! The log as `tracing` calls it: a filter, the open spans, and a form for records.

use std::io::Write as _;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_appender::non_blocking::NonBlocking;
use tracing_core::span::Current;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use super::json;
use super::line::{Line, OfSpan};
use super::spans::{self, Kept, Spans};
use super::writer::Harmless;

/// The log.
pub(super) struct Log {
    filter: Targets,
    spans: Spans,
    form: Form,
    writer: Harmless<NonBlocking>,
}

/// The form of its records.
pub(super) enum Form {
    Line(Line),
    Json,
}

impl Log {
    pub(super) fn new(filter: Targets, form: Form, writer: Harmless<NonBlocking>) -> Self {
        Self { filter, spans: Spans::default(), form, writer }
    }
}

impl Subscriber for Log {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // As a layer it is asked once for each place in the code, and as a filter for each record.
        Layer::<Registry>::register_callsite(&self.filter, metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.would_enable(metadata.target(), metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Layer::<Registry>::max_level_hint(&self.filter)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let fields = match self.form {
            Form::Line(_) => OfSpan::of(|visit| span.record(visit)),
            Form::Json => json::fields(|visit| span.record(visit)),
        };
        let parent = match span.is_contextual() {
            true => spans::current(),
            false => span.parent().cloned(),
        };
        self.spans.open(Kept::new(span.metadata(), parent, fields))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        // Made outside of the table: a value may use the log.
        match self.form {
            Form::Line(_) => {
                let more = OfSpan::of(|visit| values.record(visit));
                self.spans.with(span, |kept| {
                    kept.fields = [&*kept.fields, &more].concat().into();
                });
            }
            Form::Json => {
                let more = json::fields(|visit| values.record(visit));
                self.spans.with(span, |kept| json::add(kept, &more));
            }
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let within = match event.is_contextual() {
            true => spans::current(),
            false => event.parent().cloned(),
        };
        let record = match &self.form {
            Form::Line(line) => line.record(event, |see| {
                if let Some(id) = &within {
                    self.spans.each(id, see);
                }
            }),
            Form::Json => {
                let span = within.and_then(|id| self.spans.with(&id, |kept| json::span(kept)));
                json::record(event, span)
            }
        };
        // Where standard error can't be written to, there is no place to say so.
        drop(self.writer.clone().write_all(record.as_bytes()));
    }

    fn enter(&self, span: &Id) {
        spans::enter(span);
    }

    fn exit(&self, span: &Id) {
        spans::exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.spans.hold(id);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.spans.release(&id)
    }

    fn current_span(&self) -> Current {
        let known = spans::current().and_then(|id| {
            let metadata = self.spans.with(&id, |kept| kept.metadata)?;
            Some(Current::new(id, metadata))
        });
        known.unwrap_or_else(Current::none)
    }
}
