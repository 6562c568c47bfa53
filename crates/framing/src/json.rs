//! JSON values (RFC 8259), one after the other.
//!
//! The inside of a value is checked as it arrives, byte by byte, so its end is known without a second pass and
//! nothing recurses. Only the kinds of the open arrays and objects are kept: a byte each.

use bytes::{Buf, BytesMut};

use crate::{Decode, Decoded, Encode, Error, Framing, Message};

/// Each complete value is a text message. Whitespace between values is dropped; sent messages end with a line feed.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Framing for Json {
    fn decoder(&self, max: usize) -> Box<dyn Decode> {
        Box::new(Decoder { max, seen: 0, open: Vec::new(), expects: Expects::Value })
    }

    fn encoder(&self) -> Box<dyn Encode> {
        Box::new(Encoder { is_ended: false })
    }
}

struct Decoder {
    max: usize,
    /// So many bytes of the value were looked at.
    seen: usize,
    /// The arrays (`[`) and objects (`{`) around what comes next.
    open: Vec<u8>,
    expects: Expects,
}

/// The syntax that may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    /// A value.
    Value,
    /// A value, or the end of an array that has none.
    FirstValue,
    /// A name, or the end of an object that has none.
    FirstName,
    /// A name.
    Name,
    /// The colon behind a name.
    Colon,
    /// A comma, or the end of what is open.
    Comma,
    /// The rest of a string; whether it is a name.
    String(bool),
    /// The character after a backslash in a string.
    Escape(bool),
    /// So many hexadecimal digits in a string.
    Hex(bool, u8),
    /// The rest of a word.
    Word(&'static [u8]),
    /// More of a number.
    Number(Number),
}

/// The part of a number that has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    Exponent,
    Sign,
    ExponentDigits,
}

impl Number {
    fn is_whole(self) -> bool {
        matches!(self, Self::Zero | Self::Digits | Self::Fraction | Self::ExponentDigits)
    }

    /// Adds one byte; `None` if it doesn't belong to the number.
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Digits, b'0'..=b'9') => Self::Digits,
            (Self::Zero | Self::Digits, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Digits | Self::Fraction, b'e' | b'E') => Self::Exponent,
            (Self::Exponent, b'+' | b'-') => Self::Sign,
            (Self::Exponent | Self::Sign | Self::ExponentDigits, b'0'..=b'9') => {
                Self::ExponentDigits
            }
            _ => return None,
        })
    }
}

/// The effect of a byte.
enum Step {
    /// It is part of the value.
    Inside,
    /// It is the value's last one.
    Last,
    /// The value ended before it.
    Before,
}

impl Decoder {
    fn step(&mut self, byte: u8) -> Result<Step, Error> {
        let wrong = |why| Err(Error::NotJson(why));
        let is_blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.expects = match (self.expects, byte) {
            (Expects::Number(number), _) => match number.after(byte) {
                Some(number) => Expects::Number(number),
                None if !number.is_whole() => return wrong("a number that isn't whole"),
                // `01` are no two numbers.
                None if self.open.is_empty() && !(is_blank || b"[{\"".contains(&byte)) => {
                    return wrong("a number that isn't whole");
                }
                None if self.open.is_empty() => {
                    self.expects = Expects::Value;
                    return Ok(Step::Before);
                }
                None => {
                    self.expects = Expects::Comma;
                    return self.step(byte);
                }
            },
            (Expects::String(name), b'"') => return Ok(self.end_string(name)),
            (Expects::String(name), b'\\') => Expects::Escape(name),
            (Expects::String(_), 0..0x20) => return wrong("a control character in a string"),
            (Expects::String(name), _) => Expects::String(name),
            (Expects::Escape(name), b'u') => Expects::Hex(name, 4),
            (Expects::Escape(name), b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                Expects::String(name)
            }
            (Expects::Hex(name, 1), _) if byte.is_ascii_hexdigit() => Expects::String(name),
            (Expects::Hex(name, more), _) if byte.is_ascii_hexdigit() => {
                Expects::Hex(name, more - 1)
            }
            (Expects::Escape(_) | Expects::Hex(..), _) => {
                return wrong("an unknown escape");
            }
            (Expects::Word([expected]), _) if byte == *expected => return Ok(self.end_value()),
            (Expects::Word([expected, rest @ ..]), _) if byte == *expected => Expects::Word(rest),
            (Expects::Word(_), _) => return wrong("an unknown word"),
            (expects, _) if is_blank => expects,
            (Expects::FirstValue, b']') | (Expects::FirstName, b'}') => return Ok(self.close()),
            (Expects::Value | Expects::FirstValue, _) => match byte {
                b'{' => {
                    self.open.push(b'{');
                    Expects::FirstName
                }
                b'[' => {
                    self.open.push(b'[');
                    Expects::FirstValue
                }
                b'"' => Expects::String(false),
                b't' => Expects::Word(b"rue"),
                b'f' => Expects::Word(b"alse"),
                b'n' => Expects::Word(b"ull"),
                b'-' => Expects::Number(Number::Minus),
                b'0' => Expects::Number(Number::Zero),
                b'1'..=b'9' => Expects::Number(Number::Digits),
                _ => return wrong("a missing value"),
            },
            (Expects::FirstName | Expects::Name, b'"') => Expects::String(true),
            (Expects::FirstName | Expects::Name, _) => return wrong("a missing name"),
            (Expects::Colon, b':') => Expects::Value,
            (Expects::Colon, _) => return wrong("a missing colon after a name"),
            (Expects::Comma, b',') if self.open.last() == Some(&b'{') => Expects::Name,
            (Expects::Comma, b',') => Expects::Value,
            (Expects::Comma, b'}') if self.open.last() == Some(&b'{') => return Ok(self.close()),
            (Expects::Comma, b']') if self.open.last() == Some(&b'[') => return Ok(self.close()),
            (Expects::Comma, _) => return wrong("a missing comma between values"),
        };
        Ok(Step::Inside)
    }

