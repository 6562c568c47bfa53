//! The command line, defined: help and completions are made from this and from nothing else.

use std::time::Duration;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use descriptor::Syntax;
use plan::kind::{Value, ValueKind};

use super::exit;
use crate::manual::wrap;

/// Forwards any endpoint to any other: TCP, Unix sockets, WebSocket, programs, standard input.
/// Endpoints are written as descriptors, such as `tcp:example.com:80`: a kind, then its parameters,
/// separated by colons.
#[derive(Debug, Parser)]
#[command(
    name = "endpointforward",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    max_term_width = HELP_COLUMNS,
    after_help = after_help(),
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
      Prints a link that opens your login shell in a browser, for you only.
  endpointforward -e 9000 -d tcp:example.com:80
      Forwards port 9000 on loopback to example.com.
  endpointforward -e ws:{tcp:9000} -d tcp:localhost:1883
      Connects WebSocket clients to an MQTT broker.
  endpointforward -e unix:/tmp/sort.sock -d process:sort
      Starts `sort` for each client of a Unix socket.

`endpointforward kinds` lists the kinds of endpoint, `endpointforward help tcp` describes one, and
`endpointforward explain DESC` shows the meaning of a descriptor.";

/// Returns what `--help` has after the options.
fn after_help() -> String {
    let mut text = format!("{EXAMPLES}\n\nExit status:\n");
    for (number, about) in exit::statuses() {
        wrap(&mut text, &format!("  {number:>2}  "), 6, about, HELP_COLUMNS);
    }
    text + "\n" + exit::NOTE
}

/// The columns of `--help`, at most.
const HELP_COLUMNS: usize = 100;

/// The options of forwarding.
#[derive(Args, Debug)]
pub(crate) struct Forward {
    /// The endpoint to listen on; may be given several times.
    #[arg(short, long, value_name = "DESC", value_parser = Descriptor)]
    pub(crate) endpoint: Vec<String>,
    /// The destination, to which each client is connected.
    #[arg(short, long, alias = "dest_endpoint", value_name = "DESC", value_parser = Descriptor)]
    pub(crate) dest_endpoint: Option<String>,
    /// Checks the descriptors, reports errors and warnings, and opens nothing.
    #[arg(long)]
    pub(crate) check: bool,
    /// Serves one session, then exits.
    #[arg(long)]
    pub(crate) once: bool,
    /// The maximum number of sessions at the same time; further clients are refused.
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) max_sessions: Option<usize>,
    /// Ends a session in which no data moved for this long (30, 1.5, 500ms, 2m); `off` disables it. While a peer has
    /// unacknowledged data, the limit is four times as long, up to a minute, because acknowledgements are infrequent.
    #[arg(long, value_name = "TIME", default_value = "off", value_parser = limit)]
    pub(crate) idle_timeout: Limit,
    /// Ends a session this long after one side has ended and the last byte was acknowledged; `off` disables it. The
    /// default is 60, and 1 for standard input that stays silent.
    #[arg(long, value_name = "TIME", value_parser = limit)]
    pub(crate) linger: Option<Limit>,
    /// The grace period of sessions after a signal to stop. Sessions that are still open are then closed, within the
    /// close timeout (5 s).
    #[arg(long, value_name = "TIME", default_value = "10", value_parser = time)]
    pub(crate) grace: Duration,
    /// The time limit for connecting to the destination.
    #[arg(long, value_name = "TIME", default_value = "30", value_parser = time)]
    pub(crate) connect_timeout: Duration,
    /// The syntax of descriptors: `extended`, or `twisted` for exactly that of Twisted.
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) syntax: Language,
    /// The number of worker threads; more than one pays off for many sessions of small messages.
    #[arg(long, value_name = "N", default_value = "1", value_parser = threads)]
    pub(crate) threads: usize,
}

/// Options of the log, which goes to standard error.
#[derive(Args, Debug)]
pub(crate) struct Logging {
    /// The format of the log: `pretty` or `json`. A terminal gets `pretty` in lines of its width, 80 to 120 columns; in a
    /// file or a pipe, every record is one line, because log collectors and `grep` work by lines.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) log_format: LogFormat,
    /// Logs more; twice, still more. `RUST_LOG` overrides it.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Logs warnings and errors only.
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the meaning of a descriptor, and opens nothing.
    Explain(Explain),
    /// Lists the kinds of endpoint.
    Kinds,
    /// Describes a kind of endpoint, or a command.
    Help {
        /// A kind, such as `tcp`, or a command.
        #[arg(value_name = "KIND", value_parser = Descriptor)]
        topic: Option<String>,
        /// A parameter of that kind, described in full.
        parameter: Option<String>,
    },
    /// Prints a completion script for a shell.
    Completions {
        /// The shell.
        #[arg(value_name = "SHELL", value_enum)]
        shell: Shell,
    },
    /// Adds or replaces a user in a file for `auth={htpasswd:FILE}`; asks for the password.
    Passwd(Passwd),
    /// Prints the version.
    Version,
    /// Prints the completions of the last word; called by the completion scripts.
    #[command(hide = true)]
    Complete {
        #[arg(value_name = "WORD", last = true)]
        words: Vec<String>,
    },
    /// Prints the generated part of descriptors.md.
    #[command(hide = true)]
    Reference,
}

/// Shows the meaning of a descriptor, and opens nothing.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The descriptor. With `-`, each line of standard input is a descriptor as a JSON string, and
    /// is answered with a line of JSON.
    #[arg(value_name = "DESC", value_parser = Descriptor)]
    pub(crate) descriptor: String,
    /// Prints one line of JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// The syntax of the descriptor: `extended`, or `twisted` for exactly that of Twisted.
    #[arg(long, value_enum, default_value_t, hide_possible_values = true)]
    pub(crate) syntax: Language,
    /// Explains it as an endpoint to listen on.
    #[arg(long, conflicts_with = "connect")]
    pub(crate) listen: bool,
    /// Explains it as an endpoint to connect to.
    #[arg(long)]
    pub(crate) connect: bool,
}

/// Adds or replaces a user in a file for `auth={htpasswd:FILE}`. The password is read from a line of standard input; at
/// a terminal, it is asked for and not echoed.
#[derive(Args, Debug)]
pub(crate) struct Passwd {
    /// The file, which is created if it doesn't exist.
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
    /// Exactly Twisted's endpoint strings.
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
    /// Returns `true` if no endpoint is given at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.endpoint.is_empty() && self.dest_endpoint.is_none()
    }
}
