//! Any bytes as compressed messages: no panic, nothing beyond the bounds, and the same however they are cut. And any
//! bytes as messages to compress: they come out again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket::deflate::{Bounds, Deflater, Inflater, Params};
use websocket::{Role, Violation};

#[path = "../../tests/codec/inflated.rs"]
mod inflated;

use inflated::{FULL, inflate};

fuzz_target!(|input: (bool, u8, u8, u8, [&[u8]; 2])| {
    let (alone, size, room, level, messages) = input;
    let (size, room) = (usize::from(size).max(1), usize::from(room).max(1));
    let params =
        Params { client_no_context_takeover: alone, client_max_window_bits: 9 + level % 7, ..FULL };
    compressed(&params, &messages, size, room);
    plain(&params, &messages, size, room, u32::from(level) % 10);
});

fn compressed(params: &Params, messages: &[&[u8]], size: usize, room: usize) {
    let bounds = Bounds { max_message: MAX, ..Bounds::default() };
    let mut whole = Inflater::new(Role::Server, params, bounds);
    let mut pieces = Inflater::new(Role::Server, params, bounds);
    for message in messages {
        let cut: Vec<_> =
            if message.is_empty() { vec![*message] } else { message.chunks(size).collect() };
        let (ours, theirs) =
            (inflate(&mut whole, &[message], 4096), inflate(&mut pieces, &cut, room));
        match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
            (Err((ours, violation)), Err((theirs, same))) => {
                assert_eq!(ours, theirs);
                assert!(ours.len() as u64 <= MAX);
                let big =
                    |violation: &Violation| matches!(violation, Violation::MessageTooBig { .. });
                // In one go, what is wrong behind the bound may be seen as well.
                assert!(violation == same || big(violation) || big(same));
                return;
            }
            differ => panic!("{differ:?}"),
        }
    }
}

fn plain(params: &Params, messages: &[&[u8]], size: usize, room: usize, level: u32) {
    let mut deflater = Deflater::new(Role::Client, params, level).expect("9 bits or more");
    let mut inflater = Inflater::new(Role::Server, params, Bounds::default());
    for message in messages {
        let (mut compressed, mut cut) = (Vec::new(), message.chunks(size).peekable());
        while let Some(piece) = cut.next() {
            deflater.deflate(piece, cut.peek().is_none(), &mut compressed);
        }
        if message.is_empty() {
            deflater.deflate(message, true, &mut compressed);
        }
        assert_eq!(inflate(&mut inflater, &[&compressed], room).as_deref(), Ok(*message));
    }
}

const MAX: u64 = 50_000;
