//! Masking keys (RFC 6455 sections 5.3 and 10.3): fresh for each frame, and unpredictable.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A source of masking keys: a counter under `SipHash`, whose key the standard library takes from the
/// operating system's random numbers. Without that key, a client that chooses payloads can't foresee a
/// mask, which is all that masks are for.
///
/// Made when the first key is asked for, as a server never does.
#[derive(Default)]
pub(in crate::ws) struct Keys(Option<Box<Counter>>);

#[derive(Default)]
struct Counter {
    secret: RandomState,
    count: u64,
}

impl Keys {
    /// The next key.
    pub(in crate::ws) fn next(&mut self) -> [u8; 4] {
        let counter = self.0.get_or_insert_default();
        let mut hasher = counter.secret.build_hasher();
        hasher.write_u64(counter.count);
        counter.count += 1;
        let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
        [a, b, c, d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_repeat_from_frame_to_frame_or_connection_to_connection() {
        let keys = |mut source: Keys| (0..4).map(|_| source.next()).collect::<Vec<_>>();
        let (one, other) = (keys(Keys::default()), keys(Keys::default()));
        assert!(one.windows(2).all(|pair| pair[0] != pair[1]));
        assert_ne!(one, other);
    }
}
