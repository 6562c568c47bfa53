//! `auth={cert:…}`: admits clients by the contents of their TLS certificate and by the authority that signed it.
//!
//! A certificate is verified by the `tls` layer, against authorities for the whole listener, or here, against those in
//! `ca`. The contents of an unverified certificate count for nothing.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use descriptor::Code;
use endpoint::gate::{Admitted, Gate, Identity, Role};
use endpoint::{
    ClientCertificates, Context, Error, ErrorKind, Info, Local, Missing, Refusal, RefusalKind,
    Result,
};
use plan::kind::{Args, Param, Planned, ValueKind, Variant};
use tracing::debug;

use super::{Provided, Provider};
use crate::absent::no_files;
use crate::certificate::{Authorities, Certificate, Presented};

pub(super) const VARIANT: Variant = Variant::new(
    "cert",
    "Clients with a verified TLS certificate. The `tls` layer beneath verifies it (`verify-client=required` or \
     `optional`), or, with `ca`, this entry \
     does. All conditions that are set have to hold. The user's name is the certificate's first DNS \
     name, or else its common name.",
    &[
        Param::new(
            "ca",
            ValueKind::Text,
            "The file with the authorities that sign clients' certificates (PEM), or a folder with `.pem` files. The \
             `tls` layer beneath has to request certificates, at least with `verify-client=request`. The signature, \
             dates and purpose of the certificate are verified for each session, and changed files are read again.",
        ),
        Param::new(
            "crl",
            ValueKind::Text,
            "A file with the revocation lists of the authorities in `ca` (PEM, RFC 5280). Clients are refused if the list of \
             their authority is missing or has expired.",
        ),
        Param::new(
            "subject",
            ValueKind::Text,
            "The certificate's whole subject, as the fact `tls.client.subject` and `openssl x509 -noout -subject \
             -nameopt RFC2253,-esc_msb` have it: `CN=alice,O=Example`.",
        ),
        Param::new(
            "cn",
            ValueKind::List,
            "Common names, one of which has to be the certificate's. A subject with several has none.",
        ),
        Param::new(
            "san",
            ValueKind::List,
            "DNS names, one of which the certificate has to contain.",
        ),
        Param::new(
            "fingerprint",
            ValueKind::List,
            "SHA-256 fingerprints in hexadecimal, one of which has to be the certificate's.",
        ),
    ],
);

pub(super) fn plan(args: &Args) -> Planned<Arc<dyn Provider>> {
    let is_empty = |name: &&&str| args.is_given(name) && args.list(name).is_empty();
    if let Some(name) = ["cn", "san", "fingerprint"].iter().find(is_empty) {
        // An unset variable must not mean every certificate.
        return Err(vec![args.mistake(name, "bad-list", format!("`{name}` is empty"))]);
    }
    for name in ["ca", "crl"] {
        if args.is_given(name) && path(args, name).is_none() {
            return Err(vec![args.mistake(name, Code::BadValue, format!("`{name}` is empty"))]);
        }
    }
    let (ca, crl) = (path(args, "ca"), path(args, "crl"));
    if crl.is_some() && ca.is_none() {
        let mistake = args.mistake("crl", Code::MissingParameter, "`crl` needs `ca`");
        let help = "give the authorities with `ca=FILE`, or set `crl` of the `tls` layer";
        return Err(vec![mistake.help(help)]);
    }
    let subject = args.text("subject").map(str::to_owned);
    if let Some(subject) = &subject
        && (subject.starts_with('/') || !subject.contains('='))
    {
        let message = "`subject` must be a whole name, such as `CN=alice,O=Example`";
        let help = "the fact `tls.client.subject` contains a client's subject; `cn=` compares the common name only";
        return Err(vec![args.mistake("subject", "bad-subject", message).help(help)]);
    }
    let lower = |name: &str| {
        args.list(name).iter().map(|word| word.to_ascii_lowercase().replace(':', "")).collect()
    };
    let listed = Listed {
        subject,
        common_names: args.list("cn").to_vec(),
        sans: lower("san"),
        fingerprints: lower("fingerprint"),
    };
    Ok(Arc::new(Cert { ca, crl, listed }))
}

