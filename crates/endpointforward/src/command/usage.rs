//! Mistakes in the command line: an explanation, and a line to type instead.

use std::io::{self, IsTerminal};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use descriptor::quote_positional;
use plan::Registry;
use plan::kind::Role;

use super::cli::Forward;
use super::exit::Exit;
use super::output::{self, complain};
use super::{foreign, habit};
use crate::Endpoints;

/// Reports the result of clap: requested help and version, or an error.
pub(crate) fn mistake(error: &clap::Error, registry: &Registry) -> Exit {
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
    complain(format_args!("  = help: {}", hint(error, registry)));
    Exit::Usage
}

#[expect(clippy::disallowed_methods, reason = "the command may read the environment")]
fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
}

fn hint(error: &clap::Error, registry: &Registry) -> String {
    if let Some(hint) = dashes() {
        return hint;
    }
    let args: Vec<_> = std::env::args().skip(1).collect();
    // A command line with both options is ours, with one mistake in it.
    let is_ours = ["-e", "--endpoint"].iter().any(|option| args.iter().any(|arg| arg == option))
        && ["-d", "--dest-endpoint", "--dest_endpoint"]
            .iter()
            .any(|option| args.iter().any(|arg| arg == option));
    if !is_ours && let Some(hint) = habit::hint(&args, registry) {
        return hint;
    }
    let typed = || match error.get(ContextKind::InvalidArg)? {
        ContextValue::String(typed) if typed.starts_with('-') => Some(typed.clone()),
        _ => None,
    };
    if args.iter().any(|arg| is_configuration(arg)) {
        return CONFIGURATION.to_owned();
    }
    if is_ours && let Some(hint) = apart(&args).or_else(|| value_of_option(&args)) {
        return hint;
    }
    if let Some(hint) = configuration_line(&args).filter(|_| !is_ours) {
        return hint;
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(hint) = typed().and_then(|typed| foreign::hint(&typed))
    {
        return hint;
    }
    let can_be = |typed: &str, role: Role| {
        let endpoints = Endpoints::new().registry(registry.clone());
        match role {
            Role::Listen => endpoints.listener(typed).is_ok(),
            Role::Connect => endpoints.connector(typed).is_ok(),
        }
    };
    let near =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let near = near.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(near) => Some(near.clone()),
        ContextValue::Strings(near) => near.first().cloned(),
        _ => None,
    });
    // They are for the scripts of shells.
    let near = near.filter(|near| !matches!(&**near, "complete" | "reference"));
    if let Some(near) = near {
        // Twisted's spelling of an option is known, and isn't shown.
        return format!("did you mean `{}`?", near.replace("dest_endpoint", "dest-endpoint"));
    }
    if error.kind() == ErrorKind::ArgumentConflict
        && let Some(hint) = given_twice(&can_be)
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
                let (near, far) = (ours(typed, Role::Listen), ours(typed, Role::Connect));
                let listen = format!("`-e {} -d DESC`", quoted(&near));
                let connect = format!("`-e DESC -d {}`", quoted(&far));
                match (can_be(&near, Role::Listen), can_be(&far, Role::Connect)) {
                    (true, false) => format!("give endpoints as options: {listen}"),
                    (false, true) => format!("give endpoints as options: {connect}"),
                    _ => format!("give endpoints as options: {listen}, or {connect}"),
                }
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

/// Words behind a descriptor that belong into it: `-d process:ls -l`, `-e ws:9000 path=/x`.
fn apart(args: &[String]) -> Option<String> {
    let is_side = |arg: &str| matches!(arg, "-e" | "-d" | "--endpoint" | "--dest-endpoint");
    let is_option = |arg: &str| arg.starts_with("--") || ["-v", "-q", "-h", "-V"].contains(&arg);
    for (at, option) in args.iter().enumerate().filter(|(_, arg)| is_side(arg)) {
        let Some(descriptor) = args.get(at + 1) else { continue };
        let behind: Vec<&str> = args[at + 2..]
            .iter()
            .map(String::as_str)
            .take_while(|arg| !is_side(arg) && !is_option(arg))
            .collect();
        if behind.is_empty() {
            continue;
        }
        let kind = descriptor.split(':').next().unwrap_or_default();
        let is_program = matches!(kind, "process" | "pty" | "exec");
        let is_parameter = |word: &&str| {
            word.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            })
        };
        let fields: Vec<_> = match is_program {
            true => behind.iter().map(|word| quote_positional(word)).collect(),
            false if behind.iter().all(is_parameter) => {
                behind.iter().map(|word| (*word).into()).collect()
            }
            false => continue,
        };
        let whole = format!("{descriptor}:{}", fields.join(":"));
        let what = if is_program { "arguments" } else { "parameters" };
        return Some(format!(
            "{what} are fields of the descriptor, joined by `:`: `{option} {}`",
            quoted(&whole)
        ));
    }
    None
}

