//! A folder of the user's files in place of the terminal: `page=FOLDER`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use endpoint::{Context, ErrorKind};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::page::{Got, Site};
use crate::support::*;

/// A folder next to a file that no client may get.
struct Own {
    place: TempDir,
}

impl Own {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let own = Self { place };
        fs::write(own.place.path().join("secret.txt"), "secret").unwrap();
        for (name, content) in [
            ("index.html", "<p>first"),
            ("a b.txt", "spaced"),
            ("deep/index.html", "<p>deep"),
            ("deep/app.js", "console.log(1)"),
            ("bare/only.txt", "x"),
            (".hidden", "hidden"),
            (".git/config", "hidden"),
            ("ten.bin", "0123456789"),
        ] {
            let path = own.folder().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        own
    }

    fn folder(&self) -> std::path::PathBuf {
        self.place.path().join("public")
    }

    async fn site(&self, parameters: &str) -> Site {
        site(&self.folder(), parameters).await
    }
}

async fn site(folder: &Path, parameters: &str) -> Site {
    Site::new(&format!(":page={{{}}}{parameters}", folder.display())).await
}

fn is(got: &Got, status: u16, media: &str, body: &str) {
    assert_eq!(got.status, status, "{got:?}");
    assert_eq!(got.header("content-type"), Some(media), "{got:?}");
    assert_eq!(got.text(), body);
    assert_eq!(got.header("content-length"), Some(&*body.len().to_string()));
}

const HTML: &str = "text/html; charset=utf-8";

#[tokio::test]
async fn files_are_served_and_the_websocket_is_beside_them() {
    let own = Own::new();
    let mut site = own.site("").await;
    assert!(site.accept.local().url.as_ref().unwrap().starts_with("http://127.0.0.1:"));
    is(&site.get("/", "").await, 200, HTML, "<p>first");
    is(&site.get("/index.html?x=1", "").await, 200, HTML, "<p>first");
    is(&site.get("/deep/", "").await, 200, HTML, "<p>deep");
    is(
        &site.get("/deep/app.js", "").await,
        200,
        "text/javascript; charset=utf-8",
        "console.log(1)",
    );
    is(&site.get("/a%20b.txt", "").await, 200, "text/plain; charset=utf-8", "spaced");
    is(&site.get("/ten.bin", "").await, 200, "application/octet-stream", "0123456789");
    let got = site.get("/deep?x=1", "").await;
    assert_eq!((got.status, got.header("location")), (307, Some("./deep/?x=1")));
    let head = site.ask("HEAD", "/ten.bin", "").await;
    assert_eq!((head.status, head.header("content-length"), head.text()), (200, Some("10"), ""));
    for path in ["/none", "/bare/", "/index.html/", "/favicon.ico", "/assets/licenses.txt"] {
        assert_eq!(site.get(path, "").await.status, 404, "{path}");
    }
    assert_eq!(site.ask("POST", "/", "").await.status, 405);
    for path in ["/", "/deep/", "/none"] {
        assert!(site.say(&upgrade(path, "Connection: close\r\n")).await.offered, "{path}");
    }
}

