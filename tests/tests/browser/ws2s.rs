//! ws2s.js as it is, in a page, with a real Redis behind us: its Redis client, commands as people type them.

use tests::browser::{Browser, Page};
use tests::{Forwarder, Peer, net, until};

use crate::url;

fn wait_for(page: &Page<'_>, text: &str) -> String {
    until(text, || Some(page.text()).filter(|all| all.contains(text)))
}

#[test]
fn its_redis_client_works_in_a_page() {
    let port = net::free_port().to_string();
    let options = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--requirepass", "secret"];
    let mut redis = Peer::start("redis-server", &[&options[..], &["--dir", "/"]].concat());
    redis.wait_for_port(port.parse().expect("a port"));
    let folder = tests::root().join("tests/browser/ws2s/");
    let listen = format!("ws2s:{{ws:0:page={}/}}", folder.display());
    let to = format!("tcp:${{target.host}}:${{target.port}}:allow={{127.0.0.1:{port}}}");
    let forwarder = Forwarder::between(&listen, &to);
    let browser = Browser::start();
    let page = browser.open(&format!("{}redis.html", url(&forwarder)));
    for (field, value) in [("#host", "127.0.0.1"), ("#port", &*port), ("#password", "secret")] {
        page.fill(field, value);
    }
    page.click("#connect");
    wait_for(&page, "the server of ws2s is there\nready\n> OK\n");
    let long = "x".repeat(100_000);
    for (commands, answers) in [
        ("ping", "> PONG\n"),
        ("set name \"Gr\u{fc}\u{df} 'Gott'\"\nget name", "> OK\n> Gr\u{fc}\u{df} 'Gott'\n"),
        ("set age 24\n\nincr age\nget age", "> OK\n> 25\n> 25\n"),
        ("rpush list a b\nlrange list 0 -1", "> 2\n> 1) a\n2) b"),
        ("ECHO \"Hello World!\"", "> Hello World!\n"),
        ("nonsense", "! ERR unknown command 'nonsense'"),
        (&format!("set long {long}\nstrlen long"), "> OK\n> 100000\n"),
        ("get long", &format!("> {long}\n")),
    ] {
        page.fill("#commands", commands);
        page.click("#send");
        wait_for(&page, answers);
    }
    page.fill("#commands", "echo \"no long line in the picture\"");
    let shown = "document.getElementById('log').textContent = document.getElementById('log').textContent.replace(/x{80,}/, 'x…')";
    let _ = page.evaluate(shown);
    page.screenshot("ws2s-redis");
    // The server closes the connection; its client connects again.
    let mut cli = std::process::Command::new("redis-cli");
    let kill =
        ["-p", &port, "-a", "secret", "--no-auth-warning", "CLIENT", "KILL", "TYPE", "normal"];
    let killed = tests::run_program(cli.args(kill), b"");
    assert!(killed.status.success(), "{}", killed.stderr);
    wait_for(&page, "connected again\n");
    page.fill("#commands", "get age");
    page.click("#send");
    until("it answers again", || page.text().trim_end().ends_with("> 25").then_some(()));
    // Elsewhere it may not go.
    page.fill("#port", "1");
    page.click("#connect");
    wait_for(&page, "! ws2s refuse to connect target host: 127.0.0.1");
}
