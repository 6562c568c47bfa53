//! `query=`: the settings that a client may make with the query of its URL.

use descriptor::{Code, Diagnostic};
use endpoint::info::{Http, RequestedWindow};
use plan::kind::Args;

use super::negotiate::Encoding;
use crate::http::syntax::printable;

/// The settings that clients may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    encoding: bool,
    size: bool,
}

/// The settings of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) encoding: Option<Encoding>,
    pub(super) window: Option<RequestedWindow>,
}

impl Query {
    pub(super) fn read(args: &Args) -> Result<Self, Diagnostic> {
        let mut query = Self::default();
        for word in args.list("query") {
            match &**word {
                "encoding" => query.encoding = true,
                "size" => query.size = true,
                _ => {
                    let message = format!("`{word}` can't be set by a query");
                    let help = "`query` lists `encoding`, `size`, both or none of them";
                    return Err(args.mistake("query", Code::BadValue, message).help(help));
                }
            }
        }
        if query.encoding && args.is_given("framing") {
            let message = "`encoding` in `query` has no effect: the framing determines which messages are text";
            args.warn("query", "no-effect", message);
        }
        Ok(query)
    }

    /// Reads a request's query. A size that is none is ignored: windows that are hidden have none.
    ///
    /// # Errors
    /// The encoding is unknown, or given twice; the text is sent to the client.
    pub(super) fn wishes(self, http: &Http) -> Result<Wishes, String> {
        let mut wishes = Wishes::default();
        if self.encoding
            && let Some(word) = http.parameter("encoding")
        {
            let pairs = http.query.split('&').filter_map(|pair| pair.split_once('='));
            if pairs.filter(|(name, _)| *name == "encoding").count() > 1 {
                return Err("`encoding` is in the query twice".to_owned());
            }
            let Some(encoding) = Encoding::read(word) else {
                let word = printable(word);
                return Err(format!(
                    "the encoding `{word}` in the query is unknown; use `binary`, `text`, `base64` or `auto`"
                ));
            };
            wishes.encoding = Some(encoding);
        }
        if self.size {
            let side = |name| http.parameter(name)?.parse().ok().filter(|side| *side > 0);
            let window = RequestedWindow { rows: side("rows"), cols: side("cols") };
            wishes.window = Some(window).filter(|window| *window != RequestedWindow::default());
        }
        Ok(wishes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(query: Query, text: &str) -> Result<Wishes, String> {
        let mut http = Http::default();
        text.clone_into(&mut http.query);
        query.wishes(&http)
    }

    const ALL: Query = Query { encoding: true, size: true };

    #[test]
    fn what_is_not_listed_is_not_read() {
        let text = "encoding=utf16&rows=50&cols=132";
        assert_eq!(wishes(Query::default(), text), Ok(Wishes::default()));
        let size = wishes(Query { size: true, ..Query::default() }, text).expect("a size");
        assert_eq!(size.window, Some(RequestedWindow { rows: Some(50), cols: Some(132) }));
        assert_eq!(size.encoding, None);
    }

    #[test]
    fn an_encoding_is_one_of_four() {
        for (text, encoding) in [
            ("encoding=text", Some(Encoding::Text)),
            ("a=b&encoding=base64", Some(Encoding::Base64)),
            ("encoding=binary&rows=1", Some(Encoding::Binary)),
            ("encoding=auto", Some(Encoding::Auto)),
            ("Encoding=text", None),
            ("", None),
        ] {
            assert_eq!(wishes(ALL, text).map(|it| it.encoding), Ok(encoding), "{text}");
        }
        for text in ["encoding=", "encoding", "encoding=TEXT", "encoding=utf16"] {
            let words = wishes(ALL, text).expect_err(text);
            assert!(words.contains("is unknown; use `binary`"), "{words}");
        }
        let twice = wishes(ALL, "encoding=text&encoding=binary");
        assert_eq!(twice, Err("`encoding` is in the query twice".to_owned()));
    }

    #[test]
    fn sizes_that_are_none_are_ignored() {
        for text in ["rows=0&cols=0", "rows=-1", "cols=65536", "rows=4e2", "rows&cols="] {
            assert_eq!(wishes(ALL, text), Ok(Wishes::default()), "{text}");
        }
        let cols = wishes(ALL, "rows=0&cols=101").expect("a size").window;
        assert_eq!(cols, Some(RequestedWindow { rows: None, cols: Some(101) }));
    }
}
