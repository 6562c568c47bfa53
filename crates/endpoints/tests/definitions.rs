//! The definitions of the kinds, which the manual and the completions are made from.

mod common;

use std::collections::HashSet;
use std::net::SocketAddr;

use common::{connector, listener, registry};
use descriptor::{Report, Syntax};
use endpoint::Info;
use endpoint::gate::{self, Admitted, Identity};
use endpoint::info::{Http, Proxied, Target, Tcp, Udp, Unix};
use endpoints::KINDS;
use plan::kind::{Param, PlanListen, Role, ValueKind};

/// Every kind's parameters, with the sides that the registry reads them for.
fn params() -> impl Iterator<Item = (&'static str, &'static Param)> {
    KINDS.iter().flat_map(|kind| {
        let listen = kind.listen.as_ref().map_or(&[][..], |side| side.params);
        let connect = kind.connect.as_ref().map_or(&[][..], |side| side.params);
        listen.iter().chain(connect).map(|param| (kind.name, param))
    })
}

#[test]
fn every_example_plans_as_what_it_shows() {
    for kind in KINDS {
        for example in kind.examples {
            let tree = match example.role {
                Role::Listen => listener(example.descriptor).tree,
                Role::Connect => connector(example.descriptor).tree,
            };
            assert_eq!(tree.kind, kind.name, "{}", example.descriptor);
            assert!(example.about.ends_with('.'), "{}", example.about);
        }
        let shows = |role| kind.examples.iter().any(|example| example.role == role);
        let opened =
            matches!(kind.listen.as_ref().map(|side| &side.plan), Some(PlanListen::Opened(_)));
        assert!(kind.listen.is_none() || opened || shows(Role::Listen), "{}", kind.name);
        assert!(kind.connect.is_none() || shows(Role::Connect), "{}", kind.name);
    }
}

#[test]
fn what_examples_mean_can_be_typed() {
    for kind in KINDS {
        for example in kind.examples {
            let (tree, again) = match example.role {
                Role::Listen => {
                    let tree = listener(example.descriptor).tree;
                    (listener(&tree.descriptor).tree.settings.len(), tree.settings.len())
                }
                Role::Connect => {
                    let tree = connector(example.descriptor).tree;
                    (connector(&tree.descriptor).tree.settings.len(), tree.settings.len())
                }
            };
            assert_eq!(tree, again, "{}", example.descriptor);
        }
    }
}

#[test]
fn names_are_told_apart() {
    let mut names = HashSet::new();
    for kind in KINDS {
        for name in kind.aliases.iter().map(|alias| alias.name).chain([kind.name]) {
            assert!(names.insert(name), "{name} is two kinds");
            assert_eq!(name, name.to_ascii_lowercase());
        }
    }
}

#[test]
fn every_parameter_is_documented() {
    for (kind, param) in params() {
        assert!(param.doc.ends_with('.') && param.doc.len() > 20, "{kind} {}", param.name);
        let says = param.default.is_some() || param.doc.contains("default");
        assert!(param.required || says || !param.positional || param.rest);
    }
    for kind in KINDS {
        assert!(!kind.about.is_empty() && !kind.about.ends_with('.'), "{}", kind.name);
    }
}

/// Mistakes in descriptors, as a person sees them.
fn mistakes(role: Role, text: &str) -> String {
    let found = match role {
        Role::Listen => registry().listener(text, Syntax::Extended).map(|_| ()),
        Role::Connect => registry().connector(text, Syntax::Extended).map(|_| ()),
    };
    Report::new(text, &found.expect_err("this should have been a mistake")).to_string()
}

