//! An upgrade that waits for its answer: it is accepted with the reply that switches, or refused with a status.

use std::task::{Context, Poll};

use ::bytes::BytesMut;
use async_trait::async_trait;
use endpoint::gate::Ticket;
use endpoint::{Accepted, Answer, Decision, End, Error, ErrorKind, Reason, Refusal, Result};

use super::front::Link;
use super::mount::{Switched, Upgrade};
use super::protocol::Handover;
use super::reply::{self, Reply};
use super::wire::Wire;
use crate::patience::timeout;

/// A request to switch protocols that waits.
pub(super) struct Deciding {
    pub(super) link: Link,
    pub(super) stream: Box<dyn Handover>,
    pub(super) upgrade: Box<dyn Upgrade>,
    /// The client's ticket, if its credentials work once.
    pub(super) ticket: Option<Ticket>,
}

#[async_trait]
impl Decision for Deciding {
    async fn accept(self: Box<Self>, answer: Answer) -> Result<Accepted> {
        let Self { link, stream, mut upgrade, ticket } = *self;
        if let Some(Err(refusal)) = ticket.map(Ticket::spend) {
            let error = link.error(ErrorKind::Refused, &*refusal.message);
            say_no(&link, stream, &mut *upgrade, &refusal).await;
            return Err(error);
        }
        let switch = upgrade.switch(&answer);
        let (wire, mut unread) = finish(&link, stream, switch).await?;
        let Link { front, info, control, guard } = link;
        let (stream, ahead) = wire.into_inner();
        unread.unsplit(ahead);
        let clock = front.clock.clone();
        let over = Switched { stream, unread, info, control, guard, clock };
        Ok(upgrade.open(&answer, over))
    }

    async fn refuse(self: Box<Self>, refusal: Refusal) {
        let Self { link, stream, mut upgrade, .. } = *self;
        say_no(&link, stream, &mut *upgrade, &refusal).await;
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.stream.poll_left(cx).map(|()| End::because(Reason::PeerLeft, "the client left"))
    }
}

/// Refuses with a status, or in the other protocol's terms.
async fn say_no(
    link: &Link,
    stream: Box<dyn Handover>,
    upgrade: &mut dyn Upgrade,
    refusal: &Refusal,
) {
    let told = upgrade.refuse(refusal);
    let (reply, last) = told.unwrap_or_else(|| (reply::refusal(refusal), Vec::new()));
    // A peer that has gone needs no answer.
    if let Ok((wire, _)) = finish(link, stream, reply).await {
        wire.push(&last);
        wire.close(link.front.settings.close).await;
    }
}

/// Sends the reply, and waits until it has left: the connection without HTTP, and what was read behind the request.
async fn finish(link: &Link, stream: Box<dyn Handover>, reply: Reply) -> Result<(Wire, BytesMut)> {
    let gone = |words: String| -> Error { link.error(ErrorKind::Other, words) };
    let done = timeout(link.front.settings.limit, stream.reply(reply)).await;
    done.ok_or_else(|| gone("the client does not read the reply".to_owned()))?.map_err(gone)
}
