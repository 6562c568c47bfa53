//! Descriptions of TLS failures, with corrections.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// Describes `error`: the cause first, and the remedy behind a semicolon.
pub(super) fn of(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "received data that is not TLS; does the peer use TLS on this port?".to_owned()
        }
        Error::PeerIncompatible(PeerIncompatible::SupportedVersionsExtensionRequired) => {
            "the peer supports only TLS versions below `min`".to_owned()
        }
        Error::NoCertificatesPresented => {
            "the client sent no certificate, but `verify-client=required` needs one".to_owned()
        }
        Error::NoApplicationProtocol => {
            "the peer supports none of the protocols in `alpn`".to_owned()
        }
        other => format!("TLS: {other}"),
    }
}

/// Describes an error about a client, whose certificate isn't trusted by `pin`.
pub(super) fn of_client(error: &Error) -> String {
    let words = of(error);
    match error {
        Error::InvalidCertificate(_) if words.contains("`pin`") || words.contains("`pin=`") => {
            let cause = words.split(';').next().unwrap_or(&words);
            format!("{cause}; the client needs one that an authority in `ca` has signed")
        }
        _ => words,
    }
}

fn of_certificate(error: &CertificateError) -> String {
    let words = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the peer's certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the peer's certificate is not valid yet; are the clocks right?"
        }
        CertificateError::UnknownIssuer => {
            "the peer's certificate is signed by an untrusted authority; trust the authority with `ca=FILE`, or the \
             certificate's key with `pin=`"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            return format!(
                "the peer's certificate is for another name ({error}); set the expected name with `name=`"
            );
        }
        CertificateError::BadSignature => {
            "the peer's certificate was not signed by the authority that it names"
        }
        CertificateError::Revoked => "the peer's certificate has been revoked",
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "the revocation list of the authority has expired; replace it in the file of `crl`"
        }
        CertificateError::UnknownRevocationStatus => {
            "`crl` has no revocation list of the certificate's authority; add one to the file, even if it is empty"
        }
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the peer's certificate is an authority's, as `openssl req -x509` creates them; trust its key with \
             `pin=`"
        }
        CertificateError::ApplicationVerificationFailure => {
            "the key of the peer's certificate is not listed in `pin`"
        }
        other => return format!("the peer's certificate is invalid: {other}"),
    };
    words.to_owned()
}

fn of_alert(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::UnknownCA => "it does not trust the authority of our certificate",
        AlertDescription::BadCertificate | AlertDescription::CertificateUnknown => {
            "it does not accept our certificate"
        }
        AlertDescription::CertificateRequired => {
            "it requires a client certificate; give one with `cert=` and `key=`"
        }
        AlertDescription::CertificateExpired => "our certificate has expired, or is not valid yet",
        AlertDescription::UnsupportedCertificate => {
            "our certificate is not for this use (its extended key usage)"
        }
        AlertDescription::CertificateRevoked => "our certificate has been revoked",
        AlertDescription::UnrecognisedName => "it has no certificate for the requested name",
        AlertDescription::ProtocolVersion => "it supports none of our TLS versions",
        AlertDescription::HandshakeFailure => "there is no common cipher or key exchange",
        AlertDescription::NoApplicationProtocol => "it supports none of our protocols (`alpn`)",
        other => return format!("the peer ended TLS with an alert: {other:?}"),
    };
    format!("the peer ended TLS: {words}")
}
