//! The connecting side: requests to a proxy.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::info::Target;
use endpoint::{
    Conn, Context, DialLayer, Error, ErrorKind, Grants, Info, Missing, Result, Transport,
};
use socks::{
    Answer, Choice, Host, Login as Credentials, Method, Reply, Request, Version, hello,
    login_status,
};

use super::exchange::{read, write};
use crate::destination::{Destination, Place};
use crate::login::Login;
use crate::patience::timeout;

/// The layer, planned.
#[derive(Debug)]
pub(super) struct Dial {
    pub(super) proxy: Proxy,
    pub(super) destination: Destination,
}

/// The settings of requests to the proxy.
#[derive(Debug)]
pub(super) struct Proxy {
    /// The endpoint's descriptor, for messages.
    pub(super) label: String,
    pub(super) version: Version,
    pub(super) login: Option<Login>,
    pub(super) limit: Duration,
}

#[async_trait]
impl DialLayer for Dial {
    async fn dial(&self, cx: &Context, conn: Conn, info: &Info) -> Result<Conn> {
        let proxy = &self.proxy;
        Destination::check_network(info, false, &proxy.label)?;
        let place = self.destination.of(info, &proxy.label).await?;
        let host = proxy.host(cx, &self.destination, &place).await?;
        let Conn { transport, info: beneath, control, guard } = conn;
        let mut stream = transport.into_bytes();
        let request = Request::connect(socks::Target { host, port: place.port });
        proxy.ask(&mut *stream, request).await?;
        let target = Target::new(place.host.to_string(), place.port);
        let transport = Transport::Bytes(stream);
        Ok(Conn { transport, info: beneath.with(target), control, guard })
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        self.proxy.missing()
    }

    fn grants(&self, beneath: Grants) -> Grants {
        beneath.max(self.destination.grants())
    }
}

impl Proxy {
    /// Returns a warning if the file with the password doesn't exist.
    pub(super) fn missing(&self) -> Vec<Missing> {
        self.login.as_ref().map(Login::missing).unwrap_or_default()
    }

    /// Returns the host as the proxy is told it.
    pub(super) async fn host(
        &self,
        cx: &Context,
        destination: &Destination,
        place: &Place,
    ) -> Result<Host> {
        if destination.is_restricted(place) || self.version == Version::V4 {
            let addresses = destination.addresses(cx, place, &self.label).await?;
            let address = addresses.first().expect("without one it is an error");
            return Ok(Host::Address(address.ip().to_canonical()));
        }
        Ok(match place.host.address() {
            Some(address) => Host::Address(address.to_canonical()),
            None => Host::Name(place.host.to_string()),
        })
    }

    /// Makes a request, and returns the answer if it is a success.
    pub(super) async fn ask(
        &self,
        stream: &mut dyn endpoint::ByteStream,
        request: Request,
    ) -> Result<Answer> {
        let asked = timeout(self.limit, self.request(stream, request)).await;
        asked.unwrap_or_else(|| {
            let limit = self.limit.as_secs_f64();
            let words = format!("no answer from the proxy within {limit} s");
            Err(self.error(ErrorKind::Timeout, words))
        })
    }

    async fn request(
        &self,
        stream: &mut dyn endpoint::ByteStream,
        mut request: Request,
    ) -> Result<Answer> {
        let broken = |words: String| self.error(ErrorKind::Protocol, words);
        let silent = || broken("the proxy closed the connection without an answer".to_owned());
        let unwritable = |error: socks::Error| self.error(ErrorKind::Other, error.to_string());
        if self.version != Version::V5 {
            if let (Version::V4a, Host::Address(IpAddr::V6(address))) =
                (self.version, &request.target.host)
            {
                // SOCKS4a can carry an IPv6 address only as a name.
                request.target.host = Host::Name(address.to_string());
            }
            request.user = self.login.as_ref().map(Login::user).unwrap_or_default().to_owned();
            let bytes = request.bytes(self.version).map_err(unwritable)?;
            write(stream, &bytes).await.map_err(broken)?;
            let answer = read(stream, Answer::read_v4).await.map_err(broken)?.ok_or_else(silent)?;
            return self.check(answer);
        }
        let methods: &[Method] = match self.login {
            Some(_) => &[Method::Nothing, Method::Password],
            None => &[Method::Nothing],
        };
        write(stream, &hello(methods)).await.map_err(broken)?;
        let choice = read(stream, Choice::read).await.map_err(broken)?.ok_or_else(silent)?;
        match (choice.0, &self.login) {
            (Some(Method::Nothing), _) => {}
            (Some(Method::Password), Some(login)) => {
                let password = login.password(&self.label).await?.into_bytes();
                let login = Credentials { user: login.user().as_bytes().to_vec(), password };
                let bytes = login.bytes().map_err(unwritable)?;
                write(stream, &bytes).await.map_err(broken)?;
                let status = read(stream, login_status).await.map_err(broken)?;
                if !status.ok_or_else(silent)? {
                    let words = "the proxy rejects this name and password";
                    return Err(self.error(ErrorKind::Permission, words));
                }
            }
            (None, None) => {
                let words = "the proxy requires authentication";
                return Err(self.error(ErrorKind::Permission, words).with_hint(LOG_IN));
            }
            (None, Some(_)) => {
                let words = "the proxy supports neither password authentication nor none";
                return Err(self.error(ErrorKind::Permission, words));
            }
            (Some(_), _) => {
                return Err(broken(
                    "the proxy chose an authentication method that was not offered".to_owned(),
                ));
            }
        }
        let bytes = request.bytes(Version::V5).map_err(unwritable)?;
        write(stream, &bytes).await.map_err(broken)?;
        let answer = read(stream, Answer::read).await.map_err(broken)?.ok_or_else(silent)?;
        self.check(answer)
    }

    fn check(&self, answer: Answer) -> Result<Answer> {
        let kind = match answer.reply {
            Reply::Succeeded => return Ok(answer),
            Reply::HostUnreachable | Reply::NetworkUnreachable => ErrorKind::NotFound,
            Reply::Expired => ErrorKind::Timeout,
            _ => ErrorKind::Refused,
        };
        Err(self.error(kind, format!("the proxy refuses: {}", answer.reply)))
    }

    pub(super) fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error {
        Error::new(kind, "connect", &*self.label, words)
    }
}

const LOG_IN: &str = "authenticate with `user=` and `password-file=`";
