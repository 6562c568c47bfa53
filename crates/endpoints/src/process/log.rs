//! A program's standard error, line by line to our log, and to the client if it is told.

use std::future::poll_fn;

use descriptor::is_unprintable;
use endpoint::{Signal, SignalSender};
use tokio::io::{AsyncRead, AsyncReadExt};
use tracing::info;

/// Logs `errors` until it ends. It is always read, so the program never waits for us; where the client is told, it
/// waits for a client that takes nothing, as it does with its output.
pub(super) async fn lines(
    mut errors: impl AsyncRead + Unpin,
    program: String,
    client: Option<SignalSender>,
) {
    let log = Log { program, client };
    let mut line = Vec::new();
    let mut buffer = [0; 1024];
    // A failing read is the end as well: the pipe has nothing more.
    while let Ok(read @ 1..) = errors.read(&mut buffer).await {
        for &byte in &buffer[..read] {
            if byte == b'\n' {
                log.say(&line).await;
                line.clear();
                continue;
            }
            line.push(byte);
            if line.len() == LONGEST {
                log.say(&line).await;
                line.clear();
            }
        }
    }
    if !line.is_empty() {
        log.say(&line).await;
    }
}

/// The destination of lines.
struct Log {
    program: String,
    client: Option<SignalSender>,
}

impl Log {
    async fn say(&self, line: &[u8]) {
        let line = harmless(line);
        info!(program = self.program, "{line}");
        let Some(client) = &self.client else { return };
        let mut rest = &*line;
        loop {
            let most = MESSAGE.min(rest.len());
            let cut = (0..=most).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(most);
            let (piece, more) = rest.split_at(cut);
            poll_fn(|cx| client.poll_ready(cx)).await;
            // A client that is gone isn't told.
            let _gone = client.send(Signal::Stderr(piece.to_owned()));
            rest = more;
            if rest.is_empty() {
                return;
            }
        }
    }
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
/// A control message of our subprotocol has room for so much. Longer lines come in pieces.
const MESSAGE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(harmless(b"\x1b[31mred\x07\tend\xff\r"), "\\u{1b}[31mred\\u{7}\tend\u{fffd}");
    }
}
