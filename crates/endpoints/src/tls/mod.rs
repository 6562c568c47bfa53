//! `tls:ENDPOINT`: TLS 1.2 and 1.3 over any stream of bytes, both sides.
//!
//! [`params`] reads the parameters, [`config`] makes rustls' configurations of them and of files ([`certs`],
//! [`choose`], [`verify`]); [`serve`] and [`dial`] do the handshake, and [`stream`] is the stream inside.

mod certs;
mod choose;
mod config;
mod dial;
mod fact;
mod params;
mod serve;
mod states;
mod stream;
mod sugar;
mod verify;
mod words;

use plan::kind::{Alias, Example, Kind, PlanConnect, PlanListen, Role, Scheme, Side, Takes};

/// TLS.
pub(crate) static KIND: Kind = Kind {
    aliases: &[Alias { name: "ssl", defaults: &[], params: &[], about: "" }],
    listen: Some(Side::bytes(params::LISTENING, PlanListen::Layer(Takes::Bytes, params::listen))),
    connect: Some(Side::bytes(
        params::CONNECTING,
        PlanConnect::Layer(Takes::Bytes, params::connect),
    )),
    schemes: &[Scheme::new("tls", sugar::url), Scheme::new("ssl", sugar::url)],
    rewrite: Some(sugar::twisted),
    slip: Some(crate::slips::tls),
    facts: fact::FACTS,
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "tls:8443:cert=self-signed",
            about: "Listens on loopback with a certificate created at the start; the log has its fingerprint.",
        },
        Example {
            role: Role::Listen,
            descriptor: "tls:{tcp:443}:cert=/etc/letsencrypt/live/example.com/fullchain.pem:key=/etc/letsencrypt/live/example.com/privkey.pem",
            about: "Listens with certbot's files, which are loaded again when they are renewed.",
        },
        Example {
            role: Role::Listen,
            descriptor: "tls:{tcp:8883}:cert=server.pem:verify-client=required:ca=clients.pem",
            about: "Admits clients with a certificate of this authority.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tls:{tcp:example.com:443}",
            about: "Connects, and verifies the certificate with the system's authorities and the name `example.com`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "tls:{tcp:192.0.2.7:6697}:name=irc.example.com:ca=ca.pem",
            about: "Connects to an address, and verifies the certificate with a private authority and another name.",
        },
    ],
    see_also: &["tcp", "ws"],
    ..Kind::new("tls", "TLS over any byte stream")
};
