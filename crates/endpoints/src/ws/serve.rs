//! The listening side: requests until one is an upgrade, which becomes an offer.
//!
//! HTTP/1.1 answers one request after the other, so whoever waits for the next event drives the
//! connection: [`Requests`] until there is an offer, then the offer's [`Deciding`]. There is no task
//! and no queue; dropping either leaves nothing open.

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use descriptor::quote_positional;
use endpoint::Answer as Accepting;
use endpoint::info::Http;
use endpoint::{
    Bound, Clock, Conn, Context, Control, DialLayer, Error, ErrorKind, Grants, Hold, Info,
    Invitation, Local, Offer, Offers, Result, ServeLayer,
};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use super::answer::Answer;
use super::decision::Deciding;
use super::door::{Auth, Door, Once, TOKEN};
use super::front::Front;
use super::hosts::Hosts;
use super::linger::CLOSE;
use super::negotiate::Spoken;
use super::origin::Origins;
use super::page::folder::{Folder, Wanted};
use super::page::{Page, Show, place};
use super::proxy::Proxies;
use super::request::{self, Asked, Upgrade};
use super::terminal::{self, Face};
use super::wishes::Wishes;
use crate::patience;

/// The layer, planned.
pub(super) struct Listening {
    /// `ws` or `autobahn`.
    pub(super) called: String,
    pub(super) path: Option<String>,
    pub(super) spoken: Spoken,
    pub(super) origins: Origins,
    pub(super) hosts: Hosts,
    pub(super) proxies: Proxies,
    /// The path that tells a load balancer that we are there.
    pub(super) health: Option<String>,
    /// The most bytes of a request's header, for hyper's buffer.
    pub(super) max_header: usize,
    pub(super) auth: Auth,
    pub(super) show: Show,
    /// What a page sees a service through.
    pub(super) telnet: Option<Arc<dyn DialLayer>>,
    pub(super) limit: Duration,
    /// Beside what the handshake needs in its answer.
    pub(super) headers: Vec<(String, String)>,
    pub(super) wishes: Wishes,
}

impl fmt::Debug for Listening {
    /// Headers may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening")
            .field("called", &self.called)
            .field("path", &self.path)
            .field("spoken", &self.spoken)
            .finish_non_exhaustive()
    }
}

impl Listening {
    /// What a terminal sees the far side through.
    pub(super) fn through(&self, answer: &Accepting, http: &Http) -> Option<Arc<dyn DialLayer>> {
        let telnet = match self.show {
            // A service that takes signals is a terminal already: telnet that is typed, or one of us.
            Show::Auto => answer.far == Some(Grants::Service) && !answer.signals,
            Show::Telnet => answer.far.is_some(),
            Show::Terminal | Show::Nothing | Show::Folder(_) => false,
        };
        // Who is no terminal wants what is there.
        let plain = http.header(terminal::PLAIN) == Some(Face::Stream.name());
        self.telnet.clone().filter(|_| telnet && !plain)
    }
}

/// [`Listening`], shared by what is bound.
#[derive(Debug)]
pub(super) struct Layer(pub(super) Arc<Listening>);

#[async_trait]
impl ServeLayer for Layer {
    async fn bind(&self, cx: &Context, local: &Local) -> Result<Arc<dyn Bound>> {
        let folder = folder(&self.0).await?;
        let site = Site::new(Arc::clone(&self.0), local, folder, cx.clock().clone())?;
        Ok(Arc::new(Serving(Arc::new(site))))
    }

    fn missing(&self, _: &Context) -> Option<String> {
        let Show::Folder(path) = &self.0.show else { return None };
        (!path.is_dir()).then(|| format!("there is no folder {} for the page", path.display()))
    }
}

/// The folder of the page, if it is one, open.
async fn folder(listening: &Listening) -> Result<Option<Arc<Folder>>> {
    let Show::Folder(path) = &listening.show else { return Ok(None) };
    let (path, shown) = (path.clone(), path.display().to_string());
    let opened = spawn_blocking(move || Folder::open(&path)).await;
    let opened = opened.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    let failed = |error| Error::from_io("open", format!("the folder `{shown}` in `page`"), error);
    opened.map(|folder| Some(Arc::new(folder))).map_err(failed)
}

