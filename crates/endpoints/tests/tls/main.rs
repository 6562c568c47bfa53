//! `tls`: clients that are let in and clients that aren't, the messages for them, and the fate of broken streams.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod certificates;
#[path = "../common/mod.rs"]
mod common;
mod streams;

use std::future::poll_fn;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::{LONG, accepted, bind, connector, failure, try_bind, try_connect};
use descriptor::{Report, Syntax};
use endpoint::{Accept, Conn, Context, End, Grants, Info, Reason, Result, Transport};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A folder with an authority and what it has signed.
struct Folder {
    dir: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Folder {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities are two names, as they are elsewhere.
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().display().to_string();
        params.distinguished_name.push(DnType::CommonName, name);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = Self { dir, authority };
        std::fs::write(folder.path("ca.pem"), folder.authority.pem()).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A certificate and its key in one file.
    fn sign(&self, file: &str, names: &[&str], change: impl FnOnce(&mut CertificateParams)) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.authority).unwrap();
        write_private(&self.path(file), &(cert.pem() + &key.serialize_pem()));
    }

    /// A revocation list with these serial numbers, good until that year.
    fn revoke(&self, file: &str, serials: &[u64], until: i32) {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.authority).unwrap();
        std::fs::write(self.path(file), list.pem().unwrap()).unwrap();
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

async fn listen(more: &str) -> (Box<dyn Accept>, std::net::SocketAddr) {
    listen_in(&Context::new(), more).await
}

async fn listen_in(cx: &Context, more: &str) -> (Box<dyn Accept>, std::net::SocketAddr) {
    let accept = bind(cx, &format!("tls:{{tcp:0:interface=127.0.0.1}}:{more}")).await;
    let at = accept.local().address.unwrap();
    (accept, at)
}

/// Runs one handshake of both sides. Returns each side's connection or error.
async fn shake(
    accept: &mut dyn Accept,
    at: std::net::SocketAddr,
    more: &str,
) -> (Result<Option<Conn>>, Result<Conn>) {
    let there = async {
        let mut incoming = accept.accept().await?.expect("there are more");
        match incoming.next().await? {
            Some(offer) => Ok(Some(accepted(offer).await)),
            None => Ok(None),
        }
    };
    let cx = Context::new();
    let text = format!("tls:{{tcp:{at}}}{more}");
    // In TLS 1.3 a client is told only after its handshake that it isn't wanted: the first read tells.
    let here = async {
        let conn = try_connect(&cx, &text).await?;
        Ok(conn)
    };
    timeout(LONG, async { tokio::join!(there, here) }).await.unwrap()
}

fn said(result: Result<impl Sized>) -> String {
    failure(result).to_string()
}

/// The error of a client that a listener has met.
async fn met(accept: &mut dyn Accept) -> Result<bool> {
    let mut incoming = accept.accept().await?.expect("there are more");
    Ok(timeout(LONG, incoming.next()).await.expect("it ends")?.is_some())
}

#[tokio::test]
async fn clients_of_other_protocols_are_told() {
    let (mut accept, at) = listen("cert=self-signed:handshake-timeout=500ms").await;
    for (sent, words) in [
        (&b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"[..], "a plain HTTP request"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not TLS"),
        // SSL 2, and TLS 1.0 alone.
        (&[0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10], "the TLS handshake took more than 0.5 s"),
        (&[22, 3, 1, 0xff, 0xff, 1, 0, 0, 0], "TLS"),
        (&[22, 3, 1], "took more than"),
    ] {
        let mut client = TcpStream::connect(at).await.unwrap();
        client.write_all(sent).await.unwrap();
        let error = said(met(&mut *accept).await);
        assert!(error.contains(words) || error.contains("TLS"), "{sent:?}: {error}");
        if words.contains("HTTP") {
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
        }
    }
    // One that leaves without a word is nothing to report.
    drop(TcpStream::connect(at).await.unwrap());
    assert!(matches!(met(&mut *accept).await, Ok(false)));
}

#[tokio::test]
async fn plain_connections_are_taken_where_they_may_be() {
    let (mut accept, at) =
        listen_in(&Context::new().in_front_of(Grants::Service), "cert=self-signed:optional=true")
            .await;
    let (there, here) = shake(&mut *accept, at, ":insecure=true").await;
    assert!(there.unwrap().unwrap().info.lookup("tls", "version").is_some());
    drop(here.unwrap());
    // With a first word, and silent.
    for first in [&b"HELO h\r\n"[..], b""] {
        let mut client = TcpStream::connect(at).await.unwrap();
        client.write_all(first).await.unwrap();
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let conn = accepted(incoming.next().await.unwrap().unwrap()).await;
        assert!(conn.info.lookup("tls", "version").is_none());
        client.write_all(b"more").await.unwrap();
        let mut got = vec![0; first.len() + 4];
        conn.into_io().read_exact(&mut got).await.unwrap();
        assert_eq!(got, [first, b"more"].concat());
    }
}

#[tokio::test]
async fn a_peer_is_told_why_its_handshake_fails() {
    let (mut accept, at) = listen("cert=self-signed:alpn=mqtt").await;
    let (there, here) = shake(&mut *accept, at, ":insecure=true:alpn=http/1.1").await;
    assert!(said(there).ends_with("the peer supports none of the protocols in `alpn`"));
    // In TLS 1.3 it is known behind the server's first messages, which the alert comes after.
    assert!(said(here).ends_with("the peer ended TLS: it supports none of our protocols (`alpn`)"));
}

