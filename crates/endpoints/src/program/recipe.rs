//! A program as it was planned: the command, its folder and its environment.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::RwLock;

use confine::{Account, Confinement};
use descriptor::{Code, Diagnostic};
use endpoint::{Context, Error, ErrorKind, Info, Missing, Result};
use plan::kind::Args;
use rustix::io::Errno;
use tokio::task::spawn_blocking;

use super::argument::{self, Argument};
use super::facts::{Facts, is_about_a_client};
use super::files::{is_program, is_text, obstacle};
use super::folder;
use super::limits::Limits;
use super::user::Owner;
use crate::slips::foreign_options;

/// Held shared while a program is started, and alone while a descriptor is open that a program
/// which is started just then would inherit.
pub(crate) static FORKING: RwLock<()> = RwLock::new(());

/// A program to be started. Arguments and variables may hold secrets; `Debug` is for plans.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) descriptor: String,
    program: Chosen,
    arguments: Vec<Argument>,
    cwd: Option<PathBuf>,
    variables: Vec<(OsString, Argument)>,
    /// The variables of our environment that it gets; all if it is `None`.
    passed: Option<Vec<String>>,
    facts: Option<Facts>,
    owner: Option<Owner>,
    limits: Limits,
}

/// The choice of the program.
#[derive(Debug)]
enum Chosen {
    Program(String),
    /// The client's URL, among those of this folder.
    In(PathBuf),
}

/// A program to be started for one client.
#[derive(Debug)]
pub(crate) struct Filled<'r> {
    recipe: &'r Recipe,
    program: OsString,
    arguments: Vec<OsString>,
    /// Ours and what is known of the client; a later one of the same name counts.
    environment: Vec<(OsString, OsString)>,
    /// Its own.
    variables: Vec<(OsString, OsString)>,
    confinement: Confinement,
    /// Set if /bin/sh runs it.
    by_shell: bool,
}

