//! Messages of a session, sent and received as a splice does it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use endpoint::{Conn, MessageStream, Part, Transport};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::time::timeout;

use super::LONG;

pub(crate) type Messages = Box<dyn MessageStream>;

pub(crate) fn messages(conn: Conn) -> Messages {
    match conn.transport {
        Transport::Messages(stream) => stream,
        Transport::Bytes(_) => panic!("these are bytes"),
    }
}

pub(crate) async fn send(to: &mut Messages, part: Part) -> std::io::Result<()> {
    let mut part = Some(part);
    poll_fn(|cx| {
        if part.is_some() {
            match Pin::new(&mut *to).poll_ready(cx) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => return Poll::Pending,
            }
            Pin::new(&mut *to).start_send(part.take().unwrap())?;
        }
        Pin::new(&mut *to).poll_flush(cx)
    })
    .await
}

pub(crate) async fn next(from: &mut Messages) -> Option<std::io::Result<Part>> {
    let next = poll_fn(|cx| {
        if let Poll::Ready(error) = from.poll_background(cx) {
            return Poll::Ready(Some(Err(error)));
        }
        Pin::new(&mut *from).poll_next(cx)
    });
    timeout(LONG, next).await.unwrap()
}
