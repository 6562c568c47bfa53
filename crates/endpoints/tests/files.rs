//! `file`, `fifo`, `null`, `zero`, and `tee`, whose copies often go to a file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use common::{
    LONG, Log, accepted, bind, connect, connector, failure, listener, noise, offer, shown,
    try_bind, try_connect, with_path,
};
use descriptor::Report;
use endpoint::{Context, Exposure, Grants, Io, Reason, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

async fn open(text: &str) -> Io {
    connect(&Context::new(), text).await.into_io()
}

async fn read_all(mut io: Io) -> Vec<u8> {
    let mut got = Vec::new();
    timeout(LONG, io.read_to_end(&mut got)).await.unwrap().unwrap();
    got
}

async fn read_some(io: &mut Io, len: usize) -> Vec<u8> {
    let mut got = vec![0; len];
    timeout(LONG, io.read_exact(&mut got)).await.unwrap().unwrap();
    got
}

fn add(path: &Path, data: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(data.as_bytes()).unwrap();
}

// === file ===

#[tokio::test]
async fn a_file_is_read_to_its_end_whatever_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let data = noise(1, 300_000);
    fs::write(&path, &data).unwrap();
    let mut io = open(&format!("file:{}", path.display())).await;
    io.write_all(b"forgotten").await.unwrap();
    io.shutdown().await.unwrap();
    assert!(read_all(io).await == data);
    assert!(read_all(open(&format!("file:{}:from=end", path.display())).await).await.is_empty());
    assert_eq!(fs::read(&path).unwrap().len(), data.len());
}

#[tokio::test]
async fn a_file_is_replaced_or_added_to_and_made_with_a_mode() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let text = |more: &str| format!("file:{}:{more}", path.display());
    let write = |text: String, data: &'static [u8]| async move {
        let mut io = open(&text).await;
        io.write_all(data).await.unwrap();
        io.shutdown().await.unwrap();
        assert!(read_all(io).await.is_empty());
    };
    let error = failure(try_connect(&Context::new(), &text("access=append")).await);
    assert!(error.hint().unwrap().contains("create=MODE"), "{error}");
    write(text("access=append:create=606"), b"one ").await;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o606);
    write(text("access=append:create=600"), b"two").await;
    assert_eq!(fs::read(&path).unwrap(), b"one two");
    write(text("access=write"), b"new").await;
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o606);
}

#[tokio::test]
async fn a_file_that_grows_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, "old\n").unwrap();
    let mut all = open(&format!("file:{}:follow=true", path.display())).await;
    let mut tail = open(&format!("file:{}:follow=true:from=end", path.display())).await;
    assert_eq!(read_some(&mut all, 4).await, b"old\n");
    // It is at the end before something is added: the first read has been made.
    let waiting = timeout(Duration::from_millis(100), tail.read_u8());
    assert!(waiting.await.is_err());
    for data in ["one\n", "two\n"] {
        add(&path, data);
        assert_eq!(read_some(&mut all, 4).await, data.as_bytes());
        assert_eq!(read_some(&mut tail, 4).await, data.as_bytes());
    }
    // Rotated: another file has the name.
    fs::rename(&path, dir.path().join("log.1")).unwrap();
    fs::write(&path, "fresh\n").unwrap();
    assert_eq!(read_some(&mut tail, 6).await, b"fresh\n");
    add(&path, "more\n");
    assert_eq!(read_some(&mut tail, 5).await, b"more\n");
    // Made shorter.
    fs::write(&path, "a\n").unwrap();
    assert_eq!(read_some(&mut tail, 2).await, b"a\n");
    // A client that leaves ends it.
    tail.shutdown().await.unwrap();
    assert!(read_all(tail).await.is_empty());
}

#[tokio::test]
async fn a_file_that_is_replaced_is_followed_to_its_own_end_first() {
    let dir = tempfile::tempdir().unwrap();
    let (path, new) = (dir.path().join("f"), dir.path().join("new"));
    fs::write(&path, "one\n").unwrap();
    let mut all = open(&format!("file:{}:follow=true", path.display())).await;
    assert_eq!(read_some(&mut all, 4).await, b"one\n");
    for number in 0..20 {
        // It is looked at after both: nothing runs in between.
        add(&path, "last\n");
        fs::write(&new, format!("new {number:02}\n")).unwrap();
        fs::rename(&new, &path).unwrap();
        let expected = format!("last\nnew {number:02}\n");
        assert_eq!(read_some(&mut all, expected.len()).await, expected.as_bytes());
    }
}

