//! One end of a connection of the load: a socket that doesn't block, and how it frames.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};

use super::tls::Session;
use super::wire::{Framing, Payloads};
use crate::Failure;

/// The two ends of one connection through a subject.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) near: End,
    pub(crate) far: End,
}

/// One end.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) socket: OwnedFd,
    pub(crate) framing: Framing,
    heard: Payloads,
    tls: Option<Box<Session>>,
}

/// The treatment of received data.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heed<'a> {
    /// It is counted.
    Count,
    /// It is compared with this, over and over, from that place on.
    Compare(&'a [u8], u64),
}

impl End {
    pub(crate) fn new(socket: impl Into<OwnedFd>, framing: Framing) -> Self {
        Self { socket: socket.into(), framing, heard: Payloads::default(), tls: None }
    }

    /// The payload is encrypted.
    pub(crate) fn inside(tls: Box<Session>, socket: impl Into<OwnedFd>) -> Self {
        Self { tls: Some(tls), ..Self::new(socket, Framing::Plain) }
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_resumed())
    }

    /// Gives the kernel encrypted bytes that it has not taken; returns `false` if some are left.
    pub(crate) fn flush(&mut self) -> Result<bool, Failure> {
        self.tls.as_mut().map_or(Ok(true), |tls| tls.flush(&self.socket))
    }

    /// Gives the kernel the bytes that it takes now, and returns their number.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        if let Some(tls) = &mut self.tls {
            return tls.send(&self.socket, bytes);
        }
        match send(&self.socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(count) => Ok(count),
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            Err(error) => Err(format!("cannot send: {error}")),
        }
    }

    /// Gives it all of `bytes`, waiting as long as [`PATIENCE`].
    pub(crate) fn send_all(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while !bytes.is_empty() {
            let count = self.send(bytes)?;
            bytes = &bytes[count..];
            if count == 0 && !self.wait(PollFlags::OUT, end) {
                return Err("nothing is taken any more".to_owned());
            }
        }
        while !self.flush()? {
            if !self.wait(PollFlags::OUT, end) {
                return Err("nothing is taken any more".to_owned());
            }
        }
        Ok(())
    }

    /// Takes the data that is there, at most once `buffer`, and returns the number of payload bytes.
    pub(crate) fn receive(&mut self, buffer: &mut [u8], heed: Heed<'_>) -> Result<u64, Failure> {
        // Copied, though the kernel could throw TCP's bytes away: the subject would be spared the cost of memory that
        // another processor has read, and only over TCP.
        let count = match recv(&self.socket, &mut *buffer, RecvFlags::DONTWAIT) {
            Ok((_, 0)) => return Err("the connection has ended".to_owned()),
            Ok((_, count)) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(0),
            Err(error) => return Err(format!("cannot receive: {error}")),
        };
        let (mut payload, mut right) = (0, true);
        let mut take = |data: &[u8]| {
            if let Heed::Compare(wanted, from) = heed {
                right &= follows(wanted, from + payload, data);
            }
            payload += data.len() as u64;
        };
        if let Some(tls) = &mut self.tls {
            tls.receive(&buffer[..count], take)?;
            return if right { Ok(payload) } else { Err(OTHER.to_owned()) };
        }
        match (self.framing, heed) {
            (Framing::Plain, Heed::Count) => payload = count as u64,
            (Framing::Plain, Heed::Compare(..)) => take(&buffer[..count]),
            (Framing::Masked, _) => self.heard.feed(&buffer[..count], take),
        }
        let pongs = self.heard.take_pongs();
        if !pongs.is_empty() {
            // No end receives and sends at once: the pongs come between two frames.
            self.send_all(&pongs)?;
        }
        if right { Ok(payload) } else { Err(OTHER.to_owned()) }
    }

    /// Waits for payload, as long as [`PATIENCE`]: how many bytes.
    pub(crate) fn await_payload(&mut self, buffer: &mut [u8]) -> Result<u64, Failure> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.receive(buffer, Heed::Count)? {
                0 if !self.wait(PollFlags::IN, end) => return Err("nothing comes".to_owned()),
                0 => {}
                count => return Ok(count),
            }
        }
    }

    /// Leaves by a reset.
    pub(crate) fn reset(self) -> Result<(), Failure> {
        set_socket_linger(&self.socket, Some(Duration::ZERO))
            .map_err(|error| format!("cannot reset: {error}"))
    }

    /// Ends the direction of sending.
    pub(crate) fn half_close(&mut self) -> Result<(), Failure> {
        if let Some(tls) = &mut self.tls {
            tls.half_close(&self.socket)?;
        }
        shutdown(&self.socket, Shutdown::Write)
            .map_err(|error| format!("cannot half-close: {error}"))
    }

    /// Waits for the peer's end, whatever comes before it.
    pub(crate) fn wait_end(&self) -> Result<(), Failure> {
        let (end, mut buffer) = (Instant::now() + PATIENCE, [0; 4096]);
        loop {
            match recv(&self.socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((_, 0)) | Err(Errno::CONNRESET) => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if self.wait(PollFlags::IN, end) => {}
                Err(Errno::AGAIN) => return Err("the connection isn't closed".to_owned()),
                Err(error) => return Err(format!("cannot receive: {error}")),
            }
        }
    }

    fn wait(&self, what: PollFlags, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).expect("our patience isn't centuries");
        match poll(&mut [PollFd::new(&self.socket, what)], Some(&left)) {
            Ok(count) => count > 0,
            Err(_) => Instant::now() < end,
        }
    }
}

/// Returns `true` if `data` is in the endless repetition of `wanted` from byte `from` on.
fn follows(wanted: &[u8], from: u64, mut data: &[u8]) -> bool {
    let mut at = usize::try_from(from % wanted.len() as u64).expect("less than a length");
    while !data.is_empty() {
        let count = data.len().min(wanted.len() - at);
        if data[..count] != wanted[at..at + count] {
            return false;
        }
        (data, at) = (&data[count..], 0);
    }
    true
}

const OTHER: &str = "other bytes came than were sent";

/// The time without progress after which anything counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_wrong_byte_is_seen_wherever_it_is() {
        let wanted = b"abcde";
        assert!(follows(wanted, 3, b"deabcdea"));
        assert!(!follows(wanted, 3, b"deabcdeb"));
        assert!(!follows(wanted, 4, b"deabc"));
    }

    #[test]
    fn what_comes_is_counted_and_compared() {
        let (mut peer, socket) = UnixStream::pair().unwrap();
        let (mut end, mut buffer) = (End::new(socket, Framing::Plain), [0; 16]);
        assert_eq!(end.receive(&mut buffer, Heed::Count).unwrap(), 0, "nothing is there");
        peer.write_all(b"abcab").unwrap();
        assert_eq!(end.receive(&mut buffer, Heed::Compare(b"abc", 0)).unwrap(), 5);
        peer.write_all(b"ab").unwrap();
        end.receive(&mut buffer, Heed::Compare(b"abc", 5)).unwrap_err();
        peer.shutdown(Shutdown::Write).unwrap();
        end.receive(&mut buffer, Heed::Count).unwrap_err();
        end.wait_end().unwrap();
    }
}
