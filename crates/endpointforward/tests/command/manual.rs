//! The manual and descriptors.md.

use std::path::Path;

use descriptor::Syntax;
use endpointforward::{manual, registry};
use insta::assert_snapshot;
use plan::Registry;
use plan::kind::Role;

use super::run::run;

#[test]
fn descriptors_md_is_what_the_definitions_say() {
    let document = document();
    for (part, made) in
        [("kinds", manual::markdown(&registry())), ("facts", manual::facts(&registry()))]
    {
        let (_, rest) = document.split_once(&format!("<!-- generated: {part} -->")).unwrap();
        let (written, _) = rest.split_once("<!-- /generated -->").unwrap();
        assert!(
            written.trim() == made.trim(),
            "descriptors.md is stale; bring it up to date with\n  cargo xtask docs"
        );
    }
}

#[test]
fn reference_is_that_part_between_its_markers() {
    let ran = run(&["reference"]);
    assert!(ran.stdout.starts_with("<!-- generated: kinds -->\n"), "{ran}");
    assert!(ran.stdout.ends_with("<!-- /generated -->\n"), "{ran}");
    assert!(ran.stdout.contains(manual::markdown(&registry()).trim()));
}

#[test]
fn every_descriptor_in_descriptors_md_can_be_planned() {
    let registry = registry();
    let document = document();
    let blocks = document.split("\n```text\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("\n```").next().unwrap().lines());
    let mut planned = 0;
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (option, typed) = line.split_once(' ').unwrap();
        let descriptor = unquoted(typed);
        let result = match option {
            "-e" => registry.listener(&descriptor, Syntax::Extended).map(drop),
            "-d" => registry.connector(&descriptor, Syntax::Extended).map(drop),
            other => panic!("`{other}` in: {line}"),
        };
        assert!(result.is_ok(), "{line}\n{result:?}");
        planned += 1;
    }
    assert!(planned > 30, "descriptors.md has examples: {planned}");
}

#[test]
fn every_kind_says_what_it_is_and_shows_every_side() {
    let registry = registry();
    for kind in registry.kinds() {
        for role in [Role::Listen, Role::Connect] {
            let can = match role {
                Role::Listen => kind.listen.is_some(),
                Role::Connect => kind.connect.is_some(),
            };
            for param in kind.params(role) {
                assert!(param.doc.ends_with('.'), "{} {}: {:?}", kind.name, param.name, param.doc);
            }
            let shown = kind.examples.iter().any(|example| example.role == role);
            // A program as listener is the same program.
            assert!(!can || shown || kind.params(role).len() > 1, "{} {role:?}", kind.name);
        }
        for name in kind.see_also {
            assert!(*name != kind.name, "{name} sees itself");
        }
        assert!(!kind.about.is_empty() && !kind.about.ends_with('.'), "{}", kind.name);
    }
}

#[test]
fn the_matrix_fits_narrow_and_wide_terminals() {
    let few = some(&["tcp", "echo", "ws"]);
    let (narrow, wide) = (manual::matrix(&few, 50), manual::matrix(&few, 160));
    assert_snapshot!(format!("{narrow}\n{wide}"));
}

#[test]
fn what_is_pasted_into_a_shell_arrives() {
    for descriptor in
        ["tcp:9000", "ws:{tcp:9000}", "a b", "it's", "$HOME", "x:{a,b}", "", "a\\:b", "[::1]"]
    {
        let script = format!("printf %s {}", manual::shell(descriptor));
        let output = std::process::Command::new("bash").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), descriptor);
    }
}

fn some(names: &[&str]) -> Registry {
    let kinds: Vec<_> =
        registry().kinds().iter().copied().filter(|kind| names.contains(&kind.name)).collect();
    Registry::with(&kinds)
}

/// Removes quotes as a shell does.
fn unquoted(typed: &str) -> String {
    match typed.strip_prefix('\'').and_then(|typed| typed.strip_suffix('\'')) {
        Some(quoted) => quoted.replace(r"'\''", "'"),
        None => typed.to_owned(),
    }
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../descriptors.md");
    std::fs::read_to_string(path).unwrap()
}
