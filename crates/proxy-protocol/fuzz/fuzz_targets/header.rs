//! Any bytes are a header, no header, or too few of them; a header that is written again means the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxy_protocol::{Decoded, Version, decode, encode};

fuzz_target!(|bytes: &[u8]| {
    match decode(bytes) {
        Ok(Decoded::Header(header, length)) => {
            assert!(length <= bytes.len());
            if let Ok(again) = encode(&header, Version::V2) {
                let Ok(Decoded::Header(read, _)) = decode(&again) else {
                    panic!("what was written can't be read");
                };
                assert_eq!(read.addresses, header.addresses);
            }
        }
        Ok(Decoded::More(more)) => assert!(more > 0),
        Err(_) => {}
    }
});
