//! Facts about a client that programs get: in the environment, in arguments, and those that they never get.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{LONG, connector, failure, shown, with_path};
use descriptor::Syntax;
use endpoint::info::{Http, Proxied, Tcp};
use endpoint::{Context, Info, Result, Transport};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

fn tcp() -> Info {
    let (local, peer) = ("192.0.2.1:9000".parse().unwrap(), "198.51.100.7:4242".parse().unwrap());
    Info::new().with(Tcp { local, peer })
}

fn http(path: &str, query: &str, headers: &[(&str, &str)]) -> Info {
    let mut http = Http::default();
    path.clone_into(&mut http.path);
    query.clone_into(&mut http.query);
    http.headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    tcp().with(http)
}

async fn output(cx: &Context, descriptor: &str, info: &Info) -> Result<String> {
    let conn = connector(descriptor).endpoint.connect(cx, info).await?;
    let Transport::Bytes(mut stream) = conn.transport else { panic!("a program carries bytes") };
    let mut text = String::new();
    timeout(LONG, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    Ok(text)
}

async fn environment(cx: &Context, more: &str, info: &Info) -> BTreeMap<String, String> {
    let text = output(cx, &format!("process:env{more}"), info).await.unwrap();
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn value<'a>(of: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    of.get(name).map(|value| &**value)
}

#[tokio::test]
async fn a_request_becomes_the_environment_of_cgi() {
    let headers = [
        ("host", "a.example:81"),
        ("user-agent", "curl"),
        ("cookie", "session=hunter2"),
        ("authorization", "Basic hunter2"),
        ("proxy", "http://evil.example"),
        ("x-other", "unknown"),
        ("accept", "a"),
        ("accept", "b"),
    ];
    let info = http("/a%20b/c", "x=1&y", &headers);
    let env = environment(&with_path(), "", &info).await;
    for (name, expected) in [
        ("GATEWAY_INTERFACE", Some("CGI/1.1")),
        ("HTTP_ACCEPT", Some("a, b")),
        ("HTTP_AUTHORIZATION", None),
        ("HTTP_COOKIE", None),
        ("HTTP_HOST", Some("a.example:81")),
        ("HTTP_PROXY", None),
        ("HTTP_USER_AGENT", Some("curl")),
        ("HTTP_X_OTHER", None),
        ("HTTPS", None),
        ("PATH_INFO", Some("/a b/c")),
        ("QUERY_STRING", Some("x=1&y")),
        ("REMOTE_ADDR", Some("198.51.100.7")),
        ("REMOTE_HOST", Some("198.51.100.7")),
        ("REMOTE_PORT", Some("4242")),
        ("REMOTE_USER", None),
        ("REQUEST_METHOD", Some("GET")),
        ("REQUEST_URI", Some("/a%20b/c?x=1&y")),
        ("SCRIPT_NAME", Some("/")),
        ("SERVER_NAME", Some("a.example")),
        ("SERVER_PORT", Some("81")),
        ("SERVER_PROTOCOL", Some("HTTP/1.1")),
    ] {
        assert_eq!(value(&env, name), expected, "{name}");
    }
    assert!(env["SERVER_SOFTWARE"].starts_with("endpointforward/"));
    assert!(!env.values().any(|value| value.contains("hunter")), "{env:?}");
    let other = environment(&with_path(), "", &info).await;
    assert_ne!(env["UNIQUE_ID"], other["UNIQUE_ID"]);
}

#[tokio::test]
async fn a_connection_without_a_request_has_its_addresses() {
    let env = environment(&with_path(), "", &tcp()).await;
    let names: Vec<_> = env.keys().map(|name| &**name).filter(|name| *name != "_").collect();
    let expected = [
        "PATH",
        "REMOTE_ADDR",
        "REMOTE_HOST",
        "REMOTE_PORT",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_SOFTWARE",
    ];
    assert_eq!(names, expected);
    assert_eq!(value(&env, "SERVER_PORT"), Some("9000"));
    let env = environment(&with_path(), ":facts=false", &tcp()).await;
    assert_eq!(value(&env, "REMOTE_ADDR"), None);
}

#[tokio::test]
async fn a_proxy_that_is_believed_names_the_client() {
    let mut proxied = Proxied::by(Some("10.0.0.1:99".to_owned()));
    proxied.client = Some("203.0.113.5".parse().unwrap());
    proxied.scheme = Some("https");
    proxied.host = Some("public.example".to_owned());
    let info = http("/", "", &[("host", "inner:9000")]).with(proxied);
    let env = environment(&with_path(), "", &info).await;
    for (name, expected) in [
        ("REMOTE_ADDR", Some("203.0.113.5")),
        ("REMOTE_PORT", None),
        ("SERVER_NAME", Some("public.example")),
        ("SERVER_PORT", Some("443")),
        ("HTTPS", Some("on")),
    ] {
        assert_eq!(value(&env, name), expected, "{name}");
    }
}

/// The facts that a TLS layer has about a client's certificate.
#[derive(Clone, Debug)]
struct Certificate;

impl endpoint::Fact for Certificate {
    fn root(&self) -> &'static str {
        "tls"
    }

    fn get(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        match name {
            "client.subject" => Some("CN=alice,O=Example".into()),
            "client.cn" => Some("alice".into()),
            _ => None,
        }
    }
}

