//! A descriptor's parts other than its arguments: the raw rest, the source, the builders.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use descriptor::{Descriptor, Span, Syntax, Text};

fn parse(text: &str) -> Descriptor {
    Descriptor::parse(&Text::typed(text), Syntax::Extended).unwrap()
}

#[test]
fn the_rest_is_raw_and_in_its_place() {
    for (typed, rest) in [
        ("wrap:a:80:k=\\:\\:1", Some("a:80:k=\\:\\:1")),
        ("wrap:{a:80}", Some("{a:80}")),
        ("{wrap}:a", Some("a")),
        ("wr\\ap:a", Some("a")),
        ("wrap:", Some("")),
        ("wrap", None),
        ("", None),
        ("k=v:wrap:a", None),
        ("k=v", None),
    ] {
        let read = parse(typed).rest();
        assert_eq!(read.as_ref().map(Text::as_str), rest, "{typed}");
        if let Some(rest) = read {
            assert_eq!(&typed[rest.span().start..rest.span().end], rest.as_str());
        }
    }
}

#[test]
fn the_rest_of_a_nested_one_points_into_what_was_typed() {
    let outer = parse("x:wrap\\:a\\:80\\\\\\:b");
    let rest = parse_text(&outer.args[1]).rest().unwrap();
    let inner = parse_text(&rest);
    assert_eq!(inner.args[1].as_str(), "80:b");
    assert_eq!(inner.args[1].span(), Span { start: 11, end: 18 });
    assert_eq!(inner.args[1].span_of(2..3), Span { start: 13, end: 17 });
}

#[test]
fn the_kind_is_the_first_positional_wherever_it_stands() {
    assert_eq!(parse("k=v:tcp:80").kind().unwrap().span(), Span { start: 4, end: 7 });
    assert_eq!(parse("k=v").kind(), None);
    assert_eq!(parse("tcp:80").source().as_str(), "tcp:80");
}

#[test]
fn an_empty_argument_has_its_place() {
    let read = parse("a::{}:k=:l={}:");
    let spans: Vec<_> = read.args.iter().map(|arg| (arg.span().start, arg.span().end)).collect();
    assert_eq!(spans, [(0, 1), (2, 2), (4, 4), (14, 14)]);
    let spans: Vec<_> = read.kwargs.iter().map(|(_, value)| value.span().start).collect();
    assert_eq!(spans, [8, 12]);
    let nested = parse("w:x\\:\\:y\\:");
    let spans: Vec<_> = parse_text(&nested.args[1]).args.iter().map(Text::span).collect();
    assert_eq!(spans, [2..3, 5..5, 7..8, 10..10].map(Span::from));
}

#[test]
fn the_examples_of_the_architecture_have_their_carets() {
    let ws = parse("ws:tls\\:tcp\\\\\\:90o0\\:cert=x:subprotocol=mqtt");
    let tls = parse_text(&ws.args[1]);
    let tcp = parse_text(&tls.args[1]);
    assert_eq!(tcp.args[1].as_str(), "90o0");
    assert_eq!(tcp.args[1].span(), Span { start: 15, end: 19 });
    assert_eq!(tls.kwargs[0].1.span(), Span { start: 26, end: 27 });
}

#[test]
fn what_is_built_is_blamed_on_what_it_was_built_from() {
    let port = Text::typed("ws:9000").slice(3..7);
    let inner = Descriptor::new(Text::synthetic("tcp", port.span()))
        .arg(port.clone())
        .kwarg("interface", Text::synthetic("::1", port.span()));
    assert_eq!(inner.to_string(), "tcp:9000:interface={::1}");
    assert_eq!(inner.rest(), None);
    let outer = Descriptor::new(Text::typed("ws")).arg(inner.to_text());
    assert_eq!(outer.to_string(), "ws:{tcp:9000:interface={::1}}");
    let again = parse_text(&parse_text(&outer.to_text()).args[1]);
    assert_eq!(again, inner);
    assert_eq!(again.args[0].span(), port.span());
    assert_eq!(again.args[1].slice(1..2).span(), Span { start: 4, end: 5 });
    assert_eq!(again.kwargs[0].1.span(), port.span());
}

#[test]
fn syntaxes_have_names() {
    for syntax in [Syntax::Twisted, Syntax::Extended] {
        assert_eq!(syntax.to_string().parse(), Ok(syntax));
    }
    let unknown = "Twisted".parse::<Syntax>().unwrap_err().to_string();
    assert_eq!(unknown, "`Twisted` is not a syntax; the syntaxes are `twisted` and `extended`");
}

fn parse_text(text: &Text) -> Descriptor {
    Descriptor::parse(text, Syntax::Extended).unwrap()
}
