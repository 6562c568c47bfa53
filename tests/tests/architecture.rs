//! The invariants of the architecture that a program can check: dependencies of crates, and their use of the system.
#![expect(clippy::unwrap_used, reason = "cargo's own output has the form that it documents")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tests::source::{Source, read, sources};

/// Which crates of the workspace each may use in what it ships. Examples stand outside: they are users.
const MAY_USE: &[(&str, &[&str])] = &[
    ("descriptor", &[]),
    ("websocket", &[]),
    ("confine", &[]),
    ("endpoint", &[]),
    ("framing", &[]),
    ("plan", &["descriptor", "endpoint", "framing"]),
    ("http-connect", &[]),
    ("proxy-protocol", &[]),
    ("socks", &[]),
    ("wisp", &[]),
    ("ws2s", &[]),
    (
        "endpoints",
        &[
            "confine",
            "descriptor",
            "endpoint",
            "framing",
            "http-connect",
            "plan",
            "proxy-protocol",
            "socks",
            "telnet",
            "websocket",
            "wisp",
            "ws2s",
        ],
    ),
    ("forward", &["endpoint"]),
    ("endpointforward", &["descriptor", "endpoint", "endpoints", "forward", "framing", "plan"]),
    ("tests", &[]),
    ("telnet", &[]),
    ("xtask", &["tests"]),
];

/// The features of tokio that `endpoint` may use: traits, channels and clocks; nothing that opens.
const TOKIO_OF_ENDPOINT: &[&str] = &["io-util", "sync", "time"];

/// Crates that do no I/O: protocols, the language, and planning.
const WITHOUT_IO: &[&str] = &[
    "descriptor",
    "framing",
    "http-connect",
    "plan",
    "proxy-protocol",
    "socks",
    "telnet",
    "websocket",
    "wisp",
    "ws2s",
];

/// Crates that may touch the environment, print, and exit.
const MAY_PRINT: &[&str] = &["endpointforward", "xtask"];

/// Every file with `unsafe` in it, and why. At most one a crate.
const UNSAFE: &[(&str, &str)] = &[
    (
        "crates/confine/src/lib.rs",
        "what a program is made to be between fork and exec (limits, priority, user) has no safe function",
    ),
    (
        "crates/endpoints/src/sockopt.rs",
        "what TCP knows about a peer (TCP_INFO, SIOCOUTQ), two of its options, and descriptors that were passed to us have no \
         safe wrapper",
    ),
];

/// Which kind asks the registry for which other kind's layer. Without that kind, it works without the layer.
const ASKS: &[(&str, &str)] = &[("ws", "telnet")];

#[test]
fn crates_use_only_what_is_below_them() {
    for package in members() {
        let name = package["name"].as_str().unwrap();
        if path(package).contains("/examples/") {
            continue;
        }
        let may = MAY_USE.iter().find(|(of, _)| *of == name).map(|(_, may)| *may);
        let may = may.unwrap_or_else(|| panic!("`{name}` is new: give it its place in MAY_USE"));
        for dependency in shipped(package).filter(|dependency| !dependency["path"].is_null()) {
            let used = dependency["name"].as_str().unwrap();
            assert!(may.contains(&used), "`{name}` may not use `{used}`");
        }
    }
}

/// The language and the protocols can't open anything, however deep one looks: they are tested as functions, and run
/// over anything.
#[test]
fn the_language_and_the_protocols_know_no_io() {
    const IO: [&str; 8] = ["tokio", "mio", "socket2", "hyper", "rustix", "nix", "libc", "tracing"];
    for name in [
        "descriptor",
        "framing",
        "http-connect",
        "proxy-protocol",
        "socks",
        "telnet",
        "websocket",
        "wisp",
        "ws2s",
    ] {
        let below = everything_under(name);
        let does_io = |other: &&String| IO.iter().any(|io| other.starts_with(io));
        let found: Vec<_> = below.iter().filter(does_io).collect();
        assert!(found.is_empty(), "`{name}` gets {found:?}");
    }
}

