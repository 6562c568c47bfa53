//! Framings as data: how an endpoint's bytes become messages, chosen in a descriptor.
//!
//! `framing=lines` and `framing={length:width=2:max=1M}` are values of a parameter ([`ValueKind::Framing`]); a kind
//! that consists of a framing has the framing's parameters among its own: `by=length:width=2`
//! ([`ValueKind::FramingBeside`]). A framing that shares its name with one of its parameters is selected by that
//! parameter: `{separator=%0D%0A}`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use descriptor::{Code, Descriptor, Diagnostic, Stage, Text, nearest};
use framing::{Framing, Partial};

use super::{Args, Param, Planned, ValueKind};
use crate::Registry;

/// A framing that descriptors may name.
#[derive(Debug)]
pub struct FramingKind {
    /// The name.
    pub name: &'static str,
    /// The description of a message, in one sentence.
    pub about: &'static str,
    /// Its parameters, all given by name.
    pub params: &'static [Param],
    /// The function that plans it.
    pub plan: fn(&Args) -> Planned<Arc<dyn Framing>>,
}

impl FramingKind {
    /// Returns `true` if one of its parameters alone selects the framing.
    fn is_named_by(&self, keyword: &str) -> bool {
        self.name == keyword && self.params.iter().any(|param| param.name == keyword)
    }
}

/// A planned framing, which converts between the bytes of a stream and messages. Cheap to clone.
#[derive(Clone)]
pub struct Framings {
    /// The framing of received bytes.
    pub incoming: Arc<dyn Framing>,
    /// The framing of sent bytes.
    pub outgoing: Arc<dyn Framing>,
    /// The longest message, in bytes.
    pub max: usize,
    /// The time limit for the rest of a message, and what to do after it.
    pub timeout: Option<(Duration, Partial)>,
    /// The treatment of a message that is incomplete at the end of the stream.
    pub rest: Partial,
}

impl fmt::Debug for Framings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entry(&self.incoming).entry(&self.outgoing).finish()
    }
}

/// The parameters of every framing of a stream.
pub const FRAMING: &[Param] = &[
    Param::new("in", ValueKind::Framing, "A different framing for data read from the stream."),
    Param::new("out", ValueKind::Framing, "A different framing for data written to the stream."),
    Param::new(
        "max",
        ValueKind::Size,
        "The maximum size of a message in what is received. A longer one ends the session (close code 1009 over `ws`). \
         Messages that are sent are limited where they come from, as by `max-message` of `ws`.",
    )
    .default("1M"),
    Param::new(
        "timeout",
        ValueKind::Duration,
        "The longest pause inside a message; each byte begins it anew. After it, the incomplete message is treated \
         as `partial` says, or sent if `partial` isn't given. 0 sets no limit. The default is 0, 10 ms for `auto` and \
         1 s for `text`.",
    ),
    Param::new(
        "partial",
        ValueKind::Choice(&["send", "drop", "error"]),
        "How to treat a message that is incomplete at the end of the stream or after `timeout`: `send` passes it on, \
         `drop` drops it with a warning, `error` ends the session. At the end of the stream, the default is `drop` \
         for framings with a delimiter and `error` for the others.",
    ),
];

impl Args {
    /// Returns the framing that a parameter of [`ValueKind::Framing`] is set to; `None` if it isn't given, or is `chunks`
    /// both ways: then bytes stay bytes.
    ///
    /// # Errors
    /// The mistakes in the parameters of the framing.
    pub fn framing(&self, name: &str) -> Planned<Option<Framings>> {
        let Some(inside) = self.inside(name) else { return Ok(None) };
        if !inside.is_framing() {
            return Ok(None);
        }
        inside.framings(&inside.called).map(Some)
    }

    /// Returns `true` if these settings of a framing split anything.
    pub(crate) fn is_framing(&self) -> bool {
        self.called != NONE || self.inside("in").is_some() || self.inside("out").is_some()
    }

