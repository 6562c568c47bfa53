//! Encrypted streams: pieces, ends, and broken records.

use super::*;

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

/// Only a read of the encrypted stream finds that: its socket is beneath.
#[tokio::test]
async fn a_client_that_is_reset_before_it_is_connected_has_left() {
    let (mut accept, at) = listen("cert=self-signed").await;
    let plan = connector(&format!("tls:{{tcp:{at}}}:insecure=true"));
    let cx = Context::new();
    let info = Info::new();
    let there = async {
        let mut incoming = accept.accept().await.unwrap().unwrap();
        incoming.next().await.unwrap().unwrap()
    };
    let both = async { tokio::join!(plan.endpoint.connect(&cx, &info), there) };
    let (here, mut offer) = timeout(LONG, both).await.unwrap();
    let Transport::Bytes(mut here) = here.unwrap().transport else { panic!("bytes") };
    here.write_all(b"early").await.unwrap();
    assert!(
        timeout(Duration::from_millis(100), offer.left()).await.is_err(),
        "data is not leaving"
    );
    poll_fn(|cx| here.poll_finish(cx, &End::of(Reason::Truncated))).await.unwrap();
    drop(here);
    timeout(LONG, offer.left()).await.unwrap();
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
