//! The subject of a certificate, as text.
//!
//! An authority may sign any text, so a subject is text from the client: characters that end a line, hide or reorder
//! text are escaped, and a subject that is too long is not shown.

use std::fmt::Write as _;

use descriptor::is_unprintable;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;
use yasna::{ASN1Result, BERReader, parse_der};

/// The name of a certificate's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// The whole name (RFC 4514), as `openssl x509 -nameopt RFC2253,-esc_msb` prints it. `None` if it is empty.
    pub(super) text: Option<Box<str>>,
    /// The common name. `None` if there are several, or if it can't be shown as it is.
    pub(super) common_name: Option<Box<str>>,
}

/// Returns the subject of a certificate; `None` if it isn't DER, or longer than [`LONGEST`].
pub(super) fn of(cert: &CertificateDer<'_>) -> Option<Subject> {
    let cert = EndEntityCert::try_from(cert).ok()?;
    let name = cert.subject();
    if name.len() > LONGEST {
        return None;
    }
    // webpki has taken off the head of the sequence.
    let mut whole = match u16::try_from(name.len()).ok()?.to_be_bytes() {
        [0, short @ ..=0x7f] => vec![SEQUENCE, short],
        [0, length] => vec![SEQUENCE, 0x81, length],
        [high, low] => vec![SEQUENCE, 0x82, high, low],
    };
    whole.extend_from_slice(name);
    read(&whole)
}

fn read(name: &[u8]) -> Option<Subject> {
    let parts = parse_der(name, |reader| {
        reader.collect_sequence_of(|reader| reader.collect_set_of(Attribute::read))
    });
    let parts = parts.ok()?;
    let mut text = String::new();
    // The most specific comes first (RFC 4514 section 2.1).
    for part in parts.iter().rev() {
        for (at, attribute) in part.iter().enumerate() {
            let separator = if at > 0 { "+" } else { "," };
            text.push_str(if text.is_empty() { "" } else { separator });
            attribute.write(&mut text);
        }
    }
    let mut named = parts.iter().flatten().filter(|attribute| attribute.oid == COMMON_NAME);
    let common_name = named.next().filter(|_| named.next().is_none());
    let shown = |text: &String| !text.is_empty() && !text.contains(is_unprintable);
    Some(Subject {
        text: Some(text).filter(|text| !text.is_empty()).map(String::into_boxed_str),
        common_name: common_name
            .and_then(|name| name.text.clone())
            .filter(shown)
            .map(String::into_boxed_str),
    })
}

/// A type with its value.
struct Attribute {
    oid: Vec<u64>,
    der: Vec<u8>,
    /// The value, if it is a string.
    text: Option<String>,
}

impl Attribute {
    fn read(reader: BERReader<'_, '_>) -> ASN1Result<Self> {
        reader.read_sequence(|reader| {
            let oid = reader.next().read_oid()?.into_components();
            let der = reader.next().read_der()?;
            let value = parse_der(&der, |reader| Ok(reader.read_tagged_der()?.value().to_vec()))?;
            let text = der.first().and_then(|tag| string(*tag, &value));
            Ok(Self { oid, der, text })
        })
    }

    fn write(&self, to: &mut String) {
        let name = NAMES.iter().find(|(oid, _)| *oid == self.oid);
        match (name, &self.text) {
            (Some((_, name)), Some(text)) => {
                to.push_str(name);
                to.push('=');
                write_escaped(text, to);
            }
            _ => {
                match name {
                    Some((_, name)) => to.push_str(name),
                    None => {
                        let numbers: Vec<_> = self.oid.iter().map(u64::to_string).collect();
                        to.push_str(&numbers.join("."));
                    }
                }
                to.push_str("=#");
                for byte in &self.der {
                    let _infallible = write!(to, "{byte:02X}");
                }
            }
        }
    }
}

