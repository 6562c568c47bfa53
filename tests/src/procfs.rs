//! The kernel's facts about a process: memory, descriptors, threads, children, processor time.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Resident memory in KiB; `None` when the process is gone.
#[must_use]
pub fn rss_kib(pid: u32) -> Option<u64> {
    status_number(pid, "VmRSS:")
}

/// The number of threads.
#[must_use]
pub fn threads(pid: u32) -> Option<u64> {
    status_number(pid, "Threads:")
}

/// The number of open descriptors.
#[must_use]
pub fn fds(pid: u32) -> Option<usize> {
    Some(fs::read_dir(of(pid).join("fd")).ok()?.count())
}

/// Processor time of all living threads, in nanoseconds and so finer than the ticks of `times(2)`.
///
/// A thread that has ended takes its time with it: compare two readings only of a process that keeps its
/// threads, as an executor does.
#[must_use]
pub fn cpu(pid: u32) -> Option<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(of(pid).join("task")).ok()?.flatten() {
        // A thread may end between the listing and the reading.
        let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        nanoseconds += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanoseconds))
}

/// Returns the direct children that still exist, including those that have not been reaped.
#[must_use]
pub fn children(pid: u32) -> Vec<u32> {
    let parents = parents();
    parents.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| *child).collect()
}

/// Children, their children and so on.
#[must_use]
pub fn descendants(pid: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        next += 1;
    }
    found.split_off(1)
}

/// Returns `true` if a process of this ID runs: one that is dead and only waits to be reaped
/// doesn't.
#[must_use]
pub fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?.1))).collect()
}

/// State and parent.
fn stat(pid: u32) -> Option<(char, u32)> {
    let text = fs::read_to_string(of(pid).join("stat")).ok()?;
    // The name stands in parentheses and may contain anything, parentheses too: the last one counts.
    let mut fields = text[text.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.next()?.parse().ok()?))
}

fn status_number(pid: u32, name: &str) -> Option<u64> {
    let text = fs::read_to_string(of(pid).join("status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn of(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, id};

    #[test]
    fn reads_this_process() {
        assert!(rss_kib(id()).unwrap() > 100);
        assert!(fds(id()).unwrap() > 2);
        assert!(threads(id()).unwrap() >= 1);
        assert!(cpu(id()).unwrap() > Duration::ZERO);
        assert!(runs(id()));
    }

    #[test]
    fn finds_grandchildren() {
        let mut shell = Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().unwrap();
        let sleep = crate::until("the shell's child", || children(shell.id()).first().copied());
        assert_eq!(descendants(shell.id()), [sleep]);
        assert!(descendants(id()).contains(&sleep));
        for pid in [shell.id(), sleep] {
            crate::process::kill_one(pid);
        }
        shell.wait().unwrap();
        assert!(!runs(shell.id()));
    }
}
