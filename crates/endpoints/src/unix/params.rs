//! Parameters that the kinds of Unix sockets share.

use plan::kind::{Param, Topic, ValueKind};

pub(super) const ADDRESS: Param = Param::new(
    "address",
    ValueKind::Text,
    "The socket's path, or `@name` for a name of Linux's abstract namespace.",
)
.aliases(&["path"])
.positional()
.required();

pub(super) const MODE: Param = Param::new(
    "mode",
    ValueKind::Octal,
    "The socket's permissions, whatever the umask: who may write to it may connect. Left \
                 out, they are 600 in front of a program or a device, or where that can't be \
                 excluded, and 666 otherwise.",
)
.topic(Topic::Access)
.positional();

pub(super) const BACKLOG: Param = Param::new(
    "backlog",
    ValueKind::Int(0, 65535),
    "How many connections may wait to be accepted (listen(2)).",
)
.topic(Topic::Socket)
.default("50")
.positional();

pub(super) const LOCKFILE: Param = Param::new(
    "lockfile",
    ValueKind::Bool,
    "Whether a symbolic link `PATH.lock` to our process number keeps others that lock \
                 from using the path. One that a dead process left is taken over.",
)
.topic(Topic::Socket)
.default("true")
.positional();

pub(super) const UNLINK: Param = Param::new(
    "unlink",
    ValueKind::Bool,
    "Whether a socket that is there already and that nobody answers on is removed \
                 first. What isn't a socket, or answers, never is.",
)
.topic(Topic::Socket)
.default("true");

pub(super) const PATH: Param = Param::new(
    "path",
    ValueKind::Text,
    "The socket's path, or `@name` for a name of Linux's abstract namespace.",
)
.aliases(&["address"])
.positional()
.required();

pub(super) const TIMEOUT: Param = Param::new(
    "timeout",
    ValueKind::Duration,
    "How long a listener with a full backlog is waited for. 0 is for ever.",
)
.topic(Topic::Limits)
.default("30");

pub(super) const MAX_MESSAGE: Param = Param::new(
    "max-message",
    ValueKind::Size,
    "How many bytes a message may have, its fragments together; a longer one is refused and ends the session (close \
     code 1009 over `ws`).",
)
.topic(Topic::Limits)
.default("64k");