#[tokio::test]
async fn a_certificate_has_apache_s_names() {
    let ours = [("PATH", "/usr/bin:/bin"), ("SSL_CLIENT_S_DN", "CN=root")];
    let cx = Context::with_environment(ours.map(|(name, value)| (name.into(), value.into())));
    let env = environment(&cx, "", &tcp().with(Certificate)).await;
    assert_eq!(value(&env, "SSL_CLIENT_S_DN"), Some("CN=alice,O=Example"));
    assert_eq!(value(&env, "SSL_CLIENT_S_DN_CN"), Some("alice"));
    let env = environment(&cx, "", &tcp()).await;
    assert_eq!(value(&env, "SSL_CLIENT_S_DN"), None, "it would be taken for the client's");
}

#[tokio::test]
async fn nothing_in_a_variable_is_more_than_a_value() {
    let info = http("/a%0d%0ab%00c", "", &[("user-agent", "() { :; }; echo")]);
    let env = environment(&with_path(), "", &info).await;
    assert_eq!(value(&env, "PATH_INFO"), None, "it has a NUL");
    assert_eq!(value(&env, "HTTP_USER_AGENT"), None);
    let env = environment(&with_path(), "", &http("/a%0d%0aX=1", "", &[])).await;
    assert_eq!(value(&env, "PATH_INFO"), Some("/a  X=1"));
    assert_eq!(value(&env, "X"), None);
}

#[tokio::test]
async fn our_environment_is_passed_on_as_it_is_told() {
    let vars = [
        ("PATH", "/usr/bin:/bin"),
        ("A", "1"),
        ("B", "2"),
        ("REMOTE_USER", "root"),
        ("HTTP_X", "ours"),
        ("HTTP_PROXY", "http://ours"),
    ];
    let cx = Context::with_environment(vars.map(|(name, value)| (name.into(), value.into())));
    let env = environment(&cx, "", &Info::new()).await;
    assert_eq!(value(&env, "A"), Some("1"));
    assert_eq!(value(&env, "HTTP_PROXY"), Some("http://ours"));
    assert_eq!(value(&env, "REMOTE_USER"), None, "it would be taken for the client's");
    assert_eq!(value(&env, "HTTP_X"), None);
    let env = environment(&cx, "", &http("/", "", &[])).await;
    assert_eq!(value(&env, "REQUEST_METHOD"), None, "Go would refuse the proxy");
    let env = environment(&cx, ":passenv=A,PATH:facts=false", &Info::new()).await;
    assert_eq!(env.keys().filter(|name| *name != "_").collect::<Vec<_>>(), ["A", "PATH"]);
    let env = environment(&cx, ":clearenv=true:facts=false:env.C=3", &Info::new()).await;
    assert_eq!(env.keys().filter(|name| *name != "_").collect::<Vec<_>>(), ["C"]);
}

#[tokio::test]
async fn more_headers_are_named() {
    let info = http("/", "", &[("x-request-id", "17")]);
    let env = environment(&with_path(), ":headers=X-Request-Id", &info).await;
    assert_eq!(value(&env, "HTTP_X_REQUEST_ID"), Some("17"));
}

#[tokio::test]
async fn facts_are_filled_into_arguments_and_variables() {
    let script = "process:sh:-c:{printf '%s|' \"$@\" \"$V\"}:sh:${http.query.a}:x=${http.query.b}";
    let script = script.replace("x=${http.query.b}", "{x=${http.query.b}}");
    let script = format!("{script}:env.V=<${{http.path}}>");
    let info = http("/p", "a=$(id)`id`;&b=-rf", &[]);
    let text = output(&with_path(), &script, &info).await.unwrap();
    assert_eq!(text, "$(id)`id`;|x=-rf|</p>|");
    // Without the query there is nothing to fill in.
    let missing = failure(output(&with_path(), &script, &http("/p", "", &[])).await);
    assert_eq!(
        missing.to_string().rsplit(": ").next().unwrap(),
        "the client's connection has no fact `http.query.a`"
    );
}

#[tokio::test]
async fn a_value_from_a_client_is_no_option() {
    let info = http("/", "a=-rf", &[]);
    let refused = failure(output(&with_path(), "process:echo:${http.query.a}", &info).await);
    assert_eq!(
        shown(&refused),
        "cannot start process:echo:${http.query.a}: the client's value begins with `-` and would be an option"
    );
    let text = output(&with_path(), "process:printf:--:{%s\\n}:${http.query.a}", &info).await;
    assert_eq!(text.unwrap(), "-rf\n");
    // `less '+!command'`.
    let info = http("/", "a=+!id", &[]);
    let refused = failure(output(&with_path(), "process:less:${http.query.a}", &info).await);
    assert_eq!(
        shown(&refused),
        "cannot start process:less:${http.query.a}: the client's value begins with `+` and would be an option"
    );
    let text = output(&with_path(), "process:printf:%s:${http.query.a}", &info).await;
    assert_eq!(text.unwrap(), "+!id");
}

