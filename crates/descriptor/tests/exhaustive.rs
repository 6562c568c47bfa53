//! Every string of up to six of the characters that matter, against models written another way.

use descriptor::{Descriptor, Syntax, Text};

/// Positionals and keywords, or nothing for a mistake.
type Read = Option<(Vec<String>, Vec<(String, String)>)>;

#[test]
fn twisted_equals_the_state_machine() {
    for_all(|text| assert_eq!(read(text, Syntax::Twisted), state_machine(text), "{text}"));
}

#[test]
fn extended_equals_the_model() {
    for_all(|text| assert_eq!(read(text, Syntax::Extended), model(text), "{text}"));
}

#[test]
fn extended_reads_back_what_it_shows() {
    for_all(|text| {
        let Ok(first) = Descriptor::parse(&Text::typed(text), Syntax::Extended) else { return };
        let shown = first.to_string();
        let again = Descriptor::parse(&Text::typed(&shown), Syntax::Extended);
        assert_eq!(again.as_ref(), Ok(&first), "{text} is shown as {shown}");
        let again = again.unwrap().to_string();
        assert_eq!(again, shown, "what is canonical stays as it is");
        let outer = format!("x:{{{shown}}}:k={{{shown}}}");
        let outer = Descriptor::parse(&Text::typed(&outer), Syntax::Extended).unwrap();
        assert_eq!((outer.args[1].as_str(), outer.kwargs[0].1.as_str()), (&*shown, &*shown));
    });
}

#[test]
fn extended_differs_only_where_a_brace_or_an_equals_sign_says_so() {
    for_all(|text| {
        if !text.contains(['{', '=']) {
            assert_eq!(read(text, Syntax::Extended), read(text, Syntax::Twisted), "{text}");
        }
    });
}

fn for_all(check: impl Fn(&str)) {
    let mut texts = vec![String::new()];
    check("");
    for _ in 0..6 {
        let longer =
            texts.iter().flat_map(|text| "a:=\\{}".chars().map(move |c| format!("{text}{c}")));
        texts = longer.collect();
        texts.iter().for_each(|text| check(text));
    }
}

fn read(text: &str, syntax: Syntax) -> Read {
    let read = Descriptor::parse(&Text::typed(text), syntax).ok()?;
    let string = |text: &Text| text.as_str().to_owned();
    let kwargs = read.kwargs.iter().map(|(name, value)| (string(name), string(value))).collect();
    Some((read.args.iter().map(string).collect(), kwargs))
}

/// Twisted's lexer, from its description as a state machine.
fn state_machine(text: &str) -> Read {
    let (mut args, mut kwargs, mut key, mut buffer) = (vec![], vec![], None, String::new());
    let mut chars = text.chars().chain([':']).peekable();
    while let Some(c) = chars.next() {
        let last = chars.peek().is_none();
        match c {
            '\\' => {
                buffer.push(chars.next()?);
                chars.peek()?;
            }
            ':' => match key.take() {
                None => args.push(std::mem::take(&mut buffer)),
                Some(key) => kwargs.push((key, std::mem::take(&mut buffer))),
            },
            '=' if key.is_none() => key = Some(std::mem::take(&mut buffer)),
            c => buffer.push(c),
        }
        if last {
            break;
        }
    }
    Some((args, kwargs))
}

/// The extended syntax by characters: first where fields end, then what each one is.
fn model(text: &str) -> Read {
    let chars: Vec<char> = text.chars().collect();
    let (mut args, mut kwargs) = (vec![], vec![]);
    let mut at = 0;
    loop {
        let bare = chars[at..].iter().take_while(|c| c.is_ascii_alphanumeric()).count();
        let key = (bare > 0 && chars.get(at + bare) == Some(&'='))
            .then(|| chars[at..at + bare].iter().collect::<String>());
        at += if key.is_some() { bare + 1 } else { 0 };
        let mut value = String::new();
        if chars.get(at) == Some(&'{') {
            let mut depth = 1;
            while depth > 0 {
                at += 1;
                match chars.get(at)? {
                    '\\' => {
                        value.push('\\');
                        at += 1;
                    }
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                value.push(*chars.get(at)?);
            }
            value.pop();
            at += 1;
            if !matches!(chars.get(at), None | Some(':')) {
                return None;
            }
        }
        while let Some(c) = chars.get(at).filter(|c| **c != ':') {
            at += usize::from(*c == '\\');
            value.push(*chars.get(at)?);
            at += 1;
        }
        match key {
            Some(key) => kwargs.push((key, value)),
            None => args.push(value),
        }
        if at == chars.len() {
            return Some((args, kwargs));
        }
        at += 1;
    }
}
