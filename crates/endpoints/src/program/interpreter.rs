//! Which arguments are text that a program runs, or name what it runs.
//!
//! Any word of a command may be a program that runs others (`env`, `timeout`, `sudo`), so each word is looked at. What
//! isn't clear is refused: a value can always be passed as an argument behind, or from the environment.

/// A word of a command: the program, or an argument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word<'a> {
    Known(&'a str),
    /// It has holes, and is this with them.
    Filled(&'a str),
}

/// The code that would be run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// The text, by this program.
    Text(String),
    /// The file that the argument names, run by this program.
    Named(String),
}

impl Runs {
    pub(crate) fn because(&self) -> String {
        match self {
            Self::Text(program) => format!("`{program}` runs this text"),
            Self::Named(program) => format!("it would choose what `{program}` runs"),
        }
    }
}

/// Returns how the word at `index`, which has holes, would be run, if it would. `words` begins with the program.
pub(crate) fn runs(words: &[Word<'_>], index: usize) -> Option<Runs> {
    let Some(Word::Filled(text)) = words.get(index) else { return None };
    for (at, word) in words[..index].iter().enumerate() {
        let Word::Known(word) = word else { continue };
        let name = word.rsplit('/').next().unwrap_or(word);
        let Some(interpreter) = INTERPRETERS.iter().find(|it| it.is_called(name)) else { continue };
        let before = match words[index - 1] {
            Word::Known(before) if index - 1 > at => before,
            _ => "",
        };
        let is_code = interpreter.takes_code(before) || interpreter.has_code(text);
        if interpreter.uses == Uses::All || is_code {
            return Some(Runs::Text(name.to_owned()));
        }
        // Nothing but options stands between, and what has to: it is the script, or the program that this one starts.
        if interpreter.positionals(&words[at + 1..index]) <= interpreter.operands {
            return Some(Runs::Named(name.to_owned()));
        }
        if interpreter.uses == Uses::Script {
            return None;
        }
    }
    None
}

/// A program that runs text or files that it is given.
struct Interpreter {
    /// Its names; one that ends in `*` may go on with a version, as `python3.12`.
    names: &'static [&'static str],
    /// The letters of its options whose argument it runs.
    letters: &'static str,
    /// The same options in words.
    long: &'static [&'static str],
    /// The letters of its options whose argument is a word that it doesn't run.
    args: &'static str,
    /// The number of words before the command, such as the duration of `timeout`.
    operands: usize,
    uses: Uses,
}

/// How a program uses its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uses {
    /// It runs them all, as text.
    All,
    /// The first is a command, or the ones behind it are.
    Command,
    /// The first is text or a file that it runs; those behind it are the script's.
    Script,
}

impl Interpreter {
    const fn new(names: &'static [&'static str], letters: &'static str) -> Self {
        Self { names, letters, long: &[], args: "", operands: 0, uses: Uses::Script }
    }

    /// One that starts another program.
    const fn wrapper(names: &'static [&'static str], letters: &'static str) -> Self {
        Self { uses: Uses::Command, ..Self::new(names, letters) }
    }

    const fn long(mut self, long: &'static [&'static str]) -> Self {
        self.long = long;
        self
    }

    const fn all(names: &'static [&'static str]) -> Self {
        Self { uses: Uses::All, ..Self::new(names, "") }
    }

    const fn args(mut self, args: &'static str) -> Self {
        self.args = args;
        self
    }

    const fn operands(mut self, operands: usize) -> Self {
        self.operands = operands;
        self
    }

    fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|known| match known.strip_suffix('*') {
            Some(known) => name
                .strip_prefix(known)
                .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || "._-".contains(c))),
            None => name == *known,
        })
    }

    /// How many of the words behind its name are neither options, nor arguments of these, nor variables for the
    /// command.
    fn positionals(&self, words: &[Word<'_>]) -> usize {
        let (mut count, mut is_argument) = (0, false);
        for word in words {
            let was_argument = std::mem::take(&mut is_argument);
            let Word::Known(word) = word else { continue };
            if was_argument {
                continue;
            }
            if word.starts_with(['-', '+']) {
                is_argument =
                    !word.starts_with("--") && word.ends_with(|it| self.args.contains(it));
            } else if !(self.uses == Uses::Command && word.contains('=')) {
                count += 1;
            }
        }
        count
    }

    /// Whether the word behind `option` is what it runs: `-c`, `-lc`, `--command`.
    fn takes_code(&self, option: &str) -> bool {
        if option.starts_with("--") {
            return self.long.contains(&option);
        }
        let letters = option.strip_prefix('-').unwrap_or_default();
        letters.contains(|letter| self.letters.contains(letter))
    }

    /// Whether `text` is such an option and what it runs in one: `-c…`, `--eval=…`.
    fn has_code(&self, text: &str) -> bool {
        if text.starts_with("--") {
            let name = text.split('=').next().unwrap_or(text);
            return self.long.contains(&name);
        }
        let before = text.split("${").next().unwrap_or(text);
        self.takes_code(before)
    }
}

