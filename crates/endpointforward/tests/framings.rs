//! Messages on one side and bytes on the other, with a framing between them: whole sessions.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use bytes::BytesMut;
use endpoint::Reason;
use endpointforward::framing::{Decode, Decoded, Encode, Error as Broken, Framing, Message};
use endpointforward::kind::FramingKind;
use endpointforward::{Endpoints, Forwarder, Part, Transport, registry};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Messages = Box<dyn endpoint::MessageStream>;

/// A WebSocket client of a forwarder in front of `destination`.
async fn client(endpoints: Endpoints, listen: &str, destination: &str) -> Messages {
    let forwarding = Forwarder::with(endpoints, &[listen], destination).unwrap();
    let forwarding = forwarding.bind().await.unwrap();
    let url = forwarding.locals()[0].url.clone().unwrap().replace("http", "ws");
    tokio::spawn(forwarding.run());
    let text = format!("{{{url}}}:subprotocol=");
    match endpointforward::connect(&text).await.unwrap().transport {
        Transport::Messages(stream) => stream,
        Transport::Bytes(_) => panic!("a WebSocket has messages"),
    }
}

const LISTEN: &str = "ws:{tcp:0:interface=127.0.0.1}";

#[tokio::test]
async fn a_websocket_knows_where_lines_of_the_destination_end() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("tcp:{}", server.local_addr().unwrap());
    let listen = format!("{LISTEN}:framing=lines");
    let (mut client, (mut stream, _)) =
        tokio::join!(client(Endpoints::new(), &listen, &to), async {
            server.accept().await.unwrap()
        });
    stream.write_all(b"one\ntwo\r\nthr").await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Part::text("one"));
    assert_eq!(client.next().await.unwrap().unwrap(), Part::text("two"));
    stream.write_all(b"ee\n").await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Part::text("three"));
    client.send(Part::text("hello")).await.unwrap();
    let mut got = [0; 6];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello\n");
}

#[tokio::test]
async fn a_framed_destination_gives_messages_and_its_mistakes_have_a_code() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("framed:{{tcp:{}}}:by=length:width=4:max=100", server.local_addr().unwrap());
    let (mut client, (mut stream, _)) =
        tokio::join!(client(Endpoints::new(), LISTEN, &to), async {
            server.accept().await.unwrap()
        });
    stream.write_all(b"\0\0\0\x02hi\0\0\x01\0").await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Part::binary("hi"));
    assert!(client.next().await.is_none());
    let end = client.end();
    assert_eq!((end.code, end.why), (Some(1009), Reason::TooBig));
    assert_eq!(end.reason, "a message is longer than 100 bytes");
}

#[tokio::test]
async fn a_message_that_is_too_long_for_the_destination_is_refused_with_1009() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("framed:{{tcp:{}}}:by=length:width=1", server.local_addr().unwrap());
    let mut client = client(Endpoints::new(), LISTEN, &to).await;
    client.send(Part::binary(vec![0; 300])).await.unwrap();
    assert!(client.next().await.is_none());
    let end = client.end();
    assert_eq!(end.code, Some(1009), "{end}");
    assert_eq!(end.reason, "a message of 300 bytes is too long for a length field of 1 bytes");
}

#[tokio::test]
async fn a_datagram_that_is_too_long_is_refused_with_1009() {
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = format!("udp:{}", server.local_addr().unwrap());
    let mut first = client(Endpoints::new(), LISTEN, &to).await;
    first.send(Part { data: vec![1; 40_000].into(), text: false, last: false }).await.unwrap();
    first.send(Part::binary(vec![1; 40_000])).await.unwrap();
    assert!(first.next().await.is_none());
    assert_eq!(first.end().code, Some(1009));
    let end = first.end();
    assert!(end.reason.ends_with("bytes or more: the limit is 65536"), "{end}");
    // Fragments that fit are one datagram.
    let mut second = client(Endpoints::new(), LISTEN, &to).await;
    second.send(Part { data: vec![1; 30_000].into(), text: false, last: false }).await.unwrap();
    second.send(Part::binary(vec![2; 30_000])).await.unwrap();
    let mut buf = vec![0; 1 << 16];
    let (len, from) = server.recv_from(&mut buf).await.unwrap();
    assert_eq!(len, 60_000);
    server.send_to(&buf[..len], from).await.unwrap();
    let (mut back, mut messages) = (Vec::new(), 0);
    while back.len() < len {
        let part = second.next().await.unwrap().unwrap();
        back.extend_from_slice(&part.data);
        messages += usize::from(part.last);
    }
    assert!(back == buf[..len] && messages == 1);
}

/// IPv4 has datagrams of up to 65,507 bytes, and of none.
#[tokio::test]
async fn the_smallest_and_the_largest_datagram_pass_and_one_byte_more_is_refused() {
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = format!("udp:{}", server.local_addr().unwrap());
    let mut client = client(Endpoints::new(), LISTEN, &to).await;
    let mut buf = vec![0; 1 << 16];
    for size in [0, 65_507, 0, 1] {
        let data = vec![7; size];
        client.send(Part::binary(data.clone())).await.unwrap();
        let (len, from) = server.recv_from(&mut buf).await.unwrap();
        assert!(buf[..len] == data, "{size} there");
        server.send_to(&data, from).await.unwrap();
        let mut back = Vec::new();
        loop {
            let part = client.next().await.unwrap().unwrap();
            back.extend_from_slice(&part.data);
            if part.last {
                break;
            }
        }
        assert!(back == data, "{size} back");
    }
    client.send(Part::binary(vec![7; 65_508])).await.unwrap();
    assert!(client.next().await.is_none());
    let end = client.end();
    assert_eq!((end.code, end.why), (Some(1009), Reason::TooBig), "{end}");
    let words = "refused a message of 65508 bytes: the path carries no datagram of this size";
    assert_eq!(end.reason, words);
}

