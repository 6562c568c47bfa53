//! The parameters, and what is made of them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use descriptor::Code;
use endpoint::{DialLayer, ServeLayer};
use plan::kind::{Args, Param, Planned, ValueKind};

use super::config::{Clients, Common, Serving, Trust};
use super::dial::Dial;
use super::serve::Serve;

const ENDPOINT: Param =
    Param::new("endpoint", ValueKind::Endpoint, "The endpoint beneath.").positional().required();

const KEY: Param = Param::new(
    "key",
    ValueKind::Text,
    "The file with the private key (PEM: PKCS #8, PKCS #1 or SEC 1). Without it, the key is in the same file as the \
     certificate. A key that other users can read is warned about.",
);

const CHAIN: Param = Param::new(
    "chain",
    ValueKind::Text,
    "A file with further certificates to send, up to the authority's (PEM).",
);

const ALPN: Param = Param::new(
    "alpn",
    ValueKind::List,
    "Protocols to negotiate, in the order of preference (RFC 7301), such as `http/1.1`. A peer that names others alone \
     is refused.",
);

const MIN: Param = Param::new(
    "min",
    ValueKind::Choice(&["1.2", "1.3"]),
    "The oldest version of TLS that is spoken. Older ones than 1.2 never are.",
)
.default("1.2");

const TRUNCATION: Param = Param::new(
    "truncation",
    ValueKind::Choice(&["error", "allow"]),
    "How to take an end of the connection without TLS's `close_notify`, with which anybody on the way can cut data off: \
     as an error, or as an ordinary end, for peers that never say it.",
)
.default("error");

const HANDSHAKE_TIMEOUT: Param =
    Param::new("handshake-timeout", ValueKind::Duration, "The time that the handshake may take.")
        .default("10");

pub(super) const LISTENING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "cert",
        ValueKind::List,
        "The file with the certificate and its chain (PEM); several are chosen from by the name that a client asks for \
         (SNI), and the first one is for all other names. A folder has `NAME.pem` or `NAME/fullchain.pem` with \
         `NAME/privkey.pem`. `self-signed` makes one at the start and logs its fingerprint. Files are read again when \
         they change; if that fails, the old ones stay in use.",
    )
    .required(),
    KEY,
    CHAIN,
    Param::new(
        "verify-client",
        ValueKind::Choice(&["off", "optional", "required"]),
        "Whether clients are asked for a certificate, which an authority in `ca` has to have signed.",
    )
    .default("off"),
    Param::new("ca", ValueKind::Text, "The file with the authorities of clients' certificates (PEM), or a folder with `.pem` files."),
    Param::new(
        "crl",
        ValueKind::Text,
        "A file with revocation lists of these authorities (PEM, RFC 5280). Every certificate is looked for in them.",
    ),
    ALPN,
    MIN,
    Param::new(
        "optional",
        ValueKind::Bool,
        "Whether plain connections are taken too: the first byte tells which is which, and a client that is silent for \
         1 s is a plain one. In front of a program or a device, a plain client has to speak first, and a web browser is \
         refused.",
    )
    .default("false"),
    TRUNCATION,
    HANDSHAKE_TIMEOUT,
];

pub(super) const CONNECTING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "name",
        ValueKind::Text,
        "The name or address that the certificate has to be for, and that is asked for (SNI). Without it, what was \
         dialled.",
    ),
    Param::new(
        "ca",
        ValueKind::Text,
        "Whose certificates are trusted: `system`, the authorities of this machine; `webpki`, Mozilla's list as it was \
         when this program was built; or a file (PEM), or a folder with `.pem` files.",
    )
    .default("system"),
    Param::new(
        "cert",
        ValueKind::Text,
        "The file with a certificate to show if the server asks for one (PEM).",
    ),
    KEY,
    CHAIN,
    Param::new(
        "pin",
        ValueKind::List,
        "`sha256/BASE64` of the server's public key (SubjectPublicKeyInfo, RFC 7469 section 2.4); several are \
         separated by commas. It takes the place of authorities and names, unless `ca` is given too.",
    ),
    ALPN,
    MIN,
    Param::new(
        "insecure",
        ValueKind::Bool,
        "Whether any certificate is taken: anybody on the way can then read and change everything.",
    )
    .default("false"),
    TRUNCATION,
    HANDSHAKE_TIMEOUT,
];

