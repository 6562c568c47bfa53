//! Errors of the library: an error in a descriptor, or an endpoint that doesn't open.

use std::fmt;

use descriptor::{Diagnostic, Report};

/// The result of the library's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the library.
///
/// `Display` of [`Error::Descriptor`] has several lines, with carets under what was typed; that of
/// [`Error::Endpoint`] has one, and a second one if there is something to do about it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Descriptors have mistakes: all of them, in all descriptors.
    #[error("{}", Paragraphs(.0))]
    Descriptor(Vec<BadDescriptor>),
    /// An endpoint can't be opened.
    #[error("{}", Hinted(.0))]
    Endpoint(#[from] endpoint::Error),
}

/// The same as `Display`, for a `main` that returns it and for `unwrap`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A descriptor with its errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDescriptor {
    /// The descriptor.
    pub which: Which,
    /// The descriptor as it was typed.
    pub text: String,
    /// Its diagnostics: at least one error, and its warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The position of a descriptor among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The only one.
    Only,
    /// This one, counted from 0, of those to listen on.
    Listen(usize),
    /// The destination.
    Destination,
}

impl fmt::Display for BadDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.which {
            Which::Only => {}
            Which::Listen(index) => writeln!(f, "in endpoint {} to listen on:", index + 1)?,
            Which::Destination => writeln!(f, "in the destination:")?,
        }
        let report = Report::new(&self.text, &self.diagnostics).to_string();
        f.write_str(report.trim_end())
    }
}

struct Paragraphs<'a>(&'a [BadDescriptor]);

impl fmt::Display for Paragraphs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, bad) in self.0.iter().enumerate() {
            let gap = if index > 0 { "\n\n" } else { "" };
            write!(f, "{gap}{bad}")?;
        }
        Ok(())
    }
}

struct Hinted<'a>(&'a endpoint::Error);

impl fmt::Display for Hinted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0.hint().map_or(Ok(()), |hint| write!(f, "\n  = help: {hint}"))
    }
}
