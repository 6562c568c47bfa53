//! The behaviour that every stream of bytes must have, whatever its kind: written once, run for each.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what was skipped is shown with --nocapture")]

mod common;

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::Poll;

use common::{LONG, bind, connect, failure, noise, pair_with, try_connect, with_path};
use endpoint::{Context, ErrorKind as Sort, Io};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::unconstrained;
use tokio::time::timeout;

/// How a test gets a connection.
struct Kind {
    listen: String,
    /// Parameters that the connecting side needs in addition to the listener's own descriptor.
    more: &'static str,
    _dir: tempfile::TempDir,
}

impl Kind {
    /// `None` where this machine doesn't have such connections.
    fn new(listen: &'static str) -> Option<Self> {
        let (listen, more) = listen.split_once(" and ").unwrap_or((listen, ""));
        if listen.starts_with("tcp6") && std::net::TcpListener::bind("[::1]:0").is_err() {
            println!("skipped: there is no IPv6 here");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let listen = listen.replace("DIR", dir.path().to_str().unwrap());
        // Abstract names are the machine's, and tests run at once.
        let listen = listen.replace("UNIQUE", dir.path().file_name().unwrap().to_str().unwrap());
        Some(Self { listen, more, _dir: dir })
    }

    async fn pair(&self) -> (Io, Io) {
        let (near, far) = pair_with(&Context::new(), &self.listen, self.more).await;
        (near.into_io(), far.into_io())
    }
}

const BULK: usize = 8 << 20;

async fn bulk_goes_both_ways_at_once(kind: Kind) {
    let (near, far) = kind.pair().await;
    let (a, b) = (noise(1, BULK), noise(2, BULK + 4097));
    let sides = async {
        let send = |io: Io, out: Vec<u8>| async move {
            let (mut read, mut write) = tokio::io::split(io);
            let writing = async {
                write.write_all(&out).await.unwrap();
                write.shutdown().await.unwrap();
            };
            let mut got = Vec::new();
            let reading = async { read.read_to_end(&mut got).await.unwrap() };
            tokio::join!(writing, reading);
            got
        };
        tokio::join!(send(near, a.clone()), send(far, b.clone()))
    };
    let (got_b, got_a) = timeout(LONG, sides).await.unwrap();
    assert!(got_a == a, "what the near side sent arrived changed");
    assert!(got_b == b, "what the far side sent arrived changed");
}

async fn late_answer(mut asks: Io, mut answers: Io) {
    asks.write_all(b"question").await.unwrap();
    asks.shutdown().await.unwrap();
    let mut question = String::new();
    answers.read_to_string(&mut question).await.unwrap();
    assert_eq!(question, "question");
    answers.write_all(b"late answer").await.unwrap();
    answers.shutdown().await.unwrap();
    let mut answer = String::new();
    asks.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "late answer");
}

async fn a_half_close_leaves_the_answer(kind: Kind) {
    let (near, far) = kind.pair().await;
    late_answer(near, far).await;
}

async fn a_half_close_of_the_far_side_leaves_the_answer(kind: Kind) {
    let (near, far) = kind.pair().await;
    late_answer(far, near).await;
}

async fn a_slow_reader_holds_the_writer_up(kind: Kind) {
    let (mut near, mut far) = kind.pair().await;
    let chunk = noise(3, 64 << 10);
    let mut sent = 0;
    // Nothing reads: writing must stop by itself, far below the size of the memory.
    unconstrained(poll_fn(|cx| {
        loop {
            match Pin::new(&mut near).poll_write(cx, &chunk[sent % chunk.len()..]) {
                Poll::Ready(written) => sent += written.unwrap(),
                Poll::Pending => return Poll::Ready(()),
            }
            assert!(sent < 64 << 20, "nothing holds the writer up");
        }
    }))
    .await;
    assert!(sent > 0);
    let (mut got, mut piece) = (Vec::new(), [0; 1000]);
    let reading = async {
        while got.len() < sent {
            let read = timeout(LONG, far.read(&mut piece)).await.unwrap().unwrap();
            got.extend_from_slice(&piece[..read]);
        }
    };
    // A framing may hold what the transport beneath didn't take.
    let (flushed, ()) = tokio::join!(near.flush(), reading);
    flushed.unwrap();
    let whole = got.chunks(chunk.len()).all(|part| part == &chunk[..part.len()]);
    assert!(whole, "what arrived isn't what was sent");
}

async fn nobody_listening_is_refused(kind: Kind) {
    let cx = Context::new();
    let accept = bind(&cx, &kind.listen).await;
    let to = accept.local().descriptor.clone() + kind.more;
    drop(accept);
    let error = failure(try_connect(&cx, &to).await);
    // A Unix socket's file is gone with its listener.
    assert!(matches!(error.kind(), Sort::Refused | Sort::NotFound), "{error}");
    assert!(error.hint().is_some(), "{error}");
}

