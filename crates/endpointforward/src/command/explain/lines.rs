//! One JSON string a line in, one answer a line out: for programs that have many to ask.

use std::io::{self, BufRead, Read, Write};

use super::super::exit::Exit;
use super::super::output::{self, complain};
use super::{Explainer, json};

/// Answers until the end of standard input. A line that can't be answered is answered with that.
pub(super) fn answer(explainer: &Explainer) -> Exit {
    let (mut input, mut out) = (io::stdin().lock(), io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
            Ok(0) => return Exit::Ok,
            Ok(_) => {}
            Err(error) => {
                complain(format_args!("error: cannot read: {}", endpoint::describe(&error)));
                return Exit::Io;
            }
        }
        let whole = line.ends_with(b"\n") || (line.len() as u64) < LONGEST;
        let skipped = if whole { Ok(()) } else { input.skip_until(b'\n').map(drop) };
        let answer = match serde_json::from_slice::<String>(&line) {
            _ if !whole => json::not_a_string(0, "the line is longer than 1 MiB"),
            Ok(text) => json::object(&explainer.explain(&text)),
            Err(error) => {
                // Its own message ends with a line and a column that mean nothing here.
                let message = error.to_string();
                let message = message.split(" at line").next().unwrap_or(&message);
                let offset = error.column().saturating_sub(1).min(line.len());
                json::not_a_string(offset, &format!("the line is not a JSON string: {message}"))
            }
        };
        let written = skipped
            .and_then(|()| writeln!(out, "{}", json::line(&answer)))
            .and_then(|()| out.flush());
        if written.is_err() {
            return output::done(written);
        }
    }
}

/// No descriptor is that long; one line must not fill the memory.
const LONGEST: u64 = 1 << 20;
