//! The bytes on the wire around a payload: blocks to send, made before the measurement, and the count of received
//! bytes.

use ::tests::data::Pattern;
use ::tests::ws::{Frame, Opcode};

/// The framing of an end's output. The input from its peer is framed in the opposite way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    /// Not at all.
    Plain,
    /// As a WebSocket client: masked.
    Masked,
}

/// The data of one write: whole messages, and their payload in all.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) payload: usize,
}

impl Block {
    /// Messages of `size` bytes, as many as make [`WRITE`] bytes of payload together; every frame has a different
    /// mask. A plain end gets the same payload in the same write.
    pub(crate) fn messages(framing: Framing, size: usize) -> Self {
        let bytes = match framing {
            Framing::Plain => pattern(),
            Framing::Masked => {
                let frames = pattern()
                    .chunks(size)
                    .map(|part| masked(Opcode::Binary, true, part))
                    .collect::<Vec<_>>();
                frames.concat()
            }
        };
        Self { bytes, payload: WRITE }
    }

    /// One message of `size` bytes.
    pub(crate) fn one(framing: Framing, size: usize) -> Self {
        let payload = &pattern()[..size];
        let bytes = match framing {
            Framing::Plain => payload.to_vec(),
            Framing::Masked => masked(Opcode::Binary, true, payload),
        };
        Self { bytes, payload: size }
    }

    /// [`WRITE`] bytes in the middle of a message whose frame has begun with [`header`].
    pub(crate) fn inside_a_frame() -> Self {
        let bytes =
            pattern().iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        Self { bytes, payload: WRITE }
    }

    /// [`WRITE`] fragments of one byte, in the middle of a message that has begun.
    pub(crate) fn fragments() -> Self {
        let frames = pattern()
            .chunks(1)
            .map(|byte| masked(Opcode::Continuation, false, byte))
            .collect::<Vec<_>>();
        Self { bytes: frames.concat(), payload: WRITE }
    }
}

/// The payload that every stream repeats from its start on.
pub(crate) fn pattern() -> Vec<u8> {
    Pattern::new(1).take(WRITE)
}

/// The head of one frame that holds a whole message of `size` bytes.
pub(crate) fn header(size: u64) -> Vec<u8> {
    let mut bytes = vec![0x82, 0x80 | 127];
    bytes.extend_from_slice(&size.to_be_bytes());
    bytes.extend_from_slice(&KEY);
    bytes
}

/// A client's frame.
pub(crate) fn masked(opcode: Opcode, last: bool, payload: &[u8]) -> Vec<u8> {
    // As good as random for the receiver that has to undo it, and the same in every run.
    let key =
        payload.iter().fold(0x9e37_79b9_u32, |key, byte| key.rotate_left(5) ^ u32::from(*byte));
    let mut frame = Frame::new(opcode, payload);
    frame.last = last;
    frame.encode(Some((key | 0x0101_0101).to_be_bytes()))
}

/// Finds the payload of data frames in a stream that is cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct Payloads {
    head: Vec<u8>,
    /// Of the frame that has begun.
    left: u64,
    data: bool,
    /// The payload of a ping that isn't whole yet.
    ping: Option<Vec<u8>>,
    /// The pongs to send: a listener ends a connection that leaves its pings unanswered.
    pongs: Vec<u8>,
}

impl Payloads {
    /// Hands on the payload. Frames are a server's: not masked.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut payload: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                if self.data {
                    payload(&bytes[..here]);
                } else if let Some(ping) = &mut self.ping {
                    ping.extend_from_slice(&bytes[..here]);
                }
                self.left -= here as u64;
                bytes = &bytes[here..];
            } else {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                if let Some(length) = length(&self.head) {
                    self.data = self.head[0] & 0x08 == 0;
                    self.ping = (self.head[0] & 0x0f == 0x09).then(Vec::new);
                    self.left = length;
                    self.head.clear();
                }
            }
            if self.left == 0
                && let Some(ping) = self.ping.take()
            {
                self.pongs.extend(masked(Opcode::Pong, true, &ping));
            }
        }
    }

    /// The answers to the pings that have come since this was asked last.
    pub(crate) fn take_pongs(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pongs)
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

/// Bytes of payload in one write, whatever the size of the messages in it: as much as a busy sender has at hand.
pub(crate) const WRITE: usize = 64 * 1024;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_found_however_the_stream_is_cut() {
        let frames = [
            Frame::new(Opcode::Binary, &[7; 64]).encode(None),
            Frame::new(Opcode::Ping, &[9; 9]).encode(None),
            Frame::new(Opcode::Text, &[7; 300]).encode(None),
            Frame::new(Opcode::Binary, &[7; 70_000]).encode(None),
            Frame::new(Opcode::Binary, &[]).encode(None),
        ];
        for size in [1, 2, 7, 1000, 1 << 20] {
            let (mut payloads, mut found) = (Payloads::default(), Vec::new());
            frames
                .concat()
                .chunks(size)
                .for_each(|piece| payloads.feed(piece, |data| found.extend_from_slice(data)));
            assert_eq!(found, [7; 64 + 300 + 70_000], "pieces of {size}");
            let pong = masked(Opcode::Pong, true, &[9; 9]);
            assert_eq!(payloads.take_pongs(), pong, "pieces of {size}");
            assert!(payloads.take_pongs().is_empty(), "answered once");
        }
    }

    #[test]
    fn every_block_says_the_same() {
        for size in [64, 1024, 16 * 1024, WRITE] {
            let block = Block::messages(Framing::Masked, size);
            assert_eq!(
                (unmask(&block.bytes), block.payload),
                (pattern(), WRITE),
                "messages of {size}"
            );
        }
        assert_eq!(Block::messages(Framing::Plain, 64).bytes, pattern());
        assert_eq!(unmask(&Block::fragments().bytes), pattern());
        let whole = [header(WRITE as u64), Block::inside_a_frame().bytes].concat();
        assert_eq!(unmask(&whole), pattern());
    }

    fn unmask(mut bytes: &[u8]) -> Vec<u8> {
        let mut payload = Vec::new();
        while !bytes.is_empty() {
            let head = (2..=14).find(|&count| length(&bytes[..count]).is_some()).unwrap();
            let (key, rest) = (&bytes[head - 4..head], &bytes[head..]);
            let count = usize::try_from(length(&bytes[..head]).unwrap()).unwrap();
            payload
                .extend(rest[..count].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
            bytes = &rest[count..];
        }
        payload
    }
}