/// Returns the characters of an ASN.1 string; `None` if the value is none, or not well-formed.
fn string(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        UTF8 => String::from_utf8(value.to_vec()).ok(),
        NUMERIC | PRINTABLE | IA5 | VISIBLE => {
            value.is_ascii().then(|| value.iter().copied().map(char::from).collect())
        }
        // T.61 never was used as such; in practice it is Latin-1.
        TELETEX => Some(value.iter().copied().map(char::from).collect()),
        BMP => {
            let (pairs, rest) = value.as_chunks();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            char::decode_utf16(units).collect::<Result<_, _>>().ok().filter(|_| rest.is_empty())
        }
        UNIVERSAL => {
            let (fours, rest) = value.as_chunks();
            let chars = fours.iter().map(|four| char::from_u32(u32::from_be_bytes(*four)));
            chars.collect::<Option<_>>().filter(|_| rest.is_empty())
        }
        _ => None,
    }
}

/// Writes a value with the escapes of RFC 4514 section 2.4, and with what can't be shown as the hexadecimal digits of
/// its UTF-8.
fn write_escaped(text: &str, to: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        if is_unprintable(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _infallible = write!(to, "\\{byte:02X}");
            }
            continue;
        }
        let is_special = "\"+,;<>\\".contains(c);
        let is_edge = (at == 0 && "# ".contains(c)) || (at == last && c == ' ');
        if is_special || is_edge {
            to.push('\\');
        }
        to.push(c);
    }
}

/// The longest subject, in bytes of its DER: a few hundred are usual.
const LONGEST: usize = 2048;

const COMMON_NAME: [u64; 4] = [2, 5, 4, 3];

/// The names of types: those of RFC 4514, and others as OpenSSL prints them.
const NAMES: [(&[u64], &str); 20] = [
    (&COMMON_NAME, "CN"),
    (&[2, 5, 4, 4], "SN"),
    (&[2, 5, 4, 5], "serialNumber"),
    (&[2, 5, 4, 6], "C"),
    (&[2, 5, 4, 7], "L"),
    (&[2, 5, 4, 8], "ST"),
    (&[2, 5, 4, 9], "street"),
    (&[2, 5, 4, 10], "O"),
    (&[2, 5, 4, 11], "OU"),
    (&[2, 5, 4, 12], "title"),
    (&[2, 5, 4, 13], "description"),
    (&[2, 5, 4, 15], "businessCategory"),
    (&[2, 5, 4, 17], "postalCode"),
    (&[2, 5, 4, 42], "GN"),
    (&[2, 5, 4, 43], "initials"),
    (&[2, 5, 4, 46], "dnQualifier"),
    (&[2, 5, 4, 97], "organizationIdentifier"),
    (&[0, 9, 2342, 19_200_300, 100, 1, 1], "UID"),
    (&[0, 9, 2342, 19_200_300, 100, 1, 25], "DC"),
    (&[1, 2, 840, 113_549, 1, 9, 1], "emailAddress"),
];

