//! The inspection of the first bytes of a client whose connection has been accepted already, by a layer that takes
//! plain connections too.
//!
//! The socket beneath was accepted without a known purpose, so it is not yet checked if a web page made it.

use std::io;
use std::time::Duration;

use endpoint::ByteStream;
use tokio::io::AsyncReadExt;

use crate::first_bytes::{Browser, LOOK};
use crate::patience::timeout;

/// Reads, after `first`, what is needed to decide, and returns whether a browser sent it. A client that has sent nothing
/// is waited for; `first` stays empty if it ends instead.
///
/// # Errors
/// Those of reading.
pub(crate) async fn look(
    stream: &mut Box<dyn ByteStream>,
    first: &mut Vec<u8>,
) -> io::Result<Option<Browser>> {
    let had = first.len();
    first.resize(had + LOOK, 0);
    let reading = stream.read(&mut first[had..]);
    // A browser's request comes in one piece: behind its start, the rest is there.
    let read = match had {
        0 => reading.await,
        _ => timeout(AT_ONCE, reading).await.unwrap_or(Ok(0)),
    };
    first.truncate(had + read.as_ref().copied().unwrap_or(0));
    read?;
    Ok(Browser::begins(first))
}

/// The time within which bytes that have arrived are read.
const AT_ONCE: Duration = Duration::from_millis(50);
