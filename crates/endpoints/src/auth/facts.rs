//! Providers that check facts about a peer, and need no credentials from it: its address, its user on this machine, its
//! certificate, a header that a proxy has set.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Gate, Identity, Role};
use endpoint::info::Http;
use endpoint::{Context, Info, Networks, Refusal, RefusalKind, Result};
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

pub(super) const CERT: Variant = Variant::new(
    "cert",
    "Clients whose certificate the `tls` layer beneath has verified (`verify-client`). All conditions \
     that are set have to hold. The user's name is the certificate's first DNS name, or else its common name.",
    &[
        Param::new(
            "subject",
            ValueKind::Text,
            "The certificate's whole subject, as the fact `tls.client.subject` and `openssl x509 -noout -subject \
             -nameopt RFC2253,-esc_msb` have it: `CN=alice,O=Example`.",
        ),
        Param::new(
            "cn",
            ValueKind::List,
            "Common names, one of which has to be the certificate's. A subject with several has none.",
        ),
        Param::new(
            "san",
            ValueKind::List,
            "DNS names, one of which the certificate has to contain.",
        ),
        Param::new(
            "fingerprint",
            ValueKind::List,
            "SHA-256 fingerprints in hexadecimal, one of which has to be the certificate's.",
        ),
    ],
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

pub(super) fn cert(args: &Args) -> Planned<Arc<dyn Provider>> {
    let is_empty = |name: &&&str| args.is_given(name) && args.list(name).is_empty();
    if let Some(name) = ["cn", "san", "fingerprint"].iter().find(is_empty) {
        // An unset variable must not mean every certificate.
        return Err(vec![args.mistake(name, "bad-list", format!("`{name}` is empty"))]);
    }
    let subject = args.text("subject").map(str::to_owned);
    if let Some(subject) = &subject
        && (subject.starts_with('/') || !subject.contains('='))
    {
        let message = "`subject` must be a whole name, such as `CN=alice,O=Example`";
        let help = "the fact `tls.client.subject` contains a client's subject; `cn=` compares the common name only";
        return Err(vec![args.mistake("subject", "bad-subject", message).help(help)]);
    }
    let lower = |name: &str| {
        args.list(name).iter().map(|word| word.to_ascii_lowercase().replace(':', "")).collect()
    };
    Ok(Arc::new(Rule::Cert(Listed {
        subject,
        common_names: args.list("cn").to_vec(),
        sans: lower("san"),
        fingerprints: lower("fingerprint"),
    })))
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
    Cert(Listed),
    Header { name: String, trusted: Trusted },
}

/// Conditions of a certificate. An empty list is none.
#[derive(Clone, Debug)]
struct Listed {
    subject: Option<String>,
    common_names: Vec<String>,
    sans: Vec<String>,
    fingerprints: Vec<String>,
}

impl Provider for Rule {
    fn open(&self, _: &Context, _: &str) -> Result<Provided> {
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
            Self::Cert(listed) => listed.certified(info),
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
            Self::Cert(_) => {
                "a client certificate that is listed for this listener is required".to_owned()
            }
            Self::Header { .. } => "the reverse proxy has to send the user's name".to_owned(),
        }
    }
}

impl Listed {
    fn certified(&self, info: &Info) -> Option<Identity> {
        // It is known of a verified certificate alone.
        let fingerprint = info.lookup("tls", "client.fingerprint")?;
        let subject = info.lookup("tls", "client.subject");
        let common_name = info.lookup("tls", "client.cn");
        let names = info.lookup("tls", "client.san").unwrap_or_default();
        let mut own = names.split(',').filter(|name| !name.is_empty());
        let is_in = |list: &[String], word: Option<&str>| {
            list.is_empty() || word.is_some_and(|word| list.iter().any(|listed| listed == word))
        };
        let is_admitted = self.subject.as_deref().is_none_or(|it| subject.as_deref() == Some(it))
            && is_in(&self.common_names, common_name.as_deref())
            && (self.sans.is_empty() || own.clone().any(|name| is_in(&self.sans, Some(name))))
            && is_in(&self.fingerprints, Some(&fingerprint));
        let user = own.next().or(common_name.as_deref()).unwrap_or(&fingerprint);
        is_admitted.then(|| Identity::user(user))
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

    /// The facts of a TLS layer about a client's certificate.
    #[derive(Clone, Debug)]
    struct Certificate(&'static [(&'static str, &'static str)]);

    impl endpoint::Fact for Certificate {
        fn root(&self) -> &'static str {
            "tls"
        }

        fn get(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
            let name = name.strip_prefix("client.")?;
            self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).into())
        }
    }

    #[test]
    fn a_certificate_is_compared_whole_or_by_its_common_name() {
        let alice = Certificate(&[
            ("fingerprint", "ab"),
            ("san", ""),
            ("subject", "CN=alice,O=Example"),
            ("cn", "alice"),
        ]);
        // Two common names, so none: the authority has signed what it was asked to.
        let two = Certificate(&[("fingerprint", "cd"), ("subject", "CN=mallory,CN=alice")]);
        let none = Listed {
            subject: None,
            common_names: Vec::new(),
            sans: Vec::new(),
            fingerprints: Vec::new(),
        };
        let whole = |subject: &str| Listed { subject: Some(subject.to_owned()), ..none.clone() };
        let common = |name: &str| Listed { common_names: vec![name.to_owned()], ..none.clone() };
        for (listed, certificate, user) in [
            (whole("CN=alice,O=Example"), &alice, Some("alice")),
            (whole("CN=alice"), &alice, None),
            (whole("cn=alice,o=example"), &alice, None),
            (common("alice"), &alice, Some("alice")),
            (common("Alice"), &alice, None),
            (common("alice"), &two, None),
            (whole("CN=mallory,CN=alice"), &two, Some("cd")),
            (Listed { fingerprints: vec!["cd".to_owned()], ..common("alice") }, &alice, None),
            (none.clone(), &alice, Some("alice")),
        ] {
            let found = listed.certified(&Info::new().with(certificate.clone()));
            assert_eq!(found.as_ref().and_then(Identity::name), user, "{listed:?}");
            assert_eq!(listed.certified(&Info::new()), None, "no certificate");
        }
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
