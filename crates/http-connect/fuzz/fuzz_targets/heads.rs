//! Any bytes are a head, none, or too few of one; the message in a body is found without panic.

#![no_main]

use http_connect::{Answer, Read, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Read::Head(request, length)) = Request::read(bytes) {
        assert!(length <= bytes.len());
        let again = request.bytes().expect("it was written so");
        assert!(matches!(Request::read(&again), Ok(Read::Head(read, _)) if read.host == request.host));
    }
    if let Ok(Read::Head(answer, length)) = Answer::read(bytes) {
        let _ = answer.words_of(&bytes[length..]);
    }
});
