//! Selects the word to complete: an option, its value, a command, or a descriptor.

use clap::{Arg, Command, CommandFactory};
use plan::Registry;
use plan::kind::Role;

use super::super::cli::Cli;
use super::{Candidate, descriptor};

/// Returns the completions of the last of `words`; those before it are complete.
pub(super) fn candidates(registry: &Registry, words: &[String]) -> Vec<Candidate> {
    let mut root = Cli::command();
    root.build();
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let command = before.iter().find_map(|word| root.find_subcommand(word)).unwrap_or(&root);
    let is_root = command.get_name() == root.get_name();

    if let Some((option, value)) = last.split_once('=').filter(|_| last.starts_with("--")) {
        let Some(arg) = find(command, option) else { return Vec::new() };
        let found = values(registry, arg, value).into_iter();
        let whole = |it: Candidate| Candidate::new(format!("{option}={}", it.word), it.about);
        return found.map(whole).collect();
    }
    if let Some(arg) = before.last().and_then(|option| find(command, option))
        && arg.get_action().takes_values()
    {
        return values(registry, arg, last);
    }
    let mut found = Vec::new();
    if last.starts_with('-') || (is_root && last.is_empty()) {
        found.extend(options(command).filter(|option| option.word.starts_with(last)));
    }
    if is_root && before.is_empty() {
        let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
        let named = commands.map(|it| Candidate::new(it.get_name(), sentence(it.get_about())));
        found.extend(named.filter(|it| it.word.starts_with(last)));
    }
    if !is_root && !last.starts_with('-') {
        let given = before.iter().skip_while(|word| **word != command.get_name()).skip(1);
        let given: Vec<_> = given.filter(|word| !word.starts_with('-')).collect();
        found.extend(positional(registry, command, &given, before, last));
    }
    found
}

/// Completes the arguments of a command: descriptors, kinds and their parameters, shells.
fn positional(
    registry: &Registry,
    command: &Command,
    given: &[&String],
    before: &[String],
    last: &str,
) -> Vec<Candidate> {
    match (command.get_name(), given) {
        ("explain", []) => {
            let is_listening = before.iter().any(|word| word == "--listen");
            let is_connecting = before.iter().any(|word| word == "--connect");
            let roles: &[Role] = match (is_listening, is_connecting) {
                (true, _) => &[Role::Listen],
                (_, true) => &[Role::Connect],
                _ => &[Role::Listen, Role::Connect],
            };
            descriptor::candidates(registry, roles, last)
        }
        ("help", []) => {
            let kinds = registry.kinds().iter().map(|kind| Candidate::new(kind.name, kind.about));
            kinds.filter(|kind| kind.word.starts_with(last)).collect()
        }
        ("help", [kind]) => descriptor::parameters(registry, kind, last),
        _ => {
            let arg = command.get_positionals().nth(given.len());
            arg.map(|arg| values(registry, arg, last)).unwrap_or_default()
        }
    }
}

/// Returns the possible values of an option or a positional argument.
fn values(registry: &Registry, arg: &Arg, typed: &str) -> Vec<Candidate> {
    match arg.get_id().as_str() {
        "endpoint" => descriptor::candidates(registry, &[Role::Listen], typed),
        "dest_endpoint" => descriptor::candidates(registry, &[Role::Connect], typed),
        _ => {
            let values = arg.get_possible_values().into_iter();
            let named = values.map(|it| Candidate::new(it.get_name(), sentence(it.get_help())));
            named.filter(|value| value.word.starts_with(typed)).collect()
        }
    }
}

fn options(command: &Command) -> impl Iterator<Item = Candidate> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| {
        Some(Candidate::new(format!("--{}", arg.get_long()?), sentence(arg.get_help())))
    })
}

fn find<'a>(command: &'a Command, option: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| match option.strip_prefix("--") {
        Some(long) => arg.get_long_and_visible_aliases().is_some_and(|all| all.contains(&long)),
        None => {
            let short = option.strip_prefix('-').and_then(|short| short.chars().next());
            short.is_some() && arg.get_short() == short
        }
    })
}

fn sentence(about: Option<&clap::builder::StyledStr>) -> String {
    let about = about.map(ToString::to_string).unwrap_or_default();
    about.lines().next().unwrap_or_default().to_owned()
}
