//! Unix sockets of datagrams and of packets.

use super::*;

#[tokio::test]
async fn a_session_of_unix_datagrams_has_an_address_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (server, ours) = (dir.path().join("server"), dir.path().join("ours"));
    let socket = UnixDatagram::bind(&server).unwrap();
    let cx = Context::new();
    let mut near = messages(connect(&cx, &format!("unix-dgram:{}", server.display())).await);
    send(&mut near, Part::binary("question")).await.unwrap();
    let mut buf = [0; 32];
    let (len, from) = socket.recv_from(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"question");
    assert!(!from.is_unnamed(), "the system gave it a name");
    let text = format!("unix-dgram:{}:bind={}", server.display(), ours.display());
    let mut near = messages(connect(&cx, &text).await);
    send(&mut near, Part::binary("question")).await.unwrap();
    let (_, from) = socket.recv_from(&mut buf).await.unwrap();
    assert_eq!(from.as_pathname(), Some(&*ours));
    socket.send_to(b"answer", &ours).await.unwrap();
    assert_eq!(message(&mut near).await, b"answer");
    let error = failure(try_connect(&cx, &text).await);
    assert!(error.hint().unwrap().contains("one session at a time"), "{error}");
    drop(near);
    assert!(!ours.exists(), "it is removed with the session");
}

/// A sender without an address can't be answered. Data for it is lost, and the loss is reported.
#[tokio::test]
async fn a_sender_without_an_address_is_heard() {
    let mut kind = Kind::new("unix-dgram:DIR/s").await;
    let path = kind.connects.strip_prefix("unix-dgram:").unwrap().to_owned();
    let client = UnixDatagram::unbound().unwrap();
    client.send_to(b"log line", &path).await.unwrap();
    let offer = offer(&mut *kind.accept).await;
    assert_eq!(offer.info.lookup("unix", "pid").unwrap(), std::process::id().to_string());
    let mut far = messages(accepted(offer).await);
    assert_eq!(message(&mut far).await, b"log line");
    send(&mut far, Part::binary("nowhere")).await.unwrap();
    client.send_to(b"another", &path).await.unwrap();
    assert_eq!(message(&mut far).await, b"another");
}

#[tokio::test]
async fn a_receiver_that_is_slow_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let server = UnixDatagram::bind(&path).unwrap();
    let cx = Context::new();
    let mut near = messages(connect(&cx, &format!("unix-dgram:{}", path.display())).await);
    let sending = async {
        for number in 0..1000_u32 {
            send(&mut near, Part::binary(number.to_be_bytes().to_vec())).await.unwrap();
        }
    };
    let receiving = async {
        let mut buf = [0; 8];
        for number in 0..1000_u32 {
            tokio::task::yield_now().await;
            let len = server.recv(&mut buf).await.unwrap();
            assert_eq!(buf[..len], number.to_be_bytes());
        }
    };
    timeout(LONG, async { tokio::join!(sending, receiving) }).await.unwrap();
}

#[tokio::test]
async fn an_empty_message_is_no_end_of_seqpacket() {
    let mut kind = Kind::new("unix-seqpacket:DIR/s").await;
    let (mut near, mut far) = kind.pair(b"x").await;
    for data in ["", "a", ""] {
        send(&mut near, Part::binary(data)).await.unwrap();
    }
    send(&mut near, Part::binary("last")).await.unwrap();
    poll_fn(|cx| near.poll_finish(cx, &End::eof())).await.unwrap();
    for data in ["", "a", "", "last"] {
        assert_eq!(message(&mut far).await, data.as_bytes());
    }
    assert!(next(&mut far).await.is_none());
    send(&mut far, Part::binary("late answer")).await.unwrap();
    assert_eq!(message(&mut near).await, b"late answer");
}

#[tokio::test]
async fn other_types_of_sockets_say_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let _server = UnixDatagram::bind(&path).unwrap();
    let cx = Context::new();
    let error = failure(try_connect(&cx, &format!("unix-seqpacket:{}", path.display())).await);
    assert!(error.hint().unwrap().contains("unix-dgram:PATH"), "{error}");
    let other = dir.path().join("t");
    let _server = tokio::net::UnixListener::bind(&other).unwrap();
    let error = failure(try_connect(&cx, &format!("unix-dgram:{}", other.display())).await);
    assert!(error.hint().unwrap().contains("unix:PATH"), "{error}");
    let text = format!("unix-dgram:{}", path.display());
    let error = failure(try_bind(&cx, &text).await);
    assert!(error.to_string().contains("in use"), "{error}");
}
