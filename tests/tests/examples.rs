//! Every example of every kind, run as it is printed, with the peer that it names.
//!
//! `tests/scenes/KIND.sh` has a scene for each: a script that starts with `### -e DESCRIPTOR` or `### -d DESCRIPTOR`.
//! It runs after `prelude.sh`, in its own namespaces, so ports, addresses, names and files are those of
//! the example.

use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use endpointforward::kind::{Kind, Role};
use tests::{binary, root, run_program, venv};

/// Scenes at a time: they wait more than they compute.
const AT_ONCE: usize = 4;

#[derive(Debug)]
struct Scene {
    title: String,
    script: String,
}

#[test]
fn every_example_has_a_scene_and_no_scene_is_left_over() {
    let registry = endpointforward::registry();
    let mut kinds = Vec::new();
    for kind in registry.kinds().iter().filter(|kind| !kind.examples.is_empty()) {
        let scenes = scenes(kind.name);
        let titles: Vec<_> = scenes.iter().map(|scene| &scene.title).collect();
        let examples: Vec<_> = examples(kind).collect();
        assert_eq!(titles, examples.iter().collect::<Vec<_>>(), "tests/scenes/{}.sh", kind.name);
        kinds.push(kind.name);
    }
    let folder = root().join("tests/scenes").read_dir().expect("it is there");
    for file in folder.map(|entry| entry.expect("it is read").path()) {
        let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        assert!(name == "prelude" || kinds.contains(&&*name), "no kind has {}", file.display());
    }
}

#[test]
fn every_example_does_what_it_says() {
    if !can_have_machines() {
        return;
    }
    let registry = endpointforward::registry();
    let scenes: Vec<_> = registry
        .kinds()
        .iter()
        .filter(|kind| !kind.examples.is_empty())
        .flat_map(|kind| scenes(kind.name))
        .collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(scene) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = play(scene) {
                        failed.lock().expect("nobody panics").push(why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics");
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), scenes.len(), failed.join("\n"));
}

/// The examples of a kind as titles of scenes.
fn examples(kind: &Kind) -> impl Iterator<Item = String> {
    kind.examples.iter().map(|example| {
        let option = match example.role {
            Role::Listen => "-e",
            Role::Connect => "-d",
        };
        format!("{option} {}", example.descriptor)
    })
}

fn scenes(kind: &str) -> Vec<Scene> {
    let text = read(&format!("{kind}.sh"));
    let scenes = text.split("\n### ").skip(1).map(|scene| {
        let (title, script) = scene.split_once('\n').unwrap_or((scene, ""));
        Scene { title: title.to_owned(), script: script.to_owned() }
    });
    scenes.collect()
}

fn read(name: &str) -> String {
    let file = root().join("tests/scenes").join(name);
    std::fs::read_to_string(&file).map_or_else(|_| String::new(), |text| format!("\n{text}"))
}

fn play(scene: &Scene) -> Result<(), String> {
    let (option, example) = scene.title.split_once(' ').expect("an option and a descriptor");
    let program = binary::endpointforward();
    let folder = program.parent().expect("a program lies in a folder").display();
    let script = format!("{}\n{}", read("prelude.sh"), scene.script);
    let mut command = machine();
    command
        .args(["bash", "-c", &script])
        .env_clear()
        .env("PATH", format!("{folder}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"))
        .env("example", example)
        .env("python", venv("python"))
        .env("peers", root().join("tests/peers"));
    // One that doesn't end is a failure of that example, and the others go on.
    let played = catch_unwind(AssertUnwindSafe(|| run_program(&mut command, b"")));
    let output = played.map_err(|_| format!("{option} {example} has not ended"))?;
    if output.status.success() {
        return Ok(());
    }
    let status = output.status.into_raw();
    Err(format!("{option} {example} ({status})\n{}{}", output.text(), output.stderr))
}

/// A program in its own namespaces; its processes end with it.
fn machine() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command
}

#[expect(clippy::print_stderr, reason = "a test that tests nothing has to say so")]
fn can_have_machines() -> bool {
    let output = run_program(machine().args(["mount", "-t", "tmpfs", "none", "/mnt"]), b"");
    if !output.status.success() {
        eprintln!("SKIPPED: the examples need root and namespaces: {}", output.stderr.trim());
    }
    output.status.success()
}