/// What one listener shows and lets in.
pub(super) struct Site {
    pub(super) listening: Arc<Listening>,
    pub(super) local: Local,
    pub(super) page: Page,
    /// Whom it lets in, if not everybody.
    pub(super) door: Option<Arc<dyn Door>>,
    clock: Clock,
}

impl Site {
    fn new(
        listening: Arc<Listening>,
        beneath: &Local,
        folder: Option<Arc<Folder>>,
        clock: Clock,
    ) -> Result<Self> {
        let path = listening.path.as_deref().unwrap_or("/");
        let descriptor = format!("{}:{}", listening.called, quote_positional(&beneath.descriptor));
        let mut local = Local::new(descriptor);
        let mut help = "connect with a WebSocket client".to_owned();
        let mut host = None;
        if let Some(mut address) = beneath.address {
            local = local.at(address);
            if address.ip().is_unspecified() {
                address.set_ip(if address.is_ipv4() {
                    std::net::Ipv4Addr::LOCALHOST.into()
                } else {
                    std::net::Ipv6Addr::LOCALHOST.into()
                });
            }
            host = Some(address);
            help.push_str(&format!(", for example `new WebSocket(\"ws://{address}{path}\")`"));
        }
        let page = folder.map_or_else(|| Page::new(&listening.show, &help), Page::Folder);
        let url = host.map(|host| match page.is_shown() {
            true if path.ends_with('/') => format!("http://{host}{path}"),
            true => format!("http://{host}{path}/"),
            false => format!("ws://{host}{path}"),
        });
        let door: Option<Arc<dyn Door>> = match listening.auth {
            Auth::Open => None,
            Auth::Token => {
                let port = local.address.map(|address| address.port());
                let (door, token) = Once::new(port).map_err(|error| {
                    let words = format!("the system has no random numbers: {error}");
                    Error::new(ErrorKind::Other, "bind", &*local.descriptor, words)
                })?;
                // Where only a path is known, that has to do.
                let place = url.as_ref().map_or(path, |url| url.as_str());
                local = local.with_invitation(Invitation::new(format!("{place}?{TOKEN}={token}")));
                Some(Arc::new(door))
            }
        };
        if let Some(url) = url {
            local = local.with_url(url);
        }
        Ok(Self { listening, local, page, door, clock })
    }

    /// Whether only this machine's programs reach it; a listener without an address is behind a
    /// proxy, which sees to names itself.
    pub(super) fn is_loopback(&self) -> bool {
        self.local.address.is_some_and(|address| address.ip().is_loopback())
    }

    /// Whether a WebSocket may be opened at `path`.
    pub(super) fn takes_upgrade(&self, path: &str) -> bool {
        place::takes_upgrade(path, self.listening.path.as_deref())
    }
}

/// The layer over one listener.
struct Serving(Arc<Site>);

impl Bound for Serving {
    fn local(&self) -> &Local {
        &self.0.local
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        let Conn { transport, info, control, hold } = conn;
        let front = Front::new(transport.into_bytes());
        let said = Arc::new(Mutex::new(None));
        let sending = Arc::new(());
        let service = Requested {
            site: Arc::clone(&self.0),
            info: info.clone(),
            said: Arc::clone(&said),
            sending: Arc::clone(&sending),
        };
        let mut builder = http1::Builder::new();
        // No timer of hyper's: the limit is ours and covers answers that nobody reads, too.
        builder.max_buf_size(self.0.listening.max_header).header_read_timeout(None);
        let http = Box::new(builder.serve_connection(front.clone(), service));
        let listening = Arc::clone(&self.0.listening);
        let at = self.0.local.descriptor.clone();
        let clock = self.0.clock.clone();
        let link = Link { front, listening, info, control, hold, clock, at };
        Box::new(Requests {
            talk: Some(Talk { http, link }),
            said,
            sending,
            served: false,
            began: Instant::now(),
        })
    }
}

