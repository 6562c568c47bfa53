//! The check of a listener's exposure against a destination, with the stated `auth`.

use descriptor::{Code, Diagnostic, Stage};
use endpoint::{Connector, Exposure, Listener, exposed};

use crate::{Plan, Tree};

impl Plan<dyn Listener> {
    /// Returns its exposure without a stated `auth`: if the descriptor has `auth`, only its owner
    /// counts.
    #[must_use]
    pub fn unstated_exposure(&self) -> Exposure {
        if self.tree.has("auth") { Exposure::Local } else { self.endpoint.exposure() }
    }
}

/// Refuses accidental exposure: a program behind an address that other machines can reach, unless
/// the listener has `auth`, even if it is `auth=none`.
///
/// # Errors
/// The mistake, at the listener's outermost kind.
pub fn check_exposure(
    listener: &Plan<dyn Listener>,
    connector: &Plan<dyn Connector>,
) -> Result<(), Diagnostic> {
    let grants = connector.endpoint.grants();
    if listener.unstated_exposure().allows(grants) {
        return Ok(());
    }
    let message = exposed(grants, &connector.tree.descriptor);
    let mistake = Diagnostic::error(Stage::Plan, Code::OpenToAll, listener.tree.span, message);
    let Tree { descriptor, invites, secret, .. } = &listener.tree;
    let line = |auth: &str| match secret {
        true => format!("auth={auth}"),
        false => format!("{descriptor}:auth={auth}"),
    };
    let everyone = format!(
        "listen on loopback (`interface=127.0.0.1`), or allow everyone with `{}`",
        line("none")
    );
    let mistake = mistake.help(match invites {
        true => format!("admit only clients with a link (`{}`), {everyone}", line("token")),
        false => everyone,
    });
    Err(mistake.in_syntax(listener.tree.syntax))
}
