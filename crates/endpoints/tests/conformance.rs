//! Twisted's own answers for its endpoint strings (`tests/vectors/twisted_vectors.json`, made by
//! Twisted 26.10.0): with `Syntax::Twisted` an endpoint is planned if and only if Twisted makes it,
//! and with the same values; every difference is meant, and has its reason here.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what was skipped is shown with --nocapture")]

mod common;

use common::registry;
use descriptor::Syntax;
use plan::Tree;
use serde_json::Value;

/// Vectors that we answer otherwise, with the reason.
const DIFFERENCES: &[(&str, &str)] = &[
    ("S008", "a port is 0 to 65535; Twisted fails with -1 when it listens"),
    ("S010", "numbers are digits alone: blanks in a descriptor are slips"),
    ("S011", "numbers are digits alone"),
    ("S014", "numbers are digits alone"),
    ("S016", "kinds are found whatever their case, as Twisted's plugins and clients are"),
    ("S017", "we have a tcp4"),
    ("S049", "a socket needs an address; Twisted fails when it listens"),
    ("S057", "files are read when it listens, and not when it is planned"),
    ("S069", "what stdio doesn't know is a mistake, not ignored"),
    (
        "S072",
        "which sockets systemd has passed is seen when it listens, and not when it is planned",
    ),
    ("S078", "we have an fd"),
    ("S082", "an endpoint may be quoted for `haproxy`, as for any other layer"),
    (
        "S088",
        "what `haproxy` goes over is read as it stands; Twisted quotes it again and loses a keyword",
    ),
    ("S094", "a boolean may be 1"),
    ("S100", "a WebSocket listener needs no URL"),
    ("C008", "times may have fractions and units"),
    ("C011", "bindAddress is an address; Twisted fails when it connects"),
    ("C014", "a port is at most 65535"),
    ("C020", "a parameter that is given twice is a mistake"),
    ("C023", "an IPv6 address may stand in brackets, which never works in Twisted"),
    ("C025", "we have a tcp6 to connect to"),
    ("C026", "we have a tcp4"),
    ("C034", "a socket needs a path; Twisted fails when it connects"),
    ("C056", "we have a stdio to connect to"),
    ("C058", "we have a haproxy to connect through"),
    ("C059", "we have programs"),
    ("C060", "we have an fd"),
];

#[test]
fn server_strings() {
    run("server", |registry, text| {
        registry.listener(text, Syntax::Twisted).map(|plan| plan.tree).map_err(|_| ())
    });
}

#[test]
fn client_strings() {
    run("client", |registry, text| {
        registry.connector(text, Syntax::Twisted).map(|plan| plan.tree).map_err(|_| ())
    });
}

fn run(side: &str, plan: fn(&plan::Registry, &str) -> Result<Tree, ()>) {
    let vectors: Value =
        serde_json::from_str(include_str!("vectors/twisted_vectors.json")).unwrap();
    let registry = registry();
    let (mut wrong, mut skipped, mut checked) = (Vec::new(), 0, 0);
    for vector in vectors[side].as_array().unwrap() {
        let (id, text) = (vector["id"].as_str().unwrap(), vector["input"].as_str().unwrap());
        let theirs = &vector["endpoint"];
        let missing = is_missing(&registry, text);
        if missing && theirs.is_object() {
            skipped += 1;
            continue;
        }
        checked += 1;
        let found = match (plan(&registry, text), theirs.is_object()) {
            (Ok(tree), true) => difference(&tree, theirs),
            (Err(()), false) => None,
            (Ok(_), false) => Some(format!("Twisted says {}", vector["error"]["message"])),
            (Err(()), true) => Some("Twisted makes it".to_owned()),
        };
        let meant = DIFFERENCES.iter().any(|(known, _)| *known == id);
        match found {
            Some(found) if !meant => wrong.push(format!("{id} {text:?}: {found}")),
            None if meant && !missing => {
                wrong.push(format!("{id} {text:?}: no difference any more"));
            }
            _ => {}
        }
    }
    println!("{side}: {checked} vectors checked, {skipped} of kinds that don't exist yet");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 20);
}

