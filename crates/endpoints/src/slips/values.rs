//! Values as other programs have them: `auth=basic`, `parity=none`, `trusted=localhost`.

use descriptor::{Descriptor, Span};

/// Words for the value of a parameter, and the value that is meant.
struct Meant {
    parameters: &'static [&'static str],
    typed: &'static [&'static str],
    value: &'static str,
    note: &'static str,
}

/// Finds the first such value. Returns its place, what is wrong, and the descriptor to type.
pub(super) fn find(descriptor: &Descriptor) -> Option<(Span, String, String)> {
    descriptor.kwargs.iter().find_map(|(name, value)| {
        let typed = value.as_str().to_ascii_lowercase();
        let is_meant = |meant: &&Meant| {
            meant.parameters.contains(&name.as_str()) && meant.typed.contains(&&*typed)
        };
        let (here, note) = match MEANT.iter().find(is_meant) {
            Some(meant) => (meant.value.to_owned(), meant.note),
            None => (computed(name.as_str(), &typed)?, ""),
        };
        let source = descriptor.source();
        let start = value.span().start.checked_sub(source.span().start)?;
        let (before, rest) = source.as_str().split_at_checked(start)?;
        let behind = rest.get(value.span().end - value.span().start..)?;
        let note = if note.is_empty() { String::new() } else { format!("; {note}") };
        let message = format!("`{value}` is not a value of `{name}`");
        Some((value.span(), message, format!("write `{before}{here}{behind}`{note}")))
    })
}

fn computed(name: &str, typed: &str) -> Option<String> {
    match name {
        "mode" | "create" => mode(typed),
        // A page's origin has a scheme.
        "origin" => {
            let is_host = typed.contains('.') && super::is_host_name(typed);
            is_host.then(|| format!("{{https://{typed}}}"))
        }
        _ => None,
    }
}

/// `rw-r--r--` and `u=rw,g=r` as digits.
fn mode(typed: &str) -> Option<String> {
    let bits = |letters: &str| {
        letters.chars().try_fold(0, |bits, letter| {
            Some(bits | [('r', 4), ('w', 2), ('x', 1), ('-', 0)].iter().find(|b| b.0 == letter)?.1)
        })
    };
    if typed.len() == 9 && typed.is_ascii() && !typed.contains('=') {
        let digits = [0, 3, 6].map(|at| bits(&typed[at..at + 3]));
        return digits.into_iter().map(|digit| digit.map(|digit: u32| digit.to_string())).collect();
    }
    let mut digits = [0; 3];
    for clause in typed.split(',') {
        let (who, letters) = clause.split_once('=')?;
        let bits = bits(letters)?;
        for who in who.chars() {
            let at = "ugo".find(who).or_else(|| (who == 'a').then_some(3))?;
            let range = if at == 3 { 0..3 } else { at..at + 1 };
            digits[range].fill(bits);
        }
    }
    Some(digits.iter().map(u32::to_string).collect())
}

const PASSWORDS: &str = "`endpointforward passwd FILE NAME` writes the file; `auth=token` prints a link that works once";

const MEANT: &[Meant] = &[
    Meant {
        parameters: &["auth"],
        typed: &["yes", "on", "true", "1", "basic", "password", "user", "users", "file"],
        value: "{htpasswd:FILE}",
        note: PASSWORDS,
    },
    Meant {
        parameters: &["auth"],
        typed: &["no", "off", "false", "0", "disabled", "open", "public"],
        value: "none",
        note: "",
    },
    Meant {
        parameters: &["origin"],
        typed: &["all", "everyone", "yes", "on", "true"],
        value: "any",
        note: "",
    },
    Meant {
        parameters: &["trusted"],
        typed: &["localhost", "local", "self", "yes", "on", "true"],
        value: "loopback",
        note: "",
    },
    Meant { parameters: &["trusted"], typed: &["all", "*"], value: "any", note: "" },
    Meant { parameters: &["parity"], typed: &["none", "no", "off", "false"], value: "N", note: "" },
    Meant { parameters: &["parity"], typed: &["even"], value: "E", note: "" },
    Meant { parameters: &["parity"], typed: &["odd"], value: "O", note: "" },
    Meant { parameters: &["parity"], typed: &["mark"], value: "M", note: "" },
    Meant { parameters: &["parity"], typed: &["space"], value: "S", note: "" },
    Meant {
        parameters: &["framing", "by", "in", "out"],
        typed: &["newline", "newlines", "nl", "lf", "crlf", "ndjson", "jsonl"],
        value: "lines",
        note: "",
    },
    Meant {
        parameters: &["framing", "by", "in", "out"],
        typed: &["none", "raw", "off", "no"],
        value: "chunks",
        note: "",
    },
];

#[cfg(test)]
mod tests {
    use super::mode;

    #[test]
    fn modes_are_read_as_ls_and_chmod_write_them() {
        for (typed, digits) in [
            ("rw-r--r--", Some("644")),
            ("rwxrwx---", Some("770")),
            ("u=rw", Some("600")),
            ("u=rw,go=r", Some("644")),
            ("a=rw", Some("666")),
            ("rw", None),
            ("u+x", None),
            ("999", None),
        ] {
            assert_eq!(mode(typed).as_deref(), digits, "{typed}");
        }
    }
}
