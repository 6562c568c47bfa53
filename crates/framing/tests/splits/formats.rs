//! Single framings, by their documentation and other implementations.

use super::*;

#[test]
fn lines_end_as_they_are_told_to() {
    let lines = |delimiter, keep, input: &[u8]| decode(&*delimited(delimiter, keep), [input]).0;
    assert_eq!(lines(Delimiter::Lf, false, b"a\r\nb\n\nc\rd\n"), ["a", "b", "", "c\rd"]);
    assert_eq!(lines(Delimiter::Lf, true, b"a\r\nb\n"), ["a\r\n", "b\n"]);
    assert_eq!(lines(Delimiter::CrLf, false, b"a\nb\r\n\r\n"), ["a\nb", ""]);
    assert_eq!(lines(Delimiter::Cr, false, b"a\rb\n\r"), ["a", "b\n"]);
    assert_eq!(
        lines(Delimiter::AnyLine, false, b"a\rb\nc\r\nd\n\re\n"),
        ["a", "b", "c", "d", "", "e"]
    );
    let cut: [&[u8]; 3] = [b"a\r", b"\nb\r", b"c\n"];
    assert_eq!(decode(&*delimited(Delimiter::AnyLine, false), cut).0, ["a", "b", "c"]);
}

#[test]
fn a_line_gets_the_end_that_it_lacks() {
    let sent = |delimiter, messages: &[&str]| {
        let messages: Vec<_> = messages.iter().map(|m| m.as_bytes().to_vec()).collect();
        encode(&*delimited(delimiter, false), &messages, 1)
    };
    assert_eq!(sent(Delimiter::Lf, &["a", "b\n", "", "c\r"]), &b"a\nb\n\nc\r\n"[..]);
    assert_eq!(sent(Delimiter::CrLf, &["a", "b\r\n", "c\n"]), &b"a\r\nb\r\nc\n\r\n"[..]);
    assert_eq!(sent(Delimiter::AnyLine, &["a\r", "b"]), &b"a\rb\n"[..]);
    assert_eq!(sent(Delimiter::Bytes(Bytes::from_static(b"--")), &["a-", "b--"]), &b"a---b--"[..]);
}

