//! The destinations that are permitted, and proxies in `via=`.

use super::*;

async fn dialled(allow: &str, host: &str, port: u16) -> Result<(), String> {
    let connector = connector(&format!("tcp:${{target.host}}:${{target.port}}:allow={{{allow}}}"));
    let info = Info::new().with(Target::new(host, port));
    let head = format!("cannot connect {}: ", connector.tree.descriptor);
    let conn = connector.endpoint.connect(&Context::new(), &info).await;
    conn.map(|_| ()).map_err(|error| {
        let words = error.to_string();
        format!("{:?} {}", error.kind(), words.strip_prefix(&head).unwrap())
    })
}

#[tokio::test]
async fn only_what_is_allowed_is_dialled() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    assert_eq!(dialled("127.0.0.1", "127.0.0.1", port).await, Ok(()));
    assert_eq!(dialled("127.0.0.0/8", "localhost", port).await, Ok(()));
    assert_eq!(dialled("loopback", "2130706433", port).await, Ok(()), "as the resolver reads it");
    let refused = |words: &str| Err(format!("Forbidden {words}"));
    assert_eq!(
        dialled("*", "127.0.0.1", port).await,
        refused(&format!("`allow` doesn't permit 127.0.0.1, port {port}"))
    );
    assert_eq!(
        dialled("localhost,*", "::ffff:127.0.0.1", port).await,
        refused(&format!("`allow` doesn't permit 127.0.0.1, port {port}"))
    );
    let named = dialled("localhost", "localhost", port).await.unwrap_err();
    assert!(
        named.starts_with("Forbidden `allow` doesn't permit `localhost`, which is "),
        "{named}"
    );
    assert_eq!(
        dialled("loopback", "a b", port).await,
        refused("the client requests `a b`, which is not a host")
    );
    assert_eq!(
        dialled("loopback", "h\u{7}/", 0).await,
        refused("the client requests `h\u{fffd}/`, which is not a host")
    );
    assert_eq!(
        dialled("loopback", "127.0.0.1", 0).await,
        refused("the client requests `0`, which is not a port")
    );
    let nothing = connector("tcp:${target.host}:80:allow=*");
    let error = failure(nothing.endpoint.connect(&Context::new(), &Info::new()).await).to_string();
    assert!(error.ends_with("the client's connection has no fact `target.host`"), "{error}");
}

#[tokio::test]
async fn with_a_proxy_the_address_is_sent_and_not_the_name() {
    let text = "socks5:{PROXY}:host=${target.host}:port=${target.port}:allow=loopback";
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let text = text.replace("PROXY", &format!("tcp:{}", server.local_addr().unwrap()));
    let connector = connector(&text);
    let (cx, info) = (Context::new(), Info::new().with(Target::new("localhost", 7)));
    let serving = async {
        let (mut stream, _) = server.accept().await.unwrap();
        assert_eq!(hears(&mut stream, 3).await, [5, 1, 0]);
        stream.write_all(&[5, 0]).await.unwrap();
        let kind = hears(&mut stream, 4).await[3];
        stream.write_all(b"\x05\x00\x00\x01\0\0\0\0\0\0").await.unwrap();
        kind
    };
    let (conn, kind) = tokio::join!(connector.endpoint.connect(&cx, &info), serving);
    assert!(matches!(kind, 1 | 4), "an address");
    assert_eq!(conn.unwrap().info.get::<Target>().unwrap().host, "localhost");
    let elsewhere = Info::new().with(Target::new("192.0.2.1", 7));
    let refused = failure(connector.endpoint.connect(&cx, &elsewhere).await);
    assert!(refused.to_string().ends_with("`allow` doesn't permit 192.0.2.1, port 7"), "{refused}");
}

#[test]
fn a_proxy_for_other_machines_has_to_be_meant() {
    let destination = |text: &str| connector(text);
    let listener = |text: &str| common::listener(text);
    let proxy = destination("tcp:${target.host}:${target.port}:allow=*");
    let through = destination("socks5:{tcp:p:1}:host=${target.host}:port=80:allow=*");
    let fixed = destination("socks5:{tcp:p:1}:host=h:port=80");
    let refused = |listen: &str, to| {
        plan::check_exposure(&listener(listen), to).err().map(|found| found.message)
    };
    assert_eq!(refused("socks5:1080", &proxy), None);
    assert_eq!(refused("socks5:{tcp:1080}", &fixed), None);
    assert_eq!(refused("socks5:{tcp:1080}:auth=none", &proxy), None);
    for to in [&proxy, &through] {
        let words = refused("socks5:{tcp:1080}", to).unwrap();
        assert!(
            words.starts_with(
                "other machines could reach any destination that they name, through your proxy, `"
            ),
            "{words}"
        );
    }
}

