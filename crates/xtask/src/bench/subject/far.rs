//! The destination: where a subject connects to.

use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::load::end::{End, PATIENCE};
use super::super::load::wire::Framing;
use crate::Failure;

/// A listening socket of ours.
#[derive(Debug)]
pub(crate) enum Far {
    Tcp(TcpListener, u16),
    Unix(UnixListener),
}

impl Far {
    pub(crate) fn tcp() -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .map_err(|error| format!("cannot listen: {error}"))?;
        let port = listener.local_addr().map_err(|error| format!("cannot listen: {error}"))?.port();
        Ok(Self::Tcp(listener, port))
    }

    pub(crate) fn unix(path: &Path) -> Result<Self, Failure> {
        let listener =
            UnixListener::bind(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::Unix(listener))
    }

    /// Its port; 0 for one without.
    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Tcp(_, port) => *port,
            Self::Unix(_) => 0,
        }
    }

    /// The next connection of the subject.
    pub(crate) fn accept(&self) -> Result<End, Failure> {
        self.accept_within(PATIENCE)?.ok_or_else(|| "the destination isn't connected to".to_owned())
    }

    /// Accepts connections until none has arrived for a while: those of probes that the subject listens.
    pub(crate) fn forget(&self) -> Result<(), Failure> {
        while self.accept_within(Duration::from_millis(100))?.is_some() {}
        Ok(())
    }

    fn accept_within(&self, limit: Duration) -> Result<Option<End>, Failure> {
        let fail = |error: std::io::Error| format!("cannot accept: {error}");
        match self {
            Self::Tcp(listener, _) if is_ready(listener, limit) => {
                let (stream, _) = listener.accept().map_err(fail)?;
                stream.set_nodelay(true).map_err(fail)?;
                Ok(Some(End::new(stream, Framing::Plain)))
            }
            Self::Unix(listener) if is_ready(listener, limit) => {
                Ok(Some(End::new(listener.accept().map_err(fail)?.0, Framing::Plain)))
            }
            Self::Tcp(..) | Self::Unix(_) => Ok(None),
        }
    }
}

fn is_ready(listener: &impl AsFd, limit: Duration) -> bool {
    let limit = Timespec::try_from(limit).expect("our patience isn't centuries");
    poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&limit)).is_ok_and(|count| count > 0)
}
