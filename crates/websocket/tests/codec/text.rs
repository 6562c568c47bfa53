//! UTF-8 over frames and reads, as Autobahn's groups 6 and 7.5 want it.

use proptest::prelude::*;
use websocket::{Decoder, Limits, Role, Violation};

use crate::stream::frame;
use crate::views::{Came, Outcome, agreed, messages};

/// A text message in these fragments, without the end of the last unless `whole`.
fn text(fragments: &[&[u8]], whole: bool) -> Outcome {
    let mut stream = Vec::new();
    for (i, fragment) in fragments.iter().enumerate() {
        let fin = if whole && i + 1 == fragments.len() { 0x80 } else { 0 };
        stream.extend(frame(Role::Server, fin | u8::from(i == 0), fragment));
    }
    agreed(Role::Server, Limits::default(), &stream, &[9, 17, 23])
}

#[test]
fn good_text() {
    let good = [
        "",
        "\0",
        "Hello-µ@ßöäüàá-UTF-8!!",
        "κόσμε",
        "\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}",
        "\u{fffe}\u{feff}\u{fdd0}\u{1fffe}",
    ];
    for good in good {
        let bytes = good.as_bytes();
        for cut in 0..=bytes.len() {
            let outcome = text(&[&bytes[..cut], b"", &bytes[cut..]], true);
            assert_eq!((outcome.came, outcome.error), (vec![Came::Text(bytes.to_vec())], None));
        }
        let each: Vec<_> = bytes.chunks(1).chain([&b""[..]]).collect();
        assert_eq!(text(&each, true).came, [Came::Text(bytes.to_vec())]);
    }
}

/// Bytes, and at which of them it is certain that they are wrong.
const BAD: &[(&[u8], usize)] = &[
    // Continuations without a lead; leads that never are.
    (b"\x80", 0),
    (b"\xbf\xbf", 0),
    (b"\xc0\xaf", 0),
    (b"\xc1\xbf", 0),
    (b"\xf5\x80\x80\x80", 0),
    (b"\xfe", 0),
    (b"\xff", 0),
    // Too long for what they say.
    (b"\xe0\x80\xaf", 1),
    (b"\xe0\x9f\xbf", 1),
    (b"\xf0\x80\x80\xaf", 1),
    (b"\xf0\x8f\xbf\xbf", 1),
    // Surrogates, alone and in pairs.
    (b"\xed\xa0\x80", 1),
    (b"\xed\xbf\xbf", 1),
    (b"\xed\xa0\x80\xed\xb0\x80", 1),
    // Above U+10FFFF: 6.4.
    (b"\xf4\x90\x80\x80", 1),
    // Cut off by something else.
    (b"\xc3a", 1),
    (b"\xe2\x82a", 2),
    (b"\xf0\x9f\x98a", 3),
    (b"\xf0\x9f\x98\xc3\xa9", 3),
    (b"\xe2\xe2\x82\xac", 1),
];

#[test]
fn bad_text_fails_at_the_first_byte_that_nothing_can_mend() {
    // 64 bytes are where simdutf8 begins to work in blocks.
    for before in ["", "a", "κόσμε", &"a".repeat(63), &"é".repeat(100)] {
        for (bad, at) in BAD {
            let bytes = [before.as_bytes(), bad, b"edited"].concat();
            for cut in before.len()..=bytes.len() {
                let outcome = text(&[&bytes[..cut], &bytes[cut..]], false);
                let violation = outcome.error.map(|error| error.violation);
                assert_eq!(violation, Some(Violation::InvalidText), "{bad:02x?} cut at {cut}");
                assert_eq!(outcome.rest, &bytes[..before.len() + at], "{bad:02x?} cut at {cut}");
            }
        }
    }
}

#[test]
fn it_fails_without_the_rest_of_the_frame() {
    // Autobahn 6.4.3 and 6.4.4: the frame is longer than what has come of it.
    let stream = frame(Role::Client, 0x81, b"\xce\xba\xf4\x90\x80\x80\x80edited");
    let decoder = || Decoder::new(Role::Client, Limits::default());
    assert_eq!(messages(decoder(), &[&stream[..5]]).error, None);
    assert_eq!(messages(decoder(), &[&stream[..5], &stream[5..6]]).rest, b"\xce\xba\xf4");
    assert!(messages(decoder(), &[&stream[..5], &stream[5..6]]).error.is_some());
}

#[test]
fn a_message_must_not_end_inside_a_character() {
    for cut in [&b"\xc3"[..], b"\xe2\x82", b"\xf0\x9f\x98", b"ab\xf0"] {
        for fragments in [&[cut][..], &[cut, b""]] {
            let outcome = text(fragments, true);
            assert_eq!(outcome.error.map(|error| error.violation), Some(Violation::InvalidText));
            // All of its bytes could have been right: only the end is wrong, and isn't given out.
            assert_eq!((outcome.came, outcome.rest), (vec![], cut.to_vec()));
        }
    }
}

#[test]
fn a_new_message_begins_anew() {
    let stream = [
        frame(Role::Client, 0x01, b"\xe2\x82"),
        frame(Role::Client, 0x80, b"\xac"),
        frame(Role::Client, 0x82, b"\xe2\x82"),
        frame(Role::Client, 0x81, b"a"),
    ];
    let outcome = agreed(Role::Client, Limits::default(), &stream.concat(), &[3, 4, 9]);
    assert_eq!((outcome.came.len(), outcome.error), (3, None));
}

#[test]
fn a_ping_inside_a_character() {
    let stream = [
        frame(Role::Client, 0x01, b"\xf0\x9f"),
        frame(Role::Client, 0x89, b"\xff\xff"),
        frame(Role::Client, 0x80, b"\x98\x80"),
    ];
    let outcome = agreed(Role::Client, Limits::default(), &stream.concat(), &[]);
    let expected = [Came::Ping(vec![0xff, 0xff]), Came::Text("😀".into())];
    assert_eq!(outcome.came, expected);
}

#[test]
fn the_check_can_be_left_out() {
    let stream = frame(Role::Client, 0x81, b"\xff\xc3");
    let decoder = Decoder::new(Role::Client, Limits::default()).check_text(false);
    assert_eq!(messages(decoder, &[&stream]).came, [Came::Text(b"\xff\xc3".to_vec())]);
    let close = frame(Role::Client, 0x88, b"\x03\xe8\xff");
    let decoder = Decoder::new(Role::Client, Limits::default()).check_text(false);
    assert!(messages(decoder, &[&close]).error.is_some(), "reasons are checked all the same");
}

proptest! {
    /// Most of the bytes are from the borders between leads and continuations.
    #[test]
    fn the_verdict_is_that_of_std(
        bytes in prop::collection::vec(prop_oneof![
            Just(0x41), Just(0x80), Just(0x8f), Just(0x90), Just(0x9f), Just(0xa0), Just(0xbf),
            Just(0xc2), Just(0xe0), Just(0xe1), Just(0xed), Just(0xf0), Just(0xf4), any::<u8>(),
        ], 0..12),
        cut in any::<usize>(),
    ) {
        let cut = cut % (bytes.len() + 1);
        let outcome = text(&[&bytes[..cut], &bytes[cut..]], true);
        match std::str::from_utf8(&bytes) {
            Ok(_) => prop_assert_eq!(outcome.came, [Came::Text(bytes)]),
            Err(error) => {
                prop_assert_eq!(outcome.error.unwrap().violation, Violation::InvalidText);
                prop_assert!(outcome.rest.len() >= error.valid_up_to());
                prop_assert!(bytes.starts_with(&outcome.rest));
            }
        }
    }
}
