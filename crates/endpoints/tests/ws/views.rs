//! Both views over a stream that passes one byte at a time, every other time it is asked.

use endpoint::{Conn, End, Part, Reason};

use crate::support::*;

/// Both ends of `ws` over a stream in pieces.
async fn pair(parameters: &str) -> (Conn, Conn) {
    let mut server = Server::bind(&format!("ws:{{trickle:{{mem:s}}}}{parameters}")).await;
    let to = format!("ws:{{trickle:{{mem:s}}}}{parameters}");
    let far = async {
        let mut incoming = server.accept.accept().await.unwrap().unwrap();
        accepted(incoming.next().await.unwrap().unwrap()).await
    };
    let (near, far) = tokio::join!(connect(&server.cx, &to), far);
    (near.unwrap(), far)
}

#[tokio::test]
async fn bytes_pass_in_pieces_of_one() {
    for parameters in ["", ":subprotocol=base64"] {
        let (near, far) = pair(parameters).await;
        let (mut near, mut far) = (near.transport.into_bytes(), far.transport.into_bytes());
        let data = noise(2_000);
        for turn in 0..2 {
            let (from, to) = if turn == 0 { (&mut near, &mut far) } else { (&mut far, &mut near) };
            let send = async {
                for piece in data.chunks(700) {
                    write(&mut **from, piece).await;
                }
            };
            let ((), got) = tokio::join!(send, read_exact(&mut **to, data.len()));
            assert!(got == data);
        }
        let end = End::with_code(Reason::Application, 4000, "x");
        let send = finish(&mut *near, &end);
        let ((), got) = tokio::join!(send, read(&mut *far));
        assert!(got.unwrap().is_empty());
        assert_eq!(far.end().code, Some(4000));
    }
}

/// A started frame's length is remembered, and control frames wait for its end.
#[tokio::test]
async fn a_pong_never_splits_a_frame() {
    let mut server = Server::bind("ws:{trickle:{mem:s}}").await;
    let (mut peer, conn) = server.session(BINARY).await;
    let mut ws = conn.transport.into_bytes();
    let data = noise(3_000);
    let both = async {
        let (mut read, mut written) = ([0; 64], 0);
        std::future::poll_fn(|cx| {
            let _ = ws.poll_background(cx);
            let mut buf = tokio::io::ReadBuf::new(&mut read);
            let _ = std::pin::Pin::new(&mut *ws).poll_read(cx, &mut buf);
            // Less is handed in each time than the frame has announced at first.
            while written < data.len() {
                let end = data.len().min(written + 900);
                let write = std::pin::Pin::new(&mut *ws).poll_write(cx, &data[written..end]);
                let std::task::Poll::Ready(taken) = write else {
                    return std::task::Poll::Pending;
                };
                written += taken.unwrap();
            }
            std::task::Poll::Ready(())
        })
        .await;
        for _ in 0..300 {
            live_quickly(&mut *ws).await;
        }
    };
    let talk = async {
        let mut got = Vec::new();
        let mut pongs = 0;
        peer.send(masked(0x89, b"0")).await;
        while got.len() < data.len() {
            let frame = peer.frame().await.unwrap();
            match frame.first {
                0x82 => got.extend(frame.payload),
                0x8a => pongs += 1,
                other => panic!("{other:x}"),
            }
            peer.send(masked(0x89, b"again")).await;
        }
        (got, pongs)
    };
    let ((), (got, pongs)) = tokio::join!(both, talk);
    assert!(got == data);
    assert!(pongs > 0, "there were gaps between frames");
}

async fn live_quickly(ws: &mut dyn endpoint::ByteStream) {
    let mut buf = [0; 64];
    std::future::poll_fn(|cx| {
        let _ = ws.poll_background(cx);
        let mut buf = tokio::io::ReadBuf::new(&mut buf);
        let _ = std::pin::Pin::new(&mut *ws).poll_read(cx, &mut buf);
        std::task::Poll::Ready(())
    })
    .await;
    tokio::task::yield_now().await;
}

