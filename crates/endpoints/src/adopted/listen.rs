//! Listening on what was passed.

use std::path::PathBuf;
use std::task::{self, Poll};

use async_trait::async_trait;
use endpoint::info::Tcp;
use endpoint::{
    Accept, Accepted, Answer, Context, Decision, End, Error, ErrorKind, Exposure, Incoming, Info,
    Listener, Local, Offer, Refusal, Result,
};
use futures_util::future::select_all;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::oneshot;
use tracing::debug;

use super::inherited::Which;
use super::sort::{Domain, Sorted, plain, sort};
use crate::arrived::Arrived;
use crate::options::Options;
use crate::own;
use crate::users::{Users, peer};
use crate::wary::Screen;

#[derive(Debug)]
pub(super) struct Listen {
    pub(super) descriptor: String,
    pub(super) which: Which,
    /// The required domain.
    pub(super) domain: Option<Domain>,
    pub(super) users: Option<Users>,
    pub(super) refuses_pages: bool,
    pub(super) options: Options,
}

#[async_trait]
impl Listener for Listen {
    async fn bind(&self, cx: &Context) -> Result<Box<dyn Accept>> {
        let mut sockets = Vec::new();
        for fd in self.which.take(cx, "bind", &self.descriptor)? {
            let sorted = sort(fd);
            let (domain, socket) =
                sorted.map_err(|cause| Error::from_io("bind", &*self.descriptor, cause))?;
            if self.domain.is_some_and(|wanted| wanted != domain) {
                let words = format!("the socket's domain is {}", domain.name());
                return Err(Error::new(ErrorKind::Other, "bind", &*self.descriptor, words));
            }
            sockets.push(socket);
        }
        // The process that opened the socket decided who may connect, without knowing what would be behind it.
        let guards = cx.behind().is_unguarded();
        let users = self.users.unwrap_or(if guards { Users::Same } else { Users::Any });
        let address = sockets.iter().find_map(|socket| match socket {
            Sorted::TcpListener(listener) => listener.local_addr().ok(),
            _ => None,
        });
        for address in sockets.iter().filter_map(|socket| match socket {
            Sorted::TcpListener(listener) => listener.local_addr().ok(),
            _ => None,
        }) {
            own::listens(cx, address);
        }
        let mut local = Local::new(&*self.descriptor);
        local.address = address;
        Ok(Box::new(Accepting {
            screen: self.refuses_pages.then(|| Screen::new(&*self.descriptor)),
            local,
            sockets,
            ended: Vec::new(),
            users,
            options: self.options.clone(),
        }))
    }

    /// The socket has not been inspected yet.
    fn exposure(&self) -> Exposure {
        if self.domain == Some(Domain::Unix) { Exposure::Local } else { Exposure::Public }
    }
}

struct Accepting {
    screen: Option<Screen>,
    local: Local,
    /// Those that are connected, and those that go on.
    sockets: Vec<Sorted>,
    /// Ends with the sessions of inherited connections: there are no more after them.
    ended: Vec<oneshot::Receiver<()>>,
    users: Users,
    options: Options,
}

/// A connection that came in.
enum Came {
    Tcp(TcpStream, Tcp),
    Unix(UnixStream, PathBuf),
}

#[async_trait]
impl Accept for Accepting {
    fn local(&self) -> &Local {
        &self.local
    }

    async fn accept(&mut self) -> Result<Option<Incoming>> {
        loop {
            let Some((came, guard)) = self.next().await? else { return Ok(None) };
            match came {
                Came::Tcp(stream, fact) => {
                    if let Err(error) = self.options.set_connection(&stream) {
                        debug!("cannot set options of the connection from {}: {error}", fact.peer);
                    }
                    let info = Info::new().with(fact);
                    let arrived = Arrived::<TcpStream>::new(stream, info.clone());
                    let arrived = arrived.screened_by(self.screen.clone());
                    let offer = Offer::new(info, Guarded { decision: Box::new(arrived), guard });
                    return Ok(Some(Incoming::ready(offer)));
                }
                Came::Unix(stream, path) => {
                    let fact = peer(path, &stream);
                    if !self.users.include(fact.uid) {
                        Users::log_refusal(fact.uid, "a process", &self.local.descriptor);
                        continue;
                    }
                    let _ = self.options.set_buffers(&stream);
                    let info = Info::new().with(fact);
                    let arrived = Box::new(Arrived::new(stream, info.clone()));
                    let offer = Offer::new(info, Guarded { decision: arrived, guard });
                    return Ok(Some(Incoming::ready(offer)));
                }
            }
        }
    }
}