/// Returns `true` if a descriptor is of a kind that we don't have, or stands on one.
fn is_missing(registry: &plan::Registry, text: &str) -> bool {
    let kinds = ["ssl", "tls", "systemd", "haproxy", "autobahn"];
    kinds.iter().any(|kind| {
        registry.find(kind).is_none() && text.split([':', '\\']).any(|word| word == *kind)
    })
}

/// Where our values are not Twisted's.
fn difference(tree: &Tree, theirs: &Value) -> Option<String> {
    let value = |name: &str| {
        let setting = tree.settings.iter().find(|(known, ..)| known == name);
        setting.map_or("", |(_, value, _)| value.as_str())
    };
    let text = |name: &str| theirs[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| theirs[name].to_string();
    let pairs = match theirs["class"].as_str().unwrap() {
        "TCP4ServerEndpoint" | "TCP6ServerEndpoint" => vec![
            ("port", number("_port")),
            ("backlog", number("_backlog")),
            // Twisted leaves the meaning of no interface to the system: all of IPv4.
            (
                "interface",
                Some(text("_interface")).filter(|i| !i.is_empty()).unwrap_or("0.0.0.0".into()),
            ),
        ],
        "TCP4ClientEndpoint" => vec![
            ("host", text("_host")),
            ("port", number("_port")),
            ("timeout", number("_timeout")),
            ("bindAddress", theirs["_bindAddress"][0].as_str().unwrap_or_default().to_owned()),
        ],
        "UNIXServerEndpoint" => vec![
            ("address", text("_address")),
            ("backlog", number("_backlog")),
            ("mode", format!("{:o}", theirs["_mode"].as_u64().unwrap())),
            ("lockfile", number("_wantPID")),
        ],
        "UNIXClientEndpoint" => vec![("path", text("_path")), ("timeout", number("_timeout"))],
        "StandardIOEndpoint" => vec![],
        "SSL4ServerEndpoint" => return beneath(tree, &with_class(theirs, "TCP4ServerEndpoint")),
        "SSL4ClientEndpoint" => return beneath(tree, &with_class(theirs, "TCP4ClientEndpoint")),
        "TLSServerEndpoint" => {
            let mut theirs = with_class(&theirs["endpoint"], "TCP4ServerEndpoint");
            // txsni listens on IPv6 with IPv4 in it, which we call by its IPv4 name.
            if theirs["_interface"] == "::" {
                theirs["_interface"] = "".into();
            }
            return beneath(tree, &theirs);
        }
        "_WrapperEndpoint" | "_WrapperServerEndpoint" => {
            return beneath(tree, &theirs["_wrappedEndpoint"]);
        }
        "HostnameEndpoint" => vec![
            ("host", text("_hostText")),
            ("port", number("_port")),
            ("timeout", number("_timeout")),
        ],
        // Their own tests look into layers.
        "AutobahnServerEndpoint" | "AutobahnClientEndpoint" => {
            return beneath(tree, &theirs["_endpoint"]);
        }
        class => return Some(format!("{class} is new to this test")),
    };
    let differs = |(name, theirs): &&(&str, String)| value(name) != theirs;
    let (name, theirs) = pairs.iter().find(differs)?;
    Some(format!("{name} is {:?}, and {theirs:?} in Twisted", value(name)))
}

fn beneath(tree: &Tree, theirs: &Value) -> Option<String> {
    let nothing = || Some("there is nothing beneath".into());
    tree.beneath.first().map_or_else(nothing, |inner| difference(inner, theirs))
}

fn with_class(theirs: &Value, class: &str) -> Value {
    let mut theirs = theirs.clone();
    theirs["class"] = class.into();
    theirs
}
