//! Frames of compressed messages: the places where RSV1 may be set (RFC 7692 §6).

use websocket::{
    Control, Data, Decoder, Encoder, Event, FrameHeader, Limits, OpCode, ProtocolError, Role,
    Violation,
};

use crate::stream::{KEY, frame};
use crate::views::{Came, bytes, messages};

fn decoder() -> Decoder {
    Decoder::new(Role::Client, Limits::default()).compressed_messages(true)
}

/// A part of data: compressed, first, last, payload.
type Part = (bool, bool, bool, Vec<u8>);

/// The parts of a stream that comes in pieces of `size`.
fn parts(stream: &[u8], size: usize) -> Result<Vec<Part>, ProtocolError> {
    let (mut decoder, mut parts) = (decoder(), Vec::new());
    for piece in stream.chunks(size) {
        let (mut buf, mut at) = (piece.to_vec(), 0);
        while let Some(event) = decoder.next(&mut buf, &mut at)? {
            if let Event::Data(Data { range, compressed, first, last, .. }) = event {
                parts.push((compressed, first, last, buf[range].to_vec()));
            }
        }
    }
    Ok(parts)
}

#[test]
fn rsv1_on_the_first_frame_is_for_the_whole_message() {
    let stream = [
        frame(Role::Client, 0x41, b"ab"),
        frame(Role::Client, 0x89, b"p"),
        frame(Role::Client, 0x00, b"c"),
        frame(Role::Client, 0x80, b"d"),
        frame(Role::Client, 0x82, b"plain"),
        frame(Role::Client, 0xc2, b""),
    ]
    .concat();
    let expected = [
        (true, true, false, b"ab".to_vec()),
        (true, false, false, b"c".to_vec()),
        (true, false, true, b"d".to_vec()),
        (false, true, true, b"plain".to_vec()),
        (true, true, true, vec![]),
    ];
    assert_eq!(parts(&stream, stream.len()).unwrap(), expected);
    // Byte by byte, each byte is a separate part; all of a message's parts agree.
    let singles = parts(&stream, 1).unwrap();
    let compressed: Vec<_> = singles.iter().map(|(compressed, ..)| *compressed).collect();
    assert_eq!(compressed, [true, true, true, true, false, false, false, false, false, true]);
}

#[test]
fn reserved_bits_where_they_mean_nothing() {
    let begun = frame(Role::Client, 0x42, b"a");
    let table = [
        // RSV2, RSV3, and either with RSV1.
        frame(Role::Client, 0xa2, b""),
        frame(Role::Client, 0x92, b""),
        frame(Role::Client, 0xe2, b""),
        frame(Role::Client, 0xd1, b""),
        frame(Role::Client, 0xf1, b""),
        // Control frames and reserved opcodes.
        frame(Role::Client, 0xc8, b""),
        frame(Role::Client, 0xc9, b""),
        frame(Role::Client, 0xca, b""),
        frame(Role::Client, 0xc3, b""),
        frame(Role::Client, 0xcb, b""),
        // Continuations: of a compressed message, of a plain one, of none.
        [&begun[..], &frame(Role::Client, 0xc0, b"b")].concat(),
        [&begun[..], &frame(Role::Client, 0x40, b"b")].concat(),
        [frame(Role::Client, 0x02, b"a"), frame(Role::Client, 0xc0, b"b")].concat(),
        frame(Role::Client, 0xc0, b"b"),
    ];
    for stream in table {
        for size in [1, 2, stream.len()] {
            let error = parts(&stream, size).unwrap_err();
            assert_eq!(error.violation, Violation::ReservedBits, "{stream:02x?}");
            assert_eq!(u16::from(error.close_code()), 1002);
        }
    }
    // The message inside the message is what is wrong here.
    let stream = [&begun[..], &frame(Role::Client, 0x42, b"b")].concat();
    let error = parts(&stream, stream.len()).unwrap_err();
    assert_eq!(error.violation, Violation::UnfinishedMessage(OpCode::Binary));
}

#[test]
fn without_the_extension_the_first_byte_is_enough() {
    for first in [0xc1, 0x42] {
        let mut decoder = Decoder::new(Role::Client, Limits::default());
        let error = decoder.next(&mut [first], &mut 0).unwrap_err();
        assert_eq!(error.violation, Violation::ReservedBits);
    }
}

