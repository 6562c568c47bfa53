//! A folder with a file for each key, as for websockify's `TokenFileName` and `UnixDomainSocketDirectory`: the
//! file contains the destination, or is a Unix socket.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use descriptor::quote_positional;
use endpoint::provider::{Answer, Destination, Found};
use endpoint::{Missing, describe};
use tokio::task::spawn_blocking;

use super::answer;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Names(PathBuf);

impl Names {
    pub(super) fn new(path: &str) -> Self {
        Self(path.into())
    }

    pub(super) async fn find(&self, key: &str) -> Result<Answer, String> {
        if !is_name(key) {
            return Ok(Answer::new(Found::Unknown));
        }
        let path = self.0.join(key);
        let read = spawn_blocking(move || read(&path)).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()));
        // The key may be a secret, and so is in no message.
        let found = read.map_err(|words| format!("{}: {words}", self.0.display()))?;
        Ok(Answer::new(found.map_or(Found::Unknown, Found::Destination)))
    }

    pub(super) fn missing(&self) -> Vec<Missing> {
        let message = || format!("there is no folder {}", self.0.display());
        if self.0.is_dir() { Vec::new() } else { vec![Missing::of("file", message())] }
    }
}

/// A client's key leads to no other folder, and to no file that is hidden.
fn is_name(key: &str) -> bool {
    !key.starts_with('.') && !key.contains('/') && key.len() <= LONGEST
}

/// Reads a file, links followed: they are the operator's.
fn read(path: &Path) -> Result<Option<Destination>, String> {
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(describe(&error)),
    };
    if meta.file_type().is_socket() {
        let path = path.to_str().ok_or("a path is not UTF-8")?;
        return Ok(Some(Destination::new(format!("unix:{}", quote_positional(path)))));
    }
    // A FIFO would wait for its writer.
    if !meta.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| describe(&error))?;
    let most = u64::try_from(answer::LONGEST + 1).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes).map_err(|error| describe(&error))?;
    answer::read(&bytes)
}

/// The maximum length of a file's name, in bytes (`NAME_MAX`).
const LONGEST: usize = 255;

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn a_key_names_a_file_and_leads_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("keys")).expect("a folder");
        fs::write(at("secret"), "127.0.0.1:1").expect("it is written");
        fs::write(at("keys/a"), "127.0.0.1:5900\n").expect("it is written");
        fs::write(at("keys/.hidden"), "127.0.0.1:1").expect("it is written");
        fs::write(at("keys/empty"), "").expect("it is written");
        fs::write(at("keys/long"), "x".repeat(1 << 20)).expect("it is written");
        fs::write(at("keys/two"), "127.0.0.1:1\n127.0.0.1:2\n").expect("it is written");
        fs::create_dir(at("keys/folder")).expect("a folder");
        fs::write(at("keys/folder/b"), "127.0.0.1:1").expect("it is written");
        std::os::unix::fs::symlink("a", at("keys/link")).expect("a link");
        let socket = at("keys/socket");
        let _listener = UnixListener::bind(&socket).expect("a socket");
        let names = Names::new(&at("keys").display().to_string());
        let socket = format!("unix:{}", quote_positional(&socket.display().to_string()));
        for (key, expected) in [
            ("a", Some("127.0.0.1:5900")),
            ("link", Some("127.0.0.1:5900")),
            ("socket", Some(&*socket)),
        ] {
            let found = names.find(key).await.expect(key).found;
            let Found::Destination(found) = found else { panic!("{key}: {found:?}") };
            assert_eq!(Some(&*found.text), expected, "{key}");
        }
        let long = "x".repeat(1 << 20);
        for key in [
            "",
            ".",
            "..",
            "../secret",
            "/etc/passwd",
            "..%2fsecret",
            "folder",
            "folder/b",
            ".hidden",
            "empty",
            "b",
            &long,
            "a/",
            "a\0",
            "a/../a",
        ] {
            let found = names.find(key).await.map(|answer| answer.found);
            assert!(
                matches!(found, Ok(Found::Unknown)) || key == "a\0" && found.is_err(),
                "{key}: {found:?}"
            );
        }
        for key in ["long", "two"] {
            let words = names.find(key).await.expect_err(key);
            assert!(words.contains("the answer ") && !words.contains(key), "{words}");
        }
    }
}
