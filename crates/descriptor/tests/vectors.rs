//! Vectors from Twisted, from the reference model of the extended syntax, and from our own table.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use descriptor::{Descriptor, Diagnostic, Syntax, Text, quote_twisted};
use serde_json::{Value, json};

#[test]
fn twisted_reads_as_twisted_does() {
    let file = twisted();
    let mut wrong = Vec::new();
    for vector in vectors(&file["parse"]) {
        let read = Descriptor::parse(&typed(&vector["input"]), Syntax::Twisted);
        if let Err(why) = same_as_twisted(vector, &read) {
            wrong.push(format!("{}: {why}", vector["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn twisted_reads_nested_levels_as_twisted_does() {
    let file = twisted();
    let mut levels = 0;
    for vector in vectors(&file["parse"]) {
        let mut text = typed(&vector["input"]);
        for level in vector["levels"].as_array().into_iter().flatten() {
            let inner = level["input"].as_str().unwrap();
            if text != inner {
                let outer = Descriptor::parse(&text, Syntax::Twisted).unwrap();
                let mut values =
                    outer.args.iter().chain(outer.kwargs.iter().map(|(_, value)| value));
                text = values.find(|value| **value == inner).unwrap().clone();
            }
            let read = Descriptor::parse(&text, Syntax::Twisted);
            same_as_twisted(level, &read).unwrap_or_else(|why| panic!("{}: {why}", vector["id"]));
            levels += 1;
        }
    }
    assert!(levels > 20, "the file has nested vectors");
}

#[test]
fn twisted_errors_are_one_of_two() {
    for (input, code, start, end) in [
        ("tcp:80\\", "trailing-backslash", 6, 7),
        ("x:kéy=väl", "non-ascii-keyword", 3, 5),
        ("x:k\\éy=v", "non-ascii-keyword", 3, 6),
    ] {
        let found = Descriptor::parse(&Text::typed(input), Syntax::Twisted).unwrap_err();
        assert_eq!(summary(&found), json!([[code, start, end]]), "{input}");
    }
}

#[test]
fn quoting_for_twisted_is_twisteds() {
    for vector in vectors(&twisted()["quote"]) {
        assert_eq!(quote_twisted(vector["input"].as_str().unwrap()), vector["output"]);
    }
}

#[test]
fn extended_reads_as_the_reference_model_does() {
    let file = load(include_str!("vectors/brace_vectors.json"));
    let mut wrong = Vec::new();
    for vector in vectors(&file["vectors"]) {
        let text = typed(&vector["input"]);
        let extended = Descriptor::parse(&text, Syntax::Extended);
        let result = match (&extended, vector.get("error")) {
            (Err(found), Some(code)) => same(
                &json!([found[0].code.as_str(), found[0].span.start]),
                &json!([code, vector["at"]]),
            ),
            _ => same_as_twisted(vector, &extended),
        };
        let twisted = Descriptor::parse(&text, Syntax::Twisted);
        for why in [result, same_as_twisted(&vector["twisted"], &twisted)] {
            wrong.extend(why.err().map(|why| format!("{}: {why}", vector["input"])));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn extended_reads_as_its_own_vectors_say() {
    let file = load(include_str!("vectors/extended_vectors.json"));
    let mut wrong = Vec::new();
    for vector in vectors(&file["vectors"]) {
        let result = match Descriptor::parse(&typed(&vector["input"]), Syntax::Extended) {
            Ok(read) => {
                let kwargs: Vec<_> =
                    read.kwargs.iter().map(|(k, v)| json!([k.as_str(), v.as_str()])).collect();
                let is = json!({"args": strings(&read.args), "kwargs": kwargs});
                same(&is, &json!({"args": vector["args"], "kwargs": vector["kwargs"]}))
            }
            Err(found) => same(&summary(&found), &vector["errors"]),
        };
        wrong.extend(result.err().map(|why| format!("{}: {why}", vector["input"])));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// === helpers ===

/// Keywords are a dictionary there: the last one wins, the first one's place stays. `null` is a
/// mistake too.
fn same_as_twisted(
    expected: &Value,
    read: &Result<Descriptor, Vec<Diagnostic>>,
) -> Result<(), String> {
    let refused = expected.is_null() || expected.get("error").is_some();
    match (read, refused) {
        (Err(_), true) => Ok(()),
        (Err(found), false) => Err(format!("refused: {found:?}")),
        (Ok(read), true) => Err(format!("taken: {read:?}")),
        (Ok(read), false) => {
            let mut kwargs = serde_json::Map::new();
            for (name, value) in &read.kwargs {
                kwargs.insert(name.as_str().to_owned(), value.as_str().into());
            }
            let order: Vec<_> = kwargs.keys().cloned().collect();
            if let Some(expected) = expected.get("kwargs_order") {
                same(&json!(order), expected)?;
            }
            same(&json!(strings(&read.args)), &expected["args"])?;
            same(&Value::Object(kwargs), &expected["kwargs"])
        }
    }
}

fn same(is: &Value, should: &Value) -> Result<(), String> {
    if is == should { Ok(()) } else { Err(format!("{is} instead of {should}")) }
}

fn summary(found: &[Diagnostic]) -> Value {
    found.iter().map(|d| json!([d.code.as_str(), d.span.start, d.span.end])).collect()
}

fn strings(texts: &[Text]) -> Vec<&str> {
    texts.iter().map(Text::as_str).collect()
}

fn typed(input: &Value) -> Text {
    Text::typed(input.as_str().unwrap())
}

fn vectors(list: &Value) -> &[Value] {
    let list = list.as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn twisted() -> Value {
    load(include_str!("vectors/twisted_vectors.json"))
}

fn load(file: &str) -> Value {
    serde_json::from_str(file).unwrap()
}
