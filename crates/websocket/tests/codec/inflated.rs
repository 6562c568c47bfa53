//! Compressed messages that come in pieces and are inflated into little room. The fuzz targets use it too.

use websocket::Violation;
use websocket::deflate::{Inflater, Params};

/// No wishes.
pub(crate) const FULL: Params = Params {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

/// All of a message, given in pieces, with `room` bytes of output a call. `Err` comes with what was right before it.
pub(crate) fn inflate(
    inflater: &mut Inflater,
    pieces: &[&[u8]],
    room: usize,
) -> Result<Vec<u8>, (Vec<u8>, Violation)> {
    let (mut message, mut out) = (Vec::new(), vec![0; room]);
    for (i, piece) in pieces.iter().enumerate() {
        let (mut rest, last) = (*piece, i + 1 == pieces.len());
        loop {
            match inflater.inflate(rest, last, &mut out) {
                Ok(inflated) => {
                    message.extend_from_slice(&out[..inflated.filled]);
                    rest = &rest[inflated.taken..];
                    if inflated.done {
                        assert!(rest.is_empty(), "done, with input left");
                        break;
                    }
                    assert!(inflated.taken + inflated.filled > 0, "no progress");
                }
                Err(violation) => {
                    assert_eq!(inflater.inflate(rest, last, &mut out), Err(violation), "it stays");
                    return Err((message, violation));
                }
            }
        }
    }
    Ok(message)
}
