//! `explain`: shows the meaning of a descriptor, without opening anything.
//!
//! 1. [`Explained`] plans it for the sides that are asked for.
//! 2. [`text`] shows it to people, [`json`] to programs.
//! 3. [`lines`] answers one JSON string after another.

mod json;
mod lines;
mod text;

use std::cmp::Reverse;

use crate::Endpoints;
use descriptor::{Code, Descriptor, Diagnostic, Severity, Syntax, Text};
use plan::Tree;
use plan::kind::Role;

use super::cli::Explain;
use super::exit::Exit;
use super::output::{self, complain};

/// Explains one descriptor, or each line of standard input.
pub(crate) fn run(endpoints: Endpoints, options: &Explain) -> Exit {
    let explainer = Explainer::new(endpoints, options);
    if options.descriptor == "-" {
        return lines::answer(&explainer);
    }
    let explained = explainer.explain(&options.descriptor);
    let failed = explained.sides.is_empty();
    let printed = if options.json {
        output::print(format_args!("{}\n", json::line(&json::object(&explained))))
    } else {
        if let Some(report) = text::report(&options.descriptor, &explained, explainer.both()) {
            complain(report.trim_end());
        }
        output::print(text::trees(&explained, &explainer.endpoints))
    };
    if failed { Exit::Usage } else { printed }
}

/// The definitions that descriptors are explained with.
struct Explainer {
    endpoints: Endpoints,
    syntax: Syntax,
    sides: &'static [Role],
}

/// The explanation of a descriptor.
struct Explained {
    /// The outermost level by the grammar alone, if the text can be read.
    parsed: Option<Descriptor>,
    /// The sides that it can be planned for.
    sides: Vec<Planned>,
    /// If it can be for none: the side that fits better, and what is wrong.
    wrong: Option<(Role, Vec<Diagnostic>)>,
}

struct Planned {
    role: Role,
    tree: Tree,
    warnings: Vec<Diagnostic>,
}

impl Explainer {
    fn new(endpoints: Endpoints, options: &Explain) -> Self {
        let syntax = options.syntax.into();
        let sides: &[_] = match (options.listen, options.connect) {
            (true, _) => &[Role::Listen],
            (_, true) => &[Role::Connect],
            (false, false) => &[Role::Listen, Role::Connect],
        };
        Self { endpoints: endpoints.syntax(syntax), syntax, sides }
    }

    /// Returns `true` if the side is not given.
    fn both(&self) -> bool {
        self.sides.len() > 1
    }

    fn explain(&self, text: &str) -> Explained {
        let parsed = Descriptor::parse(&Text::typed(text), self.syntax).ok();
        let (mut sides, mut wrong) = (Vec::new(), Vec::new());
        for role in self.sides.iter().copied() {
            let planned = match role {
                Role::Listen => {
                    self.endpoints.listener(text).map(|plan| (plan.tree, plan.warnings))
                }
                Role::Connect => {
                    self.endpoints.connector(text).map(|plan| (plan.tree, plan.warnings))
                }
            };
            match planned {
                Ok((tree, warnings)) => sides.push(Planned { role, tree, warnings }),
                Err(found) => wrong.push((role, found)),
            }
        }
        let wrong = if sides.is_empty() {
            wrong.into_iter().min_by_key(|(_, found)| misfit(found))
        } else {
            None
        };
        Explained { parsed, sides, wrong }
    }
}

/// Returns how badly a side fits; the least is the side that was probably meant.
fn misfit(found: &[Diagnostic]) -> (usize, usize, Reverse<usize>) {
    let errors = found.iter().filter(|found| found.severity == Severity::Error);
    let other_side = errors.clone().filter(|found| found.code == Code::WrongSide).count();
    let first = errors.clone().map(|found| found.span.start).min().unwrap_or_default();
    // With as many mistakes, the reading that went well for longer.
    (other_side, errors.count(), Reverse(first))
}
