//! The listening side: requests of clients.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::{Credentials, Gate};
use endpoint::info::Target;
use endpoint::{Bound, Conn, Context, ErrorKind, Local, Refusal, RefusalKind, Result, ServeLayer};
use socks::{
    Answer, Choice, Command, Greeting, Host, Login, Method, Reply, Request, Version, login_answer,
};

use super::associate::{Associations, Denied, Policy};
use super::exchange::{read, write};
use crate::asking::{Asking, Says, login};
use crate::auth::Auth;
use crate::shaking::{Listening, Shaken, Shaking};

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Serve {
    pub(super) auth: Auth,
    pub(super) limit: Duration,
    /// `None` without them.
    pub(super) associations: Option<Policy>,
}

#[async_trait]
impl ServeLayer for Serve {
    async fn bind(&self, cx: &Context, beneath: &Local) -> Result<Arc<dyn Bound>> {
        let local = Local::over("socks5", beneath).without_page();
        let authenticator = self.auth.open(cx, &local)?;
        Ok(Listening::bound(Kept {
            authenticator: authenticator.map(|it| it.gate),
            wants_login: cx.gate().is_some(),
            associations: self.associations.map(|policy| Associations::new(policy, cx)),
            limit: self.limit,
            local,
        }))
    }
}

/// The state that all connections of a listener share.
struct Kept {
    /// Asked for a name and a password.
    authenticator: Option<Arc<dyn Gate>>,
    /// Set if the gate of another layer needs a login: a client that offers one is then asked for it.
    wants_login: bool,
    associations: Option<Associations>,
    limit: Duration,
    local: Local,
}

#[async_trait]
impl Shaking for Kept {
    fn local(&self) -> &Local {
        &self.local
    }

    fn limit(&self) -> Duration {
        self.limit
    }

    fn late(&self, within: &str) -> String {
        format!("no SOCKS request within {within}")
    }

    async fn shake(&self, conn: Conn) -> Result<Shaken> {
        self.ask(conn).await
    }
}

impl Kept {
    async fn ask(&self, conn: Conn) -> Result<Shaken> {
        let Conn { transport, info, control, guard } = conn;
        let mut asking = Asking {
            stream: transport.into_bytes(),
            unread: Vec::new(),
            info,
            control,
            guard,
            listener: self.local.descriptor.clone(),
        };
        let broken = |words: String| self.error(ErrorKind::Protocol, words);
        let greeting = read(&mut *asking.stream, Greeting::read).await;
        let greeting = greeting.map_err(|words| {
            match words.strip_prefix("received data that is not SOCKS") {
                Some(_) => broken(words)
                    .with_hint("for clients of an HTTP proxy, listen with `http-connect`"),
                None => broken(words),
            }
        })?;
        let Some(greeting) = greeting else { return Ok(Shaken::Nobody) };
        let methods = match greeting {
            Greeting::V4(request) => {
                if let Some(gate) = &self.authenticator {
                    let user = request.user.clone();
                    let info = asking.info.clone().with(login(user, String::new()));
                    match gate.check(&info).await {
                        Ok(admitted) => asking.info = admitted.info,
                        Err(refusal) => {
                            return self.turn_away(asking, Version::V4, &refusal).await;
                        }
                    }
                }
                return self.offer(asking, request, Version::V4, None).await;
            }
            Greeting::V5(methods) => methods,
        };
        let Some(method) = self.choose(&methods) else {
            asking.dismiss(&Choice(None).bytes()).await;
            let words = "the client offers only unsupported authentication methods";
            return Err(self.error(ErrorKind::Refused, words));
        };
        // A client without a name may still be known by its address or its certificate.
        if let (Method::Nothing, Some(gate)) = (method, &self.authenticator) {
            match gate.check(&asking.info.clone().with(Credentials::default())).await {
                Ok(admitted) => asking.info = admitted.info,
                Err(refusal) => {
                    asking.dismiss(&Choice(None).bytes()).await;
                    return Err(self.error(ErrorKind::Refused, refusal.message));
                }
            }
        }
        write(&mut *asking.stream, &Choice(Some(method)).bytes()).await.map_err(broken)?;
        let mut credentials = None;
        if method == Method::Password {
            let cut = || broken("the client ended before it was authenticated".to_owned());
            let shown = read(&mut *asking.stream, Login::read).await.map_err(broken)?;
            let Login { user, password } = shown.ok_or_else(cut)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let shown = login(text(&user), text(&password));
            if let Some(gate) = &self.authenticator {
                match gate.check(&asking.info.clone().with(shown.clone())).await {
                    Ok(admitted) => asking.info = admitted.info,
                    Err(refusal) => {
                        asking.dismiss(&login_answer(false)).await;
                        return Err(self.error(ErrorKind::Refused, refusal.message));
                    }
                }
            }
            credentials = Some(shown);
            write(&mut *asking.stream, &login_answer(true)).await.map_err(broken)?;
        }
        let request = read(&mut *asking.stream, Request::read).await;
        let request = match request {
            Ok(request) => request,
            Err(words) => {
                asking.dismiss(&Answer::new(Reply::NoAddress, None).bytes(Version::V5)).await;
                return Err(broken(words));
            }
        };
        // Some clients only look whether their password is right.
        let Some(request) = request else { return Ok(Shaken::Nobody) };
        self.offer(asking, request, Version::V5, credentials).await
    }

