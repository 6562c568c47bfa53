//! A stream over a real descriptor, whose bytes may go past it. There is no reactor: the test's own
//! end wakes it.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use endpoint::{End, Life, Raw, SystemCall};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end that the splice has.
pub(crate) struct RawFake {
    socket: UnixStream,
    state: Arc<Mutex<State>>,
}

/// The end that the test has.
pub(crate) struct RawPeer {
    socket: UnixStream,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    wakers: Vec<Waker>,
    calls: usize,
    refuses_reads: bool,
    /// So many system calls that write are done; `None` is all.
    writes: Option<usize>,
}

/// A stream, and its other end.
pub(crate) fn raw_fake() -> (RawFake, RawPeer) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    let state = Arc::new(Mutex::new(State::default()));
    (RawFake { socket: ours, state: Arc::clone(&state) }, RawPeer { socket: theirs, state })
}

impl RawPeer {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn wake(&self) {
        let wakers = std::mem::take(&mut self.state().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Sends what the socket takes of it.
    pub(crate) fn send(&mut self, data: &[u8]) -> usize {
        let mut sent = 0;
        while let Ok(bytes) = self.socket.write(&data[sent..])
            && bytes > 0
        {
            sent += bytes;
        }
        self.wake();
        sent
    }

    pub(crate) fn end(&self) {
        self.socket.shutdown(std::net::Shutdown::Write).unwrap();
        self.wake();
    }

    /// Takes what has come.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        match self.socket.read_to_end(&mut taken) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        self.wake();
        taken
    }

    /// How many system calls were done on it.
    pub(crate) fn calls(&self) -> usize {
        self.state().calls
    }

    pub(crate) fn refuses_reads(&self) {
        self.state().refuses_reads = true;
    }

    /// After so many system calls that write, it wants to be written.
    pub(crate) fn refuses_writes_after(&self, calls: usize) {
        self.state().writes = Some(calls);
    }
}

impl RawFake {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn wait<T>(&self, cx: &Context<'_>, done: io::Result<T>) -> Poll<io::Result<T>> {
        match done {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.state().wakers.push(cx.waker().clone());
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }
}

impl AsyncRead for RawFake {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = (&self.socket).read(buf.initialize_unfilled());
        self.wait(cx, read).map_ok(|bytes| buf.advance(bytes))
    }
}

impl AsyncWrite for RawFake {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.wait(cx, (&self.socket).write(buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        panic!("an end has a reason: poll_finish says it")
    }
}

impl Life for RawFake {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        Poll::Ready(self.socket.shutdown(std::net::Shutdown::Write))
    }

    fn raw(&mut self) -> Option<&mut dyn Raw> {
        Some(self)
    }
}

impl Raw for RawFake {
    fn poll_read_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        if self.state().refuses_reads {
            return Poll::Ready(Err(ErrorKind::Unsupported.into()));
        }
        self.state().calls += 1;
        let done = call(self.socket.as_fd());
        self.wait(cx, done)
    }

    fn poll_write_by(
        &mut self,
        cx: &mut Context<'_>,
        call: SystemCall<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Some(writes) = &mut self.state().writes {
            if *writes == 0 {
                return Poll::Ready(Err(ErrorKind::Unsupported.into()));
            }
            *writes -= 1;
        }
        self.state().calls += 1;
        let done = call(self.socket.as_fd());
        self.wait(cx, done)
    }
}
