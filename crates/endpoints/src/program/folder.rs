//! `dir=FOLDER`: the URL chooses the program, as websocketd's `--dir` does.
//!
//! A client's words choose among the executable regular files of one folder and nothing else: a path is taken apart
//! before it is decoded, so that no encoding makes a separator; `..`, dotfiles and empty names are nothing that is
//! there; and what links lead to has to be inside as well.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use plan::kind::{Param, ValueKind};

use super::facts::Place;
use super::files::is_program;

pub(crate) const DIR: Param = Param::new(
    "dir",
    ValueKind::Text,
    "A folder of programs, instead of `program`. The path of the client's URL selects one, and the rest of the path is \
     PATH_INFO. Only executable files inside the folder are run; other paths get 404.",
)
.no_holes(&"a client can't choose a folder");

/// The script that `path`, as it was sent, names in `folder`, and where it stands in the URL. `None` if there is none.
pub(crate) fn script(folder: &Path, path: &str) -> Option<(PathBuf, Place)> {
    // Links of the folder itself are the operator's.
    let folder = fs::canonicalize(folder).ok()?;
    let segments = path.strip_prefix('/')?.split('/');
    let segments = segments.map(segment).collect::<Option<Vec<_>>>()?;
    let mut at = folder.clone();
    for (index, name) in segments.iter().enumerate() {
        if name.is_empty() || name.starts_with(b".") {
            return None;
        }
        at.push(OsStr::from_bytes(name));
        let found = fs::canonicalize(&at).ok().filter(|found| found.starts_with(&folder))?;
        if found.is_dir() {
            continue;
        }
        if !is_program(&found) {
            return None;
        }
        let joined = |names: &[Vec<u8>]| {
            names.iter().flat_map(|name| [b"/".as_slice(), name].concat()).collect::<Vec<_>>()
        };
        let (script, rest) = segments.split_at(index + 1);
        return Some((found, Place { script: joined(script), rest: joined(rest) }));
    }
    None
}

/// A part of a path, decoded; `None` if it could be more than a name.
fn segment(text: &str) -> Option<Vec<u8>> {
    let name = percent_decode_str(text).collect::<Vec<_>>();
    let is_name = name != b"." && name != b".." && !name.contains(&b'/') && !name.contains(&0);
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn folder() -> tempfile::TempDir {
        let outer = tempfile::tempdir().expect("a folder");
        let dir = outer.path().join("scripts");
        fs::create_dir_all(dir.join("sub")).expect("folders");
        for (name, mode) in [
            ("scripts/count", 0o755),
            ("scripts/sub/a b", 0o755),
            ("scripts/text", 0o644),
            ("scripts/.hidden", 0o755),
            ("out", 0o755),
        ] {
            let at = outer.path().join(name);
            fs::write(&at, "#!/bin/sh\n").expect("a file");
            fs::set_permissions(&at, fs::Permissions::from_mode(mode)).expect("its mode");
        }
        symlink("../out", dir.join("leads-out")).expect("a link");
        symlink("count", dir.join("link")).expect("a link");
        symlink("..", dir.join("up")).expect("a link");
        outer
    }

    #[test]
    fn a_path_names_a_script_and_the_rest_is_its_own() {
        let outer = folder();
        let dir = outer.path().join("scripts");
        for (path, file, script, rest) in [
            ("/count", "count", "/count", ""),
            ("/link", "count", "/link", ""),
            ("/count/a/b%20c", "count", "/count", "/a/b c"),
            ("/count/", "count", "/count", "/"),
            ("/sub/a%20b/x", "sub/a b", "/sub/a b", "/x"),
        ] {
            let (found, place) = super::script(&dir, path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(found, fs::canonicalize(&dir).expect("it is there").join(file), "{path}");
            let expected = Place { script: script.into(), rest: rest.into() };
            assert_eq!(place, expected, "{path}");
        }
    }

    #[test]
    fn nothing_else_is_run() {
        let outer = folder();
        let dir = outer.path().join("scripts");
        for path in [
            "",
            "/",
            "count",
            "//count",
            "/sub",
            "/sub/",
            "/text",
            "/.hidden",
            "/absent",
            "/../out",
            "/%2e%2e/out",
            "/sub/../count",
            "/sub%2f..%2fcount",
            "/..%2fout",
            "/leads-out",
            "/up/out",
            "/up/scripts/count",
            "/count/../x",
            "/count/%2e%2e/x",
            "/count%00",
            "/count/a%2fb",
            "/sub/%2fcount",
        ] {
            assert_eq!(script(&dir, path), None, "{path}");
        }
    }
}
