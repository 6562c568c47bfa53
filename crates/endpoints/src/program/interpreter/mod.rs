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
            || self.plus && text.starts_with('+')
            || behind.iter().any(|word| self.is_all_with(word.text()))
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
mod tests {
    use super::*;

    fn words(command: &str) -> (Vec<Word<'_>>, usize) {
        let words: Vec<_> = command
            .split(' ')
            .map(|word| if word.contains("${") { Word::Filled(word) } else { Word::Known(word) })
            .collect();
        let index = words.iter().rposition(|word| matches!(word, Word::Filled(_)));
        (words, index.expect("a hole"))
    }

    fn because(command: &str) -> Option<String> {
        let (words, index) = words(command);
        runs(&words, index).map(|runs| runs.because())
    }

    /// Commands, and the program that runs the text.
    const TEXTS: &[(&str, &str)] = &[
        ("sh -c ${x}", "sh"),
        ("/bin/bash -lc echo;${x}", "bash"),
        ("bash -o pipefail -c ${x}", "bash"),
        ("bash +${x}", "bash"),
        ("zsh -c${x}", "zsh"),
        ("env A=b dash -ec ${x}", "dash"),
        ("env -S ${x}", "env"),
        ("env -S${x}", "env"),
        ("env --split-string=${x}", "env"),
        ("fish --command ${x}", "fish"),
        ("fish --command=${x}", "fish"),
        ("python3.12 -c ${x}", "python3.12"),
        ("perl -we ${x}", "perl"),
        ("perl -ne print ${x}", "perl"),
        ("perl -lane print -- ${x}", "perl"),
        ("perl -pe 1 ${x}", "perl"),
        ("node --eval=${x}", "node"),
        ("deno -e ${x}", "deno"),
        ("php -r ${x}", "php"),
        ("julia -e ${x}", "julia"),
        ("su alice -c ${x}", "su"),
        ("su --command=${x} alice", "su"),
        ("script -qc ${x} /dev/null", "script"),
        ("ssh host ls ${x}", "ssh"),
        ("sshpass -p secret ssh ${x}", "ssh"),
        ("scp ${x} host:", "scp"),
        ("parallel echo ${x}", "parallel"),
        ("watch ls ${x}", "watch"),
        ("timeout 5 ruby -e ${x}", "ruby"),
        ("flock /lock node -e ${x}", "node"),
        ("find . -exec sh -c ${x}", "sh"),
        ("find . -exec ${x} ;", "find"),
        ("find . -execdir ${x} ;", "find"),
        ("find . -ok ${x} ;", "find"),
        ("docker exec -it app sh -c ${x}", "sh"),
        ("podman run --rm alpine sh -c ${x}", "sh"),
        ("kubectl exec pod -- bash -c ${x}", "bash"),
        ("kubectl run pod --image=${x} -- sh", "kubectl run"),
        ("gdb -ex ${x}", "gdb"),
        ("gdb -x ${x}", "gdb"),
        ("gdb --eval-command=${x}", "gdb"),
        ("lldb -o ${x}", "lldb"),
        ("tmux new-session -A -s ${x}", "tmux"),
        ("tmux attach -t ${x}", "tmux"),
        ("screen -X ${x}", "screen"),
        ("make ${x}", "make"),
        ("make -C src all CC=${x}", "make"),
        ("git -c ${x} log", "git"),
        ("git -calias.x=${x} x", "git"),
        ("git --exec-path=${x} log", "git"),
        ("git bisect run ${x}", "git run"),
        ("git rebase --exec ${x}", "git"),
        ("vim -c ${x}", "vim"),
        ("vim --cmd ${x}", "vim"),
        ("vi +${x} file", "vi"),
        ("ex -c ${x}", "ex"),
        ("emacs --eval=${x}", "emacs"),
        ("less +${x} file", "less"),
        ("man -P ${x} ls", "man"),
        ("psql -c ${x}", "psql"),
        ("psql --file=${x}", "psql"),
        ("mysql -e ${x} db", "mysql"),
        ("mysql --init-command=${x}", "mysql"),
        ("sqlite3 data.db ${x}", "sqlite3"),
        ("awk -f ${x}", "awk"),
        ("gawk -e ${x}", "gawk"),
        ("sed -e ${x}", "sed"),
        ("sed --expression=s/a/${x}/", "sed"),
        ("dc -e ${x}", "dc"),
        ("m4 -DX=${x}", "m4"),
        ("tar cf a.tar --checkpoint-action=${x} .", "tar"),
        ("tar xf a.tar --to-command=${x}", "tar"),
        ("tar -I ${x} -xf a", "tar"),
        ("rsync -e ${x} a b", "rsync"),
        ("rsync -avze ${x} a b", "rsync"),
        ("rsync --rsh=${x} a b", "rsync"),
        ("zip a.zip -T -TT ${x}", "zip"),
        ("curl -K ${x}", "curl"),
        ("wget --use-askpass=${x}", "wget"),
        ("tcpdump -z ${x}", "tcpdump"),
        ("split --filter=${x}", "split"),
        ("nc -e ${x} host 1", "nc"),
        ("ncat --sh-exec ${x} -l", "ncat"),
        ("start-stop-daemon --start --startas ${x}", "start-stop-daemon"),
        ("npx -c ${x}", "npx"),
        ("socat - ${x}", "socat"),
        ("xterm -title ${x}", "xterm"),
        // A program that isn't known, and an option that is plain.
        ("backup --post-command ${x}", "backup"),
        ("backup --ssh-program=${x}", "backup"),
        ("backup -exec ${x}", "backup"),
    ];

