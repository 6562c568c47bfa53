//! The session's end of a file.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use endpoint::{End, Ending, Life};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

use super::follow::{Change, Follow};
use crate::mute::Mute;

/// A file that is read. Data sent to it is discarded.
pub(super) struct Reading {
    file: File,
    /// The start position, until it has been reached.
    seek: Option<io::SeekFrom>,
    is_seeking: bool,
    follow: Option<Follow>,
    /// The file that has the name now. The rest of the previous file is read first.
    next: Option<std::fs::File>,
    /// So much was read.
    position: u64,
    /// A look at what has become of the file.
    look: Option<Look>,
    is_finished: bool,
    reader: Option<Waker>,
}

type Look = Pin<Box<dyn Future<Output = io::Result<Change>> + Send>>;

impl Reading {
    pub(super) fn new(file: std::fs::File, from_end: bool, follow: Option<Follow>) -> Self {
        let mut reading = Self {
            // Changes of the name before the watch began make no event.
            look: follow.as_ref().map(|follow| Box::pin(follow.look(0)) as Look),
            file: large(file),
            seek: None,
            is_seeking: false,
            follow,
            next: None,
            position: 0,
            is_finished: false,
            reader: None,
        };
        reading.seek = from_end.then_some(io::SeekFrom::End(0));
        reading
    }

    /// Ready once reading may go on.
    fn poll_seek(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(to) = self.seek {
            if !self.is_seeking {
                Pin::new(&mut self.file).start_seek(to)?;
                self.is_seeking = true;
            }
            self.position = ready!(Pin::new(&mut self.file).poll_complete(cx))?;
            (self.seek, self.is_seeking) = (None, false);
        }
        Poll::Ready(Ok(()))
    }

    /// Goes on with the file that has the name now, if it is another one; returns whether it is.
    fn turn(&mut self) -> bool {
        let (Some(follow), Some(file)) = (&mut self.follow, self.next.take()) else { return false };
        follow.watch(&file);
        (self.file, self.position) = (large(file), 0);
        true
    }

    /// Ready when a file that is followed may have more to read.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(follow) = &mut self.follow else { return Poll::Pending };
        loop {
            if let Some(look) = &mut self.look {
                let change = ready!(look.as_mut().poll(cx))?;
                self.look = None;
                match change {
                    Change::None => {}
                    Change::Grown => return Poll::Ready(Ok(())),
                    Change::Shorter => {
                        self.seek = Some(io::SeekFrom::Start(0));
                        return Poll::Ready(Ok(()));
                    }
                    Change::Replaced(file) => {
                        self.next = Some(file);
                        return Poll::Ready(Ok(()));
                    }
                }
            }
            ready!(follow.poll_event(cx))?;
            self.look = Some(Box::pin(follow.look(self.position)));
        }
    }
}

impl AsyncRead for Reading {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(self.poll_seek(cx))?;
            if self.look.is_none() {
                let before = buf.filled().len();
                ready!(Pin::new(&mut self.file).poll_read(cx, buf))?;
                let read = (buf.filled().len() - before) as u64;
                self.position += read;
                if read > 0 || self.follow.is_none() {
                    return Poll::Ready(Ok(()));
                }
                if self.turn() {
                    continue;
                }
            }
            if self.is_finished {
                // The session is finished: added data would not be sent.
                return Poll::Ready(Ok(()));
            }
            self.reader = Some(cx.waker().clone());
            ready!(self.poll_more(cx))?;
        }
    }
}

impl AsyncWrite for Reading {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Reading {
    fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        self.is_finished = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(()))
    }

    /// The rest of the file is still wanted by a client that has no more to send.
    fn ending(&self) -> Ending {
        Ending::HalfClose
    }
}

/// A file that is written.
pub(super) struct Writing {
    file: File,
    mute: Mute,
}

impl Writing {
    pub(super) fn new(file: std::fs::File) -> Self {
        Self { file: large(file), mute: Mute::default() }
    }
}

impl AsyncRead for Writing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.mute.poll_read(cx)
    }
}

impl AsyncWrite for Writing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.file).poll_write(cx, buf);
        self.mute.written(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.file).poll_flush(cx);
        self.mute.written(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for Writing {
    fn poll_finish(&mut self, cx: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
        // A full disk is known only now: the last write was another thread's.
        let flushed = Pin::new(&mut self.file).poll_flush(cx);
        ready!(self.mute.written(flushed))?;
        self.mute.finish(End::eof());
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) -> End {
        self.mute.end()
    }
}

/// In pieces as a splice moves them; tokio's own buffer is 2 MiB.
fn large(file: std::fs::File) -> File {
    let mut file = File::from_std(file);
    file.set_max_buf_size(64 * 1024);
    file
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_file_that_is_replaced_before_it_is_watched_is_followed() {
        for from_end in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let (path, other) = (folder.path().join("log"), folder.path().join("new"));
            std::fs::write(&path, "old ").expect("it is written");
            let file = std::fs::File::open(&path).expect("it is there");
            std::fs::write(&other, "new").expect("it is written");
            std::fs::rename(&other, &path).expect("both are there");
            let follow = Follow::new(&path, &file).expect("inotify");
            let mut reading = Reading::new(file, from_end, Some(follow));
            let expected = if from_end { "new" } else { "old new" };
            let mut got = vec![0; expected.len()];
            reading.read_exact(&mut got).await.expect("it is read");
            assert_eq!(got, expected.as_bytes());
        }
    }
}
