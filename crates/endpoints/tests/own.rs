//! A listener that is its own destination: the client is refused, where each connection would make another one.

mod common;

use common::{bind, failure, offer, try_connect};
use endpoint::{Accept, Context, Info};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket, UnixStream};

const WORDS: &str =
    "it is the listener that the client has come to, which would connect to itself for ever";

/// The facts of the next client.
async fn next(accept: &mut dyn Accept) -> Info {
    offer(accept).await.info.clone()
}

#[tokio::test]
async fn by_tcp_also_through_layers() {
    let cx = Context::new();
    let mut accept = bind(&cx, "tcp:0:interface=127.0.0.1").await;
    let at = accept.local().address.unwrap();
    let _client = TcpStream::connect(at).await.unwrap();
    let info = next(&mut *accept).await;
    for text in
        [format!("tcp:{at}"), format!("ws://{at}/"), format!("tls:{{tcp:{at}}}:insecure=true")]
    {
        let error = failure(try_connect_for(&cx, &text, &info).await);
        assert!(error.to_string().ends_with(WORDS), "{error}");
    }
    // Another client may, and this one elsewhere.
    try_connect(&cx, &format!("tcp:{at}")).await.unwrap();
    let other = bind(&cx, "tcp:0:interface=127.0.0.1").await;
    let elsewhere = format!("tcp:{}", other.local().address.unwrap());
    try_connect_for(&cx, &elsewhere, &info).await.unwrap();
}

#[tokio::test]
async fn the_destination_of_a_transparent_proxys_client_is_its_own() {
    let cx = Context::new();
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let fact = endpoint::info::Tcp { local: at, peer: "192.0.2.1:1".parse().unwrap() };
    try_connect_for(&cx, &format!("tcp:{at}"), &Info::new().with(fact)).await.unwrap();
}

#[tokio::test]
async fn by_datagrams() {
    for interface in ["127.0.0.1", "0.0.0.0"] {
        let cx = Context::new();
        let mut accept = bind(&cx, &format!("udp:0:interface={interface}")).await;
        let at = format!("127.0.0.1:{}", accept.local().address.unwrap().port());
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.send_to(b"x", &at).await.unwrap();
        let info = next(&mut *accept).await;
        let error = failure(try_connect_for(&cx, &format!("udp:{at}"), &info).await);
        assert!(error.to_string().ends_with(WORDS), "{error}");
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = format!("udp:{}", other.local_addr().unwrap());
        try_connect_for(&cx, &elsewhere, &info).await.unwrap();
    }
}

#[tokio::test]
async fn by_a_unix_socket() {
    let (dir, cx) = (tempfile::tempdir().unwrap(), Context::new());
    let path = dir.path().join("s");
    let text = format!("unix:{}", path.display());
    let mut accept = bind(&cx, &text).await;
    // The client is this process, as one that the listener has made.
    let mut client = UnixStream::connect(&path).await.unwrap();
    client.write_all(b"x").await.unwrap();
    let info = next(&mut *accept).await;
    let error = failure(try_connect_for(&cx, &text, &info).await);
    assert!(error.to_string().ends_with(WORDS), "{error}");
    try_connect(&cx, &text).await.unwrap();
}

async fn try_connect_for(
    cx: &Context,
    text: &str,
    info: &Info,
) -> endpoint::Result<endpoint::Conn> {
    common::connector(text).endpoint.connect(cx, info).await
}
