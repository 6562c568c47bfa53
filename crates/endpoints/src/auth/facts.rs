//! Providers that check facts about a peer, and need no credentials from it: its address, its user on this machine, a
//! header that a proxy has set.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Gate, Identity, Role};
use endpoint::info::Http;
use endpoint::{Context, Info, Local, Networks, Refusal, RefusalKind, Result};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};

use super::{Provided, Provider};
use crate::trusted::Trusted;

pub(super) const PEER: Variant = Variant::new(
    "peer",
    "Clients from these networks. Behind a trusted proxy, the address that it reports counts.",
    &[Param::new("networks", ValueKind::List, "Networks, separated by commas; `!` excludes one.")
        .positional()
        .required()],
);

pub(super) const UNIX: Variant = Variant::new(
    "unix",
    "Users of this machine who connect to a Unix socket, as identified by the system.",
    &[Param::new("uid", ValueKind::List, "Their user IDs, separated by commas.")
        .positional()
        .required()],
);

pub(super) const HEADER: Variant = Variant::new(
    "header",
    "Users authenticated by a reverse proxy, which sends the user's name in this header. The header is accepted from \
     the addresses in `trusted` only.",
    &[
        Param::new("name", ValueKind::Text, "The header, such as `X-Remote-User`.")
            .positional()
            .required(),
        Param::new(
            "trusted",
            ValueKind::List,
            "The proxy's networks, separated by commas, or `loopback`, `private`, \
            `unix`.",
        )
        .required(),
    ],
);

pub(super) fn peer(args: &Args) -> Planned<Arc<dyn Provider>> {
    let networks = args.networks("networks").map_err(|mistake| vec![mistake])?;
    Ok(Arc::new(Rule::Peer(networks)))
}

pub(super) fn unix(args: &Args) -> Planned<Arc<dyn Provider>> {
    let uids: std::result::Result<Vec<u32>, _> =
        args.list("uid").iter().map(|uid| uid.parse()).collect();
    match uids {
        Ok(uids) => Ok(Arc::new(Rule::Unix(uids))),
        Err(_) => {
            let mistake = args.mistake(
                "uid",
                "bad-uid",
                "`uid` must be a list of user IDs, as printed by `id -u`",
            );
            Err(vec![mistake])
        }
    }
}

pub(super) fn header(args: &Args) -> Planned<Arc<dyn Provider>> {
    let trusted = Trusted::read(args).map_err(|mistake| vec![mistake])?;
    if !trusted.is_somebody() {
        return Err(vec![args.mistake("trusted", "bad-list", "`trusted` is empty")]);
    }
    let name = args.text("name").unwrap_or_default().to_ascii_lowercase();
    Ok(Arc::new(Rule::Header { name, trusted }))
}

#[derive(Clone, Debug)]
enum Rule {
    Peer(Networks),
    Unix(Vec<u32>),
    Header { name: String, trusted: Trusted },
}

impl Provider for Rule {
    fn open(&self, _: &Context, _: &Local) -> Result<Provided> {
        Ok(Provided { gate: Arc::new(self.clone()), exchange: None, invitation: None })
    }
}

#[async_trait]
impl Gate for Rule {
    async fn check(&self, info: &Info) -> std::result::Result<Admitted, Refusal> {
        let identity = match self {
            Self::Peer(networks) => info
                .client()
                .filter(|(address, _)| networks.has(*address))
                .map(|_| Identity::anonymous()),
            Self::Unix(uids) => {
                let uid = info.lookup("unix", "uid").and_then(|uid| uid.parse().ok());
                uid.filter(|uid| uids.contains(uid)).map(|uid| Identity::user(format!("uid {uid}")))
            }
            Self::Header { name, trusted } => {
                let http = info.get::<Http>().filter(|_| trusted.has_source(info));
                // Of two, one may be the client's own, in front of the proxy's.
                let mut users = http.iter().flat_map(|http| http.headers_named(name));
                let user = users.next().filter(|_| users.next().is_none());
                user.filter(|user| !user.is_empty()).map(Identity::user)
            }
        };
        let refused = || Refusal::new(RefusalKind::Forbidden, self.why());
        identity.map(|identity| Admitted::new(info, identity, Role::ReadWrite)).ok_or_else(refused)
    }
}

impl Rule {
    fn why(&self) -> String {
        match self {
            Self::Peer(_) => "clients from your address are not admitted".to_owned(),
            Self::Unix(_) => "your user is not admitted".to_owned(),
            Self::Header { .. } => "the reverse proxy has to send the user's name".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use endpoint::info::Tcp;

    use super::*;

    fn tcp(peer: &str) -> Info {
        let local = "127.0.0.1:1".parse().expect("an address");
        Info::new().with(Tcp { local, peer: peer.parse().expect("an address") })
    }

    #[tokio::test]
    async fn a_header_is_believed_from_the_proxy_alone() {
        let trusted = Trusted::of(&["192.0.2.0/24"]).expect("a network");
        let mut http = Http::default();
        http.headers.push(("x-remote-user".to_owned(), "ada".to_owned()));
        let rule = Rule::Header { name: "x-remote-user".to_owned(), trusted };
        let admitted =
            rule.check(&tcp("192.0.2.1:5").with(http.clone())).await.expect("it is trusted");
        assert_eq!(admitted.identity().and_then(Identity::name), Some("ada"));
        assert!(
            rule.check(&Info::new().with(http)).await.is_err(),
            "nobody knows where it is from"
        );
        assert!(rule.check(&tcp("192.0.2.1:5")).await.is_err());
        // A proxy that adds its header behind the client's own.
        let mut two = Http::default();
        two.headers =
            ["mallory", "ada"].map(|user| ("x-remote-user".to_owned(), user.to_owned())).into();
        assert!(rule.check(&tcp("192.0.2.1:5").with(two)).await.is_err());
    }
}
