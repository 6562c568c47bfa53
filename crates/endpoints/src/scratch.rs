//! Buffers that a worker thread's connections share: taken for one step, put back after it.

use std::cell::RefCell;

/// The size of a read: 32 KiB of payload and the headers of its frames. 16 to 48 KiB were measured as best.
pub(crate) const SCRATCH: usize = 33 * 1024;

/// Connections inside connections use one each; deeper ones allocate.
const KEPT: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with a buffer of [`SCRATCH`] bytes, whatever was in it.
pub(crate) fn with_scratch<R>(work: impl FnOnce(&mut [u8]) -> R) -> R {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    let mut scratch = spare.unwrap_or_else(|| vec![0; SCRATCH].into_boxed_slice());
    let result = work(&mut scratch);
    SPARE.with_borrow_mut(|spare| {
        if spare.len() < KEPT {
            spare.push(scratch);
        }
    });
    result
}
