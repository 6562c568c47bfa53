//! A channel of SSH (RFC 4254 section 5), bytes in and bytes out: its window, its data, its end.
//!
//! `ssh` takes and gives the messages that an SSH connection has beneath its encryption: a length, a byte that is 0,
//! the type, and its fields. All numbers have 32 bits, most significant first. Received data that is not read yet is
//! bounded by the window, which grows by the data that is read.

use std::mem::take;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::ReadBuf;

/// The destination of a session, as sent to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum To {
    Port(String, u16),
    Path(String),
}

/// The server's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// RFC 4254 section 5.1.
    pub(super) code: u32,
    pub(super) words: String,
}

#[derive(Debug)]
pub(super) struct Channel {
    /// Its number at the server.
    remote: u32,
    /// The window for sending, and the maximum packet size.
    window: u32,
    most: usize,
    /// The window of the server.
    granted: u32,
    /// The bytes read since the last adjustment of the window.
    read: u32,
    /// Received and not read.
    data: BytesMut,
    /// The beginning of a message.
    partial: Vec<u8>,
    /// The bytes to write.
    pub(super) out: BytesMut,
    /// The server has no more to send, and has closed.
    pub(super) is_ended: bool,
    pub(super) is_closed: bool,
    /// The same of ours.
    pub(super) said_end: bool,
    said_close: bool,
}

/// The server breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

/// Returns the message that asks for a channel.
pub(super) fn open(to: &To) -> BytesMut {
    let kind = match to {
        To::Port(..) => "direct-tcpip",
        To::Path(_) => "direct-streamlocal@openssh.com",
    };
    let mut out = BytesMut::new();
    message(&mut out, OPEN, |out| {
        text(out, kind);
        out.put_u32(OURS);
        out.put_u32(WINDOW);
        out.put_u32(MOST);
        match to {
            To::Port(host, port) => {
                text(out, host);
                out.put_u32(u32::from(*port));
                // The origin of the connection: the server gets no real one.
                text(out, "127.0.0.1");
                out.put_u32(0);
            }
            To::Path(path) => {
                text(out, path);
                text(out, "");
                out.put_u32(0);
            }
        }
    });
    out
}

/// Parses the answer to [`open`]; `None` if it is another message. `bytes` are those behind the length.
pub(super) fn opened(mut bytes: &[u8]) -> Result<Option<Result<Channel, Refused>>, Broken> {
    let kind = head(&mut bytes)?;
    match kind {
        OPEN_CONFIRMATION => {
            let (remote, window, most) =
                (number(&mut bytes)?, number(&mut bytes)?, number(&mut bytes)?);
            let most = usize::try_from(most.clamp(1, MOST)).expect("it is small");
            Ok(Some(Ok(Channel::new(remote, window, most))))
        }
        OPEN_FAILURE => {
            let code = number(&mut bytes)?;
            let words = String::from_utf8_lossy(string(&mut bytes)?).into_owned();
            Ok(Some(Err(Refused { code, words })))
        }
        _ => Ok(None),
    }
}

impl Channel {
    fn new(remote: u32, window: u32, most: usize) -> Self {
        Self {
            remote,
            window,
            most,
            granted: WINDOW,
            read: 0,
            data: BytesMut::new(),
            partial: Vec::new(),
            out: BytesMut::new(),
            is_ended: false,
            is_closed: false,
            said_end: false,
            said_close: false,
        }
    }

