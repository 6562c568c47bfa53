//! One thing that the codec does, many times, for a tool that counts instructions: `cargo xtask bench --instructions`.
//!
//! The counted work is in [`counted`]; everything else is preparation. Prints how often it was done.
#![expect(clippy::print_stdout, reason = "a separate command")]

use std::hint::black_box;
use std::process::ExitCode;

use websocket::{Decoder, Encoder, Event, Limits, Role, mask};

fn main() -> ExitCode {
    let times = match std::env::args().nth(1).as_deref() {
        Some("decode-64") => decode(false, 64),
        Some("decode-1k") => decode(false, 1024),
        Some("decode-16k") => decode(false, 16 * 1024),
        Some("decode-text-1k") => decode(true, 1024),
        Some("events-64") => events(64),
        Some("encode-64") => encode(Role::Server, 64),
        Some("encode-masked-16k") => encode(Role::Client, 16 * 1024),
        _ => return ExitCode::FAILURE,
    };
    println!("{times}");
    ExitCode::SUCCESS
}

/// Out of the frames of a client, all in a read: what a server's byte view does.
fn decode(text: bool, size: usize) -> usize {
    let frames = frames(text, size);
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    for _ in 0..ROUNDS {
        let mut read = frames.clone();
        let compacted = counted(|| decoder.compact(&mut read, |_| {}));
        assert_eq!(compacted.payload, MESSAGES * size);
    }
    ROUNDS * MESSAGES
}

/// The same message by message.
fn events(size: usize) -> usize {
    let frames = frames(false, size);
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    for _ in 0..ROUNDS {
        let mut read = frames.clone();
        counted(|| {
            let mut at = 0;
            while let Ok(Some(Event::Data(data))) = decoder.next(&mut read, &mut at) {
                black_box(data);
            }
        });
    }
    ROUNDS * MESSAGES
}

fn encode(role: Role, size: usize) -> usize {
    let mut encoder = Encoder::new(role);
    let mut payload = vec![b'x'; size];
    counted(|| {
        for _ in 0..ROUNDS * MESSAGES {
            let header = black_box(encoder.data(false, true, size as u64, || KEY));
            if let Some(key) = header.key() {
                mask(key, 0, &mut payload);
            }
        }
    });
    ROUNDS * MESSAGES
}

fn frames(text: bool, size: usize) -> Vec<u8> {
    let (mut client, mut bytes) = (Encoder::new(Role::Client), Vec::new());
    for _ in 0..MESSAGES {
        let mut payload = vec![b'x'; size];
        let header = client.data(text, true, size as u64, || KEY);
        mask(KEY, 0, &mut payload);
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&payload);
    }
    bytes
}

/// The tool knows it by its name.
#[inline(never)]
fn counted<T>(act: impl FnOnce() -> T) -> T {
    act()
}

const MESSAGES: usize = 20;
const ROUNDS: usize = 100;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
