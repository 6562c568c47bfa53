//! Lines of the log that fit their width although names are long.
//!
//! The name of an endpoint is shortened in its middle: its kind is at the beginning, and what tells it from others mostly
//! at the end. All else stays as it is: a path or a fingerprint in a message is what its reader looks for, and what is in
//! backquotes is to be typed.

/// A part of a line.
#[derive(Debug)]
struct Piece<'t> {
    text: &'t str,
    is_name: bool,
}

/// Returns the line in at most `width` columns, if shorter names allow that.
pub(super) fn shorten(line: &str, fields: &str, width: usize) -> String {
    // A text has no more columns than bytes.
    if !fields.is_empty() && line.len() + 1 + fields.len() <= width {
        return [line, fields].join(" ");
    }
    let mut pieces: Vec<_> =
        line.split(' ').map(|text| Piece { text, is_name: is_name(text) }).collect();
    pieces.extend(values(fields).map(|text| Piece { text, is_name: is_endpoint(text) }));
    let columns = |text: &str| text.chars().count();
    let spaces = pieces.len() - 1;
    let total = |cap: usize| {
        let of = |piece: &Piece<'_>| {
            let length = columns(piece.text);
            if piece.is_name { length.min(cap) } else { length }
        };
        spaces + pieces.iter().map(of).sum::<usize>()
    };
    let longest =
        pieces.iter().filter(|piece| piece.is_name).map(|piece| columns(piece.text)).max();
    // The longest name gives way first, then all alike.
    let cap = (SHORTEST..=longest.unwrap_or(0))
        .rev()
        .find(|cap| total(*cap) <= width)
        .unwrap_or(SHORTEST);
    let shown = pieces.iter().map(|piece| match piece.is_name && columns(piece.text) > cap {
        true => middle(piece.text, cap),
        false => piece.text.to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// The fields of a session's span, each with its name; a value may have spaces.
fn values(fields: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(fields).filter(|fields| !fields.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let ends = NAMES.iter().filter_map(|name| text.find(name)).filter(|at| *at > 0);
        let (first, behind) = match ends.min() {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = behind;
        Some(first)
    })
}

/// A word that is the name of an endpoint.
fn is_name(word: &str) -> bool {
    is_long(word) && {
        let kind = word.split([':', '{']).next().unwrap_or_default();
        endpoints::KINDS.iter().any(|known| known.name == kind)
    }
}

/// A field whose value is an endpoint. The peer is one if it is a Unix socket.
fn is_endpoint(field: &str) -> bool {
    let (name, value) = field.split_once('=').unwrap_or(("", field));
    let value = value.trim_matches('"');
    match name {
        "listener" | "destination" => is_long(value),
        _ => is_name(value),
    }
}

fn is_long(name: &str) -> bool {
    name.len() > WHOLE && name.chars().count() > WHOLE
}

/// The text in so many columns, with an ellipsis for what is left out.
fn middle(text: &str, columns: usize) -> String {
    let count = text.chars().count();
    // The name of a field stays.
    let label = text.find('=').filter(|at| *at < text.find([':', '/']).unwrap_or(0));
    let label = label.map_or(0, |at| at + 1).min(columns / 2);
    let head = label + (columns - 1 - label) * 3 / 5;
    let tail = columns - 1 - head;
    let (head, tail) = (text.chars().take(head), text.chars().skip(count - tail));
    head.chain(['…']).chain(tail).collect()
}

/// The fields that a span of a session has, after its number.
const NAMES: &[&str] = &[" peer=", " listener=", " destination="];

/// A name of so many columns stays whole: an address of IPv4 with its kind and its port.
const WHOLE: usize = 26;

/// A longer one isn't made shorter than this: its kind and a bit of either end can be seen.
const SHORTEST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_gives_way_first() {
        let path = format!("unix:/{}/x.sock:", "a".repeat(150));
        let line =
            shorten(&format!("cannot connect {path} no such file"), "id=1 peer=127.0.0.1:4711", 89);
        assert_eq!(line.chars().count(), 89, "{line}");
        assert!(
            line.starts_with("cannot connect unix:/aaa")
                && line.contains("a/x.sock: no such file id=1"),
            "{line}"
        );
        assert!(line.ends_with(" peer=127.0.0.1:4711"), "{line}");
    }

    #[test]
    fn names_with_spaces_are_one() {
        let long = "x; echo ".repeat(30);
        let fields = format!(
            "id=1 peer=unix:/{0} (pid 1) listener=\"unix:/{0}\" destination=process:sh:-c:{long}",
            "b".repeat(99)
        );
        let line = shorten("open", &fields, 95);
        assert!(line.chars().count() <= 95, "{line}");
        assert!(
            line.contains("peer=unix:/")
                && line.contains("listener=\"unix")
                && line.contains("destination=proc"),
            "{line}"
        );
    }

    #[test]
    fn what_is_read_or_typed_stays() {
        for line in [
            format!("accepts `pin=sha256/{}`", "x".repeat(200)),
            format!("the server has the key SHA256:{}", "x".repeat(99)),
            format!("offending key in /home/{}/known_hosts:2", "x".repeat(99)),
            format!("{}_identification: closed", "x".repeat(99)),
        ] {
            assert_eq!(
                shorten(&line, "id=1 peer=127.0.0.1:4711", 89),
                format!("{line} id=1 peer=127.0.0.1:4711")
            );
        }
    }

    #[test]
    fn what_fits_stays() {
        let line = "listening on tcp:127.0.0.1:9000";
        assert_eq!(shorten(line, "", 89), line);
    }
}
