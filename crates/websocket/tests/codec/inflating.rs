//! Compressed messages: bounds, ends in the wrong place, bytes that aren't DEFLATE, and the time when memory is taken.

use proptest::prelude::*;
use websocket::deflate::{Bounds, Deflater, Inflater, Params};
use websocket::{Role, Violation};

use crate::inflated::{FULL, inflate};

const UNBOUNDED: Bounds = Bounds { max_message: u64::MAX, max_ratio: None, ratio_from: 0 };
const ALONE: Params =
    Params { server_no_context_takeover: true, client_no_context_takeover: true, ..FULL };

fn inflater(bounds: Bounds) -> Inflater {
    Inflater::new(Role::Server, &FULL, bounds)
}

/// A message of a client.
fn message(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(Role::Client, &FULL, 6).unwrap().deflate(data, true, &mut out);
    out
}

#[test]
fn a_bomb_stops_at_the_bound() {
    let bomb = message(&vec![0; 10_000_000]);
    assert!(bomb.len() < 10_000, "it is one: {}", bomb.len());
    let max_message = 1_000_000;
    for room in [100_000, 32 * 1024, 7] {
        let mut inflater = inflater(Bounds { max_message, ..UNBOUNDED });
        let (before, violation) = inflate(&mut inflater, &[&bomb], room).unwrap_err();
        assert_eq!(before.len(), 1_000_000, "what is within the bound comes");
        let Violation::MessageTooBig { len, max } = violation else { panic!("{violation}") };
        assert!(max == max_message && len > max && len <= max + room as u64, "{len}");
        assert_eq!(u16::from(violation.close_code()), 1009);
    }
}

#[test]
fn a_message_as_big_as_allowed() {
    let exact = Bounds { max_message: 5, ..UNBOUNDED };
    let mut inflater = inflater(exact);
    for _ in 0..3 {
        assert_eq!(inflate(&mut inflater, &[&message(b"Hello")], 5).unwrap(), b"Hello");
        assert_eq!(inflate(&mut inflater, &[&message(b"Hello")], 9).unwrap(), b"Hello");
    }
    let (before, violation) = inflate(&mut inflater, &[&message(b"Hello!")], 9).unwrap_err();
    assert_eq!(
        (&before[..], violation),
        (&b"Hello"[..], Violation::MessageTooBig { len: 6, max: 5 })
    );
    // A bound of nothing lets nothing through but empty messages.
    let mut inflater = self::inflater(Bounds { max_message: 0, ..UNBOUNDED });
    assert_eq!(inflate(&mut inflater, &[b"\x00"], 9).unwrap(), b"");
    assert!(inflate(&mut inflater, &[&message(b"H")], 9).is_err());
}

#[test]
fn what_grows_too_much_is_refused_whatever_its_size() {
    let bounds = Bounds { max_ratio: Some(100), ratio_from: 1 << 20, ..UNBOUNDED };
    let bomb = message(&vec![0; 10_000_000]);
    let (before, violation) = inflate(&mut inflater(bounds), &[&bomb], 10_000).unwrap_err();
    assert_eq!(violation, Violation::InflatesTooMuch { max_ratio: 100 });
    assert_eq!(u16::from(violation.close_code()), 1009);
    assert!(before.len() <= (1 << 20) + 10_000, "{}", before.len());
    // Small ones may be regular; large ones that aren't, may be large.
    let small = vec![0; 1 << 20];
    assert_eq!(inflate(&mut inflater(bounds), &[&message(&small)], 10_000).unwrap(), small);
    let text: String = (0..300_000).map(|i| format!("{i} ")).collect();
    let big = inflate(&mut inflater(bounds), &[&message(text.as_bytes())], 10_000).unwrap();
    assert!(big == text.as_bytes() && big.len() > 1 << 20);
}

#[test]
fn a_message_cut_short_is_no_message() {
    // Of every kind of block: dynamic, fixed, stored; each cut everywhere.
    let text: String = (0..100).map(|i| format!("{} ", i * i)).collect();
    let mut stored = Vec::new();
    Deflater::new(Role::Client, &FULL, 0).unwrap().deflate(b"stored", true, &mut stored);
    for whole in [message(text.as_bytes()), message(b"Hello"), stored] {
        assert!(inflate(&mut inflater(UNBOUNDED), &[&whole], 99).is_ok());
        // The first byte of a stored block alone is an empty message.
        for end in 2..whole.len() {
            for room in [3, 5000] {
                let cut = inflate(&mut inflater(UNBOUNDED), &[&whole[..end]], room);
                let Err((_, violation)) = cut else { panic!("cut at {end}: {whole:02x?}") };
                assert_eq!(violation, Violation::InvalidDeflate);
                assert_eq!(u16::from(violation.close_code()), 1007);
            }
        }
    }
}

#[test]
fn a_tail_that_should_have_been_left_out() {
    let whole = [&message(b"Hello")[..], b"\x00\x00\xff\xff"].concat();
    let error = inflate(&mut inflater(UNBOUNDED), &[&whole], 99).unwrap_err();
    assert_eq!(error, (b"Hello".to_vec(), Violation::InvalidDeflate));
}

