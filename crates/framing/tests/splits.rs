//! Every framing against every split of its input, both ways.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroUsize;

use bytes::{Bytes, BytesMut};
use framing::{
    Chunks, Cobs, Decode, Decoded, Delimited, Delimiter, Endian, Error, Fixed, Framing, Json,
    Length, Mqtt, Slip, Text, Whole, Width,
};
use proptest::prelude::*;

const MAX: usize = 4096;

fn delimited(delimiter: Delimiter, keep: bool) -> Box<dyn Framing> {
    Box::new(Delimited { delimiter, keep })
}

fn length(
    width: Width,
    endian: Endian,
    constant: i64,
    offset: usize,
    keep: bool,
) -> Box<dyn Framing> {
    Box::new(Length { offset, width, endian, constant, keep })
}

/// Decodes a stream that came in these pieces. Returns the messages, the error if any, and the rest.
fn decode<'a>(
    framing: &dyn Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Bytes>, Option<Error>, Bytes) {
    let mut decoder = framing.decoder(MAX);
    let (mut buf, mut messages) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buf) {
                Ok(Decoded::Message(message)) => {
                    if message.text {
                        std::str::from_utf8(&message.data).unwrap();
                    }
                    messages.push(message.data);
                }
                Ok(Decoded::Corrupt(_)) => messages.push(Bytes::from_static(b"<corrupt>")),
                Ok(Decoded::More) => break,
                Err(error) => return (messages, Some(error), Bytes::new()),
            }
        }
    }
    match decoder.finish(&mut buf) {
        Ok(message) => messages.extend(message.map(|message| message.data)),
        Err(error) => return (messages, Some(error), Bytes::new()),
    }
    (messages, None, buf.freeze())
}

fn encode(framing: &dyn Framing, messages: &[Vec<u8>], cut: usize) -> BytesMut {
    let mut encoder = framing.encoder();
    let mut out = BytesMut::new();
    for message in messages {
        if encoder.streams() {
            let (first, rest) = message.split_at(cut % (message.len() + 1));
            encoder.encode(first, false, &mut out).unwrap();
            encoder.encode(rest, true, &mut out).unwrap();
        } else {
            encoder.encode(message, true, &mut out).unwrap();
        }
    }
    out
}

/// Those whose messages don't depend on how the stream is cut.
fn framings() -> Vec<Box<dyn Framing>> {
    vec![
        delimited(Delimiter::Lf, false),
        delimited(Delimiter::Lf, true),
        delimited(Delimiter::CrLf, false),
        delimited(Delimiter::Cr, true),
        delimited(Delimiter::AnyLine, false),
        delimited(Delimiter::Bytes(Bytes::from_static(b"\0")), false),
        delimited(Delimiter::Bytes(Bytes::from_static(b"ab")), false),
        delimited(Delimiter::Bytes(Bytes::from_static(b"aab")), true),
        Box::new(Fixed(NonZeroUsize::new(3).unwrap())),
        length(Width::W1, Endian::Big, 0, 0, false),
        length(Width::W2, Endian::Big, -2, 0, false),
        length(Width::W4, Endian::Little, 3, 0, true),
        length(Width::W8, Endian::Big, 0, 0, false),
        length(Width::W2, Endian::Big, 0, 4, true),
        Box::new(Json),
        Box::new(Slip),
        Box::new(Cobs),
        Box::new(Mqtt),
    ]
}

/// Returns `true` if a message can stand in such a stream.
fn framing_takes(framing: &dyn Framing, message: &[u8]) -> bool {
    framing.encoder().encode(message, true, &mut BytesMut::new()).is_ok()
}

/// Bytes that mean something to at least one of them, more often than not.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        prop::sample::select(&b"\n\r\0ab\xC0\xDB\xDC\xDD\x01\x02\x03[]{}\",:\\ 01-.etrufalsn"[..]),
        any::<u8>(),
    ]
}