/// Nothing listens there: the client reads an error, and not an orderly end.
#[tokio::test]
async fn a_refused_datagram_ends_the_session() {
    let gone = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = format!("udp:{}", gone.local_addr().unwrap());
    drop(gone);
    let mut client = client(Endpoints::new(), LISTEN, &to).await;
    client.send(Part::binary("x")).await.unwrap();
    assert!(client.next().await.is_none());
    assert_eq!(client.end().code, Some(1011));
    assert_eq!(client.end().reason, "connection refused");
}

/// Modbus over TCP: requests with their header are messages, however the answers are cut.
#[tokio::test]
async fn a_modbus_server_answers_message_by_message() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!(
        "framed:{{tcp:{}}}:by=length:width=2:offset=4:header=keep",
        server.local_addr().unwrap()
    );
    let (mut client, (mut stream, _)) =
        tokio::join!(client(Endpoints::new(), LISTEN, &to), async {
            server.accept().await.unwrap()
        });
    let request = [0, 1, 0, 0, 0, 6, 17, 3, 0, 0x6B, 0, 3];
    client.send(Part::binary(request.to_vec())).await.unwrap();
    let mut got = [0; 12];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(got, request);
    let answers = [
        &[0, 1, 0, 0, 0, 9, 17, 3, 6, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40][..],
        &[0, 2, 0, 0, 0, 3, 17, 0x83, 2],
    ];
    for piece in answers.concat().chunks(4) {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    for answer in answers {
        assert_eq!(client.next().await.unwrap().unwrap(), Part::binary(answer.to_vec()));
    }
}

/// OSC over TCP: a packet is a datagram on the other side, and back.
#[tokio::test]
async fn packets_of_slip_are_datagrams() {
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = format!("udp:{}", server.local_addr().unwrap());
    let forwarder = Forwarder::new("framed:{tcp:0:interface=127.0.0.1}:by=slip", &to).unwrap();
    assert!(forwarder.warnings().is_empty());
    let forwarding = forwarder.bind().await.unwrap();
    let address = forwarding.locals()[0].address.unwrap();
    tokio::spawn(forwarding.run());
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"\xC0/fader\0\0,f\0\0\xDB\xDC\xC0\xC0/next\xC0").await.unwrap();
    let mut buf = [0; 64];
    let (len, from) = server.recv_from(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"/fader\0\0,f\0\0\xC0");
    let (len, _) = server.recv_from(&mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"/next");
    server.send_to(b"\xDBmeter", from).await.unwrap();
    let mut got = [0; 9];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"\xC0\xDB\xDDmeter\xC0");
}

#[tokio::test]
async fn a_program_has_lines_and_its_status_is_in_the_close() {
    let program = "process:sh:-c:{read x; echo \"got $x\"; echo more; exit 7}:framing=lines";
    let mut client = client(Endpoints::new(), LISTEN, program).await;
    client.send(Part::text("it")).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Part::text("got it"));
    assert_eq!(client.next().await.unwrap().unwrap(), Part::text("more"));
    assert!(client.next().await.is_none());
    assert_eq!(client.end().code, Some(1000));
    assert_eq!(client.end().reason, "exit status 7");
}

// === A framing from outside of this project ===

/// Words, with a blank behind each.
static WORDS: FramingKind = FramingKind {
    name: "words",
    about: "A word is a message",
    params: &[],
    plan: |_| Ok(Arc::new(Words)),
};

#[derive(Clone, Copy, Debug)]
struct Words;

impl Framing for Words {
    fn decoder(&self, _: usize) -> Box<dyn Decode> {
        Box::new(Self)
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Self)
    }
}

impl Decode for Words {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Broken> {
        let Some(at) = buf.iter().position(|byte| *byte == b' ') else { return Ok(Decoded::More) };
        let word = buf.split_to(at + 1).freeze();
        Ok(Decoded::Message(Message::of(word.slice(..at))))
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        Message::of(buf.split().freeze())
    }
}

impl Encode for Words {
    fn encode(&mut self, data: &[u8], _: bool, out: &mut BytesMut) -> Result<(), Broken> {
        out.extend_from_slice(data);
        out.extend_from_slice(b" ");
        Ok(())
    }
}

#[tokio::test]
async fn a_framing_of_ones_own_is_used_by_every_kind() {
    let endpoints = || Endpoints::new().registry(registry().add_framing(&WORDS));
    for (listen, destination) in [
        (format!("{LISTEN}:framing=words"), "process:cat".to_owned()),
        (LISTEN.to_owned(), "process:cat:framing=words".to_owned()),
        (LISTEN.to_owned(), "framed:{process:cat}:by=words".to_owned()),
    ] {
        let mut client = client(endpoints(), &listen, &destination).await;
        client.send(Part::text("all")).await.unwrap();
        client.send(Part::text("work")).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), Part::text("all"));
        assert_eq!(client.next().await.unwrap().unwrap(), Part::text("work"));
    }
    assert!(Endpoints::new().connector("framed:9000:by=words").is_err());
}
