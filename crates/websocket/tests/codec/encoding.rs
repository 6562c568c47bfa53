//! The frames that we send, and masking.

use proptest::prelude::*;
use websocket::{
    CloseCode, CloseFrame, ControlPayload, Encoder, Limits, MAX_CONTROL, MAX_REASON, Role,
    Violation, mask,
};

use crate::stream::{KEY, frame};
use crate::views::{Came, agreed};

proptest! {
    #[test]
    fn masking_is_that_of_the_standard(
        key: [u8; 4],
        offset in prop_oneof![0..16_u64, any::<u64>()],
        data in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let expected: Vec<u8> = (0_usize..).zip(&data)
            .map(|(i, byte)| byte ^ key[(offset.wrapping_add(i as u64) % 4) as usize])
            .collect();
        let mut masked = data.clone();
        mask(key, offset, &mut masked);
        prop_assert_eq!(&masked, &expected);
        mask(key, offset, &mut masked);
        prop_assert_eq!(masked, data);
    }

    #[test]
    fn masking_in_pieces_is_masking(
        key: [u8; 4],
        data in prop::collection::vec(any::<u8>(), 0..300),
        cut in any::<usize>(),
    ) {
        let cut = cut % (data.len() + 1);
        let (mut whole, mut pieces) = (data.clone(), data);
        mask(key, 0, &mut whole);
        let (head, tail) = pieces.split_at_mut(cut);
        mask(key, 0, head);
        mask(key, cut as u64, tail);
        prop_assert_eq!(whole, pieces);
    }
}

#[test]
fn the_first_part_says_what_the_message_is() {
    let mut encoder = Encoder::new(Role::Server);
    let firsts: Vec<u8> =
        [(false, false), (true, false), (true, true), (true, true), (false, true)]
            .map(|(text, last)| encoder.data(text, last, 0, || KEY)[0])
            .to_vec();
    assert_eq!(firsts, [0x02, 0x00, 0x80, 0x81, 0x82]);
    assert!(!encoder.is_inside_message());
}

#[test]
fn a_key_is_asked_for_by_clients_once_a_frame() {
    let mut asked = 0;
    let mut key = || {
        asked += 1;
        KEY
    };
    Encoder::new(Role::Server).data(true, true, 1, &mut key);
    Encoder::new(Role::Client).data(true, true, 1, &mut key);
    let _ = Encoder::new(Role::Server).close(None, &mut key);
    let _ = Encoder::new(Role::Client).close(None, &mut key);
    assert_eq!(asked, 2);
}

#[test]
fn control_frames_are_whole_frames() {
    let close = CloseFrame::new(CloseCode::Away, "going").unwrap();
    for (ours, theirs) in [(Role::Server, Role::Client), (Role::Client, Role::Server)] {
        let encoder = Encoder::new(ours);
        for payload in [&b""[..], b"Hello", &[9; MAX_CONTROL]] {
            let control = ControlPayload::new(payload).unwrap();
            assert_eq!(*encoder.ping(&control, || KEY), *frame(theirs, 0x89, payload));
            assert_eq!(*encoder.pong(&control, || KEY), *frame(theirs, 0x8a, payload));
        }
        let body = b"\x03\xe9going";
        assert_eq!(*encoder.close(Some(&close), || KEY), *frame(theirs, 0x88, body));
        assert_eq!(*encoder.close(None, || KEY), *frame(theirs, 0x88, b""));
    }
    assert_eq!(ControlPayload::new(&[0; MAX_CONTROL + 1]), None);
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    for (reason, kept) in [("a".repeat(200), 123), ("é".repeat(99), 122), ("😀".repeat(99), 120)]
    {
        let close = CloseFrame::new(CloseCode::Normal, &reason).unwrap();
        assert_eq!(close.reason(), &reason[..kept]);
        let sent = Encoder::new(Role::Server).close(Some(&close), || KEY);
        let came = agreed(Role::Client, Limits::default(), &sent, &[2, 50]).came;
        assert_eq!(came, [Came::Close(Some(close))]);
    }
}

#[test]
fn codes_that_must_not_be_sent_cannot_be() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(CloseFrame::new(code.into(), ""), None, "{code}");
    }
}

#[test]
fn a_violation_fits_into_a_reason() {
    let longest = [
        Violation::MessageTooBig { len: u64::MAX, max: u64::MAX - 1 },
        Violation::NonMinimalLength(u64::MAX),
        Violation::FrameTooBig { len: u64::MAX, max: u64::MAX - 1 },
    ];
    for violation in longest {
        assert!(violation.to_string().len() <= MAX_REASON, "{violation}");
    }
}
