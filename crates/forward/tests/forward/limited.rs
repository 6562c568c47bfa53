//! Limits of a listener: sessions of all, of a network and of a user, and how often they begin.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::{Identity, Role};
use endpoint::info::{Http, Proxied, Tcp};
use endpoint::{
    Accept, AcceptPolicy, Answer, Context, ErrorKind, Exposure, Incoming, Info, Limited, Limits,
    Listener, Rate, Refusal, RefusalKind, Result,
};
use forward::{Admitted, Config, Destination, Forwarder, Gate, Stop};
use tokio::time::advance;

use crate::support::running::Running;
use crate::support::{Peer, Source, TestOffer, Told, connector, listener, settle};

/// A listener that can be bound once.
struct Once(Mutex<Option<Box<dyn Accept>>>);

impl std::fmt::Debug for Once {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Once")
    }
}

#[async_trait]
impl Listener for Once {
    async fn bind(&self, _: &Context) -> Result<Box<dyn Accept>> {
        Ok(self.0.lock().unwrap().take().expect("it is bound once"))
    }

    fn exposure(&self) -> Exposure {
        Exposure::Local
    }
}

/// Admits the user whose name is the path.
struct ByPath;

#[async_trait]
impl Gate for ByPath {
    async fn check(&self, info: &Info) -> std::result::Result<Admitted, Refusal> {
        let name = info.get::<Http>().map(|http| http.path.clone());
        Ok(match name {
            Some(name) => Admitted::new(info, Identity::user(name), Role::ReadWrite),
            None => Admitted::unchanged(info),
        })
    }
}

async fn limited(limits: Limits) -> (Source, Box<dyn Accept>) {
    let (source, accept) = listener();
    let inner = Box::new(Once(Mutex::new(Some(accept))));
    (source, Limited::new(inner, limits).bind(&Context::new()).await.unwrap())
}

async fn start(limits: Limits) -> Running {
    let (connector, far) = connector();
    let route = Destination::new("test:far", Arc::new(connector) as Arc<dyn endpoint::Connector>);
    let forwarder = Forwarder::new(Context::new(), ByPath, route, Config::default());
    let (source, accept) = limited(limits).await;
    let stop = Stop::new();
    let heard = stop.clone();
    let task = tokio::spawn(async move { forwarder.serve(accept, heard).await });
    Running { source, far, stop, task }
}

fn from(address: &str) -> Info {
    let peer = format!("{address}:5").parse().unwrap();
    Info::new().with(Tcp { local: "192.0.2.1:1".parse().unwrap(), peer })
}

fn user(name: &str) -> Info {
    let mut http = Http::default();
    name.clone_into(&mut http.path);
    Info::new().with(http)
}

fn come(source: &Source, policy: AcceptPolicy, info: Info) -> TestOffer {
    let (offer, peer) = TestOffer::with(policy, info, false);
    source.incoming(Incoming::ready(offer));
    peer
}

fn offer(running: &Running, info: Info) -> TestOffer {
    come(&running.source, AcceptPolicy::ConnectFirst, info)
}

async fn is_in(running: &Running, info: Info) -> bool {
    matches!(offer(running, info).told().await, Told::Accepted(_))
}

async fn refusal(running: &Running, info: Info) -> Refusal {
    match offer(running, info).told().await {
        Told::Refused(refusal) => refusal,
        told => panic!("{told:?}"),
    }
}