    /// Commands, and the program for which the client would choose what it runs.
    const NAMED: &[(&str, &str)] = &[
        ("sh ${x}", "sh"),
        ("bash -e ${x}", "bash"),
        ("bash --norc ${x}", "bash"),
        ("python3 -u ${x}", "python3"),
        ("env ${x} ls", "env"),
        ("awk ${x} file", "awk"),
        ("sed s/a/${x}/ file", "sed"),
        ("ed ${x}", "ed"),
        ("ed -s ${x}", "ed"),
        ("gdb ${x}", "gdb"),
        ("java ${x}", "java"),
        ("java -jar ${x}", "java"),
        ("mono ${x}", "mono"),
        ("lua ${x}", "lua"),
        ("mongosh ${x}", "mongosh"),
        ("node --env-file .env ${x}", "node"),
        // Words of options, and those that have to come first, are no script and no program.
        ("bash -o pipefail ${x}", "bash"),
        ("bash -c -o pipefail ${x}", "bash"),
        ("python3 -W ignore ${x}", "python3"),
        ("perl -I lib ${x}", "perl"),
        ("awk -F , -v a=b ${x} file", "awk"),
        ("env -u HOME A=b ${x}", "env"),
        ("timeout 5 ${x}", "timeout"),
        ("timeout -k 1 5 ${x}", "timeout"),
        ("timeout --kill-after 1 5 ${x}", "timeout"),
        ("nice -n 5 ${x}", "nice"),
        ("nice --adjustment 5 ${x}", "nice"),
        ("sudo -u bob ${x}", "sudo"),
        ("sudo --user bob ${x}", "sudo"),
        ("sudo --user=bob ${x}", "sudo"),
        ("sudo --non-interactive ${x}", "sudo"),
        ("sudo --user bob -- ${x}", "sudo"),
        ("sudo --user ${x} ls", "sudo"),
        ("chroot /srv ${x}", "chroot"),
        ("chroot --userspec bob /srv ${x}", "chroot"),
        ("flock -w 1 /lock ${x}", "flock"),
        ("su alice ${x}", "su"),
        ("su - alice ${x}", "su"),
        ("script -q log ${x}", "script"),
        ("ltrace -u bob ${x}", "ltrace"),
        ("strace -o log ${x}", "strace"),
        ("unshare -R /srv ${x}", "unshare"),
        ("setpriv --reuid 1000 ${x}", "setpriv"),
        ("nsenter -t 1 ${x}", "nsenter"),
        ("systemd-run --unit web ${x}", "systemd-run"),
        ("systemd-nspawn -D /srv ${x}", "systemd-nspawn"),
        ("systemd-cat -t web ${x}", "systemd-cat"),
        ("fakeroot -s state ${x}", "fakeroot"),
        ("screen ${x}", "screen"),
        ("screen -S name ${x}", "screen"),
        ("sshpass -p secret ${x}", "sshpass"),
        ("ssh-agent -t 5 ${x}", "ssh-agent"),
        ("xvfb-run -n 99 ${x}", "xvfb-run"),
        ("npx ${x}", "npx"),
        ("cgexec -g cpu:web ${x}", "cgexec"),
        ("chpst -u bob ${x}", "chpst"),
        ("daemonize -p pid ${x}", "daemonize"),
        ("doas -u bob ${x}", "doas"),
        ("exec -a name ${x}", "exec"),
        ("ionice -c 3 ${x}", "ionice"),
        ("softlimit -m 9 ${x}", "softlimit"),
        ("stdbuf -o L ${x}", "stdbuf"),
        ("time -o log ${x}", "time"),
        ("xargs -n 1 ${x}", "xargs"),
        ("expect ${x}", "expect"),
        ("busybox ${x}", "busybox"),
        ("bwrap --bind / / ${x}", "bwrap"),
        ("bwrap --bind / / -- ${x}", "bwrap"),
        ("git ${x}", "git"),
        ("git -C /srv ${x}", "git"),
        ("docker ${x}", "docker"),
        ("docker exec app ${x}", "docker exec"),
        ("docker exec ${c} ${x}", "docker exec"),
        ("docker exec -it -w / app ${x}", "docker exec"),
        ("docker exec --workdir / app ${x}", "docker exec"),
        ("docker --host tcp://h exec app ${x}", "docker exec"),
        ("docker exec --user ${x} app ls", "docker exec"),
        ("docker compose exec web ${x}", "docker exec"),
        ("docker run --rm ${x}", "docker run"),
        ("docker run --name web --rm alpine ${x}", "docker run"),
        ("kubectl exec pod -- ${x}", "kubectl exec"),
        ("kubectl exec pod -c web -- ${x}", "kubectl exec"),
        ("kubectl exec pod ${x}", "kubectl exec"),
        ("kubectl exec pod ${x} -- ls", "kubectl exec"),
        ("kubectl -n web exec ${x}", "kubectl exec"),
        ("lxc exec box -- ${x}", "lxc exec"),
        ("distrobox enter box -- ${x}", "distrobox enter"),
        ("ip netns exec blue ${x}", "ip exec"),
        ("machinectl shell bob@box ${x}", "machinectl shell"),
        ("deno run ${x}", "deno run"),
        ("npm run ${x}", "npm run"),
    ];

