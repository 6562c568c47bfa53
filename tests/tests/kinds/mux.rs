//! `mux:{ENDPOINT}`: several sessions over one inner connection, which a task of its own reads and writes.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use endpointforward::kind::{
    Args, Assemble, Kind, Param, PlanConnect, PlanListen, Planned, Side, Takes, ValueKind,
};
use endpointforward::{
    Bound, Conn, Connector, Context, EndpointError, Grants, Info, Local, Offer, Offers, Plain,
    ServeLayer,
};
use tokio::io::DuplexStream;
use tokio::sync::{Mutex, mpsc};

use crate::link::{Link, QUEUE};

pub(crate) static KIND: Kind = Kind {
    listen: Some(Side::bytes(BENEATH, PlanListen::Layer(Takes::Bytes, |_| Ok(Arc::new(Serve))))),
    connect: Some(Side::bytes(BENEATH, PlanConnect::Over(plan))),
    ..Kind::new("mux", "Several sessions over one connection")
};

const BENEATH: &[Param] =
    &[Param::new("endpoint", ValueKind::Endpoint, "What they go over.").positional().required()];

// === connecting: one inner connection for as long as there are sessions over it ===

fn plan(_: &Args) -> Planned<Assemble<dyn Connector>> {
    Ok(Box::new(|mut beneath| {
        Box::new(Dial { inner: beneath.connector("endpoint"), open: Mutex::default() })
    }))
}

#[derive(Debug)]
struct Dial {
    inner: Box<dyn Connector>,
    open: Mutex<Weak<Link>>,
}

#[async_trait]
impl Connector for Dial {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn, EndpointError> {
        let mut open = self.open.lock().await;
        let link = match open.upgrade().filter(|link| !link.is_over()) {
            Some(link) => link,
            None => {
                let io = self.inner.connect(cx, info).await?.into_io();
                let link = Arc::new(Link::over(io, None));
                *open = Arc::downgrade(&link);
                link
            }
        };
        Ok(session(link.open().await, link))
    }

    fn grants(&self) -> Grants {
        self.inner.grants()
    }
}

fn session(stream: DuplexStream, link: Arc<Link>) -> Conn {
    let mut conn = Conn::bytes(Plain::new(stream), Info::new());
    conn.guard = conn.guard.and(link);
    conn
}

// === listening: a layer whose connections make many offers each ===

#[derive(Debug)]
struct Serve;

#[async_trait]
impl ServeLayer for Serve {
    async fn bind(&self, _: &Context, local: &Local) -> Result<Arc<dyn Bound>, EndpointError> {
        let mut own = Local::new(format!("mux:{{{}}}", local.descriptor));
        own.address = local.address;
        Ok(Arc::new(Served(own)))
    }
}

struct Served(Local);

impl Bound for Served {
    fn local(&self) -> &Local {
        &self.0
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        let (sender, streams) = mpsc::channel(QUEUE);
        Box::new(Sessions { link: Arc::new(Link::over(conn.into_io(), Some(sender))), streams })
    }
}

struct Sessions {
    link: Arc<Link>,
    streams: mpsc::Receiver<DuplexStream>,
}

#[async_trait]
impl Offers for Sessions {
    async fn next(&mut self) -> Result<Option<Offer>, EndpointError> {
        let stream = self.streams.recv().await;
        Ok(stream.map(|stream| Offer::open(session(stream, Arc::clone(&self.link)))))
    }
}
