//! README's recipes, pasted into a shell as they stand.

use std::process::Command;

use tests::{binary, root, run_program};

/// The contents of README's `sh` blocks.
fn recipes() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md is there");
    let blocks = readme.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_recipe_works_as_pasted() {
    let expected = [
        "hello over tcp",
        "SHOUTED OVER A WEBSOCKET",
        "through a bridge",
        "there and back",
        "hello over tls",
        "hello through socks",
        "a\nb",
        "as mqttv3.1",
    ];
    let recipes = recipes();
    assert_eq!(recipes.len(), expected.len());
    let folder = binary::endpointforward().parent().expect("a program lies in a folder");
    for (recipe, expected) in recipes.iter().zip(expected) {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
        // Job control, as in the shell of a person who pastes.
        let script = format!("set -m\n{recipe}\nwait\n");
        let output = run_program(Command::new("bash").args(["-c", &script]).env("PATH", path), b"");
        assert_eq!(output.text().trim_end(), expected, "{recipe}\n{output:?}");
    }
}
