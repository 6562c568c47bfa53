//! The options of other programs. The first program that has all of the typed options, and for whose words there is a
//! line, is the one that is meant.

use plan::Words;

use super::Means::*;
use super::Takes::{Nothing, Value};
use super::{Opt, Tool, lines};

pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "socat's", options: SOCAT, runs: false, line: lines::socat },
    Tool { name: "websockify's", options: WEBSOCKIFY, runs: false, line: lines::websockify },
    Tool { name: "websocketd's", options: WEBSOCKETD, runs: true, line: lines::websocketd },
    Tool { name: "ttyd's", options: TTYD, runs: true, line: lines::ttyd },
    Tool { name: "ssh's", options: SSH, runs: false, line: lines::ssh },
    Tool { name: "netcat's", options: NETCAT, runs: false, line: lines::netcat },
    Tool { name: "a port forwarder's", options: REDIR, runs: false, line: lines::ports },
    Tool { name: "websocat's", options: WEBSOCAT, runs: false, line: lines::websocat },
    Tool {
        name: "docker's and kubectl's",
        options: PUBLISHED,
        runs: false,
        line: lines::published,
    },
    Tool { name: "wstunnel's and chisel's", options: TUNNEL, runs: false, line: lines::tunnel },
    Tool { name: "gost's", options: GOST, runs: false, line: lines::gost },
    Tool { name: "caddy's", options: CADDY, runs: false, line: lines::caddy },
];

/// The names of these programs.
pub(super) const NAMES: Words = Words::of(
    "socat websockify websocketd ttyd ssh nc ncat netcat telnet websocat docker kubectl wstunnel chisel gost caddy redir",
);

const SOCAT: &[Opt] = &[
    Opt("-d -dd -ddd -dddd -s -g -ly -ls", Nothing, Default),
    Opt("-v -x -u -U", Nothing, Absent),
    Opt("-t -T -b -lf -L -W -r -R", Value, Absent),
];

const WEBSOCKIFY: &[Opt] = &[
    Opt("-v --verbose", Nothing, Default),
    Opt("--web", Value, Page),
    Opt("--cert", Value, Certificate),
    Opt("--key", Value, Key),
    Opt("--ssl-only", Nothing, Default),
    Opt("--heartbeat", Value, Ping),
    Opt("--token-plugin", Value, Default),
    Opt("--token-source --target-config", Value, Tokens),
    Opt("--unix-target", Value, TargetUnix),
    Opt("--run-once", Nothing, Once),
    Opt("-D --daemon --traffic --ssl-target --libserver -6", Nothing, Absent),
    Opt(
        "--record --log-file --syslog --timeout --idle-timeout --auth-plugin --auth-source",
        Value,
        Absent,
    ),
];

const WEBSOCKETD: &[Opt] = &[
    Opt("--port", Value, Port),
    Opt("--address", Value, Address),
    Opt("--staticdir", Value, Page),
    Opt("--dir", Value, Scripts),
    Opt("--ssl --sameorigin --devconsole --reverselookup", Nothing, Default),
    Opt("--sslcert", Value, Certificate),
    Opt("--sslkey", Value, Key),
    Opt("--origin", Value, Origin),
    Opt("--maxforks", Value, Sessions),
    Opt("--binary", Nothing, Standard),
    Opt("--passenv", Value, Kept),
    Opt("--loglevel", Value, Default),
    Opt("--cgidir --closems --redirport --header --header-ws --header-http", Value, Absent),
];

const TTYD: &[Opt] = &[
    Opt("-p --port", Value, Port),
    Opt("-i --interface", Value, Address),
    Opt("-W --writable", Nothing, Typing),
    Opt("-c --credential", Value, Login),
    Opt("-w --cwd", Value, Folder),
    Opt("-b --base-path", Value, Path),
    Opt("-P --ping-interval", Value, Ping),
    Opt("-m --max-clients", Value, Sessions),
    Opt("-o --once", Nothing, Once),
    Opt("-C --ssl-cert", Value, Certificate),
    Opt("-K --ssl-key", Value, Key),
    Opt("-O --check-origin -S --ssl", Nothing, Default),
    Opt("-u --uid", Value, User),
    Opt("-g --gid", Value, Group),
    Opt("-T --terminal-type", Value, Term),
    Opt("-B --browser -a --url-arg -q --exit-no-conn", Nothing, Absent),
    Opt(
        "-t --client-option -s --signal -I --index -H --auth-header -d --debug -A --ssl-ca",
        Value,
        Absent,
    ),
];

const SSH: &[Opt] = &[
    Opt("-L", Value, Forward),
    Opt("-R", Value, Remote),
    Opt("-D", Value, Socks),
    Opt("-W", Value, Standard),
    Opt("-p", Value, Port),
    Opt("-N -f -n -T -C -q -v -4 -6 -t", Nothing, Default),
    Opt("-g -A -X", Nothing, Absent),
    Opt("-i -o -J -l -F", Value, Absent),
];

const NETCAT: &[Opt] = &[
    Opt("-l --listen", Nothing, Listen),
    Opt("-p", Value, Port),
    Opt("-u --udp", Nothing, Udp),
    Opt("-U --unixsock", Nothing, Unix),
    Opt("-e --exec", Value, Program),
    Opt("-c --sh-exec", Value, Shell),
    Opt("-k --keep-open", Nothing, Keep),
    Opt("-v -n -N -4 -6 -r", Nothing, Default),
    Opt("-z -t -C --ssl --broker --chat", Nothing, Absent),
    Opt("-w -q -i -s -x -X", Value, Absent),
];

const WEBSOCAT: &[Opt] = &[
    Opt("-b --binary", Nothing, Standard),
    Opt("-t --text", Nothing, Text),
    Opt("-s --server-mode", Value, Port),
    Opt("-H --header", Value, Header),
    Opt("--protocol", Value, Subprotocol),
    Opt("--origin", Value, Origin),
    Opt("-k --insecure", Nothing, Insecure),
    Opt("-1 --one-message --oneshot", Nothing, Once),
    Opt("-E --exit-on-eof -v -q --no-line -S", Nothing, Default),
    Opt("-n --no-close -u -U -0 --strict", Nothing, Absent),
    Opt("-B --ping-interval --ping-timeout --basic-auth -F --socks5", Value, Absent),
];

const PUBLISHED: &[Opt] = &[
    Opt("-p --publish", Value, Port),
    Opt("--address", Value, Address),
    Opt("-d --rm -i -t -P", Nothing, Default),
    Opt("--name -n --namespace -v -e --network", Value, Absent),
];

const TUNNEL: &[Opt] = &[
    Opt("-L --local-to-remote", Value, Forward),
    Opt("-p --port", Value, Port),
    Opt("--host", Value, Address),
    Opt("-v", Nothing, Default),
    Opt("--reverse --socks5", Nothing, Absent),
    Opt("-R --remote-to-local --restrict-to --auth --authfile --fingerprint --key", Value, Absent),
];

const GOST: &[Opt] = &[Opt("-L", Value, Forward), Opt("-F", Value, Chain)];

const CADDY: &[Opt] = &[
    Opt("--from --listen", Value, Address),
    Opt("--to", Value, Target),
    Opt("--root", Value, Page),
    Opt("--browse --access-log -v", Nothing, Absent),
];

const REDIR: &[Opt] = &[
    Opt("--lport", Value, Port),
    Opt("--laddr", Value, Address),
    Opt("--cport", Value, TargetPort),
    Opt("--caddr", Value, TargetAddress),
];