    fn end_string(&mut self, name: bool) -> Step {
        if name {
            self.expects = Expects::Colon;
            return Step::Inside;
        }
        self.end_value()
    }

    fn close(&mut self) -> Step {
        self.open.pop();
        self.end_value()
    }

    fn end_value(&mut self) -> Step {
        if self.open.is_empty() {
            self.expects = Expects::Value;
            return Step::Last;
        }
        self.expects = Expects::Comma;
        Step::Inside
    }

    fn take(&mut self, buf: &mut BytesMut, len: usize) -> Result<Message, Error> {
        self.seen = 0;
        // A deep value must not be paid for by those that come after it.
        self.open = Vec::new();
        if len > self.max {
            return Err(Error::TooLong { max: self.max });
        }
        let data = buf.split_to(len).freeze();
        match simdutf8::basic::from_utf8(&data) {
            Ok(_) => Ok(Message { data, text: true }),
            Err(_) => Err(Error::NotJson("it is not UTF-8")),
        }
    }
}

impl Decode for Decoder {
    fn next(&mut self, buf: &mut BytesMut) -> Result<Decoded, Error> {
        if self.seen == 0 {
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let blanks = buf.iter().take_while(|byte| is_blank(byte)).count();
            buf.advance(blanks);
        }
        while let Some(&byte) = buf.get(self.seen) {
            match self.step(byte)? {
                Step::Inside => self.seen += 1,
                Step::Last => {
                    let len = self.seen + 1;
                    return self.take(buf, len).map(Decoded::Message);
                }
                Step::Before => {
                    let len = self.seen;
                    return self.take(buf, len).map(Decoded::Message);
                }
            }
            if self.seen > self.max {
                return Err(Error::TooLong { max: self.max });
            }
        }
        Ok(Decoded::More)
    }

    fn finish(&mut self, buf: &mut BytesMut) -> Result<Option<Message>, Error> {
        match self.expects {
            Expects::Number(number) if number.is_whole() && self.open.is_empty() => {
                self.expects = Expects::Value;
                let len = buf.len();
                self.take(buf, len).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn cut(&mut self, buf: &mut BytesMut) -> Message {
        (self.seen, self.open, self.expects) = (0, Vec::new(), Expects::Value);
        Message::of(buf.split().freeze())
    }
}

struct Encoder {
    /// The message so far ends with a line feed.
    is_ended: bool,
}

impl Encode for Encoder {
    fn streams(&self) -> bool {
        true
    }

    /// Two numbers would be one without something between them.
    fn encode(&mut self, data: &[u8], last: bool, out: &mut BytesMut) -> Result<(), Error> {
        out.extend_from_slice(data);
        self.is_ended = data.last().map_or(self.is_ended, |byte| *byte == b'\n');
        if last && !std::mem::take(&mut self.is_ended) {
            out.extend_from_slice(b"\n");
        }
        Ok(())
    }
}
