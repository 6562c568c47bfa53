//! Standard input and output stand-ins: pipes, sockets, terminals and files.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use futures_core::Stream as _;
use rustix::fs::{OFlags, fcntl_getfl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn stdio(input: impl AsFd, output: impl Into<OwnedFd>, keep: bool) -> Stdio {
    let output = output.into();
    let fd = output.try_clone().unwrap();
    // The stand-in for our descriptor is closed where the real one would be replaced.
    let close = move || {
        drop(output);
        Ok(())
    };
    let close = (!keep).then(|| Box::new(close) as output::Close);
    let output = Output::open(fd.as_fd(), close).unwrap();
    Stdio {
        input: Input::open(input.as_fd()).unwrap(),
        output,
        turn: None,
        hold: false,
        is_finished: false,
        held: None,
        typed: None,
    }
}

async fn finish(stdio: &mut Stdio) {
    poll_fn(|cx| stdio.poll_finish(cx, &End::eof())).await.unwrap();
}

fn is_blocking(fd: impl AsFd) -> bool {
    !fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

fn null() -> File {
    File::options().read(true).write(true).open("/dev/null").unwrap()
}

#[tokio::test]
async fn pipes_carry_bulk_and_ends() {
    let (input, mut feed) = io::pipe().unwrap();
    let (mut drain, output) = io::pipe().unwrap();
    let sent: Vec<u8> = (0..4_000_000_u32).map(|n| (n >> 7) as u8).collect();
    let expected = sent.clone();
    let feeding = std::thread::spawn(move || feed.write_all(&sent).unwrap());
    let draining = std::thread::spawn(move || {
        let mut got = Vec::new();
        drain.read_to_end(&mut got).unwrap();
        got
    });
    let mut stdio = stdio(&input, output, false);
    let mut all = Vec::new();
    stdio.read_to_end(&mut all).await.unwrap();
    stdio.write_all(&all).await.unwrap();
    finish(&mut stdio).await;
    // The reader sees the end although the session goes on.
    let got = draining.join().unwrap();
    feeding.join().unwrap();
    assert!(got == expected);
    assert!(is_blocking(&input), "the pipe is shared with others");
    drop(stdio);
}

#[tokio::test]
async fn the_end_of_input_leaves_the_output() {
    let (input, feed) = io::pipe().unwrap();
    let (mut drain, output) = io::pipe().unwrap();
    drop(feed);
    let mut stdio = stdio(&input, output, false);
    assert_eq!(stdio.read(&mut [0; 8]).await.unwrap(), 0);
    stdio.write_all(b"answer").await.unwrap();
    finish(&mut stdio).await;
    let mut got = String::new();
    drain.read_to_string(&mut got).unwrap();
    assert_eq!(got, "answer");
}

#[tokio::test]
async fn an_end_that_is_held_is_passed_on_once_the_other_side_has_ended() {
    let (_drain, output) = io::pipe().unwrap();
    let mut stdio = stdio(null(), output, false);
    stdio.hold = true;
    let mut piece = [0; 8];
    let mut buf = ReadBuf::new(&mut piece);
    // The result is the same before and after another thread has read the end.
    for _ in 0..20 {
        let read = poll_fn(|cx| Poll::Ready(Pin::new(&mut stdio).poll_read(cx, &mut buf))).await;
        assert!(read.is_pending());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    finish(&mut stdio).await;
    assert_eq!(stdio.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn so_is_an_end_that_is_held_behind_a_message() {
    let (input, mut feed) = io::pipe().unwrap();
    let (_drain, output) = io::pipe().unwrap();
    feed.write_all(b"all of it").unwrap();
    drop(feed);
    let framings = Framings {
        incoming: Arc::new(Whole),
        outgoing: Arc::new(Chunks),
        max: 64,
        timeout: None,
        rest: Partial::Send,
    };
    let mut framed = Framed::new(Box::new(stdio(&input, output, false)), framings).hold();
    let message = poll_fn(|cx| Pin::new(&mut framed).poll_next(cx)).await.unwrap().unwrap();
    assert_eq!(message.data, "all of it");
    let reader = poll_fn(|cx| Pin::new(&mut framed).poll_next(cx));
    assert!(tokio::time::timeout(Duration::from_millis(20), reader).await.is_err());
    poll_fn(|cx| framed.poll_finish(cx, &End::eof())).await.unwrap();
    assert!(poll_fn(|cx| Pin::new(&mut framed).poll_next(cx)).await.is_none());
}

#[tokio::test]
async fn a_kept_pipe_stays_open() {
    let (mut drain, output) = io::pipe().unwrap();
    let mut again = output.try_clone().unwrap();
    let mut stdio = stdio(null(), output, true);
    stdio.write_all(b"one ").await.unwrap();
    finish(&mut stdio).await;
    drop(stdio);
    again.write_all(b"two").unwrap();
    drop(again);
    let mut got = String::new();
    drain.read_to_string(&mut got).unwrap();
    assert_eq!(got, "one two");
}

#[tokio::test]
async fn one_socket_may_be_both() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut stdio = stdio(&ours, ours.try_clone().unwrap(), false);
    theirs.write_all(b"question").unwrap();
    let mut got = [0; 8];
    stdio.read_exact(&mut got).await.unwrap();
    stdio.write_all(b"answer").await.unwrap();
    finish(&mut stdio).await;
    let mut answer = String::new();
    theirs.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "answer");
    theirs.write_all(b"still read").unwrap();
    drop(theirs);
    let mut rest = String::new();
    stdio.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "still read");
    assert!(!is_blocking(&ours));
    drop(stdio);
    assert!(is_blocking(&ours), "it is left as it was found");
}

#[tokio::test]
async fn files_are_read_and_written_whole() {
    let mut input = tempfile::tempfile().unwrap();
    let mut output = tempfile::tempfile().unwrap();
    let text = "a line\n".repeat(100_000);
    input.write_all(text.as_bytes()).unwrap();
    input.rewind().unwrap();
    let mut stdio = stdio(&input, output.try_clone().unwrap(), false);
    let mut all = String::new();
    stdio.read_to_string(&mut all).await.unwrap();
    stdio.write_all(all.as_bytes()).await.unwrap();
    finish(&mut stdio).await;
    output.rewind().unwrap();
    let mut got = String::new();
    output.read_to_string(&mut got).unwrap();
    assert!(got == text);
}

#[tokio::test]
async fn dev_null_is_empty_and_takes_everything() {
    let mut stdio = stdio(null(), null(), false);
    assert_eq!(stdio.read(&mut [0; 8]).await.unwrap(), 0);
    stdio.write_all(&[0; 100_000]).await.unwrap();
    finish(&mut stdio).await;
}

#[tokio::test]
async fn a_terminal_is_shared_and_hangs_up() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let shell = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, rustix::fs::Mode::empty());
    let shell = File::from(shell.unwrap());
    let mut person = File::from(terminal);

    let mut stdio = stdio(&shell, shell.try_clone().unwrap(), false);
    person.write_all(b"typed\n").unwrap();
    let mut line = [0; 6];
    stdio.read_exact(&mut line).await.unwrap();
    assert_eq!(&line, b"typed\n");
    stdio.write_all(b"shown").await.unwrap();
    // A terminal stays: the shell goes on with it.
    finish(&mut stdio).await;
    assert!(is_blocking(&shell), "the shell would fail with EAGAIN");
    drop(person);
    assert_eq!(stdio.read(&mut [0; 8]).await.unwrap(), 0);
}

#[test]
fn one_session_at_a_time() {
    let ours = Arc::new(Ours::default());
    let mut first = Turn::take(Arc::clone(&ours)).ok().unwrap();
    assert_eq!(Turn::take(Arc::clone(&ours)).err(), Some(State::Used));
    first.closed = true;
    drop(first);
    assert_eq!(Turn::take(Arc::clone(&ours)).err(), Some(State::Closed));
}
