//! The buffer that datagrams are received into: one for all sockets of a thread.

use std::cell::RefCell;

thread_local! {
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with a buffer of `len` bytes, whatever was in it.
pub(super) fn with_room<R>(len: usize, work: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut room = ROOM.take();
    if room.len() < len {
        room.resize(len, 0);
    }
    let result = work(&mut room[..len]);
    ROOM.set(room);
    result
}