#[test]
fn variables_that_choose_what_runs_take_no_facts() {
    for name in ["PATH", "LD_PRELOAD", "BASH_ENV", "less", "MAKEFLAGS", "TAR_OPTIONS", "RSYNC_RSH"]
    {
        assert_eq!(
            mistakes(&format!("process:cat:env.{name}=${{http.path}}")),
            format!(
                "`env.{name}` can't contain facts about a client: it chooses what the program runs"
            )
        );
    }
}

/// Every mistake of a descriptor, one a line.
fn mistakes(text: &str) -> String {
    let found = common::registry().connector(text, Syntax::Extended).map(|_| ()).unwrap_err();
    let found: Vec<_> = found.iter().map(|mistake| mistake.message.clone()).collect();
    found.join("; ")
}

#[test]
fn what_a_program_can_not_be_is_said_before_it_starts() {
    for (text, expected) in [
        ("process:cat:limit.nofiles=1", "there is no limit `nofiles`"),
        (
            "process:cat:limit.cpu=1M",
            "`limit.cpu` must be a number, `infinity`, or a soft and a hard limit, such as `{64:128}`",
        ),
        ("process:cat:nice=20", "`nice` must be a number from -20 to 19"),
        ("process:cat:group=daemon", "`group` needs `user`"),
        (
            "process:cat:user=${http.query.u}",
            "a `user` with facts requires a list of the permitted users",
        ),
        ("process:cat:user=ada:users=ada", "`users` has no effect: `user` contains no facts"),
        (
            "process:dir=/srv:cat",
            "with `dir`, the client's URL selects the program, so `program` can't be given",
        ),
        (
            "process:dir=/srv:facts=false",
            "`dir` needs `facts=true`: they contain the client's request",
        ),
        ("process:cat:headers=Proxy", "the header `Proxy` is never passed to a program"),
        ("process:cat:headers={a b}", "`a b` is not the name of a header"),
    ] {
        assert_eq!(mistakes(text), expected, "{text}");
    }
}

#[tokio::test]
async fn limits_and_priority_are_the_programs() {
    let script = "process:sh:-c:{ulimit -n; ulimit -Hn; ulimit -t; nice}";
    let limits = "limit.nofile={32:64}:limit.cpu=10:nice=19";
    let text = output(&with_path(), &format!("{script}:{limits}"), &Info::new()).await.unwrap();
    assert_eq!(text, "32\n64\n10\n19\n");
}

#[tokio::test]
async fn a_program_runs_as_the_user_that_is_named() {
    let cx = with_path();
    let script = "{id -un; id -gn; id -Gn; echo $HOME $USER $LOGNAME}";
    let as_nobody = format!("process:sh:-c:{script}:user=nobody:cwd=/");
    if !rustix::process::geteuid().is_root() {
        let refused = failure(output(&cx, &as_nobody, &Info::new()).await);
        assert!(refused.to_string().contains("only root may start programs"), "{refused}");
        return;
    }
    let text = output(&cx, &as_nobody, &Info::new()).await.unwrap();
    assert_eq!(text, "nobody\nnogroup\nnogroup\n/nonexistent nobody nobody\n");
    let grouped = format!("{as_nobody}:group=daemon");
    let text = output(&cx, &grouped, &Info::new()).await.unwrap();
    assert!(text.starts_with("nobody\ndaemon\n"), "{text}");
    let on_terminal = "pty:sh:-c:{id -un; stat -c %U $(tty); echo x >/dev/tty}:user=nobody:cwd=/";
    let text = output(&cx, on_terminal, &Info::new()).await.unwrap();
    assert_eq!(text, "nobody\r\nnobody\r\nx\r\n");
    let absent = failure(output(&cx, "process:id:user=no-such-user", &Info::new()).await);
    assert_eq!(
        absent.to_string(),
        "cannot start process:id:user=no-such-user: there is no user `no-such-user`"
    );
}

#[tokio::test]
async fn a_client_chooses_among_the_users_that_are_listed() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let descriptor = "process:id:-un:user=${http.query.u}:users=nobody,daemon:cwd=/";
    let as_user = |query| http("/", query, &[]);
    let text = output(&with_path(), descriptor, &as_user("u=daemon")).await.unwrap();
    assert_eq!(text, "daemon\n");
    for query in ["u=root", "u=0", "u=", "u=nobody,daemon"] {
        let refused = failure(output(&with_path(), descriptor, &as_user(query)).await);
        assert_eq!(refused.kind(), endpoint::ErrorKind::Forbidden, "{query}");
        assert!(
            refused.to_string().ends_with("the client's user isn't listed in `users`"),
            "{refused}"
        );
    }
}
