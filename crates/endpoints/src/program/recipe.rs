//! A program as it was planned: what to start, where, with what.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::RwLock;

use descriptor::{Code, Diagnostic};
use endpoint::{Context, Error};
use plan::kind::{Args, Param, ValueKind};

/// Held shared while a program is started, and alone while a descriptor is open that a program
/// which is started just then would inherit.
pub(crate) static FORKING: RwLock<()> = RwLock::new(());

pub(crate) const PROGRAM: Param = Param::new(
    "program",
    ValueKind::Text,
    "The program: a path, or a name that is looked up in PATH. It is not run through a shell.",
)
.positional()
.required()
.no_holes(NO_HOLES);

pub(crate) const ARGUMENT: Param = Param::new(
    "argument",
    ValueKind::Text,
    "The program's arguments, passed on unchanged. Write an argument that contains `=` or `:` in braces.",
)
.positional()
.rest()
.no_holes(NO_HOLES);

pub(crate) const CWD: Param = Param::new(
    "cwd",
    ValueKind::Text,
    "The program's working directory. The default is that of endpointforward.",
)
.no_holes(NO_HOLES);

pub(crate) const ENV: Param = Param::new(
    "env.",
    ValueKind::Text,
    "A variable to add to the environment that the program inherits.",
)
.prefix()
.no_holes(NO_HOLES);

pub(crate) const NO_HOLES: &str = "a client can't become part of a command";

/// A program to be started. Arguments and variables may hold secrets; `Debug` is for plans.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) descriptor: String,
    program: OsString,
    arguments: Vec<OsString>,
    cwd: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
}

impl Recipe {
    /// Reads what [`PROGRAM`], [`ARGUMENT`], [`CWD`] and [`ENV`] say.
    pub(crate) fn read(args: &Args) -> Result<Self, Vec<Diagnostic>> {
        let program = args.text("program").unwrap_or_default();
        let mut mistakes = Vec::new();
        if program.is_empty() {
            mistakes.push(args.mistake("program", Code::BadValue, "`program` is empty"));
        }
        for setting in args.settings() {
            if setting.name.contains(['\0', '=']) || setting.text.contains('\0') {
                let message = format!("`{}` can't be passed to a program", setting.name);
                mistakes.push(args.mistake(&setting.name, Code::BadValue, message));
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        if let Some((name, rest)) = program.split_once(' ').filter(|(name, _)| !name.contains('/'))
        {
            let fields = rest.split_whitespace().collect::<Vec<_>>().join(":");
            let message = format!(
                "`{program}` is taken as one name that contains a space; write arguments as fields: \
                 `{}:{name}:{fields}`",
                args.called
            );
            args.warn("program", "space-in-program", message);
        }
        Ok(Self {
            descriptor: args.descriptor.clone(),
            program: program.into(),
            arguments: args.rest("argument").map(OsString::from).collect(),
            cwd: args.text("cwd").filter(|cwd| !cwd.is_empty()).map(PathBuf::from),
            variables: args.prefixed("env.").map(|(k, v)| (k.into(), v.into())).collect(),
        })
    }

    /// A program without parameters: whoever starts it adds its arguments. `descriptor` is for errors.
    pub(crate) fn new(descriptor: String, program: &str) -> Self {
        let (arguments, variables) = (Vec::new(), Vec::new());
        Self { descriptor, program: program.into(), arguments, cwd: None, variables }
    }

    /// What it is called in the log.
    pub(crate) fn name(&self) -> String {
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }

    /// A variable of the program's environment: one of its own, or ours.
    pub(crate) fn variable<'a>(&'a self, cx: &'a Context, name: &str) -> Option<&'a OsString> {
        let own = self.variables.iter().rev().find(|(own, _)| own == name);
        own.map(|(_, value)| value).or_else(|| {
            cx.environment().iter().rev().find(|(ours, _)| ours == name).map(|(_, value)| value)
        })
    }

    /// Says why the program can't be started now, as far as files tell.
    pub(crate) fn missing(&self, cx: &Context) -> Option<String> {
        let program = self.program.to_string_lossy();
        if let Some(cwd) = self.cwd.as_ref().filter(|cwd| !cwd.is_dir()) {
            return Some(format!("`cwd` must be a directory, and {} is not one", cwd.display()));
        }
        if !program.contains('/') {
            // Without a PATH, the system has one of its own.
            let path = self.variable(cx, "PATH")?;
            let found = path.as_bytes().split(|byte| *byte == b':').any(|folder| {
                is_program(&Path::new(OsStr::from_bytes(folder)).join(&self.program))
            });
            return (!found).then(|| format!("there is no program `{program}` in PATH"));
        }
        let path = match &self.cwd {
            Some(cwd) => cwd.join(&self.program),
            None => PathBuf::from(&self.program),
        };
        match path.is_file() {
            false => Some(format!("there is no program {program}")),
            true if is_program(&path) => None,
            true => Some(format!("{program} is a file that is not executable (`chmod +x`)")),
        }
    }

    /// The command, without its input and output. `ours` may change our part of its environment
    /// before its own variables come over it.
    pub(crate) fn command(&self, cx: &Context, ours: impl FnOnce(&mut Command)) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        // What a service manager tells us is for nobody else.
        let passed =
            cx.environment().iter().filter(|(name, _)| !OURS.iter().any(|ours| name == ours));
        command.envs(passed.map(|(name, value)| (name, value)));
        ours(&mut command);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command
    }

    /// A failure to start it, with what to do about it.
    pub(crate) fn explain(&self, cause: io::Error) -> Error {
        let program = self.program.to_string_lossy();
        let hint = match (cause.kind(), &self.cwd) {
            (_, Some(cwd)) if !cwd.is_dir() => {
                format!("`cwd` must be a directory, and {} is not one", cwd.display())
            }
            (io::ErrorKind::NotFound, _) if program.contains('/') => {
                format!("there is no program {program}, or its interpreter is missing")
            }
            (io::ErrorKind::NotFound, _) => {
                format!("there is no `{program}` in PATH; give its path, or install it")
            }
            (io::ErrorKind::PermissionDenied, _) => {
                format!("{program} must be an executable file (`chmod +x`)")
            }
            _ if cause.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
                "it is not an executable for this machine; a script must begin with `#!`, as in `#!/bin/sh`".to_owned()
            }
            _ => return self.failed(cause),
        };
        self.failed(cause).with_hint(hint)
    }

    /// A failure of the system's before there was a program to start.
    pub(crate) fn failed(&self, cause: io::Error) -> Error {
        Error::from_io("start", &*self.descriptor, cause)
    }
}

/// `sd_listen_fds(3)`, `sd_notify(3)`, `sd_watchdog_enabled(3)`.
const OURS: [&str; 6] = [
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
