//! A record of the log for programs: an object of JSON in a line.

use std::fmt;

use serde_json::{Map, Value};
use tracing::Event;
use tracing::field::{Field, Visit};

use super::spans::Kept;
use super::time::write_time;

/// Writes a record, with the fields of the innermost of its spans.
pub(super) fn record(event: &Event<'_>, span: Option<Map<String, Value>>) -> String {
    let metadata = event.metadata();
    let mut object = Object::default();
    let mut time = String::new();
    write_time(&mut time);
    object.insert("timestamp", time.into());
    object.insert("level", metadata.level().as_str().into());
    event.record(&mut object);
    object.insert("target", metadata.target().into());
    if let Some(span) = span {
        object.insert("span", span.into());
    }
    let mut line = object.text();
    line.push('\n');
    line
}

/// The fields of a span, and its name.
pub(super) fn span(kept: &Kept) -> Map<String, Value> {
    let mut fields = read(&kept.fields);
    fields.insert("name".to_owned(), kept.metadata.name().into());
    fields
}

/// Returns the text that is kept of these fields.
pub(super) fn fields(record: impl FnOnce(&mut dyn Visit)) -> String {
    let mut object = Object::default();
    record(&mut object);
    object.text()
}

/// Adds more of that text to what is kept.
pub(super) fn add(kept: &mut Kept, more: &str) {
    let mut fields = read(&kept.fields);
    fields.extend(read(more));
    kept.fields = Object(fields).text().into();
}

fn read(fields: &str) -> Map<String, Value> {
    // It is our own text.
    serde_json::from_str(fields).unwrap_or_default()
}

#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn insert(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn text(self) -> String {
        Value::Object(self.0).to_string()
    }
}

impl Visit for Object {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field.name(), format!("{value:?}").into());
    }
}
