//! Has programs begin with the signals that a terminal and a supervisor rely on.
//!
//! A process that ignores a signal passes that on to all its children, and a shell can't even trap a signal that was
//! ignored when it began. Under `nohup` a closed terminal would not reach its shell; behind the `&` of a script,
//! Ctrl-C would interrupt no command. Terminals, `sshd` and `login` therefore start their programs with default
//! signals (`SIG_DFL`).

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Prepares for starting a program: its signals are as it expects them, and the receiver will notice its end, which
/// may come at once.
pub(crate) fn prepare() -> io::Result<Signal> {
    let children = signal(SignalKind::child())?;
    restore()?;
    Ok(children)
}

/// Has those of [`HEARD`] that we ignore be caught from now on: to us that is the same, and a
/// program's `exec` turns what is caught, but not what is ignored, into the default (execve(2)).
///
/// It holds for this process and for good: other children get them too. A signal that was ignored after tokio had
/// been asked for it stays ignored. The signals that this process ignores are known on Linux, from `proc(5)`;
/// elsewhere they are passed on.
fn restore() -> io::Result<()> {
    let ignored = ignored_signals();
    for number in HEARD.map(Number::as_raw) {
        if ignored & (1 << (number - 1)) != 0 {
            // The handler stays when its receiver goes.
            drop(signal(SignalKind::from_raw(number))?);
        }
    }
    Ok(())
}

/// Returns the signals that this process ignores, as a mask whose lowest bit is signal 1, from `proc(5)`. Empty on
/// systems without it.
#[must_use]
pub fn ignored_signals() -> u64 {
    mask(&status(), "SigIgn:")
}

/// Returns those of `numbers` that have their default effect on this process, as far as the system tells.
pub(crate) fn default_signals(numbers: &[Number]) -> impl Iterator<Item = Number> {
    let status = status();
    let changed = mask(&status, "SigIgn:") | mask(&status, "SigCgt:");
    numbers.iter().copied().filter(move |number| changed & (1 << (number.as_raw() - 1)) == 0)
}

fn status() -> String {
    std::fs::read_to_string("/proc/self/status").unwrap_or_default()
}

fn mask(status: &str, name: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix(name));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// The signals that a terminal sends, and those that we send. SIGPIPE is restored by the standard
/// library. SIGTTOU and SIGTTIN are left: catching them isn't the same to us as ignoring them.
const HEARD: [Number; 5] = [Number::HUP, Number::INT, Number::QUIT, Number::TERM, Number::TSTP];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read_from_proc() {
        let status = "Name:\tcat\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001007\n";
        assert_eq!(mask(status, "SigIgn:"), 0x1007);
        assert_eq!(mask("Name:\tcat\n", "SigIgn:"), 0);
        assert_eq!(mask("SigIgn:\tnothing\n", "SigIgn:"), 0);
    }
}