#[test]
fn via_is_the_layer_that_its_url_stands_for() {
    let planned =
        |text: &str| registry().connector(text, Syntax::Extended).unwrap().tree.descriptor;
    for (typed, meant) in [
        ("tcp:h:80:via={http://p:3128}", "http-connect:{tcp:p:3128}:host=h:port=80"),
        ("tcp:h:80:via={http://p}", "http-connect:{tcp:p:80}:host=h:port=80"),
        ("tcp:h:80:via={https://p}", "http-connect:{tls:{tcp:p:443}}:host=h:port=80"),
        ("tcp:h:80:via={socks5://127.0.0.1:9050}", "socks5:{tcp:127.0.0.1:9050}:host=h:port=80"),
        ("tcp:h:80:via={socks4a://p}", "socks5:{tcp:p:1080}:host=h:port=80:version=4a"),
        ("tcp:h:80:via={ssh://ada@b.example}", "ssh:{tcp:b.example:22}:host=h:port=80:user=ada"),
        (
            "tcp:h:80:via={ssh://b:2222}:timeout=5",
            "ssh:{tcp:b:2222:timeout=5}:host=h:port=80:timeout=5",
        ),
        ("tcp:[::1]:80:via={http://p}", "http-connect:{tcp:p:80}:host={[::1]}:port=80"),
        ("tcp:port=80:host=h:via={http://[::1]:8}", "http-connect:{tcp:{::1}:8}:host=h:port=80"),
        (
            "tcp:h:80:via={socks5://p:1}:nodelay=false:timeout=5:allow=*",
            "socks5:{tcp:p:1:nodelay=false:timeout=5}:host=h:port=80:timeout=5:allow=*",
        ),
        ("{tcp://h:80}:via={http://p}", "http-connect:{tcp:p:80}:host=h:port=80"),
        (
            "tcp:h:80:via={http://ada:hunter%3a2@p}",
            "http-connect:{tcp:p:80}:host=h:port=80:user=ada:password=…",
        ),
    ] {
        assert_eq!(planned(typed), meant, "{typed}");
    }
}

#[test]
fn options_behind_a_url_belong_to_whoever_has_them() {
    let planned = |text: &str| registry().connector(text, Syntax::Extended).unwrap().tree;
    let tree =
        planned("{wss://h.example/x}:via={socks5://127.0.0.1:9050}:ca=webpki:ping=9:nodelay=no");
    assert_eq!(
        tree.descriptor,
        "ws:{tls:{tcp:h.example:443:via={socks5://127.0.0.1:9050}:nodelay=no}:ca=webpki}:url={wss://h.example/x}:ping=9"
    );
    let socks = &tree.beneath[0].beneath[0];
    assert_eq!(socks.descriptor, "socks5:{tcp:127.0.0.1:9050:nodelay=no}:host=h.example:port=443");
    assert_eq!(
        planned("{tls://h:443}:insecure=true:timeout=5").beneath[0].descriptor,
        "tcp:h:443:timeout=5"
    );
    let unknown = registry().connector("{ws://h/}:nonsense=1", Syntax::Extended).unwrap_err();
    assert!(unknown[0].message.contains("`ws` has no parameter `nonsense`"), "{unknown:?}");
}

#[tokio::test]
async fn the_environment_names_a_proxy() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    let connector = connector("tcp:h.example:80:via=environment");
    let cx = Context::with_environment([("ALL_PROXY".into(), format!("socks5://{at}").into())]);
    let nobody = Info::new();
    let serving = async {
        let (mut stream, _) = server.accept().await.unwrap();
        assert_eq!(hears(&mut stream, 3).await, [5, 1, 0]);
        stream.write_all(b"\x05\x00").await.unwrap();
        assert_eq!(hears(&mut stream, V5.len() - 3).await, V5[3..]);
        stream.write_all(b"\x05\x00\x00\x01\0\0\0\0\0\0").await.unwrap();
    };
    let (conn, ()) = tokio::join!(connector.endpoint.connect(&cx, &nobody), serving);
    conn.unwrap();
    let wrong = Context::with_environment([("HTTPS_PROXY".into(), "ftp://p".into())]);
    let error = failure(connector.endpoint.connect(&wrong, &nobody).await);
    assert_eq!(
        shown(&error),
        "cannot connect tcp:h.example:80:via=environment: `HTTPS_PROXY` in the environment is not the URL of a proxy\n\
         such as `http://proxy.example:3128` or `socks5://127.0.0.1:1080`"
    );
}
