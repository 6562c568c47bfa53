//! Planning over an endpoint that isn't in the text, such as a stream of the program's own.

use descriptor::{Code, Diagnostic, Text};

use super::{Known, Planning};
use crate::Plan;
use crate::kind::Role;
use crate::side::Endpoint;

impl Planning<'_> {
    /// Plans text that was typed without the endpoint beneath its kind, over `beneath`.
    pub(crate) fn run_over<E: Endpoint + ?Sized + 'static>(
        mut self,
        typed: &str,
        beneath: Plan<E>,
    ) -> Result<Plan<E>, Vec<Diagnostic>> {
        self.found = beneath.warnings;
        self.own = Some((beneath.endpoint.part(), beneath.tree));
        self.run(typed)
    }

    /// Puts the name of the endpoint that wasn't typed where it would have been.
    pub(super) fn complete(&mut self, known: &mut Known, role: Role) -> Option<()> {
        let Some((_, tree)) = &self.own else { return Some(()) };
        // Reported as the wrong side.
        let Some(form) = known.kind.form(role) else { return Some(()) };
        let first = form.params.iter().find(|param| param.positional);
        let is_beneath = first.is_some_and(|param| param.value.beneath(role) == Some(role));
        let at = known.descriptor.source().span();
        if !is_beneath {
            let name = known.kind.name;
            let message = format!("`{name}` runs over no other endpoint when {}", role.doing());
            self.error(Code::WrongShape, at, message, None);
            return None;
        }
        let positional = form.params.iter().filter(|param| param.positional);
        let has_rest = positional.clone().any(|param| param.rest);
        if let Some(typed) = known.descriptor.args.get(1)
            && !has_rest
            && known.descriptor.args.len() > positional.count()
        {
            let (name, span) = (known.kind.name, typed.span());
            let message = format!("the endpoint beneath `{name}` is given by the program");
            let help = Some("leave it out of the descriptor".to_owned());
            self.error(Code::TooManyPositionals, span, message, help);
            return None;
        }
        let name = Text::synthetic(&tree.descriptor, at);
        known.descriptor.args.insert(1, name);
        self.own_param = first.map(|param| param.name);
        Some(())
    }
}
