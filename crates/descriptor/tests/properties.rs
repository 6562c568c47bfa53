//! Properties of every tree and every text.

use descriptor::{
    Descriptor, Diagnostic, Report, Span, Stage, Syntax, Template, Text, Url, nearest,
    quote_positional, quote_twisted, quote_value,
};
use proptest::prelude::*;

/// Mostly the characters that mean something.
fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c:=\\\\{}$./\\[\\]@é 一\u{1b}\n]{0,12}",
        1 => any::<String>(),
    ]
}

fn descriptors() -> impl Strategy<Value = Descriptor> {
    let kwargs = prop::collection::vec(("[A-Za-z][A-Za-z0-9_.-]{0,4}", nasty()), 0..4);
    (nasty(), prop::collection::vec(nasty(), 0..4), kwargs).prop_map(|(kind, args, kwargs)| {
        let made = |text: String| Text::synthetic(&text, Span::default());
        let mut tree = Descriptor::new(made(kind));
        tree = args.into_iter().fold(tree, |tree, arg| tree.arg(made(arg)));
        kwargs.into_iter().fold(tree, |tree, (name, value)| tree.kwarg(&name, made(value)))
    })
}

fn parse(text: &str, syntax: Syntax) -> Result<Descriptor, Vec<Diagnostic>> {
    Descriptor::parse(&Text::typed(text), syntax)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn parsing_undoes_showing(tree in descriptors()) {
        let shown = tree.to_string();
        prop_assert_eq!(parse(&shown, Syntax::Extended), Ok(tree), "{}", shown);
    }

    #[test]
    fn what_is_shown_can_be_put_into_braces(tree in descriptors()) {
        let shown = tree.to_string();
        let outer = parse(&format!("x:{{{shown}}}"), Syntax::Extended).unwrap();
        prop_assert_eq!(outer.args[1].as_str(), &shown);
    }

    #[test]
    fn nesting_six_deep_and_back(tree in descriptors()) {
        let mut text = tree.to_text();
        for _ in 0..6 {
            text = Descriptor::new(Text::synthetic("x", Span::default())).arg(text).to_text();
        }
        for _ in 0..6 {
            text = Descriptor::parse(&text, Syntax::Extended).unwrap().args[1].clone();
        }
        prop_assert_eq!(text.as_str(), tree.to_string());
        prop_assert_eq!(Descriptor::parse(&text, Syntax::Extended), Ok(tree));
    }

    #[test]
    fn quoted_arguments_are_read_back(text in nasty()) {
        let (positional, value) = (quote_positional(&text), quote_value(&text));
        let read = parse(&format!("x:{positional}:k={value}"), Syntax::Extended).unwrap();
        prop_assert_eq!(read.args[1].as_str(), &text);
        prop_assert_eq!(read.kwargs[0].1.as_str(), &text);
        let read = parse(&format!("x:k={}", quote_twisted(&text)), Syntax::Twisted).unwrap();
        prop_assert_eq!(read.kwargs[0].1.as_str(), &text);
    }

    #[test]
    fn nothing_typed_panics(text in nasty()) {
        for syntax in [Syntax::Twisted, Syntax::Extended] {
            match parse(&text, syntax) {
                Ok(read) => {
                    let _ = (read.to_string(), read.rest());
                    for arg in &read.args {
                        let _ = Descriptor::parse(arg, syntax);
                    }
                }
                Err(found) => {
                    prop_assert!(!found.is_empty());
                    for Diagnostic { span, .. } in &found {
                        prop_assert!(text.get(span.start..span.end).is_some_and(|at| !at.is_empty()));
                    }
                    prop_assert!(!Report::new(&text, &found).to_string().is_empty());
                }
            }
        }
        let typed = Text::typed(&text);
        prop_assert_eq!(Url::split(&typed).is_ok() && !Url::starts(&typed), false);
        let _ = nearest(&text, ["tcp", "", "baudrate"]);
        prop_assert_eq!(Template::parse(&typed, &["a"]).to_string(), text);
    }

    #[test]
    fn reports_are_printable_and_point_somewhere(text in nasty(), start in 0_usize..20, length in 0_usize..20) {
        let span = Span { start, end: start + length };
        let found = [Diagnostic::error(Stage::Plan, "code", span, text.clone()).help(text.clone())];
        let shown = Report::new(&text, &found).to_string();
        prop_assert_eq!(shown.lines().count(), 4, "{}", &shown);
        prop_assert!(!shown.replace('\n', "").contains(char::is_control));
        prop_assert!(shown.lines().nth(2).unwrap().ends_with('^'));
    }

    #[test]
    fn what_fills_a_template_is_never_read(fact in any::<String>()) {
        let template = Template::parse(&Text::typed("<${a.b}>"), &["a"]);
        let filled = template.fill(&|_, _| Some(fact.as_str().into()));
        prop_assert_eq!(filled.unwrap(), format!("<{fact}>"));
    }
}
