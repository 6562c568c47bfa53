//! The size of the window.

use endpoint::Info;
use endpoint::control::WindowSize;

/// A size that programs can draw in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: u16,
    pub(super) cols: u16,
}

impl Size {
    /// The most rows and the most columns. Programs allocate a screen of this size at a client's
    /// word; no monitor shows as many.
    pub(super) const MOST: u16 = 1000;

    /// Returns this size, unless the client's query (`?rows=50&cols=132`) has another.
    pub(super) fn wanted(self, info: &Info) -> Self {
        let side = |name: &str, ours: u16| {
            let said = info.lookup("http", name).and_then(|text| text.parse().ok());
            said.filter(|side| (1..=Self::MOST).contains(side)).unwrap_or(ours)
        };
        Self { rows: side("query.rows", self.rows), cols: side("query.cols", self.cols) }
    }

    /// Returns the size of a client's window, unless it is invalid: hidden ones have no size.
    pub(super) fn of(window: WindowSize) -> Option<Self> {
        let sane = |side| (1..=Self::MOST).contains(&side);
        let WindowSize { rows, cols } = window;
        (sane(rows) && sane(cols)).then_some(Self { rows, cols })
    }
}

impl From<Size> for pty_process::Size {
    fn from(Size { rows, cols }: Size) -> Self {
        Self::new(rows, cols)
    }
}

#[cfg(test)]
mod tests {
    use endpoint::info::Http;

    use super::*;

    fn asked(query: &str) -> (u16, u16) {
        let mut http = Http::default();
        query.clone_into(&mut http.query);
        let size = Size { rows: 24, cols: 80 }.wanted(&Info::new().with(http));
        (size.rows, size.cols)
    }

    #[test]
    fn a_query_may_ask_for_a_size() {
        assert_eq!(asked("cols=132&rows=50"), (50, 132));
        assert_eq!(asked("rows=1000"), (1000, 80));
        assert_eq!(asked(""), (24, 80));
    }

    #[test]
    fn sizes_that_make_no_sense_are_not_taken() {
        for query in ["rows=0&cols=0", "rows=1001&cols=-1", "rows=4e2&cols=65616", "rows&cols="] {
            assert_eq!(asked(query), (24, 80), "{query}");
        }
        assert_eq!(Size::of(WindowSize { cols: 0, rows: 24 }), None);
        assert_eq!(Size::of(WindowSize { cols: 80, rows: 1001 }), None);
    }
}
