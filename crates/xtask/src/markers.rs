//! Generated parts of a written document, between `<!-- generated: NAME -->` and `<!-- /generated -->`.

use crate::Failure;

const OPEN: &str = "<!-- generated: ";
const CLOSE: &str = "<!-- /generated -->";

/// Puts every part of `generated` in the place of its namesake in `document`; the rest stays byte for byte.
///
/// Both sides have to have the same names: a part that has nowhere to go would be lost silently, and one that
/// is never made would go stale silently.
pub(crate) fn replace(document: &str, generated: &str) -> Result<String, Failure> {
    let fresh = parts(generated).map_err(|failure| format!("what was generated: {failure}"))?;
    let old = parts(document)?;
    if let Some(part) = old.iter().find(|part| fresh.iter().all(|other| other.name != part.name)) {
        return Err(format!("nothing generates `{}`", part.name));
    }
    if let Some(part) = fresh.iter().find(|part| old.iter().all(|other| other.name != part.name)) {
        return Err(format!("no place for `{0}`: add `{OPEN}{0} -->` and `{CLOSE}`", part.name));
    }
    let mut result = String::with_capacity(document.len());
    let mut copied = 0;
    for part in &old {
        let text =
            fresh.iter().find(|other| other.name == part.name).map_or("", |other| other.text);
        result.push_str(&document[copied..part.start]);
        result.push('\n');
        result.push_str(text.trim_matches('\n'));
        result.push('\n');
        copied = part.end;
    }
    result.push_str(&document[copied..]);
    Ok(result)
}

#[derive(Debug)]
struct Part<'a> {
    name: &'a str,
    /// Between the markers, which are outside `start..end`.
    text: &'a str,
    start: usize,
    end: usize,
}

fn parts(document: &str) -> Result<Vec<Part<'_>>, Failure> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut from = 0;
    while let Some(open) = document[from..].find(OPEN) {
        let name_at = from + open + OPEN.len();
        let Some((name, _)) = document[name_at..].split_once(" -->") else {
            return Err(format!("`{OPEN}` without its ` -->`"));
        };
        let start = name_at + name.len() + " -->".len();
        let Some(length) = document[start..].find(CLOSE) else {
            return Err(format!("`{OPEN}{name} -->` without `{CLOSE}`"));
        };
        let text = &document[start..start + length];
        if text.contains(OPEN) {
            return Err(format!("`{OPEN}{name} -->` is not closed before the next part begins"));
        }
        if parts.iter().any(|part| part.name == name) {
            return Err(format!("`{name}` is there twice"));
        }
        parts.push(Part { name, text, start, end: start + length });
        from = start + length + CLOSE.len();
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Title\n<!-- generated: kinds -->\nold\n<!-- /generated -->\nend\n";

    fn part(name: &str, text: &str) -> String {
        format!("<!-- generated: {name} -->\n{text}\n<!-- /generated -->\n")
    }

    #[test]
    fn replaces_only_between_the_markers() {
        let fresh = replace(DOCUMENT, &part("kinds", "\nnew\ntable\n")).unwrap();
        assert_eq!(
            fresh,
            "# Title\n<!-- generated: kinds -->\nnew\ntable\n<!-- /generated -->\nend\n"
        );
        assert_eq!(
            replace(&fresh, &part("kinds", "new\ntable")).unwrap(),
            fresh,
            "a second time changes nothing"
        );
    }

    #[test]
    fn several_parts_may_come_in_any_order() {
        let document = part("a", "1") + "text\n" + &part("b", "2");
        let fresh = replace(&document, &(part("b", "two") + &part("a", "one"))).unwrap();
        assert_eq!(fresh, part("a", "one") + "text\n" + &part("b", "two"));
    }

    #[test]
    fn a_part_without_partner_is_an_error() {
        assert!(replace(DOCUMENT, "").unwrap_err().contains("nothing generates `kinds`"));
        let more = part("kinds", "x") + &part("more", "y");
        assert!(replace(DOCUMENT, &more).unwrap_err().contains("no place for `more`"));
    }

    #[test]
    fn broken_markers_are_errors() {
        for broken in [
            "<!-- generated: a -->\n",
            "<!-- generated: a",
            "<!-- generated: a --><!-- generated: b --><!-- /generated -->",
            "<!-- generated: a --><!-- /generated --><!-- generated: a --><!-- /generated -->",
        ] {
            assert!(replace(broken, &part("a", "x")).is_err(), "{broken}");
        }
    }
}
