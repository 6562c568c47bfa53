//! From an offer to a session, or to a refusal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::gate::{Identity, Role, Ticket};
use endpoint::info::Http;
use endpoint::{
    AcceptPolicy, Answer, Context, End, Grants, Incoming, Info, Reason, Refusal, RefusalKind,
};
use forward::{Admitted, Config, Destination, Forwarder, Gate, OpenGate, Route, Stop, Timers};
use tokio::time::{Instant, sleep};

use crate::support::running::{start, start_with};
use crate::support::{Peer, Script, TestOffer, Told, listener, settle};

const SECOND: Duration = Duration::from_secs(1);

/// Refuses every client, or takes its time.
struct Strict(Option<Duration>);

#[async_trait]
impl Gate for Strict {
    async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
        match self.0 {
            None => Err(Refusal::new(RefusalKind::Forbidden, "not you")),
            Some(time) => {
                sleep(time).await;
                Ok(Admitted::unchanged(info))
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_offer_becomes_a_session() {
    let running = start(Config::default());
    let mut offer = running.source.offer();
    let far = running.far.next().await;
    // The answer tells the kind of the destination, so that a page can show a terminal or a line.
    let mut answer = Answer::default();
    answer.far = Some(Grants::Nothing);
    assert_eq!(offer.told().await, Told::Accepted(answer));
    offer.peer.send("question");
    offer.peer.end();
    far.send("answer");
    far.end();
    let near = offer.peer.clone();
    near.until(Peer::is_dropped).await;
    assert_eq!((far.taken(), near.taken()), (b"question".to_vec(), b"answer".to_vec()));
    let summary = running.finish().await;
    assert_eq!((summary.sessions, summary.sent, summary.received), (1, 8, 6));
    assert_eq!((summary.refused, summary.failed, summary.lost, summary.panicked), (0, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_connected_before_the_gate() {
    let running = start_with(Config::default(), Strict(None));
    let mut offer = running.source.offer();
    let told = offer.told().await;
    assert_eq!(told, Told::Refused(Refusal::new(RefusalKind::Forbidden, "not you")));
    assert_eq!(running.far.tried(), 0);
    let summary = running.finish().await;
    assert_eq!((summary.sessions, summary.refused, summary.unreachable), (0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_route_may_refuse() {
    struct Nowhere;
    #[async_trait]
    impl Route for Nowhere {
        async fn route(&self, _: &Info) -> Result<Destination, Refusal> {
            Err(Refusal::new(RefusalKind::NotFound, "no such place"))
        }
    }
    let forwarder = Forwarder::new(Context::new(), OpenGate, Nowhere, Config::default());
    let (source, accept) = listener();
    let task = tokio::spawn(async move { forwarder.serve(accept, Stop::new()).await });
    let mut offer = source.offer();
    let told = offer.told().await;
    assert_eq!(told, Told::Refused(Refusal::new(RefusalKind::NotFound, "no such place")));
    drop(source);
    assert_eq!(task.await.unwrap().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_fails_is_a_refusal_of_its_kind() {
    let cases = [
        (io::ErrorKind::ConnectionRefused, RefusalKind::Refused),
        (io::ErrorKind::NotFound, RefusalKind::Refused),
        (io::ErrorKind::TimedOut, RefusalKind::Timeout),
        (io::ErrorKind::ResourceBusy, RefusalKind::Busy),
    ];
    for (error, kind) in cases {
        let running = start(Config::default());
        running.far.refuse(error);
        let mut offer = running.source.offer();
        let Told::Refused(refusal) = offer.told().await else { panic!("{error} is no refusal") };
        assert_eq!(refusal.kind, kind);
        assert!(!refusal.message.contains("test:far"), "it names the destination: {refusal}");
        assert_eq!(running.finish().await.unreachable, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_does_not_answer_is_given_up_in_time() {
    let running = start(Config::default());
    running.far.delay(SECOND * 1000);
    let began = Instant::now();
    let mut offer = running.source.offer();
    let Told::Refused(refusal) = offer.told().await else { panic!("no refusal") };
    assert_eq!((refusal.kind, began.elapsed().as_secs()), (RefusalKind::Timeout, 30));
    assert_eq!(running.far.pending(), 0);
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_does_not_answer_lets_nobody_pass() {
    let running = start_with(Config::default(), Strict(Some(SECOND * 1000)));
    let mut offer = running.source.offer();
    let Told::Refused(refusal) = offer.told().await else { panic!("no refusal") };
    assert_eq!((refusal.kind, running.far.tried()), (RefusalKind::Timeout, 0));
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_leaves_while_dialling_takes_the_dialling_with_it() {
    let running = start(Config::default());
    running.far.delay(SECOND * 20);
    let mut offer = running.source.offer();
    settle().await;
    assert_eq!(running.far.pending(), 1);
    offer.leave();
    assert_eq!(offer.told().await, Told::Nothing);
    assert_eq!(running.far.pending(), 0);
    assert!(offer.peer.is_dropped());
    let summary = running.finish().await;
    assert_eq!((summary.lost, summary.refused), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_said_all_while_dialling_gets_its_reply() {
    // `printf x | nc`: its bytes and its end wait for the destination.
    let running = start(Config::default());
    running.far.delay(SECOND * 20);
    let offer = running.source.offer();
    offer.peer.send("x");
    offer.peer.end();
    let far = running.far.next().await;
    far.until(|peer| peer.finished().is_some()).await;
    assert_eq!(far.taken(), b"x");
    far.send("reply");
    far.end();
    offer.peer.until(|peer| peer.finished().is_some()).await;
    assert_eq!(offer.peer.taken(), b"reply");
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn when_accepting_fails_the_far_side_is_closed() {
    let running = start(Config::default());
    let (offer, mut peer) = TestOffer::failing();
    running.source.incoming(Incoming::ready(offer));
    let far = running.far.next().await;
    peer.told().await;
    far.until(Peer::is_dropped).await;
    assert_eq!(running.finish().await.lost, 1);
}

#[tokio::test(start_paused = true)]
async fn the_subprotocol_that_the_far_side_settled_is_answered() {
    struct Settles(&'static str);
    #[async_trait]
    impl endpoint::Connector for SettlesConnector {
        async fn connect(&self, _: &Context, _: &Info) -> endpoint::Result<endpoint::Conn> {
            let (stream, _) = crate::support::fake();
            Ok(endpoint::Conn::bytes(stream, Info::new().with(http(&[self.0.0]))))
        }

        fn grants(&self) -> Grants {
            Grants::Nothing
        }
    }
    struct SettlesConnector(Settles);
    impl std::fmt::Debug for SettlesConnector {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("settles")
        }
    }
    fn http(names: &[&str]) -> Http {
        let mut http = Http::default();
        http.subprotocols = names.iter().map(|&name| name.to_owned()).collect();
        http
    }
    for (settled, answered) in [("mqtt", Some("mqtt".to_owned())), ("amqp", None)] {
        let connector: Arc<dyn endpoint::Connector> = Arc::new(SettlesConnector(Settles(settled)));
        let route = Destination::new("test:far", connector);
        let forwarder = Forwarder::new(Context::new(), OpenGate, route, Config::default());
        let (source, accept) = listener();
        let task = tokio::spawn(async move { forwarder.serve(accept, Stop::new()).await });
        let info = Info::new().with(http(&["binary", "mqtt"]));
        let (offer, mut peer) = TestOffer::with(AcceptPolicy::ConnectFirst, info, false);
        source.incoming(Incoming::ready(offer));
        let Told::Accepted(answer) = peer.told().await else { panic!("not accepted") };
        assert_eq!(answer.subprotocol, answered);
        task.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_may_answer_by_itself() {
    let running = start(Config::default());
    running.source.offers(Script::default());
    settle().await;
    assert_eq!(running.far.tried(), 0);
    let summary = running.finish().await;
    assert_eq!((summary.sessions, summary.refused, summary.lost), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_fails_costs_nobody_else() {
    let running = start(Config::default());
    running.source.offers(Script { offers: [None].into(), ..Script::default() });
    let mut offer = running.source.offer();
    offer.peer.end();
    running.far.next().await.end();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    let summary = running.finish().await;
    assert_eq!((summary.sessions, summary.lost), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_does_not_delay_another_one() {
    let running = start(Config::default());
    running.source.offers(Script { stays: true, ..Script::default() });
    let mut offer = running.source.offer();
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    // Nor does it hold up a stop.
    offer.peer.end();
    running.far.next().await.end();
    let began = Instant::now();
    running.finish().await;
    assert!(began.elapsed() < SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_layer_may_offer_many_sessions_at_once() {
    let running = start(Config::default());
    let (offers, mut peers): (Vec<_>, Vec<_>) = (0..3)
        .map(|_| TestOffer::new(AcceptPolicy::ConnectFirst))
        .map(|(o, p)| (Some(o), p))
        .unzip();
    running.source.offers(Script { offers: offers.into(), stays: true, ..Script::default() });
    for peer in &mut peers {
        assert!(matches!(peer.told().await, Told::Accepted(_)));
    }
    for at in 0..3 {
        let far = running.far.next().await;
        far.send(at.to_string());
        far.end();
    }
    for peer in &peers {
        peer.peer.until(|peer| peer.taken_len() == 1).await;
        peer.peer.end();
    }
    assert_eq!(running.finish().await.sessions, 3);
}

#[tokio::test(start_paused = true)]
async fn accept_first_is_accepted_after_the_gate_and_before_the_connect() {
    let running = start(Config::default());
    running.far.delay(SECOND * 5);
    let mut offer = running.source.offer_in(AcceptPolicy::AcceptFirst);
    assert!(matches!(offer.told().await, Told::Accepted(_)));
    assert_eq!(running.far.pending(), 1);
    offer.peer.send("early");
    let far = running.far.next().await;
    far.until(|peer| peer.taken_len() == 5).await;
    running.finish().await;

    let running = start_with(Config::default(), Strict(None));
    let mut offer = running.source.offer_in(AcceptPolicy::AcceptFirst);
    assert!(matches!(offer.told().await, Told::Refused(_)));
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_first_is_told_that_nothing_could_be_connected() {
    let running = start(Config::default());
    running.far.refuse(io::ErrorKind::ConnectionRefused);
    let offer = running.source.offer_in(AcceptPolicy::AcceptFirst);
    offer.peer.until(Peer::is_dropped).await;
    let words = "cannot connect to the destination: connection refused";
    assert_eq!(offer.peer.finished(), Some(End::because(Reason::Unreachable, words)));
    assert_eq!(running.finish().await.unreachable, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_first_and_dies_takes_the_dialling_with_it() {
    let running = start(Config::default());
    running.far.delay(SECOND * 20);
    let offer = running.source.offer_in(AcceptPolicy::AcceptFirst);
    settle().await;
    offer.peer.die();
    settle().await;
    assert!(offer.peer.is_dropped());
    assert_eq!(running.far.pending(), 0);
    assert_eq!(running.finish().await.lost, 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_went_quiet_is_attached_to_after_the_gate() {
    let running = start(Config { max_sessions: Some(1), ..Config::default() });
    let mut first = running.source.offer();
    assert!(matches!(first.told().await, Told::Accepted(_)));
    let far = running.far.next().await;
    // It takes no place and dials nothing: the session's stream goes on by itself.
    let (offer, mut second) = TestOffer::with(AcceptPolicy::Attach, Info::new(), true);
    running.source.incoming(Incoming::ready(offer));
    assert!(matches!(second.told().await, Told::Accepted(_)));
    first.peer.send("after the gap");
    far.until(|peer| peer.taken_len() == 13).await;
    assert_eq!(running.far.tried(), 1);
    assert_eq!(running.finish().await.sessions, 1);

    let running = start_with(Config::default(), Strict(None));
    let (offer, mut peer) = TestOffer::with(AcceptPolicy::Attach, Info::new(), true);
    running.source.incoming(Incoming::ready(offer));
    assert!(matches!(peer.told().await, Told::Refused(_)));
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_sees_every_offer_once_and_a_destination_that_is_named_later() {
    struct Count(Arc<AtomicUsize>);
    #[async_trait]
    impl Gate for Count {
        async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Admitted::unchanged(info))
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let running = start_with(Config::default(), Count(Arc::clone(&count)));
    for order in [AcceptPolicy::ConnectFirst, AcceptPolicy::AcceptFirst, AcceptPolicy::Attach] {
        let mut offer = running.source.offer_in(order);
        assert!(matches!(offer.told().await, Told::Accepted(_)));
    }
    settle().await;
    assert_eq!(count.load(Ordering::Relaxed), 4);
    running.finish().await;
}

/// The credentials of a peer that is let in and gets nothing are as good as before.
#[tokio::test(start_paused = true)]
async fn a_ticket_is_spent_by_who_comes_in() {
    struct Once(Arc<AtomicUsize>);
    #[async_trait]
    impl Gate for Once {
        async fn check(&self, info: &Info) -> Result<Admitted, Refusal> {
            let spent = Arc::clone(&self.0);
            let ticket = Ticket::new(move || {
                let first = spent.fetch_add(1, Ordering::Relaxed) == 0;
                let used = Refusal::new(RefusalKind::Forbidden, "it was used");
                first.then_some(()).ok_or(used)
            });
            let ada = Identity::user("ada");
            Ok(Admitted::new(info, ada, Role::ReadWrite).with_ticket(ticket))
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let running = start_with(Config::default(), Once(Arc::clone(&count)));
    running.far.refuse(io::ErrorKind::ConnectionRefused);
    let told = running.source.offer().told().await;
    assert!(matches!(&told, Told::Refused(why) if why.kind == RefusalKind::Refused), "{told:?}");
    assert_eq!(count.load(Ordering::Relaxed), 0);
    let mut first = running.source.offer();
    assert!(matches!(first.told().await, Told::Accepted(_)));
    let told = running.source.offer().told().await;
    assert!(matches!(&told, Told::Refused(why) if why.message == "it was used"), "{told:?}");
    drop(first);
    running.finish().await;
}

#[tokio::test(start_paused = true)]
async fn timers_of_the_config_are_kept_to() {
    let timers = Timers { connect: SECOND, ..Timers::default() };
    let running = start(Config { timers, ..Config::default() });
    running.far.delay(SECOND * 5);
    let began = Instant::now();
    assert!(matches!(running.source.offer().told().await, Told::Refused(_)));
    assert_eq!(began.elapsed().as_secs(), 1);
    running.finish().await;
}
