//! Any input, to any framing: no panic, nothing beyond the limit, the same however it is cut, and what was taken out can
//! be put back in and comes out again.
#![no_main]

use std::num::NonZeroUsize;

use bytes::{Bytes, BytesMut};
use framing::{
    Chunks, Cobs, Decoded, Delimited, Delimiter, Endian, Error, Fixed, Framing, Json, Length,
    Message, Mqtt, Slip, Text, Whole, Width,
};
use libfuzzer_sys::fuzz_target;

const MAX: usize = 512;

fuzz_target!(|input: &[u8]| {
    let Some((&control, input)) = input.split_first() else { return };
    let (framing, sort) = framing(control);
    let cut = usize::from(control) % input.len().max(1);
    let whole = run(&*framing, [input]);
    let halves = run(&*framing, [&input[..cut], &input[cut..]]);
    let bytes = run(&*framing, input.chunks(1));
    match sort {
        Sort::Pieces => {
            for (messages, error, rest) in [&whole, &halves, &bytes] {
                let got = messages.iter().flat_map(|message| message.data.iter());
                let got: Vec<_> = got.chain(rest).copied().collect();
                assert!(error.is_some() || got == input);
                assert!(input.starts_with(&got));
            }
        }
        Sort::Lines => {
            assert_eq!(halves, whole);
            // With a line feed behind it, a carriage return that came alone is known to have had one.
            assert!(bytes == whole || input.contains(&b'\r'));
        }
        Sort::Frames { comes_back } => {
            assert_eq!(halves, whole);
            assert_eq!(bytes, whole);
            let mut encoder = framing.encoder();
            let mut sent = BytesMut::new();
            for message in &whole.0 {
                let before = sent.len();
                match encoder.encode(&message.data, true, &mut sent) {
                    Ok(()) => assert!(sent.len() - before >= message.data.len()),
                    Err(_) => return,
                }
            }
            if comes_back {
                assert_eq!(run(&*framing, [&*sent]), (whole.0.clone(), None, Bytes::new()));
            }
        }
    }
    for message in [whole.0, halves.0, bytes.0].iter().flatten() {
        assert!(!message.text || std::str::from_utf8(&message.data).is_ok());
    }
});

/// The property that a framing must have.
enum Sort {
    /// Messages are wherever the stream was cut.
    Pieces,
    /// A line's end may be cut in two.
    Lines,
    /// They are the same however the stream was cut. Where `comes_back` is set, they are so once they were sent on.
    Frames { comes_back: bool },
}

fn framing(control: u8) -> (Box<dyn Framing>, Sort) {
    let frames = |framing: Box<dyn Framing>| (framing, Sort::Frames { comes_back: true });
    let others = |framing: Box<dyn Framing>| (framing, Sort::Frames { comes_back: false });
    let delimited = |delimiter, keep| Box::new(Delimited { delimiter, keep });
    let length = |offset, width, endian, constant, keep| {
        Box::new(Length { offset, width, endian, constant, keep })
    };
    match control % 20 {
        // A carriage return at the end of a line is taken for a part of its end.
        0 => others(delimited(Delimiter::Lf, false)),
        1 => frames(delimited(Delimiter::CrLf, true)),
        2 => frames(delimited(Delimiter::Cr, false)),
        3 => frames(delimited(Delimiter::Bytes(Bytes::from_static(b"aab")), false)),
        4 => frames(Box::new(Fixed(NonZeroUsize::MIN.saturating_add(2)))),
        5 => frames(length(0, Width::W1, Endian::Big, -1, false)),
        6 => frames(length(0, Width::W4, Endian::Little, 3, true)),
        7 => frames(length(0, Width::W8, Endian::Big, 0, false)),
        8 => others(Box::new(Json)),
        9 => frames(Box::new(Slip)),
        10 => frames(Box::new(Cobs)),
        11 => frames(Box::new(Mqtt)),
        12 => (delimited(Delimiter::AnyLine, false), Sort::Lines),
        13 => (Box::new(Chunks), Sort::Pieces),
        14 => (Box::new(Text { falls_back: true }), Sort::Pieces),
        15 => (Box::new(Text { falls_back: false }), Sort::Pieces),
        // Before a stream has ended, there is no message.
        16 => frames(Box::new(Whole)),
        17 => frames(length(3, Width::W2, Endian::Little, -5, false)),
        18 => frames(length(0, Width::W8, Endian::Little, i64::MIN, true)),
        _ => frames(delimited(Delimiter::Lf, true)),
    }
}

fn run<'a>(
    framing: &dyn Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Message>, Option<Error>, Bytes) {
    let mut decoder = framing.decoder(MAX);
    let (mut buf, mut messages) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buf) {
                Ok(Decoded::Message(message)) => messages.push(message),
                Ok(Decoded::Corrupt(_)) => {}
                Ok(Decoded::More) => break,
                // The bytes left after an error depend on the cut.
                Err(error) => return (messages, Some(error), Bytes::new()),
            }
        }
        assert!(buf.len() <= 2 * MAX + 8);
    }
    (messages, None, buf.freeze())
}