/// Tags of ASN.1 (X.680 section 8.4).
const SEQUENCE: u8 = 0x30;
const UTF8: u8 = 12;
const NUMERIC: u8 = 18;
const PRINTABLE: u8 = 19;
const TELETEX: u8 = 20;
const IA5: u8 = 22;
const VISIBLE: u8 = 26;
const UNIVERSAL: u8 = 28;
const BMP: u8 = 30;

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rcgen::string::BmpString;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

    use super::*;

    fn cert(parts: &[(DnType, DnValue)]) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["a.example".to_owned()]).expect("a name");
        params.distinguished_name = DistinguishedName::new();
        for (of, value) in parts {
            params.distinguished_name.push(of.clone(), value.clone());
        }
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("a certificate").der().clone()
    }

    fn text(value: &str) -> DnValue {
        DnValue::Utf8String(value.to_owned())
    }

    fn named(name: &str) -> Option<Subject> {
        of(&cert(&[(DnType::CommonName, text(name))]))
    }

    fn shown(subject: &Option<Subject>) -> Option<&str> {
        subject.as_ref()?.text.as_deref()
    }

    /// Other servers give the subject as OpenSSL writes it.
    #[test]
    fn it_is_written_as_by_openssl() {
        let mail = DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]);
        let other = DnType::CustomDnType(vec![1, 3, 6, 1, 4, 1, 99_999, 7]);
        let bmp = DnValue::BmpString(BmpString::try_from("Жук").expect("in the plane"));
        let cases = [
            vec![(DnType::CommonName, text("alice"))],
            vec![
                (DnType::CountryName, text("SE")),
                (DnType::StateOrProvinceName, text("Skåne")),
                (DnType::OrganizationName, text("Acme, Inc. <\"A+B\">; c\\d")),
                (DnType::OrganizationalUnitName, bmp),
                (DnType::CommonName, text("#alice ")),
                (mail, text("alice@example.com")),
            ],
            vec![(DnType::CommonName, text(" a=b/c")), (other, text("x"))],
            vec![(DnType::CommonName, text("line\nfeed\u{1}"))],
        ];
        for parts in cases {
            let cert = cert(&parts);
            let openssl = Command::new("openssl")
                .args(["x509", "-inform", "DER", "-noout", "-subject"])
                .args(["-nameopt", "RFC2253,-esc_msb"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn();
            let mut openssl = openssl.expect("openssl runs");
            let mut to = openssl.stdin.take().expect("it is piped");
            std::io::Write::write_all(&mut to, &cert).expect("it reads");
            drop(to);
            let output = openssl.wait_with_output().expect("it ends");
            let said = String::from_utf8(output.stdout).expect("UTF-8");
            let expected = said.trim_end_matches('\n').strip_prefix("subject=");
            assert_eq!(shown(&of(&cert)), expected, "{parts:?}");
        }
    }

    #[test]
    fn what_deceives_readers_is_escaped_and_no_common_name() {
        for (name, expected) in [
            ("a\nclient=b", "CN=a\\0Aclient=b"),
            ("a\0b", "CN=a\\00b"),
            ("a\u{202e}b", "CN=a\\E2\\80\\AEb"),
            ("a\u{9b}31m", "CN=a\\C2\\9B31m"),
        ] {
            let subject = named(name);
            assert_eq!(shown(&subject), Some(expected));
            assert_eq!(subject.and_then(|subject| subject.common_name), None, "{name:?}");
        }
    }

    #[test]
    fn a_common_name_is_the_only_one() {
        let only = named("alice").and_then(|subject| subject.common_name);
        assert_eq!(only.as_deref(), Some("alice"));
        // rcgen has one of each type, so this is written by hand.
        let one = |name: &str| {
            let [short, inner, outer] = [0, 7, 9].map(|more| name.len() as u8 + more);
            let head = [0x31, outer, 0x30, inner, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, short];
            [&head, name.as_bytes()].concat()
        };
        let both = [one("root"), one("mallory")].concat();
        let whole = [&[0x30, both.len() as u8], &*both].concat();
        let subject = read(&whole).expect("it is DER");
        assert_eq!(subject.text.as_deref(), Some("CN=mallory,CN=root"));
        assert_eq!(subject.common_name, None);
        // Whatever is changed in it, or cut off, nothing breaks.
        for at in 0..whole.len() {
            let _ = read(&whole[..at]);
            for byte in 0..=u8::MAX {
                let mut changed = whole.clone();
                changed[at] = byte;
                let _ = read(&changed);
            }
        }
    }

    #[test]
    fn a_long_name_has_no_text() {
        assert_eq!(named(&"a".repeat(60_000)), None);
        assert!(named(&"a".repeat(1500)).is_some());
        let subject = of(&cert(&[])).expect("an empty name is one");
        assert_eq!((subject.text, subject.common_name), (None, None));
    }
}
