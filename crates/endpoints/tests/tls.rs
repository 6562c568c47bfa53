//! `tls`: clients that are let in and clients that aren't, the messages for them, and the fate of broken streams.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

mod common;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::{LONG, accepted, bind, connector, failure, try_bind, try_connect};
use descriptor::{Report, Syntax};
use endpoint::{Accept, Conn, Context, End, Grants, Info, Result};
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

#[tokio::test]
async fn facts_and_client_certificates() {
    let folder = Folder::new();
    folder.sign("server.pem", &["h.example"], |_| {});
    folder.sign("client.pem", &["alice.example"], |it| {
        it.distinguished_name = rcgen::DistinguishedName::new();
        it.distinguished_name.push(DnType::OrganizationName, "Acme\nclient=root");
        it.distinguished_name.push(DnType::CommonName, "alice");
    });
    let (mut accept, at) = listen(&format!(
        "cert={}:verify-client=required:ca={}:alpn=mqtt,http/1.1",
        folder.shown("server.pem"),
        folder.shown("ca.pem")
    ))
    .await;
    let trusts = format!(":ca={}:name=h.example", folder.shown("ca.pem"));
    let shows = format!("{trusts}:cert={}:alpn=http/1.1", folder.shown("client.pem"));
    let (there, here) = shake(&mut *accept, at, &shows).await;
    let (there, here) = (there.unwrap().unwrap(), here.unwrap());
    let fact = |info: &Info, name: &str| info.lookup("tls", name).map(std::borrow::Cow::into_owned);
    for info in [&there.info, &here.info] {
        assert_eq!(fact(info, "sni").as_deref(), Some("h.example"));
        assert_eq!(fact(info, "alpn").as_deref(), Some("http/1.1"));
        assert_eq!(fact(info, "version").as_deref(), Some("1.3"));
    }
    assert_eq!(fact(&there.info, "client.san").as_deref(), Some("alice.example"));
    assert_eq!(fact(&there.info, "client.cn").as_deref(), Some("alice"));
    let subject = "CN=alice,O=Acme\\0Aclient=root";
    assert_eq!(fact(&there.info, "client.subject").as_deref(), Some(subject));
    assert_eq!(fact(&there.info, "client.fingerprint").map(|it| it.len()), Some(64));
    assert_eq!(fact(&here.info, "client.san"), None);
    // Without one, or with one from another authority.
    let (there, _) = shake(&mut *accept, at, &trusts).await;
    assert!(said(there).contains("the client sent no certificate"));
    let other = Folder::new();
    other.sign("mallory.pem", &["alice.example"], |_| {});
    let forged = format!("{trusts}:cert={}", other.shown("mallory.pem"));
    let (there, _) = shake(&mut *accept, at, &forged).await;
    assert!(said(there).contains("untrusted authority"));
}

