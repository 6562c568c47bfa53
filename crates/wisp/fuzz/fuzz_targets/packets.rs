//! Any bytes in any two pieces are a packet or none; a packet that is written again reads as the same.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wisp::{Event, Reader};

fuzz_target!(|input: (usize, &[u8])| {
    let (cut, bytes) = input;
    let mut rest = Bytes::copy_from_slice(bytes);
    let first = rest.split_to(cut % (rest.len() + 1));
    let mut reader = Reader::default();
    if reader.take(first, false).is_ok()
        && let Ok(Some(Event::Packet(packet))) = reader.take(rest, true)
    {
        let again = Reader::default().take(packet.bytes(), true);
        assert_eq!(again, Ok(Some(Event::Packet(packet))));
    }
});
