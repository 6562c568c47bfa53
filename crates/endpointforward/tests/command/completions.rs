//! Completions, by the shells themselves.

use std::path::Path;
use std::process::{Command, Stdio};

use super::run::{command, run};

/// A shell that finds the program by its name.
fn shell(name: &str, args: &[&str], script: &str) -> String {
    let program = command().get_program().to_owned();
    let folder = Path::new(&program).parent().unwrap();
    let find = match name {
        "fish" => format!("set --prepend PATH {}\n", folder.display()),
        _ => format!("PATH={}:$PATH\n", folder.display()),
    };
    let mut shell = Command::new(name);
    shell.args(args).arg("-c").arg(find + script).stdin(Stdio::null()).env("TERM", "xterm");
    let output = shell.output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {out}{err}");
    out.into_owned()
}

/// Returns bash's COMPREPLY for a line, and `true` if bash adds a space.
fn bash(line: &str) -> (Vec<String>, bool) {
    let script = format!(
        "compopt() {{ echo nospace >&2; }}; source <(endpointforward completions bash)\n\
         COMP_LINE={line:?} COMP_POINT=${{#COMP_LINE}}; COMP_POINT=${{#COMP_LINE}}\n\
         _endpointforward 2> >(grep -q nospace && echo -)\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let out = shell("bash", &["--norc"], &script);
    let is_open = out.lines().any(|line| line == "-");
    (
        out.lines().filter(|line| *line != "-" && !line.is_empty()).map(str::to_owned).collect(),
        !is_open,
    )
}

#[test]
fn every_shell_gets_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{shell}");
        assert!(ran.stdout.contains("endpointforward"), "{shell}");
    }
}

#[test]
fn bash_replaces_what_is_behind_the_last_colon() {
    assert_eq!(bash("endpointforward -e proc"), (vec!["process:".to_owned()], false));
    assert_eq!(bash("endpointforward -e ws:{std"), (vec!["{stdio:".to_owned()], false));
    assert_eq!(bash("endpointforward -e 'ws:{std").0, ["ws:{stdio:"]);
    assert_eq!(bash("endpointforward -d stdio:ke").0, ["keep="]);
    assert_eq!(
        bash("endpointforward -d stdio:keep="),
        (["true", "false"].map(Into::into).into(), true)
    );
    assert_eq!(bash("endpointforward expl"), (vec!["explain".to_owned()], true));
    assert_eq!(bash("endpointforward --dest-e").0, ["--dest-endpoint"]);
    assert_eq!(bash("endpointforward --endpoint 9000 --log-format j").0, ["json"]);
    assert_eq!(bash("endpointforward help ws orig").0, ["origin"]);
}

#[test]
fn each_side_is_offered_its_own_kinds_and_parameters() {
    for (line, offered) in [
        ("-e tel", &[][..]),
        ("-d tel", &["telnet:"]),
        ("-d syst", &[]),
        ("-e syst", &["systemd:"]),
        ("-e tcp:9000:backl", &["backlog="]),
        ("-d tcp:h:80:backl", &[]),
        ("-d ws:{tcp:h:80}:origi", &["origin="]),
        ("help telnet te", &["term"]),
    ] {
        assert_eq!(bash(&format!("endpointforward {line}")).0, offered, "{line}");
    }
}

#[test]
fn fish_completes_parameters_and_their_values() {
    let script = "endpointforward completions fish | source\n\
                  complete -C 'endpointforward -d stdio:ke'; complete -C 'endpointforward -d stdio:keep='\n\
                  complete -C 'endpointforward help ws orig'; complete -C 'endpointforward -e tel'";
    let out = shell("fish", &["--no-config"], script);
    let words: Vec<_> = out.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(words, ["stdio:keep=", "stdio:keep=false", "stdio:keep=true", "origin"], "{out}");
}

#[test]
fn fish_shows_words_with_what_they_are() {
    let script = "endpointforward completions fish | source\n\
                  complete -C 'endpointforward -e ws:{std'; complete -C 'endpointforward explain ech'";
    let out = shell("fish", &["--no-config"], script);
    let words: Vec<_> = out.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(words, ["ws:{stdio:", "echo"], "{out}");
    assert!(out.contains("standard input"), "{out}");
}

#[test]
fn zsh_completes_within_braces_and_adds_no_space() {
    // A zsh with a terminal, driven by a zsh: keys in, and what the line has become out.
    let script = r#"
        zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z "autoload -U compinit; compinit -D -u; PS1='> '"
        zpty -w z "source <(endpointforward completions zsh); show() { print -r -- \"[\$BUFFER]\"; BUFFER= }; zle -N show"
        zpty -w z "bindkey '^X' show; echo RE''ADY"
        zpty -r z out '*READY*'
        for line in "-e ws:{std" "-d stdio:ke" "-d stdio:keep=t" "help ws orig" "-e syste"; do
            zpty -n -w z "endpointforward $line"$'\t\x18'
            zpty -r z out '*\[*\]*'
            print -r -- "$out"
        done
        zpty -d z
    "#;
    let out = shell("zsh", &["-f"], script);
    for whole in [
        "-e ws:{stdio:]",
        "-d stdio:keep=]",
        "-d stdio:keep=true ]",
        "help ws origin ]",
        "-e systemd:]",
    ] {
        assert!(out.contains(&format!("[endpointforward {whole}")), "no {whole} in {out}");
    }
}
