//! Any bytes, cut anywhere: no panic, and the same from both views however it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket::{Limits, Role};

#[path = "../../tests/codec/views.rs"]
mod views;

fuzz_target!(|input: (bool, u8, [u16; 4], &[u8])| {
    let (server, max, cuts, stream) = input;
    let role = if server { Role::Server } else { Role::Client };
    let limits = match max {
        0 => Limits::default(),
        max => Limits { max_frame: max.into(), max_message: u64::from(max) * 2 },
    };
    views::agreed(role, limits, stream, &cuts.map(usize::from));
});
