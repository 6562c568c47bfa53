//! A connection that was accepted from the system, as an offer: its peer is watched without reading from it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use endpoint::{
    Accepted, Answer, Conn, Decision, End, Grants, Info, Reason, Refusal, RefusalKind, Result,
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::socket::{Socket, Waits};
use crate::wary::{self, Screen, Wary};

/// A connection that was accepted from the system and waits for its answer.
///
/// Nothing is read from it meanwhile, so what the peer sends early is the session's.
pub(crate) struct Arrived<S> {
    stream: Arc<S>,
    info: Info,
    /// The check for a browser's connection, if a browser could have made it.
    screen: Option<Screen>,
    /// Shares the stream while it is being checked whether the peer has left.
    watch: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S> Arrived<S> {
    pub(crate) fn new(stream: S, info: Info) -> Self {
        Self { stream: Arc::new(stream), info, screen: None, watch: None }
    }

    /// Web pages reach it, and must not reach a program through it.
    pub(crate) fn screened_by(mut self, screen: Option<Screen>) -> Self {
        self.screen = screen;
        self
    }
}

#[async_trait]
impl<S> Decision for Arrived<S>
where
    S: Waits + AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
{
    async fn accept(self: Box<Self>, answer: Answer) -> Result<Accepted> {
        let Self { stream, info, screen, watch } = *self;
        drop(watch);
        let stream = Arc::into_inner(stream).expect("only the watch owned the stream beside us");
        let socket = Socket::new(stream);
        let unguarded = answer.far.is_some_and(Grants::is_unguarded);
        Ok(Accepted::Session(match screen {
            // Nothing has come yet; it is looked at when it does.
            Some(screen) if unguarded && !screen.is_over() || screen.has_failed() => {
                Conn::bytes(Wary::new(socket, screen), info)
            }
            _ => Conn::bytes(socket, info),
        }))
    }

    /// A socket has no words, and is closed; a browser's has HTTP's.
    async fn refuse(self: Box<Self>, _: Refusal) {
        let Self { stream, screen, watch, .. } = *self;
        drop(watch);
        if screen.is_some_and(|screen| screen.saw_browser())
            && let Some(stream) = Arc::into_inner(stream)
        {
            wary::answer(&mut Socket::new(stream)).await;
        }
    }

    fn poll_screen(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), Refusal>> {
        let Some(screen) = &mut self.screen else { return Poll::Ready(Ok(())) };
        let screened = ready!(screen.poll(cx, &*self.stream));
        // A failed connection has left, or the session finds it.
        Poll::Ready(match screened {
            Err(_) if screen.saw_browser() => {
                Err(Refusal::new(RefusalKind::Forbidden, wary::WORDS))
            }
            Ok(()) | Err(_) => Ok(()),
        })
    }

    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let watch = self.watch.get_or_insert_with(|| {
            let stream = Arc::clone(&self.stream);
            Box::pin(async move { stream.failed().await })
        });
        watch
            .as_mut()
            .poll(cx)
            .map(|()| End::because(Reason::Reset, "the peer reset the connection"))
    }
}
