//! Splits a URL; its scheme is not interpreted.

use nom::bytes::complete::{tag, take_while};
use nom::character::complete::satisfy;
use nom::combinator::recognize;
use nom::sequence::terminated;
use nom::{IResult, Parser};

use crate::{Code, Diagnostic, Stage, Text};

/// `scheme://[userinfo@]host[:port][/path?query]`, split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Before `://`, as typed: schemes are compared without regard to case.
    pub scheme: Text,
    /// Before the last `@` of the authority.
    pub userinfo: Option<Text>,
    /// Without the brackets of `[::1]`. Empty in `unix:///run/x`.
    pub host: Text,
    /// The text after the host's `:`, unparsed. May be empty.
    pub port: Option<Text>,
    /// The part from the first `/` on, with the query; without a `/`, from the first `?` or `#`. May be empty.
    pub path: Text,
}

impl Url {
    /// Returns `true` if `text` begins with a scheme and `://`.
    pub fn starts(text: &Text) -> bool {
        scheme(text.as_str()).is_ok()
    }

    /// Splits a URL that is all of `text`. Nothing is decoded.
    ///
    /// # Errors
    /// Of [`Stage::Parse`]: `no-scheme`; `unclosed-bracket`, `text-after-bracket` and
    /// `unbracketed-address` where an IPv6 address is written wrongly.
    pub fn split(text: &Text) -> Result<Self, Diagnostic> {
        let all = text.as_str();
        let Ok((rest, scheme)) = scheme(all) else {
            return Err(mistake(text, Code::NoScheme, "this is not a URL")
                .help("a URL starts with a scheme and `://`"));
        };
        let start = all.len() - rest.len();
        let end = start + rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = text.slice(start..end);
        let (userinfo, place) = match authority.as_str().rfind('@') {
            Some(at) => (Some(authority.slice(0..at)), authority.slice(at + 1..authority.len())),
            None => (None, authority),
        };
        let (host, port) = host_and_port(&place)?;
        let (scheme, path) = (text.slice(0..scheme.len()), text.slice(end..all.len()));
        Ok(Self { scheme, userinfo, host, port, path })
    }
}

fn host_and_port(place: &Text) -> Result<(Text, Option<Text>), Diagnostic> {
    let typed = place.as_str();
    let from = |start| place.slice(start..place.len());
    if typed.starts_with('[') {
        let Some(end) = typed.find(']') else {
            return Err(mistake(
                &place.slice(0..1),
                Code::UnclosedBracket,
                "this `[` has no matching `]`",
            ));
        };
        let host = place.slice(1..end);
        return match typed.as_bytes().get(end + 1) {
            None => Ok((host, None)),
            Some(b':') => Ok((host, Some(from(end + 2)))),
            Some(_) => {
                let message = "`]` must be followed by `:` and a port, by `/`, or by the end";
                Err(mistake(&from(end + 1), Code::TextAfterBracket, message))
            }
        };
    }
    match typed.split_once(':') {
        None => Ok((place.clone(), None)),
        Some((host, port)) if !port.contains(':') => {
            Ok((place.slice(0..host.len()), Some(from(host.len() + 1))))
        }
        Some(_) => {
            let message = "an IPv6 address in a URL must be in brackets";
            Err(mistake(place, Code::UnbracketedAddress, message)
                .help("write `[::1]:80` for the address `::1` and the port 80"))
        }
    }
}

fn scheme(input: &str) -> IResult<&str, &str> {
    let more = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let scheme = recognize((satisfy(|c| c.is_ascii_alphabetic()), take_while(more)));
    terminated(scheme, tag("://")).parse(input)
}

fn mistake(at: &Text, code: Code, message: &str) -> Diagnostic {
    Diagnostic::error(Stage::Parse, code, at.span(), message)
}
