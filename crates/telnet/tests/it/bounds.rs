//! Bounds on the work and the memory that a peer can cause.

use proptest::prelude::*;
use telnet::{
    Event, MAX_REFUSALS, MAX_SUBNEGOTIATION, MAX_UNSENT, Opt, Policy, Received, Side, Size, Telnet,
};

use crate::common::{Item, answers, client, feed, server};

/// The longest answer to one thing: a terminal's name, or WILL NAWS with a size that is all 255s.
const LONGEST: usize = 64;

fn flood(mut telnet: Telnet, request: &[u8]) {
    let input = request.repeat(100_000);
    let (mut at, mut answered, mut stops) = (0, 0, 0);
    while at < input.len() {
        let before = at;
        while telnet.next(&input, &mut at).is_some() {}
        assert!(at > before, "it goes on after a flush");
        let mut out = Vec::new();
        telnet.flush(&mut out);
        assert!(out.len() < MAX_UNSENT + LONGEST, "{} bytes of answers", out.len());
        answered += out.len();
        stops += usize::from(at < input.len());
    }
    assert!(stops > 0 || answered < MAX_UNSENT, "{answered} bytes at once");
}

#[test]
fn answers_that_nobody_reads_stop_the_input() {
    let mut terminal = client();
    answers(&mut terminal, b"\xff\xfd\x18");
    flood(terminal, b"\xff\xfa\x18\x01\xff\xf0");
    flood(client(), b"\xff\xfb\x01\xff\xfc\x01");
    flood(client(), b"\xff\xfd\x1f\xff\xfe\x1f");
    flood(client(), b"\xff\xfd\x06");
    flood(client(), b"\xff\xfd\xc8\xff\xfb\xc8");
    flood(server(), b"\xff\xf6");
}

#[test]
fn input_that_was_not_taken_is_not_lost() {
    let mut telnet = client();
    let input = [b"\xff\xfd\x06".repeat(10_000), b"end".to_vec()].concat();
    let (mut data, mut out, mut at) = (vec![], vec![], 0);
    while at < input.len() {
        at += telnet.receive(&input[at..], &mut data, |_| {});
        telnet.flush(&mut out);
    }
    assert_eq!((data, out), (b"end".to_vec(), b"\xff\xfc\x06".repeat(10_000)));
}

#[test]
fn a_peer_that_insists_is_refused_only_so_often() {
    let refused = answers(&mut client(), &b"\xff\xfd\xc8".repeat(1000));
    assert_eq!(refused, b"\xff\xfc\xc8".repeat(MAX_REFUSALS.into()));
}

#[test]
fn a_subnegotiation_is_kept_only_so_far() {
    let mut telnet = server();
    telnet.agree(Opt::COM_PORT, Side::Remote, Policy::Agree);
    for (len, truncated) in
        [(MAX_SUBNEGOTIATION, false), (MAX_SUBNEGOTIATION + 1, true), (10_000_000, true)]
    {
        let input = [b"\xff\xfb\x2c\xff\xfa\x2c", &vec![7; len][..], b"\xff\xf0after"].concat();
        let mut received = feed(&mut telnet, input.chunks(4096)).received;
        assert_eq!(received.pop(), Some(Item::Data(b"after".to_vec())));
        let Some(Item::Event(Event::Subnegotiation(sub))) = received.pop() else {
            panic!("no subnegotiation")
        };
        assert_eq!((sub.data.len(), sub.truncated), (MAX_SUBNEGOTIATION, truncated));
    }
}

#[test]
fn a_truncated_answer_is_not_believed() {
    let mut telnet = server();
    telnet.start();
    let input = [b"\xff\xfb\x18\xff\xfa\x18\0", &vec![b'x'; 10_000][..], b"\xff\xf0"].concat();
    let event = Event::Remote(Opt::TTYPE, true);
    assert_eq!(feed(&mut telnet, [&input[..]]).received, [Item::Event(event)]);
}

#[test]
fn what_we_want_ourselves_makes_no_queue_either() {
    let mut telnet = client();
    answers(&mut telnet, b"\xff\xfd\x1f");
    for round in 0..100_000_u32 {
        telnet.resize(Size { cols: round as u16, rows: 1 });
        for code in 0..=255 {
            if round < 100 {
                telnet.request(Opt(code), Side::Local, round % 2 == 0);
                telnet.request(Opt(code), Side::Remote, round % 2 == 0);
            }
        }
    }
    let mut out = Vec::new();
    telnet.flush(&mut out);
    assert!(out.len() <= 2 * 256 * 3 + 2 * LONGEST, "{} bytes", out.len());
}

/// Bytes that mean something, more often than they would by chance.
fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => Just(255),
        4 => 239..=254_u8,
        2 => proptest::sample::select(vec![0, 1, 3, 6, 10, 13, 24, 25, 31, 44]),
        1 => any::<u8>(),
    ];
    proptest::collection::vec(byte, 0..600)
}

proptest! {
    #[test]
    fn rubbish_does_no_harm_and_means_the_same_however_it_is_cut(
        input in rubbish(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        as_server in any::<bool>(),
    ) {
        let machine = || {
            let mut telnet = if as_server { server() } else { client() };
            telnet.agree(Opt::COM_PORT, Side::Remote, Policy::Agree);
            telnet.start();
            telnet
        };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|ends| &input[ends[0]..ends[1]]);
        let whole = feed(&mut machine(), [&input[..]]);
        prop_assert_eq!(&feed(&mut machine(), pieces), &whole);
        prop_assert_eq!(&feed(&mut machine(), input.chunks(1)), &whole);
    }

    #[test]
    fn events_and_the_byte_view_are_the_same(input in rubbish()) {
        let (mut one, mut other) = (client(), client());
        let (mut at, mut data, mut events) = (0, vec![], vec![]);
        while let Some(received) = one.next(&input, &mut at) {
            match received {
                Received::Data(range) => data.extend_from_slice(&input[range]),
                Received::Event(event) => events.push(event),
            }
        }
        let (mut bytes, mut rest) = (vec![], vec![]);
        let taken = other.receive(&input, &mut bytes, |event| rest.push(event));
        prop_assert_eq!((taken, bytes, rest), (at, data, events));
    }
}
