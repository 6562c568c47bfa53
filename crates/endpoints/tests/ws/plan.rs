//! Mistakes that planning finds before anything is opened.

use descriptor::{Report, Syntax};

use crate::support::registry;

fn listening(typed: &str) -> String {
    match registry().listener(typed, Syntax::Extended) {
        Ok(plan) => Report::new(typed, &plan.warnings).to_string(),
        Err(found) => Report::new(typed, &found).to_string(),
    }
}

fn connecting(typed: &str) -> String {
    match registry().connector(typed, Syntax::Extended) {
        Ok(plan) => Report::new(typed, &plan.warnings).to_string(),
        Err(found) => Report::new(typed, &found).to_string(),
    }
}

#[test]
fn mistakes_when_listening() {
    insta::assert_snapshot!(listening("ws:9000:url=localhost:subprotocol={a b,c}:origin=example.com:path=x"), @r#"
    error: `url` must start with `ws://` or `wss://`
      | ws:9000:url=localhost:subprotocol={a b,c}:origin=example.com:path=x
      |             ^^^^^^^^^
      = help: the form is `url={ws://localhost:9000/path}`

    error: `a b` can't be the name of a subprotocol
      | ws:9000:url=localhost:subprotocol={a b,c}:origin=example.com:path=x
      |                                    ^^^^^
      = help: a name consists of letters, digits and punctuation other than `"(),/:;<=>?@[\]{}`; separate several names by commas

    error: `example.com` is not an origin
      | ws:9000:url=localhost:subprotocol={a b,c}:origin=example.com:path=x
      |                                                  ^^^^^^^^^^^
      = help: an origin is `https://example.com`, without a path; or `same`, `any`, `null`

    error: `path` must be a percent-encoded path
      | ws:9000:url=localhost:subprotocol={a b,c}:origin=example.com:path=x
      |                                                                   ^
      = help: did you mean `/x`?
    "#);
    insta::assert_snapshot!(listening("ws:9000:url={ftp://h}"), @r#"
    error: `url` must start with `ws://` or `wss://`
      | ws:9000:url={ftp://h}
      |              ^^^^^^^
      = help: the form is `url={ws://localhost:9000/path}`
    "#);
    insta::assert_snapshot!(listening("ws:9000:url={ws://h/?a=b}"), @r#"
    error: the `url` of a listener can't have a query
      | ws:9000:url={ws://h/?a=b}
      |              ^^^^^^^^^^^
      = help: the form is `url={ws://localhost:9000/path}`
    "#);
    insta::assert_snapshot!(listening("ws:9000:url={ws://h:99999}:timeout=0"), @r#"
    error: the port in `url` must be a number from 0 to 65535
      | ws:9000:url={ws://h:99999}:timeout=0
      |              ^^^^^^^^^^^^
      = help: the form is `url={ws://localhost:9000/path}`

    error: `handshake-timeout` must be more than 0: otherwise a silent peer is never closed
      | ws:9000:url={ws://h:99999}:timeout=0
      |                                    ^
    "#);
    insta::assert_snapshot!(listening("ws:9000:header.cookie=x:ping=soon"), @r#"
    error: `ping` must be a time in seconds, or with the unit ms, s, m or h
      | ws:9000:header.cookie=x:ping=soon
      |                              ^^^^
    "#);
    insta::assert_snapshot!(listening("ws:9000:compress={levl=1:level=0}"), @r#"
    error: `compression` has no parameter `levl`
      | ws:9000:compress={levl=1:level=0}
      |                   ^^^^
      = help: did you mean `level`?

    error: `level` must be a number from 1 to 9
      | ws:9000:compress={levl=1:level=0}
      |                                ^
    "#);
}

/// A misspelt `host` of the layer is no reason to keep silent about one that is missing beneath it.
#[test]
fn a_misspelt_name_explains_what_its_own_endpoint_lacks() {
    insta::assert_snapshot!(connecting("ws:{tcp:port=80}:hosst=x"), @r#"
    error: `tcp` needs `host`
      | ws:{tcp:port=80}:hosst=x
      |     ^^^
      = help: the form is `tcp:HOST:PORT[:NAME=…]…`; `help tcp` lists the names

    error: `ws` has no parameter `hosst` when connecting
      | ws:{tcp:port=80}:hosst=x
      |                  ^^^^^
      = help: did you mean `host`?
    "#);
    // Nor is its endpoint planned without it.
    insta::assert_snapshot!(connecting("tcp:h:prot=80"), @r#"
    error: `tcp` has no parameter `prot` when connecting
      | tcp:h:prot=80
      |       ^^^^
      = help: did you mean `port`?
    "#);
    insta::assert_snapshot!(connecting("tcp:port=80:hosst=x"), @r#"
    error: `tcp` has no parameter `hosst` when connecting
      | tcp:port=80:hosst=x
      |             ^^^^^
      = help: did you mean `host`?
    "#);
}

#[test]
fn mistakes_when_connecting() {
    insta::assert_snapshot!(connecting("ws:9000:header.connection=x:subprotocol={a;b}"), @r#"
    error: `connection` is part of the handshake and can't be set
      | ws:9000:header.connection=x:subprotocol={a;b}
      |                           ^

    error: `a;b` can't be the name of a subprotocol
      | ws:9000:header.connection=x:subprotocol={a;b}
      |                                          ^^^
      = help: a name consists of letters, digits and punctuation other than `"(),/:;<=>?@[\]{}`; separate several names by commas
    "#);
    insta::assert_snapshot!(connecting("ws:9000:url={ws://me@h/#x}"), @r#"
    error: `url` can't carry a user
      | ws:9000:url={ws://me@h/#x}
      |              ^^^^^^^^^^^^
      = help: give the user in the endpoint's URL: `ws://USER:PASSWORD@HOST/`
    "#);
    insta::assert_snapshot!(connecting("ws:9000:origin={a b}:path={/${http.path}}"), @r#"
    error: `origin` can't be sent in a header
      | ws:9000:origin={a b}:path={/${http.path}}
      |                 ^^^
    "#);
}

#[test]
fn a_url_with_tls_needs_tls_beneath() {
    insta::assert_snapshot!(connecting("ws:{tcp:h:443}:url={wss://h/}"), @r#"
    warning: `url` requires TLS, but this connection is not encrypted: run `ws` over `tls`
      | ws:{tcp:h:443}:url={wss://h/}
      |                     ^^^^^^^^
    "#);
    assert_eq!(connecting("ws:{tls:{tcp:h:443}}:url={wss://h/}"), "");
    assert_eq!(connecting("wss://h/"), "");
    // A proxy in front may well have it.
    assert_eq!(listening("ws:9000:url={wss://h/}"), "");
    let missing = listening("wss://127.0.0.1:9000/");
    assert!(missing.contains("`tls` needs `cert`"), "{missing}");
    insta::assert_snapshot!(listening("http:9000"), @r#"
    error: `http` is not a kind of endpoint
      | http:9000
      | ^^^^
      = help: `ws:9000` serves a page to browsers and accepts WebSocket clients
    "#);
}

#[test]
fn a_name_of_a_header_is_asked_for() {
    insta::assert_snapshot!(listening("ws:9000:header={Server: x}"), @r#"
    error: `ws` has no parameter `header` when listening
      | ws:9000:header={Server: x}
      |         ^^^^^^
      = help: did you mean `header.NAME=…`?
    "#);
}

#[test]
fn a_space_in_the_url_is_a_warning() {
    insta::assert_snapshot!(connecting(r"autobahn:tcp\:localhost\:9000:url=ws\:// localhost\:9000"), @r#"
    warning: `url` contains a space, which is ignored
      | autobahn:tcp\:localhost\:9000:url=ws\:// localhost\:9000
      |                                   ^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn urls_are_written_out() {
    let listen =
        |typed: &str| registry().listener(typed, Syntax::Extended).unwrap().tree.descriptor;
    let connect =
        |typed: &str| registry().connector(typed, Syntax::Extended).unwrap().tree.descriptor;
    for (typed, meant) in [
        ("ws://127.0.0.1:9000", "ws:{tcp:9000:interface=127.0.0.1}"),
        ("ws://localhost/a/b", "ws:{tcp:80:interface=localhost}:path=/a/b"),
        ("http://:9000/", "ws:{tcp:9000:interface=127.0.0.1}"),
    ] {
        assert_eq!(listen(typed), meant);
    }
    for (typed, meant) in [
        ("ws://h.example:9000/p?q=1", "ws:{tcp:h.example:9000}:url={ws://h.example:9000/p?…}"),
        ("ws://h/my file", "ws:{tcp:h:80}:url={ws://h/my file}"),
        ("ws://me:hunter2@h/", "ws:{tcp:h:80}:url={ws://h/}:header.authorization=…"),
        ("WS://h.example", "ws:{tcp:h.example:80}:url={ws://h.example}"),
        (
            "{ws://[::1]:9000/x}:subprotocol=mqtt",
            "ws:{tcp:{::1}:9000}:url={ws://[::1]:9000/x}:subprotocol=mqtt",
        ),
        ("http://h.example/", "ws:{tcp:h.example:80}:url={ws://h.example/}"),
    ] {
        assert_eq!(connect(typed), meant);
    }
}

#[test]
fn every_example_can_be_planned() {
    let (kind, _) = registry().find("ws").unwrap();
    for example in kind.examples {
        let report = match example.role {
            plan::kind::Role::Listen => listening(example.descriptor),
            plan::kind::Role::Connect => connecting(example.descriptor),
        };
        assert_eq!(report, "", "{}", example.descriptor);
    }
}

#[test]
fn keys_by_url() {
    let sound = [
        "ws:9000:auth={jwt:{https://id.example/jwks.json}:ca=/etc/ca.pem:aud=x}",
        "ws:9000:auth={jwt:{http://127.0.0.1:8080/jwks.json}}",
        "ws:9000:auth={jwt:file=/etc/key.pem}",
    ];
    for typed in sound {
        assert_eq!(listening(typed), "", "{typed}");
    }
    insta::assert_snapshot!(listening("ws:9000:auth={jwt:{http://id.example/jwks.json}}"), @r#"
    warning: these keys are fetched without TLS, so an attacker on the path can replace them
      | ws:9000:auth={jwt:{http://id.example/jwks.json}}
      |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(listening("ws:9000:auth={jwt:/etc/key.pem:ca=/etc/ca.pem}"), @r#"
    error: `ca` applies to keys from a URL, but these are in a file
      | ws:9000:auth={jwt:/etc/key.pem:ca=/etc/ca.pem}
      |                                   ^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(connecting("route:jwt={https://ada:pw@id.example/}"), @r#"
    error: `jwt` can't contain a name or a password
      | route:jwt={https://ada:pw@id.example/}
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: a JWKS has public keys, which need none
    "#);
    for typed in ["route:jwt={https://}", "route:jwt={https://id.example:99999/}"] {
        let found = connecting(typed);
        assert!(found.starts_with("error: `jwt` must be a URL\n"), "{found}");
    }
}

#[test]
fn a_url_without_a_host_is_a_mistake() {
    insta::assert_snapshot!(connecting("ws:///term"), @r"
    error: this URL has no host
      | ws:///term
      | ^^
      = help: the form is `ws://HOST:PORT/PATH`
    ");
    insta::assert_snapshot!(connecting("wss://"), @r"
    error: this URL has no host
      | wss://
      | ^^^
      = help: the form is `wss://HOST:PORT/PATH`
    ");
    // A port alone is on loopback, as everywhere.
    assert_eq!(connecting("ws://:9000/term"), "");
}
