//! An explanation for programs: one object on one line.

use descriptor::{Descriptor, Diagnostic, Severity, Stage, Text};
use plan::Tree;
use plan::kind::Role;
use serde_json::{Map, Value, json};

use super::Explained;

/// `parsed` if the text can be read, `plan` if it can be planned; `errors` and `warnings` always.
pub(super) fn object(explained: &Explained) -> Value {
    let mut object = Map::new();
    if let Some(parsed) = &explained.parsed {
        object.insert("parsed".to_owned(), level(parsed));
    }
    if let Some(first) = explained.sides.first() {
        let sides: Vec<_> = explained.sides.iter().map(|side| word(side.role)).collect();
        object.insert("sides".to_owned(), json!(sides));
        object.insert("plan".to_owned(), tree(&first.tree));
    }
    let found = match (&explained.wrong, explained.sides.first()) {
        (Some((_, found)), _) => &**found,
        (None, Some(first)) => &*first.warnings,
        (None, None) => &[],
    };
    let mut sorted: Vec<_> = found.iter().collect();
    sorted.sort_by_key(|found| found.span);
    let of = |severity| sorted.iter().filter(move |found| found.severity == severity);
    object.insert("errors".to_owned(), of(Severity::Error).copied().map(diagnostic).collect());
    object.insert("warnings".to_owned(), of(Severity::Warning).copied().map(diagnostic).collect());
    Value::Object(object)
}

/// One line, whatever a reader takes for the end of one: JSON leaves U+0085, U+2028 and U+2029 as
/// they are, and some languages end lines at them.
pub(super) fn line(object: &Value) -> String {
    let mut line = object.to_string();
    for separator in ['\u{85}', '\u{2028}', '\u{2029}'] {
        if line.contains(separator) {
            line = line.replace(separator, &format!("\\u{:04x}", u32::from(separator)));
        }
    }
    line
}

/// A line of input that isn't a descriptor at all.
pub(super) fn not_a_string(offset: usize, message: &str) -> Value {
    let error = json!({
        "stage": "input", "code": "not-a-json-string", "offset": offset, "message": message,
    });
    json!({"errors": [error], "warnings": []})
}

/// As Twisted keeps them: of a keyword given twice the last value, in the place of the first.
fn level(descriptor: &Descriptor) -> Value {
    let args: Vec<_> = descriptor.args.iter().map(Text::as_str).collect();
    let mut kwargs = Map::new();
    for (name, value) in &descriptor.kwargs {
        kwargs.insert(name.as_str().to_owned(), value.as_str().into());
    }
    json!({"args": args, "kwargs": kwargs})
}

fn tree(node: &Tree) -> Value {
    let params: Vec<_> = node
        .settings
        .iter()
        .map(|(name, value, given)| json!({"name": name, "value": value, "default": !given}))
        .collect();
    let mut object = json!({
        "kind": node.kind,
        "called": node.called,
        "side": word(node.role),
        "descriptor": node.descriptor,
        "gives": node.gives.describe(),
        "params": params,
    });
    // Those of a connection that is opened are in no template.
    let facts: Vec<_> = node.facts().map(|fact| fact.name).collect();
    if node.role == Role::Listen && !facts.is_empty() {
        object["facts"] = facts.into();
    }
    // One is an object, several are a list.
    match &*node.beneath {
        [] => {}
        [beneath] => object["inner"] = tree(beneath),
        several => object["inner"] = several.iter().map(tree).collect(),
    }
    object
}

fn diagnostic(found: &Diagnostic) -> Value {
    let mut object = json!({
        "stage": match found.stage {
            Stage::Parse => "parse",
            Stage::Plan => "plan",
        },
        "code": found.code.as_str(),
        "offset": found.span.start,
        "end": found.span.end,
        "message": found.message,
    });
    if let Some(help) = &found.help {
        object["help"] = help.as_str().into();
    }
    object
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Listen => "listen",
        Role::Connect => "connect",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_for_everybody() {
        let object = json!({"text": "a\u{2028}b\u{2029}c\u{85}d\ne"});
        assert_eq!(line(&object), r#"{"text":"a\u2028b\u2029c\u0085d\ne"}"#);
        assert_eq!(serde_json::from_str::<Value>(&line(&object)).expect("it is JSON"), object);
    }
}
