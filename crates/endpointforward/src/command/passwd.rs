//! `passwd FILE NAME`: writes a user's line for `auth={htpasswd:FILE}`.
//!
//! The password is read from standard input, not from the arguments, which every user of the machine can see. The file
//! is replaced as a whole, so that no reader sees half of it.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::cli::Passwd;
use super::exit::Exit;
use super::output::complain;

/// Reads the password and writes the line.
pub(crate) fn run(options: &Passwd) -> Exit {
    let Passwd { file, name, read_only } = options;
    // A line that begins with `#` is a comment.
    if name.is_empty() || name.starts_with('#') || name.contains([':', '\n', '\r', '\0']) {
        complain(
            "error: a name is not empty, does not begin with `#`, and has no colon and no line break",
        );
        return Exit::Usage;
    }
    let password = match ask(name) {
        Ok(password) => password,
        Err(error) => {
            complain(format_args!(
                "error: cannot read the password: {}",
                endpoint::describe(&error)
            ));
            return Exit::Io;
        }
    };
    if password.is_empty() || password.len() > LONGEST {
        complain(format_args!("error: a password must have 1 to {LONGEST} bytes"));
        return Exit::Usage;
    }
    let hash = match endpoints::hash_password(&password) {
        Ok(hash) => hash,
        Err(words) => {
            complain(format_args!("error: cannot hash the password: {words}"));
            return Exit::Unavailable;
        }
    };
    let role = if *read_only { ":ro" } else { "" };
    match put(file, name, &format!("{name}:{hash}{role}")) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            complain(format_args!("error: {}: {}", file.display(), endpoint::describe(&error)));
            Exit::Io
        }
    }
}

/// Reads a line; at a terminal without showing it.
fn ask(name: &str) -> io::Result<String> {
    let stdin = io::stdin();
    let mut line = String::new();
    if !stdin.is_terminal() {
        stdin.lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    write!(io::stderr(), "password of {name}: ")?;
    let saved = tcgetattr(&stdin)?;
    let mut silent = saved.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    let read = stdin.lock().read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Flush, &saved)?;
    writeln!(io::stderr())?;
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Puts the line in the place of the user's others, or behind all.
fn put(file: &Path, name: &str, line: &str) -> io::Result<()> {
    let old = match fs::read_to_string(file) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let is_own = |old: &&str| old.split_once(':').is_some_and(|(user, _)| user == name);
    let mut lines: Vec<&str> = old.lines().filter(|old| !is_own(old)).collect();
    lines.push(line);
    let mode = fs::metadata(file).map_or(0o600, |old| old.permissions().mode() & 0o7777);
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let mut new = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    let written = new.write_all((lines.join("\n") + "\n").as_bytes()).and_then(|()| new.sync_all());
    let replaced = written.and_then(|()| fs::rename(&beside, file));
    if replaced.is_err() {
        // There is nothing more to do about it.
        let _ = fs::remove_file(&beside);
    }
    replaced
}

/// bcrypt takes no more into account.
const LONGEST: usize = 72;
