//! The facts in a header of version 2 besides the addresses (section 2.2, "Type-Length-Value").

use crate::Error;

/// One TLV: a type and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tlv {
    /// The protocol that TLS agreed on (`PP2_TYPE_ALPN`).
    Alpn(Vec<u8>),
    /// The host that the client asked for, as SNI has it (`PP2_TYPE_AUTHORITY`).
    Authority(String),
    /// An identifier of the connection, of 128 bytes at most (`PP2_TYPE_UNIQUE_ID`).
    UniqueId(Vec<u8>),
    /// The client's encryption (`PP2_TYPE_SSL`).
    Ssl(Ssl),
    /// Any other one, as it came. Those that fill and the checksum are left out.
    Other(u8, Vec<u8>),
}

/// Facts about the client's TLS (`PP2_TYPE_SSL`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ssl {
    /// Set if it encrypts with TLS (`PP2_CLIENT_SSL`).
    pub is_encrypted: bool,
    /// Set if it sent a certificate in this connection (`PP2_CLIENT_CERT_CONN`) or in its session
    /// (`PP2_CLIENT_CERT_SESS`).
    pub has_certificate: bool,
    /// Set if that was verified. Without a certificate, it has no meaning.
    pub is_verified: bool,
    /// Such as `TLSv1.3` (`PP2_SUBTYPE_SSL_VERSION`).
    pub version: Option<String>,
    /// The common name of its certificate (`PP2_SUBTYPE_SSL_CN`).
    pub common_name: Option<String>,
    /// The cipher (`PP2_SUBTYPE_SSL_CIPHER`).
    pub cipher: Option<String>,
}

/// Reads all of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Tlv>, Error> {
    let mut tlvs = Vec::new();
    for tlv in each(bytes) {
        let (kind, value) = tlv?;
        tlvs.push(match kind {
            ALPN => Tlv::Alpn(value.to_vec()),
            AUTHORITY => Tlv::Authority(text(value)),
            UNIQUE_ID if value.len() > 128 => return Err(Error::BadTlv),
            UNIQUE_ID => Tlv::UniqueId(value.to_vec()),
            SSL => Tlv::Ssl(ssl(value)?),
            CRC32C | NOOP => continue,
            kind => Tlv::Other(kind, value.to_vec()),
        });
    }
    Ok(tlvs)
}

/// Finds the first of a kind: where its value is, and the value. `bytes` were read by [`decode`].
pub(crate) fn find(bytes: &[u8], wanted: u8) -> Option<(usize, &[u8])> {
    let mut at = 0;
    for (kind, value) in each(bytes).map_while(Result::ok) {
        if kind == wanted {
            return Some((at + 3, value));
        }
        at += 3 + value.len();
    }
    None
}

fn each(bytes: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8]), Error>> {
    let mut left = bytes;
    std::iter::from_fn(move || {
        if left.is_empty() {
            return None;
        }
        let Some(([kind, high, low], rest)) = left.split_first_chunk() else {
            left = &[];
            return Some(Err(Error::BadTlv));
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, rest)) = rest.split_at_checked(length) else {
            left = &[];
            return Some(Err(Error::BadTlv));
        };
        left = rest;
        Some(Ok((*kind, value)))
    })
}

fn ssl(value: &[u8]) -> Result<Ssl, Error> {
    let Some(([client, verify @ ..], rest)) = value.split_first_chunk::<5>() else {
        return Err(Error::BadTlv);
    };
    let mut ssl = Ssl {
        is_encrypted: client & CLIENT_SSL != 0,
        has_certificate: client & (CLIENT_CERT_CONN | CLIENT_CERT_SESS) != 0,
        is_verified: verify == &[0; 4],
        ..Ssl::default()
    };
    for inner in each(rest) {
        let (kind, value) = inner?;
        match kind {
            SSL_VERSION => ssl.version = Some(text(value)),
            SSL_CN => ssl.common_name = Some(text(value)),
            SSL_CIPHER => ssl.cipher = Some(text(value)),
            _ => {}
        }
    }
    Ok(ssl)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes them behind `out`.
pub(crate) fn encode(tlvs: &[Tlv], out: &mut Vec<u8>) -> Result<(), Error> {
    for tlv in tlvs {
        match tlv {
            Tlv::Alpn(value) => put(ALPN, value, out)?,
            Tlv::Authority(value) => put(AUTHORITY, value.as_bytes(), out)?,
            Tlv::UniqueId(value) => put(UNIQUE_ID, value, out)?,
            Tlv::Other(kind, value) => put(*kind, value, out)?,
            Tlv::Ssl(ssl) => {
                let mut client = 0;
                if ssl.is_encrypted {
                    client |= CLIENT_SSL;
                }
                if ssl.has_certificate {
                    client |= CLIENT_CERT_CONN | CLIENT_CERT_SESS;
                }
                let verified = ssl.has_certificate && ssl.is_verified;
                let mut value = vec![client, 0, 0, 0, u8::from(!verified)];
                let texts = [
                    (SSL_VERSION, &ssl.version),
                    (SSL_CN, &ssl.common_name),
                    (SSL_CIPHER, &ssl.cipher),
                ];
                for (kind, text) in texts {
                    if let Some(text) = text {
                        put(kind, text.as_bytes(), &mut value)?;
                    }
                }
                put(SSL, &value, out)?;
            }
        }
    }
    Ok(())
}

fn put(kind: u8, value: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let length = u16::try_from(value.len()).map_err(|_| Error::TooLong)?;
    out.push(kind);
    out.extend(length.to_be_bytes());
    out.extend(value);
    Ok(())
}

const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
pub(crate) const CRC32C: u8 = 0x03;
const NOOP: u8 = 0x04;
const UNIQUE_ID: u8 = 0x05;
const SSL: u8 = 0x20;
const SSL_VERSION: u8 = 0x21;
const SSL_CN: u8 = 0x22;
const SSL_CIPHER: u8 = 0x23;

const CLIENT_SSL: u8 = 0x01;
const CLIENT_CERT_CONN: u8 = 0x02;
const CLIENT_CERT_SESS: u8 = 0x04;
