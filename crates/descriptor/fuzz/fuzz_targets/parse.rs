//! Nothing typed panics, and every mistake points at something that was typed.

#![no_main]

use descriptor::{Descriptor, Report, Syntax, Template, Text, Url, nearest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|typed: &str| {
    let text = Text::typed(typed);
    for syntax in [Syntax::Twisted, Syntax::Extended] {
        down(typed, &text, syntax, 4);
    }
    let _ = Url::split(&text);
    let _ = nearest(typed, ["tcp", "baudrate", "privateKey"]);
    for hole in Template::parse(&text, &["http", "tcp"]).holes() {
        assert!(typed.get(hole.span.start..hole.span.end).is_some());
    }
});

fn down(typed: &str, text: &Text, syntax: Syntax, levels: usize) {
    match Descriptor::parse(text, syntax) {
        Ok(read) => {
            let values = read.args.iter().chain(read.kwargs.iter().map(|(_, value)| value));
            for value in values {
                let span = value.span();
                assert!(typed.get(span.start..span.end).is_some(), "{value:?}");
                if levels > 0 && value.len() < text.len() {
                    down(typed, value, syntax, levels - 1);
                }
            }
        }
        Err(found) => {
            assert!(
                found
                    .iter()
                    .all(|d| typed.get(d.span.start..d.span.end).is_some_and(|t| !t.is_empty()))
            );
            let shown = Report::new(typed, &found).to_string();
            assert!(!shown.contains(|c: char| c.is_control() && c != '\n'));
        }
    }
}
