//! Errors, in the words that users of `ssh` know.

use std::io;

use descriptor::is_unprintable;
use endpoint::{Error, ErrorKind};

use super::channel::Refused;
use super::mux::Failure;
use crate::program::Filled;

/// Returns the reason why the connection isn't up, from the output of `ssh` until it ended.
pub(super) fn not_up(label: &str, said: &[String]) -> Error {
    let error = |kind, words: String| Error::new(kind, "connect", label, words);
    let find = |part: &str| said.iter().find(|line| line.contains(part)).map(String::as_str);
    let bare = |line: &str| {
        line.trim_matches(|c: char| c == '@' || c == ' ').trim_end_matches('.').to_owned()
    };
    if find("REMOTE HOST IDENTIFICATION HAS CHANGED").is_some() {
        let sent =
            said.iter().find(|line| line.starts_with("SHA256:")).map_or("another", |line| line);
        let sent = sent.trim_end_matches('.');
        // `Offending ED25519 key in FILE:LINE`
        let known = find("Offending ").unwrap_or("Offending key in the list of known hosts");
        let words = format!(
            "REMOTE HOST IDENTIFICATION HAS CHANGED: the server has the key {sent}. {known}"
        );
        let hint =
            find("ssh-keygen -f").map_or_else(String::new, |line| format!(": `{}`", line.trim()));
        let hint = format!(
            "an attacker may be on the path; if its key was changed on purpose, remove the old one{hint}"
        );
        return error(ErrorKind::Forbidden, words).with_hint(hint);
    }
    if let Some(line) = find("is marked as revoked") {
        return error(ErrorKind::Forbidden, format!("REVOKED HOST KEY: {}", bare(line)));
    }
    if let Some(line) = find("host key is known for") {
        return error(ErrorKind::Forbidden, bare(line)).with_hint(
            "verify the keys that `ssh-keyscan` prints and add them to `known-hosts`, or accept the first one with \
             `accept-new=true`",
        );
    }
    if let Some(line) = find("Permission denied (") {
        return error(ErrorKind::Permission, bare(line))
            .with_hint("the server accepts the methods in parentheses; set `user=`, `key=` or `password-file=`");
    }
    // The last line tells most, except for one about the address: that only shows that a socket is in its place.
    let last = said.iter().rev().find(|line| !line.contains("UNKNOWN port 65535"));
    match last.or(said.last()) {
        Some(line) => error(
            ErrorKind::Protocol,
            bare(&line.replace(" by UNKNOWN port 65535", " by the server")),
        ),
        None => error(ErrorKind::Protocol, "the server closed the connection".to_owned()),
    }
}

/// Returns the reason why there is no session, as an error.
pub(super) fn failed(label: &str, failure: &Failure, lost: &str) -> Error {
    let error = |kind, words: String| Error::new(kind, "connect", label, words);
    match failure {
        Failure::Io(cause) => Error::from_io("connect", label, again_io(cause)),
        Failure::Lost => error(ErrorKind::Other, lost.to_owned()),
        Failure::Late => {
            error(ErrorKind::Timeout, "the server has not connected in time".to_owned())
        }
        Failure::Refused(why) => refused(label, why),
    }
}

fn refused(label: &str, why: &Refused) -> Error {
    // RFC 4254 section 5.1, in OpenSSH's words.
    let reason = match why.code {
        PROHIBITED => "administratively prohibited",
        2 => "connect failed",
        3 => "unknown channel type",
        4 => "resource shortage",
        _ => "for another reason",
    };
    let words: String = why.words.chars().filter(|c| !is_unprintable(*c)).take(200).collect();
    let kind = match &*words {
        _ if why.code == PROHIBITED => ErrorKind::Permission,
        words if words.contains("timed out") => ErrorKind::Timeout,
        words if words.contains("not known") || words.contains("nreachable") => ErrorKind::NotFound,
        _ => ErrorKind::Refused,
    };
    let colon = if words.is_empty() { "" } else { ": " };
    let error =
        Error::new(kind, "connect", label, format!("the server refuses: {reason}{colon}{words}"));
    match kind {
        ErrorKind::Permission => error.with_hint(
            "check `AllowTcpForwarding`, `AllowStreamLocalForwarding`, `PermitOpen` and the options of the key at the \
             server",
        ),
        ErrorKind::Refused if words == "Connection refused" => {
            error.with_hint("no server listens there, as seen from the SSH server")
        }
        _ => error,
    }
}

const PROHIBITED: u32 = 1;

/// There is no `ssh` to be started.
pub(super) fn no_program(program: &Filled<'_>, cause: io::Error) -> Error {
    match cause.kind() {
        io::ErrorKind::NotFound => program.failed(cause).with_hint(
            "there is no `ssh` in PATH; install OpenSSH's client (Debian: openssh-client)",
        ),
        _ => program.explain(cause),
    }
}

/// The same error, for another session.
pub(super) fn again(error: &Error) -> Error {
    let shown = error.to_string();
    let before = format!("cannot {} {}: ", error.act(), error.endpoint());
    let cause = shown.strip_prefix(&before).unwrap_or(&shown);
    let mut same = Error::new(error.kind(), error.act(), error.endpoint(), cause);
    if let Some(hint) = error.hint() {
        same = same.with_hint(hint);
    }
    match error.bare_cause() {
        Some(bare) => same.with_bare_cause(bare),
        None => same,
    }
}

fn again_io(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(said: &[&str]) -> String {
        let said: Vec<_> = said.iter().map(|line| (*line).to_owned()).collect();
        not_up("ssh:h", &said).to_string()
    }

    #[test]
    fn what_ssh_says_last_is_the_cause() {
        assert_eq!(
            shown(&[
                "a banner",
                "kex_exchange_identification: Connection closed by remote host",
                "Connection closed by UNKNOWN port 65535"
            ]),
            "cannot connect ssh:h: kex_exchange_identification: Connection closed by remote host"
        );
        assert_eq!(
            shown(&["Connection closed by UNKNOWN port 65535"]),
            "cannot connect ssh:h: Connection closed by the server"
        );
        assert_eq!(shown(&[]), "cannot connect ssh:h: the server closed the connection");
    }

    #[test]
    fn a_refusal_is_the_servers() {
        let shown = |code, words: &str| {
            let error = refused("ssh:h", &Refused { code, words: words.to_owned() });
            (error.to_string(), error.kind())
        };
        assert_eq!(
            shown(2, "Connection\x1b refused"),
            (
                "cannot connect ssh:h: the server refuses: connect failed: Connection refused"
                    .to_owned(),
                ErrorKind::Refused
            )
        );
        assert_eq!(
            shown(1, ""),
            (
                "cannot connect ssh:h: the server refuses: administratively prohibited".to_owned(),
                ErrorKind::Permission
            )
        );
    }

    #[test]
    fn an_error_is_the_same_for_those_who_waited() {
        let first =
            Error::from_io("connect", "tcp:h:1", io::Error::from_raw_os_error(111)).with_hint("x");
        let second = again(&first);
        assert_eq!(first.to_string(), second.to_string());
        assert_eq!((first.kind(), first.hint()), (second.kind(), second.hint()));
        assert_eq!(first.bare_cause(), second.bare_cause());
    }
}
