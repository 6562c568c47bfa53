//! No two files import each other, neither directly nor through others: a reader of one
//! file of a circle has to read all of them.
//!
//! A name counts for the file that defines it, wherever it is imported from: `crate::Name` is a re-export of the root,
//! and a path within an expression is an import, too. A module and what is inside it are one thing here: they may name
//! each other.

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
    let mut circles = BTreeMap::new();
    for (name, modules) in &crates {
        let imports = imports(modules);
        let mut left: BTreeSet<_> = imports.keys().cloned().collect();
        while let Some(module) = left.pop_first() {
            let Some(way) = way_back(&module, &imports) else { continue };
            // The whole circle that this way is a part of.
            let circle = |other: &Path| {
                *other == module
                    || is_reached(&module, other, &imports) && is_reached(other, &module, &imports)
            };
            let files: Vec<_> = imports.keys().filter(|other| circle(other)).cloned().collect();
            left.retain(|other| !files.contains(other));
            let files: Vec<_> = files.iter().map(|file| file.join("::")).collect();
            let way: Vec<_> = way.iter().map(|module| module.join("::")).collect();
            circles.insert(format!("{name}: {}", files.join(", ")), way.join(" → "));
        }
    }
    for (files, reason) in REASONS {
        assert!(circles.remove(*files).is_some(), "{files} are no circle any more ({reason})");
    }
    assert!(circles.is_empty(), "circles of files: {circles:#?}");
}

/// Circles that are meant, each with the reason.
const REASONS: &[(&str, &str)] = &[
    (
        "crates/endpoints: slips::absent, slips::foreign, slips::typography",
        "an endpoint in another notation has another one beneath, or is one when its dashes are mended: the \
         translation of the part is the translation of all",
    ),
    (
        "crates/plan: kind::args, kind::framing, kind::provider, registry",
        "what plans a kind, a framing or a provider gets `Args`, and these know the registry, which consists of \
         kinds, framings and providers: parameters have values that are planned with it",
    ),
];

#[test]
fn imports_are_understood() {
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Path>();
    let code = "use super::c::{self, D, e::{F, g}};\npub(crate) use crate::x::Y as Z;\nuse self::inner::I;\n\
                use near::N;\nuse std::fmt;\nlet it: &dyn super::c::D = crate::made();";
    let is_module = |module: &Path| *module == path("a::b::near");
    let found: Vec<_> = imported(code, &path("a::b"), is_module)
        .into_iter()
        .map(|(name, path)| (name.unwrap_or_default(), path.join("::")))
        .collect();
    let expected = [
        ("c", "a::c"),
        ("D", "a::c::D"),
        ("F", "a::c::e::F"),
        ("g", "a::c::e::g"),
        ("Z", "x::Y"),
        ("I", "a::b::inner::I"),
        ("N", "a::b::near::N"),
        ("", "a::c::D"),
        ("", "made"),
    ];
    assert_eq!(found, expected.map(|(name, path)| (name.to_owned(), path.to_owned())));
}

