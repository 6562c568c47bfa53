//! Whole command lines of other programs, `websockify --web DIR 6080 localhost:5900` for one, and the line to type
//! instead.
//!
//! 1. A [`Tool`] has the options of a program as data ([`table`]), and [`given`] reads a command line by them;
//! 2. [`lines`] says what the options and words mean here;
//! 3. the line is shown if both of its endpoints can be planned, and if they may be combined.

mod given;
mod lines;
mod place;
mod table;

use plan::{Registry, Words};

use self::given::Given;
use crate::manual::shell;
use crate::{Endpoints, Forwarder};

/// A program, and how its command line is read.
struct Tool {
    name: &'static str,
    options: &'static [Opt],
    /// Set if everything from the first word on belongs to a program.
    runs: bool,
    /// Returns the line to type, if the options and words are this program's.
    line: fn(&Given<'_>) -> Option<Line>,
}

/// Names of an option, whether it has a value, and its meaning.
struct Opt(&'static str, Takes, Means);

impl Opt {
    fn names(&self) -> Words {
        Words::of(self.0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
}

/// The meaning of an option. A program's own word for it is in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    /// It is the default here, or of no use.
    Default,
    /// It is left out of the line.
    Absent,
    Address,
    Certificate,
    Chain,
    Folder,
    Forward,
    Header,
    Group,
    Insecure,
    Keep,
    Key,
    Kept,
    Listen,
    Login,
    Once,
    Origin,
    Page,
    Path,
    Ping,
    Port,
    Program,
    Remote,
    Scripts,
    Sessions,
    Shell,
    Socks,
    Standard,
    Subprotocol,
    Target,
    Term,
    TargetAddress,
    TargetPort,
    TargetUnix,
    Text,
    Tokens,
    Typing,
    Udp,
    Unix,
    User,
}

/// A line to type.
#[derive(Debug, Default)]
struct Line {
    /// The listener, as it was asked for and then as it may be used with that destination, each with a note.
    listen: Vec<(String, String)>,
    connect: String,
    options: Vec<String>,
    notes: Vec<String>,
}

/// Returns the help for a command line in another program's form: the line to type.
pub(super) fn hint(args: &[String], registry: &Registry) -> Option<String> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // The name of the program may have been left in front.
    let args = match &*args {
        [name, args @ ..] if table::NAMES.contains(name) && !args.is_empty() => args,
        args => args,
    };
    table::TOOLS.iter().find_map(|tool| {
        let given = given::read(tool, args)?;
        let line = (tool.line)(&given)?;
        line.help(tool.name, given.absent(), registry)
    })
}

impl Line {
    fn help(mut self, tool: &str, absent: Option<String>, registry: &Registry) -> Option<String> {
        let fits = |listen: &str| {
            let endpoints = Endpoints::new().registry(registry.clone());
            Forwarder::with(endpoints, &[listen], &self.connect).is_ok()
        };
        let (listen, note) = self.listen.iter().find(|(listen, _)| fits(listen))?;
        let mut line = format!("endpointforward -e {} -d {}", shell(listen), shell(&self.connect));
        for option in &self.options {
            line = format!("{line} {option}");
        }
        let note = Some(note.clone()).filter(|note| !note.is_empty());
        self.notes.extend(note.into_iter().chain(absent));
        let notes: String = self.notes.iter().map(|note| format!("; {note}")).collect();
        Some(format!("this is {tool} form; write `{line}`{notes}"))
    }
}
