//! The certificates of both sides, their files, and the messages about them.

use super::*;

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
