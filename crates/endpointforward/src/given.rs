//! An open connection as a planned endpoint, for protocols over a program's own streams.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use endpoint::{
    Accept, Conn, Connector, Context, Error, ErrorKind, Exposure, Grants, Incoming, Info, Listener,
    Local, Offer, Result, Transport,
};
use plan::Plan;
use plan::kind::Shape;

/// The connection, until it is opened.
#[derive(Debug)]
pub(crate) struct Given(Mutex<Option<Conn>>, Shape);

impl Given {
    pub(crate) fn new(conn: Conn) -> Self {
        let shape = match conn.transport {
            Transport::Bytes(_) => Shape::Bytes,
            Transport::Messages(_) => Shape::Messages,
        };
        Self(Mutex::new(Some(conn)), shape)
    }

    pub(crate) fn connector(self) -> Plan<dyn Connector> {
        let shape = self.1;
        Plan::<dyn Connector>::of(Box::new(self), NAME, shape)
    }

    pub(crate) fn listener(self) -> Plan<dyn Listener> {
        let shape = self.1;
        Plan::<dyn Listener>::of(Box::new(self), NAME, shape)
    }

    fn take(&self, act: &'static str) -> Result<Conn> {
        let conn = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        conn.ok_or_else(|| Error::new(ErrorKind::Unavailable, act, NAME, "it was used already"))
    }
}

#[async_trait]
impl Connector for Given {
    async fn connect(&self, _: &Context, _: &Info) -> Result<Conn> {
        self.take("connect")
    }

    fn grants(&self) -> Grants {
        Grants::Nothing
    }
}

#[async_trait]
impl Listener for Given {
    async fn bind(&self, _: &Context) -> Result<Box<dyn Accept>> {
        Ok(Box::new(Once(Some(self.take("bind")?), Local::new(NAME))))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

/// A listener with one connection.
struct Once(Option<Conn>, Local);

#[async_trait]
impl Accept for Once {
    fn local(&self) -> &Local {
        &self.1
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        Ok(self.0.take().map(|conn| Incoming::ready(Offer::open(conn))))
    }
}

/// The name in messages.
const NAME: &str = "stream";
