//! Names of endpoints that are shortened so that a record fits a line of a terminal.
//!
//! Only the names in the fields of a session, which its first record repeats from the command line. A name is shortened in
//! its middle: its kind is at the beginning, and what tells it from others mostly at the end. A message stays whole.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns the fields in at most `room` columns, if shorter names allow that.
pub(super) fn shorten(fields: &[&str], room: usize) -> Vec<String> {
    let total = |cap: usize| {
        let of = |field: &&str| match is_name(field) {
            true => field.width().min(cap),
            false => field.width(),
        };
        fields.len() + fields.iter().map(of).sum::<usize>()
    };
    // The longest name gives way first, then all alike.
    let longest = fields.iter().filter(|field| is_name(field)).map(|field| field.width()).max();
    let cap = (SHORTEST..=longest.unwrap_or(0)).rev().find(|cap| total(*cap) <= room + 1);
    let cap = cap.unwrap_or(SHORTEST);
    let shown = fields.iter().map(|field| match is_name(field) && field.width() > cap {
        true => middle(field, cap),
        false => (*field).to_owned(),
    });
    shown.collect()
}

/// A field whose value is the name of an endpoint. The peer has one if it is a Unix socket.
fn is_name(field: &str) -> bool {
    let (name, value) = field.split_once('=').unwrap_or(("", field));
    let value = value.trim_matches('"');
    let is_endpoint = || {
        let kind = value.split([':', '{']).next().unwrap_or_default();
        endpoints::KINDS.iter().any(|known| known.name == kind)
    };
    value.width() > WHOLE && (matches!(name, "listener" | "destination") || is_endpoint())
}

/// The text in so many columns, with an ellipsis for what is left out.
fn middle(text: &str, columns: usize) -> String {
    // The name of the field stays.
    let label = text.find('=').map_or(0, |at| at + 1).min(columns / 2);
    let head = label + (columns - 1 - label) * 3 / 5;
    let tail = columns - 1 - head;
    let (mut first, mut last) = (0, 0);
    let within = |used: &mut usize, c: char, most: usize| {
        *used += c.width().unwrap_or(0);
        *used <= most
    };
    let head: String = text.chars().take_while(|c| within(&mut first, *c, head)).collect();
    let tail: Vec<_> = text.chars().rev().take_while(|c| within(&mut last, *c, tail)).collect();
    head.chars().chain(['…']).chain(tail.into_iter().rev()).collect()
}

/// A name of so many columns stays whole: an address of IPv4 with its kind and its port.
const WHOLE: usize = 26;

/// A longer one isn't made shorter than this: its kind and a bit of either end can be seen.
const SHORTEST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_gives_way_first() {
        let path = format!("destination=unix:/{}/x.sock", "a".repeat(150));
        let short = shorten(&["id=1", "peer=127.0.0.1:4711", "listener=tcp:[::1]:9000", &path], 89);
        let line = short.join(" ");
        assert_eq!(line.chars().count(), 89, "{line}");
        assert!(
            line.starts_with("id=1 peer=127.0.0.1:4711 listener=tcp:[::1]:9000 dest"),
            "{line}"
        );
        assert!(line.contains(" destination=unix:/aaa") && line.ends_with("a/x.sock"), "{line}");
    }

    #[test]
    fn names_with_spaces_are_one() {
        let fields = [
            "id=1".to_owned(),
            format!("peer=unix:/{} (pid 1)", "b".repeat(99)),
            format!("listener=\"unix:/{}\"", "b".repeat(99)),
            format!("destination=process:sh:-c:{}", "x; echo ".repeat(30)),
        ];
        let fields: Vec<_> = fields.iter().map(|field| &**field).collect();
        let line = shorten(&fields, 90).join(" ");
        assert!(line.chars().count() <= 90, "{line}");
        for part in ["peer=unix:/", "listener=\"unix", "destination=proc"] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn what_fits_stays() {
        let fields = ["id=1", "peer=127.0.0.1:4711", "destination=tcp:127.0.0.1:9000"];
        assert_eq!(shorten(&fields, 89), fields);
        let long = format!("peer={}", "x".repeat(99));
        assert_eq!(shorten(&[&*long], 20), [long], "it is no endpoint's name");
    }
}