fn path(args: &Args, name: &str) -> Option<PathBuf> {
    args.text(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn common(args: &Args, cert: Vec<PathBuf>) -> Common {
    Common {
        label: args.descriptor.clone(),
        cert,
        key: path(args, "key"),
        chain: path(args, "chain"),
        alpn: args.list("alpn").iter().map(|name| name.clone().into_bytes()).collect(),
        only_13: args.text("min") == Some("1.3"),
    }
}

pub(super) fn listen(args: &Args) -> Planned<Arc<dyn ServeLayer>> {
    let mut mistakes = Vec::new();
    let certs = args.list("cert");
    let is_self_signed = certs == ["self-signed"];
    let clients = match args.text("verify-client") {
        Some("required") => Clients::Required,
        Some("optional") => Clients::Optional,
        _ => Clients::Off,
    };
    let ca = path(args, "ca");
    if clients != Clients::Off && ca.is_none() {
        let mistake =
            args.mistake("verify-client", Code::MissingParameter, "`verify-client` needs `ca`");
        mistakes.push(mistake.help("`ca=FILE` names the authorities of the clients' certificates"));
    }
    if clients == Clients::Off && ca.is_some() {
        let mistake = args.mistake("ca", Code::BadValue, "`ca` has no use without `verify-client`");
        mistakes
            .push(mistake.help("clients are asked for a certificate by `verify-client=required`"));
    }
    let optional = args.flag("optional");
    if optional && clients == Clients::Required {
        let message =
            "plain connections have no certificate, and `verify-client=required` asks for one";
        mistakes.push(args.mistake("optional", Code::BadValue, message));
    }
    if certs.len() > 1 && args.is_given("key") {
        let message = "one `key` can't be that of several certificates";
        let mistake = args.mistake("key", Code::BadValue, message);
        mistakes.push(mistake.help("put each certificate and its key in one file"));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let cert = if is_self_signed { Vec::new() } else { certs.iter().map(PathBuf::from).collect() };
    let crl = path(args, "crl");
    let serving = Serving { common: common(args, cert), is_self_signed, clients, ca, crl };
    Ok(Arc::new(Serve {
        serving,
        optional,
        truncation_allowed: args.text("truncation") == Some("allow"),
        limit: args.duration("handshake-timeout").unwrap_or_default(),
    }))
}

pub(super) fn connect(args: &Args) -> Planned<Arc<dyn DialLayer>> {
    let mut mistakes = Vec::new();
    let mut pins = Vec::new();
    for pin in args.list("pin") {
        let digest = pin.strip_prefix("sha256/").and_then(|text| STANDARD.decode(text).ok());
        match digest.and_then(|digest| <[u8; 32]>::try_from(digest).ok()) {
            Some(digest) => pins.push(digest),
            None => {
                let message = format!("`{pin}` must be `sha256/` and 32 bytes in base64");
                mistakes.push(args.mistake("pin", Code::BadValue, message));
            }
        }
    }
    let insecure = args.flag("insecure");
    if insecure && (!pins.is_empty() || args.is_given("ca")) {
        let message = "`insecure` takes every certificate, whatever `ca` and `pin` say";
        mistakes.push(args.mistake("insecure", Code::BadValue, message));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    if insecure {
        args.warn(
            "insecure",
            "insecure-tls",
            "anybody on the way can read and change this connection",
        );
    }
    let ca = match args.text("ca").unwrap_or_default() {
        "system" | "" => Trust::System,
        "webpki" => Trust::Mozilla,
        file => Trust::File(PathBuf::from(file)),
    };
    let trust = match ca {
        _ if insecure => Trust::Anybody,
        ca if pins.is_empty() => ca,
        Trust::File(file) => Trust::FileAndPins(file, pins),
        _ => Trust::Pins(pins),
    };
    let cert = path(args, "cert").into_iter().collect();
    Ok(Arc::new(Dial {
        common: common(args, cert),
        trust,
        name: args.text("name").filter(|name| !name.is_empty()).map(str::to_owned),
        truncation_allowed: args.text("truncation") == Some("allow"),
        limit: args.duration("handshake-timeout").unwrap_or_default(),
        config: Mutex::default(),
    }))
}