#[tokio::test]
async fn a_revoked_certificate_is_refused() {
    let folder = Folder::new();
    folder.sign("server.pem", &["h.example"], |_| {});
    folder.sign("good.pem", &["good.example"], |it| it.serial_number = Some(7.into()));
    folder.sign("stolen.pem", &["stolen.example"], |it| it.serial_number = Some(8.into()));
    folder.revoke("list.pem", &[8], 2090);
    let (mut accept, at) = listen(&format!(
        "cert={}:verify-client=required:ca={}:crl={}",
        folder.shown("server.pem"),
        folder.shown("ca.pem"),
        folder.shown("list.pem")
    ))
    .await;
    let trusts = format!(":ca={}:name=h.example", folder.shown("ca.pem"));
    let shows = |file: &str| format!("{trusts}:cert={}", folder.shown(file));
    let (there, here) = shake(&mut *accept, at, &shows("good.pem")).await;
    assert!(there.is_ok() && here.is_ok());
    let (there, here) = shake(&mut *accept, at, &shows("stolen.pem")).await;
    assert!(said(there).ends_with(": the peer's certificate has been revoked"));
    let told = timeout(LONG, here.unwrap().into_io().read_u8()).await.unwrap().unwrap_err();
    assert_eq!(told.to_string(), "the peer ended TLS: our certificate has been revoked");
    // With TLS 1.2, the client's own handshake fails.
    let (mut old, old_at) = listen(&format!(
        "cert={}:verify-client=required:ca={}:crl={}",
        folder.shown("server.pem"),
        folder.shown("ca.pem"),
        folder.shown("list.pem")
    ))
    .await;
    let stolen = folder.shown("stolen.pem");
    let client = tokio::task::spawn_blocking(move || {
        let command =
            format!("echo | openssl s_client -tls1_2 -connect {old_at} -cert {stolen} 2>&1");
        Command::new("sh").args(["-c", &command]).output().unwrap()
    });
    assert!(met(&mut *old).await.is_err());
    let output = timeout(LONG, client).await.unwrap().unwrap();
    let output = String::from_utf8_lossy(&output.stdout);
    assert!(output.contains("alert certificate revoked"), "{output}");
    // The file is read again: an expired list, that of another authority, a broken one, one without entries.
    let other = Folder::new();
    let pem = |folder: &Folder, serials: &[u64], until| {
        folder.revoke("next.pem", serials, until);
        std::fs::read_to_string(folder.path("next.pem")).unwrap()
    };
    let lists = [
        (
            pem(&folder, &[8], 2021),
            "good.pem",
            "the revocation list of the authority has expired; replace it in the file of `crl`",
        ),
        (
            pem(&other, &[], 2090),
            "good.pem",
            "`crl` has no revocation list of the certificate's authority; add one to the file, even if it is empty",
        ),
        (pem(&folder, &[], 2090), "stolen.pem", ""),
        ("nonsense".to_owned(), "stolen.pem", ""),
    ];
    for (list, client, words) in lists {
        std::fs::write(folder.path("list.pem"), list).unwrap();
        // Files are looked at once a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let (there, _) = shake(&mut *accept, at, &shows(client)).await;
        if words.is_empty() {
            assert!(there.is_ok());
        } else {
            let error = said(there);
            assert!(error.ends_with(words), "{error}");
        }
    }
    let text = format!(
        "tls:{{tcp:0:interface=127.0.0.1}}:cert={}:verify-client=required:ca={1}:crl={1}",
        folder.shown("server.pem"),
        folder.shown("ca.pem"),
    );
    let error = said(try_bind(&Context::new(), &text).await);
    assert!(error.contains("it contains no revocation list (PEM)"), "{error}");
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said() {
    let folder = Folder::new();
    folder.sign("right.pem", &["h.example"], |_| {});
    folder.sign("old.pem", &["h.example"], |it| it.not_after = date_time_ymd(2020, 1, 1));
    folder.sign("new.pem", &["h.example"], |it| it.not_before = date_time_ymd(2090, 1, 1));
    let ca = format!(":ca={}", folder.shown("ca.pem"));
    for (cert, more, words) in [
        ("right.pem", format!("{ca}:name=other.example"), "for another name"),
        ("right.pem", ca.clone(), "for another name"),
        ("right.pem", ":ca=webpki:name=h.example".to_owned(), "untrusted authority"),
        ("old.pem", format!("{ca}:name=h.example"), "has expired"),
        ("new.pem", format!("{ca}:name=h.example"), "not valid yet"),
        (
            "right.pem",
            ":pin=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
            "not listed in `pin`",
        ),
    ] {
        let (mut accept, at) = listen(&format!("cert={}", folder.shown(cert))).await;
        let (_, here) = shake(&mut *accept, at, &more).await;
        let here = said(here);
        assert!(here.contains(words), "{cert} {more}: {here}");
        assert!(here.starts_with("cannot connect tls:"), "{here}");
    }
    // With `insecure=true`, a self-signed certificate is accepted.
    let (mut accept, at) = listen("cert=self-signed").await;
    let (_, here) = shake(&mut *accept, at, ":insecure=true").await;
    drop(here.unwrap());
}

#[tokio::test]
async fn a_certificate_is_chosen_by_name_and_read_again() {
    let folder = Folder::new();
    let certs = folder.path("certs");
    std::fs::create_dir_all(certs.join("two.example")).unwrap();
    folder.sign("certs/one.example.pem", &["one.example"], |_| {});
    folder.sign("two.pem", &["two.example"], |_| {});
    let two = std::fs::read_to_string(folder.path("two.pem")).unwrap();
    write_private(&certs.join("two.example/fullchain.pem"), &two);
    write_private(&certs.join("two.example/privkey.pem"), &two);
    let (mut accept, at) = listen(&format!("cert={}", certs.display())).await;
    let ca = format!(":ca={}", folder.shown("ca.pem"));
    for name in ["one.example", "two.example"] {
        let (_, here) = shake(&mut *accept, at, &format!("{ca}:name={name}")).await;
        drop(here.unwrap());
    }
    let (_, here) = shake(&mut *accept, at, &format!("{ca}:name=three.example")).await;
    assert!(said(here).contains("another name"));
    // A broken file changes nothing, a right one is used from the next look on, while a session goes on.
    let (there, here) = shake(&mut *accept, at, &format!("{ca}:name=one.example")).await;
    let (mut there, mut here) = (there.unwrap().unwrap().into_io(), here.unwrap().into_io());
    write_private(&certs.join("one.example.pem"), "nonsense");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (_, again) = shake(&mut *accept, at, &format!("{ca}:name=one.example")).await;
    drop(again.unwrap());
    folder.sign("certs/one.example.pem", &["renewed.example"], |_| {});
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let (_, renewed) = shake(&mut *accept, at, &format!("{ca}:name=one.example")).await;
    assert!(said(renewed).contains("another name"));
    here.write_all(b"still there").await.unwrap();
    let mut got = [0; 11];
    there.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"still there");
}

