//! permessage-deflate: the examples of RFC 7692 §7.2.3, byte for byte.

use websocket::Role;
use websocket::deflate::{Bounds, Deflater, Inflater};

use crate::inflated::{FULL, inflate};

/// Messages of a server, inflated by a client: whole, and byte by byte both ways.
#[track_caller]
fn inflates(compressed: &[&[u8]], expected: &[&[u8]]) {
    for (size, room) in [(usize::MAX, 1000), (1, 1), (2, 3)] {
        let mut inflater = Inflater::new(Role::Client, &FULL, Bounds::default());
        for (compressed, expected) in compressed.iter().zip(expected) {
            let mut pieces: Vec<_> = compressed.chunks(size).collect();
            if pieces.is_empty() {
                pieces.push(&[]);
            }
            assert_eq!(inflate(&mut inflater, &pieces, room).unwrap(), *expected);
        }
    }
}

fn deflater() -> Deflater {
    Deflater::new(Role::Server, &FULL, 6).unwrap()
}

/// A message in one piece.
fn deflate(deflater: &mut Deflater, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    deflater.deflate(data, true, &mut out);
    out
}

const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

#[test]
fn a_message_compressed_using_one_compressed_block() {
    inflates(&[HELLO], &[b"Hello"]);
    assert_eq!(deflate(&mut deflater(), b"Hello"), HELLO);
    // In two fragments, as §7.2.3.1 has it too.
    let mut inflater = Inflater::new(Role::Client, &FULL, Bounds::default());
    assert_eq!(
        inflate(&mut inflater, &[b"\xf2\x48\xcd", b"\xc9\xc9\x07\x00"], 9).unwrap(),
        b"Hello"
    );
}

#[test]
fn sharing_the_window() {
    let second = b"\xf2\x00\x11\x00\x00";
    inflates(&[HELLO, second], &[b"Hello", b"Hello"]);
    let mut deflater = deflater();
    assert_eq!(deflate(&mut deflater, b"Hello"), HELLO);
    assert_eq!(deflate(&mut deflater, b"Hello"), second);
}

#[test]
fn a_block_with_no_compression() {
    let stored = b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00";
    inflates(&[stored, HELLO], &[b"Hello", b"Hello"]);
    let mut deflater = Deflater::new(Role::Server, &FULL, 0).unwrap();
    assert_eq!(deflate(&mut deflater, b"Hello"), stored);
}

#[test]
fn a_final_block() {
    let last = b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
    inflates(&[last, HELLO, last], &[b"Hello", b"Hello", b"Hello"]);
    // More blocks after it, in the same message; and an empty final one.
    inflates(&[&[&last[..7], HELLO].concat(), HELLO], &[b"HelloHello", b"Hello"]);
    inflates(&[b"\x03\x00\x03\x00\x00", HELLO], &[b"", b"Hello"]);
    // Without the byte of 0 behind it.
    inflates(&[&last[..7], HELLO], &[b"Hello", b"Hello"]);
    // A final block that is the empty stored one of the end.
    inflates(&[b"\xf2\x48\xcd\xc9\xc9\x07\x04", HELLO], &[b"Hello", b"Hello"]);
}

#[test]
fn two_blocks_in_one_message() {
    let two = b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00";
    inflates(&[two], &[b"Hello"]);
    let (mut deflater, mut out) = (deflater(), Vec::new());
    deflater.deflate(b"He", false, &mut out);
    // The peer can have it now.
    let mut inflater = Inflater::new(Role::Client, &FULL, Bounds::default());
    let mut room = [0; 9];
    let inflated = inflater.inflate(&out, false, &mut room).unwrap();
    assert_eq!((&room[..inflated.filled], inflated.done), (&b"He"[..], true));
    deflater.deflate(b"llo", true, &mut out);
    assert_eq!(out, two);
}

#[test]
fn an_empty_message() {
    inflates(&[b"\x00", b"", HELLO], &[b"", b"", b"Hello"]);
    let mut deflater = deflater();
    assert_eq!(deflate(&mut deflater, b""), b"\x00");
    assert!(!deflater.is_allocated());
    // An end without data adds nothing; a piece without data in the middle neither.
    let mut out = Vec::new();
    for (data, last) in [(&b"Hello"[..], false), (b"", false), (b"", true)] {
        deflater.deflate(data, last, &mut out);
    }
    assert_eq!(out, HELLO);
    assert_eq!(deflate(&mut deflater, b""), b"\x00");
    // Nor do two pieces of nothing make more of it, or less.
    out.clear();
    deflater.deflate(b"", false, &mut out);
    deflater.deflate(b"", true, &mut out);
    assert_eq!(out, b"\x00");
}
