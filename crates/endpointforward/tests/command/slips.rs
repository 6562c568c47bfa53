//! Slips in descriptors, and words of other programs in them: each gets words that help, and a line that plans.

use insta::assert_snapshot;

use super::run::run;

#[test]
fn each_slip_gets_the_words_that_help() {
    let slips: &[(&str, &str)] = &[
        ("tcp:example.com:80", "tcp:9000"),
        ("tcp:0.0.0.0:9000", "echo"),
        ("tcp:example.com:80", "echo"),
        ("9000", "tcp:23"),
        ("ws:9000/term", "echo"),
        ("9000", "localhost:9000/term"),
        ("9000", "bash"),
        ("9000", "/dev/ttyUSB0"),
        ("9000", "/run/x.sock"),
        ("9000", "/bin/bash"),
        ("9000", "/usr/bin/sort"),
        ("9000", "localhost"),
        ("9000", "example.com"),
        ("-", "echo"),
        ("9000", "udp:53"),
        ("9000", "ssh:host"),
        ("ws:9000:auth=user:pass", "echo"),
        ("ws:9000:cert=x", "echo"),
        ("http:8080", "echo"),
        ("9000", "process:ls -la"),
        ("9000", r"process:printf:a\n"),
        ("9000", "tcp:localhost:http"),
        ("9000", "tcp:localhost:8o80"),
        ("ws:{tcp:9000}", "pty:bash"),
    ];
    let runs: Vec<_> = slips
        .iter()
        .map(|(listen, connect)| run(&["-e", listen, "-d", connect, "--check"]).to_string())
        .collect();
    assert_snapshot!(runs.join("\n"));
}

/// Other programs' words for an endpoint, by the side that they are typed on.
#[test]
fn each_word_of_another_program_gets_a_line_that_plans() {
    assert_snapshot!(foreign(FOREIGN));
}

/// Returns the answer to each, with a suggested line, which plans.
fn foreign(slips: &[(Side, &str)]) -> String {
    let runs: Vec<_> = slips
        .iter()
        .map(|(side, typed)| {
            let ran = match side {
                Side::Listen => run(&["-e", typed, "-d", "echo", "--check"]),
                Side::Connect => run(&["-e", "9000", "-d", typed, "--check"]),
            };
            assert_eq!(ran.status, 64, "{ran}");
            assert_eq!(ran.stderr.matches("error: ").count(), 1, "one mistake, one caret: {ran}");
            let planned = lines_to_type(&ran.stderr, *side);
            assert!(!planned.is_empty(), "a line to type instead: {ran}");
            for (side, line) in planned {
                let endpoints = endpointforward::Endpoints::new();
                let wrong = match side {
                    Side::Listen => endpoints.listener(&line).err(),
                    Side::Connect => endpoints.connector(&line).err(),
                };
                assert!(wrong.is_none(), "{line}: {wrong:?}\n{ran}");
            }
            let told = ran.stderr.lines().filter(|line| !line.starts_with("in --"));
            format!("{}\n", told.collect::<Vec<_>>().join("\n"))
        })
        .collect();
    runs.join("\n")
}

#[derive(Clone, Copy)]
enum Side {
    Listen,
    Connect,
}
use Side::{Connect as D, Listen as E};

/// The descriptors in a help, each with its side: that of `-e` and `-d`, if it has one.
fn lines_to_type(stderr: &str, side: Side) -> Vec<(Side, String)> {
    let registry = endpointforward::registry();
    let help = stderr.lines().filter_map(|line| line.strip_prefix("  = help: "));
    let code = help.flat_map(|help| help.split('`').skip(1).step_by(2));
    let typed = code.filter_map(|code| match code.split_once(' ') {
        Some(("-e", line)) => Some((Side::Listen, line)),
        Some(("-d", line)) => Some((Side::Connect, line)),
        _ => {
            let head = code.split([':', '=']).next().unwrap_or_default();
            let is_line = registry.find(head).is_some()
                || code.parse::<u16>().is_ok()
                || code.contains("://");
            (is_line && !code.ends_with("://")).then_some((side, code))
        }
    });
    let values = [("PORT", "80"), ("FILE", "/x"), ("PATH", "/x"), ("TARGET", "h")];
    let filled = |line: &str| {
        values.iter().fold(line.to_owned(), |line, (name, value)| line.replace(name, value))
    };
    typed.map(|(side, line)| (side, filled(line))).collect()
}

