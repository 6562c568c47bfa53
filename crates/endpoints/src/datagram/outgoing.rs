//! Datagrams that are to be sent: those of one size leave with one system call (`UDP_SEGMENT` in udp(7)), the last of
//! which may be shorter.
//!
//! A splice flushes once the other side has nothing more, so what came in one burst is sent as one.

use std::io;
use std::task::{Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use endpoint::Part;
use rustix::io::Errno;

use super::joined::{Failed, Joined};
use super::losses::Losses;

/// One datagram, or several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datagrams<'a> {
    pub(crate) data: &'a [u8],
    /// The size of each, if there are several; the last one may be shorter.
    pub(crate) each: Option<u16>,
}

/// How much is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enough {
    /// Until another part has room.
    Room,
    All,
}

/// The datagrams that a stream is to send.
pub(super) struct Outgoing {
    joined: Joined,
    batch: Option<Batch>,
    /// A datagram that the batch can't take.
    next: Option<Bytes>,
    /// The reason why nothing more is sent, after the data above.
    failed: Option<Failed>,
    /// The largest datagrams that the system splits; 0 if it splits none.
    splits: usize,
}

/// Datagrams of one size.
struct Batch {
    data: Data,
    each: usize,
}

enum Data {
    /// One datagram, as it came.
    One(Bytes),
    Several(BytesMut),
}

impl Outgoing {
    /// Of messages that have at most `most` bytes. The system splits what is sent into datagrams of up to `splits` bytes.
    pub(super) fn new(most: usize, splits: usize) -> Self {
        Self { joined: Joined::new(most), batch: None, next: None, failed: None, splits }
    }

    /// Returns `true` if another part may be added before anything is sent.
    fn has_room(&self) -> bool {
        let has_room =
            self.batch.as_ref().is_none_or(|batch| batch.has_room() && batch.each <= self.splits);
        has_room && self.next.is_none() && self.failed.is_none()
    }

    /// Adds a part. A message that is too long fails once those before it were sent.
    pub(super) fn add(&mut self, part: Part) {
        match self.joined.add(part) {
            Ok(None) => {}
            Ok(Some(data)) => match &mut self.batch {
                None => self.batch = Some(Batch::of(data)),
                Some(batch) if batch.takes(&data) => batch.add(&data),
                Some(_) => self.next = Some(data),
            },
            Err(failed) => self.failed = Some(failed),
        }
    }

