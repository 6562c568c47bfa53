//! Everything that a peer can do wrong, with its close code.

use websocket::{CloseCode, Decoder, FrameHeader, Limits, OpCode, ProtocolError, Role, Violation};

use crate::stream::{frame, frame_with};
use crate::views::{Came, agreed, bytes, messages};

/// The only error in a stream for a client; cut in the middle as well.
fn violation(stream: &[u8]) -> Violation {
    violation_with(Limits::default(), stream)
}

fn violation_with(limits: Limits, stream: &[u8]) -> Violation {
    let outcome = agreed(Role::Client, limits, stream, &[stream.len() / 2]);
    outcome.error.unwrap_or_else(|| panic!("{stream:02x?} is no violation")).violation
}

#[test]
fn each_has_its_close_code() {
    let long = [0; 126];
    let table = [
        (frame(Role::Client, 0xc2, b""), 1002, Violation::ReservedBits),
        (frame(Role::Client, 0xa2, b""), 1002, Violation::ReservedBits),
        (frame(Role::Client, 0x92, b""), 1002, Violation::ReservedBits),
        (frame(Role::Client, 0xd9, b""), 1002, Violation::ReservedBits),
        (frame(Role::Client, 0x83, b""), 1002, Violation::ReservedOpcode(3)),
        (frame(Role::Client, 0x07, b""), 1002, Violation::ReservedOpcode(7)),
        (frame(Role::Client, 0x8b, b""), 1002, Violation::ReservedOpcode(11)),
        (frame(Role::Client, 0x8f, b""), 1002, Violation::ReservedOpcode(15)),
        (frame(Role::Client, 0x08, b""), 1002, Violation::FragmentedControl(OpCode::Close)),
        (frame(Role::Client, 0x09, b""), 1002, Violation::FragmentedControl(OpCode::Ping)),
        (frame(Role::Client, 0x0a, b""), 1002, Violation::FragmentedControl(OpCode::Pong)),
        (frame(Role::Client, 0x88, &long), 1002, Violation::LongControl(OpCode::Close)),
        (frame(Role::Client, 0x89, &long), 1002, Violation::LongControl(OpCode::Ping)),
        (frame(Role::Client, 0x8a, &long), 1002, Violation::LongControl(OpCode::Pong)),
        (frame(Role::Client, 0x80, b"a"), 1002, Violation::UnexpectedContinuation),
        (frame(Role::Client, 0x00, b"a"), 1002, Violation::UnexpectedContinuation),
        (
            [frame(Role::Client, 0x82, b"a"), frame(Role::Client, 0x80, b"a")].concat(),
            1002,
            Violation::UnexpectedContinuation,
        ),
        (
            [frame(Role::Client, 0x02, b"a"), frame(Role::Client, 0x82, b"a")].concat(),
            1002,
            Violation::UnfinishedMessage(OpCode::Binary),
        ),
        (
            [frame(Role::Client, 0x02, b""), frame(Role::Client, 0x01, b"a")].concat(),
            1002,
            Violation::UnfinishedMessage(OpCode::Text),
        ),
        (frame(Role::Server, 0x82, b"a"), 1002, Violation::Masked),
        (frame(Role::Server, 0x89, b""), 1002, Violation::Masked),
        (frame_with(0x82, None, 16, 0, b""), 1002, Violation::NonMinimalLength(0)),
        (frame_with(0x82, None, 16, 125, b""), 1002, Violation::NonMinimalLength(125)),
        (frame_with(0x82, None, 64, 0, b""), 1002, Violation::NonMinimalLength(0)),
        (frame_with(0x82, None, 64, 65535, b""), 1002, Violation::NonMinimalLength(65535)),
        (frame_with(0x82, None, 64, 1 << 63, b""), 1002, Violation::LengthTooBig),
        (frame_with(0x82, None, 64, u64::MAX, b""), 1002, Violation::LengthTooBig),
        (frame(Role::Client, 0x88, b"\x03"), 1002, Violation::CloseLength),
        (frame(Role::Client, 0x88, b"\x03\xe8\xc3"), 1007, Violation::InvalidReason),
        (frame(Role::Client, 0x88, b"\x03\xe8\xed\xa0\x80"), 1007, Violation::InvalidReason),
        (frame(Role::Client, 0x81, b"\xff"), 1007, Violation::InvalidText),
    ];
    for (stream, code, expected) in table {
        assert_eq!(violation(&stream), expected, "{stream:02x?}");
        assert_eq!(u16::from(expected.close_code()), code, "{expected}");
    }
}

