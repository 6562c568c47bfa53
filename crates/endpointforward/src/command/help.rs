//! Help for commands and kinds: the definitions, as text.

use crate::manual;
use clap::CommandFactory;
use descriptor::{Text, Url, nearest};
use plan::Registry;
use plan::kind::{Kind, Role, Scheme};

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
    complain(format_args!("error: `{topic}` is neither a kind of endpoint nor a command"));
    let known = names.iter().copied().chain(commands);
    complain(match nearest(topic, known) {
        Some(near) => format!("  = help: did you mean `{near}`?"),
        None => format!("  = help: the kinds are {}", names.join(", ")),
    });
    Exit::Usage
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
