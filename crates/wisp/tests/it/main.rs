//! Packets as the document has them, in any pieces, and malformed ones.

use bytes::Bytes;
use proptest::prelude::*;
use wisp::{Error, Event, Extension, Info, Network, Packet, Reader, Reason, data};

fn whole(bytes: &[u8]) -> Result<Option<Event>, Error> {
    Reader::default().take(Bytes::copy_from_slice(bytes), true)
}

#[test]
fn packets_as_the_document_has_them() {
    let connect = b"\x01\x07\0\0\0\x01\x50\0example.com";
    let expected =
        Packet::Connect { stream: 7, network: Network::Tcp, host: "example.com".into(), port: 80 };
    assert_eq!(expected.bytes(), &connect[..]);
    assert_eq!(whole(connect), Ok(Some(Event::Packet(expected))));
    let more = Packet::Continue { stream: 0, packets: 128 };
    assert_eq!(more.bytes(), &b"\x03\0\0\0\0\x80\0\0\0"[..]);
    let close = Packet::Close { stream: 0x0403_0201, reason: Reason::BLOCKED };
    assert_eq!(close.bytes(), &b"\x04\x01\x02\x03\x04\x48"[..]);
    let info = Info { major: 2, minor: 0, extensions: vec![Extension::of(Extension::UDP)] };
    assert_eq!(Packet::Info(info).bytes(), &b"\x05\0\0\0\0\x02\0\x01\0\0\0\0"[..]);
    assert_eq!(data(1, b"hello"), &b"\x02\x01\0\0\0hello"[..]);
    let nothing = Event::Data { stream: 1, data: Bytes::new(), last: true };
    assert_eq!(whole(b"\x02\x01\0\0\0"), Ok(Some(nothing)));
}

#[test]
fn what_is_no_packet() {
    for (bytes, error) in [
        (&b""[..], Error::Short),
        (b"\x02\0\0\0", Error::Short),
        (b"\0\0\0\0\0", Error::BadKind(0)),
        (b"\x06\0\0\0\0", Error::BadKind(6)),
        (b"\x03\0\0\0\0\x01\0\0", Error::BadPayload(3)),
        (b"\x04\0\0\0\0", Error::BadPayload(4)),
        (b"\x05\0\0\0\0\x02", Error::BadPayload(5)),
        // An extension that declares 4 GiB.
        (b"\x05\0\0\0\0\x02\0\x01\xff\xff\xff\xff", Error::BadPayload(5)),
    ] {
        assert_eq!(whole(bytes), Err(error), "{bytes:?}");
    }
    let long = [&b"\x01\x01\0\0\0\x01\x50\0"[..], &[b'a'; 5000]].concat();
    assert_eq!(whole(&long), Err(Error::Long(1)));
    for connect in [
        &b"\x01\x09\0\0\0"[..],
        b"\x01\x09\0\0\0\x03\x50\0h",
        b"\x01\x09\0\0\0\x01\x50\0",
        b"\x01\x09\0\0\0\x01\x50\0 ",
        b"\x01\x09\0\0\0\x01\x50\0a\nb",
        b"\x01\x09\0\0\0\x01\x50\0\xff",
    ] {
        assert_eq!(whole(connect), Ok(Some(Event::BadConnect { stream: 9 })), "{connect:?}");
    }
}

#[test]
fn a_message_that_is_wrong_does_not_spoil_the_next() {
    let mut reader = Reader::default();
    assert_eq!(reader.take(Bytes::from_static(b"\x02\0"), true), Err(Error::Short));
    let close = Packet::Close { stream: 1, reason: Reason::VOLUNTARY };
    assert_eq!(reader.take(close.bytes(), true), Ok(Some(Event::Packet(close))));
}

fn packet() -> impl Strategy<Value = Packet> {
    let network = prop_oneof![Just(Network::Tcp), Just(Network::Udp)];
    let connect = (any::<u32>(), network, "[a-z0-9.:-]{1,60}", any::<u16>());
    let extension = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..20));
    let extension = extension.prop_map(|(id, payload)| Extension { id, payload: payload.into() });
    let info = (any::<u8>(), any::<u8>(), prop::collection::vec(extension, 0..5));
    prop_oneof![
        connect.prop_map(|(stream, network, host, port)| Packet::Connect {
            stream,
            network,
            host,
            port
        }),
        any::<(u32, u32)>().prop_map(|(stream, packets)| Packet::Continue { stream, packets }),
        any::<(u32, u8)>()
            .prop_map(|(stream, reason)| Packet::Close { stream, reason: Reason(reason) }),
        info.prop_map(|(major, minor, extensions)| Packet::Info(Info { major, minor, extensions })),
    ]
}

/// All events of a message that comes in pieces of these lengths, over and over.
fn in_pieces(bytes: &Bytes, lengths: &[usize]) -> Result<Vec<Event>, Error> {
    let (mut reader, mut events, mut rest) = (Reader::default(), Vec::new(), bytes.clone());
    for length in lengths.iter().cycle() {
        let piece = rest.split_to((*length).min(rest.len()));
        events.extend(reader.take(piece, rest.is_empty())?);
        if rest.is_empty() {
            break;
        }
    }
    Ok(events)
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        packet in packet(),
        lengths in prop::collection::vec(1..9_usize, 1..9),
    ) {
        // Info belongs to no stream.
        let bytes = packet.bytes();
        prop_assert_eq!(in_pieces(&bytes, &lengths), Ok(vec![Event::Packet(packet)]));
    }

    #[test]
    fn data_comes_as_it_was_sent(
        sent in prop::collection::vec(any::<u8>(), 0..300),
        lengths in prop::collection::vec(1..99_usize, 1..9),
    ) {
        let (mut got, mut ends) = (Vec::new(), 0);
        for event in in_pieces(&data(3, &sent), &lengths).expect("packets") {
            let Event::Data { stream: 3, data, last } = event else { panic!("{event:?}") };
            got.extend_from_slice(&data);
            ends += usize::from(last);
        }
        prop_assert_eq!((got, ends), (sent, 1));
    }

    #[test]
    fn any_bytes_are_a_packet_or_none(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        lengths in prop::collection::vec(1..9_usize, 1..9),
    ) {
        let bytes = Bytes::from(bytes);
        let pieces = in_pieces(&bytes, &lengths);
        match whole(&bytes) {
            Ok(Some(Event::Data { .. })) => {}
            Ok(event) => prop_assert_eq!(pieces, Ok(Vec::from_iter(event))),
            Err(error) => prop_assert_eq!(pieces, Err(error)),
        }
    }
}
