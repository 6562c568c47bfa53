//! `fallback:{A}:{B}…`: the first of several destinations that can be reached.

use std::time::Duration;

use async_trait::async_trait;
use endpoint::{Conn, Connector, Context, Grants, Info, Missing, Result};
use plan::kind::{Args, Assemble, Example, Kind, Param, PlanConnect, Planned, Role, Side};
use tracing::info;

use crate::attempt::{ENDPOINTS, TRY, Target, grants, log_failure, missing, takes_datagrams};

/// One after the other.
pub(crate) static KIND: Kind = Kind {
    connect: Some(Side::alike(PARAMS, PlanConnect::Over(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "fallback:{tcp:primary.example:5432}:{tcp:standby.example:5432}",
            about: "Connects to the second server while the first one can't be reached.",
        },
        Example {
            role: Role::Connect,
            descriptor: "fallback:{unix:/run/app.sock}:{tcp:192.0.2.7:80}:timeout=1s",
            about: "Connects to another machine while the local service isn't running.",
        },
    ],
    see_also: &["balance", "retry"],
    ..Kind::new("fallback", "The first reachable one of several destinations")
};

const PARAMS: &[Param] = &[ENDPOINTS, TRY];

fn plan(args: &Args) -> Planned<Assemble<dyn Connector>> {
    let limit = args.duration(TRY.name).filter(|limit| !limit.is_zero());
    Ok(Box::new(move |mut beneath| {
        let names: Vec<_> = beneath.descriptors(ENDPOINTS.name).map(str::to_owned).collect();
        let connectors = beneath.connectors(ENDPOINTS.name);
        let targets = connectors.into_iter().zip(names);
        let targets = targets.map(|(connector, name)| Target { connector, name }).collect();
        Box::new(Fallback { targets, limit })
    }))
}

#[derive(Debug)]
struct Fallback {
    targets: Vec<Target>,
    limit: Option<Duration>,
}

#[async_trait]
impl Connector for Fallback {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let (last, others) = self.targets.split_last().expect("one is required");
        for target in others {
            match target.attempt(cx, info, self.limit).await {
                Ok(conn) => {
                    info!("chose {}", target.name);
                    return Ok(conn);
                }
                Err(error) => log_failure(&error),
            }
        }
        let conn = last.attempt(cx, info, None).await?;
        info!("chose {}", last.name);
        Ok(conn)
    }

    fn patience(&self) -> Option<Duration> {
        self.targets.iter().filter_map(|target| target.connector.patience()).max()
    }

    /// If one of them has all that it needs, nothing is missing.
    fn missing(&self, cx: &Context) -> Vec<Missing> {
        let missing = missing(&self.targets, cx);
        if missing.iter().any(Vec::is_empty) { Vec::new() } else { missing.concat() }
    }

    fn takes_datagrams(&self) -> bool {
        takes_datagrams(&self.targets)
    }

    fn grants(&self) -> Grants {
        grants(&self.targets)
    }
}
