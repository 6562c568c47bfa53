//! tungstenite reads what we write, in both roles, and we read what it writes.

use std::io::{Cursor, Read, Write};

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::{self, CloseFrame as TheirClose};
use tokio_tungstenite::tungstenite::{Message, WebSocket};
use websocket::{CloseCode, CloseFrame, ControlPayload, Encoder, Limits, Role, mask};

use crate::views::{Came, agreed};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tungstenite_reads_what_we_write(messages in messages(), server: bool) {
        let role = if server { Role::Server } else { Role::Client };
        let mut peer = peer(role, write(role, &messages));
        for message in &messages {
            if !matches!(message, Came::Ping(_)) {
                prop_assert_eq!(peer.read().unwrap(), Message::Ping(BETWEEN.into()));
            }
            prop_assert_eq!(peer.read().unwrap(), theirs(message));
        }
        let close = TheirClose { code: 1001.into(), reason: "going".into() };
        prop_assert_eq!(peer.read().unwrap(), Message::Close(Some(close)));
    }

    #[test]
    fn we_read_what_tungstenite_writes(
        messages in messages(),
        cuts in prop::collection::vec(any::<usize>(), 0..10),
        server: bool,
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let mut peer = peer(role, Vec::new());
        for message in &messages {
            peer.send(theirs(message)).unwrap();
        }
        let close = TheirClose { code: 1001.into(), reason: "going".into() };
        peer.close(Some(close)).unwrap();
        peer.flush().unwrap();
        let mut expected = messages;
        expected.push(Came::Close(CloseFrame::new(CloseCode::Away, "going")));
        let outcome = agreed(role, Limits::default(), &peer.get_ref().written, &cuts);
        prop_assert_eq!((outcome.came, outcome.error), (expected, None));
    }
}

fn messages() -> impl Strategy<Value = Vec<Came>> {
    let bytes = || prop_oneof![0..300_usize, 65_500..65_600_usize].prop_map(|len| vec![7; len]);
    prop::collection::vec(
        prop_oneof![
            "\\PC{0,80}".prop_map(|text| Came::Text(text.into_bytes())),
            bytes().prop_map(Came::Binary),
            prop::collection::vec(any::<u8>(), 0..126).prop_map(Came::Ping),
        ],
        0..6,
    )
}

/// Each message in two frames with a ping between, then a Close.
fn write(role: Role, messages: &[Came]) -> Vec<u8> {
    let (mut encoder, mut stream, mut seed) = (Encoder::new(role), Vec::new(), 0_u32);
    let mut key = || {
        seed = seed.wrapping_add(0x9e37_79b9);
        seed.to_be_bytes()
    };
    for message in messages {
        let (text, data) = match message {
            Came::Text(data) => (true, data),
            Came::Binary(data) => (false, data),
            Came::Ping(data) => {
                let payload = ControlPayload::new(data).unwrap();
                stream.extend_from_slice(&encoder.ping(&payload, &mut key));
                continue;
            }
            other => unreachable!("{other:?} isn't generated"),
        };
        let (head, tail) = data.split_at(data.len() / 3);
        for (part, last) in [(head, false), (tail, true)] {
            let header = encoder.data(text, last, part.len() as u64, &mut key);
            let mut part = part.to_vec();
            if let Some(key) = header.key() {
                mask(key, 0, &mut part);
            }
            stream.extend_from_slice(&header);
            stream.extend_from_slice(&part);
            if !last {
                let payload = ControlPayload::new(BETWEEN.as_bytes()).unwrap();
                stream.extend_from_slice(&encoder.ping(&payload, &mut key));
            }
        }
    }
    let close = CloseFrame::new(CloseCode::Away, "going").unwrap();
    stream.extend_from_slice(&encoder.close(Some(&close), &mut key));
    stream
}

/// tungstenite at the other end of `role`.
fn peer(role: Role, read: Vec<u8>) -> WebSocket<Socket> {
    let role = match role {
        Role::Server => protocol::Role::Client,
        Role::Client => protocol::Role::Server,
    };
    WebSocket::from_raw_socket(Socket { read: Cursor::new(read), written: Vec::new() }, role, None)
}

fn theirs(message: &Came) -> Message {
    match message.clone() {
        Came::Text(data) => Message::Text(String::from_utf8(data).unwrap().into()),
        Came::Binary(data) => Message::Binary(data.into()),
        Came::Ping(data) => Message::Ping(data.into()),
        other => unreachable!("{other:?} isn't generated"),
    }
}

struct Socket {
    read: Cursor<Vec<u8>>,
    written: Vec<u8>,
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.read.read(buf)
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.written.write(buf)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const BETWEEN: &str = "between";
