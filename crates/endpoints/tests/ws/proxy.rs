//! Headers of reverse proxies and checks of load balancers, at a listener on loopback.

use endpoint::info::Proxied;

use crate::page::{Got, Site};
use crate::support::*;

const CADDY: &str = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n\
                     X-Forwarded-Host: term.example\r\n";

/// A WebSocket that a proxy asks for, calling us what it was called itself.
async fn upgraded(parameters: &str, host: &str, headers: &str) -> Got {
    let request = upgrade("/", &format!("{headers}Connection: close\r\n"));
    Site::new(parameters).await.say(&request.replace("localhost:9000", host)).await
}

#[tokio::test]
async fn the_client_behind_a_trusted_proxy_is_the_peer() {
    let got = upgraded(":trusted=loopback:host=term.example", "term.example", CADDY).await;
    assert!(got.offered, "{got:?}");
    let peer = got.info.peer().unwrap();
    assert!(peer.starts_with("192.0.2.7 (through 127.0.0.1:"), "{peer}");
    for (name, value) in [("client", "192.0.2.7"), ("host", "term.example"), ("scheme", "https")] {
        assert_eq!(got.info.lookup("proxy", name).as_deref(), Some(value));
    }
    assert!(got.info.lookup("proxy", "peer").unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn what_others_say_is_not_believed() {
    for parameters in [":host=any", ":host=any:trusted=10.0.0.0/8", ":host=any:trusted=unix"] {
        let got = upgraded(parameters, "term.example", CADDY).await;
        assert!(got.offered, "{got:?}");
        assert!(got.info.get::<Proxied>().is_none(), "{parameters}");
        assert!(got.info.peer().unwrap().starts_with("127.0.0.1:"), "{}", got.info.peer().unwrap());
    }
    // The one that the proxy sets, and no other.
    let spoofed = format!("Forwarded: for=203.0.113.66;host=evil.example\r\n{CADDY}");
    let got = upgraded(":host=any:trusted=loopback", "term.example", &spoofed).await;
    assert_eq!(got.info.lookup("proxy", "client").as_deref(), Some("192.0.2.7"));
    assert_eq!(got.info.lookup("proxy", "host").as_deref(), Some("term.example"));
}

#[tokio::test]
async fn garbage_from_a_trusted_proxy_harms_nobody() {
    for headers in [
        "X-Forwarded-For: \r\n",
        "X-Forwarded-For: ,,,;;\"\r\n",
        "X-Forwarded-For: 999.1.1.1, \u{fffd}\r\nX-Forwarded-Proto: javascript\r\n",
        "X-Forwarded-For: ::1::, [\r\nX-Forwarded-Host: a b, <x>\r\n",
        "X-Forwarded-Host: \u{fffd}\r\nForwarded: for=\"\r\n",
    ] {
        for says in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            let parameters = format!(":trusted=loopback:forwarded={says}");
            let got = upgraded(&parameters, "localhost", headers).await;
            assert!(got.offered, "{headers} {got:?}");
            assert!(
                got.info.peer().unwrap().starts_with("127.0.0.1:"),
                "{}",
                got.info.peer().unwrap()
            );
        }
    }
    let many = format!("X-Forwarded-For: {}\r\n", ["127.0.0.1"; 1200].join(","));
    let got = upgraded(":trusted=loopback", "localhost", &many).await;
    assert_eq!(got.info.lookup("proxy", "client").as_deref(), Some("127.0.0.1"));
}

#[tokio::test]
async fn names_are_checked_on_both_sides_of_the_proxy() {
    let caddy = |host: &str| CADDY.replace("term.example", host);
    for (parameters, host, forwarded, allowed) in [
        (":host=term.example", "term.example", "term.example", true),
        // A proxy that calls us by our address, as nginx does unless it is told.
        (":host=term.example", "127.0.0.1:9000", "term.example", true),
        (":host=term.example", "127.0.0.1:9000", "evil.example", false),
        ("", "127.0.0.1:9000", "term.example", false),
        // A page on this machine that pretends to be a proxy.
        (":host=term.example", "evil.example", "term.example", false),
        (":host=any", "a.example", "b.example", true),
    ] {
        let parameters = format!(":trusted=loopback{parameters}");
        let got = upgraded(&parameters, host, &caddy(forwarded)).await;
        assert_eq!(got.offered, allowed, "{parameters} {host} {forwarded}: {got:?}");
        if !allowed {
            assert_eq!(got.status, 403);
            let error = got.error.unwrap().to_string();
            assert!(error.ends_with("(requested by 192.0.2.7)"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_pages_origin_is_compared_with_what_the_browser_called_the_proxy() {
    let parameters = ":trusted=loopback:host=term.example";
    for (origin, allowed) in [
        ("https://term.example", true),
        ("https://term.example:443", true),
        // Without TLS it is another page: it may have been forged on the way.
        ("http://term.example", false),
        ("https://evil.example", false),
        ("http://127.0.0.1:9000", false),
    ] {
        let headers = format!("{CADDY}Origin: {origin}\r\n");
        let got = upgraded(parameters, "127.0.0.1:9000", &headers).await;
        assert_eq!(got.offered, allowed, "{origin}: {got:?}");
    }
    let headers = "Origin: https://term.example\r\n";
    let got = upgraded(parameters, "term.example", headers).await;
    assert!(got.offered, "a proxy that takes TLS away and only passes on the Host header");
}

#[tokio::test]
async fn a_cookie_is_for_tls_alone_where_the_proxy_has_it() {
    for (proto, secure) in [("https", true), ("http", false)] {
        let folder = tempfile::tempdir().unwrap();
        let page = format!(":auth=token:trusted=loopback:page={{{}/}}", folder.path().display());
        let mut site = Site::new(&page).await;
        let invitation = site.accept.local().invitation.clone().unwrap();
        let (_, token) = invitation.url().split_once("#token=").unwrap();
        let headers = format!("X-Forwarded-Proto: {proto}\r\nAuthorization: Bearer {token}\r\n");
        let got = site.ask("POST", "/", &headers).await;
        let cookie = got.header("set-cookie").unwrap();
        assert_eq!(cookie.ends_with("; Secure"), secure, "{cookie}");
    }
}

#[tokio::test]
async fn a_unix_sockets_peers_are_believed_if_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (parameters, believed) in [(":trusted=unix", true), (":trusted=private", false)] {
        let path = folder.path().join(if believed { "a" } else { "b" });
        let mut server = Server::bind(&format!("ws:{{unix:{}}}{parameters}", path.display())).await;
        let mut peer = Peer::new(tokio::net::UnixStream::connect(&path).await.unwrap());
        peer.send(upgrade("/", CADDY)).await;
        let mut incoming = server.accept.accept().await.unwrap().unwrap();
        let offer = incoming.next().await.unwrap().unwrap();
        assert_eq!(offer.info.get::<Proxied>().is_some(), believed);
    }
}

#[tokio::test]
async fn whoever_looks_whether_we_are_there_is_answered() {
    let mut site = Site::new(":health=/healthz:auth=token:path=/term").await;
    for request in [
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: 10.1.2.3:80\r\nConnection: close\r\n\r\n",
        "GET /healthz?x HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    ] {
        let got = site.say(request).await;
        assert_eq!((got.status, got.text()), (200, "ok\n"), "{request}");
        assert!(got.error.is_none(), "no line in the log: {got:?}");
    }
    let got = site.say("HEAD /healthz HTTP/1.0\r\n\r\n").await;
    assert_eq!((got.status, got.text()), (200, ""));
    for path in ["/healthz/", "/healthzz", "/term/healthz"] {
        assert_ne!(site.get(path, "").await.status, 200, "{path}");
    }
    assert_ne!(Site::new(":page=none").await.get("/healthz", "").await.status, 200);
}

#[tokio::test]
async fn mistakes_are_found_when_planning() {
    for (parameter, words) in [
        ("trusted=localhost", "`localhost` is not a network"),
        ("trusted=10.0.0.0/33", "`10.0.0.0/33` is not a network"),
        ("forwarded=forwarded", "no effect without `trusted`"),
        ("health=healthz", "must be a percent-encoded path"),
        ("health={/a?b}", "must be a percent-encoded path"),
        ("max-header=4k", "from 8k to 1M"),
        ("max-header=2M", "from 8k to 1M"),
    ] {
        let text = format!("ws:{{mem:s}}:{parameter}");
        let found = registry().listener(&text, descriptor::Syntax::Extended).unwrap_err();
        let shown = descriptor::Report::new(&text, &found).to_string();
        assert!(shown.contains(words), "{shown}");
    }
}
