//! The grammar of one field, in nom. Tokens are slices of the input, still quoted.
//!
//! ```text
//! Twisted     field = part [ "=" value ]
//! Extended    field = [ name "=" ] ( "{" body "}" / value )
//!
//! part   = *( any except ":" "=" "\" / "\" any )
//! value  = *( any except ":" "\" / "\" any )
//! name   = letter *( letter / digit / "_" / "." / "-" )         letters and digits are ASCII's
//! body   = *( any except "{" "}" "\" / "\" any / "{" body "}" ) then ":" or the end must follow
//! ```
//!
//! A body is matched by counting, not by recursion, because the user chooses how deep it nests.

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while};
use nom::character::complete::{anychar, char, satisfy};
use nom::combinator::{consumed, eof, opt, peek, recognize, value};
use nom::error::{ErrorKind, ParseError};
use nom::multi::many0;
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::Syntax;

/// The parts of a field.
pub(crate) struct Field<'a> {
    pub(crate) name: Option<Token<'a>>,
    pub(crate) value: Token<'a>,
}

/// A name, a positional or a value.
pub(crate) enum Token<'a> {
    /// The text between braces.
    Verbatim(&'a str),
    /// The slice as it stands, and its pieces.
    Pieces(&'a str, Vec<Piece<'a>>),
}

pub(crate) enum Piece<'a> {
    Plain(&'a str),
    /// The backslash and its character.
    Escaped(&'a str),
}

/// Why a field can't be read; `rest` starts with the culprit.
#[derive(Debug)]
pub(crate) struct Mistake<'a> {
    pub(crate) rest: &'a str,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    UnclosedBrace,
    TextAfterBrace,
    TrailingBackslash,
    /// Only nom's own errors. Every field is at least an empty positional, so none gets out.
    Unexpected,
}

type Parsed<'a, T> = IResult<&'a str, T, Mistake<'a>>;

/// Reads the field that `input` starts with, up to its `:` or the end.
pub(crate) fn field(input: &str, syntax: Syntax) -> Result<(&str, Field<'_>), Mistake<'_>> {
    let parsed = match syntax {
        Syntax::Twisted => twisted(input),
        Syntax::Extended => extended(input),
    };
    parsed.map_err(|error| match error {
        nom::Err::Error(mistake) | nom::Err::Failure(mistake) => mistake,
        nom::Err::Incomplete(_) => Mistake { rest: input, what: What::Unexpected },
    })
}

/// Returns the end of the field after an error: before the next `:` that isn't escaped, or at the
/// end.
pub(crate) fn recover(input: &str) -> &str {
    let skip = alt((value((), is_not(":\\")), value((), (char('\\'), opt(anychar)))));
    terminated(many0(skip), end).parse(input).map_or("", |(rest, _)| rest)
}

/// Returns `true` if a positional that is written without quotes would be read as a keyword.
pub(crate) fn is_keyword(text: &str) -> bool {
    terminated(name, char('=')).parse(text).is_ok()
}

/// Returns `true` if braces around the text quote exactly it.
pub(crate) fn is_balanced(text: &str) -> bool {
    body(text).is_ok_and(|(rest, _)| rest.is_empty())
}

// === the two syntaxes ===

fn twisted(input: &str) -> Parsed<'_, Field<'_>> {
    let (rest, (first, second)) =
        (pieces(":=\\"), opt(preceded(char('='), pieces(":\\")))).parse(input)?;
    let field = match second {
        Some(value) => Field { name: Some(first), value },
        None => Field { name: None, value: first },
    };
    Ok((rest, field))
}

fn extended(input: &str) -> Parsed<'_, Field<'_>> {
    let name = name.map(|name| Token::Pieces(name, vec![Piece::Plain(name)]));
    (opt(terminated(name, char('='))), alt((braced, pieces(":\\"))))
        .map(|(name, value)| Field { name, value })
        .parse(input)
}

// === tokens ===

fn name(input: &str) -> Parsed<'_, &str> {
    let more = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    recognize((satisfy(|c| c.is_ascii_alphabetic()), take_while(more))).parse(input)
}

fn pieces<'a>(
    stops: &'static str,
) -> impl Parser<&'a str, Output = Token<'a>, Error = Mistake<'a>> {
    consumed(many0(alt((is_not(stops).map(Piece::Plain), escape))))
        .map(|(raw, pieces)| Token::Pieces(raw, pieces))
}

fn escape(input: &str) -> Parsed<'_, Piece<'_>> {
    let (_, _) = peek(char('\\')).parse(input)?;
    recognize((char('\\'), anychar))
        .map(Piece::Escaped)
        .parse(input)
        .map_err(|_: nom::Err<Mistake<'_>>| failure(input, What::TrailingBackslash))
}

fn braced(input: &str) -> Parsed<'_, Token<'_>> {
    let (inside, _) = char('{').parse(input)?;
    let (after, verbatim) = terminated(body, char('}'))
        .parse(inside)
        .map_err(|_| failure(input, What::UnclosedBrace))?;
    let (after, _) = end(after).map_err(|_| failure(after, What::TextAfterBrace))?;
    Ok((after, Token::Verbatim(verbatim)))
}

/// Nothing is taken: the field ends here.
fn end(input: &str) -> Parsed<'_, &str> {
    peek(alt((tag(":"), eof))).parse(input)
}

/// Up to the `}` that matches the `{` before `input`, or to the end if every brace in it is closed.
fn body(input: &str) -> Parsed<'_, &str> {
    let mut depth = 0_usize;
    let mut bytes = input.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            // All four are ASCII, and the rest of a longer character can't look like one.
            b'\\' if bytes.next().is_none() => return Err(unexpected(input)),
            b'{' => depth += 1,
            b'}' if depth == 0 => return Ok((&input[at..], &input[..at])),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    if depth == 0 { Ok(("", input)) } else { Err(unexpected(input)) }
}

// === errors ===

fn failure(rest: &str, what: What) -> nom::Err<Mistake<'_>> {
    nom::Err::Failure(Mistake { rest, what })
}

fn unexpected(rest: &str) -> nom::Err<Mistake<'_>> {
    nom::Err::Error(Mistake { rest, what: What::Unexpected })
}

impl<'a> ParseError<&'a str> for Mistake<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self { rest, what: What::Unexpected }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}
