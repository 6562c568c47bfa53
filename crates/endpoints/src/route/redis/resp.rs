//! The needed part of RESP 2: commands and replies, both bounded.
//!
//! Own code, because a lookup has to limit the size of a reply, and two commands and a subscription need no more than
//! this.
//! `redis` needs 30 crates for its client and doesn't limit replies, `fred` needs more and doesn't either, and
//! `redis-protocol` needs another version of nom and builds a tree of a reply without a limit.
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>

/// A reply of the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// `+OK`.
    Simple(String),
    /// `-ERR …`.
    Error(String),
    /// `:1`.
    Number(i64),
    /// `$3`: bytes.
    Bulk(Vec<u8>),
    /// `$-1` or `*-1`.
    Nothing,
    /// `*2`.
    List(Vec<Reply>),
}

/// Writes a command.
pub(super) fn command(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", parts.len()).into_bytes();
    for part in parts {
        out.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Reads a reply from the start of `bytes`, and how long it is; `None` if it isn't complete.
///
/// # Errors
/// It is none, or larger than any that is asked for.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Reply, usize)>, String> {
    let mut reader = Reader { bytes, at: 0, elements: 0 };
    match reader.reply(0) {
        Ok(reply) => Ok(Some((reply, reader.at))),
        Err(Stop::More) if bytes.len() > LONGEST => Err(too_long()),
        Err(Stop::More) => Ok(None),
        Err(Stop::Wrong(words)) => Err(words),
    }
}

enum Stop {
    More,
    Wrong(String),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    elements: usize,
}

impl Reader<'_> {
    fn reply(&mut self, depth: usize) -> Result<Reply, Stop> {
        self.elements += 1;
        if depth > DEEPEST || self.elements > MOST {
            return Err(Stop::Wrong(too_long()));
        }
        let line = self.line()?;
        let (sort, rest) = line.split_at_checked(1).ok_or_else(strange)?;
        match sort {
            "+" => Ok(Reply::Simple(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => rest.parse().map(Reply::Number).map_err(|_| strange()),
            "$" => {
                let Some(length) = length(rest)? else { return Ok(Reply::Nothing) };
                let (from, to) = (self.at, self.at + length);
                let data = self.bytes.get(from..to).ok_or(Stop::More)?.to_vec();
                match self.bytes.get(to..to + 2).ok_or(Stop::More)? {
                    b"\r\n" => self.at = to + 2,
                    _ => return Err(strange()),
                }
                Ok(Reply::Bulk(data))
            }
            "*" => {
                let Some(length) = length(rest)? else { return Ok(Reply::Nothing) };
                (0..length)
                    .map(|_| self.reply(depth + 1))
                    .collect::<Result<_, _>>()
                    .map(Reply::List)
            }
            _ => Err(strange()),
        }
    }

    fn line(&mut self) -> Result<String, Stop> {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
            // Bytes that are no reply at all need not have an end.
            let is_one = rest.first().is_none_or(|first| b"+-:$*".contains(first));
            return Err(if is_one && rest.len() <= LINE { Stop::More } else { strange() });
        };
        self.at += end + 2;
        String::from_utf8(rest[..end].to_vec()).map_err(|_| strange())
    }
}

/// A length; `None` is of what isn't there.
fn length(text: &str) -> Result<Option<usize>, Stop> {
    if text == "-1" {
        return Ok(None);
    }
    let length: usize = text.parse().map_err(|_| strange())?;
    if length > LONGEST {
        return Err(Stop::Wrong(too_long()));
    }
    Ok(Some(length))
}

fn strange() -> Stop {
    Stop::Wrong("its answer violates the Redis protocol".to_owned())
}

fn too_long() -> String {
    format!("its answer is longer than {LONGEST} bytes")
}

/// The maximum size of a reply, in bytes.
const LONGEST: usize = 32 << 10;
/// The maximum length of its first line, because an error may have any length.
const LINE: usize = 4 << 10;
/// Elements of a reply: a hash with 100 fields has 200.
const MOST: usize = 256;
const DEEPEST: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_however_they_are_cut() {
        let bulk = |text: &str| Reply::Bulk(text.as_bytes().to_vec());
        for (bytes, expected) in [
            ("+OK\r\n", Reply::Simple("OK".to_owned())),
            ("-ERR no\r\n", Reply::Error("ERR no".to_owned())),
            (":-7\r\n", Reply::Number(-7)),
            ("$5\r\na\r\nbc\r\n", bulk("a\r\nbc")),
            ("$0\r\n\r\n", bulk("")),
            ("$-1\r\n", Reply::Nothing),
            ("*-1\r\n", Reply::Nothing),
            ("*0\r\n", Reply::List(vec![])),
            (
                "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
                Reply::List(vec![bulk("a"), Reply::List(vec![Reply::Number(1)])]),
            ),
        ] {
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes.as_bytes()[..cut]), Ok(None), "{bytes:?} at {cut}");
            }
            let more = format!("{bytes}+next");
            assert_eq!(read(more.as_bytes()), Ok(Some((expected, bytes.len()))), "{bytes:?}");
        }
    }

    #[test]
    fn rubbish_and_what_is_too_large_is_refused_before_it_is_there() {
        for bytes in [
            "HTTP/1.1 400 Bad Request\r\n",
            "S",
            "\r\n",
            ":x\r\n",
            "$x\r\n",
            "$-2\r\n",
            "$1\r\nabc",
            "$1000000000\r\n",
            "*1000000000\r\n",
            "*1\r\n*1\r\n*1\r\n*1\r\n",
        ] {
            let found = read(bytes.as_bytes());
            assert!(found.is_err(), "{bytes:?}: {found:?}");
        }
        assert!(read(&[b'+'; LINE + 2]).is_err());
        assert!(read(format!("*300\r\n{}", ":1\r\n".repeat(300)).as_bytes()).is_err());
    }

    #[test]
    fn a_command_has_the_length_of_each_part() {
        assert_eq!(command(&[b"GET", b"a\r\nb"]), b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n");
    }
}
