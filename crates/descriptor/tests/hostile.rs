//! A lot of the worst. With anything quadratic or recursive in it this doesn't end well.

use descriptor::{
    Descriptor, Diagnostic, Report, Span, Stage, Syntax, Template, Text, Url, nearest,
    quote_positional,
};

#[test]
fn much_of_anything_takes_linear_time_and_no_stack() {
    for piece in [
        "{", "}", "\\", ":", "=", "{:", "{}:", "{}", "\\:", "{\\", "}:{", "k=", "k={", "k={}:",
        "x:{", "${", "${a.", "${a", "${a.b}", "\\${a.b}", "a.b", "[", "@", "ws://", "a", "é",
        "\u{301}", "\0",
    ] {
        let text = piece.repeat((1 << 18) / piece.len());
        let typed = Text::typed(&text);
        for syntax in [Syntax::Twisted, Syntax::Extended] {
            match Descriptor::parse(&typed, syntax) {
                Ok(read) => {
                    assert!(read.to_text().len() + 1 >= read.args.len());
                    if let Some(arg) = read.args.last() {
                        let _ = Descriptor::parse(arg, syntax);
                    }
                }
                Err(found) => {
                    assert!(found.len() <= 21, "{piece}");
                    assert!(Report::new(&text, &found).to_string().len() < 20_000, "{piece}");
                }
            }
        }
        let _ = Url::split(&typed);
        assert_eq!(Template::parse(&typed, &["a"]).source(), &typed);
        assert!(quote_positional(&text).len() >= text.len());
        assert_eq!(nearest(&text, ["tcp"]), None);
        let all = Span { start: 0, end: text.len() };
        let found = [Diagnostic::error(Stage::Plan, "x", all, "wrong")];
        assert!(Report::new(&text, &found).to_string().len() < 2000, "{piece}");
    }
}

#[test]
fn a_megabyte_of_braces_or_backslashes_is_one_mistake() {
    for (piece, code) in [("{", "unclosed-brace"), ("\\", "trailing-backslash")] {
        let text = piece.repeat((1 << 20) + 1);
        let found = Descriptor::parse(&Text::typed(&text), Syntax::Extended).unwrap_err();
        assert_eq!((found.len(), found[0].code.as_str()), (1, code));
    }
}

#[test]
fn a_thousand_levels_are_parsed_one_by_one() {
    let mut text = String::from("x");
    for _ in 0..1000 {
        text = format!("x:{{{text}}}");
    }
    let mut text = Text::typed(&text);
    for _ in 0..1000 {
        text = Descriptor::parse(&text, Syntax::Extended).unwrap().args[1].clone();
    }
    assert_eq!(text.as_str(), "x");
    assert_eq!(text.span(), Span { start: 3000, end: 3001 });
}
