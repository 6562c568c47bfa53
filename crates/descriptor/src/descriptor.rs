//! The tree of one level: positionals, keywords, and every mistake in the text.

use std::ops::Range;

use nom::Offset;

use crate::grammar::{self, Field, Mistake, Piece, Token, What};
use crate::text::Builder;
use crate::{Code, Diagnostic, Stage, Syntax, Text};

/// One level of a descriptor. Compared by its arguments, not by their spelling.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// The positional arguments, unescaped. The first one is the kind.
    pub args: Vec<Text>,
    /// The keyword arguments as typed: in order, duplicates kept.
    pub kwargs: Vec<(Text, Text)>,
    source: Text,
    /// The offset in the source of the field after the kind's, if the kind's is the first one.
    rest: Option<usize>,
}

impl Descriptor {
    /// Parses one level. An argument that is a descriptor too is parsed by another call.
    ///
    /// # Errors
    /// Every mistake of the text, in order, as errors of [`Stage::Parse`]: `unclosed-brace`,
    /// `text-after-closing-brace`, `trailing-backslash`, and `non-ascii-keyword` in Twisted's
    /// syntax. After a mistake reading goes on at the next `:`, but ends after the twentieth.
    pub fn parse(text: &Text, syntax: Syntax) -> Result<Self, Vec<Diagnostic>> {
        let source = Source(text);
        let mut read =
            Self { args: Vec::new(), kwargs: Vec::new(), source: text.clone(), rest: None };
        let mut found = Vec::new();
        let mut input = text.as_str();
        loop {
            let after = match grammar::field(input, syntax) {
                Ok((after, field)) => {
                    source.take(field, syntax, &mut read, &mut found);
                    after
                }
                Err(mistake) => {
                    let after = recover(&mistake);
                    found.push(source.explain(&mistake, after));
                    after
                }
            };
            let Some(next) = after.strip_prefix(':') else { break };
            if input.len() == text.len() && read.args.len() == 1 {
                read.rest = Some(text.len() - next.len());
            }
            input = next;
            if found.len() >= MOST {
                break;
            }
        }
        if found.is_empty() { Ok(read) } else { Err(found) }
    }

    /// Creates a descriptor that was not typed.
    pub fn new(kind: Text) -> Self {
        Self { args: vec![kind.clone()], kwargs: Vec::new(), source: kind, rest: None }
    }

    /// Adds a positional argument.
    #[must_use]
    pub fn arg(mut self, value: Text) -> Self {
        self.args.push(value);
        self
    }

    /// Adds a keyword argument, whose name gets the value's place. The name should be
    /// a bare name, as [`Syntax::Extended`] knows no other.
    #[must_use]
    pub fn kwarg(mut self, name: &str, value: Text) -> Self {
        self.kwargs.push((Text::synthetic(name, value.span()), value));
        self
    }

    /// Returns the first positional, wherever it is.
    pub fn kind(&self) -> Option<&Text> {
        self.args.first()
    }

    /// Returns the text that it was parsed from; if it was not typed, the kind.
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// Returns the raw text after the kind's field and its `:`, to be parsed again by kinds that
    /// take a whole descriptor unquoted. `None` if no `:` follows, or if the kind isn't the first
    /// field.
    pub fn rest(&self) -> Option<Text> {
        self.rest.map(|start| self.source.slice(start..self.source.len()))
    }
}

impl PartialEq for Descriptor {
    fn eq(&self, other: &Self) -> bool {
        self.args == other.args && self.kwargs == other.kwargs
    }
}

impl Eq for Descriptor {}

// === from tokens to texts ===

struct Source<'a>(&'a Text);

impl Source<'_> {
    fn take(
        &self,
        field: Field<'_>,
        syntax: Syntax,
        read: &mut Descriptor,
        found: &mut Vec<Diagnostic>,
    ) {
        let value = self.text(&field.value);
        let Some(name) = field.name else {
            read.args.push(value);
            return;
        };
        let name = self.text(&name);
        if let (Syntax::Twisted, Some(strange)) =
            (syntax, name.as_str().char_indices().find(|(_, c)| !c.is_ascii()))
        {
            let span = name.span_of(strange.0..strange.0 + strange.1.len_utf8());
            found.push(Diagnostic::error(
                Stage::Parse,
                Code::NonAsciiKeyword,
                span,
                "the name of a keyword is ASCII in Twisted's syntax",
            ));
        }
        read.kwargs.push((name, value));
    }

    fn text(&self, token: &Token<'_>) -> Text {
        match token {
            Token::Verbatim(raw) => self.slice(raw),
            Token::Pieces(raw, pieces) => match &**pieces {
                [] | [Piece::Plain(_)] => self.slice(raw),
                pieces => {
                    let mut builder = Builder::default();
                    for piece in pieces {
                        match piece {
                            Piece::Plain(plain) => builder.copy(&self.slice(plain)),
                            Piece::Escaped(pair) => builder.escaped(&self.slice(pair)),
                        }
                    }
                    builder.finish(self.slice(raw).span())
                }
            },
        }
    }

    fn slice(&self, raw: &str) -> Text {
        self.0.slice(self.range(raw))
    }

    fn range(&self, raw: &str) -> Range<usize> {
        let start = self.0.as_str().offset(raw);
        start..start + raw.len()
    }

    /// Returns the diagnostic for `mistake`, whose field ends before `after`.
    fn explain(&self, mistake: &Mistake<'_>, after: &str) -> Diagnostic {
        let start = self.range(mistake.rest).start;
        let end = self.0.len() - after.len();
        let error = |code: Code, range, message: &str| {
            Diagnostic::error(Stage::Parse, code, self.0.span_of(range), message)
        };
        match mistake.what {
            What::UnclosedBrace => {
                error(Code::UnclosedBrace, start..start + 1, "this `{` has no matching `}`")
                    .help("close it with `}`, or write `\\{` for a literal brace")
            }
            What::TextAfterBrace => error(
                Code::TextAfterClosingBrace,
                start..end,
                "`}` must be followed by `:` or the end",
            )
            .help(match mistake.rest.chars().next() {
                Some(',') => "fields are separated by `:`: write `}:` for `},`",
                Some(c) if c.is_ascii_lowercase() => {
                    "a `:` is missing behind the `}`; for a literal brace, write `\\{`"
                }
                _ => "braces quote a whole field; write `\\{` for a literal brace",
            }),
            What::TrailingBackslash => {
                error(Code::TrailingBackslash, start..end, "this `\\` quotes nothing")
                    .help("write `\\\\` for a backslash")
            }
            What::Unexpected => error(Code::UnexpectedText, start..end, "this can't be read"),
        }
    }
}

fn recover<'a>(mistake: &Mistake<'a>) -> &'a str {
    match mistake.what {
        // Behind the brace, as if it had been escaped.
        What::UnclosedBrace => grammar::recover(mistake.rest.get(1..).unwrap_or_default()),
        What::TextAfterBrace | What::TrailingBackslash | What::Unexpected => {
            grammar::recover(mistake.rest)
        }
    }
}

/// More mistakes than a reader needs. It also bounds the work: every unclosed brace is looked for to
/// the end.
const MOST: usize = 20;
