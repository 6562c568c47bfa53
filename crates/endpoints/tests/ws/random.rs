//! Random control messages.

use endpoint::End;

use crate::support::*;
use crate::terminal::{leave, open, text};

/// A small generator: the data is the same in every run.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[tokio::test]
async fn random_messages_end_in_words_or_not_at_all() {
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"type\"",
        "\"eof\"",
        "\"resize\"",
        "\"cols\"",
        "80",
        "\"rows\"",
        "-1",
        "1e400",
        "null",
        "true",
        "\"break\"",
        "\"ms\"",
        "\"line\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "é",
        " ",
        "\"",
        "\\",
        "99999999999999999999",
    ];
    let mut state = 42;
    for _ in 0..300 {
        let (mut peer, mut ws, _control) = open().await;
        let mut all = Vec::new();
        for _ in 0..random(&mut state) % 8 {
            let mut message =
                if random(&mut state).is_multiple_of(2) { "{\"type\":" } else { "" }.to_owned();
            for _ in 0..random(&mut state) % 12 {
                message += WORDS[random(&mut state) % WORDS.len()];
            }
            if random(&mut state).is_multiple_of(2) {
                message += "}";
            }
            all.extend(text(&message));
            all.extend(masked(0x82, b"x"));
        }
        all.extend(close(1000, ""));
        peer.send(&all).await;
        let error = loop {
            match read(&mut *ws).await {
                Ok(data) if data.is_empty() => break None,
                Ok(data) => assert!(data.iter().all(|byte| *byte == b'x')),
                Err(error) => break Some(error),
            }
        };
        if error.is_none() {
            finish(&mut *ws, &End::eof()).await;
            leave(&mut *ws).await;
        }
        let mut last = None;
        while let Some(frame) = peer.frame().await {
            last = Some(frame);
        }
        let code = last.unwrap().close_code().unwrap();
        let expected = if error.is_some() { &[1003, 1008][..] } else { &[1000, 1008] };
        assert!(expected.contains(&code), "{code} {error:?}");
    }
}
