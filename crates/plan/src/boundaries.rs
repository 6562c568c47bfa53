//! A warning if datagrams lose their boundaries on the way to the other side.

use descriptor::{Code, Diagnostic, Stage};
use endpoint::{Connector, Listener};

use crate::kind::{Role, Shape};
use crate::{Plan, Tree};

/// Returns a warning if one side needs message boundaries that the other side doesn't have. Returns the side that the
/// warning is about.
#[must_use]
pub fn check_boundaries(
    listener: &Plan<dyn Listener>,
    connector: &Plan<dyn Connector>,
) -> Option<(Role, Diagnostic)> {
    let (listener, connector) = (&listener.tree, &connector.tree);
    match (listener.gives, connector.gives) {
        (Shape::Datagrams, Shape::Bytes) => Some((Role::Connect, lost(listener, connector))),
        (Shape::Bytes, Shape::Datagrams) => Some((Role::Listen, lost(connector, listener))),
        _ => None,
    }
}

/// The warning that what `datagrams` keeps apart, `bytes` doesn't.
pub(crate) fn lost(datagrams: &Tree, bytes: &Tree) -> Diagnostic {
    let (kind, other) = (datagrams.kind, bytes.kind);
    let message = format!(
        "message boundaries are lost: `{kind}` has datagrams, and `{other}` is a byte stream"
    );
    let warning = Diagnostic::warning(Stage::Plan, Code::LostBoundaries, bytes.span, message);
    warning.help(format!(
        "keep them with `framed:{{{}}}:by=length`, a length before each message, if the other end does the same; or \
         with `by=lines` if each message is a line",
        bytes.descriptor
    ))
}