#[test]
fn a_server_takes_masked_frames_only() {
    for first in [0x82, 0x89, 0x88] {
        let stream = frame_with(first, None, 7, 0, b"");
        let outcome = agreed(Role::Server, Limits::default(), &stream, &[1]);
        let expected = ProtocolError { violation: Violation::Unmasked, frame: 0 };
        assert_eq!(outcome.error, Some(expected));
        assert_eq!(expected.close_code(), CloseCode::Protocol);
    }
}

#[test]
fn every_close_code() {
    for code in 0..=u16::MAX {
        let stream = frame(Role::Client, 0x88, &code.to_be_bytes());
        let outcome = agreed(Role::Client, Limits::default(), &stream, &[3]);
        if matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
            let Some(Came::Close(Some(frame))) = outcome.came.first() else { panic!("{code}") };
            assert_eq!(u16::from(frame.code()), code);
        } else {
            assert_eq!(outcome.error.unwrap().violation, Violation::CloseCode(code));
        }
    }
}

#[test]
fn limits_hold_before_any_payload() {
    let limits = Limits { max_frame: 10, max_message: 15 };
    let ten = frame(Role::Client, 0x02, &[0; 10]);
    assert_eq!(agreed(Role::Client, limits, &ten, &[]).error, None);
    let header =
        FrameHeader { fin: true, rsv1: false, opcode: OpCode::Binary, len: 11, key: None }.encode();
    let expected = Violation::FrameTooBig { len: 11, max: 10 };
    assert_eq!(violation_with(limits, &header), expected);
    assert_eq!(expected.close_code(), CloseCode::Size);

    let more =
        FrameHeader { fin: true, rsv1: false, opcode: OpCode::Continuation, len: 6, key: None }
            .encode();
    let expected = Violation::MessageTooBig { len: 16, max: 15 };
    assert_eq!(violation_with(limits, &[&ten[..], &more].concat()), expected);
    assert_eq!(expected.close_code(), CloseCode::Size);
}

#[test]
fn limits_are_per_message_and_for_data_only() {
    let limits = Limits { max_frame: 10, max_message: 10 };
    let stream = [
        frame(Role::Client, 0x82, &[0; 10]),
        frame(Role::Client, 0x89, &[0; 125]),
        frame(Role::Client, 0x82, &[0; 10]),
    ];
    assert_eq!(agreed(Role::Client, limits, &stream.concat(), &[]).came.len(), 3);
}

#[test]
fn an_error_says_what_and_where() {
    let stream = [frame(Role::Client, 0x82, b"abc"), frame(Role::Client, 0x09, b"")].concat();
    let error = agreed(Role::Client, Limits::default(), &stream, &[]).error.unwrap();
    assert_eq!(error.to_string(), "a fragmented ping frame, in the frame at byte 5 of the stream");
    let close = error.close_frame();
    assert_eq!((close.code(), close.reason()), (CloseCode::Protocol, "a fragmented ping frame"));
}

#[test]
fn what_follows_a_close_frame_is_ignored() {
    let stream = [frame(Role::Client, 0x88, b""), vec![0xff; 40]].concat();
    let outcome = agreed(Role::Client, Limits::default(), &stream, &[1, 2, 3, 20]);
    assert_eq!(outcome.came, [Came::Close(None)]);
    assert!(outcome.closed);
}

#[test]
fn text_can_be_refused_for_its_type() {
    let stream = [frame(Role::Client, 0x82, b"ok"), frame(Role::Client, 0x81, b"text")].concat();
    for size in 1..=stream.len() {
        let pieces: Vec<_> = stream.chunks(size).collect();
        let new = || Decoder::new(Role::Client, Limits::default()).binary_only(true);
        let (payload, _, error) = bytes(new(), &pieces);
        let outcome = messages(new(), &pieces);
        assert_eq!((&*payload, outcome.came), (&b"ok"[..], vec![Came::Binary(b"ok".to_vec())]));
        assert_eq!(error, outcome.error);
        let error = error.expect("text was refused");
        assert_eq!((error.violation, error.frame), (Violation::TextRefused, 4));
        assert_eq!(u16::from(error.close_code()), 1003);
    }
}
