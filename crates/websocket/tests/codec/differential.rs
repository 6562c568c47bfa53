//! Random streams, read by us and by tungstenite.

use proptest::prelude::*;
use websocket::Role;

use crate::{oracle, stream};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn streams_mean_what_tungstenite_says(
        seed in prop::collection::vec(any::<u8>(), 0..160),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        server: bool,
    ) {
        let role = if server { Role::Server } else { Role::Client };
        oracle::compare(role, &stream::from_seed(role, &seed), &cuts);
    }

    #[test]
    fn any_bytes_mean_what_tungstenite_says(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        server: bool,
    ) {
        oracle::compare(if server { Role::Server } else { Role::Client }, &bytes, &[]);
    }
}
