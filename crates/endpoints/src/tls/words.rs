//! What a failure of TLS means, and what to do about it.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// Says what `error` means: the cause first, what to do about it behind a semicolon.
pub(super) fn of(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(certificate) => of_certificate(certificate),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what came is not TLS; does the peer speak it on this port?".to_owned()
        }
        Error::PeerIncompatible(PeerIncompatible::SupportedVersionsExtensionRequired) => {
            "the peer only speaks versions of TLS that are not allowed here; see `min`".to_owned()
        }
        Error::NoCertificatesPresented => {
            "the client sent no certificate, and `verify-client=required` asks for one".to_owned()
        }
        Error::NoApplicationProtocol => "the peer knows none of the protocols in `alpn`".to_owned(),
        other => format!("TLS: {other}"),
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
            "the peer's certificate is of an authority that is not trusted; name it with `ca=FILE`, or \
             the certificate's key with `pin=`"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            return format!(
                "the peer's certificate is for another name ({error}); `name=` says which is meant"
            );
        }
        CertificateError::BadSignature => {
            "the peer's certificate was not signed by the authority that it names"
        }
        CertificateError::Revoked => "the peer's certificate has been revoked",
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the peer's certificate is that of an authority, as `openssl req -x509` makes them; `pin=` \
             takes it by its key"
        }
        CertificateError::ApplicationVerificationFailure => {
            "the key of the peer's certificate is none of those in `pin`"
        }
        other => return format!("the peer's certificate is not accepted: {other}"),
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
            "it asks for a certificate of ours; give one with `cert=` and `key=`"
        }
        AlertDescription::CertificateExpired => "our certificate has expired",
        AlertDescription::UnrecognisedName => {
            "it has no certificate for the name that we asked for"
        }
        AlertDescription::ProtocolVersion => "it speaks none of our versions of TLS",
        AlertDescription::HandshakeFailure => "we have no cipher or key exchange in common",
        AlertDescription::NoApplicationProtocol => "it knows none of our protocols (`alpn`)",
        other => return format!("the peer ended TLS with an alert: {other:?}"),
    };
    format!("the peer ended TLS: {words}")
}