const FOREIGN: &[(Side, &str)] = &[
    // socat
    (E, "TCP-LISTEN:80,fork"),
    (E, "TCP-LISTEN:80,bind=127.0.0.1,fork,reuseaddr,backlog=5"),
    (E, "TCP6-L:80"),
    (D, "TCP-CONNECT:host:80"),
    (D, "TCP4:host:80,nodelay"),
    (E, "tcp:9000,reuseaddr,fork"),
    (D, "TCP-LISTEN:80"),
    (D, "SYSTEM:\"ls | sort\""),
    (E, "PTY,link=/tmp/x,raw"),
    (D, "OPENSSL:host:443,verify=0"),
    (D, "OPENSSL:host:443,cafile=/x.pem,cert=/c.pem,snihost=name"),
    (E, "OPENSSL-LISTEN:443,cert=x.pem,fork"),
    (D, "UNIX-CONNECT:/x"),
    (E, "UNIX-LISTEN:/x,fork,mode=660"),
    (D, "ABSTRACT-CONNECT:x"),
    (D, "UNIX-SENDTO:/x"),
    (D, "GOPEN:/x"),
    (D, "GOPEN:/dev/ttyS0,b9600,raw"),
    (D, "OPEN:/x"),
    (D, "CREATE:/x"),
    (D, "PIPE:/tmp/f"),
    (E, "PIPE:/tmp/f"),
    (D, "STDIN"),
    (D, "-"),
    (E, "UDP-LISTEN:53"),
    (D, "UDP4-SENDTO:host:53"),
    (D, "SOCKS4A:proxy:host:80,socksport=1080"),
    (D, "SOCKS5-CONNECT:proxy:1080:host:80"),
    (D, "PROXY:proxy:host:80,proxyport=3128"),
    // websocat
    (E, "ws-l:127.0.0.1:80"),
    (E, "ws-listen:0.0.0.0:80"),
    (E, "wss-listen:[::1]:80"),
    (D, "ws-c:tcp:127.0.0.1:80"),
    (E, "tcp-l:127.0.0.1:80"),
    (D, "literal:hello"),
    (D, "autoreconnect:ws://h/"),
    (D, "mirror:"),
    (D, "sh-c:ls | sort"),
    (D, "readfile:/x"),
    (D, "appendfile:/x"),
    (E, "threadedstdio:"),
    (D, "socks5-connect:127.0.0.1:1080"),
    // URLs
    (D, "file:///x"),
    (D, "socks5://127.0.0.1:1080"),
    (D, "socks://user@127.0.0.1"),
    (D, "ssh://user@host:2222"),
    (D, "serial:///dev/ttyS0"),
    (D, "mqtt://h"),
    (D, "mqtts://h:8884/topic"),
    (D, "vnc://h:1"),
    (D, "redis://[::1]"),
    // Forms without a kind
    (E, "*:9000"),
    (D, "*:9000"),
    (D, "::1"),
    (E, "[::1]"),
    (D, "::1:80"),
    (E, "127.0.0.1"),
    (E, "9000-9010"),
    (D, "localhost 80"),
    (D, "example.com/ws"),
    (D, "user@host:22"),
    (D, "user@host:2222"),
    (D, "./script.sh"),
    (D, "./script.sh --fast"),
    (D, "script.py"),
    (D, "ls -la"),
    (D, "ls | sort"),
    (E, "/bin/sh"),
    (D, "/dev/ttyUSB0,115200"),
    (D, "/dev/ttyUSB0,9600e71"),
    (D, "ttyUSB0"),
    (D, "COM3:9600"),
    (D, "serial:/dev/ttyUSB0:115200n81"),
    (D, "serial:/dev/ttyUSB0:9600,7e2"),
    (D, "serial:/dev/ttyUSB0,115200"),
    // ser2net
    (E, "3000:raw:0:/dev/ttyS0:9600"),
    (D, "3000:telnet:600:/dev/ttyS0:9600 8DATABITS NONE 1STOPBIT"),
    (D, "serialdev,/dev/ttyS0,9600n81,local"),
    (E, "tcp,3000"),
    (E, "telnet(rfc2217),tcp,127.0.0.1,3000"),
    // HAProxy and stunnel
    (E, "bind *:443 ssl crt /x.pem"),
    (D, "server s1 127.0.0.1:443 ssl verify none"),
    (D, "ipv4@host:80"),
    (D, "unix@/run/x"),
    (E, "accept = 443"),
    (D, "connect = 127.0.0.1:80"),
    // Kinds of ours with words of others
    (D, "ws:host:80"),
    (D, "ws:host"),
    (D, "wss:host:443"),
    (E, "wss:9000"),
    (D, "telnet:host"),
    (D, "tls:host"),
    (D, "framed:tcp:localhost:80"),
    (D, "framed:tcp:localhost:80:by=json"),
    (D, "tls:{tcp:h:443}:verify=0"),
    (D, "tls:{tcp:h:443}:verify=1"),
    (D, "tls:{tcp:h:443}:verify=/etc/ca.pem"),
    (D, "tls:h:443:verify=none"),
    (D, "{wss://h/}:verify=none"),
    (E, "udp:9000:range=10.0.0.0/8"),
    (D, "tls:{tcp:h:443}:sni=x"),
    (E, "tcp:9000:bind=127.0.0.1"),
    (E, "tcp:9000:interface=::1"),
    (E, "tcp:9000:interface=::1:backlog=5"),
    (E, "ws:9000:web=DIR"),
    (E, "ws:9000:auth=htpasswd:F"),
    (E, "ws:9000:password=secret"),
    (E, "ws:9000:basic-auth=u:secret"),
    (E, "ws:9000:token=secret"),
    (E, "ws:9000:ssl-cert=/x.pem"),
    (E, "unix:/x:fork"),
    (E, "tcp:9000:fork"),
    (E, "tcp:9000:reuseaddr"),
    (E, "tcp:9000:nodelay"),
    (D, "wss://h/:verify=0"),
    (D, "wss://h:8443/:insecure"),
    (D, "ws://h/:verify=0"),
    (D, "process:ls:pty=true"),
    (D, "EXEC:ls:pty=true:stderr=null"),
    (D, "broadcast:mirror:"),
    (D, "reuse:tcp:127.0.0.1:80"),
    (D, "foreachmsg:tcp:127.0.0.1:80"),
    (D, "log:tcp:127.0.0.1:80"),
    (D, "lines:tcp:127.0.0.1:80"),
    (D, "lengthprefixed:tcp:127.0.0.1:80"),
    (E, "inetd-ws:"),
    (E, "readline"),
    (D, "VSOCK-CONNECT:2:80"),
    (E, "VSOCK-LISTEN:80"),
    (D, "/dev/null"),
    (D, "/dev/tty"),
    (D, "$SHELL"),
    (E, "8080:80"),
    (D, "5900:localhost:5901"),
    (E, ":::9000"),
    (E, "tcp:[::]:9000"),
    (D, "tcp:2001:db8::1:80"),
    (D, "tcp:h:443:tls"),
    (D, "tcp:h:80:retry=3"),
    (D, "serial:/dev/ttyS0:b9600"),
    (D, "serial:/dev/ttyS0:raw"),
    (D, "serial:/dev/ttyS0:baud=115200,8n1"),
    (E, "tcp:9000:allow=localhost"),
    (E, "ws:9000:allow=10.0.0.0/8"),
    (E, "ws:9000:allow=10.*"),
    (E, "ws:9000:allow=192.168.1.*"),
    (D, "tcp=h:80"),
    (E, "tcp=80"),
    (D, "file:/tmp/x:mode=644"),
];