#[test]
fn bytes_that_are_no_deflate() {
    let table: [&[u8]; 5] = [
        // The third kind of block; lengths that don't match; a distance before the beginning; codes that aren't any.
        b"\x06\x00",
        b"\x00\x05\x00\x05\x00Hello",
        b"\xf2\x00\x11\x00\x00",
        b"\x04\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\xff",
    ];
    for bytes in table {
        let (before, violation) = inflate(&mut inflater(UNBOUNDED), &[bytes], 99).unwrap_err();
        assert_eq!(violation, Violation::InvalidDeflate, "{bytes:02x?}");
        assert!(before.len() <= 1, "{before:02x?} of {bytes:02x?}");
    }
}

#[test]
fn without_takeover_nothing_is_taken_over() {
    // The second "Hello" of §7.2.3.2 refers to the first.
    let messages: [&[u8]; 2] = [b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"\xf2\x00\x11\x00\x00"];
    for (params, ok) in [(FULL, true), (ALONE, false)] {
        let mut inflater = Inflater::new(Role::Client, &params, UNBOUNDED);
        assert!(inflate(&mut inflater, &[messages[0]], 9).is_ok());
        assert_eq!(inflate(&mut inflater, &[messages[1]], 9).is_ok(), ok);
        let (mut deflater, mut out) = (Deflater::new(Role::Server, &params, 6).unwrap(), vec![]);
        deflater.deflate(b"Hello", true, &mut out);
        out.clear();
        deflater.deflate(b"Hello", true, &mut out);
        assert_eq!(out, messages[usize::from(ok)]);
    }
    // Each direction has its own parameter.
    let server_alone = Params { client_no_context_takeover: false, ..ALONE };
    let mut deflater = Deflater::new(Role::Client, &server_alone, 6).unwrap();
    let mut out = Vec::new();
    deflater.deflate(b"Hello", true, &mut out);
    assert!(deflater.is_allocated());
}

#[test]
fn memory_is_taken_late_and_given_back_early() {
    for (params, kept) in [(FULL, true), (ALONE, false)] {
        let mut inflater = Inflater::new(Role::Server, &params, UNBOUNDED);
        let mut deflater = Deflater::new(Role::Client, &params, 6).unwrap();
        assert!(!inflater.is_allocated() && !deflater.is_allocated());
        // Empty messages need none.
        let mut out = Vec::new();
        deflater.deflate(b"", true, &mut out);
        assert!(inflater.inflate(b"", true, &mut [0]).unwrap().done);
        assert!(!inflater.is_allocated() && !deflater.is_allocated());
        out.clear();
        deflater.deflate(b"Hel", false, &mut out);
        assert!(inflater.inflate(&out, false, &mut [0; 9]).unwrap().done);
        assert!(inflater.is_allocated() && deflater.is_allocated());
        out.clear();
        deflater.deflate(b"lo", true, &mut out);
        assert!(inflater.inflate(&out, true, &mut [0; 9]).unwrap().done);
        assert_eq!((inflater.is_allocated(), deflater.is_allocated()), (kept, kept));
    }
}

#[test]
fn a_window_that_zlib_has_not() {
    for (role, bits, possible) in
        [(Role::Server, 8, false), (Role::Server, 9, true), (Role::Client, 8, true)]
    {
        let params = Params { server_max_window_bits: bits, ..FULL };
        assert_eq!(Deflater::new(role, &params, 1).is_some(), possible);
    }
}

#[test]
fn they_go_from_thread_to_thread() {
    fn is_send<T: Send>() {}
    is_send::<Inflater>();
    is_send::<Deflater>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Right up to a place, then anything.
    #[test]
    fn bytes_of_any_kind_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        raw in prop::collection::vec(any::<u8>(), 0..40),
        room in 1..40_usize,
        size in 1..40_usize,
    ) {
        let mut bytes = message(b"abcabcabc, and so on, and so on; 0123456789");
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.extend(raw);
        let pieces: Vec<_> = bytes.chunks(size).collect();
        let bounds = Bounds { max_message: 2000, max_ratio: Some(50), ratio_from: 1 << 20 };
        let whole = inflate(&mut inflater(bounds), &[&bytes], 4000);
        let cut = inflate(&mut inflater(bounds), &pieces, room);
        match (whole, cut) {
            (Ok(whole), Ok(cut)) => prop_assert_eq!(whole, cut),
            (Err((whole, Violation::InvalidDeflate)), Err((cut, violation))) => {
                prop_assert_eq!(violation, Violation::InvalidDeflate);
                prop_assert_eq!(whole, cut);
            }
            (Err((_, Violation::MessageTooBig { .. })), Err((cut, violation))) => {
                // In small pieces it is too big before what is wrong behind comes.
                let too_big = matches!(violation, Violation::MessageTooBig { .. });
                prop_assert!(too_big && cut.len() == 2000);
            }
            (whole, cut) => prop_assert!(false, "{:?}, and {:?}", whole, cut),
        }
    }
}