#[tokio::test]
async fn messages_pass_in_pieces_of_one() {
    for parameters in ["", ":subprotocol=base64"] {
        let (near, far) = pair(parameters).await;
        let (mut near, mut far) = (in_messages(near), in_messages(far));
        let all: Vec<Vec<u8>> = [0, 1, 125, 126, 5_000].map(noise).into();
        for turn in 0..2 {
            let (from, to) = if turn == 0 { (&mut near, &mut far) } else { (&mut far, &mut near) };
            let send = async {
                for data in &all {
                    let (one, two) = data.split_at(data.len() / 2);
                    let part =
                        |data: &[u8], last| Part { data: data.to_vec().into(), text: false, last };
                    put(&mut **from, part(one, false)).await;
                    put(&mut **from, part(two, true)).await;
                }
            };
            let get = async {
                for data in &all {
                    assert!(message(&mut **to).await.0 == *data, "{} bytes", data.len());
                }
            };
            tokio::join!(send, get);
        }
    }
}

#[tokio::test]
async fn a_buffer_of_one_byte_is_enough() {
    for headers in [BINARY, BASE64, ""] {
        let (mut peer, mut ws) = session("", headers).await;
        let text = headers == BASE64;
        let frame = if text { masked(0x81, b"aGVsbG8=") } else { masked(0x82, b"hello") };
        peer.send(frame).await;
        let mut got = Vec::new();
        while got.len() < 5 {
            got.extend(read_exact(&mut *ws, 1).await);
        }
        assert_eq!(got, b"hello");
    }
}

#[tokio::test]
async fn what_messages_had_read_is_there_as_bytes() {
    let (mut peer, mut ws) = messages("", "").await;
    let mut frames = masked(0x82, b"first");
    frames.extend(masked(0x82, b"second"));
    peer.send(frames).await;
    assert_eq!(message(&mut *ws).await.0, b"first");
    let mut ws = ws.into_bytes();
    assert_eq!(read_exact(&mut *ws, 6).await, b"second");
}

#[tokio::test]
async fn autofrag_limits_frames_without_an_empty_one() {
    for (size, lengths) in [(12, vec![4, 4, 4]), (13, vec![4, 4, 4, 1]), (4, vec![4]), (3, vec![3])]
    {
        let mut server = Server::bind("autobahn:{mem:s}:autofrag=4").await;
        let (mut peer, conn) = server.session(BINARY).await;
        let mut ws = in_messages(conn);
        put(&mut *ws, Part::binary(noise(size))).await;
        let mut firsts = Vec::new();
        for (index, length) in lengths.iter().enumerate() {
            let frame = peer.frame().await.unwrap();
            assert_eq!(frame.payload.len(), *length);
            firsts.push((index, frame.first));
        }
        assert_eq!(firsts.first().unwrap().1 & 0x0f, 2);
        assert_eq!(firsts.last().unwrap().1 & 0x80, 0x80);
        let mut ws = ws.into_bytes();
        write(&mut *ws, b"123456789").await;
        assert_eq!(peer.frame().await.unwrap().payload, b"1234");
        assert_eq!(peer.payload(5).await, b"56789");
    }
}

#[tokio::test]
async fn many_small_messages_leave_in_few_writes() {
    use futures_util::SinkExt;
    let (mut peer, mut ws) = messages("", BINARY).await;
    for _ in 0..100 {
        ws.feed(Part::binary("x")).await.unwrap();
    }
    assert!(peer.is_quiet().await, "they wait for a flush");
    ws.flush().await.unwrap();
    assert_eq!(peer.payload(100).await, [b'x'; 100]);
}

/// A session polls both directions from one task; the owner of a split stream doesn't. A pong that waits for
/// room must not be woken instead of the writer that waits for it too.
#[tokio::test]
async fn both_halves_may_live_in_tasks_of_their_own() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut server = Server::bind("ws:{mem:s:capacity=2k}").await;
    let (mut peer, conn) = server.session(BINARY).await;
    let (mut reads, mut writes) = tokio::io::split(conn.into_io());
    let data = noise(100_000);
    let sent = data.clone();
    let writer = tokio::spawn(async move {
        writes.write_all(&sent).await.unwrap();
        writes
    });
    let reader = tokio::spawn(async move {
        let mut buf = [0; 64];
        while reads.read(&mut buf).await.unwrap() > 0 {}
    });
    let mut got = Vec::new();
    let mut turns = 0;
    while got.len() < data.len() {
        turns += 1;
        assert!(turns < 10_000, "only pongs come: {} bytes of data did", got.len());
        peer.send(masked(0x89, b"ping")).await;
        peer.send(masked(0x82, b"x")).await;
        tokio::task::yield_now().await;
        let frame = peer.frame().await.unwrap();
        if frame.first == 0x82 {
            got.extend(frame.payload);
        }
    }
    assert!(got == data);
    drop(reader);
    drop(writer);
}
