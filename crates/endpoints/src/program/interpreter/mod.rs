//! Which arguments are text that a program runs, or name what it runs.
//!
//! Neither a list of safe programs nor one of dangerous programs can be complete. So there are three rules, each safe
//! where the one before knows nothing:
//!
//! 1. A known program ([`INTERPRETERS`]) is read as its man page describes. Any word of a command may be a program that
//!    runs others (`env`, `timeout`, `sudo`), so each word is looked at. Unclear commands are refused: a value can
//!    always be passed as an argument behind, or from the environment.
//! 2. A long option whose name tells that it runs its argument (`--command`, `--rsh`) is refused for every program.
//! 3. Every other program gets a value as an argument, and never as an option: most read it as data.

mod table;

use table::{INTERPRETERS, Interpreter, TELLING, Uses};

/// A word of a command: the program, or an argument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word<'a> {
    Known(&'a str),
    /// It has holes, and is this with them.
    Filled(&'a str),
}

impl<'a> Word<'a> {
    /// Returns the name of the program, if it is one.
    fn name(self) -> &'a str {
        match self {
            Self::Known(word) => word.rsplit('/').next().unwrap_or(word),
            Self::Filled(_) => "",
        }
    }

    fn text(self) -> &'a str {
        match self {
            Self::Known(word) | Self::Filled(word) => word,
        }
    }
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
    if index > 0 && (index > 1 && is_telling(words[index - 1].text()) || is_assigned(text)) {
        return Some(Runs::Text(words[0].name().to_owned()));
    }
    for (at, interpreter) in known(words, index) {
        let behind = &words[at + 1..index];
        let name = || interpreter.called(&words[..=at]);
        if interpreter.runs_text(behind, text) {
            return Some(Runs::Text(name()));
        }
        if !interpreter.bundled.is_empty() && behind.is_empty() && !text.starts_with('-') {
            return Some(Runs::Named(name()));
        }
        // Nothing but options stands between, and what has to: it is the script, or the program that this one starts.
        if interpreter.chooses(behind, &words[index + 1..]) {
            return Some(Runs::Named(name()));
        }
        if interpreter.uses == Uses::Script {
            return None;
        }
    }
    None
}

