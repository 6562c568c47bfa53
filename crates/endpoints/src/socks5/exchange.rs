//! Messages over a stream.

use std::io;

use endpoint::{ByteStream, describe};
use socks::{Error, Read};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Reads a message, and nothing that is behind it; `None` if the peer ends before its first byte.
///
/// # Errors
/// In words: it is no such message, it is cut, or the connection was lost.
pub(super) async fn read<T>(
    stream: &mut dyn ByteStream,
    read: impl Fn(&[u8]) -> Result<Read<T>, Error>,
) -> Result<Option<T>, String> {
    let mut bytes = Vec::new();
    loop {
        let more = match read(&bytes).map_err(|error| error.to_string())? {
            Read::Message(message, _) => return Ok(Some(message)),
            Read::More(more) => more,
        };
        let had = bytes.len();
        bytes.resize(had + more, 0);
        let taken = std::pin::Pin::new(&mut *stream)
            .read(&mut bytes[had..])
            .await
            .map_err(|error| lost(&error))?;
        bytes.truncate(had + taken);
        match taken {
            0 if bytes.is_empty() => return Ok(None),
            0 => return Err("the connection ended inside a SOCKS message".to_owned()),
            _ => {}
        }
    }
}

/// Writes a message.
///
/// # Errors
/// In words: the connection was lost.
pub(super) async fn write(stream: &mut dyn ByteStream, bytes: &[u8]) -> Result<(), String> {
    let mut stream = std::pin::Pin::new(stream);
    stream.write_all(bytes).await.map_err(|error| lost(&error))?;
    stream.flush().await.map_err(|error| lost(&error))
}

fn lost(error: &io::Error) -> String {
    format!("the connection was lost: {}", describe(error))
}
