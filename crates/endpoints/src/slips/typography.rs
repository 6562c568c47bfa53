//! Changes that a word processor, a shell or a habit makes to a descriptor: quotation marks, dashes, line breaks,
//! spaces, and separators other than `:`.

use plan::kind::Role;

use super::line::{Found, Line};

/// Finds the first of them; the line to type is the descriptor without it.
pub(super) fn find(typed: &str, role: Role) -> Option<Found> {
    let (at, message, meant) = quotes(typed)
        .or_else(|| braces(typed))
        .or_else(|| breaks(typed))
        .or_else(|| spaces(typed))
        .or_else(|| dashes(typed))
        .or_else(|| separators(typed))
        .or_else(|| query(typed))
        .or_else(|| super::joints::find(typed))?;
    let (side, descriptor) = super::translate(&meant, role).unwrap_or((role, meant));
    (!descriptor.is_empty()).then(|| Found::new(at, message, Line { side, descriptor }))
}

type Meant = (std::ops::Range<usize>, String, String);

/// `“tcp:h:80”`, and `"tcp:h:80"` that a shell or a service manager has passed on with its quotation marks.
fn quotes(typed: &str) -> Option<Meant> {
    if let Some(mark) = typed.chars().find(|c| QUOTES.contains(c)) {
        let message = format!("`{mark}` is a word processor's quotation mark, not the shell's `'`");
        return Some((0..typed.len(), message, typed.replace(QUOTES, "")));
    }
    let mark = typed.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    let inner = typed.strip_prefix(mark)?.strip_suffix(mark)?;
    let message = "the quotation marks are part of the descriptor: it was quoted twice".to_owned();
    (!inner.contains(mark)).then(|| (0..typed.len(), message, inner.to_owned()))
}

/// `{tcp:h:80}`: braces are around what a descriptor contains.
fn braces(typed: &str) -> Option<Meant> {
    let inner = typed.strip_prefix('{')?.strip_suffix('}')?;
    let end = |depth: &mut i32, c: char| {
        *depth += i32::from(c == '{') - i32::from(c == '}');
        Some(*depth)
    };
    // The first one is closed by the last one.
    let is_whole = inner.chars().scan(1, end).all(|depth| depth > 0);
    let message = "the whole descriptor is in braces, which belong around a part".to_owned();
    (is_whole && !inner.contains('\\')).then(|| (0..typed.len(), message, inner.to_owned()))
}

/// A line break, with the backslash in front of it that continues a line outside of quotation marks.
fn breaks(typed: &str) -> Option<Meant> {
    let at = typed.find(['\n', '\r'])?;
    let lines = typed.lines().map(|line| line.trim().trim_end_matches('\\').trim_end());
    let start = if typed[..at].ends_with('\\') { at - 1 } else { at };
    let message = "the descriptor contains a line break".to_owned();
    Some((start..typed.len(), message, lines.collect()))
}

/// Spaces around it, and around the colons of an address.
fn spaces(typed: &str) -> Option<Meant> {
    let trimmed = typed.trim();
    if trimmed != typed && !trimmed.is_empty() {
        let before = typed.len() - typed.trim_start().len();
        let at = if before > 0 { 0..before } else { trimmed.len()..typed.len() };
        return Some((at, "the descriptor has a space around it".to_owned(), trimmed.to_owned()));
    }
    let (kind, rest) = typed.split_once(':')?;
    let is_address = ADDRESSES.contains(&&*kind.trim().to_ascii_lowercase());
    let spaced = rest.starts_with(' ') || rest.contains(": ") || rest.contains(" :");
    if !is_address || !(spaced || kind.ends_with(' ')) || typed.contains(['{', '\\']) {
        return None;
    }
    let fields: Vec<_> = typed.split(':').map(str::trim).collect();
    let at = typed.find(' ')?;
    Some((at..typed.len(), "spaces around `:` are part of the fields".to_owned(), fields.join(":")))
}

/// `unix–dgram:/x`, `ws:9000:max—message=1M`.
fn dashes(typed: &str) -> Option<Meant> {
    let (at, dash) = typed.char_indices().find(|(_, c)| DASHES.contains(c))?;
    let message = format!("`{dash}` is a word processor's dash, not `-`");
    Some((at..at + dash.len_utf8(), message, typed.replace(DASHES, "-")))
}

/// `tcp h 80`, `tcp;h;80`, `tcp=h:80`, `serial /dev/ttyS0`.
fn separators(typed: &str) -> Option<Meant> {
    let end = typed.find(|c: char| !c.is_ascii_alphanumeric() && c != '-')?;
    let (kind, rest) = typed.split_at(end);
    // HAProxy has `unix@/x` and `fd@3`.
    let is_at = !matches!(&*kind.to_ascii_lowercase(), "unix" | "fd");
    let separator = rest
        .chars()
        .next()
        .filter(|c| matches!(c, ' ' | ';' | '=' | '/' | '|') || *c == '@' && is_at)?;
    if !ADDRESSES.contains(&&*kind.to_ascii_lowercase()) {
        return None;
    }
    // The path of a device begins with the one that is wrong.
    let rest = rest.strip_prefix(separator)?;
    let rest = match rest.starts_with('/') || separator == '=' {
        true => rest.to_owned(),
        false => rest.replace(separator, ":"),
    };
    let message = format!("fields are separated by `:`, not by `{separator}`");
    Some((end..end + 1, message, format!("{kind}:{rest}")))
}

/// `tcp:h:80?timeout=5&nodelay=false`, as a URL has its parameters.
fn query(typed: &str) -> Option<Meant> {
    let kind = typed.split(':').next()?;
    let is_address = ADDRESSES.contains(&&*kind.to_ascii_lowercase());
    let (address, parameters) = typed.split_once(['?', '&', ';'])?;
    if !is_address || !parameters.contains('=') || typed.contains(['{', '\\', '/', '$']) {
        return None;
    }
    let message = "parameters are joined by `:`, as all fields are".to_owned();
    let meant = format!("{address}:{}", parameters.replace(['?', '&', ';'], ":"));
    Some((address.len()..typed.len(), message, meant))
}

const QUOTES: &[char] = &['“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‛', '″', '′'];

const DASHES: &[char] = &['‐', '‑', '‒', '–', '—', '―', '−'];

/// Kinds whose fields contain no spaces.
const ADDRESSES: &[&str] =
    &["tcp", "tcp4", "tcp6", "udp", "unix", "serial", "ws", "tls", "telnet", "socks5", "fd"];
