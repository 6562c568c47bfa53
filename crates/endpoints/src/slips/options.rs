//! Options behind a comma, as socat and ser2net have them, where a path or a program may contain commas.

use plan::kind::Args;

/// Warns of options of another program in the value of a parameter that takes any text.
pub(crate) fn foreign_options(args: &Args, name: &str) {
    let Some(text) = args.text(name).filter(|_| args.is_given(name)) else { return };
    let Some((before, options)) = text.split_once(',') else { return };
    let is_option = |option: &str| {
        let word = option.split('=').next().unwrap_or_default();
        let is_rate = word.strip_prefix('b').is_some_and(|rate| rate.parse::<u32>().is_ok());
        is_rate || OPTIONS.contains(&word)
    };
    if !options.split(',').all(is_option) {
        return;
    }
    let message = format!("`,{options}` is part of `{name}`: parameters are separated by `:`");
    let device = before.starts_with("/dev/tty");
    let help = match device {
        true => {
            let rate = options.split(',').find_map(|option| option.strip_prefix('b'));
            format!("write `serial:{before}:{}`", rate.unwrap_or("115200"))
        }
        // socat's EXEC.
        false if name == "program" => {
            let kind = if options.split(',').any(|it| it == "pty") { "pty" } else { "process" };
            let line = super::line::program(kind, before.trim_matches(['"', '\'']));
            format!("write `{}`", line.unwrap_or_else(|| kind.to_owned()))
        }
        false => format!("omit it; `help {}` lists the parameters", args.called),
    };
    args.warn_with_help(name, "foreign-options", message, help);
}

/// Options of socat's files, sockets and programs, and of ser2net's devices.
const OPTIONS: &[&str] = &[
    "append",
    "cfmakeraw",
    "cr",
    "creat",
    "create",
    "crnl",
    "ctty",
    "echo",
    "excl",
    "fork",
    "group",
    "icanon",
    "ignoreeof",
    "local",
    "mode",
    "nofork",
    "nonblock",
    "perm",
    "pty",
    "raw",
    "rawer",
    "rdonly",
    "rdwr",
    "reuseaddr",
    "seek-end",
    "setsid",
    "sigint",
    "stderr",
    "trunc",
    "unlink",
    "unlink-close",
    "unlink-early",
    "user",
    "wronly",
];
