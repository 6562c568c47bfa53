//! Mistakes in the command line: what is wrong, and what to type instead.

use std::io::{self, IsTerminal};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::cli::Forward;
use super::exit::Exit;
use super::output::{self, complain};

/// What clap found: help and version that were asked for, or a mistake.
pub(crate) fn mistake(error: &clap::Error) -> Exit {
    let text = error.render();
    if !error.use_stderr() {
        let colour = io::stdout().is_terminal() && colour();
        return if colour { output::print(text.ansi()) } else { output::print(text) };
    }
    let text = match io::stderr().is_terminal() && colour() {
        true => text.ansi().to_string(),
        false => text.to_string(),
    };
    complain(text.trim_end());
    if let Some(hint) = hint(error) {
        complain(format_args!("  = help: {hint}"));
    }
    Exit::Usage
}

#[expect(clippy::disallowed_methods, reason = "the command may read the environment")]
fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

fn hint(error: &clap::Error) -> Option<String> {
    let typed = [ContextKind::InvalidSubcommand, ContextKind::InvalidArg]
        .into_iter()
        .find_map(|kind| error.get(kind));
    let Some(ContextValue::String(typed)) = typed else { return None };
    let bare = matches!(error.kind(), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument)
        && !typed.starts_with('-');
    bare.then(|| {
        if typed.contains([':', '/']) || typed.parse::<u16>().is_ok() {
            format!("endpoints are given by name: `-e {typed} -d DESC`, or `-e DESC -d {typed}`")
        } else {
            "the commands are `explain`, `kinds`, `help` and `completions`; to forward, type \
             `-e DESC -d DESC`"
                .to_owned()
        }
    })
}

/// What clap's definitions can't say.
pub(crate) fn check(forward: &Forward) -> Result<(), Exit> {
    let missing = |option: &str, what: &str, example: &str| {
        complain(format_args!(
            "error: `{option}` is missing: {what}\n  = help: for example, `{example}`"
        ));
        Err(Exit::Usage)
    };
    match (&*forward.endpoint, &forward.dest_endpoint) {
        ([], Some(destination)) => missing(
            "--endpoint",
            "there is nothing to listen on",
            &format!("endpointforward -e 9000 -d {}", quoted(destination)),
        ),
        ([first, ..], None) => missing(
            "--dest-endpoint",
            "there is nowhere to forward to",
            &format!("endpointforward -e {} -d tcp:localhost:80", quoted(first)),
        ),
        _ => Ok(()),
    }
}

/// A descriptor as it is typed into a shell.
fn quoted(descriptor: &str) -> String {
    endpointforward::manual::shell(descriptor)
}