/// In TLS 1.3, a client is refused for its certificate when its handshake is done, and writes by then.
#[tokio::test]
async fn who_writes_to_a_server_that_has_refused_it_hears_why() {
    let folder = Folder::new();
    folder.sign("server.pem", &["h.example"], |_| {});
    let (mut accept, at) = listen(&format!(
        "cert={}:verify-client=required:ca={}",
        folder.shown("server.pem"),
        folder.shown("ca.pem")
    ))
    .await;
    let cx = Context::new();
    let text = format!("tls:{{tcp:{at}}}:ca={}:name=h.example", folder.shown("ca.pem"));
    let there = async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        incoming.next().await
    };
    let here = async {
        let mut here = try_connect(&cx, &text).await.unwrap().into_io();
        // More than lies unread in a socket that is closed at once: that would be reset, and the alert with it.
        loop {
            if let Err(error) = here.write_all(&[0; 4096]).await {
                break error;
            }
            if let Err(error) = here.flush().await {
                break error;
            }
        }
    };
    let (there, error) = timeout(LONG, async { tokio::join!(there, here) }).await.unwrap();
    assert!(said(there).contains("the client sent no certificate"));
    let words =
        "the peer ended TLS: it requires a client certificate; give one with `cert=` and `key=`";
    assert_eq!(error.to_string(), words);
}

#[test]
fn spellings_mean_what_they_mean_elsewhere() {
    let registry = common::registry();
    let connect = |text: &str, syntax| {
        registry
            .connector(text, syntax)
            .map(|plan| plan.tree.descriptor)
            .map_err(|found| Report::new(text, &found).to_string())
    };
    let listen = |text: &str, syntax| {
        registry
            .listener(text, syntax)
            .map(|plan| plan.tree.descriptor)
            .map_err(|found| Report::new(text, &found).to_string())
    };
    for (typed, meant) in [
        ("tls:h.example:443", "tls:{tcp:h.example:443}"),
        ("ssl:h.example:443", "tls:{tcp:h.example:443}"),
        ("tls:h:443:endpoint={tcp:proxy:3128}:trustRoots=d", "tls:{tcp:proxy:3128}:name=h:ca=d"),
        ("tls://h.example:443", "tls:{tcp:h.example:443}"),
        ("wss://h.example/x", "ws:{tls:{tcp:h.example:443}}:url={wss://h.example/x}"),
        ("{wss://h/}:ca=f.pem", "ws:{tls:{tcp:h:443}:ca=f.pem}:url={wss://h/}"),
        ("{https://h:8443/}:pin=", "ws:{tls:{tcp:h:8443}:pin=}:url={wss://h:8443/}"),
    ] {
        assert_eq!(connect(typed, Syntax::Extended).as_deref(), Ok(meant), "{typed}");
    }
    for (typed, meant) in [
        ("ws:9000:cert=self-signed", "ws:{tls:9000:cert=self-signed}"),
        ("ws:{tls:9000:cert=a.pem}:key=b.pem", "ws:{tls:9000:cert=a.pem:key=b.pem}"),
        ("ssl:443:privateKey=k.pem", "tls:{tcp:443}:cert=k.pem"),
        ("ssl:443:privateKey=k.pem:sslmethod=SSLv23_METHOD", "tls:{tcp:443}:cert=k.pem"),
        ("ssl:443:privateKey=k.pem:sslmethod=TLSv1_2_METHOD", "tls:{tcp:443}:cert=k.pem:min=1.2"),
        ("tls:certs:8443:backlog=9", "tls:{tcp:8443:backlog=9}:cert=certs"),
        (
            "ssl:443:privateKey=k.pem:certKey=c.pem:extraCertChain=e.pem:interface=127.0.0.1",
            "tls:{tcp:443:interface=127.0.0.1}:key=k.pem:cert=c.pem:chain=e.pem",
        ),
    ] {
        assert_eq!(listen(typed, Syntax::Extended).as_deref(), Ok(meant), "{typed}");
    }
    for (typed, words) in [
        ("tls:443", "create one at the start with `cert=self-signed`"),
        (
            "ssl:443:privateKey=k.pem:sslmethod=TLSv1_METHOD",
            "the supported versions are TLS 1.2 and 1.3",
        ),
        ("ssl:443:privateKey=k.pem:dhParameters=d.pem", "leave `dhParameters` out"),
        ("wss://127.0.0.1:443/", "create one at the start with `cert=self-signed`"),
        ("tls:443:cert=a:verify-client=required", "`verify-client` needs `ca`"),
        (
            "tls:443:cert=a:verify-client=required:ca=b:optional=true",
            "plain connections have no certificate",
        ),
        ("tls:443:cert=a,b:key=c", "one `key` can't match several certificates"),
    ] {
        let report = listen(typed, Syntax::Extended).unwrap_err();
        assert!(report.contains(words), "{typed}: {report}");
    }
    let report = connect("tls:{tcp:h:443}:pin=sha256/short", Syntax::Extended).unwrap_err();
    assert!(report.contains("32 bytes in base64"), "{report}");
}

#[tokio::test]
async fn a_web_page_does_not_reach_a_program_by_a_plain_connection() {
    let (mut accept, at) = listen("cert=self-signed:optional=true").await;
    let mut come = async |bytes: &'static [u8]| {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let next = timeout(LONG, incoming.next()).await.unwrap();
        (next, stream)
    };
    let page = b"POST /a/path/that/is/longer/than/one/look HTTP/1.1\r\nHost: x\r\n\r\nid\n";
    let (refused, mut stream) = come(page).await;
    let words = failure(refused).to_string();
    assert!(words.contains("refused an HTTP request: web pages must not use"), "{words}");
    let mut got = String::new();
    let _ = stream.read_to_string(&mut got).await;
    assert!(got.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{got}");
    let (plain, _stream) = come(b"id\n").await;
    let conn = accepted(plain.unwrap().unwrap()).await;
    assert_eq!(conn.into_io().read_u8().await.unwrap(), b'i');
}
