//! Commands, and what runs the text in them.

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
    ("tar cIf ${x} a.tar .", "tar"),
    ("tar cfI a.tar ${x} .", "tar"),
    ("tar xvfF a.tar ${x}", "tar"),
    ("busybox tar cIf ${x} a.tar", "tar"),
    ("bsdtar cIf ${x} a.tar", "bsdtar"),
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
    // The letters of old may be among them, without a dash.
    ("tar ${x} a.tar", "tar"),
    ("tar c${x}f gzip a.tar", "tar"),
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
        "tar cIf gzip ${x} .",
        "tar cfC a.tar ${x} .",
        "tar cf a.tar ${x}",
        "tar -cf a.tar ${x}",
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
