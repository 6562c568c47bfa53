//! Has programs begin with the signals that a terminal and a supervisor rely on.
//!
//! What ignores a signal passes that on to all that it starts, and a shell can't even trap what was
//! ignored when it began. Under `nohup` a closed terminal would say nothing to its shell; behind the
//! `&` of a script, Ctrl-C would interrupt no command. Terminals, `sshd` and `login` therefore start
//! their programs with signals as they are at first (`SIG_DFL`).

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What has to be before a program is started: its signals are as it expects them, and its end, which may come
/// at once, will be noticed by the receiver.
pub(crate) fn prepare() -> io::Result<Signal> {
    let children = signal(SignalKind::child())?;
    restore()?;
    Ok(children)
}

/// Has those of [`HEARD`] that we ignore be caught from now on: to us that is the same, and a
/// program's `exec` turns what is caught, but not what is ignored, into the default (execve(2)).
///
/// It holds for this process and for good: what else it starts hears them too. What was ignored after tokio had
/// been asked for that signal stays ignored. What we ignore is known on Linux, from `proc(5)`; elsewhere it is
/// passed on.
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

/// The signals that this process ignores, as a mask whose lowest bit is signal 1, from `proc(5)`. Where there is
/// none of that, none is known.
#[must_use]
pub fn ignored_signals() -> u64 {
    ignored(&std::fs::read_to_string("/proc/self/status").unwrap_or_default())
}

fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// What a terminal sends, and what we send. SIGPIPE is the standard library's to restore. SIGTTOU
/// and SIGTTIN are left: catching them isn't the same to us as ignoring them.
const HEARD: [Number; 5] = [Number::HUP, Number::INT, Number::QUIT, Number::TERM, Number::TSTP];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read_from_proc() {
        let status = "Name:\tcat\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001007\n";
        assert_eq!(ignored(status), 0x1007);
        assert_eq!(ignored("Name:\tcat\n"), 0);
        assert_eq!(ignored("SigIgn:\tnothing\n"), 0);
    }
}
