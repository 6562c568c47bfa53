//! Options of other programs, and what to type instead.

use plan::Words;

/// Options that mean the same, and the help for them. `{}` is the value that was typed, or the word behind.
struct Foreign {
    options: Words,
    value: &'static str,
    help: &'static str,
}

/// Returns the help for an option of socat, websocat, websockify, websocketd, ttyd, ser2net or ncat.
pub(super) fn hint(option: &str) -> Option<String> {
    let name = option.split_once('=').map_or(option, |(name, _)| name);
    let foreign = FOREIGN.iter().find(|foreign| foreign.options.contains(name))?;
    let value = value(option).filter(|value| is_plain(value) && fits(foreign, value));
    Some(foreign.help.replace("{}", value.as_deref().unwrap_or(foreign.value)))
}

/// The value of the option that was typed: behind `=`, or the next word.
fn value(option: &str) -> Option<String> {
    if let Some((_, value)) = option.split_once('=') {
        return Some(value.to_owned());
    }
    let mut args = std::env::args().skip(1).skip_while(|arg| {
        arg != option && !arg.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
    });
    let typed = args.next()?;
    match typed.split_once('=') {
        Some((_, value)) => Some(value.to_owned()),
        None => args.next(),
    }
}

/// Fits in a descriptor as it is.
fn is_plain(value: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-,".contains(c);
    !value.is_empty() && !value.starts_with('-') && value.chars().all(plain)
}

/// A port for a port, a path for a path.
fn fits(foreign: &Foreign, value: &str) -> bool {
    foreign.value.parse::<u32>().is_err() || value.parse::<u32>().is_ok()
}

