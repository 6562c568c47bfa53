//! Name lookups, on a few separate threads.
//!
//! getaddrinfo(3) blocks for as long as a name server doesn't answer. On the runtime's threads for
//! blocking work, slow lookups would keep files and everything else waiting.
//!
//! 1. A lookup waits in a bounded queue, and is looked up by one of at most [`THREADS`] threads.
//! 2. A caller that is dropped gives its place in the queue back. A lookup that a thread has begun
//!    can't be interrupted: it costs that thread's time, and no place.
//! 3. Threads start when they are needed, and end when they have been idle for [`IDLE`].

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// The lookups of one context. Cheap to clone; clones share their threads.
#[derive(Clone)]
pub(crate) struct Lookups(Arc<Shared>);

type Answer = io::Result<Vec<SocketAddr>>;
type Resolve = dyn Fn(&str, u16) -> Answer + Send + Sync;

struct Shared {
    state: Mutex<State>,
    work: Condvar,
    resolve: Box<Resolve>,
    threads: usize,
    waiting: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Lookup>,
    threads: usize,
    /// Threads that wait for work.
    idle: usize,
}

struct Lookup {
    host: String,
    port: u16,
    answer: oneshot::Sender<Answer>,
}

impl Lookups {
    /// At most `waiting` lookups in the queue, and so many threads.
    fn new(
        threads: usize,
        waiting: usize,
        resolve: impl Fn(&str, u16) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let (state, work) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { state, work, resolve: Box::new(resolve), threads, waiting }))
    }

    /// The addresses of a name, in the resolver's order. Dropping the future gives the lookup up.
    ///
    /// # Errors
    /// The resolver's; `QuotaExceeded` if too many lookups wait.
    pub(crate) async fn find(&self, host: &str, port: u16) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.add(Lookup { host: host.to_owned(), port, answer })?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

impl Default for Lookups {
    /// The system's resolver.
    fn default() -> Self {
        Self::new(THREADS, WAITING, |host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Lookups")
            .field("waiting", &state.queue.len())
            .field("threads", &state.threads)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(self: &Arc<Self>, lookup: Lookup) -> io::Result<()> {
        let mut state = self.lock();
        if state.queue.len() >= self.waiting {
            state.queue.retain(|lookup| !lookup.answer.is_closed());
        }
        if state.queue.len() >= self.waiting {
            let words = format!(
                "too many name lookups: {} are waiting for a name server already",
                state.queue.len()
            );
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, words));
        }
        state.queue.push_back(lookup);
        // An idle thread that was told already has not taken its lookup yet: so many are spoken for.
        if state.queue.len() > state.idle && state.threads < self.threads {
            match self.start() {
                Ok(()) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    state.queue.pop_back();
                    return Err(error);
                }
                // The threads that there are do it later.
                Err(_) => {}
            }
        }
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    fn start(self: &Arc<Self>) -> io::Result<()> {
        let shared = Arc::clone(self);
        let run = move || shared.work();
        thread::Builder::new().name("lookup".to_owned()).spawn(run).map(drop)
    }

    /// Runs a thread until it has been idle for long.
    fn work(&self) {
        while let Some(Lookup { host, port, answer }) = self.next() {
            // The queue counts on its threads.
            let found = catch_unwind(AssertUnwindSafe(|| (self.resolve)(&host, port)));
            // The receiver may be gone.
            let _ = answer.send(found.unwrap_or_else(|_| Err(lost())));
        }
    }

    /// The next lookup whose caller still waits.
    fn next(&self) -> Option<Lookup> {
        let mut state = self.lock();
        loop {
            while let Some(lookup) = state.queue.pop_front() {
                if !lookup.answer.is_closed() {
                    return Some(lookup);
                }
            }
            state.idle += 1;
            let (mut woken, waited) =
                self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            woken.idle -= 1;
            if waited.timed_out() && woken.queue.is_empty() {
                // Under the same lock, so that the caller that adds a lookup knows how many threads there are.
                woken.threads -= 1;
                return None;
            }
            state = woken;
        }
    }
}

fn lost() -> io::Error {
    io::Error::other("the lookup failed without an answer")
}

const THREADS: usize = 16;
/// The same as the number of undecided connections of one listener.
const WAITING: usize = 1024;
const IDLE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use tokio::task::yield_now;
    use tokio::time::{Instant, timeout};

    use super::*;

    /// A resolver that reports its lookups, and answers on command.
    fn slow(threads: usize, waiting: usize) -> (Lookups, Receiver<String>, Sender<()>) {
        let (begun, begins) = channel();
        let (go, gone) = channel();
        let gone = Mutex::new(gone);
        let lookups = Lookups::new(threads, waiting, move |host, port| {
            begun.send(host.to_owned()).unwrap();
            if host.starts_with("slow") {
                gone.lock().unwrap().recv().unwrap();
            }
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
        });
        (lookups, begins, go)
    }

    fn spawn(lookups: &Lookups, host: &'static str) -> tokio::task::JoinHandle<Answer> {
        let lookups = lookups.clone();
        tokio::spawn(async move { lookups.find(host, 80).await })
    }

    async fn until(what: impl Fn() -> bool) {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(60), "it never comes to that");
            yield_now().await;
        }
    }

    fn waiting(lookups: &Lookups) -> usize {
        lookups.0.lock().queue.len()
    }

    #[tokio::test]
    async fn one_that_is_slow_delays_no_other() {
        let (lookups, begins, go) = slow(2, 10);
        let first = spawn(&lookups, "slow");
        until(|| begins.try_recv().is_ok()).await;
        for _ in 0..10 {
            lookups.find("fast", 80).await.unwrap();
        }
        assert_eq!(lookups.0.lock().threads, 2, "one that is idle is used again");
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn more_than_may_wait_are_told_so() {
        let (lookups, begins, go) = slow(1, 2);
        let first = spawn(&lookups, "slow");
        until(|| begins.try_recv().is_ok()).await;
        let (second, third) = (spawn(&lookups, "a"), spawn(&lookups, "b"));
        until(|| waiting(&lookups) == 2).await;
        let error = lookups.find("c", 80).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        assert!(error.to_string().contains("too many name lookups"), "{error}");
        go.send(()).unwrap();
        for found in [first, second, third] {
            found.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn who_vanishes_gives_the_place_back_and_is_never_looked_up() {
        let (lookups, begins, go) = slow(1, 2);
        let first = spawn(&lookups, "slow");
        until(|| begins.try_recv().is_ok()).await;
        for _ in 0..100 {
            let gone = spawn(&lookups, "gone");
            let before = waiting(&lookups);
            until(|| waiting(&lookups) != before || before == 2).await;
            gone.abort();
            let _ = gone.await;
        }
        // A lookup that is under way and that nothing waits for counts as its thread alone.
        first.abort();
        let last = spawn(&lookups, "last");
        until(|| waiting(&lookups) > 0).await;
        go.send(()).unwrap();
        last.await.unwrap().unwrap();
        assert_eq!(begins.try_iter().collect::<Vec<_>>(), ["last"]);
    }

    #[tokio::test]
    async fn a_resolver_that_panics_costs_one_lookup() {
        let lookups = Lookups::new(1, 1, |host, _| {
            assert_ne!(host, "bad");
            Ok(Vec::new())
        });
        assert!(lookups.find("bad", 80).await.is_err());
        let found = timeout(Duration::from_secs(60), lookups.find("good", 80));
        assert!(found.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn the_systems_resolver_knows_this_machine() {
        let found = Lookups::default().find("localhost", 80).await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()) && !found.is_empty());
    }
}
