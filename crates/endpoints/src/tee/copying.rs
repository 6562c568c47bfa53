//! The task that brings copies to their endpoint.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use endpoint::{
    ByteStream, Context as Shared, End, Ending, Info, MessageStream, PeerState, Transport,
    WorkGuard,
};
use tokio::io::ReadBuf;
use tokio::time::{sleep, timeout};
use tracing::{Instrument, warn};

use super::Copy;
use super::queue::{InHand, Lost, Queue};
use crate::scratch::with_scratch;

pub(super) struct Copying {
    copy: Copy,
    queue: Arc<Queue>,
    work: WorkGuard,
}

impl Copying {
    /// Begins a task that lives as long as the session, and a grace period more if something waits then.
    pub(super) fn begin(copy: &Copy, cx: &Shared, info: Info, queue: Arc<Queue>) {
        let copying = Self { copy: copy.clone(), queue, work: cx.working() };
        let cx = cx.clone();
        tokio::spawn(async move { copying.run(&cx, &info).await }.in_current_span());
    }

    async fn run(self, cx: &Shared, info: &Info) {
        let Self { copy, queue, work } = &self;
        let name = &copy.name;
        let result = {
            let copied = async {
                let mut conn =
                    copy.to.connect(cx, info).await.map_err(|error| error.to_string())?;
                let copied = copied(&mut conn.transport, queue).await;
                copied.map(|()| conn).map_err(|error| endpoint::describe(&error))
            };
            let over = async {
                poll_fn(|cx| queue.poll_closed(cx)).await;
                sleep(copy.policy.grace).await;
            };
            tokio::select! {
                result = copied => result,
                () = over => Err("it reads no more, and the session is over".to_owned()),
                () = work.cut() => Err("the program stops".to_owned()),
            }
        };
        match result {
            Ok(mut conn) => tokio::select! {
                _ = timeout(copy.policy.grace, settled(&mut conn.transport)) => {}
                () = work.cut() => {}
            },
            Err(why) => {
                warn!("{name} receives no more copies: {why}");
                queue.abandon();
                // Counts until the session is over.
                poll_fn(|cx| queue.poll_closed(cx)).await;
            }
        }
        let Lost { pieces, bytes } = queue.lost();
        if pieces > 0 {
            warn!(pieces, bytes, "{bytes} bytes were not copied to {name}");
        }
    }
}

/// Brings all that comes to the endpoint, whose own data is read and forgotten: it must not stall behind that.
async fn copied(to: &mut Transport, queue: &Queue) -> io::Result<()> {
    match to {
        Transport::Messages(to) => messages(&mut **to, queue).await,
        Transport::Bytes(to) => bytes(&mut **to, queue).await,
    }
}

async fn messages(to: &mut dyn MessageStream, queue: &Queue) -> io::Result<()> {
    let mut is_reading = true;
    let mut is_over = false;
    let mut next = InHand::of(queue);
    poll_fn(|cx| {
        if let Poll::Ready(error) = to.poll_background(cx) {
            return Poll::Ready(Err(error));
        }
        let mut turn = TURN;
        while is_reading && turn > 0 {
            turn -= 1;
            match Pin::new(&mut *to).poll_next(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => is_reading = false,
                Poll::Pending => break,
            }
        }
        if turn == 0 {
            cx.waker().wake_by_ref();
        }
        loop {
            if next.part.is_none() && !is_over {
                match queue.poll_next(cx) {
                    Poll::Ready(Some(part)) => next.part = Some(part),
                    Poll::Ready(None) => is_over = true,
                    Poll::Pending => {
                        ready!(Pin::new(&mut *to).poll_flush(cx))?;
                        return Poll::Pending;
                    }
                }
            }
            if is_over {
                ready!(Pin::new(&mut *to).poll_flush(cx))?;
                return to.poll_finish(cx, &End::eof());
            }
            if Pin::new(&mut *to).poll_ready(cx)?.is_pending() {
                ready!(Pin::new(&mut *to).poll_flush(cx))?;
                ready!(Pin::new(&mut *to).poll_ready(cx))?;
            }
            if let Some(part) = next.part.take() {
                Pin::new(&mut *to).start_send(part)?;
            }
        }
    })
    .await
}

