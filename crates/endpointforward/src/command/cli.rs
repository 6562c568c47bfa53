//! The command line, defined: help and completions are made from this and from nothing else.

use std::time::Duration;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use descriptor::Syntax;
use plan::kind::{Value, ValueKind};

/// Forwards any endpoint to any other: TCP, Unix sockets, web sockets, programs, standard input.
/// Endpoints are written as descriptors, such as `tcp:example.com:80`: a kind, then what it needs,
/// separated by colons.
#[derive(Debug, Parser)]
#[command(
    name = "endpointforward",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    max_term_width = 100,
    after_help = EXAMPLES,
    override_usage = "endpointforward --endpoint DESC --dest-endpoint DESC [OPTIONS]\n       \
                      endpointforward COMMAND\n       \
                      endpointforward"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) forward: Forward,
    #[command(flatten)]
    pub(crate) logging: Logging,
}

const EXAMPLES: &str = "\
Examples:
  endpointforward
      Shows your login shell in the browser, to you alone.
  endpointforward -e 9000 -d tcp:example.com:80
      Forwards port 9000 of this machine, loopback only, to example.com.
  endpointforward -e ws:{tcp:9000} -d tcp:localhost:1883
      Lets WebSocket clients talk to an MQTT broker.
  endpointforward -e unix:/tmp/sort.sock -d process:sort
      Starts `sort` for everybody who connects to a Unix socket.

`endpointforward kinds` lists the kinds of endpoint, `endpointforward help tcp` tells of one, and
`endpointforward explain DESC` shows what a descriptor means.

Exit status: 0 when stopped or done, 64 for a mistake in options or descriptors, 69 if an endpoint
can't be opened, 74 if one failed later, 75 if a timer of ours cut the session (--linger,
--idle-timeout, a close or ping timeout, --grace), 76 if a peer ended badly (a WebSocket that
breaks off or closes with another code than 1000, a program that fails), 77 if the system doesn't
permit it. 74 to 76 are those of the last session, with `stdio` or --once.";

/// What to forward and how.
#[derive(Args, Debug)]
pub(crate) struct Forward {
    /// An endpoint to listen on; may be given several times.
    #[arg(short, long, value_name = "DESC", value_parser = Descriptor)]
    pub(crate) endpoint: Vec<String>,
    /// The endpoint to connect to, for each connection that comes in.
    #[arg(short, long, alias = "dest_endpoint", value_name = "DESC", value_parser = Descriptor)]
    pub(crate) dest_endpoint: Option<String>,
    /// Says what is wrong with the descriptors, and opens nothing.
    #[arg(long)]
    pub(crate) check: bool,
    /// Serves one session and ends.
    #[arg(long)]
    pub(crate) once: bool,
    /// Sessions at the same time; one more is refused.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_sessions: Option<usize>,
    /// Ends a session in which nothing moved for so long (30, 1.5, 500ms, 2m), or `off`. Four times as long, up to a
    /// minute, while a peer has something to take: its system says only now and then that it did.
    #[arg(long, value_name = "TIME", default_value = "off", value_parser = limit)]
    pub(crate) idle_timeout: Limit,
    /// How long a session goes on after one side has ended, since the last byte was taken, or `off`. 60 unless given,
    /// and 1 for standard input that stays silent.
    #[arg(long, value_name = "TIME", value_parser = limit)]
    pub(crate) linger: Option<Limit>,
    /// How long sessions may go on after the signal to stop. They are then told their end, which takes the close timeout
    /// (5 s) at most.
    #[arg(long, value_name = "TIME", default_value = "10", value_parser = time)]
    pub(crate) grace: Duration,
    /// How long connecting to the destination may take.
    #[arg(long, value_name = "TIME", default_value = "30", value_parser = time)]
    pub(crate) connect_timeout: Duration,
    /// The language of the descriptors: `extended`, or `twisted` to the letter.
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) syntax: Language,
    /// Threads that forward; more than one are worth it for many sessions of small messages.
    #[arg(long, value_name = "N", default_value = "1", value_parser = threads)]
    pub(crate) threads: usize,
}

