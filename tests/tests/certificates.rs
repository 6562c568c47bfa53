//! Client certificates made by openssl, and who is admitted by one (`auth={cert:…}`).

use std::fs;
use std::process::Command;

use tempfile::TempDir;
use tests::{Forwarder, run, until};

/// A folder of certificates.
struct Certificates(TempDir);

impl Certificates {
    /// With an authority `staff`, one of another name `other`, and the server's certificate, which `staff` has signed.
    fn new() -> Self {
        let all = Self(tempfile::tempdir().expect("a folder"));
        all.authority("staff");
        all.authority("other");
        all.sign(
            "server",
            "staff",
            "/CN=localhost",
            &["-days", "2"],
            "subjectAltName=DNS:localhost",
        );
        all
    }

    fn openssl(&self, args: &[&str]) {
        let output = Command::new("openssl").args(args).current_dir(&self.0).output();
        let output = output.expect("openssl runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn authority(&self, name: &str) {
        let (key, cert, subject) =
            (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name} authority"));
        let new = [KEY, &["-keyout", &key, "-out", &cert, "-subj", &subject]].concat();
        self.openssl(&[&["req", "-x509", "-days", "2"], &*new].concat());
    }

    /// `NAME.pem`, with its key in `NAME.key`.
    fn sign(&self, name: &str, by: &str, subject: &str, dates: &[&str], extension: &str) {
        let (key, request, cert) =
            (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let new = [KEY, &["-keyout", &key, "-out", &request, "-subj", subject]].concat();
        self.openssl(&[&["req"], &*new].concat());
        fs::write(self.0.path().join("extensions"), extension).expect("it is written");
        let (ca, ca_key) = (format!("{by}.pem"), format!("{by}.key"));
        let signed = ["-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
        let to = ["-out", &cert, "-extfile", "extensions"];
        self.openssl(&[&["x509", "-req"], &signed[..], dates, &to].concat());
    }

    /// A client's certificate.
    fn client(&self, name: &str, by: &str) {
        self.sign(name, by, ALICE, &["-days", "2"], FOR_CLIENTS);
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A listener over TLS with `verify`, whose program tells what it knows of its client.
    fn listener(&self, verify: &str, auth: &str) -> Forwarder {
        let (cert, key) = (self.at("server.pem"), self.at("server.key"));
        let tls = format!("tls:{{tcp:0:interface=127.0.0.1}}:cert={cert}:key={key}:{verify}");
        let listen = format!("ws:{{{tls}}}:auth={auth}");
        Forwarder::start(&["-e", &listen, "-d", TELLS, "-v"])
    }

    /// Returns the data that a client with this certificate gets, or the error.
    fn told(&self, forwarder: &Forwarder, client: Option<&str>) -> String {
        let mut tls = format!(
            "tls:{{tcp:127.0.0.1:{}}}:name=localhost:ca={}",
            forwarder.port(0),
            self.at("staff.pem")
        );
        if let Some(name) = client {
            tls += &format!(
                ":cert={}:key={}",
                self.at(&format!("{name}.pem")),
                self.at(&format!("{name}.key"))
            );
        }
        let output = run(&["-e", "stdio", "-d", &format!("ws:{{{tls}}}")], b"");
        let (said, log) = (output.text(), &output.stderr);
        if output.code() == Some(0) { said } else { format!("{said}{log}") }
    }
}

/// The same subject, from whomever: only the authority tells who is who.
#[test]
fn a_certificate_of_the_authority_of_a_gate_is_admitted_and_no_other() {
    let all = Certificates::new();
    all.client("alice", "staff");
    all.client("foreign", "other");
    for (name, is_ca) in [("self", "FALSE"), ("root", "TRUE")] {
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        let extension = format!("basicConstraints=critical,CA:{is_ca}");
        let new = ["req", "-x509", "-days", "2", "-keyout", &key, "-out", &cert, "-subj", ALICE];
        all.openssl(&[&new[..], KEY, &["-addext", &extension]].concat());
    }
    all.sign("expired", "staff", ALICE, &["-days", "-1"], FOR_CLIENTS);
    all.sign("web", "staff", ALICE, &["-days", "2"], "extendedKeyUsage=serverAuth");
    // An authority below it, whose certificate the client sends.
    let below = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign";
    all.sign("branch", "staff", "/CN=branch", &["-days", "2"], below);
    all.client("leaf", "branch");
    let chain = ["leaf.pem", "branch.pem"]
        .map(|name| fs::read_to_string(all.at(name)).expect("it is there"));
    fs::write(all.at("chained.pem"), chain.concat()).expect("it is written");
    fs::copy(all.at("leaf.key"), all.at("chained.key")).expect("it is copied");

    let auth = format!("{{cert:ca={}}}", all.at("staff.pem"));
    let forwarder = all.listener("verify-client=request", &auth);
    for (client, expected) in [
        (Some("alice"), "alice|CN=alice,O=Example|alice"),
        (Some("chained"), "alice|CN=alice,O=Example|alice"),
        (Some("leaf"), "your certificate is signed by no authority of this listener"),
        (Some("foreign"), "your certificate is signed by no authority of this listener"),
        (Some("self"), "your certificate is signed by no authority of this listener"),
        (Some("root"), "your certificate is an authority's"),
        (Some("expired"), "your certificate has expired"),
        (Some("web"), "your certificate is not one for clients (extended key usage)"),
        (None, "a client certificate is required"),
    ] {
        let told = all.told(&forwarder, client);
        assert!(told.contains(expected), "{client:?}: {told}");
        assert_eq!(told.contains("|"), expected.contains('|'), "{client:?}: {told}");
    }
    // The log never contains names of an unverified certificate.
    let log = forwarder.log();
    assert_eq!(log.matches("client=\"CN=alice,O=Example\"").count(), 2, "{log}");

    // The other conditions are checked too.
    for (more, client, is_admitted) in [
        ("cn=alice", "alice", true),
        ("cn=bob", "alice", false),
        ("subject={CN=alice,O=Example}", "alice", true),
        ("cn=alice", "foreign", false),
    ] {
        let auth = format!("{{cert:ca={}:{more}}}", all.at("staff.pem"));
        let forwarder = all.listener("verify-client=request", &auth);
        let told = all.told(&forwarder, Some(client));
        assert_eq!(told.contains("alice|"), is_admitted, "{more}: {told}");
    }

    // Of two authorities of the whole listener, the gate admits those of one.
    let both = ["staff.pem", "other.pem"]
        .map(|name| fs::read_to_string(all.at(name)).expect("it is there"));
    fs::write(all.at("both.pem"), both.concat()).expect("it is written");
    let verify = format!("verify-client=optional:ca={}", all.at("both.pem"));
    let forwarder = all.listener(&verify, &auth);
    assert!(all.told(&forwarder, Some("alice")).contains("alice|"));
    assert!(
        all.told(&forwarder, Some("foreign")).contains("signed by no authority of this listener")
    );
    let forwarder = all.listener(&verify, "{cert:cn=alice}");
    assert!(all.told(&forwarder, Some("foreign")).contains("alice|"), "the listener trusts it");
}

#[test]
fn one_of_a_password_and_a_certificate_is_enough() {
    let all = Certificates::new();
    all.client("alice", "staff");
    all.client("foreign", "other");
    // `openssl passwd -apr1 -salt saltsalt engine`
    let line = "ada:$apr1$saltsalt$dSgOs8kbcQ6AMfg.Wo7Ct1\n";
    fs::write(all.at("users"), line).expect("it is written");
    let auth = format!("{{{{htpasswd:{}}},{{cert:ca={}}}}}", all.at("users"), all.at("staff.pem"));
    let forwarder = all.listener("verify-client=request", &auth);
    let port = forwarder.port(0);
    let curl = |client: Option<&str>, user: Option<&str>| {
        let mut command = Command::new("curl");
        command.args([
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "--max-time",
            "20",
            "--http1.1",
        ]);
        command.args(["--cacert", &all.at("staff.pem")]);
        command.args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]);
        command.args(["-H", "Sec-WebSocket-Version: 13"]);
        command.args(["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]);
        if let Some(name) = client {
            command.args(["--cert", &all.at(&format!("{name}.pem"))]);
            command.args(["--key", &all.at(&format!("{name}.key"))]);
        }
        if let Some(user) = user {
            command.args(["-u", user]);
        }
        let output = command.arg(format!("https://localhost:{port}/")).output().expect("curl runs");
        String::from_utf8(output.stdout).expect("text")
    };
    for (client, user, status) in [
        (None, None, "401"),
        (None, Some("ada:engine"), "101"),
        (None, Some("ada:wrong"), "401"),
        (Some("alice"), None, "101"),
        (Some("foreign"), None, "401"),
        (Some("foreign"), Some("ada:engine"), "101"),
    ] {
        assert_eq!(curl(client, user), status, "{client:?} {user:?}");
    }
}

#[test]
fn an_authority_that_is_replaced_counts_for_the_next_session() {
    let all = Certificates::new();
    all.client("alice", "staff");
    all.client("foreign", "other");
    fs::copy(all.at("staff.pem"), all.at("ca.pem")).expect("it is copied");
    let auth = format!("{{cert:ca={}}}", all.at("ca.pem"));
    let forwarder = all.listener("verify-client=request", &auth);
    assert!(all.told(&forwarder, Some("alice")).contains("alice|"));
    // A file that is only half written changes nothing.
    fs::write(all.at("ca.pem"), "-----BEGIN CERTIFICATE-----\nMII").expect("it is written");
    until("the bad file is seen", || {
        assert!(all.told(&forwarder, Some("alice")).contains("alice|"));
        forwarder.log().contains("the earlier contents stay in use").then_some(())
    });
    fs::copy(all.at("other.pem"), all.at("ca.pem")).expect("it is copied");
    until("the other authority counts", || {
        all.told(&forwarder, Some("foreign")).contains("alice|").then_some(())
    });
    assert!(all.told(&forwarder, Some("alice")).contains("signed by no authority"));
}

/// We pass on to the next server the facts that a reverse proxy gets about a client's certificate.
#[test]
fn the_subject_is_passed_on_as_a_header() {
    let all = Certificates::new();
    all.client("alice", "staff");
    let inner = Forwarder::start(&[
        "-e",
        "ws:{tcp:0:interface=127.0.0.1}",
        "-d",
        "process:sh:-c:{printf %s \"$HTTP_X_SSL_CLIENT_DN\"}:headers=X-SSL-Client-DN",
    ]);
    let (cert, key, ca) = (all.at("server.pem"), all.at("server.key"), all.at("staff.pem"));
    let listen = format!(
        "ws:{{tls:{{tcp:0:interface=127.0.0.1}}:cert={cert}:key={key}:verify-client=required:ca={ca}}}"
    );
    let to = format!(
        "ws:{{tcp:127.0.0.1:{}}}:header.X-SSL-Client-DN=${{tls.client.subject}}",
        inner.port(0)
    );
    let outer = Forwarder::start(&["-e", &listen, "-d", &to]);
    assert_eq!(all.told(&outer, Some("alice")), "CN=alice,O=Example");
}

#[test]
fn what_is_missing_is_said() {
    let all = Certificates::new();
    let (cert, key, ca) = (all.at("server.pem"), all.at("server.key"), all.at("staff.pem"));
    let tls = format!("tls:{{tcp:0:interface=127.0.0.1}}:cert={cert}:key={key}");
    let over = |verify: &str, auth: &str| format!("ws:{{{tls}{verify}}}:auth={auth}");
    let no_tls = "`auth={cert}` needs certificates, and nothing beneath requests them from clients";
    for (listen, words) in [
        (format!("ws:{{tcp:0}}:auth={{cert:ca={ca}}}"), no_tls),
        ("ws:{tcp:0}:auth={cert:cn=alice}".to_owned(), no_tls),
        (format!("socks5:{{tcp:0}}:auth={{cert:ca={ca}}}"), no_tls),
        (over("", &format!("{{{{cert:ca={ca}}},{{peer:127.0.0.1}}}}")), no_tls),
        (
            over(":verify-client=request", "{cert:cn=alice}"),
            "`auth={cert}` without `ca` needs verified certificates, and `tls` beneath only requests them",
        ),
        (
            over(":verify-client=request", &format!("{{cert:ca={key}}}")),
            "it contains no certificate (PEM)",
        ),
        (
            over(":verify-client=request", &format!("{{cert:ca={ca}:crl={ca}}}")),
            "it contains no revocation list (PEM)",
        ),
        (
            over(":verify-client=request", "{cert:ca=/nonexistent}"),
            "/nonexistent: no such file or directory",
        ),
        (
            over(&format!(":verify-client=request:ca={ca}"), "{cert}"),
            "`ca` has no effect with `verify-client=request`",
        ),
        (over(":verify-client=request", "{cert:ca=}"), "`ca` is empty"),
        (over(":verify-client=request", &format!("{{cert:crl={ca}}}")), "`crl` needs `ca`"),
    ] {
        let output = run(&["-e", &*listen, "-d", "echo"], b"");
        assert_ne!(output.code(), Some(0), "{listen}");
        assert!(output.stderr.contains(words), "{listen}: {}", output.stderr);
    }
}

const TELLS: &str = "process:sh:-c:{echo \"$REMOTE_USER|$SSL_CLIENT_S_DN|$SSL_CLIENT_S_DN_CN\"}";
const ALICE: &str = "/O=Example/CN=alice";
const FOR_CLIENTS: &str = "extendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE";
const KEY: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
