//! Streams of frames: by hand, and out of random bytes. Encodes by itself, so as not to believe the encoder.

use websocket::Role;

/// A frame as the peer of `role` sends it: masked if `role` is a server. `first` is FIN, RSV and opcode.
pub(crate) fn frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len();
    let bits = match len {
        0..=125 => 7,
        126..=0xffff => 16,
        _ => 64,
    };
    frame_with(first, (role == Role::Server).then_some(KEY), bits, len as u64, payload)
}

/// Any frame: also with another length than it has, in a field of 7, 16 or 64 bits.
pub(crate) fn frame_with(
    first: u8,
    key: Option<[u8; 4]>,
    bits: u8,
    len: u64,
    payload: &[u8],
) -> Vec<u8> {
    let mut frame = vec![first];
    let masked = if key.is_some() { 0x80 } else { 0 };
    match bits {
        7 => frame.push(masked | len as u8),
        16 => {
            frame.push(masked | 126);
            frame.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            frame.push(masked | 127);
            frame.extend_from_slice(&len.to_be_bytes());
        }
    }
    frame.extend_from_slice(&key.unwrap_or_default()[..if key.is_some() { 4 } else { 0 }]);
    let key = key.unwrap_or_default();
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

/// Turns random bytes into a stream that is mostly right: commands with arguments.
pub(crate) fn from_seed(role: Role, seed: &[u8]) -> Vec<u8> {
    let (mut seed, mut stream, mut open) = (Seed(seed), Vec::new(), false);
    let key = (role == Role::Server).then_some([0x80, 0x0f, 0xc3, 0x01]);
    while let Some(command) = seed.byte() {
        let flag = command & 0x10 != 0;
        let data = |open: bool| if open { 0 } else { 1 + u8::from(flag) };
        match command & 0x0f {
            // A fragment, a last one, of whatever bytes.
            0 => {
                stream.extend(frame(role, data(open), seed.some()));
                open = true;
            }
            1..=3 => {
                stream.extend(frame(role, 0x80 | data(open), seed.some()));
                open = false;
            }
            // Text of one to four bytes a character, in three frames cut anywhere, with a ping between.
            4..=7 => {
                let text: String = seed.some().iter().map(|b| CHARS[usize::from(b % 8)]).collect();
                let text = text.as_bytes();
                let mut cuts = [seed.upto(text.len()), seed.upto(text.len())];
                cuts.sort_unstable();
                stream.extend(frame(role, if open { 0 } else { 1 }, &text[..cuts[0]]));
                stream.extend(frame(role, 0, &text[cuts[0]..cuts[1]]));
                stream.extend(frame(role, 0x89, b"between"));
                stream.extend(frame(role, 0x80, &text[cuts[1]..]));
                open = false;
            }
            8 => stream.extend(frame(role, 0x89, seed.some())),
            9 => stream.extend(frame(role, 0x8a, seed.some())),
            // Long enough for the other two kinds of length.
            10 => {
                let len = 100 + usize::from(seed.byte().unwrap_or(0)) * if flag { 400 } else { 1 };
                stream.extend(frame(role, 0x80 | data(open), &vec![command; len]));
                open = false;
            }
            11 if flag => stream.extend(frame(role, 0x88, seed.some())),
            11 => {
                let code = [1000, 1001, 1005, 1011, 1014, 2999, 3000, 5000][seed.upto(7)];
                let body = [&u16::to_be_bytes(code)[..], seed.some()].concat();
                stream.extend(frame(role, 0x88, &body));
            }
            // From here on it is mostly wrong: first byte, mask, length, anything.
            12 => stream.extend(frame(role, seed.byte().unwrap_or(0), seed.some())),
            13 => {
                let key = if key.is_some() { None } else { Some([1, 2, 3, 4]) };
                stream.extend(frame_with(0x82, key, 7, 3, b"abc"));
            }
            14 => {
                let len = u64::from(seed.byte().unwrap_or(0)) << seed.upto(63);
                stream.extend(frame_with(0x82, key, if flag { 16 } else { 64 }, len, seed.some()));
            }
            _ => stream.extend_from_slice(seed.some()),
        }
    }
    stream
}

struct Seed<'s>(&'s [u8]);

impl<'s> Seed<'s> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    /// A few bytes, often none.
    fn some(&mut self) -> &'s [u8] {
        let len = usize::from(self.byte().unwrap_or(0) % 24).min(self.0.len());
        let (some, rest) = self.0.split_at(len);
        self.0 = rest;
        some
    }

    fn upto(&mut self, max: usize) -> usize {
        usize::from(self.byte().unwrap_or(0)) % (max + 1)
    }
}

pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
const CHARS: [char; 8] = ['a', 'b', 'é', 'ß', '€', '한', '😀', '\u{10ffff}'];
