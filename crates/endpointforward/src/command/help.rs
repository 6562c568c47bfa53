//! Help for commands and kinds: the definitions, as text.

use crate::manual;
use clap::CommandFactory;
use descriptor::{Text, Url, nearest};
use plan::Registry;
use plan::kind::{Kind, Param, Role, Scheme, ValueKind, Variant};

use super::cli::Cli;
use super::exit::Exit;
use super::output::{self, complain};

/// `kinds`.
pub(crate) fn kinds(registry: &Registry) -> Exit {
    output::print(manual::matrix(registry, output::columns()))
}

/// `reference`: the generated parts of descriptors.md, between their markers.
pub(crate) fn reference(registry: &Registry) -> Exit {
    let kinds = manual::markdown(registry);
    let facts = manual::facts(registry);
    output::print(format_args!(
        "<!-- generated: kinds -->\n\n{kinds}\n<!-- /generated -->\n\
         <!-- generated: facts -->\n\n{facts}\n<!-- /generated -->\n"
    ))
}

/// `help`, `help COMMAND`, `help KIND`, `help KIND PARAMETER`.
pub(crate) fn help(registry: &Registry, topic: Option<&str>, parameter: Option<&str>) -> Exit {
    let mut command = Cli::command();
    // Fills in what the subcommands' usage lines need.
    command.build();
    let Some(topic) = topic else { return output::print(command.render_help()) };
    if let (Some(subcommand), None) = (command.find_subcommand_mut(topic), parameter) {
        return output::print(subcommand.render_help());
    }
    // The help for a descriptor is the help for its kind.
    let name = topic.split([':', '=']).next().unwrap_or(topic);
    if let Some((kind, _)) = registry.find(name) {
        if let Some(parameter) = parameter {
            return about_parameter(kind, registry, parameter);
        }
        return output::print(manual::about(kind, registry, output::columns()));
    }
    let schemes =
        registry.kinds().iter().flat_map(|kind| kind.schemes.iter().map(move |s| (kind, s)));
    if let Some((kind, scheme)) = schemes.into_iter().find(|(_, scheme)| scheme.name == name) {
        return spelling(kind, scheme);
    }
    let kinds = registry.kinds().iter();
    let mut names: Vec<_> = kinds.clone().map(|kind| kind.name).collect();
    names.extend(kinds.flat_map(|kind| kind.aliases).map(|alias| alias.name));
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    let commands: Vec<_> = commands.map(clap::Command::get_name).collect();
    if commands.contains(&topic) {
        complain(format_args!(
            "error: `{topic}` is a command, and has no parameters\n  = help: write `endpointforward help {topic}`"
        ));
        return Exit::Usage;
    }
    complain(format_args!("error: `{topic}` is neither a kind of endpoint nor a command"));
    let known = names.iter().copied().chain(commands);
    let elsewhere = elsewhere(registry, topic);
    complain(match nearest(topic, known) {
        _ if elsewhere.is_some() => format!("  = help: {}", elsewhere.unwrap_or_default()),
        Some(near) => format!("  = help: did you mean `{near}`?"),
        None => format!("  = help: the kinds are {}", names.join(", ")),
    });
    Exit::Usage
}

/// The name of a part of a kind: a framing, a provider, a parameter, or a value of one with parameters.
fn elsewhere(registry: &Registry, name: &str) -> Option<String> {
    let see =
        |what: &str, topic: &str| Some(format!("it is {what}: see `endpointforward help {topic}`"));
    if registry.framing(name).is_some() {
        return see("a framing", "framed");
    }
    if registry.provider(name).is_some() {
        return see("a provider of `route`", "route");
    }
    // The kind that is asked for most is the one with most parameters.
    let mut kinds: Vec<_> = registry.kinds().iter().collect();
    let params = |kind: &Kind| {
        [Role::Listen, Role::Connect]
            .into_iter()
            .flat_map(|role| registry.params(kind, role))
            .collect::<Vec<_>>()
    };
    kinds.sort_by_key(|kind| std::cmp::Reverse(params(kind).len()));
    let of_kind = |kind: &&&'static Kind, is_it: &dyn Fn(&Param) -> bool| {
        params(kind).into_iter().find_map(|param| {
            let has = |all: &[Variant]| all.iter().any(|variant| variant.name == name);
            let topic = format!("{} {}", kind.name, param.name);
            match param.value {
                _ if is_it(param) => see("a parameter", &topic),
                ValueKind::Variants(all) if has(all) => {
                    see(&format!("a value of `{}`", param.name), &topic)
                }
                _ => None,
            }
        })
    };
    let by_name = kinds.iter().find_map(|kind| of_kind(kind, &|param| param.name == name));
    by_name.or_else(|| kinds.iter().find_map(|kind| of_kind(kind, &|param| param.is_called(name))))
}

/// A URL's scheme: which kind it stands for, or why it can't be had.
fn spelling(kind: &Kind, scheme: &Scheme) -> Exit {
    let url = Url::split(&Text::typed(&format!("{}://localhost:1/", scheme.name)));
    match url.and_then(|url| (scheme.expand)(&url, Role::Connect)) {
        Ok(_) => {
            let (name, scheme) = (kind.name, scheme.name);
            output::print(format_args!(
                "`{scheme}://…` is a spelling of `{name}`: see `help {name}`\n"
            ))
        }
        Err(mistake) => {
            complain(format_args!("error: {}", mistake.message));
            if let Some(help) = mistake.help {
                complain(format_args!("  = help: {help}"));
            }
            Exit::Usage
        }
    }
}

/// `help KIND PARAMETER`.
fn about_parameter(kind: &Kind, registry: &Registry, name: &str) -> Exit {
    if let Some(text) = manual::parameter(kind, name, registry, output::columns()) {
        return output::print(text);
    }
    complain(format_args!("error: `{}` has no parameter `{name}`", kind.name));
    let params = manual::params(kind, registry);
    let help = match nearest(name, params.iter().map(|param| param.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`endpointforward help {}` lists them", kind.name),
    };
    complain(format_args!("  = help: {help}"));
    Exit::Usage
}
