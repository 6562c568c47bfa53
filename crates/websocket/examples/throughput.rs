//! The cost of decoding: `cargo run --release -p websocket --example throughput`.
//!
//! Each round copies a 32 KiB read full of frames (decoding destroys it) and decodes it. The copy alone is measured as
//! well: it stands for the price of touching the bytes at all.
#![expect(clippy::print_stdout, reason = "a separate command")]
#![expect(clippy::disallowed_types, reason = "measures the processor, not a runtime's clock")]

use std::hint::black_box;
use std::time::Instant;

use websocket::{Decoder, Encoder, Event, Limits, Role, mask};

fn main() {
    println!("ns a message (GB/s of payload); medians of {ROUNDS} rounds");
    println!("{:28}{:>20}{:>20}{:>20}", "", "64 B", "1 KiB", "16 KiB");
    row("copy of the read alone", |size| {
        let read = frames(Role::Server, false, size);
        let mut buf = read.bytes.clone();
        measure(&read, || buf.copy_from_slice(black_box(&read.bytes)))
    });
    for (name, role) in [("server", Role::Server), ("client", Role::Client)] {
        row(&format!("compact, {name}"), |size| compact(role, false, size));
        row(&format!("compact, {name}, text"), |size| compact(role, true, size));
        row(&format!("next, {name}"), |size| next(role, size));
    }
}

fn row(name: &str, figure: impl Fn(usize) -> f64) {
    let cells = SIZES.map(|size| {
        let ns = figure(size);
        format!("{:>20}", format!("{ns:.1} ({:.1})", size as f64 / ns))
    });
    println!("{name:28}{}", cells.concat());
}

/// Frames as a peer of ours sends them.
struct Read {
    bytes: Vec<u8>,
    messages: usize,
}

fn frames(role: Role, text: bool, size: usize) -> Read {
    let peer = if role == Role::Server { Role::Client } else { Role::Server };
    let (mut encoder, mut bytes, mut seed) = (Encoder::new(peer), Vec::new(), 0x9e37_79b9_u32);
    let messages = (32 * 1024 / (size + 8)).max(1);
    for _ in 0..messages {
        let mut payload = vec![b'x'; size];
        let header = encoder.data(text, true, size as u64, || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()
        });
        if let Some(key) = header.key() {
            mask(key, 0, &mut payload);
        }
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&payload);
    }
    Read { bytes, messages }
}

fn compact(role: Role, text: bool, size: usize) -> f64 {
    let read = frames(role, text, size);
    let (mut buf, mut decoder) = (read.bytes.clone(), Decoder::new(role, Limits::default()));
    measure(&read, || {
        buf.copy_from_slice(&read.bytes);
        let compacted = decoder.compact(&mut buf, |_| {});
        assert_eq!(compacted.payload, read.messages * size);
    })
}

fn next(role: Role, size: usize) -> f64 {
    let read = frames(role, false, size);
    let (mut buf, mut decoder) = (read.bytes.clone(), Decoder::new(role, Limits::default()));
    measure(&read, || {
        buf.copy_from_slice(&read.bytes);
        let mut at = 0;
        while let Ok(Some(Event::Data(data))) = decoder.next(&mut buf, &mut at) {
            black_box(data);
        }
    })
}

/// Nanoseconds a message.
fn measure(read: &Read, mut round: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..READS).for_each(|_| round());
            start.elapsed().as_nanos() as f64 / (READS * read.messages) as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

const SIZES: [usize; 3] = [64, 1024, 16 * 1024];
const ROUNDS: usize = 31;
const READS: usize = 300;
