//! The text of a value that is one of several variants, or a list of them: `auth={htpasswd:/etc/users}`.
//!
//! A single variant is written as its name, or in braces with its parameters; several are a list in braces, in which
//! each item that has parameters is in braces, too: `auth={{htpasswd:/etc/users},token}`.

use descriptor::Text;

/// Splits a list at the commas that stand in no braces; an item's own braces are taken off.
pub(super) fn items(text: &Text) -> Vec<Text> {
    let (mut items, mut start, mut depth) = (Vec::new(), 0_usize, 0_usize);
    for (at, c) in text.as_str().char_indices().filter(|(at, _)| !text.is_escaped(*at)) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                items.push(bare(&text.slice(start..at)));
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(bare(&text.slice(start..text.len())));
    items
}

fn bare(item: &Text) -> Text {
    let text = item.as_str();
    let is_braced = text.len() >= 2
        && text.starts_with('{')
        && text.ends_with('}')
        && closing(item) == Some(text.len() - 1);
    if is_braced { item.slice(1..text.len() - 1) } else { item.clone() }
}

/// Returns the position of the brace that closes the one at the beginning of the text.
fn closing(text: &Text) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.as_str().char_indices().filter(|(at, _)| !text.is_escaped(*at)) {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_lose_their_own_braces_alone() {
        for (typed, expected) in [
            ("token", &["token"][..]),
            ("htpasswd:/etc/a,b", &["htpasswd:/etc/a", "b"]),
            ("{htpasswd:/etc/a,b},token", &["htpasswd:/etc/a,b", "token"]),
            ("{a:{b},{c}},{d}", &["a:{b},{c}", "d"]),
            ("{a}:{b}", &["{a}:{b}"]),
            ("", &[""]),
            ("}{,", &["}{,"]),
        ] {
            let found = items(&Text::typed(typed));
            let found: Vec<_> = found.iter().map(Text::as_str).collect();
            assert_eq!(found, expected, "{typed}");
        }
    }
}
