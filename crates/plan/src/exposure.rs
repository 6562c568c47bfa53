//! Whether a listener may be joined to a destination, as far as the user has said who may use it.

use descriptor::{Code, Diagnostic, Stage};
use endpoint::{Connector, Exposure, HOW_TO_ALLOW, Listener, exposed};

use crate::Plan;

impl Plan<dyn Listener> {
    /// Who can reach it without a word of the user's: nobody but its owner once the descriptor says
    /// `auth`.
    #[must_use]
    pub fn unstated_exposure(&self) -> Exposure {
        if self.tree.has("auth") { Exposure::Local } else { self.endpoint.exposure() }
    }
}

/// Refuses what must not be open by accident: a program behind an address that other machines
/// reach, unless the listener says who may in, be it `auth=none` in words.
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
    if listener.tree.invites {
        return Err(
            mistake.help(format!("admit only clients with a link (`auth=token`), {HOW_TO_ALLOW}"))
        );
    }
    Err(mistake.help(HOW_TO_ALLOW))
}