#[test]
fn mistakes_of_tcp() {
    use Role::{Connect, Listen};
    insta::assert_snapshot!(mistakes(Listen, "tcp:90o0"), @r"
    error: `port` must be a number from 0 to 65535
      | tcp:90o0
      |     ^^^^
      = help: did you mean `9000`?
    ");
    insta::assert_snapshot!(mistakes(Listen, "tcp"), @r"
    error: `tcp` needs `port`
      | tcp
      | ^^^
      = help: the form is `tcp:PORT[:INTERFACE][:BACKLOG][:NAME=…]…`; `help tcp` lists the names
    ");
    insta::assert_snapshot!(mistakes(Listen, "tcp:9000:interface={[::1]:80}"), @r"
    error: `interface` must be a name or an address, and `[::1]:80` is neither
      | tcp:9000:interface={[::1]:80}
      |                     ^^^^^^^^
      = help: write an IPv6 address as `[::1]` or `{::1}`
    ");
    insta::assert_snapshot!(mistakes(Listen, "tcp4:9000:interface={::1}"), @r"
    error: `interface` must be an IPv4 address, and `::1` is not one
      | tcp4:9000:interface={::1}
      |                      ^^^
    ");
    insta::assert_snapshot!(mistakes(Listen, "tcp6:9000:interface=127.0.0.1"), @r"
    error: `interface` must be an IPv6 address, and `127.0.0.1` is not one
      | tcp6:9000:interface=127.0.0.1
      |                     ^^^^^^^^^
    ");
    insta::assert_snapshot!(mistakes(Listen, "tcp:9000:keepalive=often"), @r"
    error: `keepalive` must be `off`, `on` or a time from 1 s to 32767 s
      | tcp:9000:keepalive=often
      |                    ^^^^^
    ");
    insta::assert_snapshot!(mistakes(Listen, "tcp:9000:timeout=5"), @r"
    error: `tcp` has `timeout` only when connecting, and this is the listening side
      | tcp:9000:timeout=5
      |          ^^^^^^^
      = help: the form is `tcp:PORT[:INTERFACE][:BACKLOG][:NAME=…]…`; `help tcp` lists the names
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp:9000"), @r"
    error: `tcp` connects to a host and a port
      | tcp:9000
      | ^^^^^^^^
      = help: for this machine, write `tcp:127.0.0.1:9000`
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp:::1:80"), @r"
    error: `port` must be a number from 1 to 65535, or the name of a service
      | tcp:::1:80
      |      ^

    error: `tcp` has only the positional parameters: `host`, `port`
      | tcp:::1:80
      |       ^^^^
      = help: write text that contains `:` in braces, `{…:…}`; the form is `tcp:HOST:PORT[:NAME=…]…`; `help tcp` lists the names
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp:h:0"), @r"
    error: `port` must be a number from 1 to 65535, or the name of a service
      | tcp:h:0
      |       ^
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp: h:80"), @r"
    error: `host` must be a name or an address, and ` h` is neither
      | tcp: h:80
      |     ^^
      = help: a name consists of letters, digits, `-` and `.`
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp::80"), @r"
    error: `host` is empty
      | tcp::80
      |     ^
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp:h:80:bindAddress=eth0"), @r"
    error: `bindAddress` must be an IP address, without a port
      | tcp:h:80:bindAddress=eth0
      |                      ^^^^
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp:127.0.0.1:80:bindAddress={::1}"), @r"
    error: `bindAddress` must be of the same family as `127.0.0.1`
      | tcp:127.0.0.1:80:bindAddress={::1}
      |                               ^^^
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp:h:80:timeuot=5:keepalive=0"), @r"
    error: `tcp` has no parameter `timeuot` when connecting
      | tcp:h:80:timeuot=5:keepalive=0
      |          ^^^^^^^
      = help: did you mean `timeout`?

    error: `keepalive` must be `off`, `on` or a time from 1 s to 32767 s
      | tcp:h:80:timeuot=5:keepalive=0
      |                              ^
    ");
    insta::assert_snapshot!(mistakes(Connect, "tcp://h/path"), @r"
    error: a `tcp` URL has no path
      | tcp://h/path
      |        ^^^^^
      = help: the form is `tcp://HOST:PORT`
    ");
    insta::assert_snapshot!(mistakes(Connect, "h:80"), @r"
    error: `h` is not a kind of endpoint
      | h:80
      | ^
      = help: did you mean `tcp:h:80`?
    ");
}

#[test]
fn mistakes_of_unix() {
    use Role::{Connect, Listen};
    insta::assert_snapshot!(mistakes(Listen, "unix"), @r"
    error: `unix` needs `address`
      | unix
      | ^^^^
      = help: the form is `unix:ADDRESS[:MODE][:BACKLOG][:LOCKFILE][:unlink=…][:users=…][:send-buffer=…][:receive-buffer=…][:auth=…][:from=…]`
    ");
    insta::assert_snapshot!(mistakes(Listen, "unix:@"), @r"
    error: `address` is empty
      | unix:@
      |      ^
    ");
    insta::assert_snapshot!(mistakes(Listen, "unix:/run/s:mode=rw"), @r"
    error: `mode` must be a file mode in octal digits, such as 660
      | unix:/run/s:mode=rw
      |                  ^^
    ");
    insta::assert_snapshot!(mistakes(Connect, "unix:/run/s:mode=660"), @r"
    error: `unix` has `mode` only when listening, and this is the connecting side
      | unix:/run/s:mode=660
      |             ^^^^
      = help: the form is `unix:PATH[:timeout=…][:send-buffer=…][:receive-buffer=…]`
    ");
    insta::assert_snapshot!(mistakes(Connect, "unix://run/app.sock"), @r"
    error: a `unix` URL has a path only
      | unix://run/app.sock
      |        ^^^
      = help: write `unix:///run/app.sock`
    ");
    let long = format!("unix:/{}", "x".repeat(107));
    assert!(
        mistakes(Connect, &long)
            .contains("`path` has 108 bytes, and a socket's path has at most 107")
    );
}

#[test]
fn mistakes_of_the_others() {
    use Role::{Connect, Listen};
    insta::assert_snapshot!(mistakes(Listen, "stdio:junk"), @r"
    error: `stdio` has no positional parameters
      | stdio:junk
      |       ^^^^
      = help: write text that contains `:` in braces, `{…:…}`; the form is `stdio[:keep=…][:hold=…][:message=…][:max-message=…][:raw=…][:auth=…][:from=…]`
    ");
    insta::assert_snapshot!(mistakes(Connect, "process"), @r"
    error: `process` needs `program`
      | process
      | ^^^^^^^
      = help: the form is `process:PROGRAM[:ARGUMENT]…`, or `process:dir=FOLDER`
    ");
    insta::assert_snapshot!(mistakes(Connect, "process:"), @r"
    error: `process` needs `program`
      | process:
      | ^^^^^^^
      = help: the form is `process:PROGRAM[:ARGUMENT]…`, or `process:dir=FOLDER`
    ");
    insta::assert_snapshot!(mistakes(Connect, "process:dd:if=/dev/zero"), @r"
    error: `process` has no parameter `if` when connecting
      | process:dd:if=/dev/zero
      |            ^^
      = help: write text that contains `=` in braces to pass it as `argument`: `{if=…}`
    ");
    insta::assert_snapshot!(mistakes(Connect, "process:sh:-c:{echo ${http.path}}"), @r#"
    error: `argument` can't contain facts about a client: `sh` runs this text
      | process:sh:-c:{echo ${http.path}}
      |                     ^^^^^^^^^^^^
      = help: pass it as an argument behind that text (`"$1"`), or from the environment: `env.X=${…}` and `"$X"`; write `\$` for literal text
    "#);
    insta::assert_snapshot!(mistakes(Connect, "process:env:bash:${http.path}"), @r#"
    error: `argument` can't contain facts about a client: it would choose what `bash` runs
      | process:env:bash:${http.path}
      |                  ^^^^^^^^^^^^
      = help: pass it as an argument behind that text (`"$1"`), or from the environment: `env.X=${…}` and `"$X"`; write `\$` for literal text
    "#);
    insta::assert_snapshot!(mistakes(Connect, "process:ls:-${http.path}"), @r#"
    error: `argument` can't contain facts about a client: it would choose an option
      | process:ls:-${http.path}
      |             ^^^^^^^^^^^^
      = help: pass it as an argument behind that text (`"$1"`), or from the environment: `env.X=${…}` and `"$X"`; write `\$` for literal text
    "#);
    insta::assert_snapshot!(mistakes(Connect, "process:cat:env.LD_PRELOAD=${http.path}"), @r#"
    error: `env.LD_PRELOAD` can't contain facts about a client: it chooses what the program runs
      | process:cat:env.LD_PRELOAD=${http.path}
      |                            ^^^^^^^^^^^^
      = help: use a variable of another name, which the program reads as text
    "#);
    insta::assert_snapshot!(mistakes(Connect, "process:${http.path}"), @r#"
    error: `program` can't contain facts about a client: a client can't become part of a command
      | process:${http.path}
      |         ^^^^^^^^^^^^
      = help: write the value itself, or write `\$` for literal text
    "#);
    insta::assert_snapshot!(mistakes(Connect, "process:cat:headers=Cookie"), @r#"
    error: the header `Cookie` is never passed to a program
      | process:cat:headers=Cookie
      |                     ^^^^^^
      = help: credentials are for `auth=` only; REMOTE_USER has the user
    "#);
    insta::assert_snapshot!(mistakes(Connect, "process:cat:stderr=lag"), @r"
    error: `stderr` must be `log` or `signal` or `merge` or `null`
      | process:cat:stderr=lag
      |                    ^^^
      = help: did you mean `log`?
    ");
    insta::assert_snapshot!(mistakes(Listen, "echo"), @r"
    error: `echo` can be connected to, not listened on
      | echo
      | ^^^^
    ");
    insta::assert_snapshot!(mistakes(Connect, "mem:x:messages=true"), @r"
    error: `mem` has `messages` only when listening, and this is the connecting side
      | mem:x:messages=true
      |       ^^^^^^^^
      = help: the form is `mem:NAME`
    ");
    insta::assert_snapshot!(mistakes(Connect, "mock:say hello"), @r"
    error: `say hello` is not a step; the steps are `r TEXT`, `w TEXT`, `eof`, `fin`, `err`, `wait` and `wait TIME`
      | mock:say hello
      |      ^^^^^^^^^
    ");
    insta::assert_snapshot!(mistakes(Connect, r"mock:{r \q}"), @r"
    error: `\q` is not an escape
      | mock:{r \q}
      |       ^^^^
    ");
}

#[test]
fn an_abstract_name_warns_of_what_means_nothing() {
    let text = "unix:@x:mode=600";
    let plan = listener(text);
    insta::assert_snapshot!(Report::new(text, &plan.warnings), @r"
    warning: `mode` has no effect: an abstract name has no file
      | unix:@x:mode=600
      |              ^^^
    ");
}

#[test]
fn every_fact_that_is_declared_can_be_looked_up() {
    let at = SocketAddr::from(([127, 0, 0, 1], 9));
    let mut http = Http::default();
    http.path = "/".into();
    http.query = "NAME=x".into();
    http.subprotocols = vec!["mqtt".into()];
    let headers = [("name", "x"), ("host", "h"), ("cookie", "NAME=x")];
    http.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut proxied = Proxied::by(Some("p".to_owned()));
    (proxied.client, proxied.client_port, proxied.destination) = (Some(at.ip()), Some(9), Some(at));
    (proxied.host, proxied.scheme) = (Some("h".into()), Some("http"));
    let info = Info::new()
        .with(Target::new("h", 7))
        .with(Tcp { local: at, peer: at })
        .with(Udp { local: at, peer: at })
        .with(Unix { path: "/x".into(), pid: Some(1), uid: Some(1) })
        .with(proxied)
        .with(http);
    let info = Admitted::new(&info, Identity::user("ada"), gate::Role::ReadOnly).info;
    // Those of TLS come from a handshake, and those of PROXY from a header: tls and proxy.rs look at them.
    let elsewhere = ["proxy", "tls"];
    for (kind, fact) in registry().facts().filter(|(kind, _)| !elsewhere.contains(&kind.name)) {
        let (root, name) = fact.name.split_once('.').unwrap();
        assert!(info.lookup(root, name).is_some(), "{}: {}", kind.name, fact.name);
        assert!(fact.about.ends_with('.'), "{}: {}", kind.name, fact.about);
    }
}

/// With anything quadratic in it this takes a minute.
#[test]
fn a_long_descriptor_is_planned_in_linear_time() {
    let registry = registry();
    for piece in [":", ":[::1]", ":x="] {
        for kind in ["tcp", "process"] {
            let text = format!("{kind}{}", piece.repeat((1 << 16) / piece.len()));
            let _ = registry.connector(&text, Syntax::Extended);
            let _ = registry.listener(&text, Syntax::Extended);
        }
    }
}

/// A URL's query and its user may be credentials: only the server sees them.
#[test]
fn no_url_shows_its_query_or_its_password() {
    let connecting = [
        "ws://h:1/p?token=hunter2",
        "wss://h/?t=hunter2",
        "ws:{tcp:h:1}:url={ws://h:1/p?token=hunter2}",
        "ws:{tcp:h:1}:path=/p?token=hunter2",
        "ws:{tcp:h:1}:header.authorization=hunter2",
        "tcp:h:1:via={socks5://u:hunter2@p:1080}",
        "http-connect:{tcp:h:1}:user=a:password=hunter2:host=a:port=1",
        "route:http={http://127.0.0.1:1/a?key=hunter2}",
        "route:http={http://127.0.0.1:1/%s?key=hunter2}",
        "route:jwt={https://id.example/jwks.json?key=hunter2}",
        "route:file=/x:default={ws://h:1/?t=hunter2}",
        "retry:{route:jwt={https://id.example/jwks.json?key=hunter2}}",
        "fallback:{echo}:{ws://h:1/?t=hunter2}",
        "tee:{tcp:h:1}:to={ws://h:1/?t=hunter2}",
    ];
    let listening = [
        "ws:9000:auth={jwt:{https://id.example/jwks.json?key=hunter2}}",
        "ws:9000:auth={jwt:keys={https://id.example/jwks.json?key=hunter2}}",
        "ws:9000:auth={jwt:{https://id.example/jwks.json?key=hunter2}:aud=a}:max-sessions=3",
        "ws:9000:auth={{token},{jwt:{https://id.example/jwks.json?key=hunter2}}}",
        r"ws:9000:auth=jwt\:{https\://id.example/jwks.json?key=hunter2}",
        "wisp:{ws:9000:auth={jwt:{https://id.example/jwks.json?key=hunter2}}}",
        "tee:{ws:9000}:to={ws://h:1/?t=hunter2}",
    ];
    for typed in connecting {
        let plan = connector(typed);
        let shown = format!("{} {plan:?}", plan.tree.descriptor);
        assert!(!shown.contains("hunter2") && shown.contains('…'), "{typed}: {shown}");
        connector(&plan.tree.descriptor);
    }
    for typed in listening {
        let plan = listener(typed);
        let shown = format!("{} {plan:?}", plan.tree.descriptor);
        assert!(!shown.contains("hunter2") && shown.contains('…'), "{typed}: {shown}");
        assert!(shown.contains("id.example") || typed.starts_with("tee"), "{typed}: {shown}");
    }
    // Every parameter that may be a URL, by its description.
    let all = KINDS.iter().flat_map(|kind| {
        let own = [Role::Listen, Role::Connect].into_iter().flat_map(|role| kind.params(role));
        own.chain(kind.providers.iter().flat_map(|provider| provider.params))
    });
    let all = all.flat_map(|param| match param.value {
        ValueKind::Variants(all) => all.iter().flat_map(|variant| variant.params).collect(),
        ValueKind::Switch(inside) => inside.iter().collect(),
        _ => vec![param],
    });
    let mut count = 0;
    for param in all.filter(|param| param.doc.contains("://")) {
        if matches!(param.value, ValueKind::Text | ValueKind::Template) {
            count += 1;
            let is_hidden = param.hides_query || param.secret;
            assert!(is_hidden || PUBLIC.contains(&param.name), "{}: {}", param.name, param.doc);
        }
    }
    assert!(count > 5, "{count}");
}

/// Parameters whose URLs are shown whole.
const PUBLIC: &[&str] = &[];
