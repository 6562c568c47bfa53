//! Payload in one direction, over any number of connections, as fast as the subject takes it.
//!
//! One thread does both ends of all connections. It keeps [`SHARE`] bytes under way on each, and [`IN_FLIGHT`] on all of
//! them: the subject always has something to do, and the caches hold as much for ten connections as for thousands.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::end::{End, Heed, Lane, PATIENCE};
use super::poller::Poller;
use super::wire::{Block, WRITE, pattern};
use crate::Failure;

/// From which end to which.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Way {
    /// From the client to the destination.
    There,
    /// From the destination to the client.
    Back,
}

/// The amount.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Amount {
    /// As much as goes through in that time.
    Lasting(Duration),
    /// So many bytes of payload on each connection, rounded up to whole blocks.
    Each(u64),
}

/// The amount that has moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    /// Bytes of payload.
    pub(crate) payload: u64,
    pub(crate) wall: Duration,
}

/// Sends `block` over and over on all of `lanes`, in turn, and waits until everything has come; with `check` the
/// content is compared.
pub(crate) fn stream(
    lanes: &mut [Lane],
    way: Way,
    block: &Block,
    amount: Amount,
    check: bool,
) -> Result<Moved, Failure> {
    let start = Instant::now();
    let mut poller = Poller::new()?;
    for (number, lane) in lanes.iter().enumerate() {
        let sink = match way {
            Way::There => &lane.far,
            Way::Back => &lane.near,
        };
        poller.add(&sink.socket, number)?;
    }
    let mut running = Running {
        states: vec![State::default(); lanes.len()],
        queue: (0..lanes.len()).collect(),
        lanes,
        way,
        block,
        under_way: 0,
        sent: 0,
    };
    let mut buffer = vec![0; WRITE];
    let wanted = pattern();
    loop {
        let lasts = match amount {
            Amount::Lasting(time) => start.elapsed() < time,
            Amount::Each(_) => true,
        };
        running.send(|state| match amount {
            Amount::Lasting(_) => lasts,
            Amount::Each(most) => state.sent < most,
        })?;
        if running.under_way == 0 {
            return Ok(Moved { payload: running.sent, wall: start.elapsed() });
        }
        let mut some = false;
        for number in poller.wait(PATIENCE)? {
            some = true;
            running.receive(number, &mut buffer, check.then_some(&wanted))?;
        }
        if !some {
            return Err(format!("nothing comes, with {} bytes under way", running.under_way));
        }
    }
}

impl Lane {
    fn source(&mut self, way: Way) -> &mut End {
        match way {
            Way::There => &mut self.near,
            Way::Back => &mut self.far,
        }
    }
}

struct Running<'a> {
    lanes: &'a mut [Lane],
    way: Way,
    block: &'a Block,
    states: Vec<State>,
    /// Connections that may send.
    queue: VecDeque<usize>,
    under_way: u64,
    sent: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// A block has begun, and so many bytes of it were taken by the kernel.
    inside: bool,
    at: usize,
    sent: u64,
    received: u64,
    /// Not in the queue, until something has come.
    waits: bool,
}

impl Running<'_> {
    /// Sends as much as may be under way.
    fn send(&mut self, starts: impl Fn(&State) -> bool) -> Result<(), Failure> {
        while self.under_way < IN_FLIGHT
            && let Some(number) = self.queue.pop_front()
        {
            let state = &mut self.states[number];
            if !state.inside {
                if !starts(state) {
                    continue;
                }
                state.inside = true;
                state.sent += self.block.payload as u64;
                self.sent += self.block.payload as u64;
                self.under_way += self.block.payload as u64;
            }
            let source = self.lanes[number].source(self.way);
            let taken = source.send(&self.block.bytes[state.at..])?;
            state.at += taken;
            if state.at == self.block.bytes.len() {
                (state.at, state.inside) = (0, false);
            }
            // A socket that is full is tried again when something of its has arrived.
            state.waits = state.inside || state.sent - state.received >= SHARE;
            if !state.waits {
                self.queue.push_back(number);
            }
        }
        Ok(())
    }

    fn receive(
        &mut self,
        number: usize,
        buffer: &mut [u8],
        wanted: Option<&Vec<u8>>,
    ) -> Result<(), Failure> {
        let (state, lane) = (&mut self.states[number], &mut self.lanes[number]);
        // A stream that has sent everything is not asked to send again.
        lane.source(self.way).flush()?;
        let sink = match self.way {
            Way::There => &mut lane.far,
            Way::Back => &mut lane.near,
        };
        let heed = wanted.map_or(Heed::Count, |wanted| Heed::Compare(wanted, state.received));
        let count = sink.receive(buffer, heed)?;
        state.received += count;
        self.under_way = self.under_way.checked_sub(count).ok_or("more came than was sent")?;
        if state.waits {
            state.waits = false;
            self.queue.push_back(number);
        }
        Ok(())
    }
}

/// Bytes of payload under way on one connection: several writes, and several reads of any subject.
const SHARE: u64 = 512 << 10;

/// Bytes of payload under way on all: more than any buffer of a subject, less than the processors' caches.
const IN_FLIGHT: u64 = 2 << 20;

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::super::wire::Framing;
    use super::*;

    /// Copies the client's data until its end; `spoil` changes one byte.
    fn relay(spoil: bool) -> Lane {
        let (near, mut from) = UnixStream::pair().unwrap();
        let (mut to, far) = UnixStream::pair().unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 5000];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                buffer[0] ^= u8::from(spoil);
                to.write_all(&buffer[..count]).unwrap();
            }
        });
        Lane { near: End::new(near, Framing::Plain), far: End::new(far, Framing::Plain) }
    }

    #[test]
    fn the_amount_arrives_on_every_connection() {
        let mut lanes = [relay(false), relay(false), relay(false)];
        let block = Block::messages(Framing::Plain, WRITE);
        let moved = stream(&mut lanes, Way::There, &block, Amount::Each(1 << 20), true).unwrap();
        assert_eq!(moved.payload, 3 << 20);
        let for_a_while = Amount::Lasting(Duration::from_millis(1));
        let moved = stream(&mut lanes, Way::There, &block, for_a_while, false).unwrap();
        assert!(
            moved.payload >= WRITE as u64 && moved.payload.is_multiple_of(WRITE as u64),
            "{moved:?}"
        );
    }

    #[test]
    fn a_wrong_byte_fails() {
        let block = Block::messages(Framing::Plain, WRITE);
        stream(&mut [relay(true)], Way::There, &block, Amount::Each(1 << 20), true).unwrap_err();
    }
}
