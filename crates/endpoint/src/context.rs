//! State that only the command may read, and state that endpoints of one process share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::gate::Gate;
use crate::{Clock, Grants};

/// The context of every bind and every connect. Cheap to clone.
///
/// A kind reads no environment and keeps no global state: two contexts in one process, as in
/// tests, know nothing of each other.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
    environment: Arc<[(OsString, OsString)]>,
    behind: Grants,
    takes_datagrams: bool,
    gate: Option<Arc<dyn Gate>>,
}

struct Inner {
    shared: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    work: watch::Sender<usize>,
    cut: watch::Sender<bool>,
    clock: OnceLock<Clock>,
}

impl Context {
    /// Creates an empty context.
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment([])
    }

    /// Creates a context with the environment that programs are started in.
    pub fn with_environment(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let environment = variables.into_iter().collect();
        let (work, _) = watch::channel(0);
        let (cut, _) = watch::channel(false);
        let (shared, clock) = (Mutex::default(), OnceLock::new());
        let inner = Arc::new(Inner { shared, work, cut, clock });
        Self { inner, environment, behind: Grants::Program, takes_datagrams: true, gate: None }
    }

    /// Returns the same context with more variables in its environment; of two with the same name, the later one
    /// counts.
    #[must_use]
    pub fn with_variables(
        &self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Self {
        let environment = self.environment.iter().cloned().chain(variables).collect();
        Self { environment, ..self.clone() }
    }

    /// Returns the same context, for binding a listener whose destination exposes this.
    #[must_use]
    pub fn in_front_of(&self, behind: Grants) -> Self {
        Self { behind, ..self.clone() }
    }

    /// Returns the most that a listener bound with this context may have behind it: a program, unless
    /// [`Context::in_front_of`] excludes it.
    #[must_use]
    pub fn behind(&self) -> Grants {
        self.behind
    }

    /// Returns the same context, for binding a listener whose destination can serve clients that ask for datagrams, or
    /// can't.
    #[must_use]
    pub fn with_datagrams(&self, takes_datagrams: bool) -> Self {
        Self { takes_datagrams, ..self.clone() }
    }

    /// Returns `true` if the destination of a listener that is bound with this context may be able to serve clients that
    /// ask for datagrams: unless [`Context::with_datagrams`] excludes it.
    #[must_use]
    pub fn takes_datagrams(&self) -> bool {
        self.takes_datagrams
    }

    /// Returns the same context, for binding a listener whose layers ask `gate` before they answer without an offer,
    /// as for a page. For offers, the forwarder asks its own gate.
    #[must_use]
    pub fn guarded_by(&self, gate: Arc<dyn Gate>) -> Self {
        Self { gate: Some(gate), ..self.clone() }
    }

    /// Returns the gate to ask before a reply without an offer; `None` admits every peer.
    #[must_use]
    pub fn gate(&self) -> Option<&Arc<dyn Gate>> {
        self.gate.as_ref()
    }

    /// Returns the environment.
    #[must_use]
    pub fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }

    /// Returns one variable of the environment.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        let variables = self.environment.iter();
        variables.rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Returns the value that all endpoints of a kind share in this context, created at first use.
    #[must_use]
    pub fn shared<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut shared = self.inner.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = shared.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(entry).downcast().expect("the map is keyed by the type of its values")
    }

    /// Sets the clock of seldom-firing timers, for everything that shares the context and is bound or connected from
    /// now on. Returns `false` if a clock was already set.
    pub fn set_clock(&self, clock: Clock) -> bool {
        self.inner.clock.set(clock).is_ok()
    }

    /// Returns the clock of seldom-firing timers: the caller's own runtime, unless
    /// [`Context::set_clock`] has set another.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.inner.clock.get().unwrap_or(&Clock::HERE)
    }

    /// Marks work that outlives its session, such as ending a program: [`Context::finished`] waits
    /// until the guard is dropped.
    #[must_use]
    pub fn working(&self) -> WorkGuard {
        self.inner.work.send_modify(|count| *count += 1);
        WorkGuard { work: self.inner.work.clone(), cut: self.inner.cut.subscribe() }
    }

    /// Waits until no work outlives its session any more, without a time limit: each sort of work has its own limit,
    /// such as a program's grace period. Cancel safe.
    pub async fn finished(&self) {
        let mut work = self.inner.work.subscribe();
        // An error would mean that the context is gone, which `self` holds.
        let _ = work.wait_for(|count| *count == 0).await;
    }

    /// Waits as [`Context::finished`], for at most `limit`; returns `true` if all work has ended.
    /// Cancel safe.
    pub async fn settled(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.finished()).await.is_ok()
    }

    /// Ends all work that outlives its session now, and later work at once: programs are killed.
    pub fn cut_work(&self) {
        self.inner.cut.send_replace(true);
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Context {
    /// The environment may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

/// Work that outlives its session, until this is dropped; see [`Context::working`].
#[derive(Debug)]
pub struct WorkGuard {
    work: watch::Sender<usize>,
    cut: watch::Receiver<bool>,
}

impl WorkGuard {
    /// Waits until the work is to end now ([`Context::cut_work`]). Cancel safe.
    pub async fn cut(&self) {
        if self.cut.clone().wait_for(|cut| *cut).await.is_err() {
            // The sender is gone, so no cut can come any more.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for WorkGuard {
    fn drop(&mut self) {
        self.work.send_modify(|count| *count -= 1);
    }
}
