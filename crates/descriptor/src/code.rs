//! The names of mistakes, for programs.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The type of error that a diagnostic reports. Its text is stable, in kebab case: programs that read
        /// `explain --json` compare it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
            /// A mistake that only one kind of endpoint knows. `Code::from` makes it.
            #[non_exhaustive]
            Other(&'static str),
        }

        impl Code {
            /// Returns its text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&'static str> for Code {
            /// Returns the code of this text: one of the list if it is there.
            fn from(text: &'static str) -> Self {
                match text {
                    $($text => Self::$name,)*
                    text => Self::Other(text),
                }
            }
        }
    };
}

codes! {
    // Of text that isn't a descriptor or a URL.
    /// The name of a keyword has letters outside ASCII.
    NonAsciiKeyword = "non-ascii-keyword",
    /// A URL has no scheme.
    NoScheme = "no-scheme",
    /// Something follows the `}` that ends a value.
    TextAfterClosingBrace = "text-after-closing-brace",
    /// Something other than a port follows the `]` of a URL's address.
    TextAfterBracket = "text-after-bracket",
    /// A backslash is the last character.
    TrailingBackslash = "trailing-backslash",
    /// An IPv6 address in a URL has no brackets.
    UnbracketedAddress = "unbracketed-address",
    /// A `{` is never closed.
    UnclosedBrace = "unclosed-brace",
    /// A `[` in a URL is never closed.
    UnclosedBracket = "unclosed-bracket",
    /// Anything else that can't be read.
    UnexpectedText = "unexpected-text",

    // Of descriptors that have no meaning.
    /// A value isn't one that its parameter takes.
    BadValue = "bad-value",
    /// A keyword is given twice.
    DuplicateKeyword = "duplicate-keyword",
    /// A parameter is given by position and by name.
    GivenTwice = "given-twice",
    /// Datagrams meet a stream that keeps no boundaries. A warning.
    LostBoundaries = "lost-boundaries",
    /// There is no kind where one is needed.
    MissingKind = "missing-kind",
    /// A required parameter isn't given.
    MissingParameter = "missing-parameter",
    /// The name of a parameter stands where its value is needed.
    NoValue = "no-value",
    /// The listener gives other machines access to a program or a device, without authentication.
    OpenToAll = "open-to-all",
    /// An option follows a URL and would be read as part of it.
    OptionInUrl = "option-in-url",
    /// A template stands where none is filled in.
    TemplateRefused = "template-refused",
    /// Endpoints are nested too deep.
    TooDeep = "too-deep",
    /// There are more positionals than the kind takes.
    TooManyPositionals = "too-many-positionals",
    /// No kind that ships knows a template's fact. A warning.
    UnknownFact = "unknown-fact",
    /// The kind has no such parameter.
    UnknownKeyword = "unknown-keyword",
    /// No kind has this name.
    UnknownKind = "unknown-kind",
    /// No kind has this URL scheme.
    UnknownScheme = "unknown-scheme",
    /// The endpoint beneath a layer has colons that aren't quoted.
    UnquotedEndpoint = "unquoted-endpoint",
    /// The value of a keyword has colons that aren't quoted.
    UnquotedValue = "unquoted-value",
    /// A layer that goes over messages was put over a stream of bytes.
    WrongShape = "wrong-shape",
    /// The kind can't be listened on, or can't be connected to.
    WrongSide = "wrong-side",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_list_has_one_form() {
        assert_eq!(Code::from("bad-value"), Code::BadValue);
        assert_eq!(Code::from("bad-script").as_str(), "bad-script");
    }
}