async fn end(offer: TestOffer) {
    offer.peer.reset();
    offer.peer.until(Peer::is_dropped).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_listener_has_so_many_sessions_and_no_more() {
    for policy in [AcceptPolicy::ConnectFirst, AcceptPolicy::AcceptFirst] {
        let running = start(Limits { sessions: Some(2), ..Limits::default() }).await;
        let come = || come(&running.source, policy, Info::new());
        let mut first = come();
        assert!(matches!(first.told().await, Told::Accepted(_)));
        assert!(matches!(come().told().await, Told::Accepted(_)));
        let words = Refusal::new(RefusalKind::Busy, "there are too many sessions");
        assert_eq!(come().told().await, Told::Refused(words));
        assert_eq!(running.far.tried(), 2, "nothing is connected for who is refused");
        end(first).await;
        assert!(matches!(come().told().await, Told::Accepted(_)), "its place was given back");
        let summary = running.finish().await;
        assert_eq!((summary.sessions, summary.refused), (3, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_network_takes_no_places_of_another() {
    let running = start(Limits { per_network: Some(2), ..Limits::default() }).await;
    let mut first = offer(&running, from("198.51.100.1"));
    assert!(matches!(first.told().await, Told::Accepted(_)));
    assert!(is_in(&running, from("198.51.100.2")).await);
    let refused = refusal(&running, from("198.51.100.3")).await;
    assert_eq!(refused.kind, RefusalKind::Busy);
    assert_eq!(refused.message, "there are too many sessions from this network");
    assert!(is_in(&running, from("203.0.113.1")).await);
    end(first).await;
    assert!(is_in(&running, from("198.51.100.3")).await);
    // Behind a proxy, the clients' networks count; one that isn't known is not counted.
    let behind = |client: &str| {
        let mut proxied = Proxied::by(Some("198.51.100.9".to_owned()));
        proxied.client = client.parse().ok();
        from("198.51.100.9").with(proxied)
    };
    for client in ["10.0.0.1", "10.0.1.1", "10.0.2.1", "", "", ""] {
        assert!(is_in(&running, behind(client)).await, "{client}");
    }
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_user_has_two_sessions() {
    let running = start(Limits { per_user: Some(2), ..Limits::default() }).await;
    let mut first = offer(&running, user("ada"));
    assert!(matches!(first.told().await, Told::Accepted(_)));
    assert!(is_in(&running, user("ada")).await);
    let refused = refusal(&running, user("ada")).await;
    assert_eq!(
        (refused.kind, &*refused.message),
        (RefusalKind::Busy, "this user has too many sessions")
    );
    assert!(is_in(&running, user("bob")).await);
    for _ in 0..3 {
        assert!(is_in(&running, Info::new()).await, "clients without a name are not counted");
    }
    end(first).await;
    assert!(is_in(&running, user("ada")).await);
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_place_is_given_back_whichever_way_it_ends() {
    let running = start(Limits { sessions: Some(1), ..Limits::default() }).await;
    running.far.refuse(std::io::ErrorKind::ConnectionRefused);
    assert!(!is_in(&running, Info::new()).await, "the destination is down");
    let mut leaves = offer(&running, Info::new());
    running.far.delay(Duration::from_secs(5));
    leaves.leave();
    assert_eq!(leaves.told().await, Told::Nothing);
    let (failing, mut told) = TestOffer::failing();
    running.source.incoming(Incoming::ready(failing));
    assert!(matches!(told.told().await, Told::Accepted(_)));
    settle().await;
    let mut panics = offer(&running, Info::new());
    assert!(matches!(panics.told().await, Told::Accepted(_)));
    panics.peer.panic();
    panics.peer.send("x");
    settle().await;
    assert!(is_in(&running, Info::new()).await);
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_ending_gives_way_to_its_user() {
    let running = start(Limits { per_user: Some(1), ..Limits::default() }).await;
    let mut first = offer(&running, user("ada"));
    assert!(matches!(first.told().await, Told::Accepted(_)));
    let mut other = offer(&running, user("bob"));
    assert!(matches!(other.told().await, Told::Accepted(_)));
    // Both have left, and their destination has not: a page that is loaded again.
    first.peer.end();
    other.peer.end();
    settle().await;
    assert!(is_in(&running, user("ada")).await);
    settle().await;
    assert!(first.peer.is_dropped() && !other.peer.is_dropped());
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_of_a_network_and_fills_again() {
    let rate = Rate::read("30/m").unwrap().with_burst(3);
    let running = start(Limits { rate: Some(rate), ..Limits::default() }).await;
    for _ in 0..3 {
        assert!(is_in(&running, from("198.51.100.1")).await);
    }
    let refused = refusal(&running, from("198.51.100.2")).await;
    assert_eq!(refused.kind, RefusalKind::Throttled);
    assert_eq!(
        refused.message,
        "too many sessions were requested from this network in a short time"
    );
    assert_eq!((refused.retry_seconds(), running.far.tried()), (Some(2), 3));
    assert!(is_in(&running, from("203.0.113.1")).await);
    advance(Duration::from_secs(2)).await;
    assert!(is_in(&running, from("198.51.100.1")).await);
    assert!(!is_in(&running, from("198.51.100.1")).await);
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_accepts_is_counted_too() {
    let (source, mut accept) = limited(Limits { sessions: Some(1), ..Limits::default() }).await;
    let mut next = async || {
        let peer = source.offer();
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let offer = incoming.next().await.unwrap().unwrap();
        (offer.accept(Answer::default()).await, peer)
    };
    let (first, _peer) = next().await;
    let first = first.unwrap();
    let (second, mut peer) = next().await;
    let error = second.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.to_string(), "cannot accept test:near: there are too many sessions");
    assert!(matches!(peer.told().await, Told::Refused(_)));
    drop(first);
    assert!(next().await.0.is_ok());
}
