//! Parameters that the kinds of Unix sockets share.

use plan::kind::{Param, Topic, ValueKind};

pub(super) const ADDRESS: Param = Param::new(
    "address",
    ValueKind::Text,
    "The socket's path, or `@name` for a name in Linux's abstract namespace.",
)
.aliases(&["path"])
.positional()
.required();

pub(super) const MODE: Param = Param::new(
    "mode",
    ValueKind::Octal,
    "The socket's permissions, independent of the umask; users with write permission may connect. The default is 600 \
     if the destination is, or may be, a program or a device, and 666 otherwise.",
)
.topic(Topic::Access)
.positional();

pub(super) const BACKLOG: Param = Param::new(
    "backlog",
    ValueKind::Int(0, 65535),
    "The number of connections that may wait to be accepted (listen(2)).",
)
.topic(Topic::Socket)
.default("50")
.positional();

pub(super) const LOCKFILE: Param = Param::new(
    "lockfile",
    ValueKind::Bool,
    "Create a symbolic link `PATH.lock` whose target is the process ID; programs that check it don't use the path. \
     A lock left by a process that has ended is replaced.",
)
.topic(Topic::Socket)
.default("true")
.positional();

pub(super) const UNLINK: Param = Param::new(
    "unlink",
    ValueKind::Bool,
    "Remove an existing socket that no process listens on. A socket in use, and a file that isn't a socket, are \
     never removed.",
)
.topic(Topic::Socket)
.default("true");

pub(super) const PATH: Param = Param::new(
    "path",
    ValueKind::Text,
    "The socket's path, or `@name` for a name in Linux's abstract namespace.",
)
.aliases(&["address"])
.positional()
.required();

pub(super) const TIMEOUT: Param = Param::new(
    "timeout",
    ValueKind::Duration,
    "The time to wait for a listener whose backlog is full. 0 sets no limit.",
)
.topic(Topic::Limits)
.default("30");

pub(super) const MAX_MESSAGE: Param = Param::new(
    "max-message",
    ValueKind::Size,
    "The maximum size of a message, including all its fragments; a longer one ends the session (close code 1009 over \
     `ws`).",
)
.topic(Topic::Limits)
.default("64k");