#[tokio::test]
async fn nothing_outside_and_nothing_hidden_is_served() {
    let own = Own::new();
    let folder = own.folder();
    symlink("../secret.txt", folder.join("link.txt")).unwrap();
    symlink("/etc", folder.join("etc")).unwrap();
    symlink("ten.bin", folder.join("within.bin")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let mut site = own.site("").await;
    for path in [
        "/../secret.txt",
        "/deep/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/%252e%252e/secret.txt",
        "/..\\secret.txt",
        "/.../secret.txt",
        "//etc/passwd",
        "/link.txt",
        "/etc/passwd",
        "/etc/",
        "/.hidden",
        "/%2ehidden",
        "/.git/config",
        "/deep/./app.js",
        "/ten.bin%00.txt",
        "/pipe",
        "/%ff%fe",
        "/%zz",
    ] {
        let got = site.get(path, "").await;
        assert_eq!(got.status, 404, "{path}: {got:?}");
        assert!(!got.text().contains("secret") && !got.text().contains("root:"), "{path}");
    }
    assert_eq!(site.get("/within.bin", "").await.text(), "0123456789", "a link that stays inside");
    // Its whole path, as some clients of proxies send it.
    let request = "GET http://localhost/../secret.txt HTTP/1.1\r\nHost: localhost\r\n\
                   Connection: close\r\n\r\n";
    assert_eq!(site.say(request).await.status, 404);
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let own = Own::new();
    let mut site = own.site("").await;
    let got = site.get("/ten.bin", "").await;
    let (tag, date) = (got.header("etag").unwrap(), got.header("last-modified").unwrap());
    for (header, status) in [
        (format!("If-None-Match: {tag}"), 304),
        (format!("If-None-Match: \"x\", W/{tag}"), 304),
        ("If-None-Match: *".to_owned(), 304),
        ("If-None-Match: \"x\"".to_owned(), 200),
        (format!("If-Modified-Since: {date}"), 304),
        ("If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT".to_owned(), 304),
        ("If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT".to_owned(), 200),
        ("If-Modified-Since: yesterday".to_owned(), 200),
        // The tag is what counts where there are both.
        (format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}"), 200),
    ] {
        let got = site.get("/ten.bin", &format!("{header}\r\n")).await;
        assert_eq!(got.status, status, "{header}: {got:?}");
        assert_eq!(got.body.is_empty(), status == 304);
        assert_eq!((got.header("etag"), got.header("last-modified")), (Some(tag), Some(date)));
    }
    let file = fs::File::options().write(true).open(own.folder().join("ten.bin")).unwrap();
    file.set_modified(
        file.metadata().unwrap().modified().unwrap() + std::time::Duration::new(0, 1),
    )
    .unwrap();
    let got = site.get("/ten.bin", &format!("If-None-Match: {tag}\r\n")).await;
    assert_eq!(got.status, 200, "changed within the second");
}

#[tokio::test]
async fn parts_are_sent_where_they_are_asked_for() {
    let own = Own::new();
    let mut site = own.site("").await;
    let whole = site.get("/ten.bin", "").await;
    let tag = whole.header("etag").unwrap();
    for (headers, status, range, body) in [
        ("Range: bytes=2-4", 206, Some("bytes 2-4/10"), "234"),
        ("Range: bytes=7-", 206, Some("bytes 7-9/10"), "789"),
        ("Range: bytes=-3", 206, Some("bytes 7-9/10"), "789"),
        ("Range: bytes=-10", 206, Some("bytes 0-9/10"), "0123456789"),
        ("Range: bytes=-11", 200, None, "0123456789"),
        ("Range: bytes=5-100", 206, Some("bytes 5-9/10"), "56789"),
        ("Range: bytes=10-", 416, Some("bytes */10"), ""),
        ("Range: bytes=0-0,5-5", 200, None, "0123456789"),
        ("Range: lines=1-2", 200, None, "0123456789"),
        ("Range: bytes=garbage", 200, None, "0123456789"),
        (&format!("Range: bytes=2-4\r\nIf-Range: {tag}"), 206, Some("bytes 2-4/10"), "234"),
        ("Range: bytes=2-4\r\nIf-Range: \"old\"", 200, None, "0123456789"),
    ] {
        let got = site.get("/ten.bin", &format!("{headers}\r\n")).await;
        let found = (got.status, got.header("content-range"), got.text());
        assert_eq!(found, (status, range, body), "{headers}");
    }
}

#[tokio::test]
async fn an_empty_file_has_no_parts() {
    let own = Own::new();
    fs::write(own.folder().join("empty.bin"), "").unwrap();
    let mut site = own.site("").await;
    for range in ["0-0", "0-", "-1", "-0", "5-2", "0-18446744073709551615", "0-0,2-2"] {
        let got = site.get("/empty.bin", &format!("Range: bytes={range}\r\n")).await;
        let found = (got.status, got.header("content-range"), got.header("content-length"));
        assert_eq!(found, (200, None, Some("0")), "{range}");
    }
}

#[tokio::test]
async fn it_lies_below_path_and_behind_the_door() {
    let own = Own::new();
    let mut site = own.site(":path=/term:auth=token").await;
    assert_eq!(site.get("/term/ten.bin", "").await.status, 403);
    let invitation = site.accept.local().invitation.clone().unwrap();
    let (_, token) = invitation.url().split_once("#token=").unwrap();
    // A browser is shown a page that exchanges the link's token; from anywhere in the folder.
    let html = "Accept: text/html,*/*;q=0.8\r\n";
    let entrance = site.get("/term/ten.bin", html).await;
    assert_eq!(entrance.status, 403);
    assert!(entrance.text().contains("<script nonce="), "{entrance:?}");
    assert!(entrance.error.is_none(), "nothing was refused yet: {entrance:?}");
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let got = site.ask("POST", "/term/ten.bin", &bearer).await;
    let cookie = got.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let cookie = format!("Cookie: a=b; {cookie}\r\n");
    let secret = crate::page::given(got.text(), "secret");
    let refused = site.say(&upgrade("/term/", &format!("{cookie}Connection: close\r\n"))).await;
    assert_eq!((refused.status, refused.offered), (403, false), "it opens files alone");
    let program = format!("Authorization: Bearer {secret}\r\n");
    assert_eq!(site.get("/term/ten.bin", &program).await.text(), "0123456789");
    assert_eq!(site.get("/term/ten.bin", &cookie).await.text(), "0123456789");
    assert_eq!(site.get("/term", &cookie).await.header("location"), Some("./term/"));
    for path in ["/ten.bin", "/terminal/ten.bin", "/term//ten.bin"] {
        assert_eq!(site.get(path, &cookie).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_said_to_be_so() {
    let own = Own::new();
    let path = own.folder().join("ten.bin");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let mut site = own.site("").await;
    // Root reads everything.
    let expected = if fs::File::open(&path).is_ok() { 200 } else { 403 };
    assert_eq!(site.get("/ten.bin", "").await.status, expected);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named_when_binding() {
    for (path, kind) in
        [("/nonexistent/public", ErrorKind::NotFound), ("/etc/passwd", ErrorKind::Other)]
    {
        let text = format!("ws:{{mem:s}}:page={path}");
        let plan = registry().listener(&text, descriptor::Syntax::Extended);
        let plan = plan.expect("planning opens nothing");
        let error = plan.endpoint.bind(&Context::new()).await.err().expect("it can't be bound");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(&format!("the folder `{path}` in `page`")), "{error}");
    }
    let text = "ws:{mem:s}:page=public";
    let found = registry().listener(text, descriptor::Syntax::Extended).unwrap_err();
    let shown = descriptor::Report::new(text, &found).to_string();
    assert!(shown.contains("page=./public"), "{shown}");
}

#[tokio::test]
async fn a_large_file_arrives_whole_at_a_slow_reader() {
    let own = Own::new();
    let data = noise(3 << 20);
    fs::write(own.folder().join("large.bin"), &data).unwrap();
    let mut site = own.site("").await;
    let mut client = TcpStream::connect(site.accept.local().address.unwrap()).await.unwrap();
    let mut incoming = site.accept.accept().await.unwrap().unwrap();
    client
        .write_all(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let reads = async {
        let (mut all, mut piece) = (Vec::new(), vec![0; 3000]);
        loop {
            let len = client.read(&mut piece).await.unwrap();
            if len == 0 {
                break;
            }
            all.extend_from_slice(&piece[..len]);
        }
        drop(client);
        all
    };
    let both = async { tokio::join!(incoming.next(), reads) };
    let (next, all) = timeout(LONG, both).await.unwrap();
    assert!(next.unwrap().is_none());
    assert!(all.ends_with(&data), "{} bytes", all.len());
}

#[tokio::test(start_paused = true)]
async fn a_download_may_take_its_time_and_a_reader_that_stops_may_not() {
    let own = Own::new();
    let data = noise(1 << 20);
    fs::write(own.folder().join("large.bin"), &data).unwrap();
    let parameters = format!(":timeout=10:page={{{}}}", own.folder().display());
    let request = "GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for stops in [false, true] {
        let mut server = Server::new(&parameters).await;
        let (mut peer, mut incoming) = server.client().await;
        let serving =
            tokio::spawn(async move { incoming.next().await.map(|offer| offer.is_none()) });
        peer.send(request).await;
        let began = tokio::time::Instant::now();
        let (mut all, mut piece) = (Vec::new(), vec![0; 8 << 10]);
        while !stops || all.len() < 100_000 {
            match peer.io.read(&mut piece).await {
                Ok(len) if len > 0 => all.extend_from_slice(&piece[..len]),
                _ => break,
            }
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        }
        if stops {
            let error = serving.await.unwrap().expect_err("the error names the client");
            assert!(error.to_string().contains("stopped reading"), "{error}");
            assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
        } else {
            assert!(all.ends_with(&data), "{} bytes", all.len());
            assert!(began.elapsed().as_secs() > 120, "{:?}", began.elapsed());
        }
    }
}

#[tokio::test]
async fn a_folder_without_index_names_a_page_or_lists_its_files() {
    let own = Own::new();
    fs::create_dir(own.folder().join("web")).unwrap();
    for name in ["vnc.html", "app.js", ".hidden", "<i>.html"] {
        fs::write(own.folder().join("web").join(name), "x").unwrap();
    }
    symlink("/etc/passwd", own.folder().join("web/out")).unwrap();
    let mut site = own.site("").await;
    let got = site.get("/web/", "").await;
    assert_eq!(got.status, 404);
    assert!(got.text().contains("did you mean vnc.html?"), "{got:?}");
    let got = site.get("/web/", "Accept: text/html\r\n").await;
    assert!(got.status == 404 && got.text().contains("<a href=\"./vnc.html\">"), "{got:?}");
    let mut site = own.site(":listing=true").await;
    is(
        &site.get("/web/", "").await,
        200,
        "text/plain; charset=utf-8",
        "<i>.html\napp.js\nvnc.html\n",
    );
    let got = site.get("/web/", "Accept: text/html\r\n").await;
    assert!(got.text().contains("&lt;i&gt;.html") && !got.text().contains("<i>"), "{got:?}");
    assert_eq!(site.get("/", "").await.text(), "<p>first", "an index is shown");
    assert_eq!(site.get("/none/", "").await.status, 404);
}
