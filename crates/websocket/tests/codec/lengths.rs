//! Lengths at the borders of their encodings, and frames longer than memory.

use websocket::{Decoder, FrameHeader, Limits, OpCode, Role};

use crate::stream::{KEY, frame};
use crate::views::{Came, agreed};

#[test]
fn every_border_of_a_length() {
    for len in [0, 1, 2, 3, 4, 7, 8, 31, 63, 64, 65, 124, 125, 126, 127, 128, 65535, 65536, 65537] {
        let payload: Vec<u8> = (0..len).map(|i| (i * 7 % 256) as u8).collect();
        for role in [Role::Server, Role::Client] {
            let one = frame(role, 0x82, &payload);
            // The second is moved left by one header, the third by two.
            let stream = [&one[..], &one, &one].concat();
            let cuts = [1, 2, 5, 13, 40, one.len() + 3, one.len() * 2];
            let outcome = agreed(role, Limits::default(), &stream, &cuts);
            let message = Came::Binary(payload.clone());
            assert_eq!(outcome.came, [message.clone(), message.clone(), message], "{len}");
        }
    }
}

#[test]
fn headers_there_and_back() {
    let lens = [0, 125, 126, 65535, 65536, u64::from(u32::MAX), 1 << 32, (1 << 63) - 1];
    let kinds = [OpCode::Continuation, OpCode::Text, OpCode::Binary];
    for (len, opcode) in lens.iter().flat_map(|&len| kinds.map(|kind| (len, kind))) {
        for (fin, key) in [(true, None), (false, None), (true, Some(KEY)), (false, Some(KEY))] {
            let header = FrameHeader { fin, rsv1: false, opcode, len, key };
            let bytes = header.encode();
            assert_eq!(FrameHeader::parse(&bytes), Ok(Some((header, bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(FrameHeader::parse(&bytes[..cut]), Ok(None), "{cut} of {bytes:?}");
            }
        }
    }
}

#[test]
fn a_frame_longer_than_memory_passes_as_it_comes() {
    let len = (1 << 63) - 1;
    let header =
        FrameHeader { fin: true, rsv1: false, opcode: OpCode::Binary, len, key: Some(KEY) }
            .encode();
    let mut decoder = Decoder::new(Role::Server, Limits::default());
    let mut buf = [&header[..], &[0; 100]].concat();
    assert_eq!(decoder.compact(&mut buf, |_| {}).payload, 100);
    for round in 0..1000_u64 {
        let mut buf = [0; 1001];
        let compacted = decoder.compact(&mut buf, |_| {});
        assert_eq!((compacted.payload, compacted.error), (1001, None));
        assert_eq!(buf[0], KEY[((100 + round * 1001) % 4) as usize], "the mask's phase");
    }
    assert!(!decoder.is_between_messages());
}

#[test]
fn a_message_of_many_empty_fragments() {
    let mut stream = frame(Role::Client, 0x02, b"a");
    stream.extend(frame(Role::Client, 0x00, b"").repeat(10_000));
    stream.extend(frame(Role::Client, 0x80, b"b"));
    let outcome = agreed(Role::Client, Limits::default(), &stream, &[7, 8001]);
    assert_eq!(outcome.came, [Came::Binary(b"ab".to_vec())]);
}

#[test]
fn a_connection_costs_little() {
    assert!(size_of::<Decoder>() <= 320, "{}", size_of::<Decoder>());
}
