//! The command line of `ssh`.
//!
//! It reads no configuration other than its options: a `ProxyJump` or a forwarding in a user's ~/.ssh/config would
//! change the meaning of the descriptor.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use descriptor::{Code, Diagnostic};
use endpoint::{Context, Error, ErrorKind, Missing, Result};
use plan::kind::{Args, Planned};

use super::key;
use crate::destination::{Family, Host};
use crate::login;

/// The parameters of the connection itself.
#[derive(Debug)]
pub(super) struct Options {
    user: Option<String>,
    key: Key,
    password: Option<PathBuf>,
    known_hosts: Option<String>,
    accept_new: bool,
    name: Option<Host>,
    keepalive: Duration,
}

#[derive(Debug)]
enum Key {
    Any,
    Agent,
    File(String),
}

impl Options {
    pub(super) fn read(args: &Args) -> Planned<Self> {
        let mut mistakes = Vec::new();
        let given = |name: &str| args.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
        for name in ["key", "known-hosts", "password-file", "user"] {
            mistakes.extend(unfit(args, name));
        }
        let keepalive = args.duration("keepalive").unwrap_or_default();
        if keepalive.subsec_nanos() != 0 {
            let message = "`keepalive` must be a number of whole seconds";
            mistakes.push(args.mistake("keepalive", Code::BadValue, message));
        }
        let name = Host::read(args, "name", Family::Any);
        let name = name.map_err(|mistake| mistakes.push(mistake)).ok().flatten();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(Self {
            user: given("user"),
            key: match given("key") {
                None => Key::Any,
                Some(key) if key == "agent" => Key::Agent,
                Some(file) => Key::File(file),
            },
            password: given("password-file").map(PathBuf::from),
            known_hosts: given("known-hosts"),
            accept_new: args.flag("accept-new"),
            name,
            keepalive,
        })
    }

    /// Returns the name that the server's key is known by, if it is given.
    pub(super) fn name(&self) -> Option<&Host> {
        self.name.as_ref()
    }

