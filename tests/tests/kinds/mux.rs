//! `mux:{ENDPOINT}`: several sessions over one inner connection, which a separate task reads and writes.

use std::future::poll_fn;
use std::io::ErrorKind::ConnectionReset as Reset;
use std::sync::{Arc, Weak};
use std::task::{Context as Task, Poll};

use async_trait::async_trait;
use endpointforward::kind::{
    Args, Assemble, Kind, Param, PlanConnect, PlanListen, Planned, Side, Takes, ValueKind,
};
use endpointforward::{
    Bound, Conn, Connector, Context, EndpointError, Grants, Info, Io, Local, Offer, Offers, Plain,
    ServeLayer,
};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt, TokioAsyncReadCompatExt};
use yamux::{Config, Connection, ConnectionError, Mode, Stream};

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
    open: Mutex<Weak<mpsc::Sender<oneshot::Sender<Stream>>>>,
}

#[async_trait]
impl Connector for Dial {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn, EndpointError> {
        let mut open = self.open.lock().await;
        let link = match open.upgrade().filter(|link| !link.is_closed()) {
            Some(link) => link,
            None => {
                let (ask, asked) = mpsc::channel(1);
                tokio::spawn(dial(self.inner.connect(cx, info).await?.into_io(), asked));
                let link = Arc::new(ask);
                *open = Arc::downgrade(&link);
                link
            }
        };
        let (answer, stream) = oneshot::channel();
        let _ = link.send(answer).await;
        let over = |_| EndpointError::from_io("open a session over", "mux", Reset.into());
        let mut conn = session(stream.await.map_err(over)?);
        conn.guard = conn.guard.and(link);
        Ok(conn)
    }

    fn grants(&self) -> Grants {
        self.inner.grants()
    }
}

/// Opens a stream for each request, until no handle is left; then writes the streams' data, and closes the connection.
async fn dial(io: Io, mut asked: mpsc::Receiver<oneshot::Sender<Stream>>) {
    let mut link = Connection::new(io.compat(), Config::default(), Mode::Client);
    let mut answer = None;
    poll_fn(|cx| poll_dial(&mut link, &mut asked, &mut answer, cx)).await;
    let _ = poll_fn(|cx| link.poll_close(cx)).await;
}
fn poll_dial(
    link: &mut Connection<Compat<Io>>,
    asked: &mut mpsc::Receiver<oneshot::Sender<Stream>>,
    answer: &mut Option<oneshot::Sender<Stream>>,
    cx: &mut Task<'_>,
) -> Poll<()> {
    loop {
        if answer.is_none()
            && let Poll::Ready(next) = asked.poll_recv(cx)
        {
            let Some(next) = next else { return Poll::Ready(()) };
            *answer = Some(next);
        }
        if answer.is_none() || link.poll_new_outbound(cx).map(|new| give(answer, new)).is_pending()
        {
            // Reads and writes frames; a stream that the peer opens is closed at once.
            match link.poll_next_inbound(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                other => return other.map(|_| ()),
            }
        }
    }
}

fn give(to: &mut Option<oneshot::Sender<Stream>>, new: Result<Stream, ConnectionError>) {
    if let (Some(to), Ok(stream)) = (to.take(), new) {
        let _ = to.send(stream);
    }
}

fn session(stream: Stream) -> Conn {
    Conn::bytes(Plain::new(stream.compat()), Info::new())
}

// === listening: a layer whose connections make many offers each ===

#[derive(Debug)]
struct Serve;

#[async_trait]
impl ServeLayer for Serve {
    async fn bind(&self, _: &Context, local: &Local) -> Result<Arc<dyn Bound>, EndpointError> {
        Ok(Arc::new(Served(Local::over("mux", local).without_page())))
    }
}

struct Served(Local);
impl Bound for Served {
    fn local(&self) -> &Local {
        &self.0
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        let (sender, streams) = mpsc::channel(16);
        let mut link = Connection::new(conn.into_io().compat(), Config::default(), Mode::Server);
        tokio::spawn(async move {
            while let Some(Ok(stream)) = poll_fn(|cx| link.poll_next_inbound(cx)).await {
                // One that finds the queue full is closed.
                let _ = sender.try_send(stream);
            }
        });
        Box::new(Sessions(streams))
    }
}

struct Sessions(mpsc::Receiver<Stream>);
#[async_trait]
impl Offers for Sessions {
    async fn next(&mut self) -> Result<Option<Offer>, EndpointError> {
        Ok(self.0.recv().await.map(|stream| Offer::open(session(stream))))
    }
}
