//! The two ends of the load: a plain or a WebSocket stream that sends and receives by the amount.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ::tests::ws::{Frame, Opcode};

/// How long anything may stand still before it is a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is given to the kernel at once.
const WRITE: usize = 64 * 1024;

/// A WebSocket peer has that much ready when it sends many small messages.
const BATCH: usize = 4 * 1024;

/// What is on the wire around the payload that this end sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    /// Nothing.
    Plain,
    /// Frames of a WebSocket client.
    Masked,
    /// Frames of a WebSocket server.
    Unmasked,
}

/// A stream with timeouts.
pub(crate) trait Stream: Read + Write + Send {
    /// Bounds every write.
    fn limit_writes(&self, limit: Duration);
    /// Bounds every read.
    fn limit_reads(&self, limit: Duration);
}

/// One end of one connection.
pub(crate) struct End {
    stream: Box<dyn Stream>,
    framing: Framing,
    incoming: Payloads,
    buffer: Vec<u8>,
}

impl End {
    pub(crate) fn new(stream: impl Stream + 'static, framing: Framing) -> Self {
        stream.limit_writes(PATIENCE);
        stream.limit_reads(PATIENCE);
        Self {
            stream: Box::new(stream),
            framing,
            incoming: Payloads::default(),
            buffer: Vec::new(),
        }
    }

    /// Sends `total` bytes of payload in messages of `message` bytes.
    ///
    /// On a plain stream every message is a write of its own; frames are written as many as are at hand.
    pub(crate) fn send(&mut self, total: u64, message: usize) {
        let one = self.wire(message);
        let batch =
            if self.framing == Framing::Plain || message >= BATCH { 1 } else { BATCH / message };
        let block = one.repeat(batch);
        let messages = total / message as u64;
        for _ in 0..messages / batch as u64 {
            self.write(&block);
        }
        for _ in 0..messages % batch as u64 {
            self.write(&one);
        }
    }

    /// Receives until `total` bytes of payload have come.
    pub(crate) fn receive(&mut self, total: u64) {
        // Grown on first use: a thousand idle connections need none.
        self.buffer.resize(WRITE.min(usize::try_from(total.max(64) * 2).unwrap_or(WRITE)), 0);
        let mut got = 0;
        while got < total {
            let count = match self.stream.read(&mut self.buffer) {
                Ok(0) => panic!("ended after {got} of {total} bytes"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("after {got} of {total} bytes: {error}"),
            };
            got += match self.framing {
                Framing::Plain => count as u64,
                _ => self.incoming.count(&self.buffer[..count]),
            };
        }
    }

    /// Sends until nothing has been taken for half a second, or `most` bytes have: returns how many.
    pub(crate) fn push(&mut self, most: u64) -> u64 {
        let block = self.wire(WRITE);
        self.stream.limit_writes(Duration::from_millis(500));
        let (mut sent, mut at) = (0, 0);
        while sent < most {
            match self.stream.write(&block[at..]) {
                Ok(count) => {
                    sent += count as u64;
                    at = (at + count) % block.len();
                }
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    break;
                }
                Err(error) => panic!("after {sent} bytes: {error}"),
            }
        }
        sent
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap_or_else(|error| panic!("cannot send: {error}"));
    }

    fn wire(&self, message: usize) -> Vec<u8> {
        let payload = ::tests::data::Pattern::new(1).take(message);
        let mask = match self.framing {
            Framing::Plain => return payload,
            Framing::Masked => Some([0x37, 0xfa, 0x21, 0x3d]),
            Framing::Unmasked => None,
        };
        Frame::new(Opcode::Binary, &payload).encode(mask)
    }
}

impl Stream for TcpStream {
    fn limit_writes(&self, limit: Duration) {
        self.set_write_timeout(Some(limit)).expect("a socket has timeouts");
    }

    fn limit_reads(&self, limit: Duration) {
        self.set_read_timeout(Some(limit)).expect("a socket has timeouts");
    }
}

impl Stream for UnixStream {
    fn limit_writes(&self, limit: Duration) {
        self.set_write_timeout(Some(limit)).expect("a socket has timeouts");
    }

    fn limit_reads(&self, limit: Duration) {
        self.set_read_timeout(Some(limit)).expect("a socket has timeouts");
    }
}

/// Counts the payload of data frames in a stream that is cut anywhere.
#[derive(Debug, Default)]
struct Payloads {
    head: Vec<u8>,
    /// Of the frame that has begun.
    left: u64,
    data: bool,
}

impl Payloads {
    fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut counted = 0;
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = self.left.min(bytes.len() as u64);
                self.left -= here;
                counted += if self.data { here } else { 0 };
                bytes = &bytes[usize::try_from(here).expect("no more than is there")..];
            } else {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                if let Some(length) = length(&self.head) {
                    self.data = self.head[0] & 0x08 == 0;
                    self.left = length;
                    self.head.clear();
                }
            }
        }
        counted
    }
}

/// The length in a head, when the head is whole, its mask included.
fn length(head: &[u8]) -> Option<u64> {
    let [_, second, rest @ ..] = head else { return None };
    let (size, length) = match second & 0x7f {
        126 => (2, u64::from(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?))),
        127 => (8, u64::from_be_bytes(rest.get(..8)?.try_into().ok()?)),
        short => (0, u64::from(short)),
    };
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    (rest.len() == size + mask).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_counted_however_the_stream_is_cut() {
        let mask = Some([1, 2, 3, 4]);
        let frames = [
            Frame::new(Opcode::Binary, &[7; 64]).encode(None),
            Frame::new(Opcode::Ping, &[7; 9]).encode(mask),
            Frame::new(Opcode::Text, &[7; 300]).encode(mask),
            Frame::new(Opcode::Binary, &[7; 70_000]).encode(None),
            Frame::new(Opcode::Binary, &[]).encode(mask),
        ];
        for size in [1, 2, 7, 1000, 1 << 20] {
            let mut payloads = Payloads::default();
            let total: u64 = frames.concat().chunks(size).map(|piece| payloads.count(piece)).sum();
            assert_eq!(total, 64 + 300 + 70_000, "pieces of {size}");
        }
    }

    #[test]
    fn ends_of_every_framing_agree_on_the_amount() {
        for (sends, receives) in [
            (Framing::Plain, Framing::Plain),
            (Framing::Masked, Framing::Unmasked),
            (Framing::Unmasked, Framing::Masked),
        ] {
            let (here, there) = UnixStream::pair().unwrap();
            let (mut sender, mut receiver) = (End::new(here, sends), End::new(there, receives));
            for (total, message) in [(64, 64), (64 * 1001, 64), (3 << 20, 64 * 1024)] {
                std::thread::scope(|scope| {
                    scope.spawn(|| sender.send(total, message));
                    receiver.receive(total);
                });
            }
            assert_eq!(receiver.incoming.left, 0, "nothing is left of a frame");
        }
    }
}