/// Values, and what was made of a descriptor before it got here.
#[test]
fn each_slip_in_a_value_or_in_typing_gets_a_line_that_plans() {
    assert_snapshot!(foreign(TYPED));
}

const TYPED: &[(Side, &str)] = &[
    (D, "serial:/dev/ttyUSB0:parity=none"),
    (E, "unix:/x:mode=rw-rw----"),
    (E, "unix:/x:mode=u=rw"),
    (E, "ws:9000:auth=basic"),
    (E, "ws:9000:auth=off"),
    (E, "ws:9000:origin=all"),
    (E, "ws:9000:origin=example.com"),
    (E, "ws:9000:trusted=localhost"),
    (E, "ws:9000:framing=newline"),
    (D, "“tcp:h:80”"),
    (D, "\"tcp:h:80\""),
    (D, "{tcp:h:80}"),
    (E, "{ws:{tcp:9000}:path=/x}"),
    (D, "{ws:{tcp:h:80}:url={ws://h/x}}"),
    (E, "unix–dgram:/x"),
    (D, "tcp:h:80 "),
    (D, " tcp:h:80"),
    (D, "tcp: h:80"),
    (D, "tcp:h:80\n"),
    (D, "tcp:h:80:\\\n  timeout=5"),
    (D, "tcp h 80"),
    (D, "tcp;h;80"),
    (D, "serial /dev/ttyS0"),
    (D, "tcp:h:80?timeout=5"),
    (D, "tcp:h:80&timeout=5"),
];

/// Values of which another one is meant.
#[test]
fn slips_in_values_are_explained() {
    let slips: &[(Side, &str)] = &[
        (D, "serial:/dev/ttyUSB0:baud=fast"),
        (D, "tcp:h:80:timeout=5sec"),
        (D, "tcp:h:80:timeout=1h30m"),
        (D, "tcp:h:80:timeout=-5"),
        (D, "tcp:h:0"),
        (D, "tcp:h:65536"),
        (E, "tcp:0x50"),
        (E, "ws:9000:max-message=64kb"),
        (E, "ws:9000:max-message=1.5m"),
        (E, "tcp:9000:max-sessions=50%"),
        (E, "tcp:9000:interface=eth0"),
        (E, "tcp:9000:interface=lo"),
        (E, "tcp:9000:interface=*"),
        (E, "tcp:9000:allow=10.*"),
        (E, "ws:9000:allow=office.example"),
        (E, "udp:9000:broadcast"),
        (E, "ws:9000:cert=self"),
        (E, "ws:9000:ssl"),
        (D, "process:cat:${http.qurey.token}"),
        (D, "process:cat:${http.query.token"),
        (D, "process:cat:$http.query.token"),
        (D, "process:cat:{http.path}"),
        (D, "process:\"ls -l\""),
        (D, "tcp:{h:80"),
        (D, "tcp:h:80}"),
    ];
    let runs: Vec<_> = slips.iter().map(|(side, typed)| planned(*side, typed)).collect();
    assert_snapshot!(runs.join("\n"));
}

fn planned(side: Side, typed: &str) -> String {
    let ran = match side {
        E => run(&["-e", typed, "-d", "echo", "--check"]),
        D => run(&["-e", "9000", "-d", typed, "--check"]),
    };
    ran.to_string()
}
