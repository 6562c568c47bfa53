//! The resources used by a program and its children, as counted by the kernel.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ::tests::procfs;

/// A process, with those that it has started and that live.
#[derive(Debug)]
pub(crate) struct Account {
    pids: Vec<u32>,
}

impl Account {
    pub(crate) fn of(pid: u32) -> Self {
        let mut pids = procfs::descendants(pid);
        pids.push(pid);
        Self { pids }
    }

    /// Processor time, that of children which have ended and were waited for included.
    pub(crate) fn cpu(&self) -> Duration {
        let of = |&pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // Threads that have ended are in the process's own count alone, which is less exact.
            let own = procfs::cpu(pid)?.max(ticks(&stat, OWN)?);
            Some(own + ticks(&stat, REAPED)?)
        };
        self.pids.iter().filter_map(of).sum()
    }

    /// Memory that no file backs, in KiB: the program's private memory, not its mapped files.
    pub(crate) fn anonymous(&self) -> u64 {
        self.sum("status", "RssAnon:")
    }

    /// Memory that no other process shares and that can't be read from a file again, in KiB.
    pub(crate) fn private(&self) -> u64 {
        self.sum("smaps_rollup", "Private_Dirty:")
    }

    /// All that is resident, in KiB, shared libraries and the program's own text included.
    pub(crate) fn resident(&self) -> u64 {
        self.sum("status", "VmRSS:")
    }

    /// [`Account::anonymous`] once it no longer changes: allocators and executors act a little after the fact.
    pub(crate) fn settled(&self) -> u64 {
        let mut last = self.anonymous();
        for _ in 0..50 {
            thread::sleep(Duration::from_millis(100));
            let now = self.anonymous();
            if now == last {
                break;
            }
            last = now;
        }
        last
    }

    fn sum(&self, file: &str, field: &str) -> u64 {
        let of = |pid: &u32| kib(&fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?, field);
        self.pids.iter().filter_map(of).sum()
    }
}

/// The most anonymous memory of `pid`, in KiB, that is seen while `act` runs.
pub(crate) fn peak<T>(pid: u32, act: impl FnOnce() -> T) -> (T, u64) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !over.load(Ordering::Relaxed) {
                most = most.max(Account { pids: vec![pid] }.anonymous());
                thread::sleep(Duration::from_millis(5));
            }
            most
        });
        let done = act();
        over.store(true, Ordering::Relaxed);
        (done, watch.join().unwrap_or(0))
    })
}

/// Two neighbouring fields of proc(5), in ticks of a hundredth of a second.
fn ticks(stat: &str, first: usize) -> Option<Duration> {
    let fields: Vec<_> = stat[stat.rfind(')')? + 1..].split_whitespace().collect();
    let two = fields.get(first..first + 2)?;
    let ticks = two[0].parse::<u64>().ok()? + two[1].parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// The places of `utime` and `stime` behind the name, and those of `cutime` and `cstime`.
const OWN: usize = 11;
const REAPED: usize = 13;

fn kib(text: &str, field: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(field))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};

    use super::*;

    #[test]
    fn a_child_that_was_waited_for_still_counts() {
        let before = Account::of(id()).cpu();
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        Command::new("sh").args(["-c", busy]).status().unwrap();
        assert!(Account::of(id()).cpu() > before + Duration::from_millis(20));
    }

    #[test]
    fn memory_that_is_written_to_is_seen() {
        let account = Account::of(id());
        let (_, most) = peak(id(), || {
            let block = vec![1_u8; 64 << 20];
            thread::sleep(Duration::from_millis(100));
            std::hint::black_box(&block);
        });
        assert!(most > 64 << 10, "{most}");
        assert!(account.private() > 0 && account.resident() > account.anonymous());
    }

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 25 50 15";
        assert_eq!(ticks(stat, REAPED), Some(Duration::from_millis(750)));
        assert_eq!(ticks(stat, OWN), Some(Duration::from_millis(230)));
        assert_eq!(kib("A:\t 1 kB\nB:   22 kB\n", "B:"), Some(22));
    }
}
