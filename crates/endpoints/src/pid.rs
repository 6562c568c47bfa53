//! Process IDs in text from others: the kernel, or the creator of a lock.

use rustix::process::Pid;

/// Returns the number of a process; `None` for what is no positive number. `/proc/PID/stat` has -1 for the session of
/// a process that is just being reaped, and `kill(2)` takes negative numbers for groups of processes.
pub(crate) fn parse(text: &str) -> Option<Pid> {
    let number = text.parse::<u32>().ok().and_then(|number| i32::try_from(number).ok())?;
    Pid::from_raw(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_numbers_are_processes() {
        assert_eq!(parse("1"), Pid::from_raw(1));
        assert_eq!(parse("4194304").map(Pid::as_raw_nonzero).map(i32::from), Some(4_194_304));
        for text in ["-1", "0", "", "+ 1", " 1", "4294967295", "2147483648", "self"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
