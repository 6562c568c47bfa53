//! Offers of the sockets that clients request.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use endpoint::{
    Accepted, Answer, Conn, Decision, End, Info, Offer, Offers, Refusal, RefusalKind, Result,
};

use super::socket::{Verdict, wait, wake};
use super::state::{Key, Shared};
use super::stream::Side;

/// The sockets that the client of a connection wants. When they are dropped, no more are taken, and the connection is
/// closed after the last one.
pub(super) struct Sockets {
    pub(super) shared: Arc<Shared>,
    /// The facts about the client.
    pub(super) info: Info,
}

#[async_trait]
impl Offers for Sockets {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let next = poll_fn(|cx| {
            let mut state = self.shared.lock();
            if let Some(key) = state.offered.pop_front() {
                let socket = state.socket(key);
                return Poll::Ready(Some((key, socket.number, socket.target.clone())));
            }
            if state.is_over {
                return Poll::Ready(None);
            }
            wait(&mut state.offers, cx);
            Poll::Pending
        });
        let Some((key, number, target)) = next.await else { return Ok(None) };
        let info = self.info.clone().with(target);
        let held = Held { shared: Arc::clone(&self.shared), key };
        Ok(Some(Offer::new(info.clone(), Waiting { held: Some(held), number, info })))
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closing = true;
        while let Some(key) = state.offered.pop_front() {
            state.decide(key, Verdict::Refused(no_more()));
            state.release(key);
        }
        wake(&mut state.driver);
    }
}

/// A socket that is no session yet.
struct Held {
    shared: Arc<Shared>,
    key: Key,
}

struct Waiting {
    /// `None` once it is decided.
    held: Option<Held>,
    number: u32,
    info: Info,
}

impl Waiting {
    fn refuse(&mut self, refusal: Refusal) {
        if let Some(Held { shared, key }) = self.held.take() {
            let mut state = shared.lock();
            state.decide(key, Verdict::Refused(refusal));
            state.release(key);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.refuse(no_more());
    }
}

#[async_trait]
impl Decision for Waiting {
    async fn accept(mut self: Box<Self>, _: Answer) -> Result<Accepted> {
        let Held { shared, key } = self.held.take().expect("it is decided once");
        let is_datagrams = {
            let mut state = shared.lock();
            state.decide(key, Verdict::Opened);
            state.socket(key).target.datagrams
        };
        let side = Side::new(shared, key, self.number);
        let info = std::mem::take(&mut self.info);
        Ok(Accepted::Session(match is_datagrams {
            true => Conn::messages(side, info),
            false => Conn::bytes(side, info),
        }))
    }

    async fn refuse(mut self: Box<Self>, refusal: Refusal) {
        Waiting::refuse(&mut self, refusal);
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let Some(Held { shared, key }) = &self.held else { return Poll::Pending };
        let mut state = shared.lock();
        let socket = state.socket(*key);
        if let Some(end) = &socket.ended {
            return Poll::Ready(end.clone());
        }
        wait(&mut socket.reader, cx);
        Poll::Pending
    }
}

fn no_more() -> Refusal {
    Refusal::new(RefusalKind::Busy, "no more sessions are accepted")
}
