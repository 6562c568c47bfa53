//! The resource at a path.
//!
//! The page's addresses are relative, so it has to be at a path that ends with a slash: `path=/term` is
//! served at `/term/`, with its files below that, and connects there too. Without `path` it is at every
//! path, as the WebSocket is: a proxy may put any in front, and a route may look at it.

/// The resource at a path for a browser.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<F> {
    Index,
    File(F),
    /// The page is one slash further.
    Slash,
    Nothing,
}

/// Returns `true` if a WebSocket may be opened at `path`, on a listener that serves only `served` if it is given.
pub(crate) fn takes_upgrade(path: &str, served: Option<&str>) -> bool {
    served.is_none_or(|served| {
        let deeper = || path.strip_suffix('/') == Some(served) && !served.ends_with('/');
        path == served || deeper()
    })
}

/// Returns the resource at `path`; `find` looks up the files by their names.
pub(super) fn at<F>(
    path: &str,
    served: Option<&str>,
    find: impl Fn(&str) -> Option<F>,
) -> Place<F> {
    let Some(served) = served else {
        if let Some(at) = path.rfind(FILES)
            && let Some(file) = find(&path[at + 1..])
        {
            return Place::File(file);
        }
        // An old file's name, or a browser's guess, is no place to connect to.
        let last = path.rsplit('/').next().unwrap_or_default();
        return if last.contains('.') || path.contains(FILES) {
            Place::Nothing
        } else {
            Place::Index
        };
    };
    let base = served.strip_suffix('/').unwrap_or(served);
    match path.strip_prefix(base) {
        Some("/") => Place::Index,
        Some("") => Place::Slash,
        Some(rest) => rest.strip_prefix('/').and_then(find).map_or(Place::Nothing, Place::File),
        None => Place::Nothing,
    }
}

/// Returns the rest of `path`, with its slash, in a folder that is served at `served`, or everywhere if it isn't
/// given.
pub(crate) fn below<'p>(path: &'p str, served: Option<&str>) -> Place<&'p str> {
    let base = served.map_or("", |served| served.strip_suffix('/').unwrap_or(served));
    match path.strip_prefix(base) {
        Some("") => Place::Slash,
        Some(rest) if rest.starts_with('/') => Place::File(rest),
        _ => Place::Nothing,
    }
}

/// The path of all files but the index.
const FILES: &str = "/assets/";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str, served: Option<&str>) -> Place<String> {
        super::at(path, served, |name| (name == "assets/x.js").then(|| name.to_owned()))
    }

    #[test]
    fn without_a_path_the_page_is_everywhere() {
        for path in ["/", "/term", "/term/", "/a/b", "//", "/%2e%2e/x"] {
            assert_eq!(at(path, None), Place::Index, "{path}");
        }
        for path in ["/assets/x.js", "/term/assets/x.js", "/assets/assets/x.js"] {
            assert_eq!(at(path, None), Place::File("assets/x.js".into()), "{path}");
        }
        for path in ["/favicon.ico", "/assets/y.js", "/assets/", "/assets/../x", "/x.js"] {
            assert_eq!(at(path, None), Place::Nothing, "{path}");
        }
    }

    #[test]
    fn a_path_has_the_page_and_its_files_below_it() {
        for served in ["/term", "/term/"] {
            assert_eq!(at("/term", Some(served)), Place::Slash);
            assert_eq!(at("/term/", Some(served)), Place::Index);
            assert_eq!(at("/term/assets/x.js", Some(served)), Place::File("assets/x.js".into()));
            for path in ["/", "/terminal", "/term/x", "/assets/x.js", "//term/", "/term/assets/"] {
                assert_eq!(at(path, Some(served)), Place::Nothing, "{path}");
            }
        }
    }

    #[test]
    fn a_websocket_opens_where_the_page_is() {
        for (path, served, taken) in [
            ("/x.y", None, true),
            ("/term", Some("/term"), true),
            ("/term/", Some("/term"), true),
            ("/term//", Some("/term"), false),
            ("/term", Some("/term/"), false),
            ("/term/", Some("/term/"), true),
            ("/", Some("/"), true),
            ("//", Some("/"), false),
            ("/terminal", Some("/term"), false),
        ] {
            assert_eq!(takes_upgrade(path, served), taken, "{path} {served:?}");
        }
    }
}
