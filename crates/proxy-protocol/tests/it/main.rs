//! Headers as the document of `HAProxy` has them, against another implementation, and malformed ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod oracle;

use proxy_protocol::{Addresses, Decoded, Error, Header, Ssl, Tlv, Version, decode, encode};

fn whole(bytes: &[u8]) -> Header {
    match decode(bytes) {
        Ok(Decoded::Header(header, length)) if length == bytes.len() => header,
        other => panic!("{other:?}"),
    }
}

fn inet(source: &str, destination: &str) -> Addresses {
    Addresses::Inet { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

#[test]
fn lines_of_version_1() {
    let read = |line: &str| whole(line.as_bytes()).addresses;
    assert_eq!(
        read("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
        inet("255.255.255.255:65535", "255.255.255.255:65535")
    );
    assert_eq!(read("PROXY TCP6 2001:db8::1 ::1 1 0\r\n"), inet("[2001:db8::1]:1", "[::1]:0"));
    assert_eq!(read("PROXY UNKNOWN\r\n"), Addresses::Unknown);
    // The longest one: 107 bytes.
    let longest = "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
                   ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    assert_eq!(longest.len(), 107);
    assert_eq!(read(longest), Addresses::Unknown);
}

#[test]
fn what_is_said_comes_back() {
    let ssl = Ssl {
        is_encrypted: true,
        has_certificate: true,
        is_verified: true,
        version: Some("TLSv1.3".into()),
        common_name: Some("alice".into()),
        cipher: Some("TLS_AES_128_GCM_SHA256".into()),
    };
    let tlvs = vec![
        Tlv::Alpn(b"h2".to_vec()),
        Tlv::Authority("example.com".into()),
        Tlv::UniqueId(vec![7; 128]),
        Tlv::Ssl(ssl),
        Tlv::Other(0xea, vec![1, 2, 3]),
    ];
    for addresses in [
        inet("192.0.2.1:56324", "192.0.2.2:443"),
        inet("[2001:db8::1]:56324", "[2001:db8::2]:443"),
        Addresses::Unix { source: Vec::new(), destination: b"/run/s".to_vec() },
        Addresses::Unix { source: b"\0name".to_vec(), destination: vec![b'p'; 108] },
        Addresses::Unknown,
        Addresses::Local,
    ] {
        let header = Header { addresses, tlvs: tlvs.clone() };
        assert_eq!(whole(&encode(&header, Version::V2).unwrap()), header);
    }
}

#[test]
fn two_families_are_written_as_the_wider_one() {
    let header = Header::new(inet("[2001:db8::1]:7", "192.0.2.2:443"));
    let mapped = inet("[2001:db8::1]:7", "[::ffff:192.0.2.2]:443");
    for version in [Version::V1, Version::V2] {
        assert_eq!(whole(&encode(&header, version).unwrap()).addresses, mapped);
    }
}

#[test]
fn the_checksum_is_checked() {
    // A header of IPv4 with a checksum as its only TLV.
    let header = Header::new(inet("192.0.2.1:1", "192.0.2.2:2"));
    let mut bytes = encode(&header, Version::V2).unwrap();
    bytes[15] += 7;
    bytes.extend([3, 0, 4, 0, 0, 0, 0]);
    let at = bytes.len() - 4;
    let right = crc(&bytes).to_be_bytes();
    bytes[at..].copy_from_slice(&right);
    assert_eq!(whole(&bytes), header);
    bytes[at] ^= 1;
    assert_eq!(decode(&bytes), Err(Error::BadChecksum));
}

/// Another one than the crate's own: by division of polynomials.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for bit in bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)) {
        let carry = (crc & 1) ^ u32::from(bit);
        crc = (crc >> 1) ^ if carry == 1 { 0x82f6_3b78 } else { 0 };
    }
    !crc
}
