//! Mistakes in the command line: an explanation, and a line to type instead.

use std::io::{self, IsTerminal};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use plan::kind::Role;

use super::cli::Forward;
use super::exit::Exit;
use super::foreign;
use super::output::{self, complain};

/// Reports the result of clap: requested help and version, or an error.
pub(crate) fn mistake(error: &clap::Error) -> Exit {
    let text = error.render();
    if !error.use_stderr() {
        let colour = io::stdout().is_terminal() && colour();
        return if colour { output::print(text.ansi()) } else { output::print(text) };
    }
    let text = text.to_string();
    // The mistake, without the usage that stands below it: `--help` has that.
    let ends = ["\n\nUsage:", "\n\nFor more information", "\n\n  tip:"];
    let wrong = ends.iter().fold(&*text, |text, end| text.split(end).next().unwrap_or(text));
    complain(wrong.trim_end());
    complain(format_args!("  = help: {}", hint(error)));
    Exit::Usage
}

#[expect(clippy::disallowed_methods, reason = "the command may read the environment")]
fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

fn hint(error: &clap::Error) -> String {
    let typed = || match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(typed) if typed.starts_with('-') => Some(typed.clone()),
        _ => None,
    };
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(hint) = typed().and_then(|typed| foreign::hint(&typed))
    {
        return hint;
    }
    let near =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let near = near.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(near) => Some(near.clone()),
        ContextValue::Strings(near) => near.first().cloned(),
        _ => None,
    });
    if let Some(hint) = dashes() {
        return hint;
    }
    if let Some(near) = near {
        // Twisted's spelling of an option is known, and isn't shown.
        return format!("did you mean `{}`?", near.replace("dest_endpoint", "dest-endpoint"));
    }
    if error.kind() == ErrorKind::ArgumentConflict
        && let Some(hint) = given_twice()
    {
        return hint;
    }
    let typed = [ContextKind::InvalidSubcommand, ContextKind::InvalidArg];
    let typed = typed.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(typed) => Some(&**typed),
        _ => None,
    });
    match (error.kind(), typed) {
        (ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument, Some(typed))
            if !typed.starts_with('-') || typed == "-" =>
        {
            let descriptor =
                typed.contains([':', '/']) || typed.parse::<u16>().is_ok() || typed == "-";
            if let Some(second) = behind(typed).filter(|_| descriptor) {
                let (first, second) = (here(typed, Role::Listen), here(&second, Role::Connect));
                let line = format!("give endpoints as options: `-e {first} -d {second}`");
                match typed.parse::<u16>() {
                    // As websockify has it.
                    Ok(port) => format!("{line}; for WebSocket clients, `-e ws:{port}`"),
                    Err(_) => line,
                }
            } else if descriptor {
                let (near, far) = (here(typed, Role::Listen), here(typed, Role::Connect));
                format!("give endpoints as options: `-e {near} -d DESC`, or `-e DESC -d {far}`")
            } else {
                "the commands are `explain`, `kinds`, `help`, `passwd` and `completions`; to forward, type \
                 `-e DESC -d DESC`"
                    .to_owned()
            }
        }
        (ErrorKind::MissingRequiredArgument, _) => {
            let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
            match usage.lines().next().and_then(|line| line.trim().strip_prefix("Usage: ")) {
                Some(form) => format!("the form is `{form}`"),
                None => "`endpointforward --help` lists the options".to_owned(),
            }
        }
        _ => "`endpointforward --help` lists the options".to_owned(),
    }
}

/// An option with one dash too few, or with a word processor's dash: clap reads the first as several short ones.
fn dashes() -> Option<String> {
    std::env::args().skip(1).find_map(|typed| {
        let name = typed.split('=').next().unwrap_or_default();
        let word = name.trim_start_matches(['-', '–', '—', '−']);
        let is_one = |option: &&&str| option.trim_start_matches('-') == word;
        let option = OPTIONS.iter().find(is_one)?;
        (name != *option && name.starts_with(['-', '–', '—', '−']))
            .then(|| format!("write `{option}` instead of `{name}`"))
    })
}

/// `-d` a second time, or a destination without it.
fn given_twice() -> Option<String> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let is_destination = |arg: &&String| matches!(arg.as_str(), "-d" | "--dest-endpoint");
    if args.iter().filter(is_destination).count() > 1 {
        let help = "all `-e` of a command lead to one destination; `-d balance:{DESC}:{DESC}` distributes clients, \
                    and `-d tee:{DESC}:{DESC}` copies what passes";
        return Some(help.to_owned());
    }
    let last = args.last().filter(|last| !last.starts_with('-'))?;
    let has_destination = args.iter().any(|arg| is_destination(&arg));
    (!has_destination).then(|| format!("write `-d {}`", here(last, Role::Connect)))
}

/// The options that people type with another number of dashes.
const OPTIONS: &[&str] = &[
    "-e",
    "-d",
    "--endpoint",
    "--dest-endpoint",
    "--check",
    "--once",
    "--help",
    "--version",
    "--verbose",
    "--quiet",
];

/// The last of two arguments of which `first` is the one in front: socat takes its two addresses like that.
fn behind(first: &str) -> Option<String> {
    let mut args = std::env::args_os().skip_while(|arg| arg != first).skip(1);
    let second = args.next()?.into_string().ok()?;
    (args.next().is_none() && !second.starts_with('-')).then_some(second)
}

/// Checks what clap's definitions can't express.
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
            "no endpoint to listen on is given",
            &format!("endpointforward -e 9000 -d {}", quoted(destination)),
        ),
        ([first, ..], None) => missing(
            "--dest-endpoint",
            "no destination is given",
            &format!("endpointforward -e {} -d tcp:localhost:80", quoted(first)),
        ),
        _ => Ok(()),
    }
}

/// Returns the descriptor for an endpoint in another program's terms, quoted for a shell.
fn here(typed: &str, role: Role) -> String {
    if typed == "-" {
        return "stdio".to_owned();
    }
    match endpoints::translate(typed, role) {
        Some((side, descriptor)) if side == role => quoted(&descriptor),
        _ => quoted(typed),
    }
}

/// A descriptor as it is typed into a shell.
fn quoted(descriptor: &str) -> String {
    crate::manual::shell(descriptor)
}
