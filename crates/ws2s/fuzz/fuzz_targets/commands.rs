//! Any text is a command or none; the data to send comes back as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ws2s::{Code, Command, received, response};

fuzz_target!(|text: &str| {
    match Command::read(text) {
        Ok(Command::Send { data, .. }) => assert!(received(&data).is_ascii()),
        Ok(command) => assert!(response(Code::Done, command.name()).is_ascii()),
        Err(wrong) => assert!(response(Code::Unknown, &wrong.to_string()).is_ascii()),
    }
});