    /// Sends until `enough`, or everything. Pending once `send` is: the datagrams given to it are kept then.
    ///
    /// # Errors
    /// Nothing more can be sent. Other errors cost their datagrams only, which are counted in `losses`.
    pub(super) fn poll_send(
        &mut self,
        enough: Enough,
        losses: &mut Losses,
        mut send: impl FnMut(Datagrams<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<Result<(), Failed>> {
        while enough == Enough::All || !self.has_room() {
            while let Some(batch) = &mut self.batch {
                let (sending, count) = batch.first(self.splits);
                let len = sending.data.len();
                let sent = ready!(send(sending));
                if let Err(error) = sent {
                    if count > 1
                        && let Some(splits) = splits(&error, batch.each)
                    {
                        self.splits = splits;
                        continue;
                    }
                    if let Err(failed) = Failed::of(error, len, count, losses) {
                        (self.batch, self.next) = (None, None);
                        return Poll::Ready(Err(failed));
                    }
                }
                if !batch.advance(len) {
                    self.batch = None;
                }
            }
            match self.next.take() {
                Some(next) => self.batch = Some(Batch::of(next)),
                None => return Poll::Ready(self.failed.take().map_or(Ok(()), Err)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Batch {
    fn of(data: Bytes) -> Self {
        Self { each: data.len(), data: Data::One(data) }
    }

    /// Returns `true` if another datagram may be added: those in the batch have one size, and the batch isn't full.
    fn has_room(&self) -> bool {
        let len = self.data.as_slice().len();
        len > 0 && len.is_multiple_of(self.each) && len / self.each < SEGMENTS && len < LARGEST
    }

    fn takes(&self, data: &[u8]) -> bool {
        let len = self.data.as_slice().len() + data.len();
        !data.is_empty() && data.len() <= self.each && len <= LARGEST
    }

    fn add(&mut self, data: &[u8]) {
        match &mut self.data {
            Data::One(first) => {
                let mut all = BytesMut::with_capacity((first.len() * A_FEW).min(LARGEST));
                all.extend_from_slice(first);
                all.extend_from_slice(data);
                self.data = Data::Several(all);
            }
            Data::Several(all) => all.extend_from_slice(data),
        }
    }

    /// Returns the datagrams to send first, and their number.
    fn first(&self, splits: usize) -> (Datagrams<'_>, usize) {
        let data = self.data.as_slice();
        match u16::try_from(self.each) {
            Ok(each) if data.len() > self.each && self.each <= splits => {
                (Datagrams { data, each: Some(each) }, data.len().div_ceil(self.each))
            }
            _ => (Datagrams { data: &data[..self.each.min(data.len())], each: None }, 1),
        }
    }

    /// Removes so many bytes. Returns whether there are more.
    fn advance(&mut self, len: usize) -> bool {
        match &mut self.data {
            Data::One(_) => false,
            Data::Several(all) => {
                all.advance(len);
                !all.is_empty()
            }
        }
    }
}

impl Data {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::One(data) => data,
            Self::Several(data) => data,
        }
    }
}

/// Returns the largest datagrams that the system splits after all, if this is what the error is about: a datagram that is
/// larger than the path's MTU is sent in fragments, and a device without checksums splits none.
fn splits(error: &io::Error, each: usize) -> Option<usize> {
    let error = Errno::from_raw_os_error(error.raw_os_error()?);
    match error {
        Errno::INVAL | Errno::MSGSIZE => Some(each - 1),
        Errno::IO | Errno::OPNOTSUPP => Some(0),
        _ => None,
    }
}

/// Datagrams in one call, by `UDP_MAX_SEGMENTS` of Linux before 6.9.
const SEGMENTS: usize = 64;
/// Bytes in one call: they are one IPv4 datagram to the system at first.
const LARGEST: usize = 65_507;
/// Datagrams that there is room for at first, if there are several.
const A_FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(data: &[u8]) -> Part {
        Part::binary(Bytes::copy_from_slice(data))
    }

    /// Returns the batches that are sent for these messages, each as the lengths of its datagrams. The system fails a
    /// batch with `error` if it has to split it into datagrams of more than `splits` bytes.
    fn sent(messages: &[&[u8]], splits: usize, error: Errno) -> Vec<Vec<u8>> {
        let mut outgoing = Outgoing::new(100, LARGEST);
        let (mut sent, mut losses) = (Vec::new(), Losses::default());
        let mut send = |Datagrams { data, each }: Datagrams<'_>| {
            if each.is_some_and(|each| usize::from(each) > splits) {
                return Poll::Ready(Err(error.into()));
            }
            let each = each.map_or(data.len(), usize::from).max(1);
            sent.push(data.chunks(each).map(|one| one.len() as u8).collect());
            Poll::Ready(Ok(()))
        };
        for message in messages {
            assert!(outgoing.poll_send(Enough::Room, &mut losses, &mut send).is_ready());
            outgoing.add(whole(message));
        }
        assert!(matches!(
            outgoing.poll_send(Enough::All, &mut losses, &mut send),
            Poll::Ready(Ok(()))
        ));
        assert_eq!(losses.count(), 0);
        sent
    }

    #[test]
    fn datagrams_of_one_size_are_sent_at_once() {
        let messages: [&[u8]; 8] = [b"aaa", b"bbb", b"c", b"dd", b"", b"e", b"ff", b"gg"];
        let expected = [vec![3, 3, 1], vec![2], vec![], vec![1], vec![2, 2]];
        assert_eq!(sent(&messages, LARGEST, Errno::INVAL), expected);
    }

    #[test]
    fn a_batch_has_64_at_most() {
        let messages = [b"abcd".as_slice(); 130];
        let lengths: Vec<_> = sent(&messages, LARGEST, Errno::INVAL).iter().map(Vec::len).collect();
        assert_eq!(lengths, [64, 64, 2]);
    }

    #[test]
    fn those_that_the_system_does_not_split_are_sent_one_by_one() {
        let messages: [&[u8]; 7] = [b"aaa", b"bbb", b"c", b"ddd", b"ddd", b"ee", b"ff"];
        let expected = [vec![3], vec![3], vec![1], vec![3], vec![3], vec![2, 2]];
        assert_eq!(sent(&messages, 2, Errno::INVAL), expected);
        let expected: [Vec<u8>; 7] = [3, 3, 1, 3, 3, 2, 2].map(|len| vec![len]);
        assert_eq!(sent(&messages, 2, Errno::IO), expected);
    }

    #[test]
    fn what_is_before_a_message_that_is_too_long_is_sent() {
        let mut outgoing = Outgoing::new(3, LARGEST);
        for message in [b"aaa".as_slice(), b"bbb", b"cccc"] {
            assert!(outgoing.has_room());
            outgoing.add(whole(message));
        }
        assert!(!outgoing.has_room());
        let mut sent = 0;
        let result = outgoing.poll_send(Enough::Room, &mut Losses::default(), |datagrams| {
            sent += datagrams.data.len();
            Poll::Ready(Ok(()))
        });
        assert!(matches!(result, Poll::Ready(Err(Failed { end: Some(_), .. }))));
        assert_eq!(sent, 6);
    }

    #[test]
    fn what_finds_no_room_is_kept_and_what_fails_is_counted() {
        let mut outgoing = Outgoing::new(3, LARGEST);
        outgoing.add(whole(b"aaa"));
        outgoing.add(whole(b"bb"));
        let mut losses = Losses::default();
        assert!(outgoing.poll_send(Enough::All, &mut losses, |_| Poll::Pending).is_pending());
        let fail = |_: Datagrams<'_>| Poll::Ready(Err(Errno::NOBUFS.into()));
        assert!(matches!(outgoing.poll_send(Enough::All, &mut losses, fail), Poll::Ready(Ok(()))));
        assert_eq!(losses.count(), 2);
    }
}