#[tokio::test]
async fn what_is_no_file_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let cx = Context::new();
    let at = |name: &str| dir.path().join(name).display().to_string();
    rustix::fs::mknodat(rustix::fs::CWD, at("p"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("s")).unwrap();
    for (path, hint) in [
        (at("p"), format!("for a named pipe, write `fifo:{}`", at("p"))),
        (dir.path().display().to_string(), "give the path of a file".to_owned()),
        ("/dev/null".to_owned(), "`serial:/dev/null`".to_owned()),
    ] {
        let error = failure(try_connect(&cx, &format!("file:{path}")).await);
        assert!(error.hint().unwrap().contains(&hint), "{}", shown(&error));
    }
    let error = failure(try_connect(&cx, &format!("file:{}", at("none"))).await);
    assert_eq!(
        shown(&error),
        format!("cannot open file:{}: no such file or directory\ncheck the path", at("none"))
    );
    let text = "file:/x:create=600";
    let warning = Report::new(text, &connector(text).warnings).to_string();
    assert!(warning.contains("`create` has no effect: the file is read"), "{warning}");
    assert_eq!(connector("file:/x").endpoint.grants(), Grants::File);
    assert!(!Exposure::Public.allows(Grants::File));
}

#[tokio::test]
async fn as_the_near_side_a_file_is_one_session() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "script").unwrap();
    let mut accept = bind(&Context::new(), &format!("file:{}", path.display())).await;
    let near = accepted(offer(&mut *accept).await).await;
    assert_eq!(read_all(near.into_io()).await, b"script");
    assert!(timeout(LONG, accept.accept()).await.unwrap().unwrap().is_none());
}

// === fifo ===

#[tokio::test]
async fn a_pipe_is_read_until_its_last_writer_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p");
    let cx = Context::new();
    let mut accept = bind(&cx, &format!("fifo:{}:create=640", path.display())).await;
    let made = fs::metadata(&path).unwrap();
    assert!(made.file_type().is_fifo());
    assert_eq!(made.permissions().mode() & 0o7777, 0o640);
    for data in ["first", "second"] {
        let path = path.clone();
        let writer = tokio::task::spawn_blocking(move || fs::write(path, data).unwrap());
        // A session begins with its writer.
        let near = accepted(offer(&mut *accept).await).await;
        assert_eq!(read_all(near.into_io()).await, data.as_bytes());
        writer.await.unwrap();
    }
}

/// A writer may come between the end of a session and the next one, or while a session takes its end in.
#[tokio::test]
async fn nothing_is_lost_between_two_writers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p");
    let mut accept = bind(&Context::new(), &format!("fifo:{}:create=600", path.display())).await;
    let mut got = Vec::new();
    for turn in 0..20_u8 {
        fs::write(&path, [turn]).unwrap();
        let near = accepted(offer(&mut *accept).await).await;
        let mut io = near.into_io();
        let mut first = [0];
        io.read_exact(&mut first).await.unwrap();
        got.extend(first);
        // It has read everything, and not its end yet.
        fs::write(&path, [turn + 100]).unwrap();
        got.extend(read_all(io).await);
        // Its end is read, and it isn't closed yet.
        fs::write(&path, [turn + 200]).unwrap();
        let near = accepted(offer(&mut *accept).await).await;
        got.extend(read_all(near.into_io()).await);
    }
    let sent: Vec<u8> = (0..20).flat_map(|turn| [turn, turn + 100, turn + 200]).collect();
    assert_eq!(got, sent);
}