#[test]
fn the_vocabulary_opens_nothing() {
    for dependency in shipped(member("endpoint")) {
        let name = dependency["name"].as_str().unwrap();
        let opens = [
            "hyper",
            "hyper-util",
            "socket2",
            "rustix",
            "libc",
            "tokio-serial",
            "tokio-tungstenite",
        ];
        assert!(!opens.contains(&name), "endpoint uses {name}");
        if name == "tokio" {
            let features: Vec<_> = dependency["features"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let more: Vec<_> =
                features.iter().filter(|feature| !TOKIO_OF_ENDPOINT.contains(feature)).collect();
            assert!(more.is_empty(), "endpoint uses tokio's {more:?}");
        }
    }
}

#[test]
fn protocols_and_planning_do_no_io() {
    for name in WITHOUT_IO {
        for dependency in shipped(member(name)) {
            let used = dependency["name"].as_str().unwrap();
            assert!(
                !["tokio", "tokio-util", "hyper", "socket2", "rustix"].contains(&used),
                "{name} uses {used}"
            );
        }
        for source in sources(&format!("crates/{name}/src")) {
            assert_names_none(&source, "std", &["env", "fs", "net", "process", "thread"]);
            assert!(!source.code().contains("tokio::"), "{} names tokio", source.path);
        }
    }
}

#[test]
fn only_the_command_reads_the_environment_and_prints() {
    for source in library_sources() {
        assert_names_none(&source, "std", &["env"]);
        let waived = source.text.contains("clippy::print_std");
        assert!(!waived, "{} waives the lint against printing", source.path);
    }
    let (clippy, cargo) = (read("clippy.toml"), read("Cargo.toml"));
    let functions =
        ["env::var", "env::var_os", "env::vars", "env::vars_os", "env::set_var", "process::exit"];
    for function in functions {
        assert!(
            clippy.contains(&format!("\"std::{function}\"")),
            "clippy.toml doesn't disallow {function}"
        );
    }
    assert!(
        cargo.contains("print_stdout = ") && cargo.contains("print_stderr = "),
        "the lints against printing"
    );
}

#[test]
fn unsafe_stands_in_named_files_only() {
    let mut found = BTreeSet::new();
    for source in sources("crates").into_iter().chain(sources("examples")).chain(sources("tests")) {
        let code = source.code();
        let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        // This file has to name what it looks for.
        if words.clone().any(|word| word == "unsafe")
            && !source.path.ends_with("tests/architecture.rs")
        {
            found.insert(source.path);
        }
    }
    let named: BTreeSet<_> = UNSAFE.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, named, "left: where it is; right: where UNSAFE says it is");
    let crates: Vec<_> = named.iter().filter_map(|path| path.split('/').nth(1)).collect();
    assert_eq!(
        crates.len(),
        crates.iter().collect::<BTreeSet<_>>().len(),
        "one file a crate: {named:?}"
    );
}

/// A kind asks the registry for what is under it; else `ws` over `tcp` would be another program than `ws` over `mem`.
#[test]
fn no_kind_names_another() {
    let sources = sources("crates/endpoints/src");
    let library =
        sources.iter().find(|source| source.path.ends_with("src/lib.rs")).expect("a library");
    let kinds = kinds(&library.code());
    assert!(kinds.len() > 3, "the slice KINDS in {} names modules, found {kinds:?}", library.path);
    for source in sources.iter().filter(|source| !source.path.ends_with("src/lib.rs")) {
        let inside = source.path.trim_start_matches("crates/endpoints/src/");
        let own = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let mut named = source.names_in("crate");
        if !inside.contains('/') {
            named.extend(source.names_in("super"));
        }
        let others: Vec<_> =
            named.iter().filter(|name| *name != own && kinds.contains(*name)).collect();
        assert!(others.is_empty(), "{} names the kinds {others:?}", source.path);
    }
}

