//! `auth={jwt:KEYFILE}`: signed tokens (RFC 7519), sent as bearer tokens are; a browser has one in its link, behind `#token=`.

use std::sync::Arc;

use async_trait::async_trait;
use endpoint::gate::{Admitted, Challenge, Credentials, Gate, Identity, Role, Scheme};
use endpoint::{Error, Info, Refusal, Result};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};

use super::sessions::{Member, Sessions};
use super::throttle::Throttle;
use super::{Exchange, Exchanged, Provided, Provider};
use crate::jwt::{AUDIENCE, Claims, ISSUER, KEY_FILE, LASTING, Rules, Tokens};

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
        let signed = Arc::new(Signed {
            tokens,
            user: self.user.clone(),
            role: self.role.clone(),
            sessions: Sessions::default(),
            throttle: Throttle::default(),
        });
        Ok(Provided { gate: signed.clone(), exchange: Some(signed), invitation: None })
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
    sessions: Sessions,
    throttle: Throttle,
}

impl Signed {
    fn is_current(&self, member: &Member) -> bool {
        self.tokens.is_current(member.stamp, member.expires)
    }

    fn find(&self, info: &Info, token: &str) -> Result<Member, Refusal> {
        self.throttle.check(info, None)?;
        let claims = self.tokens.check(token).map_err(|bad| {
            // One of ours that has expired is no guess.
            if bad.is_forged {
                self.throttle.failed(info, None);
            }
            ask(&format!("this token is not taken: {}", bad.words))
        })?;
        Ok(self.member(&claims))
    }

    fn member(&self, claims: &Claims) -> Member {
        let user = self.user.as_ref().and_then(|name| claims.text(name));
        let role = match &self.role {
            None => Role::ReadWrite,
            Some(name) if claims.text(name).as_deref() == Some("rw") => Role::ReadWrite,
            Some(_) => Role::ReadOnly,
        };
        Member {
            identity: user.map_or_else(Identity::anonymous, Identity::user),
            role,
            stamp: claims.key,
            expires: claims.expires,
        }
    }
}

#[async_trait]
impl Gate for Signed {
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
impl Exchange for Signed {
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

const NEEDED: &str = "a signed token is needed";
