//! Both files of vectors through `explain - --json`.

use serde_json::{Value, json};

use super::run::feed;

#[test]
fn twisted_vectors_are_parsed_as_twisted_does() {
    let file = load("twisted_vectors.json");
    check("twisted", file["parse"].as_array().unwrap());
    // The other parts of the file are descriptors too.
    let inputs = ["server", "client"].map(|part| file[part].as_array().unwrap().clone()).concat();
    let answers = answers("twisted", &inputs);
    assert!(answers.iter().all(|answer| answer["errors"].is_array()));
}

#[test]
fn extended_vectors_are_parsed_as_the_reference_does() {
    check("extended", load("brace_vectors.json")["vectors"].as_array().unwrap());
}

fn check(syntax: &str, vectors: &[Value]) {
    let mut wrong = Vec::new();
    for (vector, answer) in vectors.iter().zip(answers(syntax, vectors)) {
        let right = if vector.get("error").is_some() {
            let error = &answer["errors"][0];
            answer.get("parsed").is_none()
                && error["stage"] == "parse"
                && vector.get("at").is_none_or(|at| error["offset"] == *at)
        } else {
            answer["parsed"] == json!({"args": vector["args"], "kwargs": vector["kwargs"]})
                && vector.get("kwargs_order").is_none_or(|order| keys(&answer) == *order)
        };
        if !right {
            wrong.push(format!("{}\n  gives {answer}", vector["input"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn answers(syntax: &str, vectors: &[Value]) -> Vec<Value> {
    let input: String = vectors.iter().map(|vector| format!("{}\n", vector["input"])).collect();
    let ran = feed(&["explain", "-", "--json", "--syntax", syntax], &input);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let answers: Vec<_> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), vectors.len());
    answers
}

fn keys(answer: &Value) -> Value {
    answer["parsed"]["kwargs"].as_object().unwrap().keys().cloned().collect()
}

fn load(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../descriptor/tests/vectors/");
    let text = std::fs::read_to_string(format!("{folder}{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}
