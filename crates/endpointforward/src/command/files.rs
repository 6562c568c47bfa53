//! The limit of open files: the soft limit of a shell is low for programs that use select(2), which
//! this one doesn't.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files, and returns it.
///
/// Programs that are started inherit it, and some close every number below it before they begin:
/// so it is raised to [`ENOUGH`] and not to the million that the system may grant.
pub(crate) fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (soft, hard) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    let wanted = hard.min(ENOUGH);
    if soft >= wanted {
        return soft;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        Ok(()) => wanted,
        // A sandbox may forbid it; we do with what there is.
        Err(_) => soft,
    }
}

/// Sessions have two files each.
const ENOUGH: u64 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_the_system_has() {
        let raised = raise();
        assert_eq!(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX), raised);
        assert_eq!(raise(), raised, "there is nothing left to raise");
    }
}
