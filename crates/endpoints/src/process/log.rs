//! A program's standard error, line by line to our log.

use descriptor::is_unprintable;
use tokio::io::{AsyncRead, AsyncReadExt};
use tracing::info;

/// Logs `errors` until it ends. It is always read, so the program never waits for us.
pub(super) async fn lines(mut errors: impl AsyncRead + Unpin, program: String) {
    let mut line = Vec::new();
    let mut buffer = [0; 1024];
    // A failing read is the end as well: the pipe has nothing else to say.
    while let Ok(read @ 1..) = errors.read(&mut buffer).await {
        for &byte in &buffer[..read] {
            if byte == b'\n' {
                say(&program, &line);
                line.clear();
                continue;
            }
            line.push(byte);
            if line.len() == LONGEST {
                say(&program, &line);
                line.clear();
            }
        }
    }
    if !line.is_empty() {
        say(&program, &line);
    }
}

fn say(program: &str, line: &[u8]) {
    info!(program, "{}", harmless(line));
}

/// A line without what would move the cursor or colour the rest of a person's terminal.
fn harmless(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut shown = String::with_capacity(text.len());
    for c in text.trim_end_matches('\r').chars() {
        if is_unprintable(c) && c != '\t' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Longer lines are logged in pieces.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(harmless(b"\x1b[31mred\x07\tend\xff\r"), "\\u{1b}[31mred\\u{7}\tend\u{fffd}");
    }
}
