//! What an endpoint needs and hasn't got: files, folders, programs and devices that are not there.

use std::borrow::Cow;

/// Something that an endpoint needs and that isn't there now, and the parameter that names it.
///
/// The path to the parameter begins at the endpoint whose `missing` returns it. An endpoint over others adds a step to
/// theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The steps to the parameter, the last one first.
    steps: Vec<Step>,
    message: String,
}

/// A step from an endpoint towards a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The parameter itself.
    Parameter(Cow<'static, str>),
    /// Into a value of this parameter, the one of this number: an endpoint, or a value with parameters in braces.
    Within(&'static str, usize),
    /// To the only endpoint beneath.
    Beneath,
}

impl Missing {
    /// Creates it for a parameter of this endpoint. The message is a fragment: `there is no file /etc/users`.
    #[must_use]
    pub fn of(parameter: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { steps: vec![Step::Parameter(parameter.into())], message: message.into() }
    }

    /// Returns what is missing, for a person.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the steps to the parameter, from the outermost endpoint on.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().rev()
    }

    /// Returns what the only endpoint beneath misses, as seen from the one over it.
    #[must_use]
    pub fn beneath(found: Vec<Self>) -> Vec<Self> {
        Self::through(found, &Step::Beneath)
    }

    /// Returns what a value of `parameter` misses, the one of this number, as seen from the endpoint that has the
    /// parameter.
    #[must_use]
    pub fn within(parameter: &'static str, number: usize, found: Vec<Self>) -> Vec<Self> {
        Self::through(found, &Step::Within(parameter, number))
    }

    /// Returns what something misses that was planned from the value of `parameter` and that no descriptor shows.
    #[must_use]
    pub fn at(parameter: &'static str, found: Vec<Self>) -> Vec<Self> {
        found.into_iter().map(|missing| Self::of(parameter, missing.message)).collect()
    }

    fn through(mut found: Vec<Self>, step: &Step) -> Vec<Self> {
        for missing in &mut found {
            missing.steps.push(step.clone());
        }
        found
    }
}