impl Recipe {
    /// Reads the parameters of every program.
    pub(crate) fn read(args: &Args) -> Result<Self, Vec<Diagnostic>> {
        let program = args.text("program").unwrap_or_default();
        let mut mistakes = Vec::new();
        let dir = args.text("dir");
        if dir.is_some() {
            for name in ["program", "argument"].into_iter().filter(|name| args.is_given(name)) {
                let message = format!(
                    "with `dir`, the client's URL selects the program, so `{name}` can't be given"
                );
                mistakes.push(args.mistake(name, Code::BadValue, message));
            }
            if !args.flag("facts") {
                let message = "`dir` needs `facts=true`: they contain the client's request";
                mistakes.push(args.mistake("facts", Code::BadValue, message));
            }
        } else if !args.is_given("program") {
            let message = format!("`{}` needs `program`", args.called);
            let help = "the form is `process:PROGRAM[:ARGUMENT]…`, or `process:dir=FOLDER`";
            mistakes.push(args.mistake("program", Code::MissingParameter, message).help(help));
        } else if program.is_empty() {
            mistakes.push(args.mistake("program", Code::BadValue, "`program` is empty"));
        }
        for setting in args.settings() {
            if setting.name.contains(['\0', '=']) || setting.text.contains('\0') {
                let message = format!("`{}` can't be passed to a program", setting.name);
                mistakes.push(args.mistake(&setting.name, Code::BadValue, message));
            }
        }
        let arguments = argument::arguments(args, program, &mut mistakes);
        let variables = argument::variables(args, &mut mistakes);
        let facts = Facts::read(args, &mut mistakes);
        let owner = Owner::read(args, &mut mistakes);
        let limits = Limits::read(args, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        // Quotation marks that a shell has passed on are no part of the name.
        let unquoted = program.trim_matches(['"', '\'']);
        if let Some((name, rest)) = unquoted.split_once(' ').filter(|(name, _)| !name.contains('/'))
        {
            let fields = rest.split_whitespace().collect::<Vec<_>>().join(":");
            let message = format!("`{program}` is taken as one name that contains a space");
            let help = match unquoted.contains(OPERATORS) {
                true => shell_line(args, unquoted),
                false => format!("write arguments as fields: `{}:{name}:{fields}`", args.called),
            };
            args.warn_with_help("program", "space-in-program", message, help);
        }
        let mut typed = args.settings().iter().filter(|it| it.name == "argument");
        if let Some(operator) = typed.find(|argument| is_operator(&argument.text)) {
            let message =
                format!("`{}` is passed to the program: only a shell acts on it", operator.text);
            let words = [program].into_iter().chain(args.rest("argument"));
            let line = words.collect::<Vec<_>>().join(" ");
            args.warn_of(operator, "shell-operator", message, shell_line(args, &line));
        }
        let mut typed = args.settings().iter().filter(|it| it.name == "argument");
        if let Some(quoted) = typed.find(|argument| is_quoted(&argument.text)) {
            let message = "the quotation marks are passed to the program".to_owned();
            let help = format!("write `{{{}}}`", &quoted.text[1..quoted.text.len() - 1]);
            args.warn_of(quoted, "quoted-argument", message, help);
        }
        foreign_options(args, "program");
        let is_chosen = args.flag("clearenv") || args.is_given("passenv");
        Ok(Self {
            descriptor: args.descriptor.clone(),
            program: match dir {
                Some(dir) => Chosen::In(dir.into()),
                None => Chosen::Program(program.to_owned()),
            },
            arguments,
            cwd: args.text("cwd").filter(|cwd| !cwd.is_empty()).map(PathBuf::from),
            variables,
            passed: is_chosen.then(|| args.list("passenv").to_vec()),
            facts,
            owner,
            limits,
        })
    }

    /// A program without parameters: the code that starts it adds its arguments. `descriptor` is for errors.
    pub(crate) fn new(descriptor: String, program: &str) -> Self {
        Self {
            descriptor,
            program: Chosen::Program(program.to_owned()),
            arguments: Vec::new(),
            cwd: None,
            variables: Vec::new(),
            passed: None,
            facts: None,
            owner: None,
            limits: Limits::default(),
        }
    }

    /// Returns why the program can't be started now, as far as files tell.
    pub(crate) fn missing(&self, cx: &Context) -> Vec<Missing> {
        let mut all = Vec::new();
        if self.owner.is_some() {
            all.extend(Owner::forbidden().map(|message| Missing::of("user", message)));
        }
        all.extend(self.limits.forbidden());
        if let Some(cwd) = self.cwd.as_ref().filter(|cwd| !cwd.is_dir()) {
            let message = format!("`cwd` must be a directory, and {} is not one", cwd.display());
            all.push(Missing::of("cwd", message));
            // The program may be in it.
            return all;
        }
        match &self.program {
            Chosen::Program(program) => {
                let message = self.no_program(program, cx);
                all.extend(message.map(|message| Missing::of("program", message)));
            }
            Chosen::In(dir) if dir.is_dir() => {}
            Chosen::In(dir) => {
                let message = format!("there is no folder {}", dir.display());
                all.push(Missing::of("dir", message));
            }
        }
        all
    }

    fn no_program(&self, program: &str, cx: &Context) -> Option<String> {
        // A command line in the name's place has been warned of.
        if program.contains(' ') && !program.contains('/') {
            return None;
        }
        if !program.contains('/') {
            // Without a PATH, the system has a default.
            let path = self.path(cx)?;
            let found = path
                .as_bytes()
                .split(|byte| *byte == b':')
                .any(|folder| is_program(&Path::new(OsStr::from_bytes(folder)).join(program)));
            return (!found).then(|| format!("there is no program `{program}` in PATH"));
        }
        obstacle(&self.place(program), program)
    }

    /// Returns the path of a program that is named by one, which may be relative to `cwd`.
    fn place(&self, program: &str) -> PathBuf {
        match &self.cwd {
            Some(cwd) => cwd.join(program),
            None => PathBuf::from(program),
        }
    }

    /// The PATH that the program is looked for in.
    fn path(&self, cx: &Context) -> Option<OsString> {
        let own = self.variables.iter().rev().find(|(name, _)| name == "PATH");
        match own {
            Some((_, Argument::Known(path))) => Some(path.into()),
            None if self.passes("PATH") => cx.variable("PATH").map(OsStr::to_owned),
            Some(_) | None => None,
        }
    }

    /// Returns `true` if an inherited variable is passed on.
    fn passes(&self, name: &str) -> bool {
        // A service manager's variables are for us alone; those about a client would be taken for its facts.
        let is_kept = OURS.contains(&name) || is_about_a_client(name);
        !is_kept && self.passed.as_ref().is_none_or(|passed| passed.iter().any(|it| it == name))
    }

    /// Returns the program to start for this client. Cancel safe.
    ///
    /// # Errors
    /// A fact is missing, or may not be passed to a program; the client's URL names no program; the program can't have
    /// the user or the limits of `user` and `limit`.
    pub(crate) async fn fill(&self, cx: &Context, info: &Info) -> Result<Filled<'_>> {
        let error = |kind, words: String| Error::new(kind, "start", &*self.descriptor, words);
        let refused = |words| error(ErrorKind::Forbidden, words);
        if let Some(forbidden) = self.limits.forbidden() {
            return Err(error(ErrorKind::Permission, forbidden.message().to_owned()));
        }
        let arguments = self.arguments.iter().map(|argument| argument.fill(info));
        let arguments = arguments.collect::<Result<_, String>>().map_err(refused)?;
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| value.fill(info).map(|value| (name.clone(), value)));
        let variables = variables.collect::<Result<_, String>>().map_err(refused)?;
        let (program, place) = match &self.program {
            Chosen::Program(program) => (OsString::from(program), None),
            Chosen::In(dir) => {
                let Some(path) = info.lookup("http", "path").map(Cow::into_owned) else {
                    let words = "`dir` needs the client's URL, but this client has none";
                    return Err(error(ErrorKind::Unrouted, words.to_owned()));
                };
                let (dir, at) = (dir.clone(), path.clone());
                let found = spawn_blocking(move || folder::script(&dir, &at)).await.ok().flatten();
                let Some((script, place)) = found else {
                    let words = format!("there is no program at {path:?}");
                    return Err(error(ErrorKind::Unrouted, words));
                };
                (script.into_os_string(), Some(place))
            }
        };
        let passed = cx.environment().iter();
        let passed = passed.filter(|(name, _)| name.to_str().is_none_or(|name| self.passes(name)));
        let mut environment: Vec<_> = passed.cloned().collect();
        if let Some(facts) = &self.facts {
            environment.extend(facts.variables(info, place.as_ref()));
        }
        // Programs in Go, and others, refuse their proxy if REQUEST_METHOD suggests CGI: a client could have set it.
        // Ours can't, and a shell in a browser is to reach the network.
        if environment.iter().any(|(name, _)| name.eq_ignore_ascii_case("HTTP_PROXY")) {
            environment.retain(|(name, _)| name != "REQUEST_METHOD");
        }
        let mut account = None;
        if let Some(owner) = self.owner.clone() {
            let asked = info.clone();
            let found = spawn_blocking(move || owner.find(&asked)).await;
            let found = found.map_err(|_| self.failed(io::ErrorKind::Other.into()))?;
            let found = found.map_err(|(kind, words)| error(kind, words))?;
            environment.extend(found.variables);
            account = Some(found.account);
        }
        let limits = self.limits.limits.iter();
        let limits = limits.map(|(_, resource, limit)| (*resource, *limit)).collect();
        let confinement = Confinement { limits, nice: self.limits.nice, account };
        let by_shell = false;
        Ok(Filled {
            recipe: self,
            program,
            arguments,
            environment,
            variables,
            confinement,
            by_shell,
        })
    }

    /// A failure of the system's before there was a program to start.
    pub(crate) fn failed(&self, cause: io::Error) -> Error {
        Error::from_io("start", &*self.descriptor, cause)
    }
}

