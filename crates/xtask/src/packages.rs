//! The Debian packages that the tests need, with reasons. The only list of them.

/// A package.
#[derive(Debug)]
pub(crate) struct Package {
    /// Its name for apt-get.
    pub(crate) name: &'static str,
    /// The program by which it is known to be there, on any distribution; an absolute path for what has none.
    pub(crate) program: &'static str,
    /// Its use in the tests.
    pub(crate) why: &'static str,
    /// The services that Debian starts with the machine once it is installed, and that are not
    /// wanted.
    pub(crate) services: &'static [&'static str],
}

/// Everything that `cargo xtask test` uses.
pub(crate) const PACKAGES: &[Package] = &[
    Package {
        name: "socat",
        program: "socat",
        why: "peer of every stream kind: half-close, unix and abstract sockets, ptys",
        services: &[],
    },
    Package {
        name: "netcat-openbsd",
        // `nc` alone may be another netcat, whose options differ.
        program: "nc.openbsd",
        why: "`printf x | nc`, as users type it: end of input long before the answer",
        services: &[],
    },
    Package {
        name: "zsh",
        program: "zsh",
        why: "completions of the command line, in the shell that shows them",
        services: &[],
    },
    Package {
        name: "fish",
        program: "fish",
        why: "completions of the command line, as for zsh",
        services: &[],
    },
    Package {
        name: "curl",
        program: "curl",
        why: "plain HTTP requests and WebSocket handshakes that aren't ours",
        services: &[],
    },
    Package {
        name: "openssl",
        program: "openssl",
        why: "makes certificates for servers that aren't ours",
        services: &[],
    },
    Package {
        name: "haproxy",
        program: "haproxy",
        why: "yardstick of the benchmark, and a proxy in front of us",
        services: &["haproxy"],
    },
    Package {
        name: "microsocks",
        program: "microsocks",
        why: "a small SOCKS server, with and without passwords",
        services: &[],
    },
    Package {
        name: "dante-server",
        program: "danted",
        why: "the SOCKS server of large networks, versions 4 and 5",
        services: &["danted"],
    },
    Package {
        name: "tinyproxy-bin",
        program: "tinyproxy",
        why: "an HTTP proxy as offices have it, with passwords",
        services: &[],
    },
    Package {
        name: "systemd",
        program: "systemd-socket-activate",
        why: "passes sockets as systemd does, without being it",
        services: &[],
    },
    Package {
        name: "nginx",
        program: "nginx",
        why: "the other proxy in front of us, under a separate path",
        services: &["nginx"],
    },
    Package {
        name: "websocketd",
        program: "websocketd",
        why: "programs that speak in lines: ours give the same messages",
        services: &[],
    },
    Package {
        name: "dnsmasq-base",
        program: "dnsmasq",
        why: "a name server at the end of a chain of datagrams",
        services: &[],
    },
    Package {
        name: "bind9-dnsutils",
        program: "dig",
        why: "the client that asks it",
        services: &[],
    },
    Package {
        name: "redis-server",
        program: "redis-server",
        why: "a protocol of many small answers and some of any size, behind every chain",
        services: &["redis-server"],
    },
    Package {
        name: "redis-tools",
        program: "redis-cli",
        why: "the client that redis' users have",
        services: &[],
    },
    Package {
        name: "openssh-server",
        program: "sshd",
        why: "what is tunnelled most: notices every byte that is lost, and ends in its own way",
        services: &["ssh"],
    },
    Package {
        name: "openssh-client",
        program: "ssh",
        why: "speaks for `ssh:`, and has us as its ProxyCommand; scp, ssh-agent and ssh-keygen come with it",
        services: &[],
    },
    Package {
        name: "mosquitto",
        program: "mosquitto",
        why: "the broker behind `subprotocol=mqtt,mqttv3.1`",
        services: &["mosquitto"],
    },
    Package {
        name: "mosquitto-clients",
        program: "mosquitto_pub",
        why: "speaks to the broker without us, to compare",
        services: &[],
    },
    Package {
        name: "inetutils-telnetd",
        program: "telnetd",
        why: "a telnet server that negotiates in earnest: ECHO, NAWS, TTYPE",
        services: &["inetutils-inetd", "inetutils-syslogd"],
    },
    Package {
        name: "iproute2",
        program: "ip",
        why: "a cable between two network namespaces, to be pulled in the middle of sessions",
        services: &[],
    },
    Package {
        name: "vim",
        program: "vim",
        why: "the editor of an example of `pty`, which says how large it thinks that its window is",
        services: &[],
    },
    Package {
        name: "bc",
        program: "bc",
        why: "the program of an example of `pty`, which doesn't echo",
        services: &[],
    },
    Package {
        name: "procps",
        program: "top",
        why: "draws the whole screen, as large as it is told that the window is",
        services: &[],
    },
    Package {
        name: "mc",
        program: "mc",
        why: "draws light text on blue and cyan: what a theme is seen by",
        services: &[],
    },
    Package {
        name: "htop",
        program: "htop",
        why: "draws dark text on green and cyan, as above",
        services: &[],
    },
    Package {
        name: "tmux",
        program: "tmux",
        why: "has a separate line below another program, as above",
        services: &[],
    },
    Package {
        name: "chromium",
        program: "chromium",
        why: "the browser that the page is tested in",
        services: &[],
    },
    Package {
        name: "libnss3-tools",
        program: "certutil",
        why: "tells a browser which authorities it trusts",
        services: &[],
    },
    Package {
        name: "fonts-dejavu-core",
        program: "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
        why: "a browser without fonts shows a terminal of empty boxes",
        services: &[],
    },
];

/// The additional packages of the slow suites.
pub(crate) const MORE: &[Package] = &[
    Package {
        name: "firefox-esr",
        program: "firefox-esr",
        why: "the browser whose WebSocket is nobody else's",
        services: &[],
    },
    Package {
        name: "novnc",
        program: "/usr/share/novnc/vnc.html",
        why: "the page whose token chooses a destination",
        services: &[],
    },
    Package {
        name: "tigervnc-standalone-server",
        program: "Xtigervnc",
        why: "a desk that noVNC shows",
        services: &[],
    },
    Package {
        name: "x11-xserver-utils",
        program: "xsetroot",
        why: "paints it, to tell it from others",
        services: &[],
    },
    Package { name: "xterm", program: "xterm", why: "takes what is typed in noVNC", services: &[] },
    Package {
        name: "postgresql",
        program: "pg_ctlcluster",
        why: "answers Neon's driver behind a WebSocket",
        services: &["postgresql"],
    },
];

/// Debian has Python's `ensurepip`, without which `python3 -m venv` fails, in a separate package.
pub(crate) const VENV: Package = Package {
    name: "python3-venv",
    program: "",
    why: "makes the environment of the Python peers",
    services: &[],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_a_reason_and_stands_once() {
        let all: Vec<_> = PACKAGES.iter().chain(MORE).collect();
        for (at, package) in all.iter().enumerate() {
            assert!(package.why.len() > 20 && !package.program.is_empty(), "{package:?}");
            assert!(all[..at].iter().all(|before| before.name != package.name), "{package:?}");
        }
    }
}
