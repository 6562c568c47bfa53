//! A folder without `index.html`: its contents, or the page that was meant.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;

use hyper::StatusCode;
use rustix::fs::{Dir, Mode, OFlags, openat};

use super::beneath::Root;
use crate::http::document::{self, escaped};
use crate::http::reply::{self, Reply};

/// Something in a folder that may be asked for.
pub(super) struct Entry {
    name: OsString,
    is_folder: bool,
    /// In bytes.
    size: u64,
}

/// Reads the entries of `folder`, which has this name; sorted, and no more than [`MOST`]. Unless they are listed, only
/// the page that was perhaps meant is one: looking at each of thousands of files takes tens of milliseconds.
pub(super) fn entries(
    root: &Root,
    folder: &File,
    name: &[OsString],
    lists: bool,
) -> io::Result<Vec<Entry>> {
    let mut names = names(folder)?;
    // As a request for it would find it: links that lead out, and pipes, aren't there.
    let entry = |own: OsString| {
        let path: Vec<_> = name.iter().cloned().chain([own.clone()]).collect();
        let metadata = root.get(&path).unwrap_or_default()?.metadata().ok()?;
        Some(Entry { name: own, is_folder: metadata.is_dir(), size: metadata.len() })
    };
    if !lists {
        names.retain(|name| is_page(name));
        names.sort_by_key(|name| {
            (FIRST.iter().position(|first| name == first).unwrap_or(FIRST.len()), name.clone())
        });
        let mut pages = names.into_iter().take(TRIED).filter_map(entry);
        return Ok(pages.find(|page| !page.is_folder).into_iter().collect());
    }
    let mut found: Vec<_> = names.into_iter().filter_map(entry).collect();
    found.sort_by(|a, b| (!a.is_folder, &a.name).cmp(&(!b.is_folder, &b.name)));
    Ok(found)
}

/// Reads the names in a folder, without hidden ones.
fn names(folder: &File) -> io::Result<Vec<OsString>> {
    let mut found = Vec::new();
    // It may be held open without leave to read it.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for entry in Dir::new(openat(folder, ".", flags, Mode::empty())?)? {
        let entry = entry?;
        let bytes = entry.file_name().to_bytes();
        if bytes.starts_with(b".") || found.len() == MOST {
            continue;
        }
        found.push(OsStr::from_bytes(bytes).to_owned());
    }
    Ok(found)
}

/// The list, or that there is no page, and which one was perhaps meant.
pub(super) fn reply(path: &str, entries: &[Entry], lists: bool, is_html: bool) -> Reply {
    let status = if lists { StatusCode::OK } else { StatusCode::NOT_FOUND };
    if !is_html {
        return reply::text(status, &if lists { plain(entries) } else { words(entries) });
    }
    let mut body = String::new();
    if lists {
        body.push_str("<ul>\n");
        if path != "/" {
            body.push_str("<li><a href=\"../\">..</a>\n");
        }
        for entry in entries {
            let size = if entry.is_folder { String::new() } else { size(entry.size) };
            let _ = writeln!(body, "<li>{} <span>{size}</span>", link(entry));
        }
        body.push_str("</ul>\n");
    } else {
        let _ = writeln!(body, "<p class=\"words\">{}", escaped(&words(entries)));
        if let Some(page) = likely(entries) {
            let _ = writeln!(body, "<p>{}", link(page));
        }
    }
    let page = document::page(status, path, &body);
    page.unwrap_or_else(|| reply::text(status, &plain(entries)))
}

/// A size with a unit of 1000 bytes, as file managers have it.
fn size(bytes: u64) -> String {
    let (mut tenths, mut unit) = (u128::from(bytes) * 10, 0);
    while tenths >= 9995 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    match (unit, tenths) {
        (0, _) => format!("{bytes} B"),
        (_, 0..100) => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", (tenths + 5) / 10, UNITS[unit]),
    }
}

fn plain(entries: &[Entry]) -> String {
    entries.iter().map(shown).collect::<Vec<_>>().join("\n")
}

fn words(entries: &[Entry]) -> String {
    match likely(entries) {
        Some(page) => format!(
            "this folder has no index.html; did you mean {}? With `listing=true`, the listener lists all files",
            shown(page)
        ),
        None => "this folder has no index.html; with `listing=true`, the listener lists its files"
            .to_owned(),
    }
}

/// The most likely page: noVNC's, or the first.
fn likely(entries: &[Entry]) -> Option<&Entry> {
    let mut pages = entries.iter().filter(|entry| !entry.is_folder && is_page(&entry.name));
    let known = |name: &str| entries.iter().find(|entry| entry.name == name && !entry.is_folder);
    FIRST.into_iter().find_map(known).or_else(|| pages.next())
}

fn is_page(name: &OsStr) -> bool {
    let name = name.as_bytes().to_ascii_lowercase();
    name.ends_with(b".html") || name.ends_with(b".htm")
}

fn shown(entry: &Entry) -> String {
    let name = crate::http::syntax::printable(&entry.name.to_string_lossy());
    if entry.is_folder { format!("{name}/") } else { name }
}

fn link(entry: &Entry) -> String {
    let mut href = "./".to_owned();
    for byte in entry.name.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                href.push(char::from(*byte));
            }
            byte => {
                let _ = write!(href, "%{byte:02X}");
            }
        }
    }
    let slash = if entry.is_folder { "/" } else { "" };
    format!("<a href=\"{href}{slash}\">{}</a>", escaped(&shown(entry)))
}

const FIRST: [&str; 2] = ["index.htm", "vnc.html"];
const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
/// Entries of a folder that are shown.
const MOST: usize = 10_000;
/// Names of pages that are looked at, if none of them is a file.
const TRIED: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, is_folder: bool) -> Entry {
        Entry { name: name.into(), is_folder, size: 0 }
    }

    #[test]
    fn names_are_text_and_links() {
        let odd = entry("<b>&\"?#%.html", false);
        let expected = "<a href=\"./%3Cb%3E%26%22%3F%23%25.html\">&lt;b&gt;&amp;&quot;?#%.html</a>";
        assert_eq!(link(&odd), expected);
        assert_eq!(link(&entry("a:b", true)), "<a href=\"./a%3Ab/\">a:b/</a>");
    }

    #[test]
    fn sizes_have_two_digits_at_least() {
        let sizes =
            [0, 999, 1000, 1049, 9949, 10_000, 999_400, 999_500, 3_500_000, u64::MAX].map(size);
        let expected =
            ["0 B", "999 B", "1.0 kB", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "3.5 MB"];
        assert_eq!(sizes[..9], expected);
    }

    #[test]
    fn the_first_likely_page_is_named() {
        let files =
            |names: &[&str]| names.iter().map(|name| entry(name, false)).collect::<Vec<_>>();
        for (names, page) in [
            (&["app.js", "vnc.html", "vnc_lite.html"][..], "vnc.html"),
            (&["b.HTM", "z.html"], "b.HTM"),
            (&["a.html", "index.htm"], "index.htm"),
        ] {
            assert!(words(&files(names)).contains(page), "{names:?}");
        }
        assert!(!words(&files(&["a.js"])).contains("perhaps"));
        assert!(likely(&[entry("x.html", true)]).is_none());
    }
}
