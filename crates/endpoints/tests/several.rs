//! `fallback` and `balance`: the choice of a session's destination, and the fate of those that can't be reached.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod common;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::{LONG, connector, failure, registry, try_connect};
use descriptor::{Report, Syntax};
use endpoint::info::{Http, Tcp};
use endpoint::{Conn, Connector, Context, Error, Grants, Info, Plain, Result};
use plan::kind::{Kind, PlanConnect, Shape, Side};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

async fn server() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// The port that it has connected to.
fn port(conn: &Conn) -> u16 {
    conn.info.get::<Tcp>().unwrap().peer.port()
}

fn from(client: &str) -> Info {
    let peer: SocketAddr = format!("{client}:4711").parse().unwrap();
    Info::new().with(Tcp { local: "127.0.0.1:1".parse().unwrap(), peer })
}

#[tokio::test]
async fn the_next_is_tried_when_one_cannot_be_reached() {
    let (_a, a) = server().await;
    let (b_listener, b) = server().await;
    let cx = Context::new();
    let text = format!("fallback:{{tcp:127.0.0.1:{b}}}:{{tcp:127.0.0.1:{a}}}");
    assert_eq!(port(&try_connect(&cx, &text).await.unwrap()), b);
    drop(b_listener);
    assert_eq!(port(&try_connect(&cx, &text).await.unwrap()), a);
    drop(_a);
    let error = failure(try_connect(&cx, &text).await).to_string();
    assert_eq!(error, format!("cannot connect tcp:127.0.0.1:{a}: connection refused"));
}

#[tokio::test]
async fn a_silent_one_delays_by_its_timeout_only() {
    // It takes the connection, and never answers the handshake.
    let (_silent, silent) = server().await;
    let (_there, there) = server().await;
    let text = format!(
        "fallback:{{ws:{{tcp:127.0.0.1:{silent}}}}}:{{tcp:127.0.0.1:{there}}}:timeout=100ms"
    );
    let conn = timeout(LONG, try_connect(&Context::new(), &text)).await.unwrap().unwrap();
    assert_eq!(port(&conn), there);
}

#[tokio::test]
async fn sessions_go_round() {
    let ((_a, a), (_b, b)) = (server().await, server().await);
    let balance = connector(&format!("balance:{{tcp:127.0.0.1:{a}}}:{{tcp:127.0.0.1:{b}}}"));
    let (cx, nobody) = (Context::new(), Info::new());
    let mut ports = Vec::new();
    for _ in 0..4 {
        ports.push(port(&balance.endpoint.connect(&cx, &nobody).await.unwrap()));
    }
    assert_eq!(ports, [a, b, a, b]);
}

#[tokio::test]
async fn the_one_with_the_fewest_sessions_is_next() {
    let ((_a, a), (_b, b)) = (server().await, server().await);
    let balance =
        connector(&format!("balance:{{tcp:127.0.0.1:{a}}}:{{tcp:127.0.0.1:{b}}}:by=least"));
    let (cx, nobody) = (Context::new(), Info::new());
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(balance.endpoint.connect(&cx, &nobody).await.unwrap());
    }
    let of =
        |sessions: &[Conn], port_: u16| sessions.iter().filter(|conn| port(conn) == port_).count();
    assert_eq!((of(&sessions, a), of(&sessions, b)), (3, 3));
    // Those of one end, and it gets the next ones.
    sessions.retain(|conn| port(conn) == b);
    for _ in 0..3 {
        sessions.push(balance.endpoint.connect(&cx, &nobody).await.unwrap());
    }
    assert_eq!((of(&sessions, a), of(&sessions, b)), (3, 3));
}

#[tokio::test]
async fn a_client_stays_with_its_destination() {
    let servers = [server().await, server().await, server().await];
    let list: String =
        servers.iter().map(|(_, port)| format!(":{{tcp:127.0.0.1:{port}}}")).collect();
    let balance = connector(&format!("balance{list}:by=source"));
    let cx = Context::new();
    let mut seen = std::collections::HashSet::new();
    for client in 1..40 {
        let client = from(&format!("192.0.2.{client}"));
        let first = port(&balance.endpoint.connect(&cx, &client).await.unwrap());
        let second = port(&balance.endpoint.connect(&cx, &client).await.unwrap());
        assert_eq!(first, second);
        seen.insert(first);
    }
    assert_eq!(seen.len(), 3, "all are used");
}