/// A value of an option in two words, or a negative one: `--idle-timeout 5 minutes`.
fn value_of_option(args: &[String]) -> Option<String> {
    let timed = ["--idle-timeout", "--linger", "--grace", "--connect-timeout"];
    let at = args.iter().position(|arg| timed.contains(&&**arg))?;
    let option = &args[at];
    let is_plain = |arg: &&String| !arg.starts_with("--") && !arg.contains(':');
    match (args.get(at + 1)?, args.get(at + 2).filter(is_plain)) {
        (value, _) if value.starts_with('-') => Some(format!(
            "`{option}` takes a time, such as `30`, `500ms` or `2m`, which can't be negative"
        )),
        (value, Some(unit)) if unit.chars().all(char::is_alphabetic) => {
            let letter = unit.chars().next().filter(|c| matches!(c, 's' | 'm' | 'h'))?;
            Some(format!("number and unit are one word: `{option} {value}{letter}`"))
        }
        _ => None,
    }
}

/// A line of a configuration file as arguments: `bind *:443 ssl crt FILE`, `accept = 443` and `connect = 80`.
fn configuration_line(args: &[String]) -> Option<String> {
    if args.iter().any(|arg| arg.starts_with('-')) {
        return None;
    }
    let translated = |text: &str| endpoints::translate(text, Role::Listen);
    let lines: Vec<_> = match translated(&args.join(" ")) {
        Some(found) if args.len() > 1 => vec![found],
        _ => args.iter().map(|arg| translated(arg)).collect::<Option<_>>()?,
    };
    let mut typed = String::new();
    let (mut listens, mut connects) = (false, false);
    for (side, descriptor) in &lines {
        let option = match side {
            Role::Listen => "-e",
            Role::Connect => "-d",
        };
        listens |= *side == Role::Listen;
        connects |= *side == Role::Connect;
        typed.push_str(&format!(" {option} {}", quoted(descriptor)));
    }
    let (before, behind) =
        (if listens { "" } else { " -e DESC" }, if connects { "" } else { " -d DESC" });
    let is_configuration = args.iter().any(|arg| arg.contains('=')) || args.len() > 2;
    is_configuration.then(|| {
        format!("this is configuration of another program; write `endpointforward{before}{typed}{behind}`")
    })
}

/// `-c /etc/nginx/nginx.conf`, `-f haproxy.cfg`.
fn is_configuration(arg: &str) -> bool {
    let endings = [".conf", ".cfg", ".yaml", ".yml", ".toml", ".ini"];
    !arg.contains(':') && endings.iter().any(|ending| arg.ends_with(ending))
}

const CONFIGURATION: &str = "there is no configuration file: each process has its endpoints on the command line, \
                             `-e … -d …`";

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
fn given_twice(can_be: &dyn Fn(&str, Role) -> bool) -> Option<String> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let is_destination = |arg: &&String| matches!(arg.as_str(), "-d" | "--dest-endpoint");
    if args.iter().filter(is_destination).count() > 1 {
        let help = "all `-e` of a command lead to one destination; `-d balance:{DESC}:{DESC}` distributes clients, \
                    and `-d tee:{DESC}:{DESC}` copies what passes";
        return Some(help.to_owned());
    }
    let last = args.last().filter(|last| !last.starts_with('-'))?;
    let has_destination = args.iter().any(|arg| is_destination(&arg));
    let mut behind = args.iter().skip_while(|arg| !matches!(arg.as_str(), "-e" | "--endpoint"));
    let is_listener = behind.nth(1).is_none_or(|typed| can_be(typed, Role::Listen));
    let is_destination = is_listener && can_be(&ours(last, Role::Connect), Role::Connect);
    (!has_destination && is_destination)
        .then(|| format!("write `-d {}`", here(last, Role::Connect)))
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
    quoted(&ours(typed, role))
}

/// Returns the descriptor for an endpoint in another program's terms.
fn ours(typed: &str, role: Role) -> String {
    if typed == "-" {
        return "stdio".to_owned();
    }
    match endpoints::translate(typed, role) {
        Some((side, descriptor)) if side == role => descriptor,
        _ => typed.to_owned(),
    }
}

/// A descriptor as it is typed into a shell.
fn quoted(descriptor: &str) -> String {
    crate::manual::shell(descriptor)
}