/// Of 2^64-1 bytes nothing is asked for, and nothing overflows.
#[test]
fn a_length_is_not_believed() {
    for width in [Width::W1, Width::W2, Width::W4, Width::W8] {
        for constant in [0, i64::MAX, i64::MIN, 1, -1] {
            for endian in [Endian::Big, Endian::Little] {
                let framing = length(width, endian, constant, 0, false);
                let (messages, error, rest) = decode(&*framing, [&[0xFF; 8][..width.bytes()]]);
                let said = u64::MAX >> (64 - 8 * width.bytes());
                match i128::from(said) + i128::from(constant) {
                    ..0 => assert_eq!(error, Some(Error::NegativeLength)),
                    1..=4096 => assert_eq!((error, rest.len()), (None, width.bytes())),
                    0 => assert_eq!(messages, [""]),
                    _ => {
                        assert_eq!(
                            error,
                            Some(Error::TooLong { max: MAX }),
                            "{width:?} {constant}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn what_has_no_room_in_its_length_is_refused() {
    let mut out = BytesMut::new();
    let mut narrow = length(Width::W1, Endian::Big, 0, 0, false).encoder();
    narrow.encode(&[0; 255], true, &mut out).unwrap();
    let error = narrow.encode(&[0; 256], true, &mut out).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a message of 256 bytes is too long for a length field of 1 bytes"
    );
    assert!(error.is_too_long());
    assert_eq!(out.len(), 256, "nothing of it was sent");
    let mut counts_more = length(Width::W1, Endian::Big, 10, 0, false).encoder();
    assert_eq!(counts_more.encode(&[0; 9], true, &mut out), Err(Error::NegativeLength));
}

/// Modbus over TCP: two numbers, the length of what follows, a unit and a request.
#[test]
fn modbus_keeps_its_header() {
    let framing = length(Width::W2, Endian::Big, 0, 4, true);
    let request = [0, 1, 0, 0, 0, 6, 17, 3, 0, 0x6B, 0, 3];
    let two = [request, request].concat();
    let (got, error, _) = decode(&*framing, two.chunks(5));
    assert_eq!((got, error), (vec![Bytes::copy_from_slice(&request); 2], None));
    assert_eq!(encode(&*framing, &[request.to_vec()], 3), &request[..]);
}

/// 10,000 deep is only long; nothing recurses.
#[test]
fn json_may_be_deep() {
    let deep = "[".repeat(2000) + &"]".repeat(2000);
    let (got, error, _) = decode(&Json, deep.as_bytes().chunks(7));
    assert_eq!((got.len(), error), (1, None));
    let deeper = "[".repeat(10_000) + &"]".repeat(10_000);
    let (got, error, _) = decode(&Json, deeper.as_bytes().chunks(7));
    assert_eq!((got.len(), error), (0, Some(Error::TooLong { max: MAX })));
    let mut decoder = Json.decoder(1 << 20);
    let mut buf = BytesMut::from(&*deeper);
    assert!(
        matches!(decoder.next(&mut buf), Ok(Decoded::Message(message)) if message.data == deeper)
    );
}

#[test]
fn what_is_no_json_is_an_error() {
    for text in [
        "}",
        "{]",
        "[1,]",
        "{\"a\" 1}",
        "{1:2}",
        "[1 2]",
        "tru3",
        "01 ",
        "1.",
        "-x",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "nul ",
        "{\"a\":}",
        "[,1]",
        "\"\u{fffd}",
        "'a'",
        "1e+ ",
        "{,}",
    ] {
        let (got, error, rest) = decode(&Json, [text.as_bytes()]);
        let is_cut = error.is_none() && !rest.is_empty();
        assert!(
            got.is_empty() && (is_cut || error.is_some()),
            "{text:?}: {got:?} {error:?} {rest:?}"
        );
    }
    assert_eq!(decode(&Json, [&b"\"\xFF\""[..]]).1, Some(Error::NotJson("it is not UTF-8")));
    assert_eq!(decode(&Json, [&b" 1 2\n3"[..]]).0, ["1", "2", "3"]);
}

#[test]
fn packets_that_cannot_be_are_left_out() {
    let slip = [&b"\xC0\xC0one\xC0bad\xDBx\xC0"[..], b"tw\xDB", b"\xDCo\xC0\xDB\xC0three\xC0"];
    let (got, error, _) = decode(&Slip, slip);
    assert_eq!(error, None);
    assert_eq!(got, [&b"one"[..], b"<corrupt>", b"tw\xC0o", b"<corrupt>", b"three"]);
    let (got, error, _) = decode(&Cobs, [&b"\x00\x02a\x00\x05ab\x00\x01\x00\x02b\x00"[..]]);
    assert_eq!(error, None);
    assert_eq!(got, [&b"a"[..], b"<corrupt>", b"", b"b"]);
}

/// The examples of the paper and of Wikipedia.
#[test]
fn cobs_is_as_others_write_it() {
    let long: Vec<u8> = (1..=254).collect();
    let with = |before: &[u8], data: &[u8], behind: &[u8]| [before, data, behind].concat();
    let cases: [(Vec<u8>, Vec<u8>); 7] = [
        (vec![0], vec![1, 1, 0]),
        (vec![0, 0], vec![1, 1, 1, 0]),
        (vec![0, 0x11, 0], vec![1, 2, 0x11, 1, 0]),
        (vec![0x11, 0x22, 0, 0x33], vec![3, 0x11, 0x22, 2, 0x33, 0]),
        (vec![0x11, 0, 0, 0], vec![2, 0x11, 1, 1, 1, 0]),
        (with(&[0], &long, &[]), with(&[1, 0xFF], &long, &[0])),
        (with(&[], &long, &[0xFF]), with(&[0xFF], &long, &[2, 0xFF, 0])),
    ];
    for (data, stuffed) in cases {
        assert_eq!(decode(&Cobs, [&*stuffed]).0, [&*data], "{stuffed:?}");
        let ours = encode(&Cobs, std::slice::from_ref(&data), 0);
        assert_eq!(decode(&Cobs, [&*ours]).0, [&*data], "{ours:?}");
        assert!(!ours[..ours.len() - 1].contains(&0));
    }
}

#[test]
fn mqtt_packets_come_whole() {
    let connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00";
    let publish = [&b"\x30\x80\x02"[..], &[7; 256]].concat();
    let all = [&connect[..], b"\xc0\x00", &publish].concat();
    let (got, error, _) = decode(&Mqtt, all.chunks(3));
    assert_eq!(error, None);
    assert_eq!(got, [&connect[..], b"\xc0\x00", &publish]);
    assert_eq!(decode(&Mqtt, [&b"\x10\xff\xff\xff\xff\x01"[..]]).1, Some(Error::NotMqtt));
    assert_eq!(decode(&Mqtt, [&b"\x30\xff\xff\xff\x7f"[..]]).1, Some(Error::TooLong { max: MAX }));
}

#[test]
fn what_is_no_text_is_binary_or_an_error() {
    let (auto, strict) = (Text { falls_back: true }, Text { falls_back: false });
    assert_eq!(decode(&auto, [&b"ok\xFF"[..]]).0, [&b"ok\xFF"[..]]);
    let (got, error, _) = decode(&strict, [&b"ok\xFF"[..]]);
    assert_eq!((got, error), (vec![Bytes::from("ok")], Some(Error::NotText)));
    let (got, error, rest) = decode(&strict, [&b"caf\xC3"[..]]);
    assert_eq!((got, error, &*rest), (vec![Bytes::from("caf")], None, &b"\xC3"[..]));
}
