//! Mistakes with programs: a kind that is missing, and one that is not a terminal.

use descriptor::{Code, Descriptor, Diagnostic};
use plan::kind::Role;

use super::{mistake, path, wrong};

/// A shell or another program for a terminal.
pub(crate) fn pty(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    if !needs_terminal(kind.as_str()) || role == Role::Listen && kind.as_str().starts_with('/') {
        return None;
    }
    let found = mistake(kind.span(), format!("`{kind}` is a program, and its kind is missing"));
    let program = kind.as_str().replace(' ', ":");
    Some(
        found
            .help(format!("for a terminal, write `pty:{program}`; for pipes, `process:{program}`")),
    )
}

/// The first word of a command is a program that is of no use without a terminal.
pub(super) fn needs_terminal(command: &str) -> bool {
    let name = command.split(' ').next().unwrap_or_default();
    ON_TERMINALS.contains(&name.rsplit('/').next().unwrap_or_default())
}

/// Other programs, and protocols that programs speak.
pub(crate) fn process(descriptor: &Descriptor, role: Role) -> Option<Diagnostic> {
    let kind = descriptor.kind()?;
    if let Some((name, instead)) = ABSENT.iter().find(|(name, _)| *name == kind.as_str()) {
        let found = mistake(kind.span(), format!("the kind `{name}` doesn't exist"));
        return Some(found.help(*instead));
    }
    if let Some(found) = on_terminal(descriptor) {
        return Some(found);
    }
    let path = path(descriptor).filter(|path| path.as_str().contains("/bin/"))?;
    Some(match role {
        Role::Connect => {
            mistake(path.span(), format!("`{path}` is a program, and its kind is missing"))
                .help(format!("for pipes, write `process:{path}`; for a terminal, `pty:{path}`"))
        }
        Role::Listen => {
            mistake(path.span(), format!("`{path}` is a program, but clients connect to `-e`"))
                .help(format!("to start it for each client, write `-d process:{path}`"))
        }
    })
}

/// `process:ls:pty=true`, as socat's EXEC has it.
fn on_terminal(descriptor: &Descriptor) -> Option<Diagnostic> {
    let kind = descriptor.kind().filter(|kind| {
        ["process", "exec"].iter().any(|name| kind.as_str().eq_ignore_ascii_case(name))
    })?;
    let mut named = descriptor.kwargs.iter();
    let (name, value) =
        named.find(|(name, _)| matches!(name.as_str(), "pty" | "tty" | "ctty" | "setsid"))?;
    let source = descriptor.source();
    let start = source.span().start;
    // A terminal has no separate standard error.
    let stderr = descriptor.kwargs.iter().find(|(name, _)| name.as_str() == "stderr");
    let mut left_out = vec![(name, value)];
    left_out.extend(stderr.map(|(name, value)| (name, value)));
    left_out.sort_by_key(|(name, _)| name.span().start);
    let mut line = "pty".to_owned();
    let mut at = kind.span().end - start;
    for (name, value) in left_out {
        line += source.as_str().get(at..name.span().start.checked_sub(start + 1)?)?;
        at = value.span().end - start;
    }
    line += source.as_str().get(at..)?;
    let message = format!("`{kind}` starts programs without a terminal");
    let found = wrong(Code::UnknownKeyword, name.span(), message);
    Some(found.help(format!("write `{line}`")))
}

/// Programs that are of no use without a terminal.
const ON_TERMINALS: [&str; 17] = [
    "ash", "bash", "csh", "dash", "fish", "htop", "ksh", "login", "mc", "nano", "nu", "sh", "tmux",
    "top", "vi", "vim", "zsh",
];

/// Kinds that users look for and that don't exist, and what to use instead.
const ABSENT: [(&str, &str); 1] =
    [("vnc", "use `-d tcp:HOST:5900` for a VNC server, with `-e ws:PORT` for noVNC")];
