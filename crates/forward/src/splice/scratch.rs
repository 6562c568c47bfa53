//! One buffer a worker thread, through which the bytes of all its sessions pass.
//!
//! A session that waits holds no buffer: bytes are read into the scratch and written out of it
//! within one poll, and only what could not be written is kept.

use std::cell::Cell;

/// A read of so much is as much as a reader gets at once. Measured: 16 to 48 KiB is best, 4 KiB costs
/// twice the CPU, and more gains nothing.
pub(super) const FULL: usize = 32 * 1024;

/// A little more: data in pieces of powers of two comes with the headers of its protocol, and the few bytes that
/// didn't fit would be a separate read, write and packet.
pub(super) const SCRATCH: usize = FULL + 1024;

thread_local! {
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Runs `work` with the thread's buffer.
///
/// The buffer is taken, not borrowed: a splice that is polled inside another one's `work`, as an
/// endpoint within this process may do, gets a second one. If `work` panics, the buffer is dropped
/// on the way and the next one is new.
pub(super) fn with_scratch<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut scratch = SPARE.take().unwrap_or_else(|| vec![0; SCRATCH].into_boxed_slice());
    let result = work(&mut scratch);
    SPARE.set(Some(scratch));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_is_used_again() {
        let first = with_scratch(|scratch| scratch.as_ptr());
        assert_eq!(with_scratch(|scratch| scratch.as_ptr()), first);
    }

    #[test]
    fn a_nested_use_gets_a_buffer_of_its_own() {
        with_scratch(|outer| {
            let outer = outer.as_ptr();
            with_scratch(|inner| assert_ne!(inner.as_ptr(), outer));
        });
    }
}
