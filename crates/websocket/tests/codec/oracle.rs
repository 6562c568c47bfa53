//! tungstenite reads the same stream: same messages, same verdict. The fuzz targets use it too. Where we differ on purpose:
//!
//! 1. It takes lengths in more bytes than they need; §5.2 forbids that.
//! 2. It takes close codes that mustn't be sent, and gives 1002 in their place; also for 1014, which is registered.
//! 3. It reads a frame to its end before it reports an error in its header, so that it is still waiting when we have
//!    refused already.
//! 4. It looks at text when the message is complete. We refuse at the first wrong byte, which may be frames before.

use std::io::{Read, Write};

use tokio_tungstenite::tungstenite::protocol::{self, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, error};
use websocket::{CloseCode, CloseFrame, Limits, Role, Violation};

use crate::views::{Came, Outcome, agreed};

/// Panics where the two differ and don't do so on purpose.
pub(crate) fn compare(role: Role, stream: &[u8], cuts: &[usize]) {
    let limits = Limits { max_frame: MAX_FRAME as u64, max_message: MAX_MESSAGE as u64 };
    let ours = agreed(role, limits, stream, cuts);
    let (theirs, verdict) = tungstenite(role, stream);
    let Some(error) = ours.error else {
        let expected = if ours.closed { Verdict::Closed } else { Verdict::Waiting };
        assert_eq!(verdict, expected, "{ours:?}");
        assert_eq!(without_1014(ours), theirs);
        return;
    };
    let on_purpose = match error.violation {
        Violation::NonMinimalLength(_) | Violation::CloseCode(_) => true,
        Violation::InvalidText => verdict == Verdict::Closed,
        _ => false,
    };
    assert!(on_purpose || verdict != Verdict::Closed, "we refuse: {error}");
    assert!(theirs.starts_with(&ours.came), "{ours:?}, and {theirs:?}");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// All that came is right, and more is expected; or it isn't known yet (3).
    Waiting,
    Closed,
    Refused,
}

fn tungstenite(role: Role, stream: &[u8]) -> (Vec<Came>, Verdict) {
    // Its own 128 KiB are zeroed for every stream: they would be most of what a fuzzer does.
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_MESSAGE));
    let role = match role {
        Role::Server => protocol::Role::Server,
        Role::Client => protocol::Role::Client,
    };
    let mut socket = WebSocket::from_raw_socket(Socket(stream), role, Some(config));
    let mut came = Vec::new();
    loop {
        came.push(match socket.read() {
            Ok(Message::Text(text)) => Came::Text(text.as_bytes().to_vec()),
            Ok(Message::Binary(data)) => Came::Binary(data.to_vec()),
            Ok(Message::Ping(data)) => Came::Ping(data.to_vec()),
            Ok(Message::Pong(data)) => Came::Pong(data.to_vec()),
            Ok(Message::Close(frame)) => {
                let frame = frame.map(|frame| {
                    CloseFrame::new(u16::from(frame.code).into(), &frame.reason).unwrap()
                });
                came.push(Came::Close(frame));
                return (came, Verdict::Closed);
            }
            Ok(Message::Frame(_)) => unreachable!("not given out by read"),
            Err(Error::Protocol(error::ProtocolError::ResetWithoutClosingHandshake)) => {
                return (came, Verdict::Waiting);
            }
            Err(_) => return (came, Verdict::Refused),
        });
    }
}

/// (2).
fn without_1014(ours: Outcome) -> Vec<Came> {
    let replace = |came| match came {
        Came::Close(Some(frame)) if u16::from(frame.code()) == 1014 => {
            Came::Close(CloseFrame::new(CloseCode::Protocol, "Protocol violation"))
        }
        came => came,
    };
    ours.came.into_iter().map(replace).collect()
}

struct Socket<'s>(&'s [u8]);

impl Read for Socket<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf)
    }
}

/// Pongs and the answer to a Close go nowhere.
impl Write for Socket<'_> {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const MAX_FRAME: usize = 1 << 16;
const MAX_MESSAGE: usize = 1 << 17;
