//! The sockets that have something to read: epoll.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;

use crate::Failure;

/// A set of sockets, each with a number.
pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Poller {
    pub(crate) fn new() -> Result<Self, Failure> {
        let epoll =
            epoll::create(CreateFlags::CLOEXEC).map_err(|error| format!("epoll: {error}"))?;
        Ok(Self { epoll, events: Vec::with_capacity(256) })
    }

    /// `socket` is called `number` from now on, until it is closed or this is dropped.
    pub(crate) fn add(&self, socket: impl AsFd, number: usize) -> Result<(), Failure> {
        epoll::add(&self.epoll, socket, EventData::new_u64(number as u64), EventFlags::IN)
            .map_err(|error| format!("epoll: {error}"))
    }

    /// The sockets that have something; none after `limit`.
    pub(crate) fn wait(
        &mut self,
        limit: Duration,
    ) -> Result<impl Iterator<Item = usize> + use<'_>, Failure> {
        self.events.clear();
        let limit = Timespec::try_from(limit).map_err(|error| format!("epoll: {error}"))?;
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(format!("epoll: {error}")),
        }
        let number = |event: &Event| usize::try_from(event.data.u64()).expect("a number of ours");
        Ok(self.events.iter().map(number))
    }
}
