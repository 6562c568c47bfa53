//! Where the reads are cut makes no difference.

use proptest::prelude::*;
use websocket::{Decoder, Limits, Role};

use crate::stream::{frame, frame_with, from_seed};
use crate::views::{Came, agreed, bytes, messages};

/// Everything that there is, in less than 100 bytes.
fn short(role: Role) -> Vec<u8> {
    let text = "é€😀".as_bytes();
    [
        frame(role, 0x82, b""),
        frame(role, 0x01, &text[..4]),
        frame(role, 0x89, b"p"),
        frame(role, 0x00, b""),
        frame(role, 0x80, &text[4..]),
        frame(role, 0x8a, b""),
        frame(role, 0x81, b""),
        frame(role, 0x82, b"binary"),
        frame(role, 0x88, b"\x03\xe8bye"),
        b"what follows a close frame".to_vec(),
    ]
    .concat()
}

#[test]
fn every_cut_into_two_and_three() {
    for role in [Role::Server, Role::Client] {
        let stream = short(role);
        let outcome = agreed(role, Limits::default(), &stream, &[]);
        assert_eq!((outcome.came.len(), outcome.closed, outcome.error), (7, true, None));
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                assert_eq!(agreed(role, Limits::default(), &stream, &[first, second]), outcome);
            }
        }
    }
}

#[test]
fn byte_by_byte() {
    for role in [Role::Server, Role::Client] {
        let stream = [frame(role, 0x82, &[7; 126]), short(role)].concat();
        let pieces: Vec<_> = stream.chunks(1).collect();
        let new = || Decoder::new(role, Limits::default());
        assert_eq!(messages(new(), &pieces), messages(new(), &[&stream]));
        assert_eq!(bytes(new(), &pieces), bytes(new(), &[&stream]));
    }
}

#[test]
fn every_cut_before_an_error() {
    let key = Some([1, 2, 3, 4]);
    let faults = [
        frame(Role::Server, 0xc2, b"abc"),
        frame(Role::Server, 0x82 | 0x01, b"abc"),
        frame(Role::Server, 0x80, b"abc"),
        frame(Role::Server, 0x09, b"abc"),
        frame(Role::Server, 0x81, b"ab\xc3\xa9\xed\xa0\x80cd"),
        frame(Role::Server, 0x81, b"ab\xf0\x9f\x98"),
        frame(Role::Server, 0x88, b"\x03"),
        frame(Role::Server, 0x88, b"\x03\xee"),
        frame(Role::Server, 0x88, b"\x03\xe8\xff"),
        frame_with(0x82, None, 7, 3, b"abc"),
        frame_with(0x82, key, 16, 125, b"abc"),
        frame_with(0x82, key, 64, 65535, b"abc"),
        frame_with(0x82, key, 64, 1 << 63, b"abc"),
        frame_with(0x82, key, 7, 33, b"abc"),
        frame_with(0x89, key, 16, 126, b"abc"),
    ];
    for fault in faults {
        let before = [frame(Role::Server, 0x82, b"valid"), frame(Role::Server, 0x89, b"p")];
        let stream = [&before.concat()[..], &fault, b"junk"].concat();
        let limits = Limits { max_frame: 32, ..Limits::default() };
        let outcome = agreed(Role::Server, limits, &stream, &[]);
        let valid = [Came::Binary(b"valid".to_vec()), Came::Ping(b"p".to_vec())];
        assert_eq!(outcome.came, valid, "what came before the error is delivered");
        assert!(outcome.error.is_some(), "{fault:02x?}");
        assert_eq!(outcome.error.unwrap().frame, before.concat().len() as u64);
        for first in 0..=stream.len() {
            for second in first..=stream.len() {
                assert_eq!(agreed(Role::Server, limits, &stream, &[first, second]), outcome);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_cuts_of_long_streams(
        seed in prop::collection::vec(any::<u8>(), 0..2000),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
        server: bool,
    ) {
        let role = if server { Role::Server } else { Role::Client };
        agreed(role, Limits::default(), &from_seed(role, &seed), &cuts);
    }
}
