//! The time of a record.

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

/// Writes the time: UTC, with microseconds.
pub(super) fn write_time(to: &mut String) {
    // A string takes all that is written.
    let _ = SystemTime.format_time(&mut Writer::new(to));
}
