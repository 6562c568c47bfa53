//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1).
//!
//! `extension-list = 1#(token *(";" token ["=" (token / quoted-string)]))`; a quoted value is a token once unquoted.

use std::borrow::Cow;

/// One element of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension<'t> {
    pub(super) name: &'t str,
    pub(super) params: Vec<(&'t str, Option<Cow<'t, str>>)>,
}

/// The elements of a header's value, in order; `None` if it doesn't follow the grammar.
pub(super) fn parse(value: &str) -> Option<Vec<Extension<'_>>> {
    let (mut rest, mut list) = (Rest(value), Vec::new());
    loop {
        // `1#` allows for empty elements (RFC 9110 §5.6.1.2).
        while rest.eat(',') {}
        if rest.is_empty() {
            return Some(list);
        }
        let mut extension = Extension { name: rest.token()?, params: Vec::new() };
        while rest.eat(';') {
            let name = rest.token()?;
            let value = if rest.eat('=') { Some(rest.value()?) } else { None };
            extension.params.push((name, value));
        }
        list.push(extension);
        if !(rest.is_empty() || rest.eat(',')) {
            return None;
        }
    }
}

/// The rest of the text. White space may precede and follow everything (RFC 2616 §2.1).
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn is_empty(&mut self) -> bool {
        self.skip_space();
        self.0.is_empty()
    }

    fn eat(&mut self, separator: char) -> bool {
        self.skip_space();
        let rest = self.0.strip_prefix(separator);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn token(&mut self) -> Option<&'t str> {
        self.skip_space();
        let (token, rest) = self.0.split_at(self.0.find(|c| !is_token(c)).unwrap_or(self.0.len()));
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    fn value(&mut self) -> Option<Cow<'t, str>> {
        if !self.eat('"') {
            return self.token().map(Cow::Borrowed);
        }
        let (mut token, mut chars) = (String::new(), self.0.chars());
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => token.push(chars.next()?),
                c => token.push(c),
            }
        }
        self.0 = chars.as_str();
        (!token.is_empty() && token.chars().all(is_token)).then_some(Cow::Owned(token))
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }
}

/// RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> String {
        let Some(list) = parse(value) else { return "malformed".to_owned() };
        let params = |params: &[(&str, Option<Cow<'_, str>>)]| -> String {
            let param = |(name, value): &(&str, Option<Cow<'_, str>>)| match value {
                Some(value) => format!(";{name}={value}"),
                None => format!(";{name}"),
            };
            params.iter().map(param).collect()
        };
        let list: Vec<_> =
            list.iter().map(|e| format!("{}{}", e.name, params(&e.params))).collect();
        list.join(",")
    }

    #[test]
    fn the_grammar() {
        let table = [
            ("", ""),
            (" , ,\t,", ""),
            ("a", "a"),
            ("a, b ,c", "a,b,c"),
            (",a,,b,", "a,b"),
            ("a;b;c=d", "a;b;c=d"),
            ("\ta ; b ; c = d , e", "a;b;c=d,e"),
            (r#"a;b="c""#, "a;b=c"),
            (r#"a;b="\c\d", e"#, "a;b=cd,e"),
            ("a;a;a=1", "a;a;a=1"),
            ("!#$%&'*+-.^_`|~09azAZ", "!#$%&'*+-.^_`|~09azAZ"),
            // Outside of the grammar.
            ("a b", "malformed"),
            (";", "malformed"),
            ("a;", "malformed"),
            ("a;;b", "malformed"),
            ("a;b=", "malformed"),
            ("a;b=,c", "malformed"),
            ("a;=b", "malformed"),
            ("a=b", "malformed"),
            (r#"a;b=""#, "malformed"),
            (r#"a;b="""#, "malformed"),
            (r#"a;b="c"#, "malformed"),
            (r#"a;b="c\"#, "malformed"),
            (r#"a;b="c d""#, "malformed"),
            (r#"a;b="c\"d""#, "malformed"),
            (r#"a;b="c"d"#, "malformed"),
            ("a;b=c d", "malformed"),
            ("\"a\"", "malformed"),
            ("é", "malformed"),
            ("a;b=é", "malformed"),
            ("a\u{a0}", "malformed"),
            ("a\r\nb", "malformed"),
        ];
        for (value, expected) in table {
            assert_eq!(parsed(value), expected, "{value:?}");
        }
    }
}