impl Filled<'_> {
    /// Returns its name in the log.
    pub(crate) fn name(&self) -> String {
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }

    /// Returns the user that it runs as, if it isn't that of this process.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.confinement.account.as_ref()
    }

    /// A variable of its environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        let all = self.environment.iter().chain(&self.variables);
        all.rev().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// The command, without its input and output. `ours` may change our part of its environment
    /// before its own variables come over it.
    pub(crate) fn command(&self, ours: impl FnOnce(&mut Command)) -> Command {
        let mut command = if self.by_shell {
            let mut shell = Command::new("/bin/sh");
            shell.arg(&self.program);
            shell
        } else {
            Command::new(&self.program)
        };
        command.args(&self.arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        ours(&mut command);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(cwd) = &self.recipe.cwd {
            command.current_dir(cwd);
        }
        self.confinement.clone().apply(&mut command);
        command
    }

    /// Has /bin/sh run a script that the system can't start because it has no `#!`, as execvp(3) and shells do. Returns
    /// `false` if `cause` is another one.
    pub(crate) fn fall_back(&mut self, cause: &io::Error) -> bool {
        let program = self.program.to_string_lossy();
        let is_unknown = cause.raw_os_error() == Some(Errno::NOEXEC.raw_os_error());
        // The shell would take such a path for an option.
        let is_path = program.contains('/') && !program.starts_with('-');
        let is_script = is_unknown && is_path && is_text(&self.recipe.place(&program));
        !std::mem::replace(&mut self.by_shell, is_script) && is_script
    }

    /// A failure to start it, with what to do about it.
    pub(crate) fn explain(&self, cause: io::Error) -> Error {
        let program = self.program.to_string_lossy();
        let hint = match (cause.kind(), &self.recipe.cwd) {
            (_, Some(cwd)) if !cwd.is_dir() => {
                format!("`cwd` must be a directory, and {} is not one", cwd.display())
            }
            (io::ErrorKind::NotFound, _) if program.contains('/') => {
                let known = obstacle(&self.recipe.place(&program), &program);
                known.unwrap_or_else(|| {
                    format!("there is no program {program}, or its interpreter is missing")
                })
            }
            (io::ErrorKind::NotFound, _) => {
                format!("there is no `{program}` in PATH; give its path, or install it")
            }
            _ if cause.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
                "the system doesn't permit its `user`, `limit.` or `nice`".to_owned()
            }
            (io::ErrorKind::PermissionDenied, _) if self.recipe.place(&program).is_dir() => {
                format!("{program} is a folder, not a program")
            }
            (io::ErrorKind::PermissionDenied, _) if self.account().is_some() => {
                format!(
                    "{program} must be a file that its `user` may execute, and `cwd` a directory that it may enter"
                )
            }
            (io::ErrorKind::PermissionDenied, _) => {
                format!("{program} must be an executable file (`chmod +x`)")
            }
            _ if cause.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
                "it is neither an executable for this machine nor a script".to_owned()
            }
            _ => return self.failed(cause),
        };
        self.failed(cause).with_hint(hint)
    }

    /// A failure of the system's before there was a program to start.
    pub(crate) fn failed(&self, cause: io::Error) -> Error {
        self.recipe.failed(cause)
    }
}

/// Returns the help to have a shell run a line.
fn shell_line(args: &Args, line: &str) -> String {
    format!("a shell runs a line: `{}:sh:-c:{{{line}}}`", args.called)
}

/// Returns `true` for `"ls -l"`, which a shell has left as it is.
fn is_quoted(argument: &str) -> bool {
    let inner = ['"', '\'']
        .iter()
        .find_map(|mark| argument.strip_prefix(*mark)?.strip_suffix(*mark).map(|it| (it, mark)));
    inner.is_some_and(|(inner, mark)| inner.contains(' ') && !inner.contains(*mark))
}

/// Returns `true` for `|`, `>`, `2>&1` and the like.
fn is_operator(argument: &str) -> bool {
    let rest = argument.trim_start_matches(|c: char| c.is_ascii_digit());
    matches!(rest, "|" | "||" | "&&" | "&" | ";" | ">" | ">>" | "<" | ">&1" | ">&2")
}

/// Characters that only a shell acts on.
const OPERATORS: [char; 5] = ['|', '&', ';', '<', '>'];

/// `sd_listen_fds(3)`, `sd_notify(3)`, `sd_watchdog_enabled(3)`.
const OURS: [&str; 6] = [
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];
