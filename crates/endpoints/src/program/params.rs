//! The parameters of every program.

use plan::kind::{Param, Topic, ValueKind};

pub(crate) const PROGRAM: Param = Param::new(
    "program",
    ValueKind::Text,
    "The program: a path, or a name that is looked up in PATH. It is not run through a shell.",
)
.positional()
.required()
.no_holes(&NO_HOLES);

pub(crate) const ARGUMENT: Param = Param::new(
    "argument",
    ValueKind::Text,
    "The program's arguments, passed on unchanged. Write an argument that contains `=` or `:` in braces. \
     `${http.path}` and other facts are \
     filled in, except in text that a program runs, as after `sh -c`. A value that begins with `-` is refused unless an \
     argument before it is `--`; for shells, editors and pagers, one that begins with `+` too.",
)
.positional()
.rest()
.fillable();

pub(crate) const CWD: Param = Param::new(
    "cwd",
    ValueKind::Text,
    "The program's working directory. The default is that of endpointforward.",
)
.no_holes(&NO_HOLES);

pub(crate) const ENV: Param = Param::new(
    "env.",
    ValueKind::Text,
    "A variable to add to the environment that the program inherits. \
     `${http.query.x}` and other facts are filled in, except in \
     variables that choose what a program runs, such as PATH.",
)
.prefix()
.fillable();

pub(crate) const FACTS: Param = Param::new(
    "facts",
    ValueKind::Bool,
    "Set CGI variables (RFC 3875) from the facts about the client: REMOTE_ADDR, REMOTE_PORT, REMOTE_USER and \
     SERVER_NAME; for an HTTP request also PATH_INFO, QUERY_STRING, REQUEST_URI, HTTPS, UNIQUE_ID and the headers as \
     HTTP_*.",
)
.default("true")
.topic(Topic::Http);

pub(crate) const HEADERS: Param = Param::new(
    "headers",
    ValueKind::List,
    "Additional request headers to pass as HTTP_*, such as `X-Request-Id`. Host, Origin, User-Agent, Referer, Accept*, \
     Sec-Fetch-* and Sec-WebSocket-Protocol are always passed; headers with secrets never are.",
)
.topic(Topic::Http);

pub(crate) const PASSENV: Param = Param::new(
    "passenv",
    ValueKind::List,
    "The environment variables of endpointforward to pass to the program. By default, all are passed.",
);

pub(crate) const CLEARENV: Param = Param::new(
    "clearenv",
    ValueKind::Bool,
    "Pass no environment variables except those in `passenv`. Without PATH, programs are looked up in `/bin` and \
     `/usr/bin`.",
)
.default("false");

pub(crate) const NO_HOLES: &str = "a client can't become part of a command";
