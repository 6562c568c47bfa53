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

const ENDPOINT: Param = Param::new("endpoint", ValueKind::Endpoint, "The endpoint to run over.")
    .positional()
    .required();

const KEY: Param = Param::new(
    "key",
    ValueKind::Text,
    "The file with the private key (PEM: PKCS #8, PKCS #1 or SEC 1). By default, the key is in the certificate's \
     file. A warning names a key that other users can read.",
);

const CHAIN: Param =
    Param::new("chain", ValueKind::Text, "A file with intermediate certificates to send (PEM).");

const ALPN: Param = Param::new(
    "alpn",
    ValueKind::List,
    "The protocols to negotiate (ALPN, RFC 7301), such as `http/1.1`, in order of preference. A peer that offers \
     only others is refused.",
);

const MIN: Param = Param::new(
    "min",
    ValueKind::Choice(&["1.2", "1.3"]),
    "The oldest TLS version to accept. Versions before 1.2 are not supported.",
)
.default("1.2");

const TRUNCATION: Param = Param::new(
    "truncation",
    ValueKind::Choice(&["error", "allow"]),
    "How to treat the end of a connection without TLS's `close_notify`, by which an attacker on the path can cut \
     data off: as an error, or, with `allow`, as an ordinary end, for peers that never send it.",
)
.default("error");

const HANDSHAKE_TIMEOUT: Param =
    Param::new("handshake-timeout", ValueKind::Duration, "The time limit of the handshake.")
        .default("10");

pub(super) const LISTENING: &[Param] = &[
    ENDPOINT,
    Param::new(
        "cert",
        ValueKind::List,
        "The file with the certificate and its chain (PEM). Of several files, the server name of the client (SNI) \
         selects one, and the first is for all other names. A folder contains `NAME.pem`, or `NAME/fullchain.pem` \
         and `NAME/privkey.pem`. `self-signed` creates a certificate at the start and logs its fingerprint. Changed \
         files are loaded again; if that fails, the old certificate stays in use.",
    )
    .required(),
    KEY,
    CHAIN,
    Param::new(
        "verify-client",
        ValueKind::Choice(&["off", "optional", "required", "request"]),
        "Request a certificate from clients, signed by an authority in `ca`. `optional` also admits clients that \
         have none. `request` requests a certificate without verifying it, for `auth={cert:ca=FILE}` of an endpoint \
         above.",
    )
    .default("off"),
    Param::new("ca", ValueKind::Text, "The file with the authorities that sign clients' certificates (PEM), or a \
        folder with `.pem` files."),
    Param::new(
        "crl",
        ValueKind::Text,
        "A file with the revocation lists of these authorities (PEM, RFC 5280), which every certificate is checked \
         against. Clients are refused if the list of their authority is missing or has expired.",
    ),
    ALPN,
    MIN,
    Param::new(
        "optional",
        ValueKind::Bool,
        "Accept plain connections too. The first byte tells them apart, and a client that is silent for 1 s is a \
         plain one. If the destination is a program or a device, a plain client has to send first, and web browsers \
         are refused.",
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
        "The name or address that the certificate has to be valid for, and that is sent as the server name (SNI). \
         The default is the host that the endpoint beneath connects to.",
    ),
    Param::new(
        "ca",
        ValueKind::Text,
        "The trusted authorities: `system`, those of this machine; `webpki`, Mozilla's list at the time of the \
         build; or a file (PEM), or a folder with `.pem` files.",
    )
    .default("system"),
    Param::new(
        "cert",
        ValueKind::Text,
        "The file with a client certificate, sent if the server requests one (PEM).",
    ),
    KEY,
    CHAIN,
    Param::new(
        "pin",
        ValueKind::List,
        "The server's public key, as `sha256/BASE64` of its SubjectPublicKeyInfo (RFC 7469 section 2.4), or several \
         separated by commas. It replaces the checks of authority and name, unless `ca` is given too.",
    ),
    ALPN,
    MIN,
    Param::new(
        "insecure",
        ValueKind::Bool,
        "Accept any certificate. An attacker on the path can then read and change all data.",
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
    if let [word] = certs
        && SELF_SIGNED.contains(&&*word.to_ascii_lowercase())
    {
        let message = format!("`cert` is a file or `self-signed`, and `{word}` is no file's name");
        let found = args.mistake("cert", Code::BadValue, message);
        return Err(vec![
            found.help(format!(
                "write `cert=self-signed`; for a file of that name, `cert=./{word}`"
            )),
        ]);
    }
    let is_self_signed = certs == ["self-signed"];
    let clients = match args.text("verify-client") {
        Some("required") => Clients::Required,
        Some("optional") => Clients::Optional,
        Some("request") => Clients::Requested,
        _ => Clients::Off,
    };
    let ca = path(args, "ca");
    if clients.is_verified() && ca.is_none() {
        let mistake =
            args.mistake("verify-client", Code::MissingParameter, "`verify-client` needs `ca`");
        mistakes
            .push(mistake.help("give the authorities of the clients' certificates with `ca=FILE`"));
    }
    if clients == Clients::Off && ca.is_some() {
        let mistake =
            args.mistake("ca", Code::BadValue, "`ca` has no effect without `verify-client`");
        mistakes
            .push(mistake.help("request certificates from clients with `verify-client=required`"));
    }
    for name in ["ca", "crl"] {
        if clients == Clients::Requested && args.is_given(name) {
            let message = format!("`{name}` has no effect with `verify-client=request`");
            let mistake = args.mistake(name, Code::BadValue, message);
            let help = format!("set it in `auth={{cert:{name}=FILE}}` of the endpoint above");
            mistakes.push(mistake.help(help));
        }
    }
    let optional = args.flag("optional");
    if optional && clients == Clients::Required {
        let message =
            "plain connections have no certificate, but `verify-client=required` needs one";
        mistakes.push(args.mistake("optional", Code::BadValue, message));
    }
    if certs.len() > 1 && args.is_given("key") {
        let message = "one `key` can't match several certificates";
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
        let message = "`insecure` accepts every certificate, so `ca` and `pin` have no effect";
        mistakes.push(args.mistake("insecure", Code::BadValue, message));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    if insecure {
        args.warn(
            "insecure",
            "insecure-tls",
            "an attacker on the path can read and change this connection",
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

/// Words that are typed where `self-signed` is meant.
const SELF_SIGNED: &[&str] = &[
    "self",
    "selfsigned",
    "self_signed",
    "auto",
    "adhoc",
    "generate",
    "snakeoil",
    "temporary",
    "true",
    "yes",
    "on",
];
