//! Any text as `Sec-WebSocket-Extensions`, at either end: no panic, and what a server answers can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket::deflate::{Config, Params, accept, answer, offer};

fuzz_target!(|input: (bool, bool, u8, u8, [&str; 2])| {
    let (server, client, server_bits, client_bits, headers) = input;
    let config = Config {
        server_no_context_takeover: server,
        client_no_context_takeover: client,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
    };
    let _ = accept(&config, headers[0]);
    // Half of the headers begin as one that matters.
    let begun = format!("permessage-deflate;{}", headers[1]);
    for headers in [[headers[0], headers[1]], [headers[0], &begun]] {
        let Some((params, value)) = answer(&config, headers) else { continue };
        assert!((9..=15).contains(&params.server_max_window_bits));
        let Ok(Some(read)) = accept(&Config::default(), &value) else { panic!("{value}") };
        assert_eq!(read, params, "{value}");
    }
    // Our own offer is one that we accept, unless it is for a window that zlib has not.
    if let Some((params, value)) = answer(&config, [&*offer(&config)]) {
        let Ok(Some(ours)) = accept(&config, &value) else { panic!("{value}") };
        // The server needn't repeat the window that the client has bound itself to.
        let most = params.client_max_window_bits;
        assert!(ours.client_max_window_bits <= most, "{value}");
        assert_eq!(Params { client_max_window_bits: most, ..ours }, params, "{value}");
    } else {
        assert!(server_bits <= 8);
    }
});
