//! State shared by the programs of one context: one scan of the machine's processes for all that
//! ask, and the tasks that wait for each child.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use endpoint::Context;
use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, waitid};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::members::Snapshot;
use super::recipe::FORKING;

/// Shared by the programs of a context.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    /// The last scan, and its number. Locked during a scan, so that only one thread scans.
    last: tokio::sync::Mutex<(u64, Option<Arc<Snapshot>>)>,
    /// The number of scans that have begun.
    begun: AtomicU64,
    /// The last look of [`Programs::look_now`].
    last_now: Mutex<Option<(Instant, Arc<Snapshot>)>>,
    /// The programs that a supervisor waits for; only it reaps them.
    awaited: Mutex<HashSet<Pid>>,
    /// The killed programs that nothing is left to wait for; `None` while no thread does.
    killed: Mutex<Option<Vec<Pid>>>,
}

impl Programs {
    /// Scans the machine's processes, after this was called. A task that asks during another scan waits for its end,
    /// and shares the next scan with all that wait. `None` if the system has no such list.
    pub(super) async fn look(&self) -> Option<Arc<Snapshot>> {
        let asked = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if last.0 <= asked {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let taken = spawn_blocking(Snapshot::take).await.ok().flatten();
            *last = (number, taken.map(Arc::new));
        }
        last.1.clone()
    }

    /// Looks at the machine's processes in this thread, unless it was done a moment ago: for the end of
    /// a runtime, which ends all programs one after the other.
    pub(super) fn look_now(&self) -> Option<Arc<Snapshot>> {
        let mut last = lock(&self.last_now);
        if let Some((at, snapshot)) = &*last
            && at.elapsed() < MOMENT
        {
            return Some(Arc::clone(snapshot));
        }
        let snapshot = Arc::new(Snapshot::take()?);
        *last = Some((Instant::now(), Arc::clone(&snapshot)));
        Some(snapshot)
    }

    /// Marks a child that a supervisor waits for. Call it while [`FORKING`] is held.
    pub(super) fn await_child(&self, pid: Pid) {
        lock(&self.awaited).insert(pid);
    }

    /// Reaps a child that has ended and is waited for no more.
    pub(super) fn reap(&self, pid: Pid) {
        // First, as its number may be another's as soon as it is reaped.
        lock(&self.awaited).remove(&pid);
        reap(pid);
    }

    /// Reaps a child that was killed, once it has ended, in a thread that does that for all of them:
    /// there may be no runtime any more to wait in.
    pub(super) fn reap_killed(self: &Arc<Self>, pid: Pid) {
        let mut killed = lock(&self.killed);
        if let Some(killed) = &mut *killed {
            return killed.push(pid);
        }
        *killed = Some(vec![pid]);
        let programs = Arc::clone(self);
        std::thread::spawn(move || {
            while let Some(pid) = programs.next_killed() {
                let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
                lock(&programs.awaited).remove(&pid);
            }
        });
    }

    fn next_killed(&self) -> Option<Pid> {
        let mut killed = lock(&self.killed);
        let next = killed.as_mut().and_then(Vec::pop);
        if next.is_none() {
            *killed = None;
        }
        next
    }

    /// Reaps what became our child when its parent ended.
    fn reap_orphans(&self, snapshot: &Snapshot) {
        if snapshot.ended().is_empty() {
            return;
        }
        // A thread that was starting a program when the look was taken has noted by now that it is waited for.
        let _alone = FORKING.write().unwrap_or_else(PoisonError::into_inner);
        let awaited = lock(&self.awaited);
        for orphan in snapshot.ended().iter().filter(|ended| !awaited.contains(&ended.pid)) {
            debug!("reaped process {}, left behind by a program", orphan.pid);
            reap(orphan.pid);
        }
    }
}

/// Reaps orphaned processes of the programs of `cx`, forever, if it is up to this process: as process 1, as in a
/// container without an init, and as a child subreaper (`PR_SET_CHILD_SUBREAPER`). Returns at once
/// otherwise.
///
/// For a command, all of whose children are programs that it started through `cx`: the children of a library's user
/// can't be told from orphans, and their exit statuses would be lost.
///
/// # Errors
/// When SIGCHLD can't be listened to.
pub async fn reap_orphans(cx: Context) -> io::Result<()> {
    // We don't make ourselves a subreaper. A process that a program leaves in a separate session is meant to
    // outlive its session with us, and the machine's init reaps it; to be its parent would be of no use.
    if !getpid().is_init() && !is_subreaper() {
        return Ok(());
    }
    let programs = cx.shared::<Programs>();
    let mut children = signal(SignalKind::child())?;
    while children.recv().await.is_some() {
        if let Some(snapshot) = programs.look().await {
            let programs = Arc::clone(&programs);
            // Starting a program holds the lock that this waits for.
            let _ = spawn_blocking(move || programs.reap_orphans(&snapshot)).await;
        }
        // Many that end within a moment are one look.
        sleep(MOMENT).await;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn is_subreaper() -> bool {
    matches!(rustix::process::child_subreaper(), Ok(Some(_)))
}

#[cfg(not(target_os = "linux"))]
fn is_subreaper() -> bool {
    false
}

fn reap(pid: Pid) {
    let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time for which a look at the processes is taken to be valid.
const MOMENT: Duration = Duration::from_millis(100);
