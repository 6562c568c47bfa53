//! The grammars of descriptors.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// The grammar of a descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// Exactly the grammar of Twisted's `serverFromString` and `clientFromString`.
    Twisted,
    /// Twisted's, and two rules more. A `{` that starts a positional or a value quotes verbatim to
    /// its matching `}`. `=` makes a keyword only after a bare name: an ASCII letter, then letters,
    /// digits, `_`, `.` and `-`.
    #[default]
    Extended,
}

impl FromStr for Syntax {
    type Err = UnknownSyntax;

    fn from_str(name: &str) -> Result<Self, UnknownSyntax> {
        match name {
            "twisted" => Ok(Self::Twisted),
            "extended" => Ok(Self::Extended),
            _ => Err(UnknownSyntax(name.to_owned())),
        }
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Twisted => "twisted",
            Self::Extended => "extended",
        })
    }
}

/// An unknown name of a syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSyntax(String);

impl fmt::Display for UnknownSyntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a syntax; the syntaxes are `twisted` and `extended`", self.0)
    }
}

impl Error for UnknownSyntax {}
