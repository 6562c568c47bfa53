//! The media type of a file, by the ending of its name: the types that pages use.
//!
//! Other files are served as bytes, and browsers are told not to guess. Text is UTF-8.

/// The Content-Type for a file of this name.
pub(super) fn of(name: &str) -> &'static str {
    let ending = name.rsplit('/').next().and_then(|name| name.rsplit_once('.'));
    let ending = ending.map(|(_, ending)| ending.to_ascii_lowercase());
    let known = ending.and_then(|ending| TYPES.iter().find(|(of, _)| *of == ending));
    known.map_or("application/octet-stream", |(_, media)| media)
}

/// Media types from IANA's registry.
const TYPES: &[(&str, &str)] = &[
    ("avif", "image/avif"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ending_counts_and_folders_have_none() {
        for (name, media) in [
            ("/a/index.html", "text/html; charset=utf-8"),
            ("/A.JS", "text/javascript; charset=utf-8"),
            ("/a.tar.gz", "application/gzip"),
            ("/a.html/b", "application/octet-stream"),
            ("/a.exe", "application/octet-stream"),
            ("/html", "application/octet-stream"),
        ] {
            assert_eq!(of(name), media, "{name}");
        }
        assert!(TYPES.is_sorted_by_key(|(ending, _)| ending));
    }
}
