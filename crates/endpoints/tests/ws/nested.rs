//! WebSocket over WebSocket: a layer goes over any stream of bytes.

use endpoint::{End, Reason};

use crate::support::*;

#[tokio::test]
async fn ws_over_ws_over_tcp() {
    let mut server = Server::bind("ws:{ws:{tcp:0:interface=127.0.0.1}:path=/outer}:path=/in").await;
    let address = server.accept.local().address.unwrap();
    let to = format!("ws:{{ws:{{tcp:{address}}}:path=/outer}}:path=/in");
    assert_eq!(server.accept.local().descriptor, format!("ws:{{ws:{{tcp:{address}}}}}"));
    let far = async {
        let mut incoming = server.accept.accept().await.unwrap().unwrap();
        let offer = incoming.next().await.unwrap().unwrap();
        assert_eq!(offer.info.lookup("http", "path").as_deref(), Some("/in"));
        accepted(offer).await
    };
    let (near, far) = tokio::join!(connect(&server.cx, &to), far);
    let (mut near, mut far) = (near.unwrap().transport.into_bytes(), far.transport.into_bytes());
    let data = noise(300_000);
    let send = async {
        write(&mut *near, &data).await;
        finish(&mut *near, &End::with_code(Reason::Application, 4000, "over")).await;
    };
    let ((), got) = tokio::join!(send, read_exact(&mut *far, data.len()));
    assert!(got == data);
    assert!(read(&mut *far).await.unwrap().is_empty());
    assert_eq!(far.end(), End::with_code(Reason::Application, 4000, "over"));
    write(&mut *far, b"answer").await;
    finish(&mut *far, &End::eof()).await;
    assert_eq!(read(&mut *near).await.unwrap(), b"answer");
    assert!(read(&mut *near).await.unwrap().is_empty());
}
