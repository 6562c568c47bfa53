//! The protocol of a client that doesn't use HTTP/1, by the first bytes, so that the log can suggest a correction.

/// The first bytes of a connection.
#[derive(Debug, Default)]
pub(crate) struct Sniff {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Sniff {
    /// Takes the bytes that were read next, as far as they belong to the beginning.
    pub(crate) fn take(&mut self, read: &[u8]) {
        let taken = read.len().min(LONGEST - self.len);
        self.bytes[self.len..][..taken].copy_from_slice(&read[..taken]);
        self.len += taken;
    }

    /// Returns the protocol and a correction, if the bytes are known to be something else than
    /// HTTP/1.
    pub(crate) fn diagnosis(&self) -> Option<&'static str> {
        let bytes = &self.bytes[..self.len];
        // A record with a handshake in it, of any version (RFC 8446 section 5.1).
        if let [0x16, 3, _, ..] = bytes {
            return Some(TLS);
        }
        let known = KNOWN.iter().find(|(signature, _)| bytes.starts_with(signature));
        known.map(|&(_, diagnosis)| diagnosis)
    }
}

const LONGEST: usize = 14;

const TLS: &str = "received TLS on a plain HTTP port: connect with `ws://` or `http://`, or encrypt the listener \
    with `cert=` and `key=`";
const PROXY: &str = "received a PROXY protocol header that no layer reads: listen on `ws:{proxy:…}`, or remove \
    `send-proxy` from the proxy's configuration";

/// The first bytes of other protocols.
const KNOWN: &[(&[u8], &str)] = &[
    (b"\r\n\r\n\0\r\nQUIT\n", PROXY),
    (b"PROXY ", PROXY),
    (b"PRI * HTTP/2.0", "received HTTP/2, but only HTTP/1.1 is supported"),
    (b"SSH-", "received SSH: connect through a WebSocket client instead"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_however_it_is_cut() {
        for (bytes, words) in [
            (&b"\x16\x03\x01\x02\0\x01\0\x01\xfc"[..], Some("received TLS")),
            (b"\r\n\r\n\0\r\nQUIT\n!", Some("PROXY protocol")),
            (b"PROXY TCP4 192.0.2.1 ", Some("PROXY protocol")),
            (b"PRI * HTTP/2.0\r\n\r\nSM", Some("received HTTP/2")),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Some("received SSH")),
            (b"GET / HTTP/1.1\r\n", None),
            (b"PRO", None),
            (b"\x16\x03", None),
            (b"", None),
        ] {
            for size in 1..=bytes.len().max(1) {
                let mut sniff = Sniff::default();
                bytes.chunks(size).for_each(|piece| sniff.take(piece));
                let diagnosis = sniff.diagnosis();
                assert_eq!(diagnosis.is_some(), words.is_some(), "{bytes:?}");
                assert!(diagnosis.unwrap_or_default().contains(words.unwrap_or_default()));
            }
        }
    }
}