/// A connection that HTTP is spoken on.
pub(super) struct Talk {
    pub(super) http: Box<http1::Connection<Front, Requested>>,
    pub(super) link: Link,
}

/// A connection, HTTP aside.
pub(super) struct Link {
    pub(super) front: Front,
    pub(super) listening: Arc<Listening>,
    pub(super) info: Info,
    pub(super) control: Control,
    pub(super) hold: Hold,
    pub(super) clock: Clock,
    at: String,
}

/// What a request led to.
enum Said {
    /// An answer that was given; others may follow.
    Answered,
    /// The connection waits for this.
    Offer(Box<Upgrade>, oneshot::Sender<Answer>),
    /// An answer that was the last.
    Refused(Error),
}

/// The offers of one connection: at most one, because it ends HTTP.
struct Requests {
    talk: Option<Talk>,
    said: Arc<Mutex<Option<Said>>>,
    /// Held by [`Requested`] too, and by an answer as long as it is being sent.
    sending: Arc<()>,
    /// Whether a request was answered.
    served: bool,
    began: Instant,
}

/// What came next.
enum Next {
    Said(Said),
    Done(hyper::Result<()>),
}

#[async_trait]
impl Offers for Requests {
    async fn next(&mut self) -> Result<Option<Offer>> {
        let mut refused = None;
        while let Some(talk) = &mut self.talk {
            let said = &self.said;
            let next = poll_fn(|cx| {
                let done = Pin::new(&mut *talk.http).poll_without_shutdown(cx);
                // An answer that was the last is said and done at once.
                if let Some(said) = said.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    return Poll::Ready(Next::Said(said));
                }
                done.map(Next::Done)
            });
            let next = patience::timeout(talk.link.listening.limit, next).await;
            // An answer may be of any length, and its client as slow as it likes; when places run out, the most silent
            // one loses its. But whoever only asks and asks takes the place of somebody who wants a session.
            let unsent = || Arc::strong_count(&self.sending) > 2 || talk.link.front.is_pending();
            let sends = self.served && unsent();
            let late = !sends && self.began.elapsed() > talk.link.listening.limit * REQUESTS;
            let front = &talk.link.front;
            let goes_on = if sends { front.may_take() } else { self.served && front.has_moved() };
            if next.is_none() && !late && goes_on {
                continue;
            }
            let is_cut = next.is_none() && sends;
            match next {
                Some(Next::Said(Said::Answered)) => {
                    self.served = true;
                    if late {
                        Pin::new(&mut *talk.http).graceful_shutdown();
                    }
                }
                Some(Next::Said(Said::Refused(error))) => refused = Some(error),
                Some(Next::Said(Said::Offer(upgrade, answer))) => {
                    let mut upgrade = upgrade;
                    let mut talk = self.talk.take().expect("it was there at the loop's start");
                    if let Some(proxied) = upgrade.proxied.take() {
                        talk.link.info = talk.link.info.with(proxied);
                    }
                    let info = talk.link.info.clone().with(upgrade.http.clone());
                    let deciding = Deciding { talk, upgrade: *upgrade, answer };
                    return Ok(Some(Offer::new(info, deciding)));
                }
                Some(Next::Done(done)) => {
                    let talk = self.talk.take().expect("it was there at the loop's start");
                    return talk.over(done, refused).await;
                }
                None => {
                    let talk = self.talk.take().expect("it was there at the loop's start");
                    return match refused {
                        Some(error) => Err(error),
                        None if is_cut => {
                            let words = "the client takes nothing more of the answer";
                            Err(talk.link.error(ErrorKind::Timeout, words))
                        }
                        // An idle keep-alive is nothing to report.
                        None if self.served => Ok(None),
                        None => {
                            let limit = talk.link.listening.limit.as_secs_f64();
                            let words = format!("no HTTP request came within {limit} s");
                            Err(talk.link.error(ErrorKind::Timeout, words))
                        }
                    };
                }
            }
        }
        Ok(None)
    }
}