/// A session that ends before its writer does closes the pipe, which tells the writer.
#[tokio::test]
async fn a_writer_learns_that_nobody_reads_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p");
    let mut accept = bind(&Context::new(), &format!("fifo:{}:create=600", path.display())).await;
    let mut writer = fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::io::Write::write_all(&mut writer, b"x").unwrap();
    drop(accepted(offer(&mut *accept).await).await);
    let next = tokio::spawn(async move { offer(&mut *accept).await });
    let broken = tokio::task::spawn_blocking(move || {
        while std::io::Write::write_all(&mut writer, b"y").is_ok() {
            std::thread::yield_now();
        }
    });
    broken.await.unwrap();
    next.abort();
}

#[tokio::test]
async fn a_pipe_is_written_once_somebody_reads() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p");
    let text = format!("fifo:{}:access=write:create=600", path.display());
    let error = failure(try_connect(&Context::new(), &format!("{text}:timeout=50ms")).await);
    assert!(error.to_string().ends_with("no process reads from the pipe"), "{error}");
    let reader = tokio::task::spawn_blocking(move || fs::read(path).unwrap());
    let mut io = open(&text).await;
    io.write_all(b"hello").await.unwrap();
    io.shutdown().await.unwrap();
    assert!(read_all(io).await.is_empty());
    assert_eq!(reader.await.unwrap(), b"hello");
    let error = failure(try_connect(&Context::new(), "fifo:/etc/passwd").await);
    assert_eq!(error.hint(), Some("for a file, write `file:/etc/passwd`"), "{error}");
}

// === null and zero ===

#[tokio::test]
async fn null_takes_everything_and_says_nothing_but_its_end() {
    let mut io = open("null").await;
    for _ in 0..100 {
        io.write_all(&[7; 100_000]).await.unwrap();
    }
    assert!(timeout(Duration::from_millis(50), io.read_u8()).await.is_err());
    io.shutdown().await.unwrap();
    assert!(read_all(io).await.is_empty());
}

#[tokio::test]
async fn zero_says_zeros_until_it_is_told_the_end() {
    let mut io = open("zero").await;
    io.write_all(b"forgotten").await.unwrap();
    assert_eq!(read_some(&mut io, 1 << 20).await, vec![0; 1 << 20]);
    io.shutdown().await.unwrap();
    assert!(read_all(io).await.is_empty());
    let mut accept = bind(&Context::new(), "null").await;
    drop(accepted(offer(&mut *accept).await).await);
    assert!(timeout(LONG, accept.accept()).await.unwrap().unwrap().is_none());
}

// === tee ===

#[tokio::test]
async fn a_copy_has_both_directions_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let cx = with_path();
    for (copy, expected) in [("both", "askask"), ("received", "ask"), ("sent", "ask")] {
        let text =
            format!("tee:echo:{{file:{}:access=write:create=600}}:copy={copy}", path.display());
        let mut io = connect(&cx, &text).await.into_io();
        io.write_all(b"ask").await.unwrap();
        io.flush().await.unwrap();
        assert_eq!(read_some(&mut io, 3).await, b"ask");
        drop(io);
        assert!(cx.settled(LONG).await, "the copy is brought to its end");
        assert_eq!(fs::read_to_string(&path).unwrap(), expected, "{copy}");
    }
}

