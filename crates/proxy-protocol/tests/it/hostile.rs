//! Headers that are cut, forged or too long, and bytes that are no header at all.

use proptest::prelude::*;
use proxy_protocol::{Addresses, Decoded, Error, Header, Version, decode, encode};

use super::inet;

#[test]
fn bad_lines_are_told_from_unfinished_ones() {
    for line in [
        "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
        "PROXY TCP4 192.0.2.1  192.0.2.2 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 56324 65536\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 +1 443\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 01 443\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 443 \r\n",
        "PROXY TCP4 192.0.2.256 192.0.2.2 1 443\r\n",
        "PROXY TCP4 ::1 ::1 1 443\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.2 1 443\r\n",
        "PROXY tcp4 192.0.2.1 192.0.2.2 1 443\r\n",
        "PROXY UDP4 192.0.2.1 192.0.2.2 1 443\r\n",
        "PROXY \r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 \u{663}\r\n",
    ] {
        assert_eq!(decode(line.as_bytes()), Err(Error::BadLine), "{line:?}");
    }
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"PROXX", b"\r\n\r\r", b"\x16\x03\x01", b"proxy "] {
        assert_eq!(decode(bytes), Err(Error::NoHeader), "{bytes:?}");
    }
    let endless = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200]].concat();
    assert_eq!(decode(&endless), Err(Error::LineTooLong));
    assert!(matches!(decode(&endless[..106]), Ok(Decoded::More(_))));
    assert!(matches!(decode(b""), Ok(Decoded::More(1..))));
}

#[test]
fn what_version_2_says_wrongly_is_told() {
    let good = encode(&Header::new(inet("192.0.2.1:1", "192.0.2.2:2")), Version::V2);
    let good = good.expect("it fits");
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        decode(&bytes)
    };
    assert_eq!(with(12, 0x11), Err(Error::BadCommand));
    assert_eq!(with(12, 0x22), Err(Error::BadCommand));
    assert_eq!(with(13, 0x41), Err(Error::BadFamily));
    assert_eq!(with(13, 0x13), Err(Error::BadFamily));
    assert_eq!(with(13, 0x21), Err(Error::TooShort));
    assert_eq!(with(15, 11), Err(Error::TooShort));
    assert_eq!(with(15, 13), Ok(Decoded::More(1)));
    // A command or a family that doesn't exist is told before the rest has come.
    assert_eq!(decode(&[&good[..12], &[0x31]].concat()), Err(Error::BadCommand));
    for tlvs in [&[1][..], &[1, 0], &[1, 0, 1], &[1, 0xff, 0xff, 0], &[0x20, 0, 4, 1, 0, 0, 0]] {
        let mut bytes = [&good[..], tlvs].concat();
        bytes[15] += u8::try_from(tlvs.len()).expect("it is short");
        assert_eq!(decode(&bytes), Err(Error::BadTlv), "{tlvs:?}");
    }
    // A length that was never sent costs nothing.
    let mut endless = good[..16].to_vec();
    (endless[14], endless[15]) = (0xff, 0xff);
    assert_eq!(decode(&endless), Ok(Decoded::More(65_535)));
}

proptest! {
    #[test]
    fn a_header_is_found_at_its_last_byte_and_not_before(
        port: Option<u16>,
        is_v2: bool,
        rest: Vec<u8>,
    ) {
        let header = Header::new(port.map_or(Addresses::Unknown, |port| {
            inet(&format!("192.0.2.1:{port}"), "192.0.2.2:443")
        }));
        let version = if is_v2 { Version::V2 } else { Version::V1 };
        let bytes = encode(&header, version).expect("it fits");
        for length in 0..bytes.len() {
            let Ok(Decoded::More(more)) = decode(&bytes[..length]) else {
                panic!("{length} of {} bytes are a header", bytes.len());
            };
            prop_assert!(more > 0 && length + more <= bytes.len(), "{length} and {more}");
        }
        let whole = [&bytes[..], &rest].concat();
        prop_assert_eq!(decode(&whole), Ok(Decoded::Header(header, bytes.len())));
    }

    #[test]
    fn anything_is_taken_without_panic(start in 0..3_u8, bytes: Vec<u8>) {
        let start: &[u8] = match start {
            0 => b"",
            1 => b"PROXY ",
            _ => b"\r\n\r\n\0\r\nQUIT\n",
        };
        let _ = decode(&[start, &bytes].concat());
    }
}
