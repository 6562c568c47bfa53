//! The examples of RFC 6455 §5.7, both ways.

use websocket::{ControlPayload, Decoder, Encoder, Limits, Role, mask};

use crate::stream::KEY;
use crate::views::{Came, Outcome, agreed, messages};

const MASKED_HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

fn came(role: Role, stream: &[u8]) -> Vec<Came> {
    let outcome = agreed(role, Limits::default(), stream, &[stream.len() / 2]);
    assert_eq!(outcome, Outcome { came: outcome.came.clone(), ..Outcome::default() });
    outcome.came
}

#[test]
fn an_unmasked_text() {
    assert_eq!(came(Role::Client, b"\x81\x05Hello"), [Came::Text(b"Hello".to_vec())]);
    assert_eq!(*Encoder::new(Role::Server).data(true, true, 5, || KEY), *b"\x81\x05");
}

#[test]
fn a_masked_text() {
    assert_eq!(came(Role::Server, MASKED_HELLO), [Came::Text(b"Hello".to_vec())]);
    let header = Encoder::new(Role::Client).data(true, true, 5, || KEY);
    let mut payload = *b"Hello";
    mask(header.key().unwrap(), 0, &mut payload);
    assert_eq!([&header[..], &payload].concat(), MASKED_HELLO);
}

#[test]
fn a_fragmented_text() {
    assert_eq!(came(Role::Client, b"\x01\x03Hel\x80\x02lo"), [Came::Text(b"Hello".to_vec())]);
    let mut encoder = Encoder::new(Role::Server);
    assert_eq!(*encoder.data(true, false, 3, || KEY), *b"\x01\x03");
    assert_eq!(*encoder.data(true, true, 2, || KEY), *b"\x80\x02");
}

#[test]
fn a_ping_and_its_pong() {
    assert_eq!(came(Role::Client, b"\x89\x05Hello"), [Came::Ping(b"Hello".to_vec())]);
    let pong = b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    assert_eq!(came(Role::Server, pong), [Came::Pong(b"Hello".to_vec())]);
    let payload = ControlPayload::new(b"Hello").unwrap();
    assert_eq!(*Encoder::new(Role::Client).pong(&payload, || KEY), *pong);
    assert_eq!(*Encoder::new(Role::Server).ping(&payload, || KEY), *b"\x89\x05Hello");
}

#[test]
fn binary_of_256_bytes_and_of_64_kib() {
    for (len, header) in
        [(256, &b"\x82\x7e\x01\x00"[..]), (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00")]
    {
        let payload: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
        let stream = [header, &payload].concat();
        assert_eq!(came(Role::Client, &stream), [Came::Binary(payload)]);
        let made = Encoder::new(Role::Server).data(false, true, len as u64, || KEY);
        assert_eq!(*made, *header);
    }
}

#[test]
fn nothing_is_nothing() {
    let outcome = messages(Decoder::new(Role::Server, Limits::default()), &[b"", b""]);
    assert_eq!(outcome, Outcome::default());
}
