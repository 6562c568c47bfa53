//! HTTP/1.1 (RFC 9112) by hyper, behind the seam of [`protocol`](super::protocol).
//!
//! One request is answered after the other, so the caller that waits for the next event drives the connection. There
//! is no task and no queue; dropping it leaves nothing open.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use ::bytes::BytesMut;
use async_trait::async_trait;
use endpoint::describe;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use tokio::sync::oneshot;

use super::form::Form;
use super::protocol::{Event, Fault, Handover, Protocol, Replying, Requested, Responder};
use super::reply::Reply;
use super::request::Head;
use super::wire::Wire;

/// A connection.
pub(super) struct Http1 {
    /// `None` once it was handed over.
    connection: Option<Box<http1::Connection<Wire, Requests>>>,
    wire: Wire,
    asked: Arc<Slot>,
    sending: Arc<()>,
}

/// The request that hyper has read and that has not been taken.
type Slot = Mutex<Option<(Head, Responder)>>;

impl Http1 {
    /// Speaks HTTP/1.1 on `wire`, with requests of at most `max_header` bytes.
    pub(super) fn new(wire: Wire, max_header: usize) -> Self {
        let asked = Arc::default();
        let mut builder = http1::Builder::new();
        // Hyper's timer is off: the front's limit also covers replies that aren't read. A client that ends its side
        // behind the request, as `nc -N` does, is answered; `poll_left` finds clients that leave during a decision.
        builder.max_buf_size(max_header).header_read_timeout(None).half_close(true);
        let service = Requests(Arc::clone(&asked));
        let connection = Some(Box::new(builder.serve_connection(wire.clone(), service)));
        Self { connection, wire, asked, sending: Arc::new(()) }
    }
}

impl Protocol for Http1 {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let Some(connection) = &mut self.connection else {
            return Poll::Ready(Event::Done(Ok(())));
        };
        let done = Pin::new(&mut **connection).poll_without_shutdown(cx);
        if let Some((head, responder)) =
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            return Poll::Ready(Event::Request(Requested { head, responder }));
        }
        done.map(|done| {
            Event::Done(done.map_err(|error| match error {
                error if error.is_parse_too_large() => Fault::TooLarge,
                error if error.is_parse() => Fault::NotHttp(error.to_string()),
                error => Fault::Lost(error.to_string()),
            }))
        })
    }

    fn sending(&self) -> Arc<()> {
        Arc::clone(&self.sending)
    }

    fn is_sending(&self) -> bool {
        Arc::strong_count(&self.sending) > 1
    }

    fn shut_down(&mut self) {
        if let Some(connection) = &mut self.connection {
            Pin::new(&mut **connection).graceful_shutdown();
        }
    }

    fn hand_over(&mut self, responder: Responder) -> Box<dyn Handover> {
        let connection = self.connection.take().expect("a request is handed over once");
        Box::new(Last { connection, wire: self.wire.clone(), responder })
    }
}

/// A connection whose last reply is awaited.
struct Last {
    connection: Box<http1::Connection<Wire, Requests>>,
    wire: Wire,
    responder: Responder,
}

#[async_trait]
impl Handover for Last {
    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if Pin::new(&mut *self.connection).poll_without_shutdown(cx).is_ready() {
            return Poll::Ready(());
        }
        self.wire.poll_left(cx)
    }

    async fn reply(self: Box<Self>, reply: Reply) -> Result<(Wire, BytesMut), String> {
        let Self { mut connection, wire, responder } = *self;
        if !responder.send(Replying::Now(reply)) {
            return Err("the client left".to_owned());
        }
        let done = poll_fn(|cx| Pin::new(&mut *connection).poll_without_shutdown(cx)).await;
        done.map_err(|error| error.to_string())?;
        let drained = poll_fn(|cx| wire.poll_drain(cx)).await;
        drained.map_err(|error| describe(&error))?;
        // A copy, as hyper's buffer has 8 KiB whatever is in it.
        let unread = BytesMut::from(&*connection.into_parts().read_buf);
        Ok((wire, unread))
    }
}

/// hyper's service: it passes requests on, and waits for their replies.
struct Requests(Arc<Slot>);

impl Service<Request<Incoming>> for Requests {
    type Response = Reply;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (responder, replied) = oneshot::channel();
        let (mut head, body) = Head::of(request);
        let slot = Arc::clone(&self.0);
        Box::pin(async move {
            if let Some(body) = body {
                head.form = Form::read(body).await.map(Box::new);
            }
            let asked = (head, Responder(responder));
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
            Ok(match replied.await {
                Ok(Replying::Now(reply)) => reply,
                Ok(Replying::Later(reply)) => reply.await,
                // The offer was dropped, so nothing waits for the reply.
                Err(_) => Reply::default(),
            })
        })
    }
}