/// Returns `true` if a value that begins with `+` would be an option of a program before `index`.
pub(crate) fn has_plus_options(words: &[Word<'_>], index: usize) -> bool {
    known(words, index).any(|(_, interpreter)| interpreter.plus)
}

/// The known programs before `index`, and their places.
fn known<'w>(
    words: &'w [Word<'_>],
    index: usize,
) -> impl Iterator<Item = (usize, &'static Interpreter)> + 'w {
    words[..index].iter().enumerate().filter_map(|(at, word)| {
        let found = INTERPRETERS.iter().find(|it| it.is(word.name(), &words[..at]));
        found.map(|interpreter| (at, interpreter))
    })
}

/// `--eval=${…}`.
fn is_assigned(text: &str) -> bool {
    text.split_once('=').is_some_and(|(option, _)| is_telling(option))
}

/// Returns `true` if the name of this option tells that its argument is run.
fn is_telling(option: &str) -> bool {
    let (name, is_long) = match option.strip_prefix("--") {
        Some(name) => (name, true),
        None => (option.strip_prefix('-').unwrap_or_default(), false),
    };
    // Letters of one dash are one word, or options that are written together.
    if is_long { name.split('-').any(|it| TELLING.contains(it)) } else { TELLING.contains(name) }
}

impl Interpreter {
    /// Returns `true` if the word `name`, behind these, is this interpreter.
    fn is(&self, name: &str, before: &[Word<'_>]) -> bool {
        let is_called = self.names.iter().any(|known| match known.strip_suffix('*') {
            Some(known) => name
                .strip_prefix(known)
                .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || "._-".contains(c))),
            None => name == known,
        });
        is_called && (self.under.is_empty() || self.parent(before).is_some())
    }

    /// The program whose subcommand it is.
    fn parent<'a>(&self, before: &[Word<'a>]) -> Option<&'a str> {
        before.iter().map(|word| word.name()).find(|name| self.under.contains(name))
    }

    /// Its name for a message; it is the last of the words.
    fn called(&self, words: &[Word<'_>]) -> String {
        let Some((name, before)) = words.split_last() else { return String::new() };
        match self.parent(before) {
            Some(parent) => format!("{parent} {}", name.name()),
            None => name.name().to_owned(),
        }
    }

    /// Returns `true` if it runs `text`, which stands behind these words, as text.
    fn runs_text(&self, behind: &[Word<'_>], text: &str) -> bool {
        let before = behind.last().map_or("", |word| word.text());
        self.uses == Uses::All
            || self.takes_code(before)
            || self.has_code(text)
            || self.takes_in_turn(behind)
            || self.plus && text.starts_with('+')
            || behind.iter().any(|word| self.is_all_with(word.text()))
    }

    /// Returns `true` if the word behind these is taken by a letter that runs it, of those in the first word.
    fn takes_in_turn(&self, behind: &[Word<'_>]) -> bool {
        let Some((first, taken)) = behind.split_first() else { return false };
        let letters = first.text();
        let mut takers = letters.chars().filter(|letter| self.bundled.contains(*letter));
        !letters.starts_with('-')
            && takers.nth(taken.len()).is_some_and(|letter| self.letters.contains(letter))
    }

    /// Returns `true` if the word behind these, and before those, would be the program or the script.
    fn chooses(&self, behind: &[Word<'_>], after: &[Word<'_>]) -> bool {
        if self.uses == Uses::Options {
            return false;
        }
        let is_end = |word: &Word<'_>| matches!(word, Word::Known("--"));
        let is_clear = !self.dashes || after.iter().any(is_end);
        let chooses = match behind.iter().position(is_end) {
            Some(end) if self.dashes => return end + 1 == behind.len(),
            _ => self.dashes || self.positionals(behind) <= self.operands,
        };
        chooses && !(self.may_choose && is_clear && self.is_operand(behind))
    }

    /// How many of the words behind its name are certain to be neither options, nor arguments of these, nor variables
    /// for the command.
    fn positionals(&self, words: &[Word<'_>]) -> usize {
        let (mut count, mut is_argument, mut is_ended) = (0, false, false);
        for word in words {
            let text = word.text();
            if std::mem::take(&mut is_argument) {
                continue;
            }
            if text == "--" {
                is_ended = true;
            } else if !is_ended && text.starts_with(['-', '+']) {
                is_argument = self.may_take(text);
            } else if !(self.uses == Uses::Command && text.contains('=')) {
                count += 1;
            }
        }
        count
    }

    /// Returns `true` if the word behind these is certain to be one of the words before the command.
    fn is_operand(&self, words: &[Word<'_>]) -> bool {
        let most = words.iter().filter(|word| !word.text().starts_with('-')).count();
        most < self.operands && !words.last().is_some_and(|word| self.may_take(word.text()))
    }

    /// Returns `true` if the word behind this one may be the argument of an option.
    fn may_take(&self, option: &str) -> bool {
        if self.flags.contains(option) {
            return false;
        }
        if option.starts_with("--") {
            return !option.contains('=');
        }
        option.starts_with(['-', '+']) && option.ends_with(|it| self.args.contains(it))
    }

    /// Returns `true` if it runs the word behind `option`: `-c`, `-lc`, `--command`.
    fn takes_code(&self, option: &str) -> bool {
        if option.starts_with("--") || self.long.contains(option) {
            return self.long.contains(option);
        }
        let letters = option.strip_prefix('-').unwrap_or_default();
        letters.contains(|letter| self.letters.contains(letter))
    }

    /// Returns `true` if `text` is both such an option and the code that it runs: `-c…`, `--eval=…`.
    fn has_code(&self, text: &str) -> bool {
        if text.starts_with("--") {
            let name = text.split('=').next().unwrap_or(text);
            return self.long.contains(name);
        }
        let before = text.split("${").next().unwrap_or(text);
        self.takes_code(before)
    }

    /// Returns `true` if this is an option that has it run all arguments: `-ne`.
    fn is_all_with(&self, option: &str) -> bool {
        let letters = option.strip_prefix('-').unwrap_or_default();
        let letters = letters.chars().take_while(|it| !self.letters.contains(*it));
        letters.into_iter().any(|letter| self.all_with.contains(letter))
    }
}

#[cfg(test)]
mod tests;
