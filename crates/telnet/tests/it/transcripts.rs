//! Transcripts of real peers. Each is read whole, byte by byte and cut at every place, with the same result.

use telnet::{Event, Opt, Telnet};

use crate::common::{Item, bytes, client, feed, server};

struct Transcript {
    /// The peer, and the occasion.
    peer: &'static str,
    machine: fn() -> Telnet,
    hex: &'static str,
    /// Our answers; sizes and names are those of [`client`].
    answers: &'static str,
    /// Options that are switched, in order, ours with `true`.
    switched: &'static [(bool, Opt, bool)],
    /// The data that the user sees.
    data: &'static [u8],
}

const TRANSCRIPTS: &[Transcript] = &[
    Transcript {
        peer: "GNU inetutils 2.4 telnetd (Debian 12), recorded: a passive client, `stty size; echo $TERM`",
        machine: client,
        hex: "
            fffb25 fffb26 fffd18 fffd20 fffd23 fffd27 fffd24   # WILL AUTHENTICATION, ENCRYPT; DO TTYPE, TSPEED, ...
            fffa1801fff0
            fffb03 fffd01 fffd22 fffd1f fffb05 fffd21   # WILL SGA, DO ECHO, LINEMODE, NAWS, WILL STATUS, DO LFLOW
            fffb01 fffd06 fffd00   # WILL ECHO, DO TIMING-MARK: whether we edit lines, DO BINARY
            2420
            737474792073697a653b206563686f20245445524d0d0a
            3330203130300d0a 787465726d2d323536636f6c6f720d0a 2420",
        answers: "
            fffe25 fffe26 fffb18 fffc20 fffc23 fffc27 fffc24
            fffa1800 787465726d2d323536636f6c6f72 fff0
            fffd03 fffc01 fffc22 fffb1f fffa1f0064001efff0 fffe05 fffc21
            fffd01 fffc06 fffb00",
        switched: &[
            (true, Opt::TTYPE, true),
            (false, Opt::SGA, true),
            (true, Opt::NAWS, true),
            (false, Opt::ECHO, true),
            (true, Opt::BINARY, true),
        ],
        data: b"$ stty size; echo $TERM\r\n30 100\r\nxterm-256color\r\n$ ",
    },
    Transcript {
        peer: "GNU inetutils 2.4 telnetd (Debian 12), recorded: a client that began (DO SGA, WILL TTYPE, WILL NAWS)",
        machine: started_client,
        hex: "
            fffb25 fffb26 fffd18 fffd20 fffd23 fffd27 fffd24 fffb03 fffd1f
            fffa1801fff0
            fffd01 fffd22 fffb05 fffd21
            fffb01 fffd06 fffd00
            2420",
        answers: "
            fffd03 fffb18 fffb1f
            fffe25 fffe26 fffc20 fffc23 fffc27 fffc24 fffa1f0064001efff0
            fffa1800 787465726d2d323536636f6c6f72 fff0
            fffc01 fffc22 fffe05 fffc21
            fffd01 fffc06 fffb00",
        switched: &[
            (true, Opt::TTYPE, true),
            (false, Opt::SGA, true),
            (true, Opt::NAWS, true),
            (false, Opt::ECHO, true),
            (true, Opt::BINARY, true),
        ],
        data: b"$ ",
    },
    Transcript {
        peer: "Twisted 26.10 manhole, recorded: login; it goes on after our answer to WONT ECHO (fffc01)",
        machine: client,
        hex: "
            557365726e616d653a20
            fffb01 50617373776f72643a20
            fffc01
            fffd22 fffd1f fffd03 fffb01   # DO LINEMODE, NAWS, SGA; WILL ECHO
            1b63 3e3e3e20 1b5b3468 0d0d0d0a 32",
        answers: "fffd01 fffe01 fffc22 fffb1f fffa1f0064001efff0 fffb03 fffd01",
        switched: &[
            (false, Opt::ECHO, true),
            (false, Opt::ECHO, false),
            (true, Opt::NAWS, true),
            (true, Opt::SGA, true),
            (false, Opt::ECHO, true),
        ],
        data: b"Username: Password: \x1bc>>> \x1b[4h\r\r\r\n2",
    },
    Transcript {
        peer: "what Cisco IOS begins with (not recorded; as in published traces): all at once, before the banner",
        machine: client,
        hex: "fffb01 fffb03 fffd18 fffd1f 0d0a0d0a 5573657220 fffa1801fff0 fffa1801fff0 0d00 41",
        answers: "
            fffd01 fffd03 fffb18 fffb1f fffa1f0064001efff0
            fffa1800 787465726d2d323536636f6c6f72 fff0 fffa1800 787465726d fff0",
        switched: &[
            (false, Opt::ECHO, true),
            (false, Opt::SGA, true),
            (true, Opt::TTYPE, true),
            (true, Opt::NAWS, true),
        ],
        data: b"\r\n\r\nUser \rA",
    },
    Transcript {
        peer: "what MUDs say (not recorded; after their documentation): MCCP2, MSSP, GMCP, ECHO for the password, EOR",
        machine: client,
        hex: "fffb56 fffb46 fffbc9 fffb19 4e616d653a20 ffef fffb01 50773a20 fff9 fffc01 0d0a ffff",
        answers: "fffe56 fffe46 fffec9 fffd19 fffd01 fffe01",
        switched: &[
            (false, Opt::EOR, true),
            (false, Opt::ECHO, true),
            (false, Opt::ECHO, false),
        ],
        data: b"Name: Pw: \r\n\xff",
    },
    Transcript {
        peer: "GNU inetutils 2.4 telnet (Debian 12), recorded: a user types `ls`, Enter and `a`, Ctrl-J",
        machine: started_server,
        hex: "
            fffd01 fffd03 fffb18 fffb1f fffa1f00000000fff0
            fffa1800 585445524d fff0
            6c730d00 610a
            fffb06",
        answers: "fffb01 fffb03 fffd18 fffd1f fffa1801fff0",
        switched: &[
            (true, Opt::ECHO, true),
            (true, Opt::SGA, true),
            (false, Opt::TTYPE, true),
            (false, Opt::NAWS, true),
        ],
        data: b"ls\ra\n",
    },
];

