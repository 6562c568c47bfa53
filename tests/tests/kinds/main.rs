//! Kinds of a third party, one of each sort that goes over other endpoints, through the real forwarder.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dialled;
mod fallback;
mod mux;
mod shared;

use std::net::SocketAddr;
use std::time::Duration;

use endpointforward::{End, Endpoints, Forwarder, Registry, Stop, Summary, registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

fn endpoints() -> Endpoints {
    let kinds = [&fallback::KIND, &dialled::KIND, &mux::KIND, &shared::KIND];
    Endpoints::new().registry(kinds.into_iter().fold(registry(), Registry::add))
}

struct Running {
    address: Option<SocketAddr>,
    stop: Stop,
    task: JoinHandle<Summary>,
}

impl Running {
    async fn start(listen: &str, connect: &str) -> Self {
        let forwarder = Forwarder::with(endpoints(), &[listen], connect).unwrap();
        let forwarding = forwarder.bind().await.unwrap();
        let (address, stop) = (forwarding.locals()[0].address, forwarding.stop());
        Self { address, stop, task: tokio::spawn(forwarding.run()) }
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(self.address.unwrap()).await.unwrap()
    }

    async fn over(self) -> Summary {
        self.stop.drain(End::eof());
        timeout(LONG, self.task).await.unwrap().unwrap()
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let descriptor = format!("tcp:{}", listener.local_addr().unwrap());
    (listener, descriptor)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    timeout(LONG, listener.accept()).await.unwrap().unwrap().0
}

async fn says(stream: &mut TcpStream, words: &[u8]) {
    let mut got = vec![0; words.len()];
    timeout(LONG, stream.read_exact(&mut got)).await.unwrap().unwrap();
    assert_eq!(got, words);
}

async fn ends(stream: &mut TcpStream) {
    assert_eq!(timeout(LONG, stream.read(&mut [0])).await.unwrap().unwrap(), 0);
}

const TCP: &str = "tcp:0:interface=127.0.0.1";
const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_second_destination_is_taken_when_the_first_is_down() {
    let (dead, nobody) = listen().await;
    drop(dead);
    let (alive, there) = listen().await;
    let running = Running::start(TCP, &format!("first:{{{nobody}}}:{{{there}}}")).await;
    let mut client = running.client().await;
    let mut server = accept(&alive).await;
    client.write_all(b"hello").await.unwrap();
    says(&mut server, b"hello").await;
    drop((client, server));
    assert_eq!(running.over().await.sessions, 1);
}

#[tokio::test]
async fn a_listener_over_a_connector_takes_one_session_after_another() {
    let (waiting, clients) = listen().await;
    let running = Running::start(&format!("dialled:{{{clients}}}"), "echo").await;
    for word in [b"one", b"two"] {
        let mut client = accept(&waiting).await;
        client.write_all(word).await.unwrap();
        says(&mut client, word).await;
        client.shutdown().await.unwrap();
        ends(&mut client).await;
    }
    assert_eq!(running.over().await.failed, 0);
}

#[tokio::test]
async fn sessions_share_one_connection_and_come_apart_again() {
    let (server, there) = listen().await;
    let far = Running::start(&format!("mux:{{{TCP}}}"), &there).await;
    let near = Running::start(TCP, &format!("mux:{{tcp:{}}}", far.address.unwrap())).await;
    let mut pairs = Vec::new();
    for number in 0_u8..5 {
        let mut client = near.client().await;
        client.write_all(&[number; 3]).await.unwrap();
        let mut served = accept(&server).await;
        says(&mut served, &[number; 3]).await;
        pairs.push((client, served));
    }
    for (number, (client, served)) in pairs.iter_mut().enumerate().rev() {
        let answer = vec![number as u8; 100_000];
        let (sent, ()) = tokio::join!(served.write_all(&answer), says(client, &answer));
        sent.unwrap();
        client.shutdown().await.unwrap();
        ends(served).await;
        served.shutdown().await.unwrap();
        ends(client).await;
    }
    assert_eq!((near.over().await.sessions, far.over().await.sessions), (5, 5));
}

#[tokio::test]
async fn a_shared_connection_is_opened_once_and_heard_by_all() {
    let (server, there) = listen().await;
    let running = Running::start(TCP, &format!("shared:{{{there}}}")).await;
    let mut first = running.client().await;
    let mut served = accept(&server).await;
    let mut second = running.client().await;
    second.write_all(b"from the second").await.unwrap();
    says(&mut served, b"from the second").await;
    served.write_all(b"to all").await.unwrap();
    says(&mut first, b"to all").await;
    says(&mut second, b"to all").await;
    drop(served);
    ends(&mut first).await;
    ends(&mut second).await;
    // The next one opens it again.
    let _third = running.client().await;
    accept(&server).await;
}

#[tokio::test]
async fn every_mistake_beneath_is_found_whatever_its_place() {
    let typed = "first:{tcp:localhost:8o80}:{tcp::1}:{echo:nonsense=1}";
    let error = Forwarder::with(endpoints(), &[TCP], typed).unwrap_err().to_string();
    assert_eq!(error.matches("error:").count(), 3, "{error}");
}