#[tokio::test]
async fn a_client_certificate_that_is_being_written_changes_nothing() {
    let folder = Folder::new();
    folder.sign("server.pem", &["h.example"], |_| {});
    folder.sign("client.pem", &["c.example"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let (ca, client) = (folder.shown("ca.pem"), folder.path("client.pem"));
    let server = folder.shown("server.pem");
    let (mut accept, at) = listen(&format!("cert={server}:verify-client=required:ca={ca}")).await;
    let cx = Context::new();
    let text = format!("tls:{{tcp:{at}}}:ca={ca}:name=h.example:cert={}", client.display());
    let dial = connector(&text).endpoint;
    let whole = std::fs::read_to_string(&client).unwrap();
    for text in [&*whole, &whole[..whole.len() / 2], "", &*whole] {
        write_private(&client, text);
        let there = async {
            let mut incoming = accept.accept().await.unwrap().expect("there are more");
            drop(accepted(incoming.next().await.unwrap().expect("an offer")).await);
        };
        let info = Info::new();
        let here = async { drop(dial.connect(&cx, &info).await.unwrap()) };
        timeout(LONG, async { tokio::join!(there, here) }).await.unwrap();
    }
}

#[tokio::test]
async fn files_that_can_not_be_used_are_named() {
    let folder = Folder::new();
    folder.sign("one.pem", &["h"], |_| {});
    folder.sign("two.pem", &["h"], |_| {});
    std::fs::create_dir(folder.path("empty")).unwrap();
    write_private(
        &folder.path("locked.pem"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    // The beginning of a key by `openssl rsa -aes128 -traditional`.
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,B2\n\nMIIB\n\
               -----END RSA PRIVATE KEY-----\n";
    let cert = std::fs::read_to_string(folder.path("ca.pem")).unwrap();
    write_private(&folder.path("old.pem"), old);
    write_private(&folder.path("both.pem"), &(cert + old));
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n";
    write_private(&folder.path("ssh.pem"), ssh);
    let one = folder.shown("one.pem");
    for (more, words) in [
        (format!("cert={one}:key={}", folder.shown("two.pem")), "doesn't match the certificate"),
        (format!("cert={one}:key={}", folder.shown("locked.pem")), "the key is encrypted"),
        (format!("cert={one}:key={}", folder.shown("old.pem")), "the key is encrypted"),
        (format!("cert={}", folder.shown("both.pem")), "the key is encrypted"),
        (
            format!("cert={one}:key={0}", folder.shown("old.pem")),
            &*format!("`openssl pkey -in {} -out plain.key`", folder.shown("old.pem")),
        ),
        (format!("cert={one}:key={}", folder.shown("ssh.pem")), "`ssh-keygen -p -m pkcs8 -f "),
        (format!("cert={}", folder.shown("ca.pem")), "it contains no private key"),
        (format!("cert={}", folder.shown("nothing.pem")), "no such file"),
        (format!("cert={}", folder.shown("empty")), "neither name.pem nor name/fullchain.pem"),
    ] {
        let text = format!("tls:{{tcp:0:interface=127.0.0.1}}:{more}");
        let error = said(try_bind(&Context::new(), &text).await);
        assert!(error.to_lowercase().contains(&words.to_lowercase()), "{more}: {error}");
    }
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

/// A relay between both sides, that a test does as it likes with.
async fn relayed(more: &str) -> (Conn, Conn, TcpStream, TcpStream) {
    let (mut accept, at) = listen("cert=self-signed").await;
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = relay.local_addr().unwrap();
    let text = format!("tls:{{tcp:{to}}}:insecure=true{more}");
    let cx = Context::new();
    let plan = connector(&text);
    let here = async { plan.endpoint.connect(&cx, &Info::new()).await.unwrap() };
    let there = async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        accepted(incoming.next().await.unwrap().unwrap()).await
    };
    let between = async {
        let mut server = TcpStream::connect(at).await.unwrap();
        let (mut client, _) = relay.accept().await.unwrap();
        // The handshake is over when the client has sent its Finished, behind what the server has sent.
        let (mut buffer, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        let mut flights = 0;
        while flights < 2 {
            tokio::select! {
                read = client.read(&mut buffer) => {
                    server.write_all(&buffer[..read.unwrap()]).await.unwrap();
                    flights += 1;
                }
                read = server.read(&mut back) => {
                    client.write_all(&back[..read.unwrap()]).await.unwrap();
                }
            }
        }
        (client, server)
    };
    let (here, there, (client, server)) =
        timeout(LONG, async { tokio::join!(here, there, between) }).await.unwrap();
    (here, there, client, server)
}

#[tokio::test]
async fn an_end_without_close_notify_is_no_end() {
    for (more, kind) in [("", Some(ErrorKind::UnexpectedEof)), (":truncation=allow", None)] {
        let (here, there, mut client, mut server) = relayed(more).await;
        let mut there = there.into_io();
        there.write_all(b"half a file").await.unwrap();
        there.flush().await.unwrap();
        let mut buffer = vec![0; 64 << 10];
        let read = server.read(&mut buffer).await.unwrap();
        client.write_all(&buffer[..read]).await.unwrap();
        client.shutdown().await.unwrap();
        let mut got = Vec::new();
        let end = timeout(LONG, here.into_io().read_to_end(&mut got)).await.unwrap();
        let error = end.err();
        assert_eq!(error.as_ref().map(std::io::Error::kind), kind, "{more}");
        // The side across learns of a cut, not of an orderly end.
        assert!(error.is_none_or(|error| End::lost(&error).is_cut()), "{more}");
        assert_eq!(got, b"half a file", "{more}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said() {
    let folder = Folder::new();
    folder.sign("server.pem", &["h.example"], |_| {});
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    let (server, authority) = (read("server.pem"), read("ca.pem"));
    for (text, words) in [
        (
            format!("{authority}{server}"),
            "the key belongs to a later certificate; that one has to be the first",
        ),
        (
            server[..server.len() - 30].to_owned(),
            "it is cut off: a line `-----END …-----` is missing",
        ),
    ] {
        write_private(&folder.path("file.pem"), &text);
        let text = format!("tls:{{tcp:0:interface=127.0.0.1}}:cert={}", folder.shown("file.pem"));
        let error = said(try_bind(&Context::new(), &text).await);
        assert!(error.contains(words), "{error}");
    }
}

/// An attacker who can end a connection can reset it, too.
#[tokio::test]
async fn a_reset_without_close_notify_cuts_the_data_off() {
    for (more, is_cut) in [("", true), (":truncation=allow", false)] {
        let (here, there, mut client, mut server) = relayed(more).await;
        let (mut here, mut there) = (here.into_io(), there.into_io());
        there.write_all(b"half a file").await.unwrap();
        there.flush().await.unwrap();
        let mut buffer = vec![0; 64 << 10];
        let read = server.read(&mut buffer).await.unwrap();
        client.write_all(&buffer[..read]).await.unwrap();
        let mut got = [0; 11];
        timeout(LONG, here.read_exact(&mut got)).await.unwrap().unwrap();
        client.set_zero_linger().unwrap();
        drop(client);
        let error = timeout(LONG, here.read(&mut [0; 8])).await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{more}");
        assert_eq!(End::lost(&error).is_cut(), is_cut, "{more}: {error}");
        assert_eq!(&got, b"half a file");
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

#[tokio::test]
async fn a_record_that_was_changed_ends_it_for_good() {
    let (here, there, mut client, mut server) = relayed("").await;
    let (mut here, mut there) = (here.into_io(), there.into_io());
    let mut records = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    for word in [b"first", b"other", b"third"] {
        there.write_all(word).await.unwrap();
        there.flush().await.unwrap();
        let read = server.read(&mut buffer).await.unwrap();
        records.push(buffer[..read].to_vec());
    }
    let last = records[1].len() - 1;
    records[1][last] ^= 1;
    client.write_all(&records.concat()).await.unwrap();
    let mut got = Vec::new();
    let error = timeout(LONG, here.read_to_end(&mut got)).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), &*got), (ErrorKind::InvalidData, &b"first"[..]), "{error}");
    assert!(End::lost(&error).is_cut(), "what is across must not take it for an end");
    // The good record behind it is not taken either, and the peer is told by an alert.
    assert!(here.read(&mut [0; 8]).await.is_err());
    let read = timeout(LONG, client.read(&mut buffer)).await.unwrap().unwrap();
    server.write_all(&buffer[..read]).await.unwrap();
    let error = timeout(LONG, there.read(&mut [0; 8])).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("alert"), "{error}");
}

#[tokio::test]
async fn bytes_may_come_one_by_one() {
    let (mut accept, at) = listen("cert=self-signed").await;
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = format!("tls:{{tcp:{}}}:insecure=true", relay.local_addr().unwrap());
    let slow = tokio::spawn(async move {
        let mut server = TcpStream::connect(at).await.unwrap();
        server.set_nodelay(true).unwrap();
        let (mut client, _) = relay.accept().await.unwrap();
        let (mut a, mut b) = ([0; 1], [0; 1]);
        loop {
            tokio::select! {
                read = client.read(&mut a) => match read {
                    Ok(1) => server.write_all(&a).await.unwrap(),
                    _ => break,
                },
                read = server.read(&mut b) => match read {
                    Ok(1) => client.write_all(&b).await.unwrap(),
                    _ => break,
                },
            }
        }
    });
    let cx = Context::new();
    let there = async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        accepted(incoming.next().await.unwrap().unwrap()).await.into_io()
    };
    let here = async { try_connect(&cx, &text).await.unwrap().into_io() };
    let (mut there, mut here) = timeout(LONG, async { tokio::join!(there, here) }).await.unwrap();
    here.write_all(&[7; 40_000]).await.unwrap();
    here.flush().await.unwrap();
    let mut got = vec![0; 40_000];
    timeout(LONG, there.read_exact(&mut got)).await.unwrap().unwrap();
    assert!(got.iter().all(|byte| *byte == 7));
    drop((there, here));
    slow.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_is_understood_at_either_end() {
    let (mut accept, at) = listen("cert=self-signed").await;
    for version in ["-tls1_2", "-tls1_3"] {
        let client = tokio::task::spawn_blocking(move || {
            let command = format!(
                "(echo question; sleep 5) | openssl s_client -quiet {version} -connect {at} 2>/dev/null | head -n 1"
            );
            Command::new("sh").args(["-c", &command]).output().unwrap()
        });
        let mut incoming = accept.accept().await.unwrap().unwrap();
        let conn = accepted(incoming.next().await.unwrap().unwrap()).await;
        let expected = if version == "-tls1_2" { "1.2" } else { "1.3" };
        assert_eq!(conn.info.lookup("tls", "version").as_deref(), Some(expected));
        let mut io = conn.into_io();
        let mut got = [0; 9];
        timeout(LONG, io.read_exact(&mut got)).await.unwrap().unwrap();
        assert_eq!(&got, b"question\n");
        io.write_all(b"answer\n").await.unwrap();
        io.shutdown().await.unwrap();
        let output = timeout(LONG, client).await.unwrap().unwrap();
        assert_eq!(output.stdout, b"answer\n", "{version}");
    }
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
