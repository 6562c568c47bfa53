//! `auth={jwt:KEYFILE}`: signed tokens (RFC 7519), sent as bearer tokens are; a browser has one in its link, behind `#token=`.

use std::sync::Arc;

use endpoint::gate::{Identity, Role};
use endpoint::{Error, Result};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};

use super::sessions::Member;
use super::tokens::{self, Bad, Known};
use super::{Provided, Provider};
use crate::jwt::{AUDIENCE, ISSUER, KEY_FILE, LASTING, Rules, Tokens};

pub(super) const VARIANT: Variant = Variant::new(
    "jwt",
    "Signed tokens (JWT). Programs send `Authorization: Bearer TOKEN`; a browser opens the page with `#token=TOKEN`, and is \
     signed in until the token ends or its key is gone.",
    &[
        Param::new("file", ValueKind::Text, KEY_FILE).positional().required(),
        AUDIENCE,
        ISSUER,
        LASTING,
        Param::new("user", ValueKind::Text, "The claim with the user's name.").default("sub"),
        Param::new(
            "role",
            ValueKind::Text,
            "The claim with the role: `rw`; with anything else, or without it, the client may only watch. Left out, every client \
             may do both.",
        ),
    ],
);

pub(super) fn plan(args: &Args) -> Planned<Arc<dyn Provider>> {
    let rules = Rules::read(args, "file").map_err(|mistake| vec![mistake])?;
    let given = |name: &str| args.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Arc::new(Jwt { rules, user: given("user"), role: given("role") }))
}

#[derive(Debug)]
struct Jwt {
    rules: Rules,
    user: Option<String>,
    role: Option<String>,
}

impl Provider for Jwt {
    fn open(&self, listener: &str) -> Result<Provided> {
        let file = self.rules.file().display().to_string();
        let tokens = self
            .rules
            .clone()
            .open()
            .map_err(|cause| Error::from_io("read", format!("{file} for {listener}"), cause))?;
        Ok(tokens::provide(Signed { tokens, user: self.user.clone(), role: self.role.clone() }))
    }

    fn missing(&self) -> Option<String> {
        let file = self.rules.file();
        (!file.is_file()).then(|| format!("there is no file `{}` with keys", file.display()))
    }
}

struct Signed {
    tokens: Tokens,
    user: Option<String>,
    role: Option<String>,
}

impl Known for Signed {
    const NEEDED: &str = "a signed token is required";

    fn is_current(&self, member: &Member) -> bool {
        self.tokens.is_current(member.stamp, member.expires)
    }

    fn member(&self, token: &str) -> Result<Member, Bad> {
        let claims = self.tokens.check(token).map_err(|bad| Bad {
            words: format!("this token is not accepted: {}", bad.words),
            // One that a key has signed and that has expired is no guess.
            is_guess: bad.is_forged,
        })?;
        let user = self.user.as_ref().and_then(|name| claims.text(name));
        let role = match &self.role {
            None => Role::ReadWrite,
            Some(name) if claims.text(name).as_deref() == Some("rw") => Role::ReadWrite,
            Some(_) => Role::ReadOnly,
        };
        Ok(Member {
            identity: user.map_or_else(Identity::anonymous, Identity::user),
            role,
            stamp: claims.key,
            expires: claims.expires,
        })
    }
}