    /// Takes the messages that came.
    ///
    /// # Errors
    /// It is no message, or more data than the window admits.
    pub(super) fn receive(&mut self, mut bytes: &[u8]) -> Result<(), Broken> {
        while !bytes.is_empty() {
            if self.partial.is_empty()
                && let Some(length) = length(bytes)?
                && bytes.len() >= length
            {
                let (message, rest) = bytes.split_at(length);
                bytes = rest;
                self.hear(&message[4..])?;
                continue;
            }
            let wanted = length(&self.partial)?.unwrap_or(4) - self.partial.len();
            let (more, rest) = bytes.split_at(wanted.min(bytes.len()));
            self.partial.extend_from_slice(more);
            bytes = rest;
            if length(&self.partial)?.is_some_and(|length| self.partial.len() == length) {
                let message = take(&mut self.partial);
                self.hear(&message[4..])?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, mut bytes: &[u8]) -> Result<(), Broken> {
        match head(&mut bytes)? {
            WINDOW_ADJUST => {
                let more = number(&mut bytes)?;
                let window = self.window.checked_add(more);
                self.window = window.ok_or(Broken("a window that is too large"))?;
            }
            DATA => {
                let data = self.admitted(string(&mut bytes)?)?;
                self.data.extend_from_slice(data);
            }
            EXTENDED_DATA => {
                number(&mut bytes)?;
                // There is none of it in a connection; it counts all the same.
                let length = self.admitted(string(&mut bytes)?)?.len();
                self.grant(length);
            }
            EOF => self.is_ended = true,
            CLOSE => self.is_closed = true,
            REQUEST => {
                string(&mut bytes)?;
                // None is known here.
                if bytes.first().is_some_and(|wants_reply| *wants_reply != 0) && self.has_room() {
                    self.say(FAILURE);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn admitted<'a>(&mut self, data: &'a [u8]) -> Result<&'a [u8], Broken> {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let left = self.granted.checked_sub(length).filter(|_| !self.is_ended);
        self.granted = left.ok_or(Broken("more data than may be sent"))?;
        Ok(data)
    }

    pub(super) fn has_data(&self) -> bool {
        !self.data.is_empty()
    }

    /// Reads, and tells the server of it now and then.
    pub(super) fn take(&mut self, buf: &mut ReadBuf<'_>) {
        let length = self.data.len().min(buf.remaining());
        buf.put_slice(&self.data[..length]);
        self.data.advance(length);
        if self.data.is_empty() {
            // An idle session holds no buffer.
            self.data = BytesMut::new();
        }
        self.grant(length);
    }

    fn grant(&mut self, length: usize) {
        self.read += u32::try_from(length).expect("no more than the window");
        if self.read >= WINDOW / 8 && !self.is_ended && !self.said_close {
            let (remote, read) = (self.remote, take(&mut self.read));
            self.granted += read;
            message(&mut self.out, WINDOW_ADJUST, |out| {
                out.put_u32(remote);
                out.put_u32(read);
            });
        }
    }

    /// Drops data that will not be read.
    pub(super) fn discard(&mut self) {
        self.data = BytesMut::new();
    }

    /// Returns `true` if more may be queued.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() < QUEUE
    }

    /// Queues as much of `bytes` as the window admits, which may be nothing.
    pub(super) fn send(&mut self, bytes: &[u8]) -> usize {
        let window = usize::try_from(self.window).unwrap_or(usize::MAX);
        let length = bytes.len().min(window).min(self.most);
        if length == 0 || self.said_end || self.said_close {
            return 0;
        }
        let sent = u32::try_from(length).expect("no more than the window");
        self.window -= sent;
        let remote = self.remote;
        message(&mut self.out, DATA, |out| {
            out.put_u32(remote);
            out.put_u32(sent);
            out.extend_from_slice(&bytes[..length]);
        });
        length
    }

    /// Says that no more data comes.
    pub(super) fn end(&mut self) {
        if !self.said_end && !self.said_close {
            self.said_end = true;
            self.say(EOF);
        }
    }

    /// Says that the channel is over, after all that was sent.
    pub(super) fn close(&mut self) {
        if !self.said_close {
            self.said_close = true;
            self.say(CLOSE);
        }
    }

    /// Returns `true` if both sides have closed it.
    pub(super) fn is_over(&self) -> bool {
        self.is_closed && self.said_close && self.out.is_empty()
    }

    fn say(&mut self, kind: u8) {
        let remote = self.remote;
        message(&mut self.out, kind, |out| out.put_u32(remote));
    }
}

/// The length of the message that `bytes` begin with, its own four bytes included.
fn length(mut bytes: &[u8]) -> Result<Option<usize>, Broken> {
    if bytes.len() < 4 {
        return Ok(None);
    }
    match bytes.get_u32() {
        length @ 2..=LONGEST => Ok(Some(4 + usize::try_from(length).expect("it is small"))),
        _ => Err(Broken("a message of an odd length")),
    }
}

/// Takes the padding's length and the type, and the number of the channel, which is ours.
fn head(bytes: &mut &[u8]) -> Result<u8, Broken> {
    let &[_, kind, ..] = *bytes else { return Err(CUT) };
    bytes.advance(2);
    number(bytes)?;
    Ok(kind)
}

fn number(bytes: &mut &[u8]) -> Result<u32, Broken> {
    bytes.try_get_u32().map_err(|_| CUT)
}

fn string<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Broken> {
    let length = usize::try_from(number(bytes)?).unwrap_or(usize::MAX);
    let (string, rest) = bytes.split_at_checked(length).ok_or(CUT)?;
    *bytes = rest;
    Ok(string)
}

fn message(out: &mut BytesMut, kind: u8, rest: impl FnOnce(&mut BytesMut)) {
    let at = out.len();
    out.put_u32(0);
    out.put_u8(0);
    out.put_u8(kind);
    rest(out);
    let length = u32::try_from(out.len() - at - 4).expect("messages are short");
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

fn text(out: &mut BytesMut, text: &str) {
    out.put_u32(u32::try_from(text.len()).expect("hosts and paths are short"));
    out.extend_from_slice(text.as_bytes());
}

const CUT: Broken = Broken("a message that is cut");

const OPEN: u8 = 90;
const OPEN_CONFIRMATION: u8 = 91;
const OPEN_FAILURE: u8 = 92;
const WINDOW_ADJUST: u8 = 93;
const DATA: u8 = 94;
const EXTENDED_DATA: u8 = 95;
const EOF: u8 = 96;
const CLOSE: u8 = 97;
const REQUEST: u8 = 98;
const FAILURE: u8 = 100;

/// The number of the channel here. There is one a connection to `ssh`.
const OURS: u32 = 0;

/// The window of a session, as in OpenSSH. With a round trip of 100 ms, it allows 20 MB per second.
const WINDOW: u32 = 2 << 20;

/// The most data of one message, as OpenSSH has it.
const MOST: u32 = 32 << 10;

/// A message of that, and its head.
pub(super) const LONGEST: u32 = MOST + 1024;

/// The size of the queue at which writing waits: two messages.
const QUEUE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, rest: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        message(&mut out, kind, |out| {
            out.put_u32(OURS);
            out.extend_from_slice(rest);
        });
        out.to_vec()
    }

    fn data(bytes: &[u8]) -> Vec<u8> {
        let mut rest = u32::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        rest.extend_from_slice(bytes);
        frame(DATA, &rest)
    }

    fn read(channel: &mut Channel) -> Vec<u8> {
        let mut space = vec![0; 4 << 20];
        let mut buf = ReadBuf::new(&mut space);
        channel.take(&mut buf);
        buf.filled().to_vec()
    }

    #[test]
    fn messages_may_come_in_any_pieces() {
        let mut all = data(b"one");
        all.extend(data(b""));
        all.extend(frame(WINDOW_ADJUST, &7_u32.to_be_bytes()));
        all.extend(data(b"two"));
        all.extend(frame(EOF, b""));
        for first in 0..all.len() {
            for second in first..all.len() {
                let mut channel = Channel::new(5, 0, 100);
                channel.receive(&all[..first]).unwrap();
                channel.receive(&all[first..second]).unwrap();
                channel.receive(&all[second..]).unwrap();
                assert_eq!(read(&mut channel), b"onetwo");
                assert!(channel.is_ended && !channel.is_closed && channel.window == 7);
            }
        }
    }

    #[test]
    fn the_window_bounds_what_is_sent_and_what_is_held() {
        let mut channel = Channel::new(5, 10, 8);
        assert_eq!((channel.send(b"0123456789ab"), channel.send(b"89ab")), (8, 2));
        assert_eq!(channel.send(b"ab"), 0);
        channel.receive(&frame(WINDOW_ADJUST, &1_u32.to_be_bytes())).unwrap();
        assert_eq!(channel.send(b"ab"), 1);

        channel.out.clear();
        let packet = data(&[7; MOST as usize]);
        for _ in 0..WINDOW / MOST {
            channel.receive(&packet).unwrap();
        }
        assert_eq!(channel.receive(&data(b"x")), Err(Broken("more data than may be sent")));
        assert!(channel.out.is_empty());
        read(&mut channel);
        let grant = [&b"\0\0\0\x0a\0\x5d\0\0\0\x05"[..], &WINDOW.to_be_bytes()].concat();
        assert_eq!(channel.out, grant);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let mut channel = Channel::new(5, 10, 8);
        assert!(channel.receive(b"\xff\xff\xff\xff").is_err());
        assert!(channel.receive(b"\0\0\0\x02\0\x5e").is_err());
        assert!(channel.receive(b"\0\0\0\x0a\0\x5e\0\0\0\0\0\0\0\x09").is_err());
        let mut full = Channel::new(5, u32::MAX, 8);
        assert!(full.receive(&frame(WINDOW_ADJUST, &1_u32.to_be_bytes())).is_err());
    }

    #[test]
    fn a_request_for_a_channel_is_as_the_rfc_has_it() {
        let bytes = open(&To::Port("h".to_owned(), 80));
        let expected = b"\0\0\0\x38\0\x5a\0\0\0\x0cdirect-tcpip\0\0\0\0\0\x20\0\0\0\0\x80\0\
                         \0\0\0\x01h\0\0\0\x50\0\0\0\x09127.0.0.1\0\0\0\0";
        assert_eq!(&bytes[..], expected);
    }
}