/// What is logged. The log goes to standard error.
#[derive(Args, Debug)]
pub(crate) struct Logging {
    /// The form of the log: `pretty` lines for people, or `json`.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) log_format: LogFormat,
    /// Logs more; twice still more. `RUST_LOG`, if set, decides instead.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Logs warnings and errors only.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows what a descriptor means, and opens nothing.
    Explain(Explain),
    /// Lists the kinds of endpoint.
    Kinds,
    /// Tells about a kind of endpoint, or a command.
    Help {
        /// A kind, such as `tcp`, or a command.
        #[arg(value_name = "KIND", value_parser = Descriptor)]
        topic: Option<String>,
        /// A parameter of that kind, to have all about it.
        parameter: Option<String>,
    },
    /// Prints what makes a shell complete our command lines.
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL", value_enum)]
        shell: Shell,
    },
    /// Writes a user's line into a file for `auth={htpasswd:FILE}`; reads the password.
    Passwd(Passwd),
    /// Prints the version.
    Version,
    /// Prints what the last of these words may become; shells ask.
    #[command(hide = true)]
    Complete {
        #[arg(value_name = "WORD", last = true)]
        words: Vec<String>,
    },
    /// Prints the generated part of descriptors.md.
    #[command(hide = true)]
    Reference,
}

/// Shows what a descriptor means, and opens nothing.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The descriptor. `-`: each line of standard input is one, as a JSON string, and is answered
    /// by a line of JSON.
    #[arg(value_name = "DESC", value_parser = Descriptor)]
    pub(crate) descriptor: String,
    /// Answers in one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// The language of the descriptor: `extended`, or `twisted` to the letter.
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) syntax: Language,
    /// As an endpoint to listen on.
    #[arg(long, conflicts_with = "connect")]
    pub(crate) listen: bool,
    /// As an endpoint to connect to.
    #[arg(long)]
    pub(crate) connect: bool,
}

/// Writes a user's line into a file for `auth={htpasswd:FILE}`. The password is a line of standard input; at a terminal
/// it is asked for, and not shown.
#[derive(Args, Debug)]
pub(crate) struct Passwd {
    /// The file; it is made if it isn't there.
    pub(crate) file: std::path::PathBuf,
    /// The user's name.
    pub(crate) name: String,
    /// The user may only watch.
    #[arg(long)]
    pub(crate) read_only: bool,
}

/// [`Syntax`], for clap.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Language {
    /// Twisted's endpoint strings, to the letter.
    Twisted,
    /// Twisted's with braces, URLs and bare ports.
    #[default]
    Extended,
}

impl From<Language> for Syntax {
    fn from(language: Language) -> Self {
        match language {
            Language::Twisted => Self::Twisted,
            Language::Extended => Self::Extended,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line for people.
    #[default]
    Pretty,
    /// A line of JSON.
    Json,
}

/// A time, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "off" => Ok(Limit(None)),
        text => time(text).map(Some).map(Limit).map_err(|error| error + ", or `off`"),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    match Value::read(ValueKind::Duration, text) {
        Some(Value::Duration(time)) => Ok(time),
        _ => Err(format!("it must be {}", ValueKind::Duration.describe())),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "it must be 1 or more".to_owned())
}

/// More of them than the system grants end the runtime with a panic; this is within every default.
fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST_THREADS).contains(number));
    number.ok_or_else(|| format!("it must be a number from 1 to {MOST_THREADS}"))
}

const MOST_THREADS: usize = 256;

/// Any text but none.
#[derive(Clone, Debug)]
struct Descriptor;

impl TypedValueParser for Descriptor {
    type Value = String;

    fn parse_ref(
        &self,
        cmd: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        let value = StringValueParser::new().parse_ref(cmd, arg, value)?;
        // An unset variable of a script is more often the reason than a wish for nothing.
        if value.is_empty() && arg.is_some_and(|arg| arg.get_id() != "descriptor") {
            return Err(
                clap::Error::raw(ErrorKind::InvalidValue, "a descriptor is empty").with_cmd(cmd)
            );
        }
        Ok(value)
    }
}

impl Forward {
    /// Whether nothing at all was asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.endpoint.is_empty() && self.dest_endpoint.is_none()
    }
}
