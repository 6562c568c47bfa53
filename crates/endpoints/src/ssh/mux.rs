//! The protocol between `ssh` and the processes that share its connection: OpenSSH's PROTOCOL.mux, version 4.
//!
//! Of its requests we use that for a proxy (`ssh -O proxy`, OpenSSH 7.4): after it, the messages of SSH's channels are
//! passed on. The request for a session (`-W`) is none for us: its channel is closed when the server ends first, and
//! what we still have to send is lost.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::channel::{self, Channel, LONGEST, Refused, To};

/// The reason why there is no session.
#[derive(Debug)]
pub(super) enum Failure {
    /// The system doesn't let us.
    Io(io::Error),
    /// `ssh` has ended, or its connection.
    Lost,
    /// No answer in time.
    Late,
    /// The server refuses.
    Refused(Refused),
}

/// A connection to the control socket, with a channel or without.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) stream: UnixStream,
    /// A channel was refused on it. `ssh` doesn't forget such a channel, and ends with all of its sessions when the
    /// connection is closed that has asked for it ("`chan_send_close2`: no `remote_id`"). So the connection is kept,
    /// and used again.
    pub(super) is_spoiled: bool,
}

impl Control {
    /// Connects, and exchanges versions.
    ///
    /// # Errors
    /// There is no socket, no process listens on it, or the listener speaks another version.
    pub(super) async fn connect(path: &Path) -> io::Result<Self> {
        let stream = loop {
            match UnixStream::connect(path).await {
                // Too many wait to be accepted.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(AGAIN).await,
                connected => break connected?,
            }
        };
        let mut control = Self { stream, is_spoiled: false };
        control.say(&[HELLO, VERSION]).await?;
        let odd = || {
            let words = "ssh speaks another version of its multiplexing protocol";
            io::Error::new(io::ErrorKind::InvalidData, words)
        };
        let starts = |message: &[u8], numbers: [u32; 2]| {
            message.starts_with(&numbers.map(u32::to_be_bytes).concat())
        };
        if !starts(&control.read().await?, [HELLO, VERSION]) {
            return Err(odd());
        }
        control.say(&[PROXY, REQUEST]).await?;
        if !starts(&control.read().await?, [PROXIED, REQUEST]) {
            return Err(odd());
        }
        Ok(control)
    }

    /// Has the server connect, and returns once it has or has not. To be awaited to its end.
    pub(super) async fn open(&mut self, to: &To) -> Result<Channel, Failure> {
        let lost = |_| Failure::Lost;
        self.stream.write_all(&channel::open(to)).await.map_err(lost)?;
        loop {
            let message = self.read().await.map_err(lost)?;
            match channel::opened(&message) {
                Ok(Some(Ok(channel))) => return Ok(channel),
                Ok(Some(Err(refused))) => {
                    self.is_spoiled = true;
                    return Err(Failure::Refused(refused));
                }
                // The rest of a channel that was on it before.
                Ok(None) => {}
                Err(_) => return Err(Failure::Lost),
            }
        }
    }

    async fn say(&mut self, numbers: &[u32]) -> io::Result<()> {
        let length = u32::try_from(numbers.len() * 4).expect("messages are short");
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        self.stream.write_all(&bytes).await
    }

    /// Reads a message, without its length.
    async fn read(&mut self) -> io::Result<Vec<u8>> {
        let length = self.stream.read_u32().await?;
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut message = vec![0; length as usize];
        self.stream.read_exact(&mut message).await?;
        Ok(message)
    }
}

const VERSION: u32 = 4;
const HELLO: u32 = 0x0000_0001;
const PROXY: u32 = 0x1000_000f;
const PROXIED: u32 = 0x8000_000f;

/// The number of a request. There is one a connection.
const REQUEST: u32 = 1;

/// The pause before another try to be accepted.
const AGAIN: Duration = Duration::from_millis(5);
