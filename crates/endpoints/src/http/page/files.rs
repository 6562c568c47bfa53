//! The page's files, as the build script left them.

use super::encoding::Encoding;

/// The page.
pub(crate) struct Built {
    /// The Content-Security-Policy that goes with it.
    pub(super) policy: &'static str,
    pub(super) index: File,
    pub(super) files: &'static [File],
}

/// One of its files.
pub(super) struct File {
    /// Its path below the page.
    pub(super) name: &'static str,
    pub(super) media_type: &'static str,
    /// The tag of its content.
    pub(super) tag: &'static str,
    /// Set if its name changes with its content.
    pub(super) hashed: bool,
    pub(super) plain: &'static [u8],
    pub(super) brotli: Option<&'static [u8]>,
    pub(super) gzip: Option<&'static [u8]>,
}

impl File {
    /// Its content, encoded; `None` if that makes it no smaller.
    pub(super) fn encoded(&self, encoding: Encoding) -> Option<&'static [u8]> {
        match encoding {
            Encoding::Brotli => self.brotli,
            Encoding::Gzip => self.gzip,
            Encoding::Identity => Some(self.plain),
        }
    }
}

// `pub(super) static BUILT: Result<Built, &str>`: the page, or why there is none.
include!(concat!(env!("OUT_DIR"), "/page.rs"));
