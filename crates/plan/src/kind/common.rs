//! The parameters of every listener, whatever its kind.

use descriptor::{Code, Diagnostic};
use endpoint::{FromNetworks, Limited, Limits, Listener, Rate};

use super::{Args, Param, Planned, Role, Topic, ValueKind};

const COMMON: &[Param] = &[
    Param::new(
        "auth",
        ValueKind::Choice(&["none"]),
        "`none` states that everyone who can reach the listener may use its destination. Required for a program \
         behind a public address.",
    )
    .topic(Topic::Access),
    Param::new(
        "from",
        ValueKind::List,
        "The networks that may connect, such as `10.0.0.0/8,!10.1.0.0/16`; exclusions win. Other connections are \
         closed without an answer, and logged. Behind a proxy, the address is the proxy's.",
    )
    .topic(Topic::Access),
    Param::new(
        MAX_SESSIONS,
        ValueKind::Int(1, MOST),
        "The maximum number of sessions at the same time. A client over the limit is refused before anything is \
         connected for it: with status 503 over HTTP, with the reply of its protocol, or by closing the connection. \
         `--max-sessions` limits all listeners together.",
    )
    .topic(Topic::Limits),
    Param::new(
        MAX_PER_NETWORK,
        ValueKind::Int(1, MOST),
        "The maximum number of sessions of one client network at the same time: a /24 of IPv4, a /64 of IPv6, a user \
         of a Unix socket. Behind a trusted proxy, the address is the client's. Clients whose address isn't known \
         are not counted.",
    )
    .topic(Topic::Limits),
    Param::new(
        MAX_PER_USER,
        ValueKind::Int(1, MOST),
        "The maximum number of sessions of one user at the same time, as identified by `auth`. Clients without a user \
         name are not counted.",
    )
    .topic(Topic::Limits),
    Param::new(
        RATE,
        ValueKind::Text,
        "The rate at which the clients of one network may request sessions: `10/s`, `30/m` or `100/h`. Requests over \
         the rate are refused, with status 429 and Retry-After over HTTP. Requests for pages aren't counted, nor are \
         failed handshakes and logins; to limit connections, set `rate` on the endpoint beneath, as in \
         `ws:{tcp:9000:rate=10/s}`. Up to 16,384 networks are tracked; beyond that, the network with the most of its \
         rate left is dropped.",
    )
    .topic(Topic::Limits),
    Param::new(
        BURST,
        ValueKind::Int(1, MOST),
        "The number of sessions that a network may request at once, within its `rate`. The default is the number in \
         `rate`.",
    )
    .topic(Topic::Limits),
];

/// Returns the parameters of every endpoint of that side.
#[must_use]
pub fn common(role: Role) -> &'static [Param] {
    if role == Role::Listen { COMMON } else { &[] }
}

/// Puts over `listener` what these parameters ask for.
pub(crate) fn guard(listener: Box<dyn Listener>, args: &Args) -> Planned<Box<dyn Listener>> {
    let limits = limits(args).map_err(|mistake| vec![mistake])?;
    let mut listener = listener;
    if limits != Limits::default() {
        listener = Box::new(Limited::new(listener, limits));
    }
    // Outside of the limits: connections that it closes don't count.
    if args.is_given("from") {
        let networks = args.networks("from").map_err(|mistake| vec![mistake])?;
        listener = Box::new(FromNetworks::new(listener, networks));
    }
    Ok(listener)
}

fn limits(args: &Args) -> Result<Limits, Diagnostic> {
    let size = |name: &str| args.int(name).and_then(|most| usize::try_from(most).ok());
    let mut rate = None;
    if let Some(text) = args.text(RATE) {
        let Some(read) = Rate::read(text) else {
            let message = format!("`{text}` is not a rate");
            let help = "a rate is a number from 1 to 1000000 and a unit: `10/s`, `30/m` or `100/h`";
            return Err(args.mistake(RATE, Code::BadValue, message).help(help));
        };
        let burst = args.int(BURST).and_then(|burst| u32::try_from(burst).ok());
        rate = Some(burst.map_or(read, |burst| read.with_burst(burst)));
    } else if args.is_given(BURST) {
        let mistake = args.mistake(BURST, Code::BadValue, "`burst` is part of a `rate`");
        return Err(mistake.help("add one, such as `rate=10/s`"));
    }
    if args.is_given(MAX_PER_USER) && !args.descriptor.contains("auth=") {
        let message = "`max-per-user` has no effect: without `auth`, clients have no name";
        args.warn(MAX_PER_USER, "no-effect", message);
    }
    Ok(Limits {
        sessions: size(MAX_SESSIONS),
        per_network: size(MAX_PER_NETWORK),
        per_user: size(MAX_PER_USER),
        rate,
    })
}

const MAX_SESSIONS: &str = "max-sessions";
const MAX_PER_NETWORK: &str = "max-per-network";
const MAX_PER_USER: &str = "max-per-user";
const RATE: &str = "rate";
const BURST: &str = "burst";
/// More than a system has descriptors.
const MOST: u64 = 1_000_000;
