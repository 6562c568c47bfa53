//! Datagrams that were lost on this machine: counted, and never silent.

use tracing::warn;

/// The losses of one session, or of one socket. The first loss is logged at once, and their number at the end.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// The other side took nothing, and the queue was full.
    overrun: u64,
    /// The system had no room in the socket.
    dropped: u64,
    /// The last total of dropped datagrams that the system has reported.
    told: Option<u32>,
    /// The system would not send them.
    unsent: u64,
    /// They are longer than any that is taken.
    too_long: u64,
}

impl Losses {
    /// One found the queue full.
    pub(crate) fn overrun(&mut self) {
        if self.overrun == 0 {
            warn!("lost a datagram: they arrive faster than the other side reads them");
        }
        self.overrun += 1;
    }

    /// So many could not be sent.
    pub(crate) fn unsent(&mut self, why: &std::io::Error, count: usize) {
        if self.unsent == 0 {
            warn!("lost a datagram: cannot send it: {}", endpoint::describe(why));
        }
        self.unsent += count as u64;
    }

    /// One was longer than `most`.
    pub(crate) fn too_long(&mut self, most: usize) {
        if self.too_long == 0 {
            warn!("lost a datagram: it has more than {most} bytes");
        }
        self.too_long += 1;
    }

    /// The system has dropped so many in all, as `SO_RXQ_OVFL` in socket(7) counts. Datagrams that it would have
    /// delivered together (`UDP_GRO`) are one to it.
    pub(crate) fn dropped(&mut self, all: Option<u32>) {
        let Some(all) = all else { return };
        let new = all.wrapping_sub(self.told.unwrap_or(0));
        self.told = Some(all);
        if new > 0 && self.dropped == 0 {
            warn!(
                "lost {new} datagrams: the kernel's receive buffer was full (SO_RCVBUF in socket(7))"
            );
        }
        self.dropped += u64::from(new);
    }

    /// Returns their number.
    pub(crate) fn count(&self) -> u64 {
        self.overrun + self.dropped + self.unsent + self.too_long
    }
}

impl Drop for Losses {
    fn drop(&mut self) {
        if self.count() > 0 {
            let Self { overrun, dropped, unsent, too_long, .. } = *self;
            warn!(overrun, dropped, unsent, too_long, "{} datagrams were lost", self.count());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_count_is_of_all_and_wraps_around() {
        let mut losses = Losses::default();
        for all in [None, Some(0), Some(3), None, Some(3), Some(u32::MAX), Some(1)] {
            losses.dropped(all);
        }
        assert_eq!(losses.count(), u64::from(u32::MAX) + 2);
        losses.overrun();
        losses.unsent(&std::io::ErrorKind::HostUnreachable.into(), 1);
        assert_eq!(losses.count(), u64::from(u32::MAX) + 4);
    }
}
