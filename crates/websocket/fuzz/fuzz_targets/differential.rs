//! The same stream for tungstenite and for us: same messages, same verdict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket::Role;

#[path = "../../tests/codec/oracle.rs"]
mod oracle;
#[path = "../../tests/codec/stream.rs"]
mod stream;
#[path = "../../tests/codec/views.rs"]
mod views;

fuzz_target!(|input: (bool, bool, [u16; 2], &[u8])| {
    let (server, raw, cuts, seed) = input;
    let role = if server { Role::Server } else { Role::Client };
    let cuts = cuts.map(usize::from);
    if raw {
        oracle::compare(role, seed, &cuts);
    } else {
        oracle::compare(role, &stream::from_seed(role, seed), &cuts);
    }
});
