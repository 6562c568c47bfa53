//! `balance:{A}:{B}…`: sessions are spread over several destinations.
//!
//! 1. Destinations that could not be reached lately are left out, unless all are.
//! 2. `by` puts the others in an order.
//! 3. The first of them that can be reached is the session's; one that can't is left out for a while.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{Conn, Connector, Context, ErrorKind, Grants, Info, Missing, Result};
use plan::kind::{
    Args, Assemble, Example, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use tokio::time::Instant;
use tracing::info;

use crate::attempt::{ENDPOINTS, TRY, Target, grants, log_failure, missing, takes_datagrams};

/// Spreading sessions.
pub(crate) static KIND: Kind = Kind {
    connect: Some(Side::alike(PARAMS, PlanConnect::Over(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "balance:{tcp:10.0.0.1:80}:{tcp:10.0.0.2:80}",
            about: "Connects to the two in turn, and skips an unreachable one for 10 s.",
        },
        Example {
            role: Role::Connect,
            descriptor: "balance:{tcp:10.0.0.1:5900}:{tcp:10.0.0.2:5900}:by=source",
            about: "Connects each client to the same destination every time.",
        },
    ],
    see_also: &["fallback", "retry"],
    ..Kind::new("balance", "Sessions balanced over several destinations")
};

const PARAMS: &[Param] = &[
    ENDPOINTS,
    Param::new(
        "by",
        ValueKind::Choice(&["round-robin", "least", "source"]),
        "The choice of the destination: `round-robin` uses each in turn; `least` uses the one with the fewest \
         sessions of this process; `source` uses the same one for a client's address as long as it is reachable.",
    )
    .default("round-robin"),
    Param::new(
        "down",
        ValueKind::Duration,
        "The time for which an unreachable destination is skipped. 0 tries it again for the next session.",
    )
    .topic(Topic::Limits)
    .default("10"),
    TRY,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Turn,
    Least,
    Source,
}

fn plan(args: &Args) -> Planned<Assemble<dyn Connector>> {
    let by = match args.text("by") {
        Some("least") => By::Least,
        Some("source") => By::Source,
        _ => By::Turn,
    };
    let limit = args.duration(TRY.name).filter(|limit| !limit.is_zero());
    let down = args.duration("down").unwrap_or_default();
    Ok(Box::new(move |mut beneath| {
        let names: Vec<_> = beneath.descriptors(ENDPOINTS.name).map(str::to_owned).collect();
        let connectors = beneath.connectors(ENDPOINTS.name);
        let targets = connectors.into_iter().zip(names);
        let targets: Vec<_> = targets.map(|(connector, name)| Target { connector, name }).collect();
        let states = targets.iter().map(|_| State::default()).collect();
        Box::new(Balance { targets, states, by, limit, down, turn: AtomicUsize::new(0) })
    }))
}

#[derive(Debug)]
struct Balance {
    targets: Vec<Target>,
    /// The state of each target.
    states: Vec<State>,
    by: By,
    limit: Option<Duration>,
    down: Duration,
    /// The index of the next destination.
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    /// Each session has a clone.
    sessions: Arc<()>,
    /// The time at which it may be tried again.
    down: Mutex<Option<Instant>>,
}

impl State {
    fn sessions(&self) -> usize {
        Arc::strong_count(&self.sessions) - 1
    }

    fn set_down(&self, until: Option<Instant>) {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn is_down(&self) -> bool {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.is_some_and(|until| Instant::now() < until)
    }
}

impl Balance {
    /// The targets by number, the best first; those that are down come last.
    fn order(&self, info: &Info) -> Vec<usize> {
        // Looked at once: other sessions change it meanwhile, and a sort by what changes may panic.
        let down: Vec<_> = self.states.iter().map(State::is_down).collect();
        let mut order: Vec<_> = (0..self.targets.len()).collect();
        // Those that are up take turns among themselves: one that is down leaves its share to all of them.
        order.sort_by_key(|number| down[*number]);
        let up = down.iter().filter(|down| !**down).count();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        if up > 0 {
            order[..up].rotate_left(turn % up);
        }
        match self.by {
            By::Turn => return order,
            By::Least => order.sort_by_cached_key(|number| self.states[*number].sessions()),
            By::Source => {
                let client = key(info);
                // The highest wins: without one target, only its own clients go elsewhere.
                let weight = |number: &usize| hash(&client, &self.targets[*number].name);
                order.sort_by_cached_key(|number| std::cmp::Reverse((weight(number), *number)));
            }
        }
        order.sort_by_key(|number| down[*number]);
        order
    }
}

#[async_trait]
impl Connector for Balance {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let order = self.order(info);
        let last = order.len() - 1;
        for (at, number) in order.into_iter().enumerate() {
            let (target, state) = (&self.targets[number], &self.states[number]);
            // It counts from now on: those that connect at once are spread, too.
            let place = Arc::clone(&state.sessions);
            let limit = self.limit.filter(|_| at < last);
            match target.attempt(cx, info, limit).await {
                Ok(mut conn) => {
                    state.set_down(None);
                    info!("chose {}", target.name);
                    conn.guard = std::mem::take(&mut conn.guard).and(place);
                    return Ok(conn);
                }
                Err(error) => {
                    // A destination that isn't allowed for this client, or has no route for it, is not down; nor is it if
                    // there are no descriptors left here.
                    let is_up = matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Unrouted)
                        || error.is_exhaustion();
                    if !is_up && !self.down.is_zero() {
                        state.set_down(Some(Instant::now() + self.down));
                    }
                    if at == last {
                        return Err(error);
                    }
                    log_failure(&error);
                }
            }
        }
        unreachable!("one is required, and the last one's error was returned")
    }

    fn patience(&self) -> Option<Duration> {
        self.targets.iter().filter_map(|target| target.connector.patience()).max()
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        missing(&self.targets, cx).concat()
    }

    fn takes_datagrams(&self) -> bool {
        takes_datagrams(&self.targets)
    }

    fn grants(&self) -> Grants {
        grants(&self.targets)
    }
}

/// Returns the key that distinguishes clients: their addresses.
fn key(info: &Info) -> Vec<u8> {
    match info.client().map(|(address, _)| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        Some(IpAddr::V6(address)) => address.octets().to_vec(),
        None => info.peer().unwrap_or_default().into_bytes(),
    }
}

/// FNV-1a, 64 bits, and what spreads its last bytes over all bits (splitmix64): the same in every process, so that
/// several of us agree.
fn hash(client: &[u8], target: &str) -> u64 {
    let bytes = target.bytes().chain([0]).chain(client.iter().copied());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    #[derive(Debug)]
    struct Never;

    #[async_trait]
    impl Connector for Never {
        async fn connect(&self, _: &Context, _: &Info) -> Result<Conn> {
            std::future::pending().await
        }

        fn grants(&self) -> Grants {
            Grants::Nothing
        }
    }

    /// A sort by keys that change meanwhile panics if it notices, which it does with more than 20.
    #[test]
    fn sessions_may_come_and_go_while_a_destination_is_chosen() {
        let targets: Vec<_> = (0..40)
            .map(|number| Target { connector: Box::new(Never), name: format!("tcp:h:{number}") })
            .collect();
        let states = targets.iter().map(|_| State::default()).collect();
        let (limit, down) = (None, Duration::from_secs(10));
        let balance =
            Balance { targets, states, by: By::Least, limit, down, turn: AtomicUsize::new(0) };
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut held = Vec::new();
                for state in balance.states.iter().cycle() {
                    held.extend((0..held.len() % 7).map(|_| Arc::clone(&state.sessions)));
                    held.push(Arc::clone(&state.sessions));
                    held.truncate(100);
                    state.set_down(held.len().is_multiple_of(3).then(Instant::now));
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
            let chosen = thread::Builder::new().spawn_scoped(scope, || {
                (0..20_000).map(|_| balance.order(&Info::new()).len()).all(|len| len == 40)
            });
            let chosen = chosen.expect("a thread").join();
            is_over.store(true, Ordering::Relaxed);
            assert!(chosen.expect("no panic"));
        });
    }

    #[test]
    fn clients_are_spread_and_keep_their_target() {
        let names = ["tcp:a:1", "tcp:b:1", "tcp:c:1"];
        let best = |client: u8, names: &[&'static str]| {
            names.iter().max_by_key(|name| hash(&[10, 0, 0, client], name)).copied()
        };
        for name in names {
            let its = (0..=255).filter(|client| best(*client, &names) == Some(name)).count();
            assert!((50..=120).contains(&its), "{name} has {its} of 256");
        }
        for client in 0..=255 {
            let before = best(client, &names);
            let without_c = best(client, &names[..2]);
            assert!(before == Some("tcp:c:1") || before == without_c);
        }
    }
}
