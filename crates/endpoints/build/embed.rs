//! Turns a folder with the page into Rust: its files, and what is said about each.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::Failure;

/// The code of `page.rs`; the files are copied to `out`, which lives as long as that.
pub(crate) fn page(dist: &Path, policy: &Path, out: &Path) -> Result<String, Failure> {
    match fs::remove_dir_all(out) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(out, &error)),
        _ => {}
    }
    fs::create_dir_all(out.join("assets")).map_err(|error| told(out, &error))?;
    let own = dist.join("csp.txt");
    let policy = if own.is_file() { own } else { policy.to_owned() };
    let policy = fs::read_to_string(&policy).map_err(|error| told(&policy, &error))?;
    let policy = policy.trim();
    if policy.is_empty() || policy.chars().any(|c| !(' '..='~').contains(&c)) {
        return Err("csp.txt is no header's value".to_owned());
    }
    let assets = dist.join("assets");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&assets).map_err(|error| told(&assets, &error))? {
        let name = entry.map_err(|error| told(&assets, &error))?.file_name();
        let name = name.into_string().map_err(|name| format!("{} is no name", name.display()))?;
        if !name.ends_with(".br") && !name.ends_with(".gz") {
            names.insert(name);
        }
    }
    let index = file(dist, out, "index.html")?;
    let mut files = String::new();
    for name in names {
        files += &format!("        {},\n", file(dist, out, &format!("assets/{name}"))?);
    }
    Ok(format!(
        "pub(super) static BUILT: Result<Built, &str> = Ok(Built {{\n    policy: {policy:?},\n    \
         index: {index},\n    files: &[\n{files}    ],\n}});\n"
    ))
}

/// The code of one `File`.
fn file(dist: &Path, out: &Path, name: &str) -> Result<String, Failure> {
    let content = fs::read(dist.join(name)).map_err(|error| told(&dist.join(name), &error))?;
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let tag = format!("{:016x}", hasher.finish());
    let plain = copied(dist, out, name)?.ok_or_else(|| format!("{name} is missing"))?;
    let packed = |ending: &str| -> Result<String, Failure> {
        let copy = copied(dist, out, &format!("{name}.{ending}"))?;
        Ok(copy.map_or("None".to_owned(), |path| format!("Some(include_bytes!({path:?}))")))
    };
    let (brotli, gzip) = (packed("br")?, packed("gz")?);
    let (media_type, hashed) = (media_type(name), is_hashed(name));
    Ok(format!(
        "File {{ name: {name:?}, media_type: {media_type:?}, tag: {tag:?}, hashed: {hashed}, \
         plain: include_bytes!({plain:?}), brotli: {brotli}, gzip: {gzip} }}"
    ))
}

fn copied(dist: &Path, out: &Path, name: &str) -> Result<Option<PathBuf>, Failure> {
    let to = out.join(name);
    match fs::copy(dist.join(name), &to) {
        Ok(_) => Ok(Some(to)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(&to, &error)),
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "json" | "map" | "webmanifest" => "application/json",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether the name has a hash of the content, as vite writes it: `NAME-HASH.ENDING`, with eight
/// characters of base64.
fn is_hashed(name: &str) -> bool {
    let stem = name.rsplit('/').next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let in_hash = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let Some((before, hash)) = stem.as_bytes().split_last_chunk::<8>() else { return false };
    before.last() == Some(&b'-') && hash.iter().all(in_hash)
}

fn told(path: &Path, error: &io::Error) -> Failure {
    format!("{}: {error}", path.display())
}
