//! The parameters of every program.

use plan::kind::{Param, Topic, ValueKind};

pub(crate) const PROGRAM: Param = Param::new(
    "program",
    ValueKind::Text,
    "The program: a path, or a name that is looked up in PATH. It is not run through a shell.",
)
.positional()
.required()
.no_holes(NO_HOLES);

pub(crate) const ARGUMENT: Param = Param::new(
    "argument",
    ValueKind::Text,
    "The program's arguments, passed on unchanged. Write an argument that contains `=` or `:` in braces. \
     `${http.path}` and other facts are \
     filled in, except in text that a program runs, as after `sh -c`. A value that begins with `-` is refused unless an \
     argument before it is `--`.",
)
.positional()
.rest()
.fillable();

pub(crate) const CWD: Param = Param::new(
    "cwd",
    ValueKind::Text,
    "The program's working directory. The default is that of endpointforward.",
)
.no_holes(NO_HOLES);

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
    "Sets the variables of CGI (RFC 3875) that are known of the client: REMOTE_ADDR, REMOTE_PORT, REMOTE_USER and \
     SERVER_NAME; for a request of HTTP also PATH_INFO, QUERY_STRING, REQUEST_URI, HTTPS, UNIQUE_ID and the headers as \
     HTTP_*.",
)
.default("true")
.topic(Topic::Http);

pub(crate) const HEADERS: Param = Param::new(
    "headers",
    ValueKind::List,
    "More headers of the request that the program gets as HTTP_*, such as `X-Request-Id`. Host, Origin, User-Agent, Referer, \
     Accept*, Sec-Fetch-* and Sec-WebSocket-Protocol are set without it; those with secrets never are.",
)
.topic(Topic::Http);

pub(crate) const PASSENV: Param = Param::new(
    "passenv",
    ValueKind::List,
    "The variables of our environment that the program gets; all if it isn't given.",
);

pub(crate) const CLEARENV: Param = Param::new(
    "clearenv",
    ValueKind::Bool,
    "Gives the program none of our environment but what `passenv` lists. Without PATH, the system looks in `/bin` and \
     `/usr/bin`.",
)
.default("false");

pub(crate) const NO_HOLES: &str = "a client can't become part of a command";