    #[test]
    fn text_that_a_program_runs_is_found() {
        for (command, program) in TEXTS {
            assert_eq!(because(command), Some(format!("`{program}` runs this text")), "{command}");
        }
    }

    #[test]
    fn a_client_does_not_choose_what_runs() {
        for (command, program) in NAMED {
            let named = Some(format!("it would choose what `{program}` runs"));
            assert_eq!(because(command), named, "{command}");
        }
    }

    #[test]
    fn each_row_has_a_command_that_is_refused() {
        let mut is_shown = vec![false; INTERPRETERS.len()];
        for (command, _) in TEXTS.iter().chain(NAMED) {
            let (words, index) = words(command);
            for (at, word) in words[..index].iter().enumerate() {
                let row = INTERPRETERS.iter().position(|it| it.is(word.name(), &words[..at]));
                if let Some(row) = row {
                    is_shown[row] = true;
                }
            }
        }
        let rows = INTERPRETERS.iter().zip(is_shown);
        let missing: Vec<_> = rows.filter(|(_, shown)| !shown).map(|(row, _)| row.names).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn what_stands_behind_is_an_argument() {
        for command in [
            "sh -c echo\"$1\" sh ${x}",
            "bash -o pipefail -c echo sh ${x}",
            "bash --norc script.sh ${x}",
            "python3 script.py ${x}",
            "grep -e ${x}",
            "ping -c ${x} host",
            "cat ${x}",
            "perl -we print@ARGV ${x}",
            "timeout -k 1 5 cat ${x}",
            "timeout 5 cat ${y} ${x}",
            "env -u HOME A=b cat ${x}",
            "nice -n 5 cat ${x}",
            "sudo -u bob cat ${x}",
            "sudo --user=bob cat ${x}",
            "sudo --user bob -- cat ${x}",
            "sudo --non-interactive cat ${x}",
            "chroot /srv cat ${x}",
            "flock -w 1 /lock cat ${x}",
            "su alice -c cat\"$1\" me ${x}",
            "python3 -W ignore script.py ${x}",
            "node --no-warnings app.js ${x}",
            "java -jar app.jar ${x}",
            "deno run app.ts ${x}",
            "awk -F , {print$1} ${x}",
            "sed -n 1p ${x}",
            "find ${x} -type f",
            "find . -name ${x}",
            "find . -exec grep ${x} {} ;",
            "docker exec app cat ${x}",
            "docker exec -it app cat ${x}",
            "docker exec -it ${x} bash",
            "docker exec --tty ${x} bash",
            "docker logs ${x}",
            "docker run --rm alpine cat ${x}",
            "kubectl exec -it ${x} -- sh",
            "kubectl exec pod -- cat ${x}",
            "kubectl logs ${x}",
            "git log ${x}",
            "git -C /srv show ${x}",
            "git commit -m ${x}",
            "gdb prog ${x}",
            "vim ${x}",
            "less ${x}",
            "psql db ${x}",
            "psql -d db -v id=${x}",
            "mysql ${x}",
            "tar xf ${x}",
            "rsync -a ${x} /srv",
            "curl ${x}",
        ] {
            assert_eq!(because(command), None, "{command}");
        }
    }

    #[test]
    fn a_plus_begins_an_option_of_some_programs() {
        for (command, has) in
            [("less ${x}", true), ("env vim ${x}", true), ("cat ${x}", false), ("date ${x}", false)]
        {
            let (words, index) = words(command);
            assert_eq!(has_plus_options(&words, index), has, "{command}");
        }
    }
}
