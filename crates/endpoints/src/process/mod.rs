//! `process:PROGRAM:ARGUMENT…`: a program, its standard input and output.
//!
//! 1. [`Start::connect`] starts it in a separate process group; `program` supervises it.
//! 2. [`stream`] is the session's end of its pipes.
//! 3. [`log`] passes its standard error on.

mod log;
mod stream;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::control::channel;
use endpoint::{Conn, Connector, Context, Control, Grants, Info, Missing, Result, Times};
use plan::kind::{
    Alias, Args, Example, Framings, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use tokio::net::unix::pipe::{Receiver, Sender};
use tracing::Instrument;

use self::stream::Pipes;
use crate::frames::{FRAMING, framed};
use crate::program::{
    ARGUMENT, CLEARENV, CWD, DIR, ENV, FACTS, FORKING, Filled, GROUP, Group, HEADERS, LIMIT, NICE,
    PASSENV, PROGRAM, Program, Reach, Recipe, USER, USERS, prepare,
};

/// Programs.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::process),
    aliases: &[Alias { name: "exec", defaults: &[], params: &[], about: "" }],
    listen: Some(Side::opened(Times::Again)),
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
            about: "Starts a shell command with a working directory and an environment variable.",
        },
        Example {
            role: Role::Connect,
            descriptor: "process:dd:{if=/dev/zero}:{bs=1k}:{count=4}:stderr=null",
            about: "Starts a program with arguments that contain `=`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "process:./chat.py:framing=lines",
            about: "Passes each message of a WebSocket client as a line of input, and sends each line of output as a \
                    message.",
        },
        Example {
            role: Role::Connect,
            descriptor: "process:dir=/srv/scripts:framing=lines:user=nobody:limit.cpu=60",
            about: "The path of the client's URL selects a script in the folder, as with websocketd's `--dir`.",
        },
        Example {
            role: Role::Connect,
            descriptor: "process:grep:--:${http.query.word}:notes.txt:cwd=/tmp:clearenv=true",
            about: "Passes a query parameter of the client's URL as an argument, and no environment variables.",
        },
    ],
    see_also: &["stdio", "framed"],
    ..Kind::new("process", "A program's standard input and output")
};

const PARAMS: &[Param] = &[
    Param {
        required: false,
        doc: "The program: a path, or a name that is looked up in PATH. It is not run through a shell, \
            except for a script without `#!`. There is no default; with `dir`, leave it out.",
        ..PROGRAM
    },
    ARGUMENT,
    DIR,
    CWD,
    ENV,
    PASSENV,
    CLEARENV,
    FACTS,
    HEADERS,
    USER,
    GROUP,
    USERS,
    LIMIT,
    NICE,
    Param::new(
        "stderr",
        ValueKind::Choice(&["log", "signal", "merge", "null"]),
        "The use of the program's standard error: `log` writes its lines to the log; `signal` also sends them, apart \
         from the data, to a client that speaks `endpointforward.v1`, such as the built-in page; `merge` sends it \
         together with standard output; `null` discards it.",
    )
    .default("log"),
    FRAMING,
    Param::new(
        "grace",
        ValueKind::Duration,
        "The grace period before SIGTERM once the program's input is closed, and again before SIGKILL; both signals \
         go to its process group. The session of a program that has closed its output and its input waits this long for \
         the exit status. When endpointforward stops, it waits for this long, however long it is, unless a second \
         signal arrives.",
    ).topic(Topic::Limits)
    .default("5"),
];

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    Ok(Box::new(Start {
        recipe: Recipe::read(args)?,
        stderr: match args.text("stderr") {
            Some("signal") => Stderr::Signal,
            Some("merge") => Stderr::Merge,
            Some("null") => Stderr::Null,
            _ => Stderr::Log,
        },
        grace: args.duration("grace").expect("`grace` has a default"),
        framing: args.framing("framing")?,
    }))
}

/// A program to be started.
#[derive(Debug)]
struct Start {
    recipe: Recipe,
    stderr: Stderr,
    grace: Duration,
    framing: Option<Framings>,
}

#[derive(Clone, Copy, Debug)]
enum Stderr {
    Log,
    Signal,
    Merge,
    Null,
}

#[async_trait]
impl Connector for Start {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let mut filled = self.recipe.fill(cx, info).await?;
        let children = prepare().map_err(|cause| filled.failed(cause))?;
        let prepared = self.command(&filled).map_err(|cause| filled.failed(cause))?;
        let (mut command, mut input, mut output, mut errors) = prepared;
        let forking = FORKING.read().unwrap_or_else(PoisonError::into_inner);
        let mut spawned = command.spawn();
        if let Err(cause) = &spawned
            && filled.fall_back(cause)
        {
            let prepared = self.command(&filled).map_err(|cause| filled.failed(cause))?;
            (command, input, output, errors) = prepared;
            spawned = command.spawn();
        }
        let child = spawned.map_err(|cause| filled.explain(cause))?;
        let group = Group::new(filled.name(), child.id(), Reach::Group, children, cx);
        drop(forking);
        // It holds the program's ends of the pipes: they would never end.
        drop(command);

        let (sender, outgoing) = channel();
        let client = matches!(self.stderr, Stderr::Signal).then(|| sender.clone());
        let log = errors.map(|errors| {
            // Its lines are the session's, whose number is in the span.
            tokio::spawn(log::lines(errors, filled.name(), client).in_current_span())
        });
        let program =
            Program { group, grace: self.grace, log, outgoing: sender, guard: cx.working() };
        let (exit, ticket) = program.watch();
        let mut conn =
            Conn::bytes(Pipes::new(input, output, exit, ticket, self.grace), Info::new());
        conn.control = Control { outgoing: Some(outgoing), incoming: None };
        Ok(framed(conn, self.framing.as_ref(), info))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.recipe.missing(cx)
    }

    fn grants(&self) -> Grants {
        Grants::Program
    }
}

impl Start {
    /// The command, and our ends of its pipes.
    fn command(
        &self,
        filled: &Filled<'_>,
    ) -> io::Result<(Command, Sender, Receiver, Option<Receiver>)> {
        let (its_input, input) = io::pipe()?;
        let (output, its_output) = io::pipe()?;
        let (its_errors, errors) = match self.stderr {
            Stderr::Null => (Stdio::null(), None),
            Stderr::Merge => (its_output.try_clone()?.into(), None),
            Stderr::Log | Stderr::Signal => {
                let (errors, its_errors) = io::pipe()?;
                let errors = Receiver::from_owned_fd(OwnedFd::from(errors))?;
                (its_errors.into(), Some(errors))
            }
        };
        let input = Sender::from_owned_fd(input.into())?;
        let output = Receiver::from_owned_fd(output.into())?;
        let mut command = filled.command(|_| ());
        command.process_group(0).stdin(its_input).stdout(its_output).stderr(its_errors);
        Ok((command, input, output, errors))
    }
}
