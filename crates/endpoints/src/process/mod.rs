//! `process:PROGRAM:ARGUMENT…`: a program, its standard input and output.
//!
//! 1. [`Start::connect`] starts it in a process group of its own.
//! 2. [`stream`] is the session's end of its pipes.
//! 3. [`supervise`] watches it in a task that outlives the session: the program is asked, then
//!    told, then made to end, and always reaped.
//! 4. [`log`] passes its standard error on.

mod log;
mod stream;
mod supervise;

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use endpoint::control::channel;
use endpoint::kind::{
    Alias, Args, Example, Kind, Param, PlanConnect, PlanListen, Planned, Role, Side, ValueKind,
};
use endpoint::{Conn, Connector, Context, Control, Error, Grants, Info, Result, Times};
use rustix::process::Pid;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use self::stream::Pipes;
use self::supervise::{Group, Program, supervise};

/// Programs.
pub(crate) static KIND: Kind = Kind {
    aliases: &[Alias { name: "exec", defaults: &[], params: &[], about: "" }],
    listen: Some(Side::bytes(PARAMS, PlanListen::Opened(Times::Again))),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "process:cat",
            about: "Starts `cat` for each session.",
        },
        Example {
            role: Role::Connect,
            descriptor: "process:sh:-c:{exec sort | uniq -c}:cwd=/tmp:env.LC_ALL=C",
            about: "Starts a shell command in a directory and with a variable set.",
        },
        Example {
            role: Role::Connect,
            descriptor: "process:dd:{if=/dev/zero}:{bs=1k}:{count=4}:stderr=null",
            about: "Arguments with `=` stand in braces.",
        },
    ],
    see_also: &["stdio"],
    ..Kind::new("process", "A program's standard input and output")
};

const PARAMS: &[Param] = &[
    Param::new(
        "program",
        ValueKind::Text,
        "The program: a path, or a name to be found in PATH. No shell reads it.",
    )
    .positional()
    .required()
    .no_holes(NO_HOLES),
    Param::new(
        "argument",
        ValueKind::Text,
        "Its arguments, each as it stands; one that has `=` or `:` in it stands in braces.",
    )
    .positional()
    .rest()
    .no_holes(NO_HOLES),
    Param::new("cwd", ValueKind::Text, "The directory that it runs in; ours if it isn't given.")
        .no_holes(NO_HOLES),
    Param::new("env.", ValueKind::Text, "A variable for its environment, beside those of ours.")
        .prefix()
        .no_holes(NO_HOLES),
    Param::new(
        "stderr",
        ValueKind::Choice(&["log", "merge", "null"]),
        "Where its standard error goes: line by line to our log, into the session with its \
         standard output, or nowhere.",
    )
    .default("log"),
    Param::new(
        "grace",
        ValueKind::Duration,
        "How long it may take to end once its input is closed, before SIGTERM, and then before \
         SIGKILL, which go to its process group.",
    )
    .default("5"),
];

const NO_HOLES: &str = "what a peer says never becomes part of a command";

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let program = args.text("program").unwrap_or_default();
    let arguments: Vec<_> = args.rest("argument").map(OsString::from).collect();
    let mut mistakes = Vec::new();
    if program.is_empty() {
        mistakes.push(args.mistake("program", "bad-value", "`program` is empty"));
    }
    for setting in args.settings() {
        if setting.name.contains(['\0', '=']) || setting.text.contains('\0') {
            let message = format!("`{}` can't be passed to a program", setting.name);
            mistakes.push(args.mistake(&setting.name, "bad-value", message));
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Box::new(Start {
        descriptor: args.descriptor.clone(),
        program: program.into(),
        arguments,
        cwd: args.text("cwd").filter(|cwd| !cwd.is_empty()).map(PathBuf::from),
        variables: args.prefixed("env.").map(|(k, v)| (k.into(), v.into())).collect(),
        stderr: match args.text("stderr") {
            Some("merge") => Stderr::Merge,
            Some("null") => Stderr::Null,
            _ => Stderr::Log,
        },
        grace: args.duration("grace").expect("`grace` has a default"),
    }))
}

/// A program to be started. Arguments and variables may hold secrets; `Debug` is for plans.
#[derive(Debug)]
struct Start {
    descriptor: String,
    program: OsString,
    arguments: Vec<OsString>,
    cwd: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
    stderr: Stderr,
    grace: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Stderr {
    Log,
    Merge,
    Null,
}

#[async_trait]
impl Connector for Start {
    async fn connect(&self, cx: &Context, _: &Info) -> Result<Conn> {
        let failed = |cause| Error::from_io("start", &*self.descriptor, cause);
        // Listening for its end begins before it can end.
        let children = signal(SignalKind::child()).map_err(failed)?;
        let (mut command, input, output, errors) = self.command(cx).map_err(failed)?;
        let child = command.spawn().map_err(|cause| self.explain(cause))?;
        // It holds the program's ends of the pipes: they would never end.
        drop(command);

        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        let name = name.to_string_lossy().into_owned();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a process number is positive and fits pid_t");
        let (say, says) = channel();
        let (exited, exit) = oneshot::channel();
        let (session, ended) = oneshot::channel();
        let log = errors.map(|errors| tokio::spawn(log::lines(errors, name.clone())));
        let program = Program {
            group: Group::new(pid),
            name,
            grace: self.grace,
            log,
            say,
            _guard: cx.working(),
        };
        tokio::spawn(supervise(program, children, exited, ended));
        let mut conn =
            Conn::bytes(Pipes::new(input, output, exit, session, self.grace), Info::new());
        conn.control = Control { says: Some(says), takes: None };
        Ok(conn)
    }

    fn grants(&self) -> Grants {
        Grants::Program
    }
}

impl Start {
    /// The command, and our ends of its pipes.
    fn command(&self, cx: &Context) -> io::Result<(Command, Sender, Receiver, Option<Receiver>)> {
        let (its_input, input) = io::pipe()?;
        let (output, its_output) = io::pipe()?;
        let (its_errors, errors) = match self.stderr {
            Stderr::Null => (Stdio::null(), None),
            Stderr::Merge => (its_output.try_clone()?.into(), None),
            Stderr::Log => {
                let (errors, its_errors) = io::pipe()?;
                let errors = Receiver::from_owned_fd(OwnedFd::from(errors))?;
                (its_errors.into(), Some(errors))
            }
        };
        let input = Sender::from_owned_fd(input.into())?;
        let output = Receiver::from_owned_fd(output.into())?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(cx.environment().iter().map(|(name, value)| (name, value)))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(its_input)
            .stdout(its_output)
            .stderr(its_errors);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        Ok((command, input, output, errors))
    }

    fn explain(&self, cause: io::Error) -> Error {
        let program = self.program.to_string_lossy();
        let hint = match (cause.kind(), &self.cwd) {
            (_, Some(cwd)) if !cwd.is_dir() => {
                format!("`cwd` must be a directory, and {} is none", cwd.display())
            }
            (io::ErrorKind::NotFound, _) if program.contains('/') => {
                format!("there is no program {program}, or its interpreter is missing")
            }
            (io::ErrorKind::NotFound, _) => {
                format!("there is no `{program}` in PATH; give its path, or install it")
            }
            (io::ErrorKind::PermissionDenied, _) => {
                format!("{program} must be a file that may be executed (`chmod +x`)")
            }
            _ if cause.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
                "it is not a program of this machine; a script begins with `#!/bin/sh`".to_owned()
            }
            _ => return Error::from_io("start", &*self.descriptor, cause),
        };
        Error::from_io("start", &*self.descriptor, cause).with_hint(hint)
    }
}