#[test]
fn a_name_counts_for_the_file_that_defines_it() {
    let source = |text: &str| Source { path: String::new(), text: text.to_owned() };
    let path = |text: &str| text.split("::").map(str::to_owned).collect::<Path>();
    let modules = BTreeMap::from([
        (Vec::new(), source("pub use a::b::Name;\npub use c::C as D;")),
        (path("a"), source("pub(crate) use self::b::Name;")),
        (path("a::b"), source("use crate::D;\npub struct Name;")),
        (path("c"), source("use super::Name;\nuse crate::a::Name as Same;")),
    ]);
    let imports = imports(&modules);
    assert_eq!(imports[&path("c")], BTreeSet::from([path("a::b")]));
    assert_eq!(imports[&path("a::b")], BTreeSet::from([path("c")]));
    assert!(way_back(&path("c"), &imports).is_some());
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

/// The files of a crate, each with those that it imports; its own module, and those within it, left out.
fn imports(modules: &BTreeMap<Path, Source>) -> BTreeMap<Path, BTreeSet<Path>> {
    let names: BTreeMap<_, _> = modules
        .iter()
        .map(|(module, source)| {
            (module, imported(&source.code(), module, |path| modules.contains_key(path)))
        })
        .collect();
    // What a module imports can be named as its own: by everyone if it is public, otherwise by those within it.
    let mut exports = BTreeMap::new();
    for (module, names) in &names {
        for (name, path) in names {
            if let Some(name) = name {
                exports
                    .insert([module.as_slice(), std::slice::from_ref(name)].concat(), path.clone());
            }
        }
    }
    let import = |(module, names): (&Path, Vec<(Option<String>, Path)>)| {
        let files = names.into_iter().filter_map(|(_, path)| file_of(path, modules, &exports));
        let others = files.filter(|file| !file.starts_with(module) && !module.starts_with(file));
        (module.clone(), others.collect())
    };
    names.into_iter().map(import).collect()
}

/// Returns the paths in its own crate that a file names: those of `use` declarations with the name that each gets there,
/// and those within the code without one.
fn imported(
    code: &str,
    module: &[String],
    is_module: impl Fn(&Path) -> bool,
) -> Vec<(Option<String>, Path)> {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut from = 0;
    for (at, _) in code.match_indices("use ") {
        let begins = code[..at].ends_with(['\n', ' ', ')']) || at == 0;
        let Some((tree, _)) = code[at + 4..].split_once(';').filter(|_| begins && at >= from)
        else {
            continue;
        };
        rest += &code[from..at];
        from = at + 4 + tree.len();
        let mut paths = Vec::new();
        expand(&tree.split_whitespace().collect::<Vec<_>>().join(" "), &[], &mut paths);
        found.extend(paths.into_iter().map(|(path, name)| (Some(name), path)));
    }
    rest += &code[from..];
    let words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let paths = words.map(|word| word.split("::").map(str::to_owned).collect::<Path>());
    let is_path =
        |path: &Path| path.len() > 1 && matches!(path[0].as_str(), "crate" | "self" | "super");
    found.extend(paths.filter(is_path).map(|path| (None, path)));
    let resolved = found.into_iter().filter_map(|(name, mut path)| {
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
            // `use inner::Name` is a path from here, if it is one in this crate.
            inner if is_module(&[module, &[inner.to_owned()]].concat()) => {
                path.insert(0, "self".to_owned());
            }
            _ => return None,
        }
        base.extend(path.into_iter().skip(1));
        Some((name, base))
    });
    resolved.collect()
}

/// `a::{b, c::d as e}` as `a::b`, named `b`, and `a::c::d`, named `e`.
fn expand(tree: &str, before: &[String], found: &mut Vec<(Path, String)>) {
    let mut path = before.to_vec();
    let Some((names, list)) = tree.trim().split_once('{') else {
        let mut names = tree.trim().split(" as ");
        let name = names.next().unwrap_or_default();
        path.extend(name.split("::").map(|name| name.trim().to_owned()));
        // `{self, …}` names what the list is about.
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let name = names.next().or(path.last().map(String::as_str)).unwrap_or_default().to_owned();
        found.push((path, name));
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

/// The file that defines an imported name: the longest path that is a module, past re-exports.
fn file_of(
    mut name: Path,
    modules: &BTreeMap<Path, Source>,
    exports: &BTreeMap<Path, Path>,
) -> Option<Path> {
    // No re-export passes through more files than this; two that name each other would go on for ever.
    for _ in 0..8 {
        let known = (1..=name.len()).rev().map(|end| &name[..end]).find_map(|path| {
            if modules.contains_key(path) {
                return Some(Ok(path.to_vec()));
            }
            let export = exports.get(path).filter(|export| *export != path)?;
            Some(Err([export.as_slice(), &name[path.len()..]].concat()))
        });
        match known? {
            Ok(file) => return Some(file),
            Err(longer) => name = longer,
        }
    }
    None
}

/// Returns `true` if one comes from `start` to `end`.
fn is_reached(start: &Path, end: &Path, imports: &BTreeMap<Path, BTreeSet<Path>>) -> bool {
    let (mut ways, mut seen) = (vec![start], BTreeSet::new());
    while let Some(at) = ways.pop() {
        for next in imports.get(at).into_iter().flatten() {
            if next == end {
                return true;
            }
            if seen.insert(next) {
                ways.push(next);
            }
        }
    }
    false
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
