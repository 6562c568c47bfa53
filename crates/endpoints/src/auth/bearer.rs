//! `auth={bearer:file=FILE}`: tokens in a file, for programs (RFC 6750); a browser has one in its link, after
//! `#token=`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Identity, Role};
use endpoint::{Context, Error, Local, Missing, Result};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};
use ring::digest::{SHA256, digest};

use super::sessions::Member;
use super::tokens::{self, Bad, Known};
use super::{Provided, Provider, role};
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
    fn open(&self, _: &Context, listener: &Local) -> Result<Provided> {
        let tokens = Watched::lines(&self.file, listed).map_err(|cause| {
            Error::from_io(
                "read",
                format!("{} for {}", self.file.display(), listener.descriptor),
                cause,
            )
        })?;
        Ok(tokens::provide(Tokens(tokens)))
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        let message = || format!("there is no file `{}` of tokens", self.file.display());
        if self.file.is_file() { Vec::new() } else { vec![Missing::of("file", message())] }
    }
}

/// Tokens by their digest: finding one takes no time that tells anything about it.
pub(super) type Listed = HashMap<[u8; 32], (Identity, Role)>;

struct Tokens(Watched<Listed>);

#[async_trait]
impl Known for Tokens {
    const NEEDED: &str = "a bearer token is required";

    fn is_current(&self, member: &Member) -> bool {
        self.0.get().contains_key(&member.stamp)
    }

    async fn member(&self, token: &str) -> Result<Member, Bad> {
        let stamp = stamp(token);
        match self.0.get().get(&stamp) {
            Some((identity, role)) => {
                Ok(Member { identity: identity.clone(), role: *role, stamp, expires: None })
            }
            None => Err(Bad::Guess(WRONG.to_owned())),
        }
    }
}

fn stamp(token: &str) -> [u8; 32] {
    digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("it has 32 bytes")
}

pub(super) fn listed(text: &str) -> Parsed<Listed> {
    let (mut known, mut wrong) = (Listed::new(), Vec::new());
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
const WRONG: &str = "this token is unknown";

#[cfg(test)]
mod tests {
    use endpoint::Info;
    use endpoint::gate::Credentials;

    use super::*;

    #[test]
    fn tokens_have_a_user_and_a_role_if_that_is_said() {
        let (known, wrong) =
            listed("0123456789abcdef\nfedcba9876543210:ada:ro\nshort:x\n0123456789abcdeg::ro\n");
        assert_eq!(known[&stamp("0123456789abcdef")], (Identity::anonymous(), Role::ReadWrite));
        assert_eq!(known[&stamp("fedcba9876543210")], (Identity::user("ada"), Role::ReadOnly));
        assert_eq!(known[&stamp("0123456789abcdeg")], (Identity::anonymous(), Role::ReadOnly));
        assert_eq!(wrong.len(), 1);
    }

    #[tokio::test]
    async fn guesses_from_elsewhere_keep_nobody_out() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "0123456789abcdef\n").expect("it is written");
        let file = Watched::lines(file.path(), listed).expect("it is there");
        let gate = tokens::provide(Tokens(file)).gate;
        let from = |address: &str| {
            let local = "127.0.0.1:9".parse().expect("an address");
            let peer = address.parse().expect("an address");
            Info::new().with(endpoint::info::Tcp { local, peer })
        };
        let check = async |address, token: &str| {
            let mut shown = Credentials::default();
            shown.bearer = Some(token.to_owned());
            gate.check(&from(address).with(shown)).await
        };
        for _ in 0..20 {
            assert!(check("192.0.2.1:5", "guess").await.is_err());
        }
        assert!(check("192.0.2.1:6", "0123456789abcdef").await.is_err(), "it is too soon");
        assert!(check("198.51.100.1:5", "0123456789abcdef").await.is_ok());
    }
}