const INTERPRETERS: &[Interpreter] = &[
    Interpreter::new(
        &["sh", "bash", "dash", "zsh", "ksh*", "mksh", "ash", "rbash", "fish", "csh", "tcsh"],
        "cC",
    )
    .long(&["--command", "--init-command", "--rcfile", "--init-file"])
    .args("oO"),
    Interpreter::new(&["python*", "pypy*"], "c").args("WX"),
    Interpreter::new(&["perl*"], "eEMmIx").args("I"),
    Interpreter::new(&["ruby*"], "erI").args("CEIr"),
    Interpreter::new(&["node*", "nodejs", "bun", "deno"], "epr")
        .long(&["--eval", "--print", "--require", "--import"])
        .args("r"),
    Interpreter::new(&["php*"], "rBRE")
        .long(&["--run", "--process-begin", "--process-code"])
        .args("cdz"),
    Interpreter::new(&["lua*", "luajit*", "Rscript", "R", "osascript", "elixir", "guile*"], "el")
        .args("l"),
    Interpreter::wrapper(&["script", "expect", "tclsh*", "wish*"], "c")
        .long(&["--command", "--session-command"]),
    // The shell of a user, which is given the rest.
    Interpreter::wrapper(&["su", "runuser"], "c")
        .long(&["--command", "--session-command"])
        .args("Ggsuw")
        .operands(1),
    Interpreter::wrapper(&["flock"], "c").long(&["--command"]).args("Ew").operands(1),
    Interpreter::wrapper(&["env"], "S").long(&["--split-string"]).args("CSu"),
    Interpreter::wrapper(&["timeout"], "").args("ks").operands(1),
    Interpreter::wrapper(&["chroot", "chrt", "gosu", "setuidgid", "su-exec", "taskset"], "")
        .operands(1),
    Interpreter::wrapper(&["chpst"], "").args("/bcdefmnoprtuU"),
    Interpreter::wrapper(&["doas"], "").args("Cu"),
    Interpreter::wrapper(&["exec"], "").args("a"),
    Interpreter::wrapper(&["ionice"], "").args("cn"),
    Interpreter::wrapper(&["nice"], "").args("n"),
    Interpreter::wrapper(&["nsenter"], "").args("GSt"),
    Interpreter::wrapper(&["softlimit"], "").args("acdflmnoprst"),
    Interpreter::wrapper(&["stdbuf"], "").args("eio"),
    Interpreter::wrapper(&["strace"], "").args("EIOPSXaeopsu"),
    Interpreter::wrapper(&["sudo"], "").args("CDRTUghprtu"),
    Interpreter::wrapper(&["systemd-run"], "").args("HMpu"),
    Interpreter::wrapper(&["time"], "").args("fo"),
    Interpreter::wrapper(&["xargs"], "").args("EILPadns"),
    Interpreter::wrapper(
        &[
            "busybox", "fakeroot", "firejail", "nohup", "prlimit", "setpriv", "setsid", "unbuffer",
            "unshare",
        ],
        "",
    ),
    Interpreter::new(&["awk", "gawk", "mawk", "nawk", "sed"], "ef")
        .long(&["--source", "--file", "--expression", "--include"])
        .args("Fv"),
    // They hand all that they are given to a shell, here or elsewhere.
    Interpreter::all(&["eval", "parallel", "remsh", "rsh", "ssh", "watch", "at", "batch"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn because(command: &str) -> Option<String> {
        let words: Vec<_> = command
            .split(' ')
            .map(|word| if word.contains("${") { Word::Filled(word) } else { Word::Known(word) })
            .collect();
        let index = words.iter().position(|word| matches!(word, Word::Filled(_))).expect("a hole");
        runs(&words, index).map(|runs| runs.because())
    }

    #[test]
    fn text_that_a_program_runs_is_found() {
        for (command, program) in [
            ("sh -c ${x}", "sh"),
            ("/bin/bash -lc echo;${x}", "bash"),
            ("bash -o pipefail -c ${x}", "bash"),
            ("zsh -c${x}", "zsh"),
            ("env A=b dash -ec ${x}", "dash"),
            ("fish --command ${x}", "fish"),
            ("fish --command=${x}", "fish"),
            ("python3.12 -c ${x}", "python3.12"),
            ("perl -we ${x}", "perl"),
            ("node --eval=${x}", "node"),
            ("php -r ${x}", "php"),
            ("su alice -c ${x}", "su"),
            ("ssh host ls ${x}", "ssh"),
            ("timeout 5 ruby -e ${x}", "ruby"),
            ("flock /lock node -e ${x}", "node"),
            ("find . -exec sh -c ${x}", "sh"),
        ] {
            assert_eq!(because(command), Some(format!("`{program}` runs this text")), "{command}");
        }
    }

    #[test]
    fn a_client_does_not_choose_what_runs() {
        for (command, program) in [
            ("sh ${x}", "sh"),
            ("bash -e ${x}", "bash"),
            ("python3 -u ${x}", "python3"),
            ("env ${x} ls", "env"),
            ("awk ${x} file", "awk"),
            // Words of options, and those that have to come first, are no script and no program.
            ("bash -o pipefail ${x}", "bash"),
            ("bash -c -o pipefail ${x}", "bash"),
            ("python3 -W ignore ${x}", "python3"),
            ("perl -I lib ${x}", "perl"),
            ("awk -F , -v a=b ${x} file", "awk"),
            ("env -u HOME A=b ${x}", "env"),
            ("timeout 5 ${x}", "timeout"),
            ("timeout -k 1 5 ${x}", "timeout"),
            ("nice -n 5 ${x}", "nice"),
            ("sudo -u bob ${x}", "sudo"),
            ("chroot /srv ${x}", "chroot"),
            ("flock -w 1 /lock ${x}", "flock"),
            ("su alice ${x}", "su"),
        ] {
            let named = Some(format!("it would choose what `{program}` runs"));
            assert_eq!(because(command), named, "{command}");
        }
    }

    #[test]
    fn what_stands_behind_is_an_argument() {
        for command in [
            "sh -c echo\"$1\" sh ${x}",
            "bash -o pipefail -c echo sh ${x}",
            "python3 script.py ${x}",
            "grep -e ${x}",
            "cat ${x}",
            "perl -we print@ARGV ${x}",
            "timeout -k 1 5 cat ${x}",
            "env -u HOME A=b cat ${x}",
            "nice -n 5 cat ${x}",
            "sudo -u bob cat ${x}",
            "chroot /srv cat ${x}",
            "flock -w 1 /lock cat ${x}",
            "su alice -c cat\"$1\" me ${x}",
            "python3 -W ignore script.py ${x}",
            "awk -F , {print$1} ${x}",
        ] {
            assert_eq!(because(command), None, "{command}");
        }
    }
}
