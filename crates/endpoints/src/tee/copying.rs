//! The task that brings copies to their endpoint.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use endpoint::{
    ByteStream, Conn, Context as Shared, Control, End, Info, MessageStream, Part, SessionGuard,
    Transport, WorkGuard,
};
use tokio::io::ReadBuf;
use tokio::time::sleep;
use tracing::{Instrument, warn};

use super::Copy;
use super::queue::{Lost, Queue};
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
                let conn = copy.to.connect(cx, info).await.map_err(|error| error.to_string())?;
                copied(conn, queue).await.map_err(|error| endpoint::describe(&error))
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
        if let Err(why) = result {
            warn!("{name} receives no more copies: {why}");
            queue.abandon();
            // Counts until the session is over.
            poll_fn(|cx| queue.poll_closed(cx)).await;
        }
        let Lost { pieces, bytes } = queue.lost();
        if pieces > 0 {
            warn!(pieces, bytes, "{bytes} bytes were not copied to {name}");
        }
    }
}

/// Brings all that comes to `conn`, whose own data is read and forgotten: it must not stall behind that.
async fn copied(conn: Conn, queue: &Queue) -> io::Result<()> {
    let Conn { transport, control, guard, .. } = conn;
    let held: (Control, SessionGuard) = (control, guard);
    match transport {
        Transport::Messages(mut to) => messages(&mut *to, queue).await?,
        Transport::Bytes(mut to) => bytes(&mut *to, queue).await?,
    }
    drop(held);
    Ok(())
}

async fn messages(to: &mut dyn MessageStream, queue: &Queue) -> io::Result<()> {
    let mut is_reading = true;
    let mut is_over = false;
    let mut next: Option<Part> = None;
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
            if next.is_none() && !is_over {
                match queue.poll_next(cx) {
                    Poll::Ready(Some(part)) => next = Some(part),
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
            if let Some(part) = next.take() {
                Pin::new(&mut *to).start_send(part)?;
            }
        }
    })
    .await
}

async fn bytes(to: &mut dyn ByteStream, queue: &Queue) -> io::Result<()> {
    let mut is_reading = true;
    let mut is_over = false;
    let mut rest = bytes::Bytes::new();
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
            while !rest.is_empty() {
                let written = ready!(Pin::new(&mut *to).poll_write(cx, &rest))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                rest = rest.slice(written..);
            }
            if is_over {
                ready!(Pin::new(&mut *to).poll_flush(cx))?;
                return to.poll_finish(cx, &End::eof());
            }
            match queue.poll_next(cx) {
                Poll::Ready(Some(part)) => rest = part.data,
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

/// Reads and forgets; whether there may be more.
fn poll_forget(cx: &mut Context<'_>, from: &mut dyn ByteStream) -> Poll<io::Result<bool>> {
    with_scratch(|scratch| {
        let mut buf = ReadBuf::new(scratch);
        ready!(Pin::new(&mut *from).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(!buf.filled().is_empty()))
    })
}

/// Reads before what waits is written, should there be no end of them.
const TURN: usize = 16;
