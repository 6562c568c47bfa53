//! Shared by the kinds that connect through a proxy or act as one: parameters, and facts about the request.

use std::time::Duration;

use descriptor::Code;
use plan::kind::{Args, FactName, Param, Planned, Topic, ValueKind};

use crate::auth;

pub(crate) const FACTS: &[FactName] = &[HOST_FACT, PORT_FACT, NETWORK_FACT];

/// Those of listeners with `auth=`.
pub(crate) const FACTS_AND_USER: &[FactName] =
    &[auth::ROLE, auth::USER, HOST_FACT, PORT_FACT, NETWORK_FACT];

const HOST_FACT: FactName = FactName::new(
    "target.host",
    "The host that the client requests; when connecting, the host that is requested from the proxy.",
);
const PORT_FACT: FactName = FactName::new(
    "target.port",
    "The port that the client requests; when connecting, the port that is requested from the proxy.",
);
const NETWORK_FACT: FactName =
    FactName::new("target.network", "`tcp`, or `udp` if datagrams are requested.");

pub(crate) const ENDPOINT: Param = Param::new(
    "endpoint",
    ValueKind::Endpoint,
    "The endpoint to run over; when connecting, the proxy.",
)
.positional()
.required();

pub(crate) const HANDSHAKE_TIMEOUT: Param = Param::new(
    "handshake-timeout",
    ValueKind::Duration,
    "The time limit for the client's request.",
)
.topic(Topic::Limits)
.default("10");

pub(crate) const PORT: Param =
    Param::new("port", ValueKind::Service, "The destination port, or the name of a service.")
        .fillable()
        .required();

pub(crate) const TIMEOUT: Param = Param::new(
    "timeout",
    ValueKind::Duration,
    "The time limit for the proxy to connect to the destination, once the proxy itself is connected.",
)
.topic(Topic::Limits)
.default("30");

/// Reads a limit of time, which there has to be.
///
/// # Errors
/// It is 0.
pub(crate) fn limit(args: &Args, name: &str) -> Planned<Duration> {
    let limit = args.duration(name).unwrap_or_default();
    if limit.is_zero() {
        let message =
            format!("`{name}` must be more than 0: otherwise a silent peer is never closed");
        return Err(vec![args.mistake(name, Code::BadValue, message)]);
    }
    Ok(limit)
}
