//! Command lines of other programs, with the program's name replaced.

use std::process::Command;

use insta::assert_snapshot;

/// Each gets help; a whole line in it is typed as it is printed, and is valid.
#[test]
fn each_command_line_of_another_program_gets_a_line_that_plans() {
    let told: Vec<_> = LINES
        .iter()
        .map(|line| {
            let (status, said) = typed(line);
            assert_eq!(status, Some(64), "{line}\n{said}");
            let help = said.lines().find_map(|line| line.strip_prefix("  = help: "));
            let help = help.unwrap_or_else(|| panic!("no help: {line}\n{said}"));
            for code in help.split('`').skip(1).step_by(2) {
                let code = code.strip_prefix("endpointforward ").unwrap_or(code);
                let whole = match code.get(..3) {
                    _ if code.contains("DESC") || code.contains('…') => continue,
                    Some("-e ") if code.contains(" -d ") => code.to_owned(),
                    Some("-e ") => format!("{code} -d echo"),
                    Some("-d ") => format!("-e 9000 {}", code.replace("PROGRAM", "cat")),
                    _ => continue,
                };
                let (status, said) = typed(&format!("{whole} --check"));
                assert_eq!(status, Some(0), "{line}\n{whole}\n{said}");
            }
            format!("{line}\n  {help}\n")
        })
        .collect();
    assert_snapshot!(told.concat());
}

/// The lines of the page are typed as they are printed, too.
#[test]
fn the_lines_for_users_of_other_programs_plan() {
    let page = include_str!("../../../../docs/coming-from.md");
    let mut count = 0;
    for line in page.lines() {
        // The right column of a table, or a line of text.
        let here = match line.starts_with('|') {
            true => line.rsplit_once(" | ").map_or("", |(_, here)| here),
            false => line,
        };
        for code in here.split('`').skip(1).step_by(2).filter(|code| !code.contains('…')) {
            let code = code.strip_prefix("endpointforward ").unwrap_or(code);
            let typed_here = match code.get(..3) {
                Some("-e ") if code.contains(" -d ") => code.to_owned(),
                Some("-e ") => format!("{code} -d echo"),
                Some("-d ") => format!("-e 9000 {code}"),
                _ => continue,
            };
            let (status, said) = typed(&format!("{typed_here} --check"));
            assert_eq!(status, Some(0), "{line}\n{typed_here}\n{said}");
            count += 1;
        }
    }
    assert!(count > 100, "{count}: the page has more of them");
}

/// Types it into a shell.
fn typed(line: &str) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_endpointforward");
    let ran = Command::new("sh").args(["-c", &format!("{program} {line} </dev/null")]).output();
    let ran = ran.expect("there is a shell");
    (ran.status.code(), String::from_utf8(ran.stderr).expect("it is text"))
}

