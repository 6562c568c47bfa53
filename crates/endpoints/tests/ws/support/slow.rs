//! A layer whose streams give and take one byte at a time.

use super::*;

pub(super) static TRICKLE: Kind = Kind {
    listen: Some(Side::bytes(
        &[Param::new("endpoint", ValueKind::Endpoint, "Beneath.").positional().required()],
        PlanListen::Layer(Takes::Bytes, |_| Ok(Arc::new(Trickle))),
    )),
    connect: Some(Side::bytes(
        &[Param::new("endpoint", ValueKind::Endpoint, "Beneath.").positional().required()],
        PlanConnect::Layer(Takes::Bytes, |_| Ok(Arc::new(Trickle))),
    )),
    ..Kind::new("trickle", "One byte at a time, every other time")
};

#[derive(Debug)]
struct Trickle;

#[async_trait]
impl ServeLayer for Trickle {
    async fn bind(&self, _: &Context, local: &Local) -> Result<Arc<dyn Bound>> {
        Ok(Arc::new(Trickling(local.clone())))
    }
}

#[async_trait]
impl DialLayer for Trickle {
    async fn dial(&self, _: &Context, conn: Conn, _: &Info) -> Result<Conn> {
        Ok(slow(conn))
    }
}

struct Trickling(Local);

impl Bound for Trickling {
    fn local(&self) -> &Local {
        &self.0
    }

    fn serve(&self, conn: Conn) -> Box<dyn Offers> {
        Box::new(One(Some(Offer::open(slow(conn)))))
    }
}

struct One(Option<Offer>);

#[async_trait]
impl Offers for One {
    async fn next(&mut self) -> Result<Option<Offer>> {
        Ok(self.0.take())
    }
}

fn slow(conn: Conn) -> Conn {
    let inner = conn.transport.into_bytes();
    let slow = Slow { inner, reads: false, writes: false };
    Conn { transport: Transport::Bytes(Box::new(slow)), ..conn }
}

/// Claims to take several slices at once, and takes one byte of the first.
struct Slow {
    inner: Box<dyn ByteStream>,
    reads: bool,
    writes: bool,
}

fn other_time(turn: &mut bool, cx: &Task<'_>) -> bool {
    *turn = !*turn;
    if *turn {
        cx.waker().wake_by_ref();
    }
    *turn
}

impl AsyncRead for Slow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if other_time(&mut self.reads, cx) {
            return Poll::Pending;
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut *self.inner).poll_read(cx, &mut one);
        if read.is_pending() {
            self.reads = true;
        }
        read.map_ok(|()| buf.put_slice(one.filled()))
    }
}

impl AsyncWrite for Slow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if other_time(&mut self.writes, cx) {
            return Poll::Pending;
        }
        Pin::new(&mut *self.inner).poll_write(cx, &buf[..buf.len().min(1)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        self.poll_write(cx, first.map_or(&[], |buf| buf))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx, &End::eof())
    }
}

impl Life for Slow {
    fn poll_finish(&mut self, cx: &mut Task<'_>, end: &End) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx, end)
    }
}
