//! `pty:PROGRAM:ARGUMENT…`: a program on a pseudo-terminal.
//!
//! 1. [`Start::connect`] opens a pseudo-terminal, gives it its size, and starts the program as the
//!    leader of a session that it controls; `program` watches over it.
//! 2. [`terminal`] is the session's end: bytes and signals.
//!
//! When the session ends, the terminal is closed: the kernel sends SIGHUP to the program, as to a shell whose window
//! is closed; the jobs that it leaves behind get SIGHUP too; after `grace` all of them are killed. Only a process in
//! a separate session (`setsid`, `tmux`) survives.
//!
//! Input that the program doesn't read waits: in the kernel's buffers, then in ours, then at the
//! peer. While the terminal edits lines (canonical mode, the mode of programs that do nothing about
//! it), Linux keeps 4095 bytes of a line and drops the rest of it.

mod locale;
mod size;
mod terminal;

use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use endpoint::{Conn, Connector, Context, Control, Grants, Info, Missing, Result, Signal, Times};
use plan::kind::{
    Args, Example, Framings, Kind, Param, PlanConnect, Planned, Role, Side, Topic, ValueKind,
};
use pty_process::blocking::{Command, open};
use rustix::fs::{Uid, fchown};

use self::locale::Locale;
use self::size::Size;
use self::terminal::{Signals, Terminal};
use crate::frames::{FRAMING, framed};
use crate::program::{
    ARGUMENT, CLEARENV, CWD, ENV, FACTS, FORKING, GROUP, Group, HEADERS, LIMIT, NICE, NO_HOLES,
    PASSENV, PROGRAM, Program, Reach, Recipe, USER, USERS, prepare,
};

/// Programs on a terminal.
pub(crate) static KIND: Kind = Kind {
    slip: Some(crate::slips::pty),
    listen: Some(Side::opened(Times::Again)),
    connect: Some(Side::bytes(PARAMS, PlanConnect::Leaf(plan))),
    examples: &[
        Example {
            role: Role::Connect,
            descriptor: "pty:bash:-l",
            about: "A login shell for each session.",
        },
        Example {
            role: Role::Connect,
            descriptor: "pty:bash:-l:user=${auth.user}:users=ada,bob",
            about: "A login shell of the user that `auth=` admitted; as root.",
        },
        Example {
            role: Role::Connect,
            descriptor: "pty:vim:notes.txt:cwd=/tmp:term=xterm:rows=50:cols=132",
            about: "An editor in a window of 132 columns and 50 rows, unless the client sends another size.",
        },
        Example {
            role: Role::Connect,
            descriptor: "pty:sh:-c:{stty -echo; exec bc -q}:env.LC_ALL=C",
            about: "Disables the terminal's echo, for a client with local echo.",
        },
    ],
    see_also: &["process", "serial"],
    ..Kind::new("pty", "A program on a pseudo-terminal, with job control and a window size")
};

const PARAMS: &[Param] = &[
    PROGRAM,
    ARGUMENT,
    Param::new(
        "term",
        ValueKind::Text,
        "The terminal type, for TERM; xterm.js and most other terminals are `xterm-256color`. For the built-in page, \
         COLORTERM is `truecolor`. If LC_ALL, LC_CTYPE and LANG are unset, LANG is set to a UTF-8 locale.",
    )
    .default("xterm-256color")
    .no_holes(&NO_HOLES),
    Param::new(
        "rows",
        ValueKind::Int(1, Size::MOST as u64),
        "The number of rows at the start, unless the client requests another one (`query` of `ws`). Later, it follows \
         the client's window.",
    )
    .default("24"),
    Param::new(
        "cols",
        ValueKind::Int(1, Size::MOST as u64),
        "The number of columns at the start, unless the client requests another one (`query` of `ws`). Later, it \
         follows the client's window.",
    )
    .default("80"),
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
    FRAMING,
    Param::new(
        "grace",
        ValueKind::Duration,
        "The grace period between SIGHUP at the end of the session and SIGKILL, for the program and the jobs that it \
         leaves behind. When endpointforward stops, it waits for this long, however long it is, unless a second \
         signal arrives. A process survives in a separate session (`setsid`, `tmux`). If the program closes its terminal \
         and runs on, the session waits this long for its exit status.",
    ).topic(Topic::Limits)
    .default("5"),
];