/// A stream over another one passes on what the transport knows: without it, a session doesn't see a peer that is gone
/// behind a stall, and nothing else misses it. And it passes on that data was lost, or its peer takes the rest for all.
#[test]
fn streams_over_others_pass_on_what_is_known_of_the_peer() {
    let mut over = 0;
    for source in library_sources() {
        let code = source.code();
        // An implementation ends with a brace at its own indentation.
        for piece in code.split("Life for ").skip(1) {
            let (name, body) = piece.split_once(" {").unwrap();
            let body = body.split("\n}").next().unwrap();
            let passes_on = [".poll_finish(cx, end)", ".poll_finish(cx, &end)", "pass_on!("];
            if passes_on.iter().any(|call| body.contains(call)) {
                over += 1;
                for wanted in ["peer", "abort"] {
                    let is_passed_on = body.split("pass_on!(").skip(1).any(|list| {
                        let list = list.split(");").next().unwrap();
                        list.split([' ', ',']).any(|method| method == wanted)
                    });
                    let has_own = body.contains(&format!("fn {wanted}(&mut self)"));
                    assert!(is_passed_on || has_own, "{}: {name}: {wanted}", source.path);
                }
            }
        }
    }
    assert!(over >= 5, "the test sees no implementations: {over}");
}

#[test]
fn the_splice_knows_no_kind() {
    for source in sources("crates/forward/src") {
        assert_names_none(&source, "tokio", &["net", "fs", "process"]);
        assert_names_none(&source, "std", &["net", "fs", "process"]);
        // Its pipes are all that it asks of the system.
        let of_system = source.names_in("rustix");
        let more: Vec<_> =
            of_system.iter().filter(|name| !["io", "pipe"].contains(&name.as_str())).collect();
        assert!(more.is_empty(), "{} names rustix::{more:?}", source.path);
    }
}

/// An agreement of two sides is a method of facts: the forwarder knows the facts of no protocol.
#[test]
fn the_forwarder_knows_no_protocol() {
    for source in sources("crates/forward/src") {
        assert_names_none(&source, "endpoint", &["info"]);
        let code = source.code();
        let words: BTreeSet<_> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let found: Vec<_> = ["Http", "Tcp", "Unix", "Proxied", "Target", "hyper", "http"]
            .into_iter()
            .filter(|name| words.contains(name))
            .collect();
        assert!(found.is_empty(), "{} names {found:?}", source.path);
    }
}

/// Kinds that are reached by HTTP are mounted on its front, which knows nothing of them.
#[test]
fn http_knows_no_kind() {
    for source in sources("crates/endpoints/src/http") {
        let code = source.code();
        assert!(!code.contains("crate::ws"), "{} names ws", source.path);
        assert_names_none(&source, "websocket", &["Role", "Encoder", "deflate", "Limits"]);
    }
}

/// A kind that wants another one's layer asks the registry for it by name. All that do are in ASKS.
#[test]
fn layers_that_are_asked_for_are_declared() {
    let mut asked = BTreeSet::new();
    for source in sources("crates/endpoints/src") {
        let code = source.code();
        for (_, rest) in
            code.match_indices("dial_layer(").map(|(at, name)| code.split_at(at + name.len()))
        {
            let name = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
            let name = name
                .unwrap_or_else(|| panic!("{} asks for a layer by a computed name", source.path));
            let inside = source.path.trim_start_matches("crates/endpoints/src/");
            let own = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
            asked.insert((own.to_owned(), name.to_owned()));
        }
    }
    let declared: BTreeSet<_> =
        ASKS.iter().map(|(of, name)| ((*of).to_owned(), (*name).to_owned())).collect();
    assert_eq!(asked, declared, "left: what is asked for; right: ASKS");
    let kinds = kinds(&read("crates/endpoints/src/lib.rs"));
    for (of, name) in ASKS {
        assert!(
            kinds.contains(*of) && kinds.contains(*name),
            "`{of}` asks for `{name}`: no such kind"
        );
    }
}

