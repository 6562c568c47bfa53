//! One direction of a connection inside this process: a bounded queue of parts, read and written
//! as messages or as bytes.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use endpoint::{End, Part};
use tokio::io::ReadBuf;

/// Parts that were written and not read yet.
///
/// A part counts its bytes and one more, so that empty ones are bounded too. A part is taken
/// whole whenever there is any room: at most one goes over the capacity.
#[derive(Debug)]
pub(crate) struct Queue {
    parts: VecDeque<Part>,
    size: usize,
    capacity: usize,
    end: Option<End>,
    writer_gone: bool,
    reader_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Queue {
    /// An empty one that holds `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            parts: VecDeque::new(),
            size: 0,
            capacity: capacity.max(1),
            end: None,
            writer_gone: false,
            reader_gone: false,
            reader: None,
            writer: None,
        }
    }

    /// Makes room for more, or for less from now on.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity.max(1);
        wake(&mut self.writer);
    }

    // === the writer's side ===

    /// Waits until there is room, and returns how much.
    pub(crate) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.reader_gone {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match self.capacity.saturating_sub(self.size) {
            0 => {
                store(&mut self.writer, cx);
                Poll::Pending
            }
            room => Poll::Ready(Ok(room)),
        }
    }

    /// Appends a part.
    pub(crate) fn push(&mut self, part: Part) {
        self.size += part.data.len() + 1;
        self.parts.push_back(part.detached());
        wake(&mut self.reader);
    }

    /// Appends as much of `data` as there is room for.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_room(cx).map_ok(|room| {
            let taken = data.len().min(room);
            if taken > 0 {
                self.push(Part::binary(Bytes::copy_from_slice(&data[..taken])));
            }
            taken
        })
    }

    /// Says that no more will come.
    pub(crate) fn finish(&mut self, end: &End) {
        if self.end.is_none() {
            self.end = Some(end.clone());
        }
        wake(&mut self.reader);
    }

    /// The writer is dropped. Without an end before, that is a reset.
    pub(crate) fn drop_writer(&mut self) {
        self.writer_gone = true;
        wake(&mut self.reader);
    }

    // === the reader's side ===

    /// The next part; `None` at the end.
    pub(crate) fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Part>>> {
        if let Some(part) = self.parts.pop_front() {
            self.size -= part.data.len() + 1;
            wake(&mut self.writer);
            return Poll::Ready(Some(Ok(part)));
        }
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        self.poll_reset(cx).map(|()| Some(Err(io::ErrorKind::ConnectionReset.into())))
    }

    /// Fills `buf` with what is there; nothing at the end.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (start, size) = (buf.filled().len(), self.size);
        while let Some(part) = self.parts.front_mut() {
            let fits = part.data.len().min(buf.remaining());
            buf.put_slice(&part.data[..fits]);
            part.data.advance(fits);
            self.size -= fits;
            if !part.data.is_empty() {
                break;
            }
            self.parts.pop_front();
            self.size -= 1;
        }
        if self.size < size {
            // Parts without bytes took room, too.
            wake(&mut self.writer);
        }
        if buf.filled().len() > start || buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        if self.end.is_some() {
            return Poll::Ready(Ok(()));
        }
        self.poll_reset(cx).map(|()| Err(io::ErrorKind::ConnectionReset.into()))
    }

    /// Ready once the writer was dropped without an end.
    pub(crate) fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.writer_gone && self.end.is_none() {
            return Poll::Ready(());
        }
        store(&mut self.reader, cx);
        Poll::Pending
    }

    /// Returns the end, once it was sent.
    pub(crate) fn end(&self) -> End {
        self.end.clone().unwrap_or_default()
    }

    /// The reader is dropped: writing fails from now on.
    pub(crate) fn drop_reader(&mut self) {
        self.reader_gone = true;
        self.parts.clear();
        wake(&mut self.writer);
    }
}

fn store(slot: &mut Option<Waker>, cx: &Context<'_>) {
    if !slot.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        *slot = Some(cx.waker().clone());
    }
}

fn wake(slot: &mut Option<Waker>) {
    if let Some(waker) = slot.take() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_room_of_parts_without_bytes_is_given_back() {
        let mut queue = Queue::new(2);
        let woken = Arc::<Woken>::default();
        let waker = Arc::clone(&woken).into();
        let writer = &mut Context::from_waker(&waker);
        queue.push(Part::binary(Bytes::new()));
        queue.push(Part::binary(Bytes::new()));
        assert!(queue.poll_room(writer).is_pending());
        let mut space = [0; 8];
        let mut buf = ReadBuf::new(&mut space);
        assert!(queue.poll_read(&mut Context::from_waker(Waker::noop()), &mut buf).is_pending());
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(queue.poll_room(writer).is_ready());
    }
}