async fn bytes(to: &mut dyn ByteStream, queue: &Queue) -> io::Result<()> {
    let mut is_reading = true;
    let mut is_over = false;
    let mut rest = InHand::of(queue);
    poll_fn(|cx| {
        if let Poll::Ready(error) = to.poll_background(cx) {
            return Poll::Ready(Err(error));
        }
        let mut turn = TURN;
        while is_reading && turn > 0 {
            turn -= 1;
            match poll_forget(cx, to) {
                Poll::Ready(more) => is_reading = more?,
                Poll::Pending => break,
            }
        }
        if turn == 0 {
            cx.waker().wake_by_ref();
        }
        loop {
            while let Some(part) = &mut rest.part {
                if part.data.is_empty() {
                    rest.part = None;
                    break;
                }
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &part.data))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                part.data.advance(written);
            }
            if is_over {
                ready!(Pin::new(&mut *to).poll_flush(cx))?;
                return to.poll_finish(cx, &End::eof());
            }
            match queue.poll_next(cx) {
                Poll::Ready(Some(part)) => rest.part = Some(part),
                Poll::Ready(None) => is_over = true,
                Poll::Pending => {
                    ready!(Pin::new(&mut *to).poll_flush(cx))?;
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}

/// Reads and forgets, and returns whether there may be more.
fn poll_forget(cx: &mut Context<'_>, from: &mut dyn ByteStream) -> Poll<io::Result<bool>> {
    with_scratch(|scratch| {
        let mut buf = ReadBuf::new(scratch);
        ready!(Pin::new(&mut *from).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(!buf.filled().is_empty()))
    })
}

/// Waits until the endpoint has taken all copies and their end. Meanwhile, its own data is read and forgotten: a socket that
/// is closed while something lies unread in it is reset, and what it has not sent is lost.
async fn settled(to: &mut Transport) {
    let mut pause = FIRST_LOOK;
    loop {
        let mut is_silent = true;
        let ended = poll_fn(|cx| poll_rest(cx, to, &mut is_silent));
        if timeout(pause, ended).await.is_ok() || (is_silent && has_taken(to)) {
            break;
        }
        pause = (pause * 2).min(LAST_LOOK);
    }
    poll_fn(|cx| match to {
        Transport::Messages(to) => to.poll_close(cx).map(drop),
        Transport::Bytes(to) => to.poll_close(cx).map(drop),
    })
    .await;
}

/// Reads and forgets. Ready at the end, and once the endpoint is gone.
fn poll_rest(cx: &mut Context<'_>, from: &mut Transport, is_silent: &mut bool) -> Poll<()> {
    let background = match from {
        Transport::Bytes(from) => from.poll_background(cx),
        Transport::Messages(from) => from.poll_background(cx),
    };
    if background.is_ready() {
        return Poll::Ready(());
    }
    for _ in 0..TURN {
        let more = match from {
            Transport::Bytes(from) => ready!(poll_forget(cx, &mut **from)).unwrap_or(false),
            Transport::Messages(from) => {
                matches!(ready!(Pin::new(&mut **from).poll_next(cx)), Some(Ok(_)))
            }
        };
        if !more {
            return Poll::Ready(());
        }
        *is_silent = false;
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Returns `true` if the endpoint has taken everything, as far as its transport knows, and owes no answer to the end.
fn has_taken(to: &mut Transport) -> bool {
    let (peer, ending) = match to {
        Transport::Bytes(to) => (to.peer(), to.ending()),
        Transport::Messages(to) => (to.peer(), to.ending()),
    };
    match ending {
        Ending::Whole => true,
        Ending::HalfClose => {
            peer.is_none_or(|peer| peer.pending == 0 || peer.state == PeerState::Gone)
        }
        Ending::Handshake => peer.is_some_and(|peer| peer.state == PeerState::Gone),
    }
}

/// Reads before what waits is written, should there be no end of them.
const TURN: usize = 16;
/// The time of the first look at what was taken; each further one takes twice as long.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(100);
