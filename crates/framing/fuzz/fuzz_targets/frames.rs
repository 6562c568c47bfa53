//! Any input, to any framing: no panic, nothing beyond the limit, the same however it is cut, and what was taken out can
//! be put back in.
#![no_main]

use std::num::NonZeroUsize;

use bytes::{Bytes, BytesMut};
use framing::{
    Cobs, Decoded, Delimited, Delimiter, Endian, Error, Fixed, Framing, Json, Length, Mqtt, Slip,
    Width,
};
use libfuzzer_sys::fuzz_target;

const MAX: usize = 512;

fuzz_target!(|input: &[u8]| {
    let Some((&control, input)) = input.split_first() else { return };
    let framing = framing(control);
    let whole = run(&*framing, [input]);
    let cut = usize::from(control) % input.len().max(1);
    assert_eq!(run(&*framing, [&input[..cut], &input[cut..]]), whole);
    assert_eq!(run(&*framing, input.chunks(1)), whole);
    let mut encoder = framing.encoder();
    for message in &whole.0 {
        let mut out = BytesMut::new();
        if encoder.encode(message, true, &mut out).is_ok() {
            assert!(out.len() >= message.len());
        }
    }
});

fn framing(control: u8) -> Box<dyn Framing> {
    let delimited = |delimiter, keep| Box::new(Delimited { delimiter, keep });
    let length = |width, endian, constant, keep| {
        Box::new(Length { offset: 0, width, endian, constant, keep })
    };
    match control % 12 {
        0 => delimited(Delimiter::Lf, false),
        1 => delimited(Delimiter::CrLf, true),
        2 => delimited(Delimiter::Cr, false),
        3 => delimited(Delimiter::Bytes(Bytes::from_static(b"aab")), false),
        4 => Box::new(Fixed(NonZeroUsize::MIN)),
        5 => length(Width::W1, Endian::Big, -1, false),
        6 => length(Width::W4, Endian::Little, 3, true),
        7 => length(Width::W8, Endian::Big, 0, false),
        8 => Box::new(Json),
        9 => Box::new(Slip),
        10 => Box::new(Cobs),
        _ => Box::new(Mqtt),
    }
}

fn run<'a>(
    framing: &dyn Framing,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Bytes>, Option<Error>) {
    let mut decoder = framing.decoder(MAX);
    let (mut buf, mut messages) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buf) {
                Ok(Decoded::Message(message)) => {
                    assert!(message.data.len() <= MAX + 8);
                    messages.push(message.data);
                }
                Ok(Decoded::Corrupt(_)) => {}
                Ok(Decoded::More) => break,
                Err(error) => return (messages, Some(error)),
            }
        }
        assert!(buf.len() <= 2 * MAX + 8);
    }
    (messages, None)
}
