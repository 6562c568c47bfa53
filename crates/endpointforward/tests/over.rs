//! Protocols over a program's own streams.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use endpointforward::{Conn, Endpoints, Part, Transport};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::UnixStream;

/// Opens both sides of a protocol over a pair of sockets.
async fn pair(server: &str, client: &str) -> (Conn, Conn) {
    let endpoints = Endpoints::new();
    let (near, far) = UnixStream::pair().unwrap();
    let mut listening = endpoints.listen_over(server, Conn::from_io(far)).await.unwrap();
    let (client, server) =
        tokio::join!(endpoints.connect_over(client, Conn::from_io(near)), listening.accept());
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn bytes_and_the_end_arrive_each_way() {
    for (server, client) in [
        ("ws", "ws:path=/chat"),
        ("tls:cert=self-signed", "tls:name=example.com:insecure=true"),
        // An endpoint over others is not a layer, and goes over a stream all the same.
        ("tee:null", "tee:to={null}"),
    ] {
        let (client, server) = pair(server, client).await;
        let (mut client, mut server) = (client.into_io(), server.into_io());
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let mut said = String::new();
        server.read_to_string(&mut said).await.unwrap();
        server.write_all(b"goodbye").await.unwrap();
        server.shutdown().await.unwrap();
        client.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "hellogoodbye");
    }
}

#[tokio::test]
async fn messages_keep_their_boundaries_over_a_framing() {
    let (client, server) = pair("framed:by=length", "framed:by=length").await;
    let (Transport::Messages(mut client), Transport::Messages(mut server)) =
        (client.transport, server.transport)
    else {
        panic!("a framing gives messages");
    };
    client.send(Part::binary("one")).await.unwrap();
    client.send(Part::binary("two")).await.unwrap();
    assert_eq!(&server.next().await.unwrap().unwrap().data[..], b"one");
    assert_eq!(&server.next().await.unwrap().unwrap().data[..], b"two");
}

#[tokio::test]
async fn protocols_stack() {
    let endpoints = Endpoints::new();
    let (near, far) = duplex(1 << 16);
    let serve = async {
        let tls = endpoints.listen_over("tls:cert=self-signed", Conn::from_io(far)).await;
        let conn = tls.unwrap().accept().await.unwrap();
        let mut ws = endpoints.listen_over("ws", conn).await.unwrap();
        assert_eq!(ws.local().descriptor, "ws:stream");
        ws.accept().await.unwrap()
    };
    let dial = async {
        let tls = "tls:name=example.com:insecure=true";
        let tls = endpoints.connect_over(tls, Conn::from_io(near)).await.unwrap();
        endpoints.connect_over("ws:host=example.com", tls).await.unwrap()
    };
    let (server, client) = tokio::join!(serve, dial);
    assert_eq!(server.info.lookup("http", "host").as_deref(), Some("example.com"));
    assert_eq!(client.info.lookup("tls", "version").as_deref(), Some("1.3"));
}

#[tokio::test]
async fn a_listener_ends_with_its_connection() {
    let endpoints = Endpoints::new();
    let (near, far) = duplex(64);
    let mut listening = endpoints.listen_over("tee:null", Conn::from_io(far)).await.unwrap();
    assert!(listening.accept().await.is_some());
    assert!(listening.accept().await.is_none());
    drop(near);
}

#[tokio::test]
async fn mistakes_have_their_place() {
    let endpoints = Endpoints::new();
    let said = async |text: &str| {
        let conn = Conn::from_io(duplex(64).0);
        endpoints.connect_over(text, conn).await.unwrap_err().to_string()
    };
    insta::assert_snapshot!(said("tcp:80").await, @r"
    error: `tcp` runs over no other endpoint when connecting
      | tcp:80
      | ^^^^^^
    ");
    insta::assert_snapshot!(said("ws:{tcp:h:80}:path=/x").await, @r"
    error: the endpoint beneath `ws` is given by the program
      | ws:{tcp:h:80}:path=/x
      |     ^^^^^^^^
      = help: leave it out of the descriptor
    ");
    insta::assert_snapshot!(said("ws:pth=/x").await, @r"
    error: `ws` has no parameter `pth` when connecting
      | ws:pth=/x
      |    ^^^
      = help: did you mean `path`?
    ");
    insta::assert_snapshot!(said("wisp").await, @r"
    error: `wisp` can be listened on, not connected to
      | wisp
      | ^^^^
    ");
    let conn = Conn::from_io(duplex(64).0);
    insta::assert_snapshot!(endpoints.listen_over("wisp", conn).await.unwrap_err(), @r"
    error: `wisp` runs over messages, but `endpoint` is a byte stream
      | wisp
      | ^^^^
    ");
}