    /// Returns the named files that don't exist.
    pub(super) fn missing(&self, cx: &Context) -> Vec<Missing> {
        let absent = |name: &'static str, path: &str| {
            let path = home(path, cx);
            let message = || format!("there is no file {}", path.display());
            (!path.exists()).then(|| Missing::of(name, message()))
        };
        let key = match &self.key {
            Key::Any | Key::Agent => None,
            Key::File(file) => absent("key", file),
        };
        // With `accept-new`, `ssh` creates it; it knows `none` and names with tokens such as `%h`.
        let is_name = |name: &&str| !self.accept_new && *name != "none" && !name.contains('%');
        let known = self.known_hosts.as_deref().filter(is_name);
        let known = known.and_then(|known| absent("known-hosts", known));
        let password = self.password.as_deref().and_then(login::absent);
        [key, password, known].into_iter().flatten().collect()
    }

    /// Checks the files and the agent that `ssh` is going to need: its own messages tell little if they are missing.
    ///
    /// # Errors
    /// A file can't be used, or there is no agent.
    pub(super) async fn check(&self, cx: &Context, label: &str) -> Result<()> {
        match &self.key {
            Key::Agent if cx.variable(AGENT).is_none_or(std::ffi::OsStr::is_empty) => {
                let words = format!("there is no agent: {AGENT} is not set");
                let error = Error::new(ErrorKind::NotFound, "connect", label, words);
                return Err(error.with_hint("start one first: `eval $(ssh-agent); ssh-add`"));
            }
            Key::Any | Key::Agent => {}
            Key::File(file) => key::check(&home(file, cx), label).await?,
        }
        if let Some(file) = &self.password {
            tokio::fs::File::open(file).await.map_err(|cause| {
                let hint = format!("the password is to be in `{}`", file.display());
                Error::from_io("connect", label, cause).with_hint(hint)
            })?;
        }
        Ok(())
    }

    /// Adds the options with which `ssh` speaks to `host` over its standard input and output, and does nothing else,
    /// with its control socket in `folder`.
    ///
    /// # Errors
    /// The script that has the password can't be written.
    pub(super) fn tell(
        &self,
        command: &mut Command,
        folder: &Path,
        host: &str,
        port: u16,
    ) -> io::Result<()> {
        command.args(["-F", "none", "-N", "-T"]);
        for option in ALWAYS {
            command.args(["-o", option]);
        }
        let mut option = |name: &str, value: &str| {
            command.args(["-o", &format!("{name}={value}")]);
        };
        option("ControlPath", &quoted(&control(folder).to_string_lossy()));
        option("ServerAliveInterval", &self.keepalive.as_secs().to_string());
        option("StrictHostKeyChecking", if self.accept_new { "accept-new" } else { "yes" });
        if let Some(file) = &self.known_hosts {
            option("UserKnownHostsFile", &quoted(file));
            option("GlobalKnownHostsFile", "/dev/null");
        }
        let mut methods = Vec::new();
        match &self.key {
            Key::Any if self.password.is_some() => {}
            Key::Any => methods.push("publickey"),
            Key::Agent => {
                methods.push("publickey");
                option("IdentityFile", "none");
            }
            Key::File(file) => {
                methods.push("publickey");
                option("IdentityFile", &quoted(file));
                option("IdentitiesOnly", "yes");
                option("IdentityAgent", "none");
            }
        }
        option("BatchMode", if self.password.is_some() { "no" } else { "yes" });
        if self.password.is_some() {
            methods.extend(["password", "keyboard-interactive"]);
        }
        option("PreferredAuthentications", &methods.join(","));
        if let Some(file) = &self.password {
            let script = folder.join("p");
            write_script(&script, file)?;
            command.env("SSH_ASKPASS", script).env("SSH_ASKPASS_REQUIRE", "force");
        }
        if let Some(user) = &self.user {
            command.args(["-l", user]);
        }
        command.args(["-p", &port.to_string(), "--", host]);
        Ok(())
    }
}

/// Returns the control socket's path.
pub(super) fn control(folder: &Path) -> PathBuf {
    folder.join("c")
}

/// Returns an error for a value that can't be passed to `ssh`, whose options can't express some characters.
fn unfit(args: &Args, name: &str) -> Option<Diagnostic> {
    let text = args.text(name)?;
    let odd = text.contains("${") || text.contains(|c: char| c.is_control() || "\"\\".contains(c));
    odd.then(|| {
        let message = format!("`{name}` contains characters that can't be passed to ssh");
        args.mistake(name, Code::BadValue, message)
    })
}

/// A path as an option's value: `%` begins a token.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('%', "%%"))
}

/// `ssh` has ~ mean our user's folder.
fn home(file: &str, cx: &Context) -> PathBuf {
    match (file.strip_prefix("~/"), cx.variable("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(file),
    }
}

/// A program that `ssh` runs to be told the password; it is in no argument and no variable.
fn write_script(script: &Path, password: &Path) -> io::Result<()> {
    let mut text = OsString::from("#!/bin/sh\nexec head -n 1 '");
    text.push(password.to_string_lossy().replace('\'', "'\\''"));
    text.push("'\n");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o700).open(script)?;
    file.write_all(text.as_encoded_bytes())
}

/// Whatever the parameters are.
const ALWAYS: &[&str] = &[
    // Standard input and output are the connection.
    "ProxyCommand=-",
    "ControlMaster=yes",
    "ControlPersist=no",
    "ServerAliveCountMax=3",
    "NumberOfPasswordPrompts=1",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "PermitLocalCommand=no",
    // A list of keys is the user's to change.
    "UpdateHostKeys=no",
    "EscapeChar=none",
    "LogLevel=INFO",
];

const AGENT: &str = "SSH_AUTH_SOCK";
