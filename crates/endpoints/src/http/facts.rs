//! The facts about an HTTP request.

use ::plan::kind::FactName;

use crate::auth;

pub(crate) const FACTS: &[FactName] = &[
    auth::ROLE,
    auth::USER,
    FactName::new("http.cookie.NAME", "A cookie's value."),
    FactName::new("http.header.NAME", "The first header field of this name."),
    FactName::new("http.host", "The Host header field."),
    FactName::new("http.hostname", "The Host header field without its port."),
    FactName::new("http.path", "The path, percent-encoded as it was sent."),
    FactName::new("http.query", "The query after the `?`, percent-encoded as it was sent."),
    FactName::new("http.query.NAME", "The first query parameter of this name, percent-encoded."),
    FactName::new(
        "http.subprotocol",
        "The agreed subprotocol; if none is agreed, the first one that the client offered.",
    ),
    FactName::new("proxy.client", "The client's address, as reported by a trusted proxy."),
    FactName::new("proxy.client_port", "The client's port, if a trusted proxy reports it."),
    FactName::new("proxy.host", "The host that the client requested from the proxy."),
    FactName::new("proxy.peer", "The proxy's own address."),
    FactName::new(
        "proxy.scheme",
        "The scheme by which the client reached the proxy: `http` or `https`.",
    ),
];
