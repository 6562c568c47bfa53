//! The processes that have a device open.

use std::fs;
use std::path::Path;

use tokio::task::spawn_blocking;

/// In words for a message, if it is a process that we may look at. The lock on a device doesn't tell
/// whose it is where it is TIOCEXCL's, so the descriptors of all processes are looked through.
pub(super) async fn of(path: &str) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    spawn_blocking(move || search(&path)).await.ok()?
}

fn search(path: &Path) -> Option<String> {
    let numbers = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| numbers(entry.ok()?));
    let has_it = |pid: &u32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors.flat_map(|entry| fs::read_link(entry.path())).any(|target| target == path)
    };
    let mut pids: Vec<_> = pids.filter(has_it).collect();
    pids.sort_unstable();
    let names: Vec<_> = pids.into_iter().take(MOST).map(name).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

fn name(pid: u32) -> String {
    if pid == std::process::id() {
        return "another session of this program".to_owned();
    }
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name: String = name.trim_end().chars().filter(|c| !c.is_control()).collect();
    format!("`{name}` (process {pid})")
}

/// The maximum number that are named: a shared device may be open in many.
const MOST: usize = 3;
