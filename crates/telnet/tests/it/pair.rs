//! A client and a server of ours: that they agree, that they stop talking, and that data arrives.

use proptest::prelude::*;
use proptest::sample::select;
use telnet::{Enter, Opt, Policy, Role, Settings, Side, Telnet};

use crate::common::{client, server};

/// Two machines and the wires between them.
struct Pair {
    client: Telnet,
    server: Telnet,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
}

impl Pair {
    fn new(client: Telnet, server: Telnet) -> Self {
        Self { client, server, to_server: vec![], to_client: vec![] }
    }

    fn end(&mut self, role: Role) -> &mut Telnet {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Carries what is on the wire to one end, and puts its answers on the other wire.
    fn deliver(&mut self, role: Role) -> Vec<u8> {
        let (wire, back) = match role {
            Role::Client => (&mut self.to_client, &mut self.to_server),
            Role::Server => (&mut self.to_server, &mut self.to_client),
        };
        let input = std::mem::take(wire);
        let telnet = match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        };
        let mut data = Vec::new();
        assert_eq!(telnet.receive(&input, &mut data, |_| {}), input.len());
        telnet.flush(back);
        data
    }

    /// How many rounds it takes until both are silent.
    fn settle(&mut self) -> usize {
        for round in 0..100 {
            self.client.flush(&mut self.to_server);
            self.server.flush(&mut self.to_client);
            if self.to_server.is_empty() && self.to_client.is_empty() {
                return round;
            }
            self.deliver(Role::Server);
            self.deliver(Role::Client);
        }
        panic!("they don't stop");
    }
}

#[test]
fn a_started_server_and_a_passive_client_agree_on_a_terminal() {
    let mut pair = Pair::new(client(), server());
    pair.server.start();
    assert!(pair.settle() <= 3);
    for (option, side) in [
        (Opt::ECHO, Side::Remote),
        (Opt::SGA, Side::Remote),
        (Opt::TTYPE, Side::Local),
        (Opt::NAWS, Side::Local),
    ] {
        assert!(pair.client.is_on(option, side), "{option}");
    }
}

#[test]
fn two_that_begin_at_once_agree_too() {
    let mut pair = Pair::new(client(), server());
    pair.server.start();
    pair.client.start();
    assert!(pair.settle() <= 3);
    assert!(pair.client.is_on(Opt::SGA, Side::Remote) && pair.client.is_on(Opt::NAWS, Side::Local));
}

#[derive(Clone, Debug)]
enum Act {
    Agree(Role, Opt, Side, Policy),
    Request(Role, Opt, Side, bool),
    Start(Role),
    Deliver(Role),
}

fn act() -> impl Strategy<Value = Act> {
    let role = || select(vec![Role::Client, Role::Server]);
    let side = || select(vec![Side::Local, Side::Remote]);
    let policy = select(vec![Policy::Refuse, Policy::Agree, Policy::Offer]);
    // TIMING-MARK has no state to agree on.
    let option = || select(vec![0, 1, 3, 24, 25, 31, 44, 200, 255]).prop_map(Opt);
    prop_oneof![
        (role(), option(), side(), policy).prop_map(|(r, o, s, p)| Act::Agree(r, o, s, p)),
        (role(), option(), side(), any::<bool>())
            .prop_map(|(r, o, s, on)| Act::Request(r, o, s, on)),
        role().prop_map(Act::Start),
        role().prop_map(Act::Deliver),
    ]
}

/// How much of the data each write and each read takes.
fn pieces() -> impl Strategy<Value = (usize, usize)> {
    (1..7_usize, 1..7_usize)
}

/// Full of what telnet has to escape.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => select(vec![0, 10, 13, 255, 240, 250, 253]), 1 => any::<u8>()];
    proptest::collection::vec(byte, 0..200)
}

/// Carries data from one end to the other.
fn carry(
    from: &mut Telnet,
    to: &mut Telnet,
    data: &[u8],
    (write, read): (usize, usize),
) -> Vec<u8> {
    let (mut wire, mut arrived) = (Vec::new(), Vec::new());
    for piece in data.chunks(write) {
        from.send(piece, &mut wire);
    }
    assert!(wire.len() <= 2 * data.len());
    for piece in wire.chunks(read) {
        assert_eq!(to.receive(piece, &mut arrived, |_| {}), piece.len());
    }
    arrived
}

fn entering(enter: Enter) -> Telnet {
    Telnet::new(Role::Client, Settings { enter, ..Settings::default() })
}

proptest! {
    #[test]
    fn whatever_they_want_they_agree_and_stop(acts in proptest::collection::vec(act(), 0..30)) {
        let mut pair = Pair::new(client(), server());
        for act in acts {
            match act {
                Act::Agree(role, option, side, policy) => pair.end(role).agree(option, side, policy),
                Act::Request(role, option, side, on) => pair.end(role).request(option, side, on),
                Act::Start(role) => pair.end(role).start(),
                Act::Deliver(role) => drop(pair.deliver(role)),
            }
        }
        // A request, the queued opposite of it, and their answers; then a terminal's name and size.
        let rounds = pair.settle();
        prop_assert!(rounds <= 8, "{} rounds", rounds);
        for option in (0..=255).map(Opt) {
            for (ours, theirs) in [(Side::Local, Side::Remote), (Side::Remote, Side::Local)] {
                let (ours, theirs) = (pair.client.is_on(option, ours), pair.server.is_on(option, theirs));
                prop_assert_eq!(ours, theirs, "{}", option);
            }
        }
    }

    #[test]
    fn binary_carries_everything_both_ways(data in data(), pieces in pieces()) {
        let mut pair = Pair::new(client(), server());
        pair.server.request(Opt::BINARY, Side::Local, true);
        pair.server.request(Opt::BINARY, Side::Remote, true);
        pair.settle();
        prop_assert_eq!(&carry(&mut pair.client, &mut pair.server, &data, pieces), &data);
        prop_assert_eq!(&carry(&mut pair.server, &mut pair.client, &data, pieces), &data);
    }

    #[test]
    fn a_server_s_text_arrives_as_it_is(data in data(), pieces in pieces()) {
        prop_assert_eq!(carry(&mut server(), &mut client(), &data, pieces), data);
    }

    #[test]
    fn keys_arrive_as_they_are(data in data(), pieces in pieces()) {
        prop_assert_eq!(carry(&mut entering(Enter::CrNul), &mut server(), &data, pieces), data);
    }

    #[test]
    fn lines_arrive_as_lines(data in data(), pieces in pieces()) {
        // CR LF is one key.
        let line_end = |at: usize| data[at] == b'\n' && at > 0 && data[at - 1] == b'\r';
        let expected: Vec<u8> = (0..data.len()).filter(|&at| !line_end(at)).map(|at| data[at]).collect();
        let arrived = carry(&mut entering(Enter::CrLf), &mut server(), &data, pieces);
        prop_assert_eq!(arrived, expected);
    }
}
