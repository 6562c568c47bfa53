//! A folder without `index.html`: what is in it, or which page was meant.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;

use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use rustix::fs::{Dir, Mode, OFlags, openat};

use super::beneath::Root;
use crate::http::reply::{self, Reply};

/// Something in a folder that may be asked for.
pub(super) struct Entry {
    name: OsString,
    is_folder: bool,
}

/// Reads what is in `folder`, which has this name; sorted, and no more than [`MOST`].
pub(super) fn entries(root: &Root, folder: &File, name: &[OsString]) -> io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    // It may be held open without leave to read it.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    for entry in Dir::new(openat(folder, ".", flags, Mode::empty())?)? {
        let entry = entry?;
        let bytes = entry.file_name().to_bytes();
        if bytes.starts_with(b".") || found.len() == MOST {
            continue;
        }
        let own = OsStr::from_bytes(bytes).to_owned();
        // As a request for it would find it: links that lead out, and pipes, aren't there.
        let path: Vec<_> = name.iter().cloned().chain([own.clone()]).collect();
        let Some(file) = root.get(&path).unwrap_or_default() else { continue };
        let is_folder = file.metadata().is_ok_and(|metadata| metadata.is_dir());
        found.push(Entry { name: own, is_folder });
    }
    found.sort_by(|a, b| (!a.is_folder, &a.name).cmp(&(!b.is_folder, &b.name)));
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
            let _ = writeln!(body, "<li>{}", link(entry));
        }
        body.push_str("</ul>\n");
    } else {
        let _ = writeln!(body, "<p>{}", escaped(&words(entries)));
        if let Some(page) = likely(entries) {
            let _ = writeln!(body, "<p>{}", link(page));
        }
    }
    let shown = escaped(path);
    let mut reply = reply::text(
        status,
        &format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"dark light\">\n<title>{shown}</title>\n\
             <main>\n<h1>{shown}</h1>\n{body}</main>"
        ),
    );
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    reply
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
    let mut pages = entries.iter().filter(|entry| {
        let name = entry.name.as_bytes().to_ascii_lowercase();
        !entry.is_folder && (name.ends_with(b".html") || name.ends_with(b".htm"))
    });
    let known = |name: &str| entries.iter().find(|entry| entry.name == name && !entry.is_folder);
    FIRST.into_iter().find_map(known).or_else(|| pages.next())
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const FIRST: [&str; 2] = ["index.htm", "vnc.html"];
/// Entries of a folder that are shown.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, is_folder: bool) -> Entry {
        Entry { name: name.into(), is_folder }
    }

    #[test]
    fn names_are_text_and_links() {
        let odd = entry("<b>&\"?#%.html", false);
        let expected = "<a href=\"./%3Cb%3E%26%22%3F%23%25.html\">&lt;b&gt;&amp;&quot;?#%.html</a>";
        assert_eq!(link(&odd), expected);
        assert_eq!(link(&entry("a:b", true)), "<a href=\"./a%3Ab/\">a:b/</a>");
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