/// socat, websockify, websocketd, ttyd, websocat, netcat and telnet, ser2net, wstunnel and chisel, gost, caddy,
/// programs with configuration files, ssh, kubectl and docker, redir, tunnels through a service.
const LINES: &[&str] = &[
    r#"TCP-LISTEN:8080,fork TCP:localhost:23"#,
    r#"-d -d TCP-LISTEN:8080,reuseaddr,fork TCP:localhost:23"#,
    r#"-v TCP-LISTEN:8080,fork,reuseaddr EXEC:/bin/cat"#,
    r#"- TCP:localhost:23"#,
    r#"STDIO UNIX-CONNECT:/run/x.sock"#,
    r#"-u FILE:/etc/motd TCP:localhost:9"#,
    r#"UNIX-LISTEN:/tmp/x.sock,fork EXEC:'ls -la'"#,
    r#"OPENSSL-LISTEN:4433,cert=server.pem,verify=0,fork TCP:localhost:80"#,
    r#"-,raw,echo=0 /dev/ttyUSB0,b115200,raw"#,
    r#"UDP-LISTEN:5000,fork UDP:localhost:53"#,
    r#"6080 localhost:5900"#,
    r#"--web /usr/share/novnc 6080 localhost:5900"#,
    r#"--web=/usr/share/novnc --cert=c.pem 6080 localhost:5900"#,
    r#"0.0.0.0:6080 localhost:5900"#,
    r#"-D --web=/usr/share/novnc 6080 --target-config=tokens"#,
    r#"--token-plugin TokenFile --token-source tokens 6080"#,
    r#"--unix-target=/run/vnc.sock 6080"#,
    r#"--port=8080 ./count.sh"#,
    r#"--port=8080 --staticdir=. ./count.py"#,
    r#"--port 8080 --dir=./scripts"#,
    r#"--port=8080 python3 chat.py"#,
    r#"--address=0.0.0.0 --port=8080 ./count.sh"#,
    r#"-p 7681 bash"#,
    r#"-W -p 7681 bash"#,
    r#"-p 8080 -c user:pass bash -l"#,
    r#"-W -t fontSize=16 -p 7681 htop"#,
    r#"bash"#,
    r#"-s 1234"#,
    r#"-s 0.0.0.0:1234"#,
    r#"ws-l:127.0.0.1:1234 tcp:127.0.0.1:22"#,
    r#"-t -E -v ws-l:0.0.0.0:80 mirror:"#,
    r#"ws://localhost:8080/"#,
    r#"-b ws://localhost:8080/"#,
    r#"-E -b tcp-l:127.0.0.1:1236 ws://127.0.0.1:1234/"#,
    r#"ws://localhost:8080/ -H 'X-Key: 1'"#,
    r#"-l 8080"#,
    r#"-l -p 8080"#,
    r#"-lvp 8080"#,
    r#"-lk 8080"#,
    r#"-lu 5000"#,
    r#"-l 8080 -e /bin/sh"#,
    r#"-e /bin/sh localhost 8080"#,
    r#"localhost 23"#,
    r#"-u localhost 53"#,
    r#"-zv localhost 22"#,
    r#"-U /run/x.sock"#,
    r#"--listen --sh-exec 'cat' 8080"#,
    r#"-C tcp,2000 serialdev,/dev/ttyUSB0,9600n81"#,
    r#"-c /etc/ser2net.yaml"#,
    r#"server ws://0.0.0.0:8080"#,
    r#"client -L tcp://1080:localhost:80 ws://server:8080"#,
    r#"client --local-to-remote tcp://8080:localhost:80 wss://server"#,
    r#"client http://server:8080 3000:localhost:80"#,
    r#"server --port 8080"#,
    r#"-L tcp://:8080/localhost:80"#,
    r#"-L socks5://:1080"#,
    r#"-L :8080 -F socks5://localhost:1080"#,
    r#"reverse-proxy --from :2080 --to :9000"#,
    r#"file-server --listen :8080 --root ./web"#,
    r#"-f /etc/haproxy/haproxy.cfg"#,
    r#"-c nginx.conf"#,
    r#"-p 1883 -c mosquitto.conf"#,
    r#"-L 8080:localhost:80 user@host"#,
    r#"-L 8080:localhost:80 -N user@host"#,
    r#"-R 8080:localhost:80 user@host"#,
    r#"-D 1080 user@host"#,
    r#"-W host:22 bastion"#,
    r#"port-forward svc/web 8080:80"#,
    r#"port-forward pod/web 8080:80 --address 0.0.0.0"#,
    r#"run -p 8080:80 nginx"#,
    r#"-p 8080:80"#,
    r#"8080:80"#,
    r#"--lport=8080 --laddr=0.0.0.0 --cport=80 --caddr=localhost"#,
    r#":8080 localhost:23"#,
    r#"8080 23"#,
    r#"localhost:8080 example.com:80"#,
    r#"http 8080"#,
    r#"tcp 22"#,
    r#"local 8080 --to example.com"#,
    r#"start"#,
    r#"run"#,
    r#"serve"#,
    r#"tcp:8080"#,
    r#"ws:9000"#,
    r#"socat TCP-LISTEN:8080,fork TCP:localhost:23"#,
    r#"ssh -L 8080:h:80 ada@bastion"#,
    r#"telnet localhost 23"#,
    r#"--inetd"#,
    r#"--header-ws=Server"#,
    r#"-w /srv"#,
    r#"--passenv PATH,LANG"#,
];
