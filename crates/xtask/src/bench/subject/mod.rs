//! The subject of a measurement: a program that forwards, between a client and a destination of
//! this process.
//!
//! 1. [`programs`] lists them, and how each is started.
//! 2. [`terminators`] lists those that terminate TLS.
//! 3. [`near`] and [`far`] are the two sides that the load has.

pub(crate) mod far;
pub(crate) mod near;
pub(crate) mod programs;
pub(crate) mod terminators;

use std::time::Duration;

use ::tests::Process;

use self::far::Far;
use self::near::Near;
use super::account::Account;
use super::load::end::Lane;
use crate::Failure;

/// A program that runs and listens.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) near: Near,
    pub(crate) far: Far,
    /// Connections that are kept for the next measurement, all of them idle between two.
    pub(crate) lanes: Vec<Lane>,
    process: Process,
    /// Holds sockets and configurations.
    _folder: tempfile::TempDir,
}

impl Subject {
    /// A connection through it.
    pub(crate) fn open(&self) -> Result<Lane, Failure> {
        self.open_as(false)
    }

    /// The same; with `resume`, a TLS session is resumed if the last one has left a ticket.
    pub(crate) fn open_as(&self, resume: bool) -> Result<Lane, Failure> {
        let asking = self.near.ask_as(resume)?;
        let far = self.far.accept()?;
        Ok(Lane { near: asking.admitted()?, far })
    }

    /// Sees to it that `count` connections are open.
    pub(crate) fn open_until(&mut self, count: usize) -> Result<&mut [Lane], Failure> {
        while self.lanes.len() < count {
            let lane = self
                .open()
                .map_err(|error| format!("connection {}: {error}", self.lanes.len() + 1))?;
            self.lanes.push(lane);
        }
        Ok(&mut self.lanes[..count])
    }

    /// Returns the resources that it has used so far.
    pub(crate) fn account(&self) -> Account {
        Account::of(self.process.id())
    }

    /// The process that was started.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Processor time from now on until `act` is done.
    pub(crate) fn spent<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<(T, Duration), Failure> {
        let before = self.account().cpu();
        let done = act(self)?;
        Ok((done, self.account().cpu().saturating_sub(before)))
    }
}
