//! One machine, and everything that comes out of it.

use telnet::{Event, Received, Role, Settings, Size, Telnet};

/// All that a machine makes of some input. Data that stands together is together, however it came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) received: Vec<Item>,
    pub(crate) answers: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Data(Vec<u8>),
    Event(Event),
}

pub(crate) const SIZE: Size = Size { cols: 100, rows: 30 };

pub(crate) fn client() -> Telnet {
    Telnet::new(Role::Client, Settings { size: Some(SIZE), ..Settings::default() })
}

pub(crate) fn server() -> Telnet {
    Telnet::new(Role::Server, Settings::default())
}

/// Takes the input in pieces, and flushes after each.
pub(crate) fn feed<'a>(telnet: &mut Telnet, pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut seen = Seen::default();
    telnet.flush(&mut seen.answers);
    for piece in pieces {
        let mut at = 0;
        while let Some(received) = telnet.next(piece, &mut at) {
            match received {
                Received::Event(event) => seen.received.push(Item::Event(event)),
                Received::Data(range) => {
                    assert!(!range.is_empty());
                    match seen.received.last_mut() {
                        Some(Item::Data(data)) => data.extend_from_slice(&piece[range]),
                        _ => seen.received.push(Item::Data(piece[range].to_vec())),
                    }
                }
            }
        }
        assert_eq!(at, piece.len(), "all of the input is taken");
        telnet.flush(&mut seen.answers);
    }
    seen
}

/// Returns the answers to `input`, fed at once.
pub(crate) fn answers(telnet: &mut Telnet, input: &[u8]) -> Vec<u8> {
    feed(telnet, [input]).answers
}

pub(crate) fn sent(telnet: &mut Telnet, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    telnet.send(data, &mut out);
    out
}

/// Without spaces; `#` and what follows in a line is for the reader.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or("").bytes())
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let byte = |pair: &[u8]| std::str::from_utf8(pair).map(|pair| u8::from_str_radix(pair, 16));
    let bytes = digits.chunks(2).map(byte).collect::<Result<Result<Vec<u8>, _>, _>>();
    bytes.expect("ASCII").expect("hexadecimal digits")
}
