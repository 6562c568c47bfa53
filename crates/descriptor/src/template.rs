//! Values with holes that facts about a connection are put into.
//!
//! A template is parsed before there is any connection and filled afterwards. An inserted value is never parsed
//! again, so nothing that a peer sends can become syntax.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Range;

use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::char;
use nom::sequence::{delimited, separated_pair};
use nom::{IResult, Parser};

use crate::{Span, Text};

/// A value that may contain holes: `/sessions/${http.query.id}`.
#[derive(Clone, Debug)]
pub struct Template {
    source: Text,
    parts: Vec<Part>,
}

/// A place in a template that a fact fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The kind of fact, such as `http`: the text before the first dot.
    pub root: String,
    /// The name under the root, such as `query.id`.
    pub name: String,
    /// The place of the hole in the typed text, `${` and `}` included.
    pub span: Span,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(Range<usize>),
    Hole(Hole),
}

impl Template {
    /// Parses the holes: `${root.name}` where `root` is one of `roots`. Every other `${…}` is text, and
    /// so is one whose `$` was typed with a backslash before it.
    pub fn parse(text: &Text, roots: &[&str]) -> Self {
        let value = text.as_str();
        let mut parts = Vec::new();
        let mut literal = 0;
        for (at, _) in value.match_indices("${") {
            if text.is_escaped(at) {
                continue;
            }
            let Ok((rest, (root, name))) = hole(&value[at..]) else { continue };
            if !roots.contains(&root) {
                continue;
            }
            if literal < at {
                parts.push(Part::Literal(literal..at));
            }
            literal = value.len() - rest.len();
            let span = text.span_of(at..literal);
            parts.push(Part::Hole(Hole { root: root.to_owned(), name: name.to_owned(), span }));
        }
        if literal < value.len() {
            parts.push(Part::Literal(literal..value.len()));
        }
        Self { source: text.clone(), parts }
    }

    /// Returns the holes, in order.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            Part::Literal(_) => None,
        })
    }

    /// Returns `true` if there is no hole.
    pub fn is_literal(&self) -> bool {
        self.holes().next().is_none()
    }

    /// Returns the value, if there is no hole.
    pub fn as_literal(&self) -> Option<&str> {
        self.is_literal().then(|| self.source.as_str())
    }

    /// Returns the text that it was parsed from.
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// Fills the holes with facts, which `fact` returns by root and name.
    ///
    /// # Errors
    /// The first fact that isn't known.
    pub fn fill<'f>(
        &self,
        fact: &dyn Fn(&str, &str) -> Option<Cow<'f, str>>,
    ) -> Result<String, MissingFact> {
        self.fill_by(&mut |hole, filled| {
            filled.push_str(&fact(&hole.root, &hole.name)?);
            Some(())
        })
    }

    /// Has `put` add what belongs in each hole to what has been filled so far, where that decides how it is written;
    /// `None` if it isn't known.
    ///
    /// # Errors
    /// The first fact that isn't known.
    pub fn fill_by(
        &self,
        put: &mut dyn FnMut(&Hole, &mut String) -> Option<()>,
    ) -> Result<String, MissingFact> {
        let mut filled = String::with_capacity(self.source.len());
        for part in &self.parts {
            match part {
                Part::Literal(range) => filled.push_str(&self.source.as_str()[range.clone()]),
                Part::Hole(hole) => {
                    let Hole { root, name, .. } = hole;
                    let missing = || MissingFact { root: root.clone(), name: name.clone() };
                    put(hole, &mut filled).ok_or_else(missing)?;
                }
            }
        }
        Ok(filled)
    }
}

/// Two are the same if they fill the same way.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        let facts =
            |t: &Self| t.holes().map(|h| (h.root.clone(), h.name.clone())).collect::<Vec<_>>();
        self.source == other.source && facts(self) == facts(other)
    }
}

impl Eq for Template {}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// A hole that can't be filled, because there is no fact of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFact {
    /// The hole's root.
    pub root: String,
    /// The hole's name.
    pub name: String,
}

impl fmt::Display for MissingFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the client's connection has no fact `{}.{}`", self.root, self.name)
    }
}

impl Error for MissingFact {}

fn hole(input: &str) -> IResult<&str, (&str, &str)> {
    let root = take_while1(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    // Names of headers and of query parameters have all kinds of characters. No brace: so a search for
    // the end stops at the next hole, and many unfinished ones take linear time.
    let name =
        take_while1(|c: char| !matches!(c, '{' | '}') && !c.is_whitespace() && !c.is_control());
    delimited(tag("${"), separated_pair(root, char('.'), name), char('}')).parse(input)
}
