//! The language of descriptors: from typed text to a tree, and back.
//!
//! 1. [`Text`] is what was typed, or a piece of it, unescaped. It remembers where each of its bytes
//!    was typed, however deep the quoting.
//! 2. [`Descriptor::parse`] splits a text into positionals and keywords, by one of two grammars
//!    ([`Syntax`]). A nested descriptor is just an argument: parse it again.
//! 3. [`Template`] finds the holes of a value; [`Url`] splits a URL.
//! 4. The code that interprets the tree reports errors as [`Diagnostic`]s; [`Report`] shows them
//!    with carets under what was typed, and [`nearest`] finds what was probably meant.
//! 5. `Display` of a [`Descriptor`] quotes it so that parsing gives the same tree.
//!
//! ```
//! use descriptor::{Descriptor, Syntax, Text};
//!
//! let typed = Text::typed("ws:{tcp:9000}:subprotocol=mqtt");
//! let ws = Descriptor::parse(&typed, Syntax::Extended).unwrap();
//! let tcp = Descriptor::parse(&ws.args[1], Syntax::Extended).unwrap();
//! assert_eq!(tcp.args[1].as_str(), "9000");
//! assert_eq!(tcp.args[1].span().start, 8);
//! assert_eq!(ws.to_string(), "ws:{tcp:9000}:subprotocol=mqtt");
//! ```
//!
//! No kind of endpoint is known here, nothing is opened or read, and nothing typed makes it panic or
//! take more than linear time.

#![forbid(unsafe_code)]

mod code;
mod descriptor;
mod diagnostic;
mod display;
mod grammar;
mod nearest;
mod quote;
mod report;
mod span;
mod syntax;
mod template;
mod text;
mod url;

pub use self::code::Code;
pub use self::descriptor::Descriptor;
pub use self::diagnostic::{Diagnostic, Severity, Stage};
pub use self::nearest::nearest;
pub use self::quote::{in_syntax, quote_positional, quote_twisted, quote_value};
pub use self::report::{Report, is_unprintable};
pub use self::span::Span;
pub use self::syntax::{Syntax, UnknownSyntax};
pub use self::template::{Hole, MissingFact, Template};
pub use self::text::Text;
pub use self::url::Url;
