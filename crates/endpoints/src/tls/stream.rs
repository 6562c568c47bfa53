//! A stream of bytes inside TLS, over rustls' unbuffered interface: nothing is kept of a connection at rest but its
//! keys.
//!
//! Ciphertext is read into a buffer of the thread and decrypted there; plaintext is encrypted into another one. The
//! rest (a record that is cut, ciphertext that is not taken, plaintext that doesn't fit) is kept exactly as large as
//! it is.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use endpoint::{ByteStream, End, Life, Peer, Reason, describe, pass_on};
use rustls::{CommonState, Error, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::states::{Progress, Send, Sinks, Tls};
use crate::asking::tell;
use crate::scratch::{SCRATCH, with_scratch};

/// A stream inside TLS.
pub(super) struct TlsStream {
    inner: Box<dyn ByteStream>,
    tls: Tls,
    /// The beginning of a record that has not come whole, byte for byte as rustls left it: the decrypted part of a
    /// split message is in it.
    kept: Vec<u8>,
    /// Ciphertext that the stream beneath has not taken.
    out: Vec<u8>,
    /// Set if `out` contains tickets, which wait for data to go with: a client that only writes, and closes, would be
    /// reset by what it has not read, and its last data lost.
    tickets_wait: bool,
    /// Plaintext that did not fit the reader's buffer.
    spill: Vec<u8>,
    /// The peer has ended its sending.
    ended: bool,
    /// The first failure. rustls would take the next good record after a bad one.
    failed: Option<(ErrorKind, String)>,
    /// We have ended our sending.
    finished: bool,
    /// Set if an end without `close_notify` counts as one.
    truncation_allowed: bool,
}

impl TlsStream {
    pub(super) fn new(inner: Box<dyn ByteStream>, tls: Tls, truncation_allowed: bool) -> Self {
        Self {
            inner,
            tls,
            kept: Vec::new(),
            out: Vec::new(),
            tickets_wait: false,
            spill: Vec::new(),
            ended: false,
            failed: None,
            finished: false,
            truncation_allowed,
        }
    }

    /// Puts `first` in front of what the stream beneath gives: it has been read already.
    pub(super) fn with_read(mut self, first: Vec<u8>) -> Self {
        self.kept = first;
        self
    }

    pub(super) fn state(&self) -> &CommonState {
        self.tls.state()
    }

    /// Completes the handshake. The caller limits the time.
    pub(super) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Handles data that was read before this stream was made, and makes a client's first message.
        let mut kept = std::mem::take(&mut self.kept);
        let progress = self.step(&mut kept, &mut [], &Send::Nothing);
        let mut progress = self.checked(cx, progress)?;
        loop {
            let is_open = progress == Progress::Open && !self.state().is_handshaking();
            let is_13 = self.state().protocol_version() == Some(ProtocolVersion::TLSv1_3);
            if is_open && is_13 && matches!(self.tls, Tls::Server(_)) {
                self.out.shrink_to_fit();
                self.tickets_wait = !self.out.is_empty();
                return Poll::Ready(Ok(()));
            }
            // A client waits for our messages, and an alert has to reach it.
            ready!(self.poll_out(cx))?;
            if is_open {
                return Pin::new(&mut self.inner).poll_flush(cx);
            }
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            let (read, now) = ready!(self.poll_more(cx, &mut []))?;
            if read == 0 {
                let words = "the peer ended during the TLS handshake";
                return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, words)));
            }
            progress = now;
        }
    }

    /// Reads ciphertext once, and processes it. Returns the number of bytes read, and the progress. Plaintext goes to
    /// `plain`, and the part that doesn't fit there to the spill.
    fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        plain: &mut [&mut ReadBuf<'_>],
    ) -> Poll<io::Result<(usize, Progress)>> {
        with_scratch(|scratch| {
            // As much as two whole records, so that a bulk sender leaves no rest.
            let scratch = &mut scratch[..UNIT];
            let had = self.kept.len();
            if had >= scratch.len() {
                let words = "a message of the TLS handshake is too long";
                return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, words)));
            }
            scratch[..had].copy_from_slice(&self.kept);
            let mut buf = ReadBuf::new(&mut scratch[had..]);
            let result = ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf));
            let read = buf.filled().len();
            result.map_err(|error| self.broken(error))?;
            if read == 0 {
                return Poll::Ready(Ok((0, Progress::Open)));
            }
            self.kept = Vec::new();
            let progress = self.step(&mut scratch[..had + read], plain, &Send::Nothing);
            Poll::Ready(self.checked(cx, progress).map(|progress| (read, progress)))
        })
    }

    /// Gives `input` to the protocol, and keeps what is left of it.
    fn step(
        &mut self,
        input: &mut [u8],
        plain: &mut [&mut ReadBuf<'_>],
        send: &Send<'_>,
    ) -> Result<Progress, Error> {
        let mut at = 0;
        let result = loop {
            let sinks =
                Sinks { out: &mut self.out, spill: &mut self.spill, ended: &mut self.ended };
            let (used, done) = self.tls.process(&mut input[at..], sinks, plain, send);
            at += used;
            match done {
                Ok(None) => {}
                Ok(Some(progress)) => break Ok(progress),
                Err(error) => break Err(error),
            }
        };
        self.kept = input[at..].to_vec();
        result
    }

    /// Keeps an error, and has its alert written: rustls gives that out after the error.
    fn checked(
        &mut self,
        cx: &mut Context<'_>,
        progress: Result<Progress, Error>,
    ) -> io::Result<Progress> {
        progress.map_err(|error| {
            // With what is left of the input: rustls may still point into it.
            let mut kept = std::mem::take(&mut self.kept);
            // The first error is the one to tell.
            let _ = self.step(&mut kept, &mut [], &Send::Alert);
            self.kept = Vec::new();
            // An alert that the peer has no room for is not worth a wait.
            let _ = self.poll_drain(cx);
            let words = match &self.tls {
                Tls::Server(_) => super::words::of_client(&error),
                Tls::Client(_) => super::words::of(&error),
            };
            self.failed = Some((ErrorKind::InvalidData, words.clone()));
            cut(ErrorKind::InvalidData, words)
        })
    }

    /// Writes ciphertext that was not taken.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(ready!(self.poll_drain(cx)).map_err(|error| self.told(cx, error)))
    }

    /// Replaces an error of writing by the peer's alert, if there is one: a server that refuses our certificate sends an
    /// alert and closes, and in TLS 1.3 data is already being written then.
    fn told(&mut self, cx: &mut Context<'_>, error: io::Error) -> io::Error {
        for _ in 0..ALERT_WITHIN {
            let Poll::Ready(Ok((1.., _))) = self.poll_more(cx, &mut []) else { break };
        }
        match &self.failed {
            Some((ErrorKind::InvalidData, words)) => io::Error::new(error.kind(), words.clone()),
            _ => error,
        }
    }

    /// Converts an error of reading from the stream beneath: a reset or a timeout truncates the data as an end without
    /// `close_notify` does.
    fn broken(&self, error: io::Error) -> io::Error {
        match self.truncation_allowed || self.ended {
            true => error,
            false => cut(error.kind(), describe(&error)),
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut sent = 0;
        let done = loop {
            if sent == self.out.len() {
                self.out = Vec::new();
                return Poll::Ready(Ok(()));
            }
            match Pin::new(&mut self.inner).poll_write(cx, &self.out[sent..]) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(taken)) => sent += taken,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Pending => break Poll::Pending,
            }
        };
        self.out.drain(..sent);
        self.out.shrink_to_fit();
        done
    }

    /// Encrypts, and writes as much as is taken at once; the rest waits in `out`.
    fn seal(&mut self, cx: &mut Context<'_>, send: &Send<'_>) -> io::Result<()> {
        let mut kept = std::mem::take(&mut self.kept);
        let progress = self.step(&mut kept, &mut [], send);
        self.checked(cx, progress)?;
        match self.poll_out(cx) {
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Returns the bytes of data, encrypted, that the stream beneath has not taken.
    fn waiting(&self) -> u64 {
        if self.tickets_wait { 0 } else { self.out.len() as u64 }
    }

    /// Returns `true` if ciphertext is to be written although there is no data to write.
    fn has_unsent(&self) -> bool {
        !self.out.is_empty() && !self.tickets_wait
    }

    fn error(&self) -> Option<io::Error> {
        self.failed.as_ref().map(|(kind, words)| cut(*kind, words.clone()))
    }

    /// Closes a connection whose handshake has failed: the rest of the alert is sent. Data that still arrives is read
    /// for a moment, because a reset would destroy the alert.
    pub(super) async fn dismiss(self) {
        let Self { mut inner, out, .. } = self;
        tell(&mut inner, &out).await;
    }
}

/// The error for data that may be a part of what was to come.
fn cut(kind: ErrorKind, words: String) -> io::Error {
    End::because(Reason::Truncated, words).into_error(kind)
}

// === impl AsyncRead, AsyncWrite, Life ===

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.spill.is_empty() {
            let taken = this.spill.len().min(buf.remaining());
            buf.put_slice(&this.spill[..taken]);
            this.spill.drain(..taken);
            if this.spill.is_empty() {
                this.spill = Vec::new();
            }
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        loop {
            if let Some(error) = this.error() {
                return Poll::Ready(Err(error));
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            let more = this.poll_more(cx, &mut [buf]);
            // Key updates and tickets of ours go out even if the session writes nothing.
            if this.has_unsent()
                && let Poll::Ready(Err(error)) = this.poll_out(cx)
            {
                return Poll::Ready(Err(error));
            }
            // Data that came in front of a mistake is still data.
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
            let (read, _) = ready!(more)?;
            if read == 0 {
                if !this.truncation_allowed {
                    this.failed = Some((ErrorKind::UnexpectedEof, TRUNCATED.to_owned()));
                }
                this.ended = true;
            }
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.finished || self.failed.as_ref().is_some_and(|it| it.0 == ErrorKind::InvalidData) {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if self.has_unsent() {
            ready!(self.poll_out(cx))?;
        }
        self.tickets_wait = false;
        let taken = buf.len().min(MOST);
        self.seal(cx, &Send::Data(&buf[..taken]))?;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_unsent() {
            ready!(self.poll_out(cx))?;
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx, &End::eof())
    }
}

impl Life for TlsStream {
    pass_on!(inner: poll_ahead, keep_little, linger, abort, poll_close, close_timeout, ending);

    fn poll_background(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.has_unsent()
            && let Poll::Ready(Err(error)) = self.poll_out(cx)
        {
            return Poll::Ready(error);
        }
        self.inner.poll_background(cx)
    }

    fn peer(&mut self) -> Option<Peer> {
        let waiting = self.waiting();
        self.inner.peer().map(|peer| Peer { pending: peer.pending + waiting, ..peer })
    }

    fn pending(&mut self) -> Option<u64> {
        Some(self.inner.pending()? + self.waiting())
    }

    /// Says `close_notify` (RFC 8446 section 6.1), which ends one direction, then ends the stream beneath. An end that
    /// is cut is passed on without it.
    fn poll_finish(&mut self, cx: &mut Context<'_>, end: &End) -> Poll<io::Result<()>> {
        if !self.finished {
            self.finished = true;
            self.tickets_wait = false;
            let broken = self.failed.as_ref().is_some_and(|it| it.0 == ErrorKind::InvalidData);
            if !broken && !end.is_cut() {
                self.seal(cx, &Send::CloseNotify)?;
            }
        }
        ready!(self.poll_out(cx))?;
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.inner.poll_finish(cx, end)
    }

    /// The end of the data. A peer that is gone without `close_notify` has not ended it.
    fn end(&mut self) -> End {
        match self.failed.is_none() && (self.ended || self.truncation_allowed) {
            true => End::eof(),
            false => End::because(Reason::Truncated, TRUNCATED),
        }
    }
}

/// Two whole records: 16,384 bytes of payload each, and what is around them.
const UNIT: usize = 32_812;
/// The amount that is encrypted at once: a whole read, although it is more than two records. The rest would be
/// a separate write and packet.
const MOST: usize = SCRATCH;
/// The number of reads in which an alert is looked for that explains an error.
const ALERT_WITHIN: usize = 4;
const TRUNCATED: &str = "the peer ended without TLS's close_notify: its data may be truncated (accept this with \
    `truncation=allow`)";

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Waker;

    use rustls::client::UnbufferedClientConnection;
    use rustls::{ClientConfig, RootCertStore};

    use super::*;

    /// A stream that reads ahead, as a WebSocket does.
    struct Ahead {
        inner: tokio::io::Empty,
        has_read: Arc<AtomicBool>,
    }

    impl AsyncRead for Ahead {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.inner).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Ahead {
        pass_on!(inner: poll_write, poll_flush, poll_shutdown);
    }

    impl Life for Ahead {
        fn poll_ahead(&mut self, _: &mut Context<'_>) {
            self.has_read.store(true, Ordering::Relaxed);
        }

        fn poll_finish(&mut self, _: &mut Context<'_>, _: &End) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_websocket_beneath_answers_its_pings_while_nothing_is_read() {
        let has_read = Arc::new(AtomicBool::new(false));
        let inner = Ahead { inner: tokio::io::empty(), has_read: Arc::clone(&has_read) };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let tls = UnbufferedClientConnection::new(config.into(), "h".try_into().unwrap()).unwrap();
        let mut stream = TlsStream::new(Box::new(inner), Tls::Client(Box::new(tls)), false);
        stream.poll_ahead(&mut Context::from_waker(Waker::noop()));
        assert!(has_read.load(Ordering::Relaxed));
    }
}