/// The copy is not read in time: the session has all it was sent, and what is missing from the copy is counted.
#[tokio::test]
async fn a_copy_that_stalls_delays_nobody() {
    let log = Log::default();
    let _installed = log.install();
    let cx = Context::new();
    let mut stalls = bind(&cx, "mem:stalls").await;
    let (near, copy) =
        tokio::join!(connect(&cx, "tee:echo:{mem:stalls}:buffer=64k:grace=100ms"), async {
            accepted(offer(&mut *stalls).await).await
        });
    let (mut read, mut write) = tokio::io::split(near.into_io());
    let data = noise(2, 8 << 20);
    let writing = async {
        write.write_all(&data).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let reading = async { read.read_to_end(&mut got).await.unwrap() };
    timeout(LONG, async { tokio::join!(writing, reading) }).await.unwrap();
    assert!(got == data);
    drop((read, write));
    assert!(cx.settled(LONG).await, "what isn't taken in time is given up");
    let mut copied = Vec::new();
    // Its end is cut.
    let _cut = copy.into_io().read_to_end(&mut copied).await;
    let text = log.text();
    let (before, _) = text.split_once(" bytes were not copied to mem:stalls pieces=").expect(&text);
    let lost: usize = before.rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(copied.len() + lost, 2 * data.len(), "{text}");
}

/// A socket that is closed while an answer lies unread in it is reset, and what it has not sent is lost.
#[tokio::test]
async fn a_copy_is_whole_whatever_its_endpoint_answers() {
    let cx = Context::new();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(8192).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let server = socket.listen(1).unwrap();
    let to = server.local_addr().unwrap();
    let mut io =
        connect(&cx, &format!("tee:{{null}}:{{tcp:{to}}}:copy=sent:buffer=8M")).await.into_io();
    let data = noise(3, 2 << 20);
    io.write_all(&data).await.unwrap();
    io.shutdown().await.unwrap();
    drop(io);
    let (mut copy, _) = timeout(LONG, server.accept()).await.unwrap().unwrap();
    let (mut got, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        copy.write_all(b"so far\n").await.unwrap();
        match timeout(LONG, copy.read(&mut piece)).await.unwrap().unwrap() {
            0 => break,
            len => got.extend_from_slice(&piece[..len]),
        }
    }
    assert!(got == data, "{} bytes of {}", got.len(), data.len());
    drop(copy);
    assert!(cx.settled(LONG).await);
}

#[tokio::test]
async fn a_copy_that_fails_ends_nothing() {
    let cx = Context::new();
    let mut io = connect(&cx, "tee:echo:{mem:nobody}").await.into_io();
    for _ in 0..3 {
        io.write_all(b"still here").await.unwrap();
        io.flush().await.unwrap();
        assert_eq!(read_some(&mut io, 10).await, b"still here");
    }
    drop(io);
    assert!(cx.settled(LONG).await);
}

#[tokio::test]
async fn datagrams_are_copied_as_datagrams() {
    let cx = Context::new();
    let server = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let text = format!(
        "tee:{{udp:0:interface=127.0.0.1}}:{{udp:{}}}:copy=received",
        server.local_addr().unwrap()
    );
    let mut accept = bind(&cx, &text).await;
    assert!(accept.local().descriptor.starts_with("tee:{udp:127.0.0.1:"));
    let client = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.connect(accept.local().address.unwrap()).await.unwrap();
    client.send(b"one").await.unwrap();
    let mut near = accepted(offer(&mut *accept).await).await.into_io();
    assert_eq!(read_some(&mut near, 3).await, b"one");
    client.send(b"two").await.unwrap();
    assert_eq!(read_some(&mut near, 3).await, b"two");
    let mut buf = [0; 16];
    for data in [b"one", b"two"] {
        let len = timeout(LONG, server.recv(&mut buf)).await.unwrap().unwrap();
        assert_eq!(&buf[..len], data);
    }
}

/// Planning compares a listener with its destination; the endpoint that gets the copies is behind it as well.
#[tokio::test]
async fn a_copy_is_as_exposed_as_a_destination() {
    let cx = with_path();
    let error = failure(try_bind(&cx, "tee:{tcp:0}:{process:cat}").await);
    assert!(error.to_string().contains("other machines could reach a program"), "{error}");
    try_bind(&cx, "tee:{tcp:0}:{process:cat}:auth=none").await.unwrap();
    try_bind(&cx, "tee:{tcp:0:interface=127.0.0.1}:{process:cat}").await.unwrap();
    assert_eq!(connector("tee:{tcp:h:80}:{process:cat}").endpoint.grants(), Grants::Program);
    assert_eq!(listener("tee:{tcp:0}:{null}").endpoint.exposure(), Exposure::Public);
}

/// The writer learns of the lost reader at once, and not at the end of its data.
#[tokio::test]
async fn a_pipe_that_nobody_reads_any_more_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p");
    let reader = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    let reader = rustix::fs::open(&path, reader, 0.into()).unwrap();
    let conn = connect(&Context::new(), &format!("fifo:{}:access=write", path.display())).await;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("bytes") };
    stream.write_all(b"read by nobody").await.unwrap();
    drop(reader);
    let error = timeout(LONG, stream.write_all(b"x")).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert_eq!(timeout(LONG, stream.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
    assert_eq!(stream.end().why, Reason::Failed);
}
