//! tungstenite at the other end, over real sockets.

use endpoint::{End, Part, Reason};
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{accept_async, client_async};

use crate::support::*;

/// Our side sends back everything that it gets, then both close; sizes around every length of a header.
const SIZES: [usize; 8] = [0, 1, 125, 126, 65_535, 65_536, 300_000, 1 << 20];

#[tokio::test]
async fn our_server_echoes_its_client() {
    let mut server = Server::bind("ws:{tcp:0:interface=127.0.0.1}").await;
    let address = server.accept.local().address.unwrap();
    let echo = async {
        let mut incoming = server.accept.accept().await.unwrap().unwrap();
        let mut ws = in_messages(accepted(incoming.next().await.unwrap().unwrap()).await);
        while let Some(part) = ws.next().await {
            ws.send(part.unwrap()).await.unwrap();
        }
        let end = ws.end();
        finish(&mut *ws, &End::eof()).await;
        end
    };
    let client = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let request = format!("ws://{address}/").into_client_request().unwrap();
        let (mut client, _) = client_async(request, stream).await.unwrap();
        for size in SIZES {
            let data = noise(size);
            let text = "ü".repeat(size / 2);
            client.send(Message::Ping(vec![1, 2, 3].into())).await.unwrap();
            for message in [Message::Binary(data.into()), Message::Text(text.into())] {
                client.send(message.clone()).await.unwrap();
                loop {
                    match client.next().await.unwrap().unwrap() {
                        Message::Pong(payload) => assert_eq!(&*payload, [1, 2, 3]),
                        echoed => {
                            assert!(echoed == message, "{size}");
                            break;
                        }
                    }
                }
            }
        }
        client.close(None).await.unwrap();
        while let Some(Ok(_)) = client.next().await {}
    };
    let (end, ()) = tokio::join!(echo, client);
    assert_eq!(end, End::eof());
}

#[tokio::test]
async fn our_client_talks_to_its_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let echo = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut ws = accept_async(stream).await.unwrap();
        let mut sizes = Vec::new();
        loop {
            match ws.next().await.unwrap().unwrap() {
                Message::Close(frame) => {
                    // Its answer goes out with the next read.
                    while let Some(Ok(_)) = ws.next().await {}
                    break (sizes, frame);
                }
                message => {
                    sizes.push(message.len());
                    ws.send(message).await.unwrap();
                }
            }
        }
    };
    let client = async {
        let cx = endpoint::Context::new();
        let conn = connect(&cx, &format!("ws://{address}/x")).await.unwrap();
        let mut ws = in_messages(conn);
        for size in SIZES {
            let data = noise(size);
            put(&mut *ws, Part::binary(data.clone())).await;
            assert!(message(&mut *ws).await == (data, false), "{size}");
        }
        finish(&mut *ws, &End::with_code(Reason::Application, 4321, "bye")).await;
        assert!(next(&mut *ws).await.is_none());
        ws.end()
    };
    let ((sizes, close), end) = tokio::join!(echo, client);
    assert_eq!(sizes, SIZES);
    let close = close.unwrap();
    assert_eq!((close.code, close.reason.as_str()), (CloseCode::Library(4321), "bye"));
    assert_eq!(end.code, Some(4321));
}

#[tokio::test]
async fn bulk_of_bytes_arrives_whole_each_way() {
    let mut server = Server::bind("ws:{tcp:0:interface=127.0.0.1}").await;
    let address = server.accept.local().address.unwrap();
    let data = noise(8 << 20);
    let ours = async {
        let mut incoming = server.accept.accept().await.unwrap().unwrap();
        let conn = accepted(incoming.next().await.unwrap().unwrap()).await;
        let mut ws = conn.transport.into_bytes();
        let got = read_exact(&mut *ws, data.len()).await;
        write(&mut *ws, &got).await;
        finish(&mut *ws, &End::eof()).await;
        // Until the peer's Close: a socket closed before would take the last bytes with it.
        assert!(read(&mut *ws).await.unwrap().is_empty());
    };
    let theirs = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let request = format!("ws://{address}/").into_client_request().unwrap();
        let (mut client, _) = client_async(request, stream).await.unwrap();
        for piece in data.chunks(100_000) {
            client.send(Message::Binary(piece.to_vec().into())).await.unwrap();
        }
        let mut got = Vec::new();
        while let Some(Ok(message)) = client.next().await {
            match message {
                Message::Binary(piece) => got.extend_from_slice(&piece),
                Message::Close(frame) => {
                    assert_eq!(frame.unwrap().code, CloseCode::Normal);
                }
                other => panic!("{other:?}"),
            }
        }
        got
    };
    let ((), got) = tokio::join!(ours, theirs);
    assert!(got == data);
}
