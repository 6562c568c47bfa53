//! A connection to Redis: commands are sent together, and their replies are read in order.

use std::fmt;
use std::path::PathBuf;

use endpoint::{Connector, Context, Info, Io, describe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::resp::{Reply, command, read};

/// The server's endpoint, and the login.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) connector: Box<dyn Connector>,
    pub(super) database: u64,
    pub(super) user: Option<String>,
    pub(super) password: Option<PathBuf>,
}

/// An open connection. It must be dropped together with a call that was not completed: the unread reply would answer
/// the next call.
pub(super) struct Link {
    io: Io,
    unread: Vec<u8>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

impl Server {
    /// Connects, logs in and selects the database.
    ///
    /// # Errors
    /// One of these fails, in words.
    pub(super) async fn connect(&self, cx: &Context) -> Result<Link, String> {
        // The server is the operator's: nothing about the client decides where it is.
        let conn = self.connector.connect(cx, &Info::new()).await;
        let io = conn.map_err(|error| error.to_string())?.into_io();
        let mut link = Link { io, unread: Vec::new() };
        if let Some(file) = &self.password {
            let text = tokio::fs::read_to_string(file).await;
            let text = text.map_err(|error| format!("{}: {}", file.display(), describe(&error)))?;
            let password = text.lines().next().unwrap_or_default();
            let user = self.user.as_deref().map(str::as_bytes);
            let parts: Vec<&[u8]> =
                [&b"AUTH"[..]].into_iter().chain(user).chain([password.as_bytes()]).collect();
            accepted(link.ask(&parts).await?)?;
        }
        if self.database > 0 {
            accepted(link.ask(&[b"SELECT", self.database.to_string().as_bytes()]).await?)?;
        }
        Ok(link)
    }
}

impl Link {
    /// Asks, and returns the reply.
    ///
    /// # Errors
    /// The connection fails, or what comes is no reply.
    pub(super) async fn ask(&mut self, parts: &[&[u8]]) -> Result<Reply, String> {
        self.tell(parts).await?;
        self.reply().await
    }

    /// Returns `true` if nothing has come behind the last reply.
    pub(super) fn is_at_rest(&self) -> bool {
        self.unread.is_empty()
    }

    /// Sends a command.
    ///
    /// # Errors
    /// The connection fails.
    pub(super) async fn tell(&mut self, parts: &[&[u8]]) -> Result<(), String> {
        let lost = |error: std::io::Error| format!("the connection fails: {}", describe(&error));
        self.io.write_all(&command(parts)).await.map_err(lost)?;
        self.io.flush().await.map_err(lost)
    }

    /// Reads the next reply. Cancel safe: the part that was read is kept.
    ///
    /// # Errors
    /// The connection fails or ends, or what comes is no reply.
    pub(super) async fn reply(&mut self) -> Result<Reply, String> {
        loop {
            if let Some((reply, length)) = read(&self.unread)? {
                self.unread.drain(..length);
                return Ok(reply);
            }
            let mut piece = [0; 1024];
            match self.io.read(&mut piece).await {
                Ok(0) => return Err("it has closed the connection".to_owned()),
                Ok(length) => self.unread.extend_from_slice(&piece[..length]),
                Err(error) => return Err(format!("the connection fails: {}", describe(&error))),
            }
        }
    }
}

/// Takes `+OK`.
///
/// # Errors
/// The server's own words.
pub(super) fn accepted(reply: Reply) -> Result<(), String> {
    match reply {
        Reply::Error(words) => Err(refused(&words)),
        _ => Ok(()),
    }
}

/// The server's words, for the log.
pub(super) fn refused(words: &str) -> String {
    let shown: String = words.chars().filter(|c| !c.is_control()).take(200).collect();
    format!("it answers: {shown}")
}
