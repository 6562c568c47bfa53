//! Two machines, told anything in any order: they stop talking, agree on every option, and then carry bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use telnet::{Opt, Policy, Role, Settings, Side, Telnet};

fuzz_target!(|acts: &[u8]| {
    let mut ends = [Role::Client, Role::Server].map(|role| Telnet::new(role, Settings::default()));
    let mut wires = [vec![], vec![]];
    // Fewer than there are refusals of one option (`telnet::MAX_REFUSALS`).
    for act in acts.chunks_exact(2).take(30) {
        let &[what, option] = act else { continue };
        let end = usize::from(what & 1);
        let side = if what & 2 == 0 { Side::Local } else { Side::Remote };
        // TIMING-MARK has no state.
        let option = Opt(if option == Opt::TIMING_MARK.0 { 0 } else { option });
        match what >> 2 & 7 {
            0 => ends[end].agree(option, side, Policy::Refuse),
            1 => ends[end].agree(option, side, Policy::Agree),
            2 | 3 => ends[end].request(option, side, what & 4 == 0),
            4 => ends[end].start(),
            _ => deliver(&mut ends, &mut wires, end),
        }
    }
    let mut rounds = 0;
    loop {
        for (end, wire) in ends.iter_mut().zip(&mut wires) {
            end.flush(wire);
        }
        if wires.iter().all(Vec::is_empty) {
            break;
        }
        deliver(&mut ends, &mut wires, 0);
        deliver(&mut ends, &mut wires, 1);
        rounds += 1;
        assert!(rounds <= 8, "they don't stop");
    }
    let [client, server] = &mut ends;
    for option in (0..=255).map(Opt) {
        assert_eq!(client.is_on(option, Side::Local), server.is_on(option, Side::Remote));
        assert_eq!(client.is_on(option, Side::Remote), server.is_on(option, Side::Local));
    }
    let (mut wire, mut arrived) = (vec![], vec![]);
    server.send(acts, &mut wire);
    assert_eq!(client.receive(&wire, &mut arrived, |_| {}), wire.len());
    assert_eq!(arrived, acts);
});

/// Carries what the other end has said to this one; `wires[i]` is what end `i` has written.
fn deliver(ends: &mut [Telnet; 2], wires: &mut [Vec<u8>; 2], end: usize) {
    let input = std::mem::take(&mut wires[1 - end]);
    let taken = ends[end].receive(&input, &mut vec![], |_| {});
    assert_eq!(taken, input.len());
    ends[end].flush(&mut wires[end]);
}