fn path(args: &Args, name: &str) -> Option<PathBuf> {
    args.text(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The provider, planned.
#[derive(Debug)]
struct Cert {
    ca: Option<PathBuf>,
    crl: Option<PathBuf>,
    listed: Listed,
}

/// Conditions of a certificate. An empty list is none.
#[derive(Clone, Debug)]
struct Listed {
    subject: Option<String>,
    common_names: Vec<String>,
    sans: Vec<String>,
    fingerprints: Vec<String>,
}

impl Provider for Cert {
    fn open(&self, _: &Context, listener: &Local) -> Result<Provided> {
        let label = &*listener.descriptor;
        let error = |words: &str| Error::new(ErrorKind::Other, "bind", label, words);
        match listener.certificates {
            ClientCertificates::None => {
                let words = "`auth={cert}` needs certificates, and nothing beneath requests them from clients";
                let hint = "put the listener over `tls`, with `verify-client=required:ca=FILE`, or with \
                    `verify-client=request` and `auth={cert:ca=FILE}`";
                return Err(error(words).with_hint(hint));
            }
            ClientCertificates::Unverified if self.ca.is_none() => {
                let words = "`auth={cert}` without `ca` needs verified certificates, and `tls` beneath only requests them";
                let hint = "set `auth={cert:ca=FILE}`, or `verify-client=required:ca=FILE` of the `tls` layer";
                return Err(error(words).with_hint(hint));
            }
            _ => {}
        }
        let ca = self.ca.clone();
        let authorities =
            ca.map(|ca| Authorities::open(label, ca, self.crl.clone())).transpose()?;
        let gate = Arc::new(Certified { authorities, listed: self.listed.clone() });
        Ok(Provided { gate, exchange: None, invitation: None })
    }

    fn missing(&self, _: &Context) -> Vec<Missing> {
        no_files([("ca", &self.ca), ("crl", &self.crl)])
    }
}

/// The provider, open.
struct Certified {
    authorities: Option<Authorities>,
    listed: Listed,
}

#[async_trait]
impl Gate for Certified {
    async fn check(&self, info: &Info) -> std::result::Result<Admitted, Refusal> {
        let identity = match &self.authorities {
            None => Said::verified(info).and_then(|said| self.listed.user(&said)).ok_or(UNLISTED),
            Some(authorities) => self.signed(authorities, info),
        };
        let refused = |words: &str| Refusal::new(RefusalKind::Forbidden, words);
        identity.map(|identity| Admitted::new(info, identity, Role::ReadWrite)).map_err(refused)
    }
}

impl Certified {
    fn signed(
        &self,
        authorities: &Authorities,
        info: &Info,
    ) -> std::result::Result<Identity, &'static str> {
        let presented = info.get::<Presented>().ok_or("a client certificate is required")?;
        authorities.verify(presented).inspect_err(|words| debug!(peer = info.peer(), "{words}"))?;
        let identity = self.listed.user(&Said::of(&presented.certificate())).ok_or(UNLISTED)?;
        // From here on, it is known as one that the `tls` layer has verified.
        presented.set_verified();
        Ok(identity)
    }
}

/// The facts that a certificate states.
struct Said<'a> {
    fingerprint: Cow<'a, str>,
    names: Cow<'a, str>,
    subject: Option<Cow<'a, str>>,
    common_name: Option<Cow<'a, str>>,
}

impl<'a> Said<'a> {
    fn of(certificate: &'a Certificate) -> Self {
        Self {
            fingerprint: (&*certificate.fingerprint).into(),
            names: (&*certificate.names).into(),
            subject: certificate.subject().map(Cow::Borrowed),
            common_name: certificate.common_name().map(Cow::Borrowed),
        }
    }

    /// The facts of a layer, which there are of a verified certificate alone.
    fn verified(info: &'a Info) -> Option<Self> {
        Some(Self {
            fingerprint: info.lookup("tls", "client.fingerprint")?,
            names: info.lookup("tls", "client.san").unwrap_or_default(),
            subject: info.lookup("tls", "client.subject"),
            common_name: info.lookup("tls", "client.cn"),
        })
    }
}

impl Listed {
    /// The user, if all conditions hold.
    fn user(&self, said: &Said<'_>) -> Option<Identity> {
        let Said { fingerprint, names, subject, common_name } = said;
        let mut own = names.split(',').filter(|name| !name.is_empty());
        let is_in = |list: &[String], word: Option<&str>| {
            list.is_empty() || word.is_some_and(|word| list.iter().any(|listed| listed == word))
        };
        let is_admitted = self.subject.as_deref().is_none_or(|it| subject.as_deref() == Some(it))
            && is_in(&self.common_names, common_name.as_deref())
            && (self.sans.is_empty() || own.clone().any(|name| is_in(&self.sans, Some(name))))
            && is_in(&self.fingerprints, Some(fingerprint));
        let user = own.next().or(common_name.as_deref()).unwrap_or(fingerprint);
        is_admitted.then(|| Identity::user(user))
    }
}

const UNLISTED: &str = "a client certificate that is listed for this listener is required";

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands for the facts that a TLS layer has about a client's certificate.
    #[derive(Clone, Debug)]
    struct Facts(&'static [(&'static str, &'static str)]);

    impl endpoint::Fact for Facts {
        fn root(&self) -> &'static str {
            "tls"
        }

        fn get(&self, name: &str) -> Option<Cow<'_, str>> {
            let name = name.strip_prefix("client.")?;
            self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).into())
        }
    }

    #[test]
    fn a_certificate_is_compared_whole_or_by_its_common_name() {
        let alice = Facts(&[
            ("fingerprint", "ab"),
            ("san", ""),
            ("subject", "CN=alice,O=Example"),
            ("cn", "alice"),
        ]);
        // Two common names, so none: the authority has signed what it was asked to.
        let two = Facts(&[("fingerprint", "cd"), ("subject", "CN=mallory,CN=alice")]);
        let none = Listed {
            subject: None,
            common_names: Vec::new(),
            sans: Vec::new(),
            fingerprints: Vec::new(),
        };
        let whole = |subject: &str| Listed { subject: Some(subject.to_owned()), ..none.clone() };
        let common = |name: &str| Listed { common_names: vec![name.to_owned()], ..none.clone() };
        for (listed, certificate, user) in [
            (whole("CN=alice,O=Example"), &alice, Some("alice")),
            (whole("CN=alice"), &alice, None),
            (whole("cn=alice,o=example"), &alice, None),
            (common("alice"), &alice, Some("alice")),
            (common("Alice"), &alice, None),
            (common("alice"), &two, None),
            (whole("CN=mallory,CN=alice"), &two, Some("cd")),
            (Listed { fingerprints: vec!["cd".to_owned()], ..common("alice") }, &alice, None),
            (none.clone(), &alice, Some("alice")),
        ] {
            let info = Info::new().with(certificate.clone());
            let found = Said::verified(&info).and_then(|said| listed.user(&said));
            assert_eq!(found.as_ref().and_then(Identity::name), user, "{listed:?}");
            assert!(Said::verified(&Info::new()).is_none(), "no certificate");
        }
    }
}