async fn leaving_unread_data_is_a_reset(kind: Kind) {
    let (near, mut far) = kind.pair().await;
    far.write_all(b"never read").await.unwrap();
    far.flush().await.unwrap();
    drop(near);
    let mut nothing = Vec::new();
    let error = far.read_to_end(&mut nothing).await.unwrap_err();
    assert_eq!((error.kind(), &*nothing), (ErrorKind::ConnectionReset, &b""[..]));
}

async fn a_session_may_be_empty(kind: Kind) {
    let (mut near, mut far) = kind.pair().await;
    near.shutdown().await.unwrap();
    assert_eq!(far.read(&mut [0; 8]).await.unwrap(), 0);
    far.shutdown().await.unwrap();
    assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
}

async fn the_last_bytes_come_before_the_end(kind: Kind) {
    let (near, mut far) = kind.pair().await;
    let last = noise(4, 3 << 20);
    let expected = last.clone();
    let writer = tokio::spawn(async move {
        let mut near = near;
        near.write_all(&last).await.unwrap();
        near.shutdown().await.unwrap();
    });
    let mut got = Vec::new();
    timeout(LONG, far.read_to_end(&mut got)).await.unwrap().unwrap();
    assert!(got == expected);
    writer.await.unwrap();
}

macro_rules! suite {
    ($($name:ident: $listen:literal),* $(,)?) => {$(
        mod $name {
            suite!(@tests $listen:
                bulk_goes_both_ways_at_once
                a_half_close_leaves_the_answer
                a_half_close_of_the_far_side_leaves_the_answer
                a_slow_reader_holds_the_writer_up
                nobody_listening_is_refused
                leaving_unread_data_is_a_reset
                a_session_may_be_empty
                the_last_bytes_come_before_the_end
            );
        }
    )*};
    (@tests $listen:literal: $($test:ident)*) => {$(
        #[tokio::test]
        async fn $test() {
            if let Some(kind) = super::Kind::new($listen) {
                super::$test(kind).await;
            }
        }
    )*};
}

suite! {
    tcp: "tcp:0:interface=127.0.0.1",
    tcp4: "tcp4:0:127.0.0.1",
    tcp6: "tcp6:0:interface={::1}",
    unix: "unix:DIR/s",
    unix_abstract: "unix:@UNIQUE",
    mem: "mem:x",
    retry: "retry:{tcp:0:interface=127.0.0.1}",
    tee: "tee:{tcp:0:interface=127.0.0.1}:{null}",
    ws: "ws:{tcp:0:interface=127.0.0.1}",
    ws_unix: "ws:{unix:DIR/s}",
    ws_mem: "ws:{mem:x}",
    ws_deflate: "ws:{tcp:0:interface=127.0.0.1}:compression=on",
    tls: "tls:{tcp:0:interface=127.0.0.1}:cert=self-signed and :insecure=true",
    tls_unix: "tls:{unix:DIR/s}:cert=self-signed and :insecure=true:name=localhost",
    tls_mem: "tls:{mem:t}:cert=self-signed and :insecure=true:name=localhost",
    proxy: "proxy:{tcp:0:interface=127.0.0.1}",
    proxy_unix: "proxy:{unix:DIR/s}",
    proxy_mem: "proxy:{mem:p}:trusted=any",
    proxy_v1: "proxy:{tcp:0:interface=127.0.0.1} and :send=v1",
    proxy_optional: "proxy:{tcp:0:interface=127.0.0.1}:required=false",
    socks5: "socks5:{tcp:0:interface=127.0.0.1} and :host=h:port=1",
    socks4a: "socks5:{unix:DIR/s} and :host=h:port=1:version=4a",
    http_connect: "http-connect:{tcp:0:interface=127.0.0.1} and :host=h:port=1",
    http_connect_mem: "http-connect:{mem:c} and :host=h:port=1",
    wss: "ws:{tls:{tcp:0:interface=127.0.0.1}:cert=self-signed} and :insecure=true",
    framed: "framed:{tcp:0:interface=127.0.0.1}:by=chunks and :by=chunks",
    framed_length: "framed:{tcp:0:interface=127.0.0.1}:by=length:width=4 and :by=length:width=4",
    framed_slip: "framed:{unix:DIR/s}:by=slip and :by=slip",
    ws_base64: "ws:{tcp:0:interface=127.0.0.1}:subprotocol=base64",
}

/// Endpoints that answer what they are sent: one end is all there is to hold.
mod answering {
    use super::*;

