//! Every framing against every split of its input, both ways.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formats;

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