fn started_client() -> Telnet {
    let mut telnet = client();
    telnet.start();
    telnet
}

fn started_server() -> Telnet {
    let mut telnet = server();
    telnet.start();
    telnet
}

#[test]
fn answers_events_and_data_are_as_they_should_be() {
    for Transcript { peer, machine, hex, answers, switched, data } in TRANSCRIPTS {
        let seen = feed(&mut machine(), [&bytes(hex)[..]]);
        assert_eq!(seen.answers, bytes(answers), "{peer}");
        let (mut text, mut switches) = (Vec::new(), Vec::new());
        for item in seen.received {
            match item {
                Item::Data(data) => text.extend(data),
                Item::Event(Event::Local(option, on)) => switches.push((true, option, on)),
                Item::Event(Event::Remote(option, on)) => switches.push((false, option, on)),
                Item::Event(_) => {}
            }
        }
        assert_eq!(text, *data, "{peer}");
        assert_eq!(switches, *switched, "{peer}");
    }
}

#[test]
fn it_does_not_matter_where_the_reads_cut() {
    for Transcript { peer, machine, hex, .. } in TRANSCRIPTS {
        let input = bytes(hex);
        let whole = feed(&mut machine(), [&input[..]]);
        assert_eq!(feed(&mut machine(), input.chunks(1)), whole, "{peer}, byte by byte");
        for first in 0..=input.len() {
            for second in first..=input.len() {
                let pieces = [&input[..first], &input[first..second], &input[second..]];
                assert_eq!(feed(&mut machine(), pieces), whole, "{peer}, at {first} and {second}");
            }
        }
    }
}
