//! Answers to a browser: the page, if this was built with it, under the names that the listener answers
//! to, and for those that it lets in.

use endpoint::{Accept, Error, Info};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::*;
use crate::terminal::V1;

/// A listener on loopback, asked one thing a connection.
pub(crate) struct Site {
    pub(crate) accept: Box<dyn Accept>,
}

/// An answer, with its body as it came.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Is `true` if the request became an offer.
    pub(crate) offered: bool,
    /// Facts about the request.
    pub(crate) info: Info,
    /// The error that the log shows for it.
    pub(crate) error: Option<Error>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Site {
    pub(crate) async fn new(parameters: &str) -> Self {
        let cx = endpoint::Context::new();
        Self { accept: bind(&cx, &format!("ws:{{tcp:0:interface=127.0.0.1}}{parameters}")).await }
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Got {
        self.ask("GET", path, headers).await
    }

    pub(crate) async fn ask(&mut self, method: &str, path: &str, headers: &str) -> Got {
        let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
        self.say(&format!("{method} {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n"))
            .await
    }

    pub(crate) async fn say(&mut self, request: &str) -> Got {
        let address = self.accept.local().address.unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let mut incoming = self.accept.accept().await.unwrap().unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let serve = async {
            match incoming.next().await {
                Ok(Some(offer)) => (true, offer.info.clone(), None),
                Ok(None) => (false, Info::new(), None),
                Err(error) => (false, Info::new(), Some(error)),
            }
        };
        let reads = async {
            let _ = client.read_to_end(&mut read).await;
            // The listener waits for that.
            drop(client);
        };
        let both = async { tokio::join!(serve, reads) };
        let ((offered, info, error), ()) = timeout(LONG, both).await.unwrap();
        let end = read.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |end| end + 4);
        let head = String::from_utf8(read[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
        Got { status, head, body: read[end..].to_vec(), offered, info, error }
    }
}

/// A listener with the page; `None`, after looking at what is said then, if it wasn't built.
async fn site(parameters: &str) -> Option<Site> {
    let mut site = Site::new("").await;
    let got = site.get("/", "").await;
    if got.status == 200 {
        return Some(Site::new(parameters).await);
    }
    assert_eq!(got.status, 426);
    assert!(got.text().contains("its page is missing"), "{got:?}");
    None
}

fn asset(index: &Got, ending: &str) -> String {
    let names = index.text().split(['"', '\'']).filter(|text| text.starts_with("./assets/"));
    names.map(|name| name[2..].to_owned()).find(|name| name.ends_with(ending)).unwrap()
}

#[tokio::test]
async fn the_page_and_its_files_are_served_with_what_they_need() {
    let Some(mut site) = site("").await else { return };
    assert!(site.accept.local().url.as_ref().unwrap().starts_with("http://127.0.0.1:"));
    let index = site.get("/", "").await;
    assert_eq!(index.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(index.header("cache-control"), Some("no-cache"));
    assert_eq!(index.header("vary"), Some("accept-encoding"));
    assert_eq!(index.header("content-encoding"), None);
    for (ending, media_type) in [
        (".js", "text/javascript; charset=utf-8"),
        (".css", "text/css; charset=utf-8"),
        (".svg", "image/svg+xml"),
    ] {
        let got = site.get(&format!("/{}", asset(&index, ending)), "").await;
        assert_eq!((got.status, got.header("content-type")), (200, Some(media_type)));
        assert!(got.header("cache-control").unwrap().ends_with("immutable"), "{}", got.head);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "SAMEORIGIN"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(got.header(name), Some(value));
        }
        let policy = got.header("content-security-policy").unwrap();
        assert_eq!(Some(policy), index.header("content-security-policy"));
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors"));
        assert!(!policy.contains("-inline") && !policy.contains("-eval"), "{policy}");
    }
    // Nothing in the page needs more than the policy gives.
    assert!(!index.text().contains("<style") && !index.text().contains(" style="));
    assert!(!index.text().contains("<script>"));
    let licences = site.get("/assets/licenses.txt", "").await;
    if licences.status == 200 {
        assert_eq!(licences.header("cache-control"), Some("no-cache"));
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let Some(mut site) = site("").await else { return };
    let index = site.get("/", "").await;
    let tag = index.header("etag").unwrap().to_owned();
    for known in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
        let got = site.get("/", &format!("If-None-Match: {known}\r\n")).await;
        assert_eq!((got.status, got.body.len()), (304, 0), "{known}");
        assert_eq!(got.header("etag"), Some(&*tag));
        assert!(got.header("content-security-policy").is_some());
    }
    for unknown in ["\"other\"", "", &tag[1..]] {
        let got = site.get("/", &format!("If-None-Match: {unknown}\r\n")).await;
        assert_eq!(got.status, 200, "{unknown}");
    }
    // Another encoding is another representation.
    let got = site.get("/", &format!("If-None-Match: {tag}\r\nAccept-Encoding: gzip\r\n")).await;
    assert_eq!((got.status, got.header("content-encoding")), (200, Some("gzip")));
}

#[tokio::test]
async fn files_are_as_small_as_the_browser_takes_them() {
    let Some(mut site) = site("").await else { return };
    let script = format!("/{}", asset(&site.get("/", "").await, ".js"));
    let mut sizes = Vec::new();
    for (takes, encoding) in [("", None), ("gzip", Some("gzip")), ("gzip, br", Some("br"))] {
        let got = site.get(&script, &format!("Accept-Encoding: {takes}\r\n")).await;
        assert_eq!((got.status, got.header("content-encoding")), (200, encoding));
        assert_eq!(got.header("content-length"), Some(&*got.body.len().to_string()));
        sizes.push(got.body.len());
        let head = site.ask("HEAD", &script, &format!("Accept-Encoding: {takes}\r\n")).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        for name in ["content-length", "content-type", "content-encoding", "etag"] {
            assert_eq!(head.header(name), got.header(name), "{name}");
        }
    }
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
    assert!(sizes[1] < 200 * 1024, "{sizes:?}");
}

#[tokio::test]
async fn a_path_has_the_page_below_it() {
    let Some(mut site) = site(":path=/term").await else { return };
    assert!(site.accept.local().url.as_ref().unwrap().ends_with("/term/"));
    let got = site.get("/term?x=1", "").await;
    assert_eq!((got.status, got.header("location")), (307, Some("./term/?x=1")));
    let index = site.get("/term/?cols=80", "").await;
    assert_eq!(index.status, 200);
    assert_eq!(site.get(&format!("/term/{}", asset(&index, ".js")), "").await.status, 200);
    for path in ["/", "/terminal", "/term/x", "//term/", "/term/../term/", "/term/assets/none.js"] {
        assert_eq!(site.get(path, "").await.status, 404, "{path}");
    }
    for (path, offered) in [("/term", true), ("/term/", true), ("/", false), ("/term/x", false)] {
        let got = site.say(&upgrade(path, &format!("{V1}Connection: close\r\n"))).await;
        assert_eq!(got.offered, offered, "{path}");
    }
}

#[tokio::test]
async fn without_a_path_the_page_is_at_every_one() {
    let Some(mut site) = site("").await else { return };
    for path in ["/", "/a", "/a/b/", "/?x", "//"] {
        assert_eq!(site.get(path, "").await.status, 200, "{path}");
    }
    for path in ["/a/favicon.ico", "/assets/", "/assets/index-AAAAAAAA.js", "/etc/passwd.txt"] {
        let got = site.get(path, "").await;
        assert_eq!(
            (got.status, got.header("x-content-type-options")),
            (404, Some("nosniff")),
            "{path}"
        );
    }
    assert_eq!(site.ask("PUT", "/", "").await.status, 405);
    let deep = site.get("/a/b/", "").await;
    assert_eq!(site.get(&format!("/a/b/{}", asset(&deep, ".css")), "").await.status, 200);
}

#[tokio::test]
async fn page_none_is_a_line_of_text() {
    let mut site = Site::new(":page=none").await;
    assert!(site.accept.local().url.as_ref().unwrap().starts_with("ws://"));
    let got = site.get("/", "").await;
    assert_eq!(got.status, 426);
    assert!(got.text().contains("new WebSocket(") && !got.text().contains("missing"), "{got:?}");
    assert_eq!(site.ask("HEAD", "/", "").await.body, b"");
}

#[tokio::test]
async fn foreign_names_are_refused_on_loopback() {
    let upgraded = |host: &str| {
        upgrade("/", &format!("{V1}Connection: close\r\n")).replace("localhost:9000", host)
    };
    let mut site = Site::new(":url={ws://term.example:9000/}").await;
    for (host, allowed) in [
        ("localhost", true),
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        ("TERM.example", true),
        ("evil.example", false),
        ("127.0.0.1.evil.example:9000", false),
        ("192.0.2.1", false),
    ] {
        let got = site.get("/", &format!("Host: {host}\r\n")).await;
        assert_eq!(got.status == 403, !allowed, "{host}: {got:?}");
        if !allowed {
            let host = host.split(':').next().unwrap();
            assert!(got.text().contains(&format!("`host={host}`")), "{got:?}");
        }
        let got = site.say(&upgraded(host)).await;
        assert_eq!(got.offered, allowed, "{host}");
        assert_eq!(got.status == 403, !allowed, "{host}");
    }
    let got = site.get("/", "Host: localhost\r\nHost: evil.example\r\n").await;
    assert_eq!(got.status, 400);
    // The host in the request's own line counts, if there is one.
    for (line, host, allowed) in [
        ("http://evil.example/", "localhost", false),
        ("http://localhost@evil.example/", "localhost", false),
        ("http://localhost/", "evil.example", true),
    ] {
        let got = site.get(line, &format!("Host: {host}\r\n")).await;
        assert_eq!(got.status == 403, !allowed, "{line}: {got:?}");
        let got = site.say(&upgraded(host).replacen("GET /", &format!("GET {line}"), 1)).await;
        assert_eq!(got.offered, allowed, "{line}");
    }
    for (parameter, host, status) in [
        (":host=any", "evil.example", 200),
        (":host={a.example,b.example}", "b.example:80", 200),
        (":host={a.example,b.example}", "localhost", 200),
        (":host=a.example", "b.example", 403),
    ] {
        let mut site = Site::new(parameter).await;
        let got = site.get("/", &format!("Host: {host}\r\n")).await;
        let expected = if got.status == 426 { 426 } else { status };
        assert_eq!(got.status, expected, "{parameter} {host}");
    }
}

#[tokio::test]
async fn a_link_lets_one_browser_in_by_tickets_alone() {
    let mut site = Site::new(":auth=token").await;
    let local = site.accept.local().clone();
    let invitation = local.invitation.clone().unwrap();
    let (_, token) = invitation.url().split_once("#token=").unwrap();
    assert!(token.len() >= 40, "{token}");
    for shown in [format!("{local}"), format!("{local:?}"), format!("{invitation:?}")] {
        assert!(!shown.contains(token), "{shown}");
    }
    let upgraded = |headers: &str| upgrade("/", &format!("{V1}Connection: close\r\n{headers}"));
    let bearer = |secret: &str| format!("Authorization: Bearer {secret}\r\n");
    // The page is no secret; the sessions behind it are.
    for path in ["/", "/assets/licenses.txt"] {
        assert!(matches!(site.get(path, "").await.status, 200 | 403), "{path}");
        assert_eq!(site.get(path, "Host: evil.example\r\n").await.status, 403, "{path}");
    }
    for path in ["/", &format!("/?token={token}")] {
        let got = site.say(&upgrade(path, &format!("{V1}Connection: close\r\n"))).await;
        assert_eq!((got.status, got.offered), (403, false), "{path}");
        assert!(got.text().contains("the link that endpointforward printed"), "{got:?}");
    }
    // Another page may not exchange it, and what isn't the token is exchanged for nothing.
    for headers in ["Origin: http://evil.example\r\n", "Host: evil.example\r\n"] {
        let got = site.ask("POST", "/", &format!("{}{headers}", bearer(token))).await;
        assert_eq!(got.status, 403, "{headers}");
    }
    for headers in [String::new(), bearer("x"), format!("{0}{0}", bearer(token))] {
        let got = site.ask("POST", "/", &headers).await;
        assert_eq!((got.status, got.header("www-authenticate").is_some()), (401, true), "{got:?}");
    }
    let got = site.ask("POST", "/", &bearer(token)).await;
    assert_eq!((got.status, got.header("cache-control")), (200, Some("no-store")));
    assert_eq!(got.header("set-cookie"), None, "cookies go to every port");
    let (secret, ticket) = (given(got.text(), "secret"), given(got.text(), "ticket"));
    let again = site.ask("POST", "/", &bearer(token)).await;
    assert!(again.text().contains("used already"), "{again:?}");

    let with =
        |ticket: &str| format!("Sec-WebSocket-Protocol: endpointforward.ticket.{ticket}\r\n");
    let foreign = format!("{}Origin: https://evil.example\r\n", with(&ticket));
    assert_eq!(site.say(&upgraded(&foreign)).await.status, 403);
    let got = site.ask("POST", "/", &bearer(&secret)).await;
    let ticket = given(got.text(), "ticket");
    assert!(site.say(&upgraded(&with(&ticket))).await.offered);
    assert_eq!(site.say(&upgraded(&with(&ticket))).await.status, 403, "it opens one session");
    // Programs show the secret itself. No cookie opens a session.
    assert!(site.say(&upgraded(&bearer(&secret))).await.offered);
    let port = local.address.unwrap().port();
    for cookie in [&secret, &ticket, token] {
        let cookie = format!("Cookie: endpointforward-{port}={cookie}\r\n");
        assert_eq!(site.say(&upgraded(&cookie)).await.status, 403);
        assert_eq!(site.ask("POST", "/", &cookie).await.status, 401);
    }
    // Another listener has other secrets.
    let mut other = Site::new(":auth=token").await;
    assert_eq!(other.say(&upgraded(&bearer(&secret))).await.status, 403);
}

/// A field of what a page is given.
pub(crate) fn given(text: &str, name: &str) -> String {
    let given: serde_json::Value = serde_json::from_str(text).unwrap();
    given[name].as_str().unwrap_or_else(|| panic!("no {name}")).to_owned()
}