    async fn everything_comes_back(cx: &Context, text: &str) {
        let (mut read, mut write) = tokio::io::split(connect(cx, text).await.into_io());
        let sent = noise(5, BULK);
        let writing = async {
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let mut got = Vec::new();
        let reading = async { read.read_to_end(&mut got).await.unwrap() };
        timeout(LONG, async { tokio::join!(writing, reading) }).await.unwrap();
        assert!(got == sent);
    }

    async fn nothing_comes_back_of_nothing(cx: &Context, text: &str) {
        let mut io = connect(cx, text).await.into_io();
        io.shutdown().await.unwrap();
        assert_eq!(timeout(LONG, io.read(&mut [0; 8])).await.unwrap().unwrap(), 0);
    }

    async fn writing_without_reading_stops(cx: &Context, text: &str) {
        let mut io = connect(cx, text).await.into_io();
        let chunk = [7; 32 << 10];
        let mut sent = 0;
        unconstrained(poll_fn(|cx| {
            loop {
                match Pin::new(&mut io).poll_write(cx, &chunk) {
                    Poll::Ready(written) => sent += written.unwrap(),
                    Poll::Pending => return Poll::Ready(()),
                }
                assert!(sent < 8 << 20, "nothing holds the writer up");
            }
        }))
        .await;
    }

    #[tokio::test]
    async fn process_cat() {
        let cx = with_path();
        everything_comes_back(&cx, "process:cat").await;
        nothing_comes_back_of_nothing(&cx, "process:cat").await;
        writing_without_reading_stops(&cx, "process:cat").await;
        assert!(cx.settled(LONG).await);
    }

    #[tokio::test]
    async fn telnet_over_an_echo_of_text() {
        // An echo of a telnet server's options would be answered; of plain bytes it is none.
        let cx = Context::new();
        nothing_comes_back_of_nothing(&cx, "telnet:echo").await;
        writing_without_reading_stops(&cx, "telnet:echo").await;
        let mut io = connect(&cx, "telnet:echo").await.into_io();
        let text = b"all work and no play".repeat(1000);
        io.write_all(&text).await.unwrap();
        io.flush().await.unwrap();
        let mut got = vec![0; text.len()];
        timeout(LONG, io.read_exact(&mut got)).await.unwrap().unwrap();
        assert!(got == text);
    }

    #[tokio::test]
    async fn pty_in_raw_mode() {
        let cx = with_path();
        writing_without_reading_stops(&cx, "pty:sh:-c:{stty raw -echo; exec sleep 1000}").await;
        let mut io =
            connect(&cx, "pty:sh:-c:{stty raw -echo; echo ready; exec cat}").await.into_io();
        let mut got = Vec::new();
        while !got.ends_with(b"ready\n") {
            got.push(timeout(LONG, io.read_u8()).await.unwrap().unwrap());
        }
        let (mut read, mut write) = tokio::io::split(io);
        let sent = noise(6, 1 << 20);
        let mut got = vec![0; sent.len()];
        let both = async { tokio::join!(write.write_all(&sent), read.read_exact(&mut got)) };
        let (written, read_all) = timeout(LONG, both).await.unwrap();
        written.unwrap();
        read_all.unwrap();
        assert!(got == sent);
    }

    #[tokio::test]
    async fn one_of_several() {
        let cx = Context::new();
        for text in ["fallback:{tcp:127.0.0.1:1}:{echo}", "balance:{echo}:{echo}:by=least"] {
            everything_comes_back(&cx, text).await;
            nothing_comes_back_of_nothing(&cx, text).await;
            writing_without_reading_stops(&cx, text).await;
        }
    }

    #[tokio::test]
    async fn echo() {
        let cx = Context::new();
        everything_comes_back(&cx, "echo").await;
        nothing_comes_back_of_nothing(&cx, "echo").await;
        writing_without_reading_stops(&cx, "echo").await;
    }
}

/// Kinds that no test of this form can hold both ends of, and the file that tests them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("route", "it is what it leads to; `tests/tests/route` looks it up"),
    ("target", "it is what it leads to: wisp.rs, ws2s.rs"),
    ("wisp", "its sessions share a connection: wisp.rs"),
    ("ws2s", "its sessions share a connection: ws2s.rs"),
    ("fd", "the program that starts us opens it: tests/tests/adopted.rs"),
    ("inetd", "the program that starts us opens it: tests/tests/adopted.rs"),
    ("systemd", "the program that starts us opens it: tests/tests/adopted.rs"),
    ("mock", "it follows a script: crates/endpoints/src/mock"),
    ("file", "it has one end: files.rs"),
    ("fifo", "it has one end: files.rs"),
    ("null", "it answers nothing: files.rs"),
    ("zero", "it answers without being asked: files.rs"),
    ("ssh", "the other end is a server: tests/tests/peers/ssh_kind.rs"),
    ("serial", "both ends are a pair of terminals: serial"),
    ("socks5-udp", "its messages have a proxy: associate/main.rs"),
    ("stdio", "it is this process's own: stdio.rs"),
    ("udp", "its messages have a separate suite: datagrams"),
    ("unix-dgram", "its messages have a separate suite: datagrams"),
    ("unix-seqpacket", "its messages have a separate suite: datagrams"),
];

#[test]
fn every_kind_is_tested_here_or_said_to_be_elsewhere() {
    let (here, _) = include_str!("behaviour.rs").split_once("const ELSEWHERE").unwrap();
    for kind in endpoints::KINDS {
        let name = kind.name;
        let typed = [format!("\"{name}:"), format!("\"{name}\"")];
        let is_here = typed.iter().any(|typed| here.contains(typed));
        let is_elsewhere = ELSEWHERE.iter().any(|(other, _)| *other == name);
        assert!(is_here != is_elsewhere, "{name}: here {is_here}, elsewhere {is_elsewhere}");
    }
}