fn plan(args: &Args) -> Planned<Box<dyn Connector>> {
    let side = |name| args.int(name).and_then(|number| u16::try_from(number).ok());
    Ok(Box::new(Start {
        recipe: Recipe::read(args)?,
        term: args.text("term").unwrap_or_default().to_owned(),
        size: Size {
            rows: side("rows").expect("`rows` has a default and a range"),
            cols: side("cols").expect("`cols` has a default and a range"),
        },
        grace: args.duration("grace").expect("`grace` has a default"),
        framing: args.framing("framing")?,
    }))
}

/// A program to be started on a terminal.
#[derive(Debug)]
struct Start {
    recipe: Recipe,
    term: String,
    size: Size,
    grace: Duration,
    framing: Option<Framings>,
}

#[async_trait]
impl Connector for Start {
    async fn connect(&self, cx: &Context, info: &Info) -> Result<Conn> {
        let filled = self.recipe.fill(cx, info).await?;
        let failed = |cause| filled.failed(cause);
        let children = prepare().map_err(failed)?;
        let (master, slave) = {
            // For a moment, `open` has the master open without close-on-exec: a program that is
            // started just then could read this session.
            let _alone = FORKING.write().unwrap_or_else(PoisonError::into_inner);
            open().map_err(|error| failed(io_error(error)))?
        };
        let size = self.size.wanted(info);
        master.resize(size.into()).map_err(|error| failed(io_error(error)))?;
        if let Some(account) = filled.account() {
            // As login(1) does: `screen`, `sudo` and `tmux` open it by its name.
            let uid = Some(Uid::from_raw(account.uid));
            fchown(&slave, uid, None).map_err(|error| failed(error.into()))?;
        }
        let locale = Locale::of(&filled);
        // A browser's text is UTF-8 whatever the locale is.
        let is_page = info.lookup("http", "subprotocol").is_some_and(|name| name == PAGE);
        if is_page || locale != Locale::Other {
            locale::erase_characters(&master).map_err(failed)?;
        }
        let command = filled.command(|command| {
            for name in NOT_ITS {
                command.env_remove(name);
            }
            if locale == Locale::Unset {
                command.env("LANG", locale::UTF_8);
            }
            if is_page {
                command.env("COLORTERM", "truecolor");
            }
            if !self.term.is_empty() {
                command.env("TERM", &self.term);
            }
        });
        let group = {
            let _forking = FORKING.read().unwrap_or_else(PoisonError::into_inner);
            // Our last descriptor of the slave goes with the command: its end is the program's.
            let child = Command::from(command).spawn(slave);
            let child = child.map_err(|error| filled.explain(io_error(error)))?;
            Group::new(filled.name(), child.id(), Reach::Session, children, cx)
        };

        let (control, outgoing, incoming) = Control::pair();
        // The receiver may be gone.
        let _ = outgoing.send(Signal::Title(filled.name()));
        let (leader, signals) = (group.leader(), Signals { outgoing: outgoing.clone(), incoming });
        let program =
            Program { group, grace: self.grace, log: None, outgoing, guard: cx.working() };
        let (exit, ticket) = program.watch();
        let terminal = Terminal::new(master.into(), leader, exit, signals, self.grace, ticket);
        let terminal = terminal.map_err(failed)?;
        let mut conn = Conn::bytes(terminal, Info::new());
        conn.control = control;
        Ok(framed(conn, self.framing.as_ref(), info))
    }

    fn missing(&self, cx: &Context) -> Vec<Missing> {
        self.recipe.missing(cx)
    }

    fn grants(&self) -> Grants {
        Grants::Program
    }
}

fn io_error(error: pty_process::Error) -> std::io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(error) => error.into(),
        #[expect(
            unreachable_patterns,
            reason = "its other errors are those of features that are off"
        )]
        error => std::io::Error::other(error),
    }
}

/// The subprotocol of our page, whose terminal has 24-bit colours.
const PAGE: &str = "endpointforward.v1";

/// Variables of ours that describe our terminal: programs believe them over their own.
const NOT_ITS: [&str; 3] = ["COLUMNS", "LINES", "TERMCAP"];
