//! Every mistake of the text as a person sees it.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use descriptor::{Descriptor, Diagnostic, Report, Span, Stage, Syntax, Text};

fn refused(text: &str, syntax: Syntax) -> String {
    let found = Descriptor::parse(&Text::typed(text), syntax).unwrap_err();
    Report::new(text, &found).to_string()
}

fn at(text: &str, start: usize, end: usize) -> String {
    let span = Span { start, end };
    Report::new(text, &[Diagnostic::error(Stage::Plan, "bad-value", span, "it is wrong")])
        .to_string()
}

#[test]
fn the_form() {
    let text = "ws:tls\\:tcp\\\\\\:90o0\\:cert=x:subprotocol=mqtt";
    let span = Span { start: 15, end: 19 };
    let message = "`port` must be a number from 0 to 65535";
    let found =
        Diagnostic::error(Stage::Plan, "bad-value", span, message).help("did you mean `9000`?");
    let shown = Report::new(text, &[found]).to_string();
    assert_eq!(
        shown,
        "error: `port` must be a number from 0 to 65535\n  \
         | ws:tls\\:tcp\\\\\\:90o0\\:cert=x:subprotocol=mqtt\n  \
         |                ^^^^\n  \
         = help: did you mean `9000`?\n"
    );
}

#[test]
fn a_brace_that_is_never_closed() {
    insta::assert_snapshot!(refused("ws:{tcp:9000:subprotocol=mqtt", Syntax::Extended), @r#"
    error: this `{` has no matching `}`
      | ws:{tcp:9000:subprotocol=mqtt
      |    ^
      = help: close it with `}`, or write `\{` for a literal brace
    "#);
}

#[test]
fn text_after_a_closing_brace() {
    insta::assert_snapshot!(refused("ws:{tcp:9000}/path:subprotocol=mqtt", Syntax::Extended), @r#"
    error: `}` must be followed by `:` or the end
      | ws:{tcp:9000}/path:subprotocol=mqtt
      |              ^^^^^
      = help: braces quote a whole field; write `\{` for a literal brace
    "#);
}

#[test]
fn a_trailing_backslash() {
    insta::assert_snapshot!(refused("unix:C\\:\\dir\\", Syntax::Extended), @r#"
    error: this `\` quotes nothing
      | unix:C\:\dir\
      |             ^
      = help: write `\\` for a backslash
    "#);
}

#[test]
fn a_keyword_that_is_not_ascii() {
    insta::assert_snapshot!(refused("tcp:80:intérface=lo", Syntax::Twisted), @r#"
    error: the name of a keyword is ASCII in Twisted's syntax
      | tcp:80:intérface=lo
      |           ^
    "#);
}

#[test]
fn several_at_once_by_place() {
    insta::assert_snapshot!(refused("x:{a}b:k={c}d:e\\", Syntax::Extended), @r#"
    error: `}` must be followed by `:` or the end
      | x:{a}b:k={c}d:e\
      |      ^
      = help: a `:` is missing behind the `}`; for a literal brace, write `\{`

    error: `}` must be followed by `:` or the end
      | x:{a}b:k={c}d:e\
      |             ^
      = help: a `:` is missing behind the `}`; for a literal brace, write `\{`

    error: this `\` quotes nothing
      | x:{a}b:k={c}d:e\
      |                ^
      = help: write `\\` for a backslash
    "#);
}

#[test]
fn a_warning_is_called_one_and_comes_in_its_place() {
    let span = |start, end| Span { start, end };
    let found = [
        Diagnostic::error(Stage::Plan, "b", span(4, 6), "this is wrong"),
        Diagnostic::warning(Stage::Plan, "a", span(0, 3), "this is odd").help("leave it out"),
    ];
    insta::assert_snapshot!(Report::new("tcp:80", &found), @r#"
    warning: this is odd
      | tcp:80
      | ^^^
      = help: leave it out

    error: this is wrong
      | tcp:80
      |     ^^
    "#);
}

#[test]
fn something_missing_has_one_caret() {
    insta::assert_snapshot!(at("tcp:", 4, 4), @r#"
    error: it is wrong
      | tcp:
      |     ^
    "#);
    assert!(at("", 0, 0).ends_with("  | \n  | ^\n"));
}

#[test]
fn wide_characters_have_wide_carets() {
    insta::assert_snapshot!(at("unix:/一二/é:mode=x", 18, 19), @r#"
    error: it is wrong
      | unix:/一二/é:mode=x
      |                ^
    "#);
    insta::assert_snapshot!(at("unix:/一二/é", 6, 12), @r#"
    error: it is wrong
      | unix:/一二/é
      |       ^^^^
    "#);
}

#[test]
fn control_characters_are_shown_escaped() {
    insta::assert_snapshot!(at("a\tb\0\u{1b}[31m\n\u{202e}c", 1, 5), @r#"
    error: it is wrong
      | a\tb\0\u{1b}[31m\n\u{202e}c
      |  ^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(at("a\tb\0\u{1b}[31m\n\u{202e}c", 13, 14), @r#"
    error: it is wrong
      | a\tb\0\u{1b}[31m\n\u{202e}c
      |                           ^
    "#);
    let found = Diagnostic::error(Stage::Plan, "x", Span::default(), "`\u{1b}[2J`").help("\r\n");
    insta::assert_snapshot!(Report::new("x", &[found]), @r#"
    error: `\u{1b}[2J`
      | x
      | ^
      = help: \r\n
    "#);
}

#[test]
fn of_a_long_text_the_part_around_the_caret_is_shown() {
    let text = "0123456789".repeat(30);
    insta::assert_snapshot!(at(&text, 2, 4), @r#"
    error: it is wrong
      | 012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345…
      |   ^^
    "#);
    insta::assert_snapshot!(at(&text, 150, 153), @r#"
    error: it is wrong
      | …890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123…
      |                                  ^^^
    "#);
    insta::assert_snapshot!(at(&text, 300, 300), @r#"
    error: it is wrong
      | …456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
      |                                                                                                  ^
    "#);
    insta::assert_snapshot!(at(&text, 150, 300), @r#"
    error: it is wrong
      | …890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123…
      |                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(at(&text[..100], 50, 51), @r#"
    error: it is wrong
      | …456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
      |                                                ^
    "#);
}

#[test]
fn spans_that_fit_nothing_dont_panic() {
    for (start, end) in [(9, 99), (3, 1), (1, 2), (2, 2)] {
        assert!(at("né", start, end).ends_with("^\n"));
    }
}

#[test]
fn no_line_of_the_text_is_wider_than_the_terminal() {
    let text = "0123456789".repeat(30);
    for columns in [20, 40, 60, 80, 160] {
        for at in [0, 5, 50, 150, 299] {
            let found = Diagnostic::error(Stage::Plan, "x", Span { start: at, end: at + 1 }, "it");
            let shown = Report::new(&text, &[found]).columns(columns).to_string();
            let lines: Vec<_> = shown.lines().collect();
            assert!(lines.iter().all(|line| line.chars().count() <= columns.min(102)), "{shown}");
            let caret = lines[2].chars().position(|c| c == '^').unwrap();
            let digit = char::from(b'0' + u8::try_from(at % 10).unwrap());
            assert_eq!(lines[1].chars().nth(caret), Some(digit), "{shown}");
        }
    }
}
