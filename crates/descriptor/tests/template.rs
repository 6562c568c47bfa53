//! Holes of templates, and the values that fill them.

use descriptor::{Descriptor, MissingFact, Span, Syntax, Template, Text};

const ROOTS: [&str; 3] = ["http", "tcp", "tls"];

fn template(text: &str) -> Template {
    Template::parse(&Text::typed(text), &ROOTS)
}

#[test]
fn a_hole_has_a_known_root_and_a_name() {
    for (text, holes) in [
        ("", &[][..]),
        ("/plain", &[]),
        ("${http.path}", &["http|path"]),
        ("a${tcp.peer}b${tls.sni}", &["tcp|peer", "tls|sni"]),
        ("${http.header.X-Forwarded-For}", &["http|header.X-Forwarded-For"]),
        ("${http.query.a[0]}", &["http|query.a[0]"]),
        ("${http.query.$x}", &["http|query.$x"]),
        ("${HOME}/s", &[]),
        ("${home.dir}", &[]),
        ("${HTTP.path}", &[]),
        ("${http}", &[]),
        ("${http.}", &[]),
        ("${.path}", &[]),
        ("${http path}", &[]),
        ("${http.a b}", &[]),
        ("${http.path", &[]),
        ("$http.path", &[]),
        ("$ {http.path}", &[]),
        ("$${http.path}", &["http|path"]),
        ("${${http.path}}", &["http|path"]),
        ("${http.${tcp.peer}}", &["tcp|peer"]),
        ("${a:-${tls.sni}}", &["tls|sni"]),
    ] {
        let template = template(text);
        let found: Vec<_> = template.holes().map(|h| format!("{}|{}", h.root, h.name)).collect();
        assert_eq!(found, holes, "{text}");
        assert_eq!(template.to_string(), text);
        assert_eq!(template.is_literal(), holes.is_empty());
        assert_eq!(template.as_literal(), holes.is_empty().then_some(text));
    }
}

#[test]
fn holes_know_where_they_were_typed() {
    let outer = Text::typed("ws:tcp\\:${http.query.to}\\:80");
    let outer = Descriptor::parse(&outer, Syntax::Extended).unwrap();
    let inner = Descriptor::parse(&outer.args[1], Syntax::Extended).unwrap();
    let template = Template::parse(&inner.args[1], &ROOTS);
    assert_eq!(template.holes().next().unwrap().span, Span { start: 8, end: 24 });
}

#[test]
fn an_escaped_dollar_is_a_dollar_at_any_depth_and_when_shown_again() {
    for typed in [
        "x:a\\${tcp.peer}",
        "x:k=a\\${tcp.peer}",
        "x:{y:a\\${tcp.peer}}",
        "x:y\\:a\\\\\\${tcp.peer}",
        "x:y\\:a\\${tcp.peer}",
        "x:{y:{z:a\\${tcp.peer}}}",
    ] {
        let read = Descriptor::parse(&Text::typed(typed), Syntax::Extended).unwrap();
        let shown = Descriptor::parse(&Text::typed(&read.to_string()), Syntax::Extended).unwrap();
        assert_eq!(shown, read);
        for mut tree in [read, shown] {
            loop {
                let value =
                    tree.kwargs.first().map_or_else(|| tree.args[1].clone(), |(_, v)| v.clone());
                if value == "a${tcp.peer}" {
                    assert!(Template::parse(&value, &ROOTS).is_literal(), "{typed}");
                    break;
                }
                tree = Descriptor::parse(&value, Syntax::Extended).unwrap();
            }
        }
    }
}

#[test]
fn facts_are_put_in_as_they_are() {
    let template = template("/run/${http.query.id}.${tls.sni}");
    let fact = |root: &str, name: &str| match (root, name) {
        ("http", "query.id") => Some("${tls.sni}:{\\".into()),
        ("tls", "sni") => Some(String::from("h").into()),
        _ => None,
    };
    assert_eq!(template.fill(&fact).unwrap(), "/run/${tls.sni}:{\\.h");
}

#[test]
fn a_fact_that_is_missing_is_named() {
    let missing =
        template("${tcp.peer}${tls.sni}").fill(&|root, _| (root == "tcp").then(|| "".into()));
    let missing = missing.unwrap_err();
    assert_eq!(missing, MissingFact { root: "tls".into(), name: "sni".into() });
    assert_eq!(missing.to_string(), "the client's connection has no fact `tls.sni`");
}

#[test]
fn templates_are_the_same_if_they_fill_the_same_way() {
    let escaped = Descriptor::parse(&Text::typed("\\${tcp.peer}"), Syntax::Extended).unwrap();
    assert_eq!(template("${tcp.peer}"), template("${tcp.peer}"));
    assert_ne!(template("${tcp.peer}"), Template::parse(&escaped.args[0], &ROOTS));
}