const FOREIGN: &[Foreign] = &[
    Foreign {
        options: Words::of("--port -p"),
        value: "8080",
        help: "the port belongs to the listener: `-e ws:{}` for browsers, `-e {}` for TCP",
    },
    Foreign {
        options: Words::of("-l --listen"),
        value: "8080",
        help: "what is listened on is an endpoint: `-e {}`, on all addresses `-e tcp:{}`",
    },
    Foreign {
        options: Words::of("--address --interface -i --host -I --bind"),
        value: "127.0.0.1",
        help: "the address belongs to the listener: `-e ws:{tcp:8080:interface={}}`",
    },
    Foreign {
        options: Words::of("-c --credential --basic-auth --auth --auth-plugin"),
        value: "",
        help: "`-e ws:8080:auth={htpasswd:FILE}` asks for a password; `endpointforward passwd FILE NAME` writes the file",
    },
    Foreign {
        options: Words::of("-W --writable"),
        value: "",
        help: "omit it: clients may type; a user that `endpointforward passwd --read-only` has added may only watch",
    },
    Foreign {
        options: Words::of("-R --readonly"),
        value: "",
        help: "users that `endpointforward passwd --read-only FILE NAME` has added may only watch, with `auth={htpasswd:FILE}`",
    },
    Foreign {
        options: Words::of("--token-plugin --token-source --target-config"),
        value: "",
        help: "destinations are looked up by `-d route:file=PATH`, where PATH is a file or a folder of tokens",
    },
    Foreign {
        options: Words::of(
            "--cert --key --ssl-only --ssl -S --sslcert --sslkey --ssl-cert --ssl-key \
             --pkcs12-der -C -K",
        ),
        value: "",
        help: "the certificate belongs to the listener: `-e ws:8080:cert=FILE:key=FILE`, for a trial `cert=self-signed`",
    },
    Foreign {
        options: Words::of("--web --staticdir --static --cgidir"),
        value: "./web",
        help: "pages belong to the listener: `-e ws:8080:page={}`; the path must contain a slash",
    },
    Foreign {
        options: Words::of("--devconsole --index"),
        value: "",
        help: "a listener `-e ws:8080` serves a built-in page; `page=FOLDER` replaces it",
    },
    Foreign {
        options: Words::of("-b --binary"),
        value: "",
        help: "omit it: a WebSocket carries binary messages unless its endpoint has `encoding=text`",
    },
    Foreign {
        options: Words::of("-t --text"),
        value: "",
        help: "the encoding belongs to the endpoint: `-d {ws://127.0.0.1:8080/}:encoding=text`",
    },
    Foreign {
        options: Words::of("-n --no-close"),
        value: "",
        help: "to keep the session after the end of input, use `-e stdio:hold=true`",
    },
    Foreign {
        options: Words::of("-E --exit-on-eof -1 --oneshot -o --run-once"),
        value: "",
        help: "`--once` serves one session and exits; a session ends when both sides have",
    },
    Foreign {
        options: Words::of("-k --insecure --keep-open"),
        value: "",
        help: "listeners serve until they are stopped; to skip the check of a certificate, use \
               `-d {wss://127.0.0.1:8080/}:insecure=true`",
    },
    Foreign {
        options: Words::of("-H --header --server-header --header-ws"),
        value: "",
        help: "headers belong to the endpoint: `-d {ws://127.0.0.1:8080/}:header.x-key=1`",
    },
    Foreign {
        options: Words::of("--protocol --server-protocol --subprotocol"),
        value: "mqtt",
        help: "the subprotocol belongs to the endpoint: `-d {ws://127.0.0.1:8080/}:subprotocol={}`, `-e ws:8080:subprotocol={}`",
    },
    Foreign {
        options: Words::of("--origin --sameorigin -O --check-origin"),
        value: "",
        help: "by default, only pages of the listener's own host may connect; `-e \
               ws:8080:origin={https://example.com}` lists another",
    },
    Foreign {
        options: Words::of("--maxforks --max-clients -m --conncap --max-conns"),
        value: "10",
        help: "use `--max-sessions {}`",
    },
    Foreign {
        options: Words::of("--ping-interval --heartbeat -P"),
        value: "30",
        help: "pings belong to the listener: `-e ws:8080:ping={}`",
    },
    Foreign {
        options: Words::of("--unix-target -U --unix"),
        value: "/run/app.sock",
        help: "a Unix socket is an endpoint: `-d unix:{}`, `-e unix:{}`",
    },
    Foreign {
        options: Words::of("-D --daemon --log-file --syslog"),
        value: "",
        help: "a service manager keeps it running; the log is on standard error",
    },
    Foreign {
        options: Words::of("-f --config -y"),
        value: "",
        help: "there is no configuration file: each process has its endpoints on the command line, `-e … -d …`",
    },
    Foreign {
        options: Words::of("-u --udp"),
        value: "",
        help: "UDP is a kind of endpoint: `-e udp:5353`, `-d udp:127.0.0.1:53`",
    },
    Foreign {
        options: Words::of("--dest --destination --to --target --connect --remote --forward"),
        value: "",
        help: "`-d` sets the destination: `-d tcp:127.0.0.1:80`",
    },
    Foreign {
        options: Words::of("--from --source --local --listener --server"),
        value: "",
        help: "`-e` sets what to listen on: `-e ws:9000`",
    },
    Foreign {
        options: Words::of("--debug --log-level --loglevel --trace"),
        value: "",
        help: "`-v` logs more, `-vv` still more, and `-q` warnings and errors only",
    },
    Foreign {
        options: Words::of("--timeout"),
        value: "5",
        help: "for the connection, `--connect-timeout {}`; for a session without data, `--idle-timeout {}`",
    },
    Foreign {
        options: Words::of("-4 -6"),
        value: "",
        help: "the family is a kind: `-e tcp4:8080`, `-e tcp6:8080`",
    },
    Foreign {
        options: Words::of("--sh-exec --exec --command"),
        value: "",
        help: "a program is the destination: `-d process:PROGRAM:ARGUMENT`, a shell's line `-d process:sh:-c:{LINE}`",
    },
    Foreign {
        options: Words::of("--proxy --socks5 --ssl-target"),
        value: "",
        help: "a proxy belongs to the destination: `-d tcp:example.com:80:via={socks5://127.0.0.1:1080}`",
    },
    Foreign {
        options: Words::of("--unix-listen"),
        value: "/run/app.sock",
        help: "a Unix socket is an endpoint: `-e ws:{unix:{}:mode=600}`",
    },
    Foreign {
        options: Words::of("--host-token"),
        value: "",
        help: "the key of a route is a template: `-d 'route:file=./hosts:key=${http.hostname}'`",
    },
    Foreign {
        options: Words::of("--verify-client --cafile --ca --ssl-ca -A"),
        value: "",
        help: "certificates of clients belong to the listener: `-e ws:8080:cert=FILE:verify-client=required:ca=FILE`",
    },
    Foreign {
        options: Words::of("--inetd"),
        value: "",
        help: "a connection from inetd is an endpoint: `-e ws:inetd`, a listening socket `-e ws:{systemd:index=0}`",
    },
    Foreign {
        options: Words::of("--restrict-uri --base-path --path"),
        value: "/ws",
        help: "the path belongs to the listener: `-e ws:8080:path={}`",
    },
    Foreign {
        options: Words::of("-F --static-file"),
        value: "",
        help: "pages belong to the listener: `-e ws:8080:page=./FOLDER`",
    },
    Foreign {
        options: Words::of("--max-ws-message-length -B --buffer-size --max-payload"),
        value: "1M",
        help: "the longest message belongs to the listener: `-e ws:8080:max-message={}`",
    },
    Foreign {
        options: Words::of("--dir"),
        value: "./scripts",
        help: "a folder of programs is a destination: `-d process:dir={}:framing=lines`",
    },
    Foreign {
        options: Words::of("--closems"),
        value: "",
        help: "the time to stop belongs to the program: `-d process:cat:grace=2`",
    },
    Foreign {
        options: Words::of("--passenv"),
        value: "PATH,LANG",
        help: "variables belong to the program: `-d process:env:passenv={}`",
    },
    Foreign {
        options: Words::of("-w --cwd"),
        value: "/srv",
        help: "the folder belongs to the program: `-d pty:bash:cwd={}`",
    },
    Foreign {
        options: Words::of("-g --gid --uid --user --group"),
        value: "",
        help: "the user belongs to the program: `-d pty:bash:user=nobody:group=nogroup`",
    },
    Foreign {
        options: Words::of("-T --terminal-type"),
        value: "",
        help: "a terminal's type belongs to it: `-d pty:bash:term=xterm`; for a session without data, `--idle-timeout 60`",
    },
    Foreign {
        options: Words::of("--browser"),
        value: "",
        help: "`endpointforward` without arguments prints a link to a shell",
    },
    Foreign {
        options: Words::of("-r"),
        value: "",
        help: "a copy of the data is an endpoint: `-d tee:{tcp:127.0.0.1:80}:{file:/tmp/log:access=append:create=600}:copy=sent`",
    },
    Foreign {
        options: Words::of("--allow-loopback --allow-private --allow"),
        value: "",
        help: "the destination lists what it allows: `-d 'target:allow={*,loopback}'`, `-d 'target:allow={*,private}'`",
    },
    Foreign {
        options: Words::of("-x -X --dump --traffic --record"),
        value: "",
        help: "a copy of the data is an endpoint: `-d tee:{tcp:127.0.0.1:80}:{file:/tmp/log:access=append:create=600}`",
    },
];

#[cfg(test)]
mod tests {
    use crate::Endpoints;

    #[test]
    fn every_option_is_there_once() {
        let mut options: Vec<_> =
            super::FOREIGN.iter().flat_map(|foreign| foreign.options.iter()).collect();
        let count = options.len();
        options.sort_unstable();
        options.dedup();
        assert_eq!(options.len(), count, "the second one would never be found");
        assert!(!options.contains(&"-d") && !options.contains(&"-e"), "these are ours");
    }

    #[test]
    fn every_line_to_type_is_valid() {
        let endpoints = Endpoints::new();
        for foreign in super::FOREIGN {
            let help = foreign.help.replace("{}", foreign.value);
            for code in help.split('`').skip(1).step_by(2).filter(|code| !code.contains('…')) {
                let code = code.replace("PROGRAM", "cat").replace("{LINE}", "{ls}");
                let code = code.replace('\'', "");
                let planned = match code.split_once(' ') {
                    Some(("-e", listen)) => endpoints.listener(listen).err(),
                    Some(("-d", connect)) => endpoints.connector(connect).err(),
                    _ => continue,
                };
                assert!(planned.is_none(), "{:?}: {code}: {planned:?}", foreign.options);
            }
        }
    }
}
