//! Any input, to either role: no panic, nothing that grows, and the same however it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use telnet::{
    Event, MAX_SUBNEGOTIATION, MAX_UNSENT, Opt, Policy, Role, Settings, Side, Size, Telnet,
};

fuzz_target!(|input: &[u8]| {
    let Some((&control, input)) = input.split_first() else { return };
    let cut = usize::from(control >> 1) % input.len().max(1);
    let whole = run(control, [input]);
    assert_eq!(run(control, [&input[..cut], &input[cut..]]), whole);
    assert_eq!(run(control, input.chunks(1)), whole);
});

fn run<'a>(
    control: u8,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, Vec<Event>, Vec<u8>) {
    let role = if control & 1 == 0 { Role::Client } else { Role::Server };
    let size = Some(Size { cols: 255, rows: 24 });
    let mut telnet = Telnet::new(role, Settings { size, ..Settings::default() });
    telnet.agree(Opt::COM_PORT, Side::Remote, Policy::Agree);
    telnet.start();
    let (mut data, mut events, mut out) = (vec![], vec![], vec![]);
    telnet.flush(&mut out);
    for piece in pieces {
        let mut at = 0;
        while at < piece.len() {
            let sent = out.len();
            at += telnet.receive(&piece[at..], &mut data, |event| {
                if let Event::Subnegotiation(sub) = &event {
                    assert!(sub.data.len() <= MAX_SUBNEGOTIATION);
                }
                events.push(event);
            });
            telnet.flush(&mut out);
            assert!(out.len() - sent < MAX_UNSENT + 64);
        }
    }
    (data, events, out)
}