#[test]
fn compressed_text_is_not_checked() {
    let stream = frame(Role::Client, 0xc1, b"\xff\xc3");
    assert_eq!(parts(&stream, 9).unwrap(), [(true, true, true, b"\xff\xc3".to_vec())]);
    // Nor does it leave anything behind for text that is.
    let stream = [stream, frame(Role::Client, 0x81, b"\xa9")].concat();
    assert_eq!(parts(&stream, 9).unwrap_err().violation, Violation::InvalidText);
}

#[test]
fn the_byte_view_refuses_what_it_could_not_tell_apart() {
    let stream = [frame(Role::Client, 0x82, b"plain"), frame(Role::Client, 0xc2, b"x")].concat();
    let (payload, _, error) = bytes(decoder(), &[&stream]);
    assert_eq!(payload, b"plain");
    assert_eq!(error, Some(ProtocolError { violation: Violation::ReservedBits, frame: 7 }));

    // A message that the message view has begun.
    let mut decoder = decoder();
    let mut begun = frame(Role::Client, 0x42, b"abc");
    assert!(decoder.next(&mut begun, &mut 0).unwrap().is_some());
    let compacted = decoder.compact(&mut frame(Role::Client, 0x80, b"d"), |_| {});
    assert_eq!((compacted.payload, compacted.error.is_some()), (0, true));
    assert_eq!(decoder.error(), compacted.error, "it stays");
}

#[test]
fn the_byte_view_takes_the_rest() {
    // A plain message after a compressed one.
    let mut decoder = decoder();
    let mut before = frame(Role::Client, 0xc2, b"abc");
    let mut at = 0;
    while decoder.next(&mut before, &mut at).unwrap().is_some() {}
    let mut pings = Vec::new();
    let mut rest = [frame(Role::Client, 0x82, b"d"), frame(Role::Client, 0x89, b"p")].concat();
    let compacted = decoder.compact(&mut rest, |control| pings.push(control));
    assert_eq!((compacted.payload, compacted.error), (1, None));
    assert!(matches!(&pings[..], [Control::Ping(_)]));
    // And the message view is as it was.
    let mut after = frame(Role::Client, 0xc2, b"abc");
    assert!(decoder.next(&mut after, &mut 0).is_ok());
}

#[test]
fn what_the_caller_found_is_an_error_like_any_other() {
    let stream = [frame(Role::Client, 0x82, b"abc"), frame(Role::Client, 0xc2, b"x")].concat();
    let (mut buf, mut at, mut decoder) = (stream, 0, decoder());
    // The second event is the compressed message.
    for _ in 0..2 {
        assert!(decoder.next(&mut buf, &mut at).unwrap().is_some());
    }
    let error = decoder.refuse(Violation::InvalidDeflate);
    assert_eq!(error, ProtocolError { violation: Violation::InvalidDeflate, frame: 5 });
    assert_eq!(u16::from(error.close_code()), 1007);
    assert_eq!(decoder.next(&mut [], &mut 0), Err(error));
    assert_eq!(decoder.refuse(Violation::InvalidText), error, "the first is the one");
}

#[test]
fn an_encoder_says_it_once_a_message() {
    let mut encoder = Encoder::new(Role::Server);
    let header = |encoder: &mut Encoder, text, last| encoder.compressed(text, last, 1, || KEY)[0];
    assert_eq!(header(&mut encoder, true, false), 0x41);
    assert_eq!(header(&mut encoder, true, false), 0x00);
    assert_eq!(header(&mut encoder, true, true), 0x80);
    assert_eq!(header(&mut encoder, false, true), 0xc2);
    assert_eq!(encoder.data(false, true, 1, || KEY)[0], 0x82);
}

#[test]
fn a_header_knows_rsv1() {
    let header = FrameHeader { fin: false, rsv1: true, opcode: OpCode::Text, len: 1, key: None };
    let encoded = header.encode();
    assert_eq!(*encoded, [0x41, 1]);
    assert_eq!(FrameHeader::parse(&encoded), Ok(Some((header, 2))));
}

#[test]
fn plain_messages_are_as_they_were() {
    let stream = [frame(Role::Client, 0x81, b"text"), frame(Role::Client, 0x88, b"")].concat();
    let outcome = messages(decoder(), &[&stream]);
    assert_eq!(outcome.came, [Came::Text(b"text".to_vec()), Came::Close(None)]);
}
