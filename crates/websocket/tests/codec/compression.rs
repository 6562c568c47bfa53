//! Compressed data comes out again: from ours, and from another DEFLATE, however it is cut.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use proptest::prelude::*;
use websocket::Role;
use websocket::deflate::{Bounds, Deflater, Inflater, Params};

use crate::inflated::inflate;

/// The peer: `miniz_oxide`, which shares no code with zlib-rs, in a connection's worth of messages.
mod peer {
    use super::*;

    pub(super) fn deflate(state: &mut Compress, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() * 2 + 100);
        state.compress_vec(data, &mut out, FlushCompress::Sync).unwrap();
        assert!(out.ends_with(b"\x00\x00\xff\xff"));
        out.truncate(out.len() - 4);
        out
    }

    pub(super) fn inflate(state: &mut Decompress, data: &[u8], len: usize) -> Vec<u8> {
        let whole = [data, b"\x00\x00\xff\xff"].concat();
        let (mut out, before) = (Vec::with_capacity(len + 100), state.total_in());
        state.decompress_vec(&whole, &mut out, FlushDecompress::Sync).unwrap();
        assert_eq!(state.total_in() - before, whole.len() as u64, "all is read");
        out
    }
}

/// Nothing, noise, and what repeats itself over more than the smallest windows.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..700);
    let words = prop::collection::vec(prop::sample::select(WORDS), 0..400);
    prop_oneof![
        1 => Just(Vec::new()),
        2 => noise.clone(),
        4 => words.prop_map(|words| words.concat().into_bytes()),
        2 => (noise, 2..8_usize).prop_map(|(noise, times)| noise.repeat(times)),
    ]
}

fn params() -> impl Strategy<Value = Params> {
    (any::<bool>(), any::<bool>(), 9..=15_u8, 9..=15_u8).prop_map(|(server, client, s, c)| Params {
        server_no_context_takeover: server,
        client_no_context_takeover: client,
        server_max_window_bits: s,
        client_max_window_bits: c,
    })
}

fn roles() -> impl Strategy<Value = (Role, Role)> {
    prop_oneof![Just((Role::Server, Role::Client)), Just((Role::Client, Role::Server))]
}

/// The pieces of `data` between the cuts, the empty ones too.
fn cut<'d>(data: &'d [u8], cuts: &[prop::sample::Index]) -> Vec<&'d [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|at| at.index(data.len() + 1)).collect();
    cuts.sort_unstable();
    let ends = cuts.iter().copied().chain([data.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts.zip(ends).map(|(start, end)| &data[start..end]).collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..5)
}

/// `data` in pieces, and that none is longer than it may be.
fn deflate(deflater: &mut Deflater, pieces: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        let before = out.len();
        deflater.deflate(piece, i + 1 == pieces.len(), &mut out);
        let allowed = piece.len() + piece.len().div_ceil(65_535) * 5 + 10;
        assert!(out.len() - before <= allowed, "{} from {}", out.len() - before, piece.len());
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_goes_in_comes_out(
        messages in prop::collection::vec((data(), cuts(), cuts()), 1..5),
        params in params(),
        (sender, receiver) in roles(),
        level in 0..=9_u32,
        room in prop_oneof![1..20_usize, Just(4096)],
    ) {
        let mut deflater = Deflater::new(sender, &params, level).unwrap();
        let mut inflater = Inflater::new(receiver, &params, Bounds::default());
        for (message, out, back) in &messages {
            let compressed = deflate(&mut deflater, &cut(message, out));
            let inflated = inflate(&mut inflater, &cut(&compressed, back), room);
            prop_assert_eq!(inflated.as_ref(), Ok(message));
        }
    }

    /// A window that is smaller than that of the peer would show here: it is the largest that there is.
    #[test]
    fn we_understand_miniz(
        messages in prop::collection::vec((data(), cuts()), 1..6),
        level in 0..=9_u32,
        params in params(),
        room in prop_oneof![1..20_usize, Just(4096)],
    ) {
        let kept = Params { client_no_context_takeover: false, client_max_window_bits: 15, ..params };
        let mut inflater = Inflater::new(Role::Server, &kept, Bounds::default());
        let mut peer = Compress::new(Compression::new(level), false);
        for (message, cuts) in &messages {
            if message.is_empty() {
                continue;
            }
            let compressed = peer::deflate(&mut peer, message);
            let inflated = inflate(&mut inflater, &cut(&compressed, cuts), room);
            prop_assert_eq!(inflated.as_ref(), Ok(message));
        }
    }

    #[test]
    fn miniz_understands_us(
        messages in prop::collection::vec((data(), cuts()), 1..6),
        level in 0..=9_u32,
        params in params(),
        sender in roles(),
    ) {
        let mut deflater = Deflater::new(sender.0, &params, level).unwrap();
        // It keeps its window: a sender that keeps none does it no harm.
        let mut peer = Decompress::new(false);
        for (message, cuts) in &messages {
            let compressed = deflate(&mut deflater, &cut(message, cuts));
            prop_assert_eq!(&peer::inflate(&mut peer, &compressed, message.len()), message);
        }
    }
}

/// A peer with the smallest window could follow: no distance is longer than what was agreed upon.
#[test]
fn a_small_window_is_not_left() {
    // The same 600 bytes of noise twice: out of reach for 512 bytes, within reach for 1024.
    let mut seed = 1_u32;
    let noise: Vec<u8> = (0..600)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        })
        .collect();
    let twice = noise.repeat(2);
    for (bits, reaches) in [(9, false), (10, true), (15, true)] {
        let params = Params { server_max_window_bits: bits, ..crate::inflated::FULL };
        for level in 1..=9 {
            let mut deflater = Deflater::new(Role::Server, &params, level).unwrap();
            let compressed = deflate(&mut deflater, &[&twice]);
            assert_eq!(compressed.len() < 800, reaches, "{bits} bits, level {level}");
        }
    }
}

#[test]
fn noise_grows_by_no_more_than_a_block_each() {
    let mut seed = 1_u32;
    let noise: Vec<u8> = (0..200_000)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        })
        .collect();
    for level in 0..=9 {
        let mut deflater = Deflater::new(Role::Server, &crate::inflated::FULL, level).unwrap();
        let mut inflater = Inflater::new(Role::Client, &crate::inflated::FULL, Bounds::default());
        let compressed = deflate(&mut deflater, &[&noise]);
        assert_eq!(inflate(&mut inflater, &[&compressed], 9999).as_ref(), Ok(&noise));
        // Data that was sent uncompressed is in both windows all the same.
        let again = deflate(&mut deflater, &[&noise[190_000..]]);
        assert!(level == 0 || again.len() < 1000, "{} at level {level}", again.len());
        assert_eq!(inflate(&mut inflater, &[&again], 9999).unwrap(), &noise[190_000..]);
    }
}

const WORDS: &[&str] =
    &["the ", "window ", "of ", "both ", "ends ", "{\"id\":", "12", "\u{20ac}", "\n"];