#[tokio::test]
async fn one_that_is_down_is_left_out_for_a_while() {
    let ((_a, a), (b_listener, b)) = (server().await, server().await);
    let address = b_listener.local_addr().unwrap();
    drop(b_listener);
    let balance =
        connector(&format!("balance:{{tcp:127.0.0.1:{b}}}:{{tcp:127.0.0.1:{a}}}:down=300ms"));
    let (cx, nobody) = (Context::new(), Info::new());
    let next = async || port(&balance.endpoint.connect(&cx, &nobody).await.unwrap());
    assert_eq!(next().await, a);
    // It is back, and the connector doesn't know yet.
    let _b = TcpListener::bind(address).await.unwrap();
    assert_eq!((next().await, next().await), (a, a));
    sleep(Duration::from_millis(350)).await;
    let both = [next().await, next().await];
    assert!(both.contains(&a) && both.contains(&b), "{both:?}");
}

#[tokio::test]
async fn one_without_a_route_for_a_client_is_not_down() {
    let ((_a, a), (_b, b)) = (server().await, server().await);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("k: 127.0.0.1:{b}\n")).unwrap();
    let route = format!("route:file={}:key=${{http.query.k}}", file.path().display());
    let balance = connector(&format!("balance:{{{route}}}:{{tcp:127.0.0.1:{a}}}"));
    let cx = Context::new();
    let asks = |query: &str| {
        let mut http = Http::default();
        query.clone_into(&mut http.query);
        Info::new().with(http)
    };
    let mut ports = Vec::new();
    for query in ["k=none", "k=k", "k=k"] {
        ports.push(port(&balance.endpoint.connect(&cx, &asks(query)).await.unwrap()));
    }
    assert_eq!(ports, [a, a, b]);
}

/// A destination for which there is no descriptor left, once.
static SCARCE: Kind = Kind {
    connect: Some(Side::bytes(&[], PlanConnect::Leaf(|_| Ok(Box::new(Scarce::default()))))),
    ..Kind::new("scarce", "Fails with EMFILE, then connects")
};

#[derive(Debug, Default)]
struct Scarce(AtomicBool);

#[async_trait]
impl Connector for Scarce {
    async fn connect(&self, _: &Context, _: &Info) -> Result<Conn> {
        match self.0.swap(true, Ordering::Relaxed) {
            false => Err(Error::from_io("connect", "scarce", io::Error::from_raw_os_error(24))),
            true => Ok(Conn::bytes(Plain::new(tokio::io::empty()), Info::new())),
        }
    }

    fn grants(&self) -> Grants {
        Grants::Nothing
    }
}

#[tokio::test]
async fn one_for_which_no_descriptor_is_left_is_not_down() {
    let (_a, a) = server().await;
    let typed = format!("balance:{{scarce}}:{{tcp:127.0.0.1:{a}}}:down=1h");
    let balance = registry().add(&SCARCE).connector(&typed, Syntax::Extended).unwrap();
    let (cx, nobody) = (Context::new(), Info::new());
    let mut reached = Vec::new();
    for _ in 0..3 {
        let conn = balance.endpoint.connect(&cx, &nobody).await.unwrap();
        reached.push(conn.info.get::<Tcp>().is_none());
    }
    assert!(reached.contains(&true), "{reached:?}");
}

#[tokio::test]
async fn all_are_tried_when_all_are_down() {
    let (a_listener, a) = server().await;
    let address = a_listener.local_addr().unwrap();
    drop(a_listener);
    let balance = connector(&format!("balance:{{tcp:127.0.0.1:{a}}}:down=1h"));
    let (cx, nobody) = (Context::new(), Info::new());
    failure(balance.endpoint.connect(&cx, &nobody).await);
    let _a = TcpListener::bind(address).await.unwrap();
    assert_eq!(port(&balance.endpoint.connect(&cx, &nobody).await.unwrap()), a);
}

#[test]
fn they_give_what_is_beneath_and_point_at_each_mistake() {
    assert_eq!(connector("fallback:{ws:9000}:{ws:9001}").tree.gives, Shape::Messages);
    let text = "balance:{tcp:h:80o}:{tcp:}:by=chance";
    let found = registry().connector(text, Syntax::Extended).expect_err("it is a mistake");
    let report = Report::new(text, &found).to_string();
    for words in [
        "`by` must be `round-robin` or `least` or `source`",
        "`port` must be a number from 1 to 65535",
        "`tcp` needs `port`",
    ] {
        assert!(report.contains(words), "{report}");
    }
}
