//! "Did you mean": the candidate that a word is probably meant to be.

use strsim::{jaro_winkler, osa_distance};

/// Returns the candidate that `word` is probably meant to be, if one is close: the same but for case, a few letters
/// wrong, missing, doubled or swapped, or one the beginning or the abbreviation of the other. `None` for words of more
/// than 64 bytes.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any name is no misspelling, and distances cost the product of the lengths.
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        if let Some(score) = score(&word, &candidate.to_lowercase())
            && best.is_none_or(|(highest, _)| score > highest)
        {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Higher is closer; the tens tell by what rule, the rest ranks within it.
fn score(word: &str, candidate: &str) -> Option<f64> {
    let similar = jaro_winkler(word, candidate);
    let (length, other) = (word.chars().count(), candidate.chars().count());
    let (shorter, longer) = (length.min(other), length.max(other));
    let distance = osa_distance(word, candidate);
    if word == candidate {
        Some(40.0)
    } else if distance < shorter && distance <= (longer / 3).max(1) {
        #[expect(clippy::cast_precision_loss, reason = "at most LONGEST")]
        Some(30.0 + similar - distance as f64)
    } else if shorter >= 2 && (candidate.starts_with(word) || word.starts_with(candidate)) {
        Some(20.0 + similar)
    } else if length >= 2 && abbreviates(word, candidate) {
        Some(10.0 + similar)
    } else {
        None
    }
}

/// Returns `true` if `short` is `long` with letters left out, the first one excepted: `cmd` for
/// `command`.
fn abbreviates(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.chars().next() == long.chars().next() && short.chars().all(|c| letters.any(|l| l == c))
}

const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 10] = [
        "address",
        "baudrate",
        "certKey",
        "command",
        "port",
        "privateKey",
        "serial",
        "tcp",
        "tls",
        "udp",
    ];

    #[test]
    fn what_was_probably_meant() {
        for (word, meant) in [
            ("TCP", Some("tcp")),
            ("tpc", Some("tcp")),
            ("tcpp", Some("tcp")),
            ("ucp", Some("udp")),
            ("adress", Some("address")),
            ("baud", Some("baudrate")),
            ("certkey", Some("certKey")),
            ("cert", Some("certKey")),
            ("cmd", Some("command")),
            ("ports", Some("port")),
            ("private_key", Some("privateKey")),
            ("seriall", Some("serial")),
            ("banana", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, NAMES), meant, "{word}");
        }
    }

    #[test]
    fn a_long_word_is_nothing() {
        assert_eq!(nearest(&"tcp".repeat(1 << 20), NAMES), None);
    }
}
