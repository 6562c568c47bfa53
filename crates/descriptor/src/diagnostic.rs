//! An error in the typed text, with its place and a hint to correct it.

use crate::{Code, Span, Syntax, in_syntax};

/// The stage that found an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The text isn't a descriptor.
    Parse,
    /// The descriptor has no meaning.
    Plan,
}

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Nothing can be done with the typed text.
    Error,
    /// It is taken, but is probably not what was meant.
    Warning,
}

/// An error or a warning about typed text: the place, the message, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stage that found the error.
    pub stage: Stage,
    /// The severity.
    pub severity: Severity,
    /// The type of error, for programs.
    pub code: Code,
    /// The place in the typed text.
    pub span: Span,
    /// The error, as a lower-case fragment on one line.
    pub message: String,
    /// The help, such as "did you mean `tcp`?".
    pub help: Option<String>,
}

impl Diagnostic {
    /// Writes the descriptors in its help in that syntax.
    #[must_use]
    pub fn in_syntax(mut self, syntax: Syntax) -> Self {
        self.help = self.help.map(|help| in_syntax(&help, syntax).into_owned());
        self
    }

    /// Creates an error.
    pub fn error(
        stage: Stage,
        code: impl Into<Code>,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        let (code, message) = (code.into(), message.into());
        Self { stage, severity: Severity::Error, code, span, message, help: None }
    }

    /// Creates a warning about text that is valid, but probably not what was meant.
    pub fn warning(
        stage: Stage,
        code: impl Into<Code>,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(stage, code, span, message) }
    }

    /// Sets the help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
