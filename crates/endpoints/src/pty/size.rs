//! The size of the window.

use endpoint::Info;
use endpoint::control::WindowSize;
use endpoint::info::RequestedWindow;

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

    /// Returns this size, unless the client requests another.
    pub(super) fn wanted(self, info: &Info) -> Self {
        let side = |wanted: Option<u16>, ours: u16| {
            wanted.filter(|side| (1..=Self::MOST).contains(side)).unwrap_or(ours)
        };
        let RequestedWindow { rows, cols } = info.get().copied().unwrap_or_default();
        Self { rows: side(rows, self.rows), cols: side(cols, self.cols) }
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
    use super::*;

    fn asked(rows: Option<u16>, cols: Option<u16>) -> (u16, u16) {
        let info = Info::new().with(RequestedWindow { rows, cols });
        let size = Size { rows: 24, cols: 80 }.wanted(&info);
        (size.rows, size.cols)
    }

    #[test]
    fn a_client_may_ask_for_a_size() {
        assert_eq!(asked(Some(50), Some(132)), (50, 132));
        assert_eq!(asked(Some(1000), None), (1000, 80));
        assert_eq!(Size { rows: 24, cols: 80 }.wanted(&Info::new()).rows, 24);
    }

    #[test]
    fn sizes_that_make_no_sense_are_not_taken() {
        assert_eq!(asked(Some(0), Some(1001)), (24, 80));
        assert_eq!(Size::of(WindowSize { cols: 0, rows: 24 }), None);
        assert_eq!(Size::of(WindowSize { cols: 80, rows: 1001 }), None);
    }
}
