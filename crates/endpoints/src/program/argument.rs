//! Arguments and variables that facts are filled into.
//!
//! A fact is text that a client chose, so it may only be a value: never the program, never text that a program runs
//! (`sh -c`), never an option. The known parts are checked when it is planned; a value, when it is filled in.

use std::borrow::Cow;
use std::ffi::OsString;

use descriptor::{Code, Diagnostic, Template};
use endpoint::Info;
use plan::kind::{Args, Setting, Value};

use super::interpreter;

/// An argument, or a variable's value.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    Known(String),
    Filled {
        template: Template,
        /// Characters that the value may not begin with, as it would be an option: none if text precedes it, or if `--`
        /// is an earlier argument.
        options: &'static [char],
    },
}

impl Argument {
    fn of(setting: &Setting, options: &'static [char]) -> Self {
        match &setting.value {
            Value::Template(template) if !template.is_literal() => {
                Self::Filled { template: template.clone(), options }
            }
            _ => Self::Known(setting.text.clone()),
        }
    }

    /// Returns the argument for a client.
    ///
    /// # Errors
    /// In words: a fact is missing, or its value may not be passed.
    pub(crate) fn fill(&self, info: &Info) -> Result<OsString, String> {
        let (template, options) = match self {
            Self::Known(text) => return Ok(text.into()),
            Self::Filled { template, options } => (template, *options),
        };
        let fact = |root: &str, name: &str| -> Option<Cow<'_, str>> { info.lookup(root, name) };
        let filled = template.fill(&fact).map_err(|missing| missing.to_string())?;
        if filled.contains('\0') {
            return Err("the client's value contains a NUL".to_owned());
        }
        if filled.len() > MOST {
            return Err(format!("the client's value is longer than {MOST} bytes"));
        }
        if let Some(sign) = filled.chars().next().filter(|first| options.contains(first)) {
            return Err(format!("the client's value begins with `{sign}` and would be an option"));
        }
        Ok(filled.into())
    }
}

/// Reads the arguments; mistakes go to `found`.
pub(crate) fn arguments(args: &Args, program: &str, found: &mut Vec<Diagnostic>) -> Vec<Argument> {
    let settings: Vec<_> = args.settings().iter().filter(|it| it.name == "argument").collect();
    let mut words = vec![interpreter::Word::Known(program)];
    words.extend(settings.iter().map(|setting| match &setting.value {
        Value::Template(template) if !template.is_literal() => {
            interpreter::Word::Filled(template.source().as_str())
        }
        _ => interpreter::Word::Known(&setting.text),
    }));
    let mut read = Vec::new();
    let mut ended = false;
    for (index, setting) in settings.iter().enumerate() {
        let text = &*setting.text;
        let template = match &setting.value {
            Value::Template(template) if !template.is_literal() => template,
            _ => {
                ended |= text == "--";
                read.push(Argument::Known(text.to_owned()));
                continue;
            }
        };
        let hole = template.holes().next().map_or(setting.span, |hole| hole.span);
        let begins_with_a_hole = template.source().span_of(0..2).start == hole.start;
        let refused = match interpreter::runs(&words, index + 1) {
            Some(runs) => Some(runs.because()),
            // `-${http.path}`: the client would choose the option.
            None if !begins_with_a_hole && text.trim_start_matches('-').starts_with("${") => {
                Some("it would choose an option".to_owned())
            }
            None => None,
        };
        if let Some(because) = refused {
            found.push(refusal("argument", hole, &because));
        }
        let options: &[char] = match interpreter::has_plus_options(&words, index + 1) {
            _ if ended || !begins_with_a_hole => &[],
            true => &['-', '+'],
            false => &['-'],
        };
        read.push(Argument::of(setting, options));
    }
    read
}

/// Reads the variables; mistakes go to `found`.
pub(crate) fn variables(args: &Args, found: &mut Vec<Diagnostic>) -> Vec<(OsString, Argument)> {
    let mut read = Vec::new();
    for setting in args.settings() {
        let Some(name) = setting.name.strip_prefix("env.").filter(|name| !name.is_empty()) else {
            continue;
        };
        if let Value::Template(template) = &setting.value
            && let Some(hole) = template.holes().next()
            && chooses(name)
        {
            let because = "it chooses what the program runs";
            let message =
                format!("`{}` can't contain facts about a client: {because}", setting.name);
            let mistake = Diagnostic::error(
                descriptor::Stage::Plan,
                Code::TemplateRefused,
                hole.span,
                message,
            );
            found.push(
                mistake.help("use a variable of another name, which the program reads as text"),
            );
        }
        read.push((name.into(), Argument::of(setting, &[])));
    }
    read
}

fn refusal(name: &str, span: descriptor::Span, because: &str) -> Diagnostic {
    let message = format!("`{name}` can't contain facts about a client: {because}");
    let help = "pass it as an argument behind that text (`\"$1\"`), or from the environment: `env.X=${…}` and `\"$X\"`; \
                write `\\$` for literal text";
    Diagnostic::error(descriptor::Stage::Plan, Code::TemplateRefused, span, message).help(help)
}

/// Returns `true` if loaders, shells or interpreters read code, or a path to code, from a variable of this name.
fn chooses(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    NAMES.contains(&&*name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

const NAMES: &[&str] = &[
    "AWKLIBPATH",
    "AWKPATH",
    "BASHOPTS",
    "BASH_ENV",
    "BROWSER",
    "CDPATH",
    "CLASSPATH",
    "CURL_HOME",
    "EDITOR",
    "ENV",
    "EXINIT",
    "FPATH",
    "GCONV_PATH",
    "GLOBIGNORE",
    "GNUMAKEFLAGS",
    "HOME",
    "IFS",
    "INPUTRC",
    "KUBECONFIG",
    // Options, and `+!command` is one.
    "LESS",
    "LESSCLOSE",
    "LESSKEY",
    "LESSKEYIN",
    "LESSKEY_CONTENT",
    "LESSOPEN",
    "MAKEFILES",
    "MAKEFLAGS",
    "MANOPT",
    "MANPAGER",
    "PAGER",
    "PATH",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS4",
    "SHELL",
    "SHELLOPTS",
    "TERMCAP",
    "TERMINFO",
    "TERMINFO_DIRS",
    "VIMINIT",
    "VISUAL",
    "WGETRC",
    "ZDOTDIR",
];

const PREFIXES: &[&str] = &[
    "BASH_FUNC_",
    "DOCKER_",
    "DYLD_",
    "GIT_",
    "LD_",
    "LUA_",
    "MALLOC_",
    "NODE_",
    "OPENSSL_",
    "PERL",
    "PHP",
    "PSQL",
    "PYTHON",
    "RUBY",
    "XDG_",
];

/// Proxies, through which a client would have the program's requests go, and commands and options of programs.
const SUFFIXES: &[&str] =
    &["_ASKPASS", "_COMMAND", "_EDITOR", "_OPTIONS", "_OPTS", "_PAGER", "_PROXY", "_RSH", "_SHELL"];

/// The longest value. Linux takes arguments of up to 128 KiB.
const MOST: usize = 64 << 10;
