//! `unix`: stream sockets of the local machine (unix(7)), listening and connecting.
//!
//! Parameters, defaults and the lock file are Twisted's. `@name` is a name of Linux's abstract
//! namespace, which has no file, no mode and no lock.

mod address;
mod connect;
mod listen;
mod lock;

use descriptor::{Descriptor, Diagnostic, Stage, Text, Url};
use plan::kind::{
    Example, FactName, Kind, Param, PlanConnect, PlanListen, Positional, Role, Scheme, Shape, Side,
    Topic, ValueKind,
};

use self::address::Address;
use crate::options;

/// Unix stream sockets.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::unix),
    listen: Some(Side::bytes(
        &[
            Param::new(
                "address",
                ValueKind::Text,
                "The socket's path, or `@name` for a name of Linux's abstract namespace.",
            )
            .aliases(&["path"])
            .positional()
            .required(),
            Param::new(
                "mode",
                ValueKind::Octal,
                "The socket's permissions, whatever the umask: who may write to it may connect. Left \
                 out, they are 600 in front of a program or a device, or where that can't be \
                 excluded, and 666 otherwise.",
            ).topic(Topic::Access)
            .positional(),
            Param::new(
                "backlog",
                ValueKind::Int(0, 65535),
                "How many connections may wait to be accepted (listen(2)).",
            ).topic(Topic::Socket)
            .default("50")
            .positional(),
            Param::new(
                "lockfile",
                ValueKind::Bool,
                "Whether a symbolic link `PATH.lock` to our process number keeps others that lock \
                 from using the path. One that a dead process left is taken over.",
            ).topic(Topic::Socket)
            .default("true")
            .positional(),
            Param::new(
                "unlink",
                ValueKind::Bool,
                "Whether a socket that is there already and that nobody answers on is removed \
                 first. What isn't a socket, or answers, never is.",
            ).topic(Topic::Socket)
            .default("true"),
            Param::new(
                "users",
                ValueKind::Choice(&["same", "any"]),
                "Whose processes may connect (SO_PEERCRED in unix(7)): `same`, the user's that we run \
                 as, and root's; `any`, those that `mode` lets in. Left out, it is `same` for an \
                 abstract name in front of a program or a device, or where that can't be excluded, \
                 and `any` otherwise.",
            ).topic(Topic::Access),
            options::SEND_BUFFER,
            options::RECEIVE_BUFFER,
        ],
        PlanListen::Leaf(listen::plan),
    )),
    connect: Some(Side {
        params: &[
            Param::new(
                "path",
                ValueKind::Text,
                "The socket's path, or `@name` for a name of Linux's abstract namespace.",
            )
            .aliases(&["address"])
            .positional()
            .required(),
            Param::new(
                "timeout",
                ValueKind::Duration,
                "How long a listener with a full backlog is waited for. 0 is for ever.",
            ).topic(Topic::Limits)
            .default("30"),
            options::SEND_BUFFER,
            options::RECEIVE_BUFFER,
        ],
        gives: Shape::Bytes,
        positional: Positional::SkipNamed,
        plan: PlanConnect::Leaf(connect::plan),
    }),
    schemes: &[Scheme::new("unix", url)],
    facts: &[
        FactName::new("unix.path", "The socket's path; an abstract name begins with `@`."),
        FactName::new("unix.pid", "The number of the peer's process (SO_PEERCRED in unix(7))."),
        FactName::new("unix.uid", "The number of the peer's user."),
    ],
    examples: &[
        Example {
            role: Role::Listen,
            descriptor: "unix:/run/app.sock:mode=660",
            about: "Listens on a socket that its user and group may connect to.",
        },
        Example {
            role: Role::Listen,
            descriptor: "unix:@app",
            about: "Listens on a name of the abstract namespace, which needs no file.",
        },
        Example {
            role: Role::Connect,
            descriptor: "unix:/var/run/docker.sock",
            about: "Connects to the socket of the Docker daemon.",
        },
        Example {
            role: Role::Connect,
            descriptor: "unix:///run/app.sock",
            about: "The same kind as a URL.",
        },
    ],
    see_also: &["tcp"],
    ..Kind::new("unix", "Stream sockets of this machine, by path or abstract name")
};

/// `unix:///run/app.sock`. The path is taken as it stands: no program writes `%20` here.
fn url(url: &Url, _: Role) -> Result<Descriptor, Diagnostic> {
    let host = url.host.as_str();
    if !host.is_empty() || url.userinfo.is_some() || url.port.is_some() {
        let message = "a `unix` URL has a path only";
        let help = format!("write `unix:///{host}{}`", url.path);
        return Err(Diagnostic::error(Stage::Plan, "bad-url", url.host.span(), message).help(help));
    }
    let kind = Text::synthetic("unix", url.scheme.span());
    Ok(Descriptor::new(kind).arg(url.path.clone()))
}