/// The document has a line for each crate, and for each folder right inside one.
#[test]
fn the_document_names_every_crate_and_folder() {
    let document = read("ARCHITECTURE.md");
    let named = |heading: &str| {
        let (_, table) = document.split_once(heading).unwrap();
        let rows = table.lines().skip_while(|line| !line.starts_with("| `"));
        let rows = rows.take_while(|line| line.starts_with('|'));
        let names = rows.filter_map(|row| row.split('`').nth(1));
        names.flat_map(alternatives).collect::<BTreeSet<_>>()
    };
    let crates = MAY_USE.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(named("| crate |"), crates.filter(|name| name != "tests").collect());
    let files = sources("crates").into_iter().filter_map(|source| {
        let (package, file) = source.path.strip_prefix("crates/")?.split_once("/src/")?;
        file.split_once('/').map(|(folder, _)| format!("{package}/src/{folder}"))
    });
    let mut folders: BTreeSet<_> = files.collect();
    folders.insert("web/src".to_owned());
    assert_eq!(named("| folder |"), folders);
}

/// `a/{b,c}` as `a/b` and `a/c`.
fn alternatives(name: &str) -> Vec<String> {
    match name.trim_end_matches('}').split_once('{') {
        Some((before, list)) => list.split(',').map(|one| format!("{before}{one}")).collect(),
        None => vec![name.to_owned()],
    }
}

/// The modules in the slice `KINDS`: the first words of its paths.
fn kinds(library: &str) -> BTreeSet<String> {
    let slice = library.find("KINDS:").and_then(|at| library[at..].split_once("= &["));
    let slice = slice.and_then(|(_, list)| list.split_once("];")).map_or("", |(list, _)| list);
    let paths =
        slice.split(',').filter_map(|item| item.trim().trim_start_matches('&').split_once("::"));
    paths.map(|(module, _)| module.to_owned()).filter(|module| module != "crate").collect()
}

fn library_sources() -> impl Iterator<Item = Source> {
    let packages = MAY_USE
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !MAY_PRINT.contains(name) && *name != "tests");
    packages.flat_map(|name| sources(&format!("crates/{name}/src")))
}

fn assert_names_none(source: &Source, root: &str, forbidden: &[&str]) {
    let named: Vec<_> = source
        .names_in(root)
        .into_iter()
        .filter(|name| forbidden.contains(&name.as_str()))
        .collect();
    assert!(named.is_empty(), "{} names {root}::{named:?}", source.path);
}

fn members() -> impl Iterator<Item = &'static Value> {
    metadata()["packages"].as_array().unwrap().iter().filter(|package| package["source"].is_null())
}

fn member(name: &str) -> &'static Value {
    members()
        .find(|package| package["name"] == name)
        .unwrap_or_else(|| panic!("no package `{name}`"))
}

fn path(package: &Value) -> &str {
    package["manifest_path"].as_str().unwrap()
}

/// The declared dependencies that are part of what is built for users.
fn shipped(package: &Value) -> impl Iterator<Item = &Value> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dependency| dependency["kind"] != "dev")
}

/// The names of all that is below a member, through any number of others.
fn everything_under(name: &str) -> BTreeSet<String> {
    let nodes = metadata()["resolve"]["nodes"].as_array().unwrap();
    let nodes: BTreeMap<_, _> =
        nodes.iter().map(|node| (node["id"].as_str().unwrap(), node)).collect();
    let names: BTreeMap<_, _> = metadata()["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let mut found = BTreeSet::new();
    let mut next = vec![member(name)["id"].as_str().unwrap()];
    while let Some(id) = next.pop() {
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let id = dependency["pkg"].as_str().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") && found.insert(names[id].to_owned())
            {
                next.push(id);
            }
        }
    }
    found
}

fn metadata() -> &'static Value {
    static METADATA: OnceLock<Value> = OnceLock::new();
    METADATA.get_or_init(|| {
        let version = Command::new("rustc").arg("-vV").output().unwrap();
        let version = String::from_utf8(version.stdout).unwrap();
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        // Of this platform only, and offline: whatever has been built is there, other platforms' crates may not be.
        let mut cargo = Command::new("cargo");
        cargo.args(["metadata", "--format-version=1", "--offline", "--filter-platform", host]);
        let output = cargo.current_dir(tests::root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    })
}
