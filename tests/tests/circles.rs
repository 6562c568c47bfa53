//! No two files import each other, neither directly nor through others: a reader of one
//! file of a circle has to read all of them.
//!
//! A module and what is inside it are one thing here: they may name each other.

use std::collections::{BTreeMap, BTreeSet};

use tests::source::{Source, sources};

/// The names of a module from the crate's root on.
type Path = Vec<String>;

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut crates: BTreeMap<String, BTreeMap<Path, Source>> = BTreeMap::new();
    for source in sources("crates") {
        if let Some((name, file)) = source.path.clone().split_once("/src/") {
            crates.entry(name.to_owned()).or_default().insert(module(file), source);
        }
    }
    assert!(crates.contains_key("crates/endpoints"), "{:?}", crates.keys());
    for (name, modules) in &crates {
        let imports = modules.iter().map(|(module, source)| {
            let named = imported(&source.code(), module);
            let files = named.into_iter().filter_map(|name| file_of(name, modules));
            let others =
                files.filter(|file| !file.starts_with(module) && !module.starts_with(file));
            (module.clone(), others.collect::<BTreeSet<_>>())
        });
        let imports: BTreeMap<Path, BTreeSet<Path>> = imports.collect();
        for module in imports.keys() {
            if let Some(way) = way_back(module, &imports) {
                let way: Vec<_> = way.iter().map(|module| module.join("::")).collect();
                panic!("a circle of files in {name}/src: {}", way.join(" → "));
            }
        }
    }
}

#[test]
fn imports_are_understood() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Path>();
    let code = "use super::c::{self, D, e::{F, g}};\npub(crate) use crate::x::Y as Z;\nuse self::inner::I;";
    let found: Vec<_> = imported(code, &path("a::b")).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["a::c", "a::c::D", "a::c::e::F", "a::c::e::g", "x::Y", "a::b::inner::I"]);
}

/// `ws/stream/mod.rs` is `ws::stream`; the root has no name.
fn module(file: &str) -> Path {
    let stem = file.trim_end_matches(".rs");
    let mut path: Path = stem.split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        path.pop();
    }
    path
}

/// Returns the paths in its own crate that the `use` declarations of a file name.
fn imported(code: &str, module: &[String]) -> Vec<Path> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let begins = code[..at].ends_with(['\n', ' ', ')']) || at == 0;
        let Some((tree, _)) = code[at + 4..].split_once(';').filter(|_| begins) else { continue };
        expand(&tree.split_whitespace().collect::<Vec<_>>().join(" "), &[], &mut found);
    }
    let resolved = found.into_iter().filter_map(|mut path: Path| {
        let mut base = module.to_vec();
        match path.first()?.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                while path.get(1).is_some_and(|name| name == "super") {
                    base.pop();
                    path.remove(0);
                }
                base.pop();
            }
            _ => return None,
        }
        base.extend(path.into_iter().skip(1));
        Some(base)
    });
    resolved.collect()
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expand(tree: &str, before: &[String], found: &mut Vec<Path>) {
    let mut path = before.to_vec();
    let Some((names, list)) = tree.trim().split_once('{') else {
        let name = tree.trim().split(" as ").next().unwrap_or_default();
        path.extend(name.split("::").map(|name| name.trim().to_owned()));
        // `{self, …}` names what the list is about.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        found.push(path);
        return;
    };
    path.extend(names.trim().trim_end_matches("::").split("::").map(str::to_owned));
    let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
    let mut depth = 0;
    let parts = list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    for part in parts.filter(|part| !part.trim().is_empty()) {
        expand(part, &path, found);
    }
}

/// The file that an imported name stands in: the longest path that is a module.
fn file_of(mut name: Path, modules: &BTreeMap<Path, Source>) -> Option<Path> {
    while !name.is_empty() {
        if modules.contains_key(&name) {
            return Some(name);
        }
        name.pop();
    }
    None
}

/// How one comes back to `start`, if one does.
fn way_back(start: &Path, imports: &BTreeMap<Path, BTreeSet<Path>>) -> Option<Vec<Path>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in imports.get(way.last()?)? {
            let mut longer = way.clone();
            longer.push(next.clone());
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}
