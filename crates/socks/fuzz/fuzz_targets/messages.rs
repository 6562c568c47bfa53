//! Any bytes are a message, none, or too few of one; a message that is written again reads as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use socks::{Answer, Choice, Greeting, Header, Login, Read, Request, Version, login_status};

fuzz_target!(|bytes: &[u8]| {
    let _ = Greeting::read(bytes);
    let _ = Choice::read(bytes);
    let _ = login_status(bytes);
    let _ = Answer::read_v4(bytes);
    if let Ok(Read::Message(request, length)) = Request::read(bytes) {
        assert!(length <= bytes.len());
        let again = request.bytes(Version::V5).expect("it was written so");
        assert_eq!(Request::read(&again), Ok(Read::Message(request, again.len())));
    }
    if let Ok(Read::Message(answer, _)) = Answer::read(bytes) {
        let again = answer.bytes(Version::V5);
        assert_eq!(Answer::read(&again), Ok(Read::Message(answer, again.len())));
    }
    if let Ok((header, length)) = Header::read(bytes) {
        assert!(length <= bytes.len());
        let again = header.bytes().expect("it was written so");
        // A datagram's reserved bytes are not kept.
        assert_eq!(again[2..], bytes[2..length]);
    }
    if let Ok(Read::Message(login, _)) = Login::read(bytes)
        && let Ok(again) = login.bytes()
    {
        assert_eq!(Login::read(&again), Ok(Read::Message(login, again.len())));
    }
});