proptest! {
    #[test]
    fn any_input_is_the_same_however_it_is_cut(
        input in prop::collection::vec(byte(), 0..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(input.len() + 1);
        for framing in framings() {
            let whole = decode(&*framing, [&*input]);
            let halves = decode(&*framing, [&input[..cut], &input[cut..]]);
            prop_assert_eq!(&halves, &whole, "{:?} cut at {}", framing, cut);
            let bytes = decode(&*framing, input.chunks(1));
            // With a line feed behind it, a carriage return that came alone is known to have had one.
            if !format!("{framing:?}").contains("AnyLine") || !input.contains(&b'\r') {
                prop_assert_eq!(&bytes, &whole, "{:?} byte by byte", framing);
            }
        }
    }

    #[test]
    fn what_is_sent_comes_back(
        messages in prop::collection::vec(prop::collection::vec(byte(), 0..40), 0..8),
        cut in any::<usize>(),
    ) {
        let has = |delimiter: &[u8]| {
            messages.iter().any(|message| {
                message.windows(delimiter.len()).any(|window| window == delimiter)
            })
        };
        let joined = |delimiter: &[u8], next: &[u8]| {
            // A delimiter may begin in a message and end in its own.
            (1..delimiter.len()).any(|len| messages.iter().any(|message| {
                message.ends_with(&delimiter[..len]) && next.starts_with(&delimiter[len..])
            }))
        };
        let whole: Vec<(Box<dyn Framing>, bool)> = vec![
            (delimited(Delimiter::Lf, false), !has(b"\n") && !messages.iter().any(|m| m.ends_with(b"\r"))),
            (delimited(Delimiter::CrLf, false), !has(b"\r\n") && !joined(b"\r\n", b"\r\n")),
            (delimited(Delimiter::Cr, false), !has(b"\r")),
            (delimited(Delimiter::Bytes(Bytes::from_static(b"\0")), false), !has(b"\0")),
            (length(Width::W1, Endian::Little, 0, 0, false), true),
            (length(Width::W2, Endian::Big, -2, 0, false), true),
            (length(Width::W8, Endian::Little, 0, 2, false), true),
            (Box::new(Slip), messages.iter().all(|message| !message.is_empty())),
            (Box::new(Cobs), true),
        ];
        for (framing, fits) in whole {
            if !fits {
                continue;
            }
            let sent = encode(&*framing, &messages, cut);
            let (got, error, rest) = decode(&*framing, sent.chunks(cut % 7 + 1));
            prop_assert_eq!((error, rest.len()), (None, 0), "{:?}", framing);
            prop_assert_eq!(&got, &messages, "{:?}", framing);
        }
    }

    /// In two, at every place there is; a message sent in parts gives the same bytes however it was cut.
    #[test]
    fn every_cut_of_a_short_input(
        input in prop::collection::vec(byte(), 0..20),
        message in prop::collection::vec(byte(), 1..20),
    ) {
        for framing in framings().into_iter().chain([Box::new(Whole) as _]) {
            let whole = decode(&*framing, [&*input]);
            let sends = |cut| {
                let takes = framing_takes(&*framing, &message);
                takes.then(|| encode(&*framing, std::slice::from_ref(&message), cut))
            };
            let sent = sends(0);
            for cut in 0..=input.len() {
                let halves = decode(&*framing, [&input[..cut], &input[cut..]]);
                prop_assert_eq!(&halves, &whole, "{:?} cut at {}", framing, cut);
            }
            for cut in 0..message.len() {
                prop_assert_eq!(&sends(cut), &sent, "{:?} cut at {}", framing, cut);
            }
        }
    }

    /// Those whose messages are what comes at once: nothing is lost, added or reordered at any cut.
    #[test]
    fn pieces_are_the_stream(
        input in prop::collection::vec(byte(), 0..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(input.len() + 1);
        let text = |falls_back| Box::new(Text { falls_back }) as Box<dyn Framing>;
        for framing in [Box::new(Chunks) as _, text(true), text(false)] {
            let (got, error, rest) = decode(&*framing, [&input[..cut], &input[cut..]]);
            let all = [got.concat(), rest.to_vec()].concat();
            prop_assert!(input.starts_with(&all), "{:?}", framing);
            prop_assert!(error.is_some() || all == input, "{:?}", framing);
            prop_assert_eq!(&*encode(&*framing, std::slice::from_ref(&all), cut), &*all);
        }
    }

    #[test]
    fn values_of_json_come_whole(
        values in prop::collection::vec(json(), 0..6),
        blanks in prop::sample::select(vec![" ", "\n", "\r\n\t "]),
        size in 1_usize..9,
    ) {
        let text = values.join(blanks) + blanks;
        let (got, error, rest) = decode(&Json, text.as_bytes().chunks(size));
        prop_assert_eq!((error, rest.len()), (None, 0));
        prop_assert_eq!(got, values.iter().map(|value| Bytes::from(value.clone())).collect::<Vec<_>>());
    }

    #[test]
    fn text_is_never_cut_inside_a_character(text in ".{0,40}", size in 1_usize..5) {
        let falls_back = Text { falls_back: true };
        let (got, error, rest) = decode(&falls_back, text.as_bytes().chunks(size));
        prop_assert_eq!((error, rest.len()), (None, 0));
        for message in &got {
            prop_assert!(std::str::from_utf8(message).is_ok());
        }
        prop_assert_eq!(got.concat(), text.into_bytes());
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("true".to_owned()),
        Just("null".to_owned()),
        prop::sample::select(vec!["0", "-1", "1.5e-7", "1E+3", "123456789"])
            .prop_map(str::to_owned),
        prop::sample::select(vec![r#""""#, r#""a\\""#, r#""\"{[""#, r#""\u00e9é""#])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let list = prop::collection::vec(inner, 0..4);
        prop_oneof![
            list.clone().prop_map(|values| format!("[{}]", values.join(" , "))),
            list.prop_map(|values| {
                let pairs: Vec<_> = values.iter().map(|value| format!("\"k\" : {value}")).collect();
                format!("{{{}}}", pairs.join(","))
            }),
        ]
    })
}

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

#[test]
fn nothing_grows_beyond_the_limit() {
    for framing in framings() {
        let mut decoder: Box<dyn Decode> = framing.decoder(100);
        let mut buf = BytesMut::new();
        let shown = format!("{framing:?}");
        for _ in 0..100 {
            buf.extend_from_slice(b"\"xxxxxxxx");
            let found = loop {
                match decoder.next(&mut buf) {
                    Ok(Decoded::Message(_) | Decoded::Corrupt(_)) => {}
                    found => break found,
                }
            };
            assert!(buf.len() <= 300, "{shown}");
            if found.is_err() {
                break;
            }
        }
        assert!(buf.len() <= 400, "{shown}");
    }
}

#[test]
fn chunks_are_what_there_is() {
    assert_eq!(decode(&Chunks, [&b"a"[..], b"bc"]).0, ["a", "bc"]);
    assert_eq!(encode(&Chunks, &[b"a".to_vec(), b"bc".to_vec()], 1), &b"abc"[..]);
    let mut fixed = Fixed(NonZeroUsize::new(2).unwrap()).encoder();
    let mut out = BytesMut::new();
    fixed.encode(b"abcd", true, &mut out).unwrap();
    let error = fixed.encode(b"abc", true, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "the length of a message, 3 bytes, is not a multiple of 2");
}

#[test]
fn a_whole_stream_is_one_message_within_the_limit() {
    let whole = |pieces: &[&[u8]]| decode(&Whole, pieces.iter().copied());
    assert_eq!(
        whole(&[b"a", b"b\n", b"c"]),
        (vec![Bytes::from_static(b"ab\nc")], None, Bytes::new())
    );
    assert_eq!(whole(&[]).0, Vec::<Bytes>::new());
    assert_eq!(whole(&[&[7; MAX]]).0, [vec![7; MAX]]);
    let error = whole(&[&[7; MAX], b"x"]).1.unwrap();
    assert_eq!(error.to_string(), "a message is longer than 4096 bytes");
    assert_eq!(encode(&Whole, &[b"a".to_vec(), b"bc".to_vec()], 1), &b"abc"[..]);
}
