//! `auth={bearer:file=FILE}`: tokens of a file, for programs (RFC 6750); a browser has one in its link, behind `#token=`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Challenge, Credentials, Gate, Identity, Role, Scheme};
use endpoint::{Error, Info, Refusal, Result};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};
use ring::digest::{SHA256, digest};

use super::sessions::{Member, Sessions};
use super::throttle::Throttle;
use super::{Exchange, Exchanged, Provided, Provider, role};
use crate::watched::{Parsed, Watched};

pub(super) const VARIANT: Variant = Variant::new(
    "bearer",
    "Tokens listed in a file, one on each line, optionally followed by `:USER` and `:ro`. Programs send \
     `Authorization: Bearer TOKEN`; a browser opens the page with `#token=TOKEN`. A changed file is read again.",
    &[Param::new("file", ValueKind::Text, "The file.").positional().required()],
);

pub(super) fn plan(args: &Args) -> Planned<Arc<dyn Provider>> {
    Ok(Arc::new(Bearer { file: args.text("file").unwrap_or_default().into() }))
}

#[derive(Debug)]
struct Bearer {
    file: PathBuf,
}

impl Provider for Bearer {
    fn open(&self, listener: &str) -> Result<Provided> {
        let tokens = Watched::open(&self.file, tokens).map_err(|cause| {
            Error::from_io("read", format!("{} for {listener}", self.file.display()), cause)
        })?;
        let tokens = Arc::new(Tokens {
            tokens,
            sessions: Sessions::default(),
            throttle: Throttle::default(),
        });
        Ok(Provided { gate: tokens.clone(), exchange: Some(tokens), invitation: None })
    }

    fn missing(&self) -> Option<String> {
        (!self.file.is_file())
            .then(|| format!("there is no file `{}` of tokens", self.file.display()))
    }
}

/// Tokens by their digest: finding one takes no time that tells anything about it.
type Known = HashMap<[u8; 32], (Identity, Role)>;

struct Tokens {
    tokens: Watched<Known>,
    sessions: Sessions,
    throttle: Throttle,
}

impl Tokens {
    fn is_current(&self, member: &Member) -> bool {
        self.tokens.get().contains_key(&member.stamp)
    }

    fn find(&self, info: &Info, token: &str) -> Result<Member, Refusal> {
        self.throttle.check(info, None)?;
        let stamp = stamp(token);
        match self.tokens.get().get(&stamp) {
            Some((identity, role)) => {
                Ok(Member { identity: identity.clone(), role: *role, stamp, expires: None })
            }
            None => {
                self.throttle.failed(info, None);
                Err(ask(WRONG))
            }
        }
    }
}

#[async_trait]
impl Gate for Tokens {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        let nothing = Credentials::default();
        let shown = info.get::<Credentials>().unwrap_or(&nothing);
        let member = match self.sessions.shown(shown, |member| self.is_current(member)) {
            Some(member) => member,
            None => match &shown.bearer {
                Some(token) => self.find(info, token)?,
                None => return Err(ask(NEEDED)),
            },
        };
        Ok(Admitted::new(info, member.identity, member.role))
    }
}

#[async_trait]
impl Exchange for Tokens {
    async fn exchange(&self, shown: &Credentials, info: &Info) -> Result<Exchanged, Refusal> {
        let Some(shown) = &shown.bearer else { return Err(ask(NEEDED)) };
        if let Some(given) = self.sessions.again(shown, |member| self.is_current(member)) {
            return given;
        }
        self.sessions.begin(self.find(info, shown)?)
    }

    fn end(&self, secret: &str) {
        self.sessions.end(secret);
    }

    fn end_cookie(&self, cookie: &str) {
        self.sessions.end_cookie(cookie);
    }
}

fn ask(words: &str) -> Refusal {
    let scheme = Scheme::Bearer;
    Refusal::challenge(words, [Challenge { scheme, realm: "endpointforward".to_owned() }])
}

fn stamp(token: &str) -> [u8; 32] {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("it has 32 bytes")
}

fn tokens(text: &str) -> Parsed<Known> {
    let (mut known, mut wrong) = (Known::new(), Vec::new());
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.splitn(3, ':');
        let token = fields.next().unwrap_or_default();
        let user = fields.next().filter(|user| !user.is_empty());
        match role(fields.next()) {
            _ if token.len() < SHORTEST => {
                wrong.push((number, format!("a token must have at least {SHORTEST} characters")));
            }
            Ok(role) => {
                let identity = user.map_or_else(Identity::anonymous, Identity::user);
                known.insert(stamp(token), (identity, role));
            }
            Err(words) => wrong.push((number, words)),
        }
    }
    (known, wrong)
}

const SHORTEST: usize = 16;
const NEEDED: &str = "a bearer token is required";
const WRONG: &str = "this token is unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_a_user_and_a_role_if_that_is_said() {
        let (known, wrong) =
            tokens("0123456789abcdef\nfedcba9876543210:ada:ro\nshort:x\n0123456789abcdeg::ro\n");
        assert_eq!(known[&stamp("0123456789abcdef")], (Identity::anonymous(), Role::ReadWrite));
        assert_eq!(known[&stamp("fedcba9876543210")], (Identity::user("ada"), Role::ReadOnly));
        assert_eq!(known[&stamp("0123456789abcdeg")], (Identity::anonymous(), Role::ReadOnly));
        assert_eq!(wrong.len(), 1);
    }

    #[tokio::test]
    async fn guesses_from_elsewhere_keep_nobody_out() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "0123456789abcdef\n").expect("it is written");
        let tokens = Tokens {
            tokens: Watched::open(file.path(), tokens).expect("it is there"),
            sessions: Sessions::default(),
            throttle: Throttle::default(),
        };
        let from = |address: &str| {
            let local = "127.0.0.1:9".parse().expect("an address");
            let peer = address.parse().expect("an address");
            Info::new().with(endpoint::info::Tcp { local, peer })
        };
        for _ in 0..20 {
            assert!(tokens.find(&from("192.0.2.1:5"), "guess").is_err());
        }
        assert!(tokens.find(&from("192.0.2.1:6"), "0123456789abcdef").is_err(), "it is too soon");
        assert!(tokens.find(&from("198.51.100.1:5"), "0123456789abcdef").is_ok());
    }
}
