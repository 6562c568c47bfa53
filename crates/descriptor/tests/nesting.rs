//! However a tree is typed, every piece of it knows where.
//!
//! Trees are typed with a style of quoting chosen at random at every level. Each character that is
//! typed is marked with the character of the leaf that it stands for, backslashes included; so the
//! place that a leaf should say it has is known without any parsing.

#![expect(clippy::unwrap_used, reason = "helpers of tests; clippy knows only the tests themselves")]

use descriptor::{Descriptor, Span, Syntax, Text};
use proptest::prelude::*;

/// A tree to type; numbers choose how.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(String),
    Node(Vec<(Tree, bool, u32)>),
}

/// A character typed, and which character of which leaf it stands for.
#[derive(Clone, Copy)]
struct Typed(char, Option<(usize, usize)>);

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = "[ab:=\\\\{}$é]{0,6}".prop_map(Tree::Leaf);
    leaf.prop_recursive(5, 24, 3, |inner| {
        prop::collection::vec((inner, any::<bool>(), any::<u32>()), 1..4).prop_map(Tree::Node)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_leaf_knows_where_it_was_typed(tree in trees()) {
        let mut leaves = Vec::new();
        let typed = type_out(&tree, &mut leaves);
        let text: String = typed.iter().map(|typed| typed.0).collect();
        let mut next = 0;
        check(&tree, &Text::typed(&text), &typed, &mut next, false)?;
        prop_assert_eq!(next, leaves.len());
    }

    #[test]
    fn canonical_text_made_of_pieces_knows_too(tree in trees()) {
        let mut leaves = Vec::new();
        let typed = type_out(&tree, &mut leaves);
        let text: String = typed.iter().map(|typed| typed.0).collect();
        check(&tree, &Text::typed(&text), &typed, &mut 0, true)?;
    }
}

/// Parses down along the tree. With `rewrite`, each level is put together again and nested first, as
/// for the sugar of kinds.
fn check(
    tree: &Tree,
    text: &Text,
    typed: &[Typed],
    next: &mut usize,
    rewrite: bool,
) -> Result<(), TestCaseError> {
    match tree {
        Tree::Leaf(value) => {
            let leaf = *next;
            *next += 1;
            prop_assert_eq!(text.as_str(), value);
            let mut all: Option<Span> = None;
            for (index, (at, c)) in value.char_indices().enumerate() {
                let place = place(typed, leaf, index);
                prop_assert_eq!(text.span_of(at..at + c.len_utf8()), place);
                prop_assert_eq!(text.slice(at..at + c.len_utf8()).span(), place);
                all = Some(all.map_or(place, |all| all.union(place)));
            }
            if let Some(all) = all {
                prop_assert_eq!(text.span(), all);
            }
        }
        Tree::Node(children) => {
            let mut read = Descriptor::parse(text, Syntax::Extended).unwrap();
            if rewrite {
                let kind = Text::synthetic("outer", text.span());
                let outer = Descriptor::new(kind).arg(read.to_text()).kwarg("k", read.to_text());
                let outer = Descriptor::parse(&outer.to_text(), Syntax::Extended).unwrap();
                prop_assert_eq!(&outer.args[1], &outer.kwargs[0].1);
                read = Descriptor::parse(&outer.args[1], Syntax::Extended).unwrap();
            }
            let (mut args, mut kwargs) = (read.args[1..].iter(), read.kwargs.iter());
            for (child, keyword, _) in children {
                let value = if *keyword { kwargs.next().map(|(_, v)| v) } else { args.next() };
                check(child, value.unwrap(), typed, next, rewrite)?;
            }
        }
    }
    Ok(())
}

fn place(typed: &[Typed], leaf: usize, index: usize) -> Span {
    let mut at = 0;
    let mut span: Option<Span> = None;
    for Typed(c, stands_for) in typed {
        let one = Span { start: at, end: at + c.len_utf8() };
        at = one.end;
        if *stands_for == Some((leaf, index)) {
            span = Some(span.map_or(one, |span| span.union(one)));
        }
    }
    span.unwrap()
}

// === typing ===

fn type_out(tree: &Tree, leaves: &mut Vec<String>) -> Vec<Typed> {
    match tree {
        Tree::Leaf(value) => {
            let leaf = leaves.len();
            leaves.push(value.clone());
            value.chars().enumerate().map(|(index, c)| Typed(c, Some((leaf, index)))).collect()
        }
        Tree::Node(children) => {
            let mut typed = vec![Typed('n', None)];
            for (child, keyword, choice) in children {
                typed.push(Typed(':', None));
                if *keyword {
                    typed.extend("key=".chars().map(|c| Typed(c, None)));
                }
                typed.extend(quote(&type_out(child, leaves), *choice));
            }
            typed
        }
    }
}

/// Braces or backslashes; of backslashes more than are needed. (Tests of quoting are elsewhere: this
/// one knows only what is allowed.)
fn quote(typed: &[Typed], choice: u32) -> Vec<Typed> {
    if choice.is_multiple_of(2) && closes(typed) {
        let brace = |c| [Typed(c, None)];
        return [&brace('{'), typed, &brace('}')].concat();
    }
    let mut quoted = Vec::new();
    for (index, one) in typed.iter().enumerate() {
        let wanted = choice.rotate_right(index as u32 + 1) % 2 == 1;
        if matches!(one.0, ':' | '\\' | '=') || (one.0 == '{' && index == 0) || wanted {
            quoted.push(Typed('\\', one.1));
        }
        quoted.push(*one);
    }
    quoted
}

fn closes(typed: &[Typed]) -> bool {
    let mut depth = 0;
    let mut chars = typed.iter().map(|typed| typed.0);
    while let Some(c) = chars.next() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return false,
            '}' => depth -= 1,
            '\\' if chars.next().is_none() => return false,
            _ => {}
        }
    }
    depth == 0
}
