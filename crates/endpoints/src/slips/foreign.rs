//! Endpoints in other programs' notation: `TCP-LISTEN:80,fork`, `ws-l:127.0.0.1:80`, `file:///x`.
//!
//! The help is the descriptor to type instead. The tables are data: [`tools`](super::tools) has the keywords of
//! other programs, [`urls`](super::urls) the schemes of URLs, [`shapes`](super::shapes) forms that have neither.

use descriptor::{Code, Descriptor, Diagnostic, Stage};
use plan::kind::Role;

use super::line::Found;
use super::{settings, shapes, tools, urls};

/// Returns the help for an endpoint in another program's notation, for [`plan::Registry::add_slip`].
#[must_use]
pub fn foreign(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let source = descriptor.source();
    let found = find(source.as_str(), role)
        .map(|found| found.report(source, role))
        .or_else(|| settings::find(descriptor, role));
    found.map(|(span, message, help)| {
        Diagnostic::error(Stage::Plan, Code::UnknownKind, span, message).help(help)
    })
}

/// Returns the descriptor and the side of an endpoint in another program's notation.
#[must_use]
pub fn translate(typed: &str, role: Role) -> Option<(Role, String)> {
    let found = find(typed, role)?;
    Some((found.line.side, found.line.descriptor))
}

fn find(typed: &str, role: Role) -> Option<Found> {
    // A scheme may be the name of a kind, too.
    urls::find(typed).or_else(|| tools::find(typed, role)).or_else(|| shapes::find(typed, role))
}
