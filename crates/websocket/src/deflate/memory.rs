//! Memory for windows, or none: zlib-rs panics where it gets none.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Returns `true` if there is currently memory for both directions of a connection. Call it before compression is
/// agreed upon.
pub fn has_memory() -> bool {
    is_there(DEFLATE + INFLATE)
}

/// Returns the result of `make` with this much memory; `None` if the system has not enough.
pub(super) fn make<T>(bytes: usize, make: impl FnOnce() -> T) -> Option<T> {
    if !is_there(bytes) {
        return None;
    }
    // Another thread may have taken it meanwhile.
    catch_unwind(AssertUnwindSafe(make)).ok()
}

/// Takes so much, in one piece as zlib-rs does, and gives it back.
fn is_there(bytes: usize) -> bool {
    #[cfg(test)]
    if tests::NONE.get() {
        return false;
    }
    let mut probe = Vec::<u8>::new();
    // Or the compiler would see that nothing is done with it, and take it as there.
    let taken = probe.try_reserve_exact(bytes).is_ok();
    black_box(&probe);
    taken
}

/// The maximum memory of a window to compress with, and of one to inflate with.
pub(super) const DEFLATE: usize = 400 * 1024;
pub(super) const INFLATE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::{Bounds, Deflater, Inflater, Params};
    use super::*;
    use crate::{Role, Violation};

    thread_local! {
        /// Set if this thread gets no memory.
        pub(super) static NONE: Cell<bool> = const { Cell::new(false) };
    }

    const FULL: Params = Params {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };

    fn without_memory<T>(act: impl FnOnce() -> T) -> T {
        NONE.set(true);
        let done = act();
        NONE.set(false);
        done
    }

    /// All of a message that came in one piece.
    fn inflate(inflater: &mut Inflater, mut input: &[u8]) -> Result<Vec<u8>, Violation> {
        let (mut all, mut out) = (Vec::new(), [0; 1000]);
        loop {
            let inflated = inflater.inflate(input, true, &mut out)?;
            all.extend_from_slice(&out[..inflated.filled]);
            input = &input[inflated.taken..];
            if inflated.done {
                return Ok(all);
            }
        }
    }

    #[test]
    fn without_memory_messages_go_as_they_are() {
        let mut deflater = Deflater::new(Role::Server, &FULL, 6).unwrap();
        let mut inflater = Inflater::new(Role::Client, &FULL, Bounds::default());
        let text = b"again and again and again and again";
        let mut send = |has_memory: bool| {
            let mut out = Vec::new();
            NONE.set(!has_memory);
            deflater.deflate(text, false, &mut out);
            deflater.deflate(text, true, &mut out);
            NONE.set(false);
            assert_eq!(inflate(&mut inflater, &out).unwrap(), text.repeat(2));
            out.len()
        };
        assert!(send(false) > 2 * text.len());
        // Once there is some, it is used, and refers to nothing that it hasn't seen.
        assert!(send(true) < text.len());
        assert!(send(false) < text.len(), "it has a window, and needs no more");
    }

    #[test]
    fn what_cannot_be_inflated_for_want_of_memory_ends_the_connection() {
        let mut out = Vec::new();
        Deflater::new(Role::Server, &FULL, 6).unwrap().deflate(b"Hello", true, &mut out);
        let mut inflater = Inflater::new(Role::Client, &FULL, Bounds::default());
        let violation = without_memory(|| inflate(&mut inflater, &out)).unwrap_err();
        assert_eq!(violation, Violation::NoMemory);
        assert_eq!(u16::from(violation.close_code()), 1011);
    }

    #[test]
    fn there_is_memory_now() {
        assert!(has_memory());
        assert!(!without_memory(has_memory));
        assert!(!is_there(isize::MAX as usize));
    }
}
