//! Process IDs in text from others: the kernel, or the creator of a lock.

use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::Pid;
use rustix::time::{ClockId, clock_gettime};

/// Returns the number of a process; `None` for what is no positive number. `/proc/PID/stat` has -1 for the session of
/// a process that is just being reaped, and `kill(2)` takes negative numbers for groups of processes.
pub(crate) fn parse(text: &str) -> Option<Pid> {
    let number = text.parse::<u32>().ok().and_then(|number| i32::try_from(number).ok())?;
    Pid::from_raw(number)
}

/// Returns for how long a process has been running; `None` if the system doesn't tell.
pub(crate) fn age(pid: Pid) -> Option<Duration> {
    let stat = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name of the program, in parentheses, may have anything in it; the start is field 22 (proc_pid_stat(5)).
    let (_, fields) = stat.split_at(stat.iter().rposition(|byte| *byte == b')')? + 1);
    let start = fields.split(|byte| *byte == b' ').nth(20)?;
    let start: f64 = std::str::from_utf8(start).ok()?.parse().ok()?;
    let now = clock_gettime(ClockId::Boottime);
    let now = Duration::new(u64::try_from(now.tv_sec).ok()?, u32::try_from(now.tv_nsec).ok()?);
    #[expect(clippy::cast_precision_loss, reason = "it is 100")]
    let start = Duration::try_from_secs_f64(start / clock_ticks_per_second() as f64).ok()?;
    Some(now.saturating_sub(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_an_age() {
        let ours = age(rustix::process::getpid()).unwrap();
        let parents = age(rustix::process::getppid().unwrap()).unwrap();
        assert!(ours < parents && ours < Duration::from_secs(600), "{ours:?} {parents:?}");
    }

    #[test]
    fn only_positive_numbers_are_processes() {
        assert_eq!(parse("1"), Pid::from_raw(1));
        assert_eq!(parse("4194304").map(Pid::as_raw_nonzero).map(i32::from), Some(4_194_304));
        for text in ["-1", "0", "", "+ 1", " 1", "4294967295", "2147483648", "self"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