impl Talk {
    /// HTTP has ended without an offer.
    async fn over(self, done: hyper::Result<()>, refused: Option<Error>) -> Result<Option<Offer>> {
        let Self { http, link } = self;
        drop(http);
        link.deliver().await;
        link.taken().await;
        link.close().await;
        match (refused, done) {
            (Some(error), _) => Err(error),
            (None, Err(error)) if error.is_parse() => {
                let words = match link.front.diagnosis() {
                    Some(words) => words.to_owned(),
                    None if error.is_parse_too_large() => format!(
                        "a request's header has more than {} bytes or 100 lines; `max-header` allows \
                         more bytes",
                        link.listening.max_header
                    ),
                    None => format!("what came is not HTTP: {error}"),
                };
                Err(link.error(ErrorKind::Protocol, words))
            }
            (None, Err(error)) => {
                debug!("{}: {error}", link.at);
                Ok(None)
            }
            (None, Ok(())) => Ok(None),
        }
    }
}

impl Link {
    /// Has the end of an answer reach a peer that takes it slowly.
    async fn deliver(&self) {
        let drain = || poll_fn(|cx| self.front.poll_drain(cx));
        while patience::timeout(self.listening.limit, drain()).await.is_none()
            && self.front.may_take()
        {}
    }

    /// Waits until a live peer has taken all of an answer, however long it takes: a socket that is closed while
    /// something is on its way is left to the system, which gives up on a reader that pauses.
    async fn taken(&self) {
        let mut pause = FIRST_LOOK;
        let forget = || poll_fn(|cx| self.front.poll_forget(cx));
        while self.front.is_pending() && self.front.may_take() {
            // What it still sends must not stall it.
            if timeout(pause, forget()).await == Ok(false) {
                sleep(pause).await;
            }
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Has the answer reach the peer, and hears it out: a socket that is closed while something comes is
    /// reset, and the answer is lost with it. One that is silent for a moment doesn't care.
    pub(super) async fn close(&self) {
        let forget = || poll_fn(|cx| self.front.poll_forget(cx));
        let close = async {
            let ended = timeout(SILENCE, poll_fn(|cx| self.front.poll_end(cx))).await;
            if let Ok(Ok(())) = ended {
                while let Ok(true) = timeout(SILENCE, forget()).await {}
            }
        };
        let _ = timeout(self.listening.wishes.close.unwrap_or(CLOSE), close).await;
    }

    pub(super) fn error(&self, kind: ErrorKind, words: impl Into<String>) -> Error {
        Error::new(kind, "accept", &*self.at, words)
    }
}

/// hyper's service: what a request is answered with.
pub(super) struct Requested {
    site: Arc<Site>,
    /// About the connection.
    info: Info,
    said: Arc<Mutex<Option<Said>>>,
    sending: Arc<()>,
}

impl Service<Request<Incoming>> for Requested {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (said, answer) = match request::read(&request, &self.site, &self.info) {
            Asked::Other(answer) => (Said::Answered, answer),
            Asked::Refused(answer, error) => (Said::Refused(error), answer),
            Asked::File(folder, wanted) => {
                self.say(Said::Answered);
                let wanted = Wanted { sending: Arc::clone(&self.sending), ..wanted };
                return Box::pin(async move { Ok(folder.answer(wanted).await) });
            }
            Asked::Upgrade(upgrade) => {
                let (decide, decision) = oneshot::channel();
                self.say(Said::Offer(Box::new(upgrade), decide));
                return Box::pin(async move {
                    // Nobody waits for the answer of an offer that was dropped.
                    Ok(decision.await.unwrap_or_default())
                });
            }
        };
        self.say(said);
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Requested {
    fn say(&self, said: Said) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }
}

/// How long a refused peer has to take its answer, and may pause in what it still sends.
const SILENCE: Duration = Duration::from_secs(1);

/// How soon, and how seldom, it is asked what a peer has taken.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How many of the time limits a connection may go on asking without becoming a session.
const REQUESTS: u32 = 6;
