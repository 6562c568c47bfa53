//! Against the crate `proxy-header`.

use proptest::prelude::*;
use proxy_header::{ParseConfig, ProxyHeader};
use proxy_protocol::{Decoded, Header, Version, decode, encode};

use super::inet;

fn theirs(bytes: &[u8]) -> Option<(Option<String>, usize)> {
    let (header, length) = ProxyHeader::parse(bytes, ParseConfig::default()).ok()?;
    let address = header.proxied_address();
    Some((address.map(|it| format!("{} {}", it.source, it.destination)), length))
}

fn ours(bytes: &[u8]) -> Option<(Option<String>, usize)> {
    let Ok(Decoded::Header(header, length)) = decode(bytes) else { return None };
    let both = header.source().zip(header.destination());
    Some((both.map(|(source, destination)| format!("{source} {destination}")), length))
}

proptest! {
    #[test]
    fn both_read_what_we_write(
        a: [u8; 4], b: [u8; 4], c: [u16; 8], ports: (u16, u16), v6: bool, v2: bool,
    ) {
        let ip = |four: [u8; 4]| match v6 {
            true => format!("[{}]", std::net::Ipv6Addr::from(c)),
            false => std::net::Ipv4Addr::from(four).to_string(),
        };
        let addresses = inet(&format!("{}:{}", ip(a), ports.0), &format!("{}:{}", ip(b), ports.1));
        let version = if v2 { Version::V2 } else { Version::V1 };
        let bytes = encode(&Header::new(addresses), version).expect("it fits");
        prop_assert!(ours(&bytes).is_some());
        prop_assert_eq!(ours(&bytes), theirs(&bytes));
    }

    /// The other implementation takes every header that we take, with the same result. It is less strict than ours.
    #[test]
    fn what_we_take_they_take(mut bytes: Vec<u8>, change: (u8, u8), rest: Vec<u8>) {
        let header = Header::new(inet("192.0.2.1:1", "192.0.2.2:2"));
        let mut whole = encode(&header, Version::V2).expect("it fits");
        let at = 12 + usize::from(change.0) % (whole.len() - 12);
        whole[at] = change.1;
        whole.append(&mut bytes);
        whole.extend(rest);
        // They know no header without a family's transport.
        let is_odd = whole[13] & 0xf == 0 && whole[13] != 0;
        if let Some((address, length)) = ours(&whole).filter(|_| !is_odd && whole[12] == 0x21) {
            prop_assert_eq!(theirs(&whole), Some((address, length)));
        }
    }
}