    /// Returns the best method that a client offers.
    fn choose(&self, methods: &[Method]) -> Option<Method> {
        let order = match self.authenticator.is_some() || self.wants_login {
            true => [Method::Password, Method::Nothing],
            false => [Method::Nothing, Method::Password],
        };
        order.iter().find(|method| methods.contains(method)).copied()
    }

    async fn offer(
        &self,
        asking: Asking,
        request: Request,
        version: Version,
        credentials: Option<Credentials>,
    ) -> Result<Shaken> {
        let what = match request.command {
            Command::Connect => {
                let socks::Target { host, port } = request.target;
                let host = match host {
                    Host::Address(address) => address.to_canonical().to_string(),
                    Host::Name(name) => name,
                };
                let target = Target::new(host, port);
                return Ok(Shaken::Offer(asking.offer(target, credentials, version)));
            }
            Command::Associate if version == Version::V5 => {
                return self.associate(asking, &request.target, credentials).await;
            }
            Command::Bind => "for a listener (BIND)".to_owned(),
            Command::Associate => "for datagrams in version 4".to_owned(),
            Command::Other(code) => format!("for the command {code}"),
        };
        asking.dismiss(&Answer::new(Reply::NoCommand, None).bytes(version)).await;
        let words = format!(
            "the client asks {what}, but only CONNECT and, in version 5, UDP ASSOCIATE are supported"
        );
        Err(self.error(ErrorKind::Refused, words))
    }

    /// Opens a relay for datagrams that come from `named`.
    async fn associate(
        &self,
        mut asking: Asking,
        named: &socks::Target,
        credentials: Option<Credentials>,
    ) -> Result<Shaken> {
        let opened = match &self.associations {
            None => Err(Denied::NoCommand("`udp=false` refuses them")),
            Some(associations) => associations
                .open(&asking.info, credentials.as_ref(), named)
                .await
                .map(|opened| (associations, opened)),
        };
        match opened {
            Ok((associations, opened)) => {
                let answer = Answer::new(Reply::Succeeded, Some(opened.at)).bytes(Version::V5);
                write(&mut *asking.stream, &answer)
                    .await
                    .map_err(|words| self.error(ErrorKind::Protocol, words))?;
                let Asking { stream, guard, .. } = asking;
                Ok(Shaken::Offers(associations.begin(opened, stream, guard, credentials)))
            }
            Err(Denied::Refused(refusal)) => self.turn_away(asking, Version::V5, &refusal).await,
            Err(Denied::NoCommand(why)) => {
                asking.dismiss(&Answer::new(Reply::NoCommand, None).bytes(Version::V5)).await;
                let words = format!("the client asks for datagrams (UDP ASSOCIATE), and {why}");
                Err(self.error(ErrorKind::Refused, words).with_hint(DATAGRAMS))
            }
            Err(Denied::Failed(words)) => {
                asking.dismiss(&Answer::new(Reply::Failure, None).bytes(Version::V5)).await;
                Err(self.error(ErrorKind::Refused, words))
            }
        }
    }

    async fn turn_away(
        &self,
        asking: Asking,
        version: Version,
        refusal: &Refusal,
    ) -> Result<Shaken> {
        asking.dismiss(&version.no(refusal)).await;
        Err(self.error(ErrorKind::Refused, refusal.message.clone()))
    }
}

impl Says for Version {
    fn yes(&self) -> Vec<u8> {
        Answer::new(Reply::Succeeded, None).bytes(*self)
    }

    fn no(&self, refusal: &Refusal) -> Vec<u8> {
        let reply = match refusal.kind {
            RefusalKind::Forbidden | RefusalKind::Unauthenticated => Reply::NotAllowed,
            RefusalKind::NotFound | RefusalKind::Timeout => Reply::HostUnreachable,
            RefusalKind::Refused => Reply::Refused,
            _ => Reply::Failure,
        };
        Answer::new(reply, None).bytes(*self)
    }
}

const DATAGRAMS: &str = "a destination that takes connections and datagrams is `target:allow=…`";
