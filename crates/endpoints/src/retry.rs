//! `retry:ENDPOINT`: tries again to open an endpoint, with pauses in between.
//!
//! A destination is retried for each client, which waits meanwhile; a listener is retried when it is bound.
//! Once an endpoint is open, `retry` has nothing to do with it.

use std::time::Duration;

use async_trait::async_trait;
use endpoint::{
    Accept, Backoff, Conn, Connector, Context, Error, ErrorKind, Exposure, Grants, Info, Listener,
    Missing, Result,
};
use plan::kind::{
    Args, Assemble, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, ValueKind,
};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{info, warn};

/// Trying again.
pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::alike(PARAMS, PlanListen::Over(plan_listen))),
    connect: Some(Side::alike(PARAMS, PlanConnect::Over(plan_connect))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "retry:{tcp:127.0.0.1:5900}:backoff=1s..10s:tries=5",
            about: "Connects to a server that may still be starting: up to 5 times, with pauses of 1, 2, 4 and 8 s.",
        },
        Example {
            role: Role::Connect,
            descriptor: "retry:9000",
            about: "Connects to 127.0.0.1:9000 as soon as something listens there, for as long as the client waits.",
        },
        Example {
            role: Role::Listen,
            descriptor: "retry:{tcp:8080:interface=192.0.2.7}:timeout=60s",
            about: "Waits at the start until the machine has this address, for a minute at most.",
        },
    ],
    see_also: &["tcp", "serial"],
    ..Kind::new("retry", "Another endpoint, retried until it opens")
};

const PARAMS: &[Param] = &[
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint to open.").positional().required(),
    Param::new(
        "backoff",
        ValueKind::Durations,
        "The pause after the first failed try, and the longest pause; each pause is twice as long as the one before. \
         A single time applies to all pauses.",
    )
    .default("1s..30s"),
    Param::new(
        "tries",
        ValueKind::Int(0, u32::MAX as u64),
        "The number of tries, including the first. 0 sets no limit.",
    )
    .default("0"),
    Param::new(
        "timeout",
        ValueKind::Duration,
        "The time limit for all tries and pauses together, instead of `--connect-timeout`. With 0, a client waits \
         until it disconnects.",
    )
    .default("0"),
];

/// The number of tries and the pauses.
#[derive(Clone, Copy, Debug)]
struct Policy {
    /// The first pause and the longest.
    backoff: (Duration, Duration),
    tries: Option<u64>,
    timeout: Option<Duration>,
}

fn policy(args: &Args) -> Planned<Policy> {
    let backoff = args.durations("backoff").unwrap_or_default();
    if backoff.0 < SHORTEST {
        let message = format!(
            "`backoff` must be at least {SHORTEST:?}: shorter pauses only keep the machine busy"
        );
        return Err(vec![args.mistake("backoff", descriptor::Code::BadValue, message)]);
    }
    Ok(Policy {
        backoff,
        tries: args.int("tries").filter(|tries| *tries > 0),
        timeout: args.duration("timeout").filter(|timeout| !timeout.is_zero()),
    })
}

fn plan_listen(args: &Args) -> Planned<Assemble<dyn Listener>> {
    let policy = policy(args)?;
    Ok(Box::new(move |mut beneath| Box::new(Retry { inner: beneath.listener("endpoint"), policy })))
}

fn plan_connect(args: &Args) -> Planned<Assemble<dyn Connector>> {
    let policy = policy(args)?;
    Ok(Box::new(move |mut beneath| {
        Box::new(Retry { inner: beneath.connector("endpoint"), policy })
    }))
}

/// An endpoint that is tried again.
#[derive(Debug)]
struct Retry<E: ?Sized> {
    inner: Box<E>,
    policy: Policy,
}

#[async_trait]
impl Connector for Retry<dyn Connector> {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        self.policy.open(|| self.inner.connect(cx, info)).await
    }

    fn patience(&self) -> Option<Duration> {
        Some(self.policy.timeout.unwrap_or(Duration::MAX))
    }

    fn takes_datagrams(&self) -> bool {
        self.inner.takes_datagrams()
    }

    fn grants(&self) -> Grants {
        self.inner.grants()
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        Missing::beneath(self.inner.missing(cx))
    }
}

#[async_trait]
impl Listener for Retry<dyn Listener> {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        self.policy.open(|| self.inner.bind(cx)).await
    }

    fn exposure(&self) -> Exposure {
        self.inner.exposure()
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        Missing::beneath(self.inner.missing(cx))
    }
}

impl Policy {
    /// Tries until `open` succeeds or the policy has come to its end. Cancel safe as far as `open` is.
    ///
    /// # Errors
    /// The last try's.
    async fn open<T, F: Future<Output = Result<T>>>(self, open: impl Fn() -> F) -> Result<T> {
        let by = self.timeout.map(|timeout| Instant::now() + timeout);
        let mut backoff = Backoff::new(self.backoff.0, self.backoff.1);
        let mut last: Option<Error> = None;
        for number in 1.. {
            let error = match within(by, open()).await {
                Some(Ok(opened)) => {
                    if number > 1 {
                        info!("open at try {number}");
                    }
                    return Ok(opened);
                }
                Some(Err(error)) => error,
                None => return Err(last.unwrap_or_else(|| late(self.timeout))),
            };
            let pause = backoff.pause();
            // A forbidden destination stays forbidden.
            let is_last = error.kind() == ErrorKind::Forbidden
                || self.tries.is_some_and(|tries| number >= tries);
            if is_last || by.is_some_and(|by| Instant::now() + pause >= by) {
                return Err(error);
            }
            let (endpoint, cause) = (error.endpoint(), error.cause());
            warn!(endpoint, cause, "{error}; trying again in {pause:?}");
            last = Some(error);
            sleep(pause).await;
        }
        unreachable!("numbers don't run out")
    }
}

/// `None` if it isn't done in time.
async fn within<T>(by: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match by {
        Some(by) => timeout_at(by, work).await.ok(),
        None => Some(work.await),
    }
}

fn late(timeout: Option<Duration>) -> Error {
    let cause = format!("not open within {:?}", timeout.unwrap_or_default());
    Error::new(ErrorKind::Timeout, "open", "what `retry` is over", cause)
}

/// The shortest pause.
const SHORTEST: Duration = Duration::from_millis(10);