    /// Returns the framing whose parameters are among this endpoint's own; the parameter `by` names it.
    ///
    /// # Errors
    /// None is named, or there are mistakes in its parameters.
    pub fn framing_beside(&self, by: &str) -> Planned<Framings> {
        let named = self.text(by).or_else(|| {
            let names = self.registry.framings().map(|kind| kind.name);
            names.into_iter().find(|name| {
                self.is_given(name)
                    && self.registry.framing(name).is_some_and(|it| it.is_named_by(name))
            })
        });
        match named {
            Some(name) => self.framings(name),
            None if self.inside("in").is_some() || self.inside("out").is_some() => {
                self.framings(NONE)
            }
            None => {
                let message = format!("`{}` needs `{by}`", self.called);
                let names: Vec<_> = self.registry.framings().map(|kind| kind.name).collect();
                let help = format!("the framings are {}", names.join(", "));
                let mistake =
                    Diagnostic::error(Stage::Plan, Code::MissingParameter, self.span, message);
                Err(vec![mistake.help(help)])
            }
        }
    }

    fn framings(&self, name: &str) -> Planned<Framings> {
        let plan = |name: &str, args: &Self| {
            let kind = self.registry.framing(name);
            // It was looked up when the parameters were read.
            kind.map_or_else(|| Err(Vec::new()), |kind| (kind.plan)(args))
        };
        let other = |name| match self.inside(name) {
            None => Ok(None),
            Some(inside) => plan(&inside.called, inside).map(Some),
        };
        let own = plan(name, self)?;
        let incoming = other("in")?.unwrap_or_else(|| Arc::clone(&own));
        let outgoing = other("out")?.unwrap_or(own);
        let partial = match self.text("partial") {
            Some("send") => Some(Partial::Send),
            Some("drop") => Some(Partial::Drop),
            Some("error") => Some(Partial::Error),
            _ => None,
        };
        let max = self.int("max").and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
        if max == 0 {
            return Err(vec![self.mistake("max", Code::BadValue, "`max` must be more than 0")]);
        }
        let timeout = match self.duration("timeout") {
            Some(Duration::ZERO) => None,
            Some(timeout) => Some((timeout, partial.unwrap_or(Partial::Send))),
            None => incoming.patience().map(|(time, own)| (time, partial.unwrap_or(own))),
        };
        let rest = partial.unwrap_or_else(|| incoming.rest());
        Ok(Framings { incoming, outgoing, max, timeout, rest })
    }
}

/// Finds the framing that a value names.
pub(super) fn named(
    registry: &Registry,
    value: &Descriptor,
    whole: &Text,
) -> Result<&'static FramingKind, Diagnostic> {
    let keywords = || value.kwargs.iter().map(|(name, _)| name.as_str());
    match value.kind().filter(|name| !name.as_str().is_empty()) {
        Some(name) => find(registry, name),
        None => {
            let by_keyword = keywords()
                .find_map(|keyword| registry.framings().find(|kind| kind.is_named_by(keyword)));
            let chunks = || {
                let only_others = keywords().any(|keyword| matches!(keyword, "in" | "out"));
                registry.framing(NONE).filter(|_| only_others)
            };
            by_keyword.or_else(chunks).ok_or_else(|| unknown(registry, whole))
        }
    }
}

/// Finds the framing of this name.
pub(super) fn find(registry: &Registry, name: &Text) -> Result<&'static FramingKind, Diagnostic> {
    registry.framing(name.as_str()).ok_or_else(|| unknown(registry, name))
}

/// Returns the framing whose parameters are among those of an endpoint, as far as it is known.
pub(crate) fn beside(
    registry: &Registry,
    by: &Param,
    descriptor: &Descriptor,
    position: Option<usize>,
) -> &'static [Param] {
    let given = descriptor.kwargs.iter().find(|(name, _)| by.is_called(name.as_str()));
    let given = given.map(|(_, value)| value);
    let given = given.or_else(|| position.and_then(|at| descriptor.args.get(at + 1)));
    let kind = match given {
        Some(name) => registry.framing(name.as_str()),
        None => descriptor
            .kwargs
            .iter()
            .find_map(|(name, _)| registry.framings().find(|kind| kind.is_named_by(name.as_str()))),
    };
    kind.map_or(&[], |kind| kind.params)
}

fn unknown(registry: &Registry, name: &Text) -> Diagnostic {
    let names: Vec<_> = registry.framings().map(|kind| kind.name).collect();
    let help = match nearest(name.as_str(), names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the framings are {}", names.join(", ")),
    };
    let message = format!("`{name}` is not a framing");
    Diagnostic::error(Stage::Plan, Code::BadValue, name.span(), message).help(help)
}

/// The framing that is none.
const NONE: &str = "chunks";
