//! Which Debian packages the tests need, and what for. The only list of them.

/// A package.
#[derive(Debug)]
pub(crate) struct Package {
    /// Its name for apt-get.
    pub(crate) name: &'static str,
    /// The program by which it is known to be there, on any distribution.
    pub(crate) program: &'static str,
    /// What the tests do with it.
    pub(crate) why: &'static str,
}

/// Everything that a test uses now.
pub(crate) const PACKAGES: &[Package] = &[
    Package {
        name: "socat",
        program: "socat",
        why: "peer of every stream kind: half-close, unix and abstract sockets, ptys",
    },
    Package {
        name: "netcat-openbsd",
        // `nc` alone may be another netcat, whose options differ.
        program: "nc.openbsd",
        why: "`printf x | nc`, as users type it: end of input long before the answer",
    },
    Package {
        name: "curl",
        program: "curl",
        why: "plain HTTP requests and WebSocket handshakes that aren't ours",
    },
    Package {
        name: "haproxy",
        program: "haproxy",
        why: "yardstick of the benchmark, and a proxy in front of us",
    },
];

/// Debian keeps Python's `ensurepip`, without which `python3 -m venv` fails, in a package of its own.
pub(crate) const VENV: Package =
    Package { name: "python3-venv", program: "", why: "makes the environment of the Python peers" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_a_reason_and_stands_once() {
        for (at, package) in PACKAGES.iter().enumerate() {
            assert!(package.why.len() > 20 && !package.program.is_empty(), "{package:?}");
            assert!(PACKAGES[..at].iter().all(|before| before.name != package.name), "{package:?}");
        }
    }
}
