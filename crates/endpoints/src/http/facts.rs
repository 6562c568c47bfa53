//! What is known about an HTTP request.

use ::plan::kind::FactName;

pub(crate) const FACTS: &[FactName] = &[
    FactName::new(
        "auth.role",
        "`rw`, or `ro` for who may only watch; of a client that was let in.",
    ),
    FactName::new("auth.user", "The user's name; of a client that has said who it is."),
    FactName::new("http.cookie.NAME", "A cookie's value."),
    FactName::new("http.header.NAME", "The first header field of this name."),
    FactName::new("http.host", "The Host header field."),
    FactName::new("http.path", "The path, percent-encoded as it was sent."),
    FactName::new("http.query", "All that follows the `?`, as it was sent."),
    FactName::new("http.query.NAME", "The first query parameter of this name, percent-encoded."),
    FactName::new(
        "http.subprotocol",
        "The subprotocol that was agreed on, otherwise the first one offered.",
    ),
    FactName::new("proxy.client", "The client's address, as a trusted proxy gives it."),
    FactName::new("proxy.client_port", "The client's port, if a trusted proxy gives it."),
    FactName::new("proxy.host", "The host that the client asked the proxy for."),
    FactName::new("proxy.peer", "The proxy's own address."),
    FactName::new("proxy.scheme", "`http` or `https`: how the client reached the proxy."),
];
