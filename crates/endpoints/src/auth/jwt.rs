//! `auth={jwt:KEYS}`: signed tokens (RFC 7519), sent as bearer tokens; a browser has one in its link, after `#token=`.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Identity, Role};
use endpoint::{Context, Error, Local, Missing, Result};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};
use tracing::warn;

use super::sessions::Member;
use super::tokens::{self, Bad, Known};
use super::{Provided, Provider};
use crate::jwt::{AUDIENCE, AUTHORITIES, ISSUER, LASTING, Rules, Tokens, keys};

pub(super) const VARIANT: Variant = Variant::new(
    "jwt",
    "Signed tokens (JWT). Programs send `Authorization: Bearer TOKEN`; a browser opens the page with `#token=TOKEN`, and \
     is signed in until the token expires or its key is removed.",
    &[
        keys("keys").aliases(&["file"]).positional(),
        AUTHORITIES,
        AUDIENCE,
        ISSUER,
        LASTING,
        Param::new("user", ValueKind::Text, "The claim with the user's name.").default("sub"),
        Param::new(
            "role",
            ValueKind::Text,
            "The claim with the role. If its value is `rw`, the client may send input; if it is anything else or \
             missing, the client may only watch. By default, all clients may send input.",
        ),
    ],
);

pub(super) fn plan(args: &Args) -> Planned<Arc<dyn Provider>> {
    let rules = Rules::read(args, "keys").map_err(|mistake| vec![mistake])?;
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
    fn open(&self, cx: &Context, listener: &Local) -> Result<Provided> {
        let place = self.rules.place().to_string();
        let tokens = self.rules.clone().open(cx).map_err(|cause| {
            Error::from_io("read", format!("{place} for {}", listener.descriptor), cause)
        })?;
        let (user, role) = (self.user.clone(), self.role.clone());
        Ok(tokens::provide(Signed { tokens, place, user, role }))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.rules.missing("keys", cx)
    }
}

struct Signed {
    tokens: Tokens,
    place: String,
    user: Option<String>,
    role: Option<String>,
}

#[async_trait]
impl Known for Signed {
    const NEEDED: &str = "a signed token is required";

    async fn refresh(&self) {
        self.tokens.refresh().await;
    }

    fn is_current(&self, member: &Member) -> bool {
        self.tokens.is_current(member.stamp, member.expires)
    }

    async fn member(&self, token: &str) -> Result<Member, Bad> {
        let checked = self.tokens.check(token).await.map_err(|words| {
            warn!("tokens can't be checked: {}: {words}", self.place);
            Bad::Unknown("tokens can't be checked at present".to_owned())
        })?;
        let claims = checked.map_err(|bad| {
            let words = format!("this token is not accepted: {}", bad.words);
            // One that a key has signed and that has expired is no guess.
            if bad.is_forged { Bad::Guess(words) } else { Bad::Wrong(words) }
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