impl Accepting {
    /// The next connection; one that was connected when it was passed goes first. Cancel safe.
    async fn next(&mut self) -> Result<Option<(Came, Guard)>> {
        let is_connected = |socket: &Sorted| matches!(socket, Sorted::Tcp(..) | Sorted::Unix(..));
        if let Some(at) = self.sockets.iter().position(is_connected) {
            let (guard, ended) = oneshot::channel();
            self.ended.push(ended);
            return Ok(match self.sockets.swap_remove(at) {
                Sorted::Tcp(stream, fact) => Some((Came::Tcp(stream, fact), Some(guard))),
                Sorted::Unix(stream, path) => Some((Came::Unix(stream, path), Some(guard))),
                Sorted::TcpListener(_) | Sorted::UnixListener(..) => None,
            });
        }
        if self.sockets.is_empty() {
            while let Some(ended) = self.ended.last_mut() {
                // Nothing is ever sent; the error is the news.
                let _ = ended.await;
                self.ended.pop();
            }
            return Ok(None);
        }
        let accepting = self.sockets.iter().map(|socket| Box::pin(one(socket)));
        let (accepted, at, _) = select_all(accepting).await;
        // They are polled in their order: a busy one goes behind the others, and starves none.
        self.sockets.rotate_left(at + 1);
        accepted
            .map(|came| Some((came, None)))
            .map_err(|cause| Error::from_io("accept", &*self.local.descriptor, cause))
    }
}

/// Dropped with a session.
type Guard = Option<oneshot::Sender<()>>;

/// An offer whose session holds the guard.
struct Guarded {
    decision: Box<dyn Decision>,
    guard: Guard,
}

#[async_trait]
impl Decision for Guarded {
    async fn accept(self: Box<Self>, answer: Answer) -> Result<Accepted> {
        let Self { decision, guard } = *self;
        let mut accepted = decision.accept(answer).await?;
        if let (Accepted::Session(conn), Some(guard)) = (&mut accepted, guard) {
            conn.guard = std::mem::take(&mut conn.guard).and(guard);
        }
        Ok(accepted)
    }

    async fn refuse(self: Box<Self>, refusal: Refusal) {
        self.decision.refuse(refusal).await;
    }

    fn poll_screen(
        &mut self,
        cx: &mut task::Context<'_>,
    ) -> Poll<std::result::Result<(), Refusal>> {
        self.decision.poll_screen(cx)
    }

    fn poll_left(&mut self, cx: &mut task::Context<'_>) -> Poll<End> {
        self.decision.poll_left(cx)
    }
}

async fn one(socket: &Sorted) -> std::io::Result<Came> {
    match socket {
        Sorted::TcpListener(listener) => tcp(listener).await,
        Sorted::UnixListener(listener, path) => unix(listener, path).await,
        // Taken before.
        Sorted::Tcp(..) | Sorted::Unix(..) => std::future::pending().await,
    }
}

async fn tcp(listener: &TcpListener) -> std::io::Result<Came> {
    let (stream, peer) = listener.accept().await?;
    let local = stream.local_addr().or_else(|_| listener.local_addr())?;
    Ok(Came::Tcp(stream, Tcp { local: plain(local), peer: plain(peer) }))
}

async fn unix(listener: &UnixListener, path: &std::path::Path) -> std::io::Result<Came> {
    let (stream, _) = listener.accept().await?;
    Ok(Came::Unix(stream, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.expect("a port")
    }

    #[tokio::test]
    async fn a_busy_socket_does_not_starve_the_others() {
        let listeners = [listener().await, listener().await, listener().await];
        let addresses = listeners.each_ref().map(|it| it.local_addr().expect("an address"));
        let mut clients = Vec::new();
        // The first has clients without end, and each of the others a few.
        for address in [addresses[0]; 20].into_iter().chain(addresses).chain(addresses) {
            clients.push(TcpStream::connect(address).await.expect("it connects"));
        }
        let mut accepting = Accepting {
            screen: None,
            local: Local::new("systemd"),
            sockets: listeners.into_iter().map(Sorted::TcpListener).collect(),
            ended: Vec::new(),
            users: Users::Any,
            options: Options::default(),
        };
        let mut order = Vec::new();
        for _ in 0..7 {
            let (came, _) = accepting.next().await.expect("no error").expect("there is one");
            let Came::Tcp(_, fact) = came else { panic!("it is TCP") };
            order.push(addresses.iter().position(|it| *it == fact.local).expect("it is one"));
        }
        order[..6].sort_unstable();
        assert_eq!(order, [0, 0, 1, 1, 2, 2, 0]);
    }
}
