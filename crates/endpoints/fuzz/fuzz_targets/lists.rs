//! Any file is a list of users, tokens or routes in which some lines are invalid, and any answer of a server is a route
//! of one line, or none.

#![no_main]

use endpoints::fuzzing::{answer, credentials, tokens};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    credentials(&text);
    tokens(&text);
    if let Some((text, subprotocol)) = answer(bytes) {
        assert!(!text.is_empty());
        for text in [Some(text), subprotocol].into_iter().flatten() {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
    }
});
